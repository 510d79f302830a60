#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string models = MOEPLAN_TEST_DATA "/models/";

using row = std::vector<std::string>;

row cells(const std::string& line) {
  row result;
  std::istringstream stream{line};
  for (std::string cell; std::getline(stream, cell, ',');) { result.push_back(cell); }
  return result;
}

} // namespace

TEST_CASE("params of published models equal the table to the digit, column by column") {
  std::ifstream file{MOEPLAN_TEST_DATA "/model_parameters.csv"};
  std::string line;
  REQUIRE(std::getline(file, line));
  const row names = cells(line);
  const auto column = [&names](const std::string& name) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) { return i; }
    }
    FAIL("no column " << name);
    return names.size();
  };
  int compared = 0;
  while (std::getline(file, line)) {
    const row values = cells(line);
    const std::string config = models + values[0] + ".json";
    if (!std::filesystem::exists(config)) { continue; } // a model type of which no configuration is here
    CAPTURE(values[0]);
    const answer a = run_tool("params --json '" + config + "'");
    REQUIRE(a.status == 0);
    const nlohmann::json json = a.json();
    CHECK(json["total"].dump() == values[column("total_main")]);
    CHECK(json["active"].dump() == values[column("activated_all")]);
    CHECK(json["mtp"].dump() == values[column("mtp_own")]);
    CHECK(json["components"].size() == column("lm_head_bias") - column("embedding") + 1);
    for (std::size_t i = column("embedding"); i <= column("lm_head_bias"); ++i) {
      CHECK_MESSAGE(json["components"][names[i]].dump() == values[i], names[i]);
    }
    ++compared;
  }
  CHECK(compared >= 11);
}

TEST_CASE("the raw configuration and the name of the catalog give the same") {
  const std::string expected = run_tool("params --json '" + models + "DeepSeek-V3.json'").out;
  CHECK(contains(expected, "\"total\": 671026419200"));
  CHECK(run_tool("params --json '" + models + "raw-DeepSeek-V3.json'").out == expected);
  CHECK(run_tool("params --json deepseek-v3").out == expected);
}

TEST_CASE("the text has thousands separators") {
  const answer a = run_tool("params deepseek-v3");
  CHECK(a.status == 0);
  CHECK(contains(a.out, "671,026,419,200"));
  CHECK(contains(a.out, "37,552,297,472"));
  CHECK(a.err.empty());
}

TEST_CASE("counts beyond 64 bits are exact") {
  const temporary_folder folder;
  // Embedding and head 2^80 each, projections 4 x 2^80, three norms and the three matrices of the MLP 2^40 each.
  const std::string config =
      folder.write("config.json", R"({"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 1099511627776,
    "vocab_size": 1099511627776, "intermediate_size": 1, "num_attention_heads": 1, "num_key_value_heads": 1})");
  const answer a = run_tool("params --json '" + config + "'");
  CHECK(a.status == 0);
  CHECK(contains(a.out, "\"embedding\": 1208925819614629174706176,")); // 2^80
  CHECK(contains(a.out, "\"attention\": 4835703278458516698824704,")); // 2^82
  CHECK(contains(a.out, "\"total\": 7253554917694372118003712,"));     // 6 x 2^80 + 6 x 2^40
}

TEST_CASE("a model that is none is a finding") {
  const temporary_folder folder;
  const std::string config = folder.write("config.json", R"({"model_type": "llama", "num_hidden_layers": 0, "hidden_size": -4,
    "vocab_size": 1, "intermediate_size": 1, "num_attention_heads": 1, "num_key_value_heads": 1})");
  const answer a = run_tool("params --json '" + config + "'");
  CHECK(a.status == 1);
  const nlohmann::json json = a.json();
  CHECK(json["ok"] == false);
  CHECK(json["findings"][0]["rule"] == "layers_are_at_least_1");
  CHECK(json["findings"][1]["rule"] == "hidden_size_is_at_least_1");
  CHECK(contains(a.err, "layers_are_at_least_1"));
}

TEST_CASE("input that params cannot use") {
  const answer unknown = run_tool("params deepseek-v33");
  CHECK(unknown.status == 2);
  CHECK(unknown.out.empty());
  CHECK(contains(unknown.err, "deepseek-v33: no such file, and no model of the catalog"));
  CHECK(contains(unknown.err, "nearest known: \"deepseek-v3\""));
  CHECK(run_tool("params '" + models + "'").status == 2);
  CHECK(run_tool("params").status == 2);
}
