#include <doctest/doctest.h>

#include <string>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string sixteen = "ranks --json --world 16 --tp 2 --cp 1 --pp 2 --ep 4 --etp 1 --order tp-cp-ep-dp-pp ";

nlohmann::json groups(const std::string& arguments) {
  const answer a = run_tool(arguments);
  CHECK(a.status == 0);
  return a.json()["groups"];
}

nlohmann::json parsed(const char* text) { return nlohmann::json::parse(text); }

} // namespace

// Expected values: Megatron-LM's RankGenerator, run for these degrees.
TEST_CASE("groups of 16 ranks with TP 2, PP 2, EP 4") {
  CHECK(groups(sixteen + "--group dp") == parsed("[[0,2,4,6],[1,3,5,7],[8,10,12,14],[9,11,13,15]]"));
  CHECK(groups(sixteen + "--group ep") == parsed("[[0,1,2,3],[4,5,6,7],[8,9,10,11],[12,13,14,15]]"));
  CHECK(groups(sixteen + "--group edp") == parsed("[[0,4],[1,5],[2,6],[3,7],[8,12],[9,13],[10,14],[11,15]]"));
  CHECK(groups(sixteen + "--group pp") == parsed("[[0,8],[1,9],[2,10],[3,11],[4,12],[5,13],[6,14],[7,15]]"));
}

TEST_CASE("groups of 16 ranks with CP 2 and ETP 2") {
  const std::string degrees = "ranks --json --world 16 --tp 2 --cp 2 --pp 1 --ep 4 --etp 2 ";
  CHECK(groups(degrees + "--group ep") == parsed("[[0,2,4,6],[1,3,5,7],[8,10,12,14],[9,11,13,15]]"));
  CHECK(groups(degrees + "--group cp") == parsed("[[0,2],[1,3],[4,6],[5,7],[8,10],[9,11],[12,14],[13,15]]"));
}

TEST_CASE("the answer says what it is about") {
  const nlohmann::json json = run_tool(sixteen + "--group tp").json();
  CHECK(json["world"] == 16);
  CHECK(json["group"] == "tp");
  CHECK(json["groups"].size() == 8);
}

TEST_CASE("the order of a join does not matter") {
  CHECK(groups(sixteen + "--group dp-cp") == groups(sixteen + "--group cp-dp"));
  CHECK(groups(sixteen + "--group tp-dp-cp") == parsed("[[0,1,2,3,4,5,6,7],[8,9,10,11,12,13,14,15]]"));
}

TEST_CASE("one rank has its coordinates and its groups") {
  const nlohmann::json json = run_tool(sixteen + "--rank 5").json();
  CHECK(json["coordinates"] ==
        parsed(R"({"dense": {"tp": 1, "cp": 0, "dp": 2, "pp": 0}, "expert": {"etp": 0, "ep": 1, "edp": 1, "pp": 0}})"));
  CHECK(json["groups"]["tp"] == parsed("[4,5]"));
  CHECK(json["groups"]["dp"] == parsed("[1,3,5,7]"));
  CHECK(json["groups"]["ep"] == parsed("[4,5,6,7]"));
  CHECK(json["groups"]["edp"] == parsed("[1,5]"));
  CHECK(json["groups"].size() == 12);
  CHECK(run_tool(sixteen + "--rank 5 --group ep").json()["groups"] == parsed("[[4,5,6,7]]"));
}

TEST_CASE("a deployment says the same as its degrees") {
  const temporary_folder folder;
  const std::string path = folder.write("d.json", R"({"model": "mixtral-8x7b", "cluster": {"gpus": 16},
    "strategy": {"tp": 2, "pp": 2, "ep": 4, "etp": 1}, "training": {"sequence_length": 4096}})");
  CHECK(run_tool("ranks '" + path + "' --json --group ep").out == run_tool(sixteen + "--group ep").out);
}

TEST_CASE("text for people") {
  const answer all = run_tool("ranks --world 16 --tp 2 --pp 2 --ep 4 --group ep");
  CHECK(all.status == 0);
  CHECK(contains(all.out, "4 groups of 4 ranks along ep, on the expert grid of 16 ranks"));
  CHECK(contains(all.out, "12 13 14 15"));
  const answer one = run_tool("ranks --world 2048 --pp 16 --ep 64 --rank 77");
  CHECK(one.status == 0);
  CHECK(contains(one.out, "DP 77"));
  CHECK(contains(one.out, "EP 13"));
}

