#include <doctest/doctest.h>

#include <string>

#include "../tool/run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string jobs = MOEPLAN_EXAMPLES "/admission/jobs/";
const std::string qwen = " '" + jobs + "qwen3-30b-a3b-6.json'";
const std::string elastic = " '" + jobs + "mixtral-8x7b-elastic.json'";
const std::string large = " '" + jobs + "mixtral-8x22b-64.json'";
const std::string broken = " '" + jobs + "deepseek-v2-lite-ep6.json'";

/// What an admitted job gets of each node, in short.
std::string placement(const nlohmann::json& job) {
  std::string result;
  for (const nlohmann::json& share : job["placement"])
    result += share["node"].get<std::string>() + ":" + share["gpus"].dump() + "@" + share["first_rank"].dump() + " ";
  return result;
}

std::string refused(const std::string& arguments) {
  const answer a = run_tool(arguments);
  CHECK(a.status == 2);
  CHECK(a.out.empty());
  return a.err;
}

} // namespace

TEST_CASE("a queue, first fit and best fit") {
  // By hand, free 8 4 0 8 8 6. Qwen takes 6. Mixtral: smallest world 8 in units of 4, of 28 GPUs that is three times 8; 64 is too many.
  const std::string nodes = " --nodes '" MOEPLAN_EXAMPLES "/admission/nodes.json'";
  const nlohmann::json first = run_tool("--json" + nodes + qwen + elastic + large).json();
  CHECK(first["policy"] == "first-fit");
  CHECK(placement(first["jobs"][0]) == "a01:6@0 ");
  CHECK(placement(first["jobs"][1]) == "a02:4@0 a04:8@4 a05:8@12 a06:4@20 ");
  CHECK(first["jobs"][1]["dp"] == 6);
  CHECK(first["jobs"][1]["gpus"] == 24);
  CHECK(first["jobs"][2]["verdict"] == "queued");
  CHECK(first["jobs"][2]["missing"] == 60);
  CHECK(first["nodes"][0] == nlohmann::json::parse(R"({"name": "a01", "free_before": 8, "free": 2})"));
  const nlohmann::json best = run_tool("--json --policy best-fit" + nodes + qwen + elastic + large).json();
  CHECK(placement(best["jobs"][0]) == "a06:6@0 ");
  CHECK(placement(best["jobs"][1]) == "a01:8@0 a04:8@8 a05:8@16 ");
}

TEST_CASE("exit statuses") {
  CHECK(run_tool("--free 3x8" + qwen + elastic).status ==
        0); // 6 and 16: DP 2 does not fit into the memory of the GPUs planned for.
  CHECK(run_tool("--free 2x8" + large).status == 3);
  CHECK(run_tool("--free 2x8" + broken).status == 1);
  CHECK(run_tool("--free 2x8" + qwen + large + broken).status == 1);
}

TEST_CASE("a refused job comes with all reasons and the nearest legal values") {
  const answer a = run_tool("--json --free 1024x8" + broken);
  const nlohmann::json job = a.json()["jobs"][0];
  CHECK(a.json()["refused"] == 1);
  CHECK(job["verdict"] == "refused");
  CHECK(job["because"] == "breaks 2 rules");
  CHECK(job["ok"] == false);
  CHECK(job["findings"][0]["rule"] == "experts_divide_by_ep");
  CHECK(job["findings"][1]["legal"] == nlohmann::json::parse("[96, 108]"));
  CHECK(contains(run_tool("--free 8" + broken).out, "nearest legal: global_batch 96 or 108"));
}

TEST_CASE("a refused job says with which strategy it would get its GPUs") {
  // EP 6 does not divide 64 experts, DP 12 not 100 sequences. Of 12 GPUs, DP 10 takes 10, on which EP 2 is the nearest.
  const nlohmann::json way = run_tool("--json --free 2x8" + broken).json()["jobs"][0]["way_out"];
  CHECK(way["strategy"] == nlohmann::json::parse(R"({"ep": 2, "dp": 10})"));
  CHECK(way["verdict"] == "admitted");
  CHECK(way["gpus"] == 10);
  CHECK(contains(run_tool("--free 2x8" + broken).out, "with EP 6 to 2, DP 12 to 10 it would be admitted now, on 10 GPUs"));
  const nlohmann::json later = run_tool("--json --free 8" + broken).json()["jobs"][0]["way_out"];
  CHECK(later["verdict"] == "queued");
  CHECK(later["missing"] == 2);
  CHECK(contains(run_tool("--free 8" + broken).out, "with EP 6 to 2, DP 12 to 10 it would wait for 2 more GPUs: takes 10"));

  // So changed, it is admitted.
  const temporary_folder folder;
  nlohmann::json job = nlohmann::json::parse(read_all(jobs + "deepseek-v2-lite-ep6.json"));
  job["strategy"] = way["strategy"];
  const answer a = run_tool("--json --free 2x8 '" + folder.write("job.json", job.dump()) + "'");
  CHECK(a.status == 0);
  CHECK(a.json()["jobs"][0]["gpus"] == 10);

  // What no strategy mends has no way out.
  job["training"]["sequence_length"] = 0;
  CHECK_FALSE(run_tool("--json --free 2x8 '" + folder.write("job.json", job.dump()) + "'").json()["jobs"][0].contains("way_out"));
}

