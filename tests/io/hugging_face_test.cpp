#include <doctest/doctest.h>

#include <moeplan/io/hugging_face.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <moeplan/io/catalog_names.hpp>
#include <moeplan/memory/parameters.hpp>

#include "hugging_face/config_files.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

namespace {

/// File in tests/data/models and the model of the catalog that it is.
const std::map<std::string, std::string> published{
    {"DBRX", "dbrx"},
    {"DeepSeek-V2-Lite", "deepseek-v2-lite"},
    {"DeepSeek-V2", "deepseek-v2"},
    {"DeepSeek-V3", "deepseek-v3"},
    {"raw-DeepSeek-V3", "deepseek-v3"},
    {"DeepSeek-V3.2", "deepseek-v3.2"},
    {"ERNIE-4.5-21B-A3B", "ernie-4.5-21b-a3b"},
    {"GLM-4.5", "glm-4.5"},
    {"GLM-4.5-Air", "glm-4.5-air"},
    {"gpt-oss-20b", "gpt-oss-20b"},
    {"gpt-oss-120b", "gpt-oss-120b"},
    {"Grok-1", "grok-1"},
    {"Kimi-K2", "kimi-k2"},
    {"Ling-1T", "ling-1t"},
    {"Ling-mini-2.0", "ling-mini-2.0"},
    {"Llama-3.1-8B", "llama-3.1-8b"},
    {"Llama-3.1-70B", "llama-3.1-70b"},
    {"Llama-3.1-405B", "llama-3.1-405b"},
    {"Llama-4-Maverick", "llama-4-maverick"},
    {"Llama-4-Scout", "llama-4-scout"},
    {"MiniMax-M2.5", "minimax-m2.5"},
    {"Mixtral-8x7B", "mixtral-8x7b"},
    {"raw-Mixtral-8x7B", "mixtral-8x7b"},
    {"Mixtral-8x22B", "mixtral-8x22b"},
    {"OLMoE-1B-7B", "olmoe-1b-7b"},
    {"Phi-3.5-MoE", "phi-3.5-moe"},
    {"Qwen1.5-MoE-A2.7B", "qwen1.5-moe-a2.7b"},
    {"Qwen2-57B-A14B", "qwen2-57b-a14b"},
    {"Qwen3-30B-A3B", "qwen3-30b-a3b"},
    {"Qwen3-32B", "qwen3-32b"},
    {"Qwen3-235B-A22B", "qwen3-235b-a22b"},
    {"Qwen3-Coder-480B-A35B", "qwen3-coder-480b-a35b"},
    {"Qwen3-Next-80B-A3B", "qwen3-next-80b-a3b"},
};

} // namespace

TEST_CASE("published configurations are the models of the catalog, and each of these has its configuration") {
  std::set<std::string> seen;
  for (const auto& entry : published) {
    const std::string& file = entry.first;
    CAPTURE(file);
    const model* m = find_in(catalog_models, entry.second);
    REQUIRE(m != nullptr);
    CHECK(read_file(file) == *m);
    seen.insert(entry.second);
  }
  CHECK(seen.size() == std::size(catalog_models));
}

TEST_CASE("further configurations have the published number of parameters") {
  std::ifstream file{MOEPLAN_TEST_DATA "/further_models.csv"};
  std::string line;
  REQUIRE(std::getline(file, line));
  int rows = 0;
  while (std::getline(file, line)) {
    std::istringstream cells{line};
    std::string name;
    std::string repository;
    std::string kind;
    std::uint64_t expected = 0;
    std::getline(std::getline(std::getline(cells, name, ','), repository, ','), kind, ',') >> expected;
    if (kind != "main") continue; // The catalog has it, and its count is tested there.
    CAPTURE(name);
    CHECK(parameters(read_file(name)).total() == expected);
    ++rows;
  }
  CHECK(rows == 7);
}

TEST_CASE("unknown keys are ignored") { CHECK(read_text(with("DeepSeek-V3", "something_new", 1)) == read_file("DeepSeek-V3")); }

TEST_CASE("an unknown model_type is refused with the nearest known one") {
  const std::string error = error_of(with("DeepSeek-V3", "model_type", "deepseek_v33"));
  CHECK(error.find("/model_type: a model_type that cannot be read: found \"deepseek_v33\"") != std::string::npos);
  CHECK(error.ends_with("nearest known: \"deepseek_v3\""));
  CHECK(mentions(error_of(with("Mixtral-8x7B", "model_type", "mixtrall")), "nearest known: \"mixtral\""));
  CHECK(mentions(error_of(with("Llama-4-Scout", "model_type", "Llama4")), "nearest known: \"llama4\""));
  CHECK(error_of(R"({"model_type": 3})").find("expected a string") != std::string::npos);
  CHECK(error_of("[]").find("found an array, expected an object") != std::string::npos);
}

TEST_CASE("the known model types are in alphabetical order and stand once") {
  std::string before;
  for (const auto& type : detail::model_types) {
    CHECK(before < type.name);
    before = type.name;
  }
}
