#include <doctest/doctest.h>

#include <string>

#include "run_tool.hpp"

using namespace moeplan_test;

TEST_CASE("help and version") {
  const answer help = run_tool("help");
  CHECK(help.status == 0);
  for (const char* command :
       {"params", "gpus", "ranks", "check", "memory", "balance", "pipeline", "cost", "repair", "translate", "help"}) {
    CHECK(contains(help.out, command));
    const answer one = run_tool(std::string{command} + " --help");
    CHECK(one.status == 0);
    CHECK_FALSE(one.out.empty());
    CHECK(one.err.empty());
    CHECK(run_tool(std::string{"help "} + command).status == 0);
  }
  CHECK(run_tool("--help").status == 0);
  const answer version = run_tool("--version");
  CHECK(version.status == 0);
  CHECK(version.out.starts_with("moeplan "));
}

TEST_CASE("command lines that cannot be used") {
  for (const char* arguments :
       {"", "frobnicate", "check", "check --frob d.json", "check a.json b.json", "gpus", "params", "help frobnicate"}) {
    CAPTURE(arguments);
    const answer a = run_tool(arguments);
    CHECK(a.status == 2);
    CHECK(a.out.empty());
    CHECK_FALSE(a.err.empty());
  }
  CHECK(contains(run_tool("chekc d.json").err, "nearest known: \"check\""));
}

TEST_CASE("an answer that cannot be written is an error") { CHECK(run_tool("params deepseek-v3 >/dev/full").status == 2); }