TEST_CASE("a queued job says which DP would fit") {
  const nlohmann::json job = run_tool("--json --free 8,8,4,0" + large).json()["jobs"][0];
  CHECK(job["gpus"] == 64);
  CHECK(job["missing"] == 44);
  CHECK(job["fits_now"] == nlohmann::json::parse(R"({"dp": 1, "gpus": 16})"));
  CHECK(contains(run_tool("--free 8,8,4,0" + large).out, "with DP 1 it would be admitted now, on 16 GPUs"));
}

TEST_CASE("in order, a job that fits waits behind one that does not") {
  const answer a = run_tool("--json --in-order --free 2x8" + large + qwen + broken);
  CHECK(a.status == 1);
  const nlohmann::json list = a.json()["jobs"];
  CHECK(list[1]["verdict"] == "queued");
  CHECK(list[1]["missing"] == 0);
  CHECK(contains(list[1]["waits_behind"], "mixtral-8x22b-64.json"));
  CHECK(list[2]["verdict"] == "refused");
  CHECK(run_tool("--in-order --free 2x8" + broken + qwen).status == 1);
  CHECK(run_tool("--json --free 2x8" + large + qwen).json()["admitted"] == 1);
}

TEST_CASE("groups across nodes are advice") {
  // TP 2: the node boundary at rank 1 divides the first TP group, and with it its EP group.
  const answer a = run_tool("--json --free 1,5" + qwen);
  CHECK(a.status == 0);
  CHECK(a.json()["jobs"][0]["groups"]["tp"] == nlohmann::json::parse(R"({"groups": 3, "across_nodes": 1})"));
  CHECK(contains(run_tool("--free 1,5" + qwen).out, "1 of 3 TP groups is on more than one node"));
  CHECK(contains(run_tool("--free 6" + qwen).out, "each TP, ETP and EP group is on one node"));
}

TEST_CASE("help says what the verdicts mean") {
  const answer help = run_tool("--help");
  CHECK(help.status == 0);
  for (const char* word : {"refused", "queued", "admitted", "first-fit", "best-fit", "Exit status"})
    CHECK(contains(help.out, word));
  CHECK(run_tool("--version").status == 0);
}

TEST_CASE("free GPUs that cannot be used") {
  CHECK(contains(refused(qwen), "either --free or --nodes"));
  CHECK(contains(refused("--free 8 --nodes x.json" + qwen), "either --free or --nodes"));
  for (const char* list : {"8,,4", "8,", "-1", "x8", "0x8", "8x", "2x-8", "eight", "8 8", "9223372036854775808", "0x10"}) {
    CAPTURE(list);
    CHECK(contains(refused("--free '" + std::string{list} + "'" + qwen), "expected free GPUs of each node"));
  }
  CHECK(contains(refused("--free 16777217" + qwen), "out of range"));
  CHECK(contains(refused("--free 3x8000000" + qwen), "out of range"));
  CHECK(contains(refused("--free 2000000x0" + qwen), "out of range"));
  CHECK(run_tool("--free 16777216" + qwen).status == 0);
  CHECK(contains(refused("--free 8 --policy frist-fit" + qwen), "nearest known: \"first-fit\""));
}

TEST_CASE("files of nodes that cannot be used") {
  const temporary_folder folder;
  const auto error = [&](const std::string& text) { return refused("--nodes '" + folder.write("n.json", text) + "'" + qwen); };
  CHECK(contains(error(R"({"nodes": [8, {"name": "b", "free": -1}]})"), "/nodes/1/free: a number out of range: found -1"));
  CHECK(contains(error(R"({"nodes": [8, {"name": "b"}]})"), "/nodes/1/free: missing key"));
  CHECK(contains(error(R"({"nodes": [8, {"free": 8, "nmae": "b"}]})"), "nearest known: \"name\""));
  CHECK(contains(error(R"({"nodes": [{"free": 8, "name": "b"}, {"free": 8, "name": "b"}]})"), "a name given twice"));
  CHECK(contains(error(R"({"nodes": []})"), "at least one node"));
  CHECK(contains(error(R"({"nodes": 8})"), "/nodes: found 8, expected an array of nodes"));
  CHECK(contains(error(R"({"node": [8]})"), "missing key"));
  CHECK(contains(error(R"({"nodes": [8.5]})"), "/nodes/0: found 8.5"));
  CHECK(contains(error(R"({"nodes": [99999999999999999999]})"), "out of range"));
  CHECK(contains(error(R"({"nodes": [8)"), "n.json:1:13: syntax error"));
  CHECK(contains(refused("--nodes none.json" + qwen), "no such file"));
  CHECK(run_tool("--nodes '" + folder.write("n.json", R"({"nodes": [2, {"free": 4}]})") + "'" + qwen).status == 0);
}

TEST_CASE("every job file that cannot be used is named, and nothing is decided") {
  const temporary_folder folder;
  const std::string bad = " '" + folder.write("bad.json", R"({"modle": 1})") + "'";
  const std::string error = refused("--json --free 8" + bad + qwen + " none.json");
  CHECK(contains(error, "/modle: unknown key"));
  CHECK(contains(error, "none.json: no such file"));
  CHECK_FALSE(contains(error, "qwen"));
  CHECK_FALSE(refused("--free 8").empty());
}

TEST_CASE("an answer that cannot be written is an error") { CHECK(run_tool("--free 8" + qwen + " >/dev/full").status == 2); }
