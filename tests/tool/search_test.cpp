#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

answer search(const std::string& space, const std::string& options = {}) {
  const temporary_folder folder;
  return run_tool("search " + options + " '" + folder.write("s.json", space) + "'");
}

/// Mixtral on eight nodes, with a few strategies.
std::string mixtral(const std::string& strategy, const std::string& training = {}, const std::string& nodes = "8") {
  return R"({"model": "mixtral-8x7b", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": )" + nodes +
         R"(}, "strategy": )" + strategy +
         R"(, "training": {"global_batch": 256, "sequence_length": 4096, "sharding": "optimizer")" + training + "}}";
}

const std::string few = R"({"tp": [1, 2], "cp": 1, "etp": 1, "vpp": 1, "sp": 1})";

} // namespace

TEST_CASE("every candidate is a deployment that check and memory agree on") {
  const answer a = search(mixtral(few, R"(, "micro_batch": [1, 2], "recompute": ["none", "full"])"), "--json --top 5");
  CHECK(a.status == 0);
  const nlohmann::json found = nlohmann::json::parse(a.out);
  CHECK(found["candidates"].size() >= 5);
  CHECK(found["front"].size() >= 1);
  std::uint64_t counted = found["legal"];
  for (const auto& [rule, n] : found["rejected"].items()) counted += n.get<std::uint64_t>();
  CHECK(found["considered"] == counted);
  for (const auto& c : found["candidates"]) {
    nlohmann::json deployment = nlohmann::json::parse(mixtral(few));
    deployment["strategy"] = c["strategy"];
    deployment["training"].update(c["training"]);
    const temporary_folder folder;
    const std::string file = folder.write("d.json", deployment.dump());
    const answer memory = run_tool("memory --json '" + file + "'");
    CHECK(memory.status == 0);
    CHECK(nlohmann::json::parse(memory.out)["peak_bytes"] == c["peak_bytes"]);
    const answer gpus = run_tool("gpus --json '" + file + "'");
    CHECK(nlohmann::json::parse(gpus.out)["gpus"] == c["gpus"]);
    const answer pipeline = run_tool("pipeline --json '" + file + "'");
    CHECK(nlohmann::json::parse(pipeline.out)["bubble_fraction"] == c["bubble_fraction"]);
  }
}

TEST_CASE("the criteria decide what comes first") {
  const auto first = [](const std::string& by) {
    const answer a = search(mixtral(few), "--json --top 1 --by " + by);
    REQUIRE(a.status == 0);
    const nlohmann::json found = nlohmann::json::parse(a.out);
    return found["candidates"][0];
  };
  const nlohmann::json fewest = first("gpus,headroom");
  const nlohmann::json most = first("idle_gpus,headroom");
  CHECK(fewest["gpus"].get<int>() < most["gpus"].get<int>());
  CHECK(most["gpus"] == 64);
  CHECK(first("bubble")["bubble_fraction"]["numerator"] == 0);
  CHECK(first("gpus=1000,headroom=1")["gpus"] == fewest["gpus"]);
}

TEST_CASE("traffic and the step's time are known where they are asked for, and are those of the cost") {
  const std::string text = mixtral(few);
  const nlohmann::json asked = search(text, "--json --top 3 --by step_time,network").json();
  REQUIRE(asked["candidates"].size() >= 3);
  double last = 0;
  for (const auto& c : asked["candidates"]) {
    CHECK(c["step_seconds"].get<double>() >= last);
    last = c["step_seconds"];
    CHECK(c["utilisation"].get<double>() > 0);
    CHECK(c["utilisation"].get<double>() <= 1 + 1e-9); // The time is rounded down.
    CHECK(c["network_bytes"].is_number_integer());
    nlohmann::json deployment = nlohmann::json::parse(text);
    deployment["strategy"] = c["strategy"];
    const temporary_folder folder;
    const nlohmann::json cost = run_tool("cost --json '" + folder.write("d.json", deployment.dump()) + "'").json();
    CHECK(cost["step_seconds"] == c["step_seconds"]);
    CHECK(cost["utilisation"] == c["utilisation"]);
  }
  const nlohmann::json unasked = search(text, "--json --top 1").json();
  for (const char* key : {"step_seconds", "utilisation", "network_bytes"}) CHECK_FALSE(unasked["candidates"][0].contains(key));
  const std::string words = search(text, "--by step_time,network").out;
  CHECK(contains(words, "least step"));
  CHECK(contains(words, "the shortest possible step"));
}

