#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string deployments = MOEPLAN_EXAMPLES "/deployments/";

answer repair(const std::string& deployment, const std::string& options = "--json") {
  const temporary_folder folder;
  return run_tool("repair " + options + " '" + folder.write("d.json", deployment) + "'");
}

/// 64 experts and 16 layers on 128 GPUs of 64 GB, batch 128 in micro-batches of 32.
std::string on_128_gpus(const std::string& strategy) {
  return R"({
  "model": {"model_type": "mixtral", "hidden_size": 1024, "num_hidden_layers": 16, "num_attention_heads": 64,
            "num_key_value_heads": 64, "vocab_size": 32000, "intermediate_size": 2048, "num_local_experts": 64,
            "num_experts_per_tok": 2, "tie_word_embeddings": false, "max_position_embeddings": 32768},
  "cluster": {"gpu": {"memory_bytes": 64000000000}, "gpus": 128},
  "strategy": )" +
         strategy + R"(,
  "training": {"global_batch": 128, "micro_batch": 32, "sequence_length": 2048}
})";
}

const std::string original = on_128_gpus(R"({"tp": 8, "pp": 4, "dp": 4, "ep": 64})");
const std::string corrected = on_128_gpus(R"({"tp": 2, "pp": 4, "dp": 4, "ep": 64})");

nlohmann::json change(const char* part, int from, int to) { return {{"part", part}, {"from", from}, {"to", to}}; }

/// The deployment with what a candidate has in place of its own.
std::string repaired(const std::string& deployment, const nlohmann::json& candidate) {
  nlohmann::json d = nlohmann::json::parse(deployment);
  for (const char* key : {"strategy", "layout"})
    if (candidate.contains(key)) d[key] = candidate[key];
  if (candidate.contains("training")) d["training"].update(candidate["training"]);
  return d.dump();
}

} // namespace