TEST_CASE("degrees that do not make a mesh are findings") {
  const auto finding = [](const std::string& arguments) {
    const answer a = run_tool("ranks --json --group tp " + arguments);
    CHECK(a.status == 1);
    CHECK(a.json()["ok"] == false);
    CHECK_FALSE(a.err.empty());
    return a.json()["findings"][0]["rule"].get<std::string>();
  };
  CHECK(finding("--world 16 --tp 0") == "tp_is_at_least_1");
  CHECK(finding("--world 16 --tp -4") == "tp_is_at_least_1");
  CHECK(finding("--world 15 --tp 2") == "gpus_divide_by_model_parallel");
  CHECK(finding("--world 16 --ep 3") == "stage_divides_by_expert_ranks");
  CHECK(finding("--world 16 --tp 2 --order dp-pp") == "order_names_tp");
  CHECK(finding("--world 16 --tp 1099511627776 --pp 1099511627776") == "overflow");
}

TEST_CASE("a product mapping has no groups: why, and what to do") {
  const temporary_folder folder;
  const auto ask = [&folder](const std::string& mapping, const std::string& options) {
    const std::string part = R"("tp": 2, "pp": 4, "ep": 8, "dp": 16, "mapping": ")" + mapping + '"';
    const std::string text = deployment_with(part, R"("pp": 16, "ep": 64, "dp": 128)");
    return run_tool("ranks '" + folder.write("d.json", text) + "' --group ep " + options);
  };
  const answer a = ask("product", "");
  CHECK(a.status == 1);
  CHECK(a.out.empty());
  CHECK(contains(a.err, "No groups of ranks: a product mapping takes each degree for a factor of the GPUs"));
  CHECK(contains(a.err, "say \"mapping\": \"folded\" in the strategy"));
  CHECK(contains(a.err, "there are 128 of these, TP x CP x DP x PP")); // 2 x 1 x 16 x 4
  CHECK(contains(a.err, "Warnings: worth a second look before it runs\n  mapping_is_folded\n      the degrees are multiplied"));
  CHECK(contains(a.err, "source: arXiv 2504.14960"));
  const answer json = ask("product", "--json");
  CHECK(json.status == 1);
  CHECK(json.json()["ok"] == false);
  CHECK(contains(json.json()["problem"].get<std::string>(), "No groups of ranks"));
  CHECK(contains(json.out, R"("rule": "mapping_is_folded")"));
  CHECK(ask("folded", "").status == 0); // what the sentence says to do
}

TEST_CASE("input that ranks cannot use") {
  const auto refused = [](const std::string& arguments) {
    const answer a = run_tool("ranks " + arguments);
    CHECK(a.status == 2);
    CHECK(a.out.empty());
    return a.err;
  };
  CHECK(contains(refused("--world 16 --tp 9223372036854775808 --group tp"),
                 "--tp: a number out of range: found 9223372036854775808"));
  CHECK(contains(refused("--world 16 --tp 2.5 --group tp"), "--tp: found \"2.5\", expected an integer"));
  CHECK(contains(refused("--world 16 --tp four --group tp"), "--tp: found \"four\", expected an integer"));
  CHECK(contains(refused("--world 16 --tp 0x2 --group tp"), "--tp: found \"0x2\", expected an integer"));
  CHECK(contains(refused("--world 16 --group etpp"), "nearest known: \"etp\""));
  CHECK(contains(refused("--world 16 --group tp-ep"), "a group spans axes of both grids"));
  CHECK(contains(refused("--world 16 --order tp-tp --group tp"), "--order: an axis stands twice"));
  CHECK(contains(refused("--world 16 --group tp --rank 16"),
                 "--rank: a number out of range: found 16, expected a rank from 0 to 15"));
  CHECK(contains(refused("--world 16 --group tp --rank -1"), "expected a rank from 0 to 15"));
  CHECK(contains(refused("--world 16"), "neither --group nor --rank"));
  CHECK(contains(refused("--group tp"), "neither a deployment nor --world"));
  CHECK(contains(refused("d.json --world 16 --group tp"), "both a deployment and --world"));
  CHECK(contains(refused("--world 16 --pt 2 --group tp"), "--pt"));
}