TEST_CASE("if nothing is said, most tokens a second come first: what the batch has, over all that passes and links take") {
  const std::string text = mixtral(few);
  const nlohmann::json found = search(text, "--json --top 5").json();
  CHECK(found["by"][0]["criterion"] == "throughput");
  double last = 1e300;
  for (std::size_t i = 0; i < 5; ++i) {
    const nlohmann::json& c = found["candidates"][i];
    const double tokens = c["tokens_in_turn_per_second"];
    CHECK(tokens <= last);
    last = tokens;
    nlohmann::json deployment = nlohmann::json::parse(text);
    deployment["strategy"] = c["strategy"];
    const temporary_folder folder;
    const nlohmann::json cost = run_tool("cost --json '" + folder.write("d.json", deployment.dump()) + "'").json();
    const nlohmann::json& bound = cost["bound_seconds"];
    const double seconds = c["step_in_turn_seconds"];
    CHECK(tokens == doctest::Approx(256 * 4096 / seconds));
    CHECK(seconds >= bound["pipeline"].get<double>() + bound["nvlink"].get<double>() + bound["network"].get<double>());
  }
  const std::string words = search(text).out;
  CHECK(contains(words, "tokens/s"));
  CHECK(contains(words, "First: the most tokens a second"));
  CHECK_FALSE(search(text, "--json --by bubble").json()["candidates"][0].contains("tokens_in_turn_per_second"));
}

TEST_CASE("the reason for the first place says what decides, and between equals what is tried first") {
  const std::string two = R"({"tp": 1, "cp": 1, "etp": 1, "vpp": 1, "sp": 1, "ep": 8, "pp": [1, 4, 8]})";
  CHECK(contains(search(mixtral(two), "--by idle_gpus,bubble").out, "of such strategies the smallest bubble: "));
  CHECK(contains(search(mixtral(two), "--by idle_gpus").out,
                 "First: the fewest idle GPUs (0), as the second has, and PP 4 is tried before PP 8"));
  CHECK(contains(search(mixtral(two), "--by idle_gpus,headroom --top 1").out,
                 "First: the fewest idle GPUs (0), then the most headroom ("));
  CHECK(contains(search(mixtral(two), "--by bubble=1,headroom=2").out, "First: the smallest weighted sum: bubble "));
}

TEST_CASE("orders of ranks are tried too, and the memory of a strategy is the same in each") {
  const auto found = [](const char* order) {
    return search(mixtral(R"({"tp": 2, "cp": 1, "etp": 1, "ep": 8, "pp": 4, "dp": 8, "order": )" + std::string{order} + "}"),
                  "--json --by headroom")
        .json();
  };
  const nlohmann::json one = found(R"("tp-cp-ep-dp-pp")");
  const nlohmann::json two = found(R"(["tp-ep-dp-cp-pp", "tp-cp-ep-dp-pp", "pp-tp-cp-ep-dp"])");
  CHECK(two["considered"] == 3 * one["considered"].get<int>());
  CHECK(two["legal"] == 2 * one["legal"].get<int>());
  CHECK(two["rejected"]["order_ends_with_pp"].get<int>() > 0);
  CHECK(two["candidates"][0]["strategy"]["order"] == "tp-ep-dp-cp-pp");
  CHECK_FALSE(two["candidates"][1]["strategy"].contains("order")); // Megatron-LM's
  CHECK(two["candidates"][0]["peak_bytes"] == two["candidates"][1]["peak_bytes"]);
  CHECK(found(R"("nearest")")["legal"] == one["legal"]);
}

