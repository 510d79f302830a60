#include <doctest/doctest.h>

#include <string>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

answer gpus(const std::string& deployment) {
  const temporary_folder folder;
  return run_tool("gpus --json '" + folder.write("d.json", deployment) + "'");
}

} // namespace

TEST_CASE("GPUs of DeepSeek-V3's training") {
  const answer a = gpus(deployment_with());
  CHECK(a.status == 0);
  CHECK(a.json() == nlohmann::json::parse(R"({
    "gpus": 2048, "nodes": 256, "available": 2048, "idle": 0, "mapping": "folded",
    "dense": {"tp": 1, "cp": 1, "dp": 128, "pp": 16}, "expert": {"etp": 1, "ep": 64, "edp": 2, "pp": 16},
    "product": 131072, "minimum_gpus": 1024})"));
}

TEST_CASE("DP is derived from the cluster") {
  const answer a = gpus(deployment_with(R"("pp": 16, "ep": 64)", R"("pp": 16, "ep": 64, "dp": 128)"));
  CHECK(a.status == 0);
  CHECK(a.json()["gpus"] == 2048);
  CHECK(a.json()["dense"]["dp"] == 128);
}

TEST_CASE("idle GPUs are counted, and a node in part is a node") {
  const answer a = gpus(deployment_with(R"("pp": 2, "ep": 1, "dp": 5)", R"("pp": 16, "ep": 64, "dp": 128)"));
  CHECK(a.status == 0);
  CHECK(a.json()["gpus"] == 10);
  CHECK(a.json()["nodes"] == 2);
  CHECK(a.json()["idle"] == 2038);
}

TEST_CASE("without a cluster nothing is available") {
  const answer a = gpus(R"({"model": "deepseek-v3", "strategy": {"dp": 4}, "training": {}})");
  CHECK(a.status == 0);
  CHECK(a.json()["gpus"] == 4);
  CHECK(a.json()["nodes"].is_null());
  CHECK(a.json()["available"].is_null());
}

TEST_CASE("a product mapping multiplies all degrees, and has no expert grid") {
  const answer a =
      gpus(deployment_with(R"("tp": 2, "pp": 4, "ep": 8, "dp": 16, "mapping": "product")", R"("pp": 16, "ep": 64, "dp": 128)"));
  CHECK(a.status == 0);
  CHECK(a.json()["gpus"] == 1024);
  CHECK(a.json()["product"] == 1024);
  CHECK(a.json()["minimum_gpus"] == 64);
  CHECK(a.json()["mapping"] == "product");
  CHECK(a.json()["expert"]["edp"].is_null());
}

TEST_CASE("numbers of GPUs beyond 64 bits are exact, and a finding") {
  const answer a =
      gpus(deployment_with(R"("tp": 1099511627776, "pp": 16, "dp": 1099511627776)", R"("pp": 16, "ep": 64, "dp": 128)"));
  CHECK(a.status == 1);
  CHECK(contains(a.out, "\"gpus\": 19342813113834066795298816,")); // 2^84
  CHECK(contains(a.out, "\"minimum_gpus\": 17592186044416\n"));    // 2^44
  CHECK(contains(a.err, "overflow"));
}

TEST_CASE("experts that do not fit leave EDP open") {
  const answer a = gpus(deployment_with(R"("pp": 16, "ep": 256)", R"("pp": 16, "ep": 64)"));
  CHECK(a.status == 1);
  CHECK(a.json()["gpus"] == 2048);
  CHECK(a.json()["expert"]["edp"].is_null());
  CHECK(a.json()["minimum_gpus"] == 4096);
  CHECK(contains(a.err, "stage_divides_by_expert_ranks"));
}

TEST_CASE("a degree below 1 has no number of GPUs") {
  const answer a = gpus(deployment_with(R"("ep": 0)", R"("ep": 64)"));
  CHECK(a.status == 1);
  CHECK(a.json()["ok"] == false);
  CHECK(a.json()["findings"][0]["rule"] == "ep_is_at_least_1");
}

TEST_CASE("rules that have nothing to do with GPUs are not gpus' business") {
  const answer a = gpus(deployment_with(R"("global_batch": 7)", R"("global_batch": 15360)"));
  CHECK(a.status == 0);
}

TEST_CASE("the text names the product that is mistaken for the number of GPUs") {
  const temporary_folder folder;
  const answer a = run_tool("gpus '" + folder.write("d.json", deployment_with()) + "'");
  CHECK(a.status == 0);
  CHECK(contains(a.out, "2,048"));
  CHECK(contains(a.out, "131,072"));
  CHECK(contains(a.out, "ETP 1 x EP 64 x EDP 2 x PP 16"));
}