TEST_CASE("EP 64 on stages of 32 GPUs: EP 32 alone") {
  const answer a = repair(original);
  CHECK(a.status == 0);
  CHECK(a.err.empty());
  const nlohmann::json json = a.json();
  CHECK(json["ok"] == false);
  CHECK(json["complete"] == true);
  REQUIRE(json["candidates"].size() > 1);
  const nlohmann::json& first = json["candidates"][0];
  CHECK(first["strategy"] == nlohmann::json{{"tp", 8}, {"pp", 4}, {"ep", 32}, {"dp", 4}});
  CHECK(first["changed"] == nlohmann::json::array({change("ep", 64, 32)}));
  CHECK(first["derived"].empty());
  CHECK(first["distance"] == nlohmann::json{{"numerator", 2}, {"denominator", 1}});
  CHECK(first["gpus"] == 128);
  CHECK(first["idle_gpus"] == 0);
  CHECK(first["dp"] == 4);
  CHECK(first["peak_bytes"] < 64'000'000'000);
  CHECK(first["bubble_fraction"] == nlohmann::json{{"numerator", 3}, {"denominator", 4}}); // 4 stages, 1 micro-batch
  CHECK_FALSE(first.contains("training"));
  CHECK_FALSE(first.contains("layout"));
}

TEST_CASE("the other way out of the corrected strategy: EP 32 with DP 16, PP 2 with DP 32") {
  const nlohmann::json kept = repair(corrected, "--json --keep tp,cp,idle_gpus").json();
  REQUIRE(kept["candidates"].size() >= 2);
  const nlohmann::json& first = kept["candidates"][0];
  const nlohmann::json& second = kept["candidates"][1];
  CHECK(first["strategy"] == nlohmann::json{{"tp", 2}, {"pp", 4}, {"ep", 32}, {"dp", 16}});
  CHECK(first["training"] == nlohmann::json{{"micro_batch", 8}});
  CHECK(first["changed"] == nlohmann::json::array({change("ep", 64, 32), change("micro_batch", 32, 8)}));
  CHECK(first["derived"] == nlohmann::json::array({change("dp", 4, 16)}));
  CHECK(second["strategy"] == nlohmann::json{{"tp", 2}, {"pp", 2}, {"ep", 64}, {"dp", 32}});
  CHECK(second["training"]["micro_batch"] == 4);
}

TEST_CASE("what a candidate says in place of the file's keys makes a legal deployment") {
  const temporary_folder folder;
  std::string broken_layers = corrected;
  broken_layers.replace(broken_layers.find("\"num_hidden_layers\": 16"), 23, "\"num_hidden_layers\": 15");
  std::size_t layouts = 0;
  for (const std::string& deployment : {original, corrected, broken_layers}) {
    const nlohmann::json json = repair(deployment).json();
    REQUIRE(!json["candidates"].empty());
    for (const nlohmann::json& candidate : json["candidates"]) {
      const std::string file = folder.write("d.json", repaired(deployment, candidate));
      const answer check = run_tool("check --json '" + file + "'");
      CHECK(check.status == 0);
      const nlohmann::json gpus = run_tool("gpus --json '" + file + "'").json();
      CHECK(gpus["gpus"] == candidate["gpus"]);
      CHECK(gpus["dense"]["dp"] == candidate["dp"]);
      const nlohmann::json memory = run_tool("memory --json '" + file + "'").json();
      CHECK(memory["peak_bytes"] == candidate["peak_bytes"]);
      layouts += candidate.contains("layout") ? 1 : 0;
    }
  }
  CHECK(layouts > 0);
}

TEST_CASE("rejected ones and legal ones are all that was considered, and the front is in order") {
  const nlohmann::json json = repair(corrected).json();
  std::int64_t rejected = 0;
  for (const auto& entry : json["rejected"].items()) rejected += entry.value().get<std::int64_t>();
  CHECK(rejected > 0);
  CHECK(rejected < json["considered"]);
  const auto front = json["front"].get<std::vector<std::size_t>>();
  REQUIRE(!front.empty());
  CHECK(front[0] == 0);
  CHECK(front.back() < json["candidates"].size());
  CHECK(repair(corrected).out == repair(corrected).out);
}

TEST_CASE("fewer candidates are the first of more") {
  const nlohmann::json all = repair(corrected).json();
  const nlohmann::json two = repair(corrected, "--json --top 2").json();
  REQUIRE(two["candidates"].size() == 2);
  CHECK(two["candidates"][0] == all["candidates"][0]);
  CHECK(two["candidates"][1] == all["candidates"][1]);
  CHECK(two["considered"] == all["considered"]);
}

TEST_CASE("a legal deployment comes back as it is, with advice on idle GPUs") {
  const std::string legal = on_128_gpus(R"({"tp": 2, "pp": 4, "dp": 4, "ep": 8})");
  const answer a = repair(legal);
  CHECK(a.status == 0);
  const nlohmann::json json = a.json();
  CHECK(json["ok"] == true);
  REQUIRE(json["candidates"].size() == 1);
  CHECK(json["candidates"][0]["strategy"] == nlohmann::json{{"tp", 2}, {"pp", 4}, {"ep", 8}, {"dp", 4}});
  CHECK(json["candidates"][0]["changed"].empty());
  CHECK(json["candidates"][0]["idle_gpus"] == 96);
  bool advised = false;
  for (const nlohmann::json& finding : json["findings"]) advised = advised || finding["rule"] == "no_gpu_is_idle";
  CHECK(advised);
  CHECK(contains(repair(legal, "").out, "Nothing to repair"));
  CHECK(contains(repair(legal, "").out, "no_gpu_is_idle"));
}

TEST_CASE("a product mapping is read as folded") {
  const nlohmann::json json = repair(on_128_gpus(R"({"tp": 8, "pp": 4, "dp": 4, "ep": 64, "mapping": "product"})")).json();
  const nlohmann::json& first = json["candidates"][0];
  CHECK(first["strategy"] == nlohmann::json{{"tp", 8}, {"pp", 4}, {"ep", 32}, {"dp", 4}});
  const nlohmann::json mapping{{"part", "mapping"}, {"from", "product"}, {"to", "folded"}};
  CHECK(first["derived"] == nlohmann::json::array({mapping}));
}

TEST_CASE("the text says what to change first, why, and what else would do") {
  const answer a = repair(corrected, "");
  CHECK(a.status == 0);
  CHECK(contains(a.out, "stage_divides_by_expert_ranks: "));
  CHECK(contains(a.out,
                 "Nearest: EP 64 to 32, micro-batch 32 to 8; DP 4 to 16 follows\n"
                 "    2 changes, by factors whose product is 8: the smallest of those with as few\n"));
  CHECK(contains(a.out, "PP 4 to 2, micro-batch 32 to 4"));
  CHECK(contains(a.out, "EP 64 to 8, still 96 GPUs idle"));
  CHECK(contains(repair(original, "--top 1").out, "1 change, by a factor of 2: no other repair has as few\n"));
  CHECK(contains(repair(corrected, "--top 1").out, "the smallest of those with as few\n"));
}

TEST_CASE("the broken example") {
  const answer a = run_tool("repair --json '" + deployments + "deepseek-v3-1024-broken.json'");
  CHECK(a.status == 0);
  const nlohmann::json first = a.json()["candidates"][0];
  CHECK(first["changed"].size() == 3);
  CHECK(first["layout"] == "balanced"); // 60 of 61 layers are listed
  CHECK(first["strategy"]["tp"] == 4);
  CHECK(first["strategy"]["ep"] == 128);
  CHECK(first["strategy"]["sp"] == 4);
}

TEST_CASE("no repair: exit status 1, and why") {
  const std::string deployment = deployment_with(R"("sequence_length": 0)", R"("sequence_length": 4096)");
  const answer a = repair(deployment);
  CHECK(a.status == 1);
  const nlohmann::json json = a.json();
  CHECK(json["candidates"].empty());
  CHECK(json["front"].empty());
  CHECK(json["complete"] == true);
  CHECK(json["rejected"]["sequence_length_is_at_least_1"] > 0);
  CHECK(contains(repair(deployment, "").out, "No repair"));
}

TEST_CASE("what is idle is compared with what the given deployment leaves idle, where that is known") {
  const auto mixtral = [](const char* nodes, const char* strategy, const char* batch) {
    return std::string{R"({"model": "mixtral-8x7b", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": )"} + nodes +
           R"(}, "strategy": )" + strategy + R"(, "training": {"global_batch": )" + batch +
           R"(, "sequence_length": 4096, "sharding": "optimizer"}})";
  };
  const auto idle = [](const nlohmann::json& candidate) {
    for (const auto& c : candidate["changed"])
      if (c["part"] == "idle_gpus") return c;
    return nlohmann::json{};
  };
  // 2 x 4 x 4 of 72 GPUs. A batch of 250 can be divided over DP 2 and DP 5.
  const std::string of_72 = mixtral("9", R"({"tp": 2, "pp": 4, "ep": 8, "dp": 4})", "250");
  bool fewer = false;
  const nlohmann::json of_72_repaired = repair(of_72).json();
  for (const auto& candidate : of_72_repaired["candidates"]) {
    if (candidate["idle_gpus"] == 0) continue;
    CHECK(idle(candidate) == nlohmann::json{{"part", "idle_gpus"}, {"from", 40}, {"to", candidate["idle_gpus"]}});
    fewer = fewer || candidate["idle_gpus"] < 40;
  }
  CHECK(fewer);
  CHECK(contains(repair(of_72, "").out, "still 40 GPUs idle"));
  CHECK(contains(repair(of_72, "").out, "32 GPUs idle in place of 40"));
  // 64 GPUs hold no whole number of copies of 8 x 3.
  const nlohmann::json uneven = repair(mixtral("8", R"({"tp": 8, "pp": 3, "ep": 8})", "256")).json();
  REQUIRE(uneven["candidates"].size() == 2);
  CHECK(idle(uneven["candidates"][1]) == nlohmann::json{{"part", "idle_gpus"}, {"from", nullptr}, {"to", 16}});
}

// 671,026,419,200 parameters and 11,610,068,224 of the MTP module, 18 bytes each, are 144.7 times the 79.1 GiB of an H800.
TEST_CASE("where the states take more than all GPUs have it is said how many they need") {
  const std::string deployment =
      R"({"model": "deepseek-v3", "cluster": {"gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 16},
          "strategy": {"tp": 2, "pp": 4, "ep": 4}, "layout": "balanced",
          "training": {"global_batch": 256, "sequence_length": 4096, "sharding": "optimizer"}})";
  const nlohmann::json json = repair(deployment).json();
  CHECK(json["candidates"].empty());
  CHECK(json["fewest_gpus"] == 145);
  const std::string words = repair(deployment, "").out;
  CHECK(contains(words, "145 GPUs; the cluster has 128"));
  CHECK_FALSE(contains(words, "Looked at 1,"));
  CHECK_FALSE(repair(original).json().contains("fewest_gpus"));
}

TEST_CASE("what no part has to do with is named") {
  const std::string deployment = deployment_with(R"("sequence_length": 0)", R"("sequence_length": 4096)");
  CHECK(contains(repair(deployment, "").out, "sequence_length_is_at_least_1 has to do with no degree"));
}

TEST_CASE("a search that was stopped says so") {
  const answer a = repair(corrected, "--json --considered 10");
  CHECK(a.status == 1);
  CHECK(a.json()["complete"] == false);
  CHECK(a.json()["considered"] == 10);
  CHECK(contains(repair(corrected, "--considered 10").out, "the search was stopped"));
}

TEST_CASE("options that cannot be used") {
  for (const char* options : {"--keep ept", "--keep tp,", "--top 0", "--top 65", "--considered 0", "--considered x"}) {
    CAPTURE(options);
    const answer a = repair(corrected, options);
    CHECK(a.status == 2);
    CHECK(a.out.empty());
  }
  CHECK(contains(repair(corrected, "--keep epp").err, "nearest"));
}