TEST_CASE("what all strategies of the table have in common stands below it") {
  const answer a = search(mixtral(few, R"(, "micro_batch": [1, 2])"), "--top 4");
  CHECK(contains(a.out, "All have "));
  CHECK(contains(a.out, "CP 1, "));
  CHECK_FALSE(contains(a.out, "VPP  "));
  CHECK(contains(search(mixtral(few), "--top 1").out, "VPP  "));
}

TEST_CASE("text has a table, and a reason for the first place") {
  const answer a = search(mixtral(few, R"(, "micro_batch": [1, 2])"));
  CHECK(a.status == 0);
  CHECK(contains(a.out, "candidates are legal; rejected: "));
  CHECK(contains(a.out, "micro-batch"));
  CHECK(contains(a.out, "\nFirst: "));
}

TEST_CASE("an empty result explains itself") {
  const std::string text = mixtral(R"({"tp": [1, 3], "cp": 1, "ep": 1, "pp": 1, "dp": 8, "sp": 1})", "", "1");
  const answer a = search(text);
  CHECK(a.status == 1);
  CHECK(contains(a.out, "No legal strategy. Rejected were all "));
  CHECK(contains(a.out, " by stage_fits_memory"));
  CHECK(contains(a.out, " by heads_divide_by_tp"));
  const answer json = search(text, "--json");
  CHECK(json.status == 1);
  const nlohmann::json found = nlohmann::json::parse(json.out);
  CHECK(found["candidates"].empty());
  CHECK(found["front"].empty());
  CHECK(found["legal"] == 0);
  CHECK(found["rejected"]["heads_divide_by_tp"].get<int>() > 0);
}

// 46,702,792,704 parameters of 18 bytes are 9.9 times the 79.1 GiB of an H100.
TEST_CASE("an empty result says on how many GPUs the states fit, where these are too few") {
  CHECK(search(mixtral("{}", "", "1"), "--json").json()["fewest_gpus"] == 10);
  CHECK(contains(search(mixtral("{}", "", "1")).out, "10 GPUs; the cluster has 8"));
  CHECK_FALSE(search(mixtral("{}", "", "2"), "--json").json().contains("fewest_gpus"));
}

TEST_CASE("the same input gives the same bytes") {
  const std::string text = mixtral(few, R"(, "recompute": "smallest")");
  const answer once = search(text, "--json");
  CHECK(once.status == 0);
  CHECK(once.out == search(text, "--json").out);
}

TEST_CASE("serving is searched too") {
  const answer a =
      search(R"({"model": "mixtral-8x7b", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": 1}, "strategy": {"cp": 1},
                             "serving": {"batch": 8, "sequence_length": 4096}, "profile": "vllm"})",
             "--json --by gpus,headroom");
  CHECK(a.status == 0);
  const nlohmann::json first = nlohmann::json::parse(a.out)["candidates"][0];
  CHECK(first["gpus"].get<int>() <= 2);
  CHECK(first["bubble_fraction"].is_null());
}

TEST_CASE("a product mapping is refused, as memory and cost refuse it") {
  const answer a = search(mixtral(R"({"mapping": "product"})"), "--json");
  CHECK(a.status == 1);
  CHECK(contains(a.err, "No search under a product mapping"));
}

TEST_CASE("without a cluster nothing is free that only its GPUs bound") {
  const answer a =
      search(R"({"model": "mixtral-8x7b", "strategy": {"dp": 2, "pp": 1}, "serving": {"sequence_length": 1024}})", "--json");
  CHECK(a.status == 0);
  CHECK(a.json()["considered"].get<std::int64_t>() < 10'000);
}

TEST_CASE("what cannot be used") {
  for (const char* options : {"--by speed", "--by gpus,gpus", "--by gpus=1,bubble", "--by gpus=0", "--by network=2,gpus=1",
                              "--by ''", "--top 0", "--top 1001", "--top x"}) {
    CAPTURE(options);
    const answer a = search(mixtral(few), options);
    CHECK(a.status == 2);
    CHECK(a.out.empty());
    CHECK(!a.err.empty());
  }
  CHECK(search(mixtral(R"({"tp": [1, 1]})")).status == 2);
  CHECK(contains(search(mixtral(few), "--by bubbles").err, "bubble"));
}
