#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string deployments = MOEPLAN_EXAMPLES "/deployments/";

answer check(const std::string& deployment, const std::string& options = {}) {
  const temporary_folder folder;
  return run_tool("check " + options + " '" + folder.write("d.json", deployment) + "'");
}

/// The rules of the findings.
std::vector<std::string> rules(const answer& a) {
  std::vector<std::string> result;
  const nlohmann::json json = a.json();
  for (const nlohmann::json& finding : json["findings"]) { result.push_back(finding["rule"]); }
  return result;
}

/// The message of a deployment that cannot be used.
std::string refused(const std::string& deployment) {
  const answer a = check(deployment, "--json");
  CHECK(a.status == 2);
  CHECK(a.out.empty());
  return a.err;
}

std::string strategy(const std::string& degrees) { return deployment_with(degrees, R"("pp": 16, "ep": 64, "dp": 128)"); }

/// Each run of blanks as one.
std::string squeezed(const std::string& text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' || result.empty() || result.back() != ' ') result += c;
  return result;
}

} // namespace

TEST_CASE("the published deployments are fine") {
  for (const char* name : {"deepseek-v3-2048", "deepseek-v3-1024", "mixtral-8x22b-128", "deepseek-v3-decode-320"}) {
    CAPTURE(name);
    const answer a = run_tool("check --json '" + deployments + name + ".json'");
    CHECK(a.status == 0);
    CHECK(a.json()["ok"] == true);
    CHECK(a.err.empty());
  }
}

TEST_CASE("every violated rule of a broken deployment is reported") {
  const answer a = run_tool("check --json '" + deployments + "deepseek-v3-1024-broken.json'");
  CHECK(a.status == 1);
  CHECK(a.json()["ok"] == false);
  // By hand: TP 3 x DP 64 x PP 8 = 1536 > 1024; 128 heads, hidden 7168, shared 2048 and 4096 tokens do not divide by 3; 256 experts
  // do not divide by 96; 8 * 7 + 4 = 60 of 61 layers.
  CHECK(rules(a) == std::vector<std::string>{"gpus_are_available", "heads_divide_by_tp", "kv_heads_fit_tp", "hidden_divides_by_tp",
                                             "shared_experts_divide_by_tp", "sequence_divides_by_cp_and_tp", "experts_divide_by_ep",
                                             "layout_holds_every_layer"});
}

TEST_CASE("a finding has its operands, legal values and source") {
  const nlohmann::json finding = check(strategy(R"("pp": 16, "ep": 0, "dp": 128)"), "--json").json()["findings"][0];
  CHECK(finding["rule"] == "ep_is_at_least_1");
  CHECK(finding["severity"] == "error");
  CHECK(finding["operands"] == nlohmann::json::parse(R"({"ep": 0})"));
  CHECK(finding["legal"] == nlohmann::json::parse("[1]"));
  CHECK(contains(finding["message"], "EP is 0"));
  CHECK_FALSE(finding["source"].get<std::string>().empty());
}

TEST_CASE("an order of ranks is a legal value too") {
  const std::string apart = strategy(R"("pp": 16, "ep": 64, "dp": 128, "order": "tp-cp-dp-ep-pp")");
  const nlohmann::json all = check(apart, "--json").json();
  CHECK(all["ok"] == true);
  const nlohmann::json finding = all["findings"][0];
  CHECK(finding["rule"] == "ep_stays_together");
  CHECK(finding["severity"] == "advice");
  // Two copies of each expert next to each other: four experts a node.
  CHECK(finding["operands"] == nlohmann::json::parse(R"({"ep": 64, "touched": 16, "fewest": 8, "nvlink_gpus": 8, "etp": 1})"));
  CHECK(finding["legal"] == nlohmann::json::parse(R"(["tp-cp-ep-dp-pp"])"));
  CHECK(finding["changes"] == "order");
  CHECK(contains(check(apart).out, "nearest legal: order tp-cp-ep-dp-pp"));
}

TEST_CASE("numbers that are no degrees are findings") {
  CHECK(rules(check(strategy(R"("pp": 16, "ep": 0, "dp": 128)"), "--json")) == std::vector<std::string>{"ep_is_at_least_1"});
  CHECK(check(strategy(R"("pp": 16, "ep": 0, "dp": 128)")).status == 1);
  CHECK(rules(check(strategy(R"("pp": 16, "ep": -4, "dp": 128)"), "--json")) == std::vector<std::string>{"ep_is_at_least_1"});
  const answer overflow = check(strategy(R"("tp": 1099511627776, "dp": 1099511627776)"), "--json");
  CHECK(overflow.status == 1);
  CHECK(rules(overflow)[0] == "overflow");
}

TEST_CASE("the text groups findings by severity") {
  const answer a = check(strategy(R"("tp": 2, "pp": 16, "ep": 64, "dp": 7)"));
  CHECK(a.status == 1);
  CHECK(contains(a.out, "Not OK: "));
  CHECK(contains(a.out, "Errors: "));
  CHECK(contains(a.out, "stage_divides_by_expert_ranks"));
  CHECK(contains(a.out, "Warnings: "));
  CHECK(contains(a.out, "sp_accompanies_tp_and_ep"));
  CHECK(contains(a.out, "Advice: "));
  CHECK(contains(a.out, "nearest legal: "));
  CHECK(contains(a.out, "source: "));
  CHECK(a.out.find("Errors: ") < a.out.find("Warnings: "));
  CHECK(a.out.find("Warnings: ") < a.out.find("Advice: "));
}

TEST_CASE("the text gives amounts of memory in GiB, JSON in bytes") {
  const std::string too_large = deployment_with(R"("micro_batch": 8, "sequence_length": 4096, "recompute": "none")",
                                                R"("micro_batch": 1, "sequence_length": 4096, "recompute": "full")");
  const answer text = check(too_large);
  CHECK(text.status == 1);
  CHECK(contains(text.out, "stage_fits_memory"));
  CHECK(contains(text.out, " GiB more than the 79.10 GiB that a GPU has for it"));
  CHECK_FALSE(contains(text.out, "bytes on"));
  const nlohmann::json finding = check(too_large, "--json").json()["findings"][0];
  CHECK(finding["operands"]["capacity_bytes"] == 80998LL << 20);
  CHECK(contains(finding["message"], "84932558848"));
}

TEST_CASE("a warning alone is fine") {
  const answer a = check(strategy(R"("tp": 2, "pp": 16, "ep": 64, "etp": 1)"), "--json");
  CHECK(a.status == 0);
  CHECK(a.json()["ok"] == true);
  CHECK(rules(a) == std::vector<std::string>{"sp_accompanies_tp_and_ep"});
  CHECK(a.json()["findings"][0]["severity"] == "warning");
}

TEST_CASE("syntax errors name file, line and column") {
  const std::string bracket = refused(deployment_with(R"("dp": 128])", R"("dp": 128})"));
  CHECK(contains(bracket, "d.json:4:45: syntax error: found ']', expected ',' or '}' to close the '{' of line 4, column 15"));
  const std::string twice = refused(deployment_with(R"("dp": 128, "pp": 16})", R"("dp": 128})"));
  CHECK(contains(twice, "d.json:4:47: duplicate key \"pp\""));
  CHECK(contains(twice, "line 4, column 16"));
  CHECK(contains(refused(""), "the text is empty"));
  CHECK(contains(refused(std::string(100'000, '[')), "d.json:1:201: nested too deeply"));
  CHECK(contains(refused("{\"model\": "), "d.json:1:11: syntax error: found the end of the text, expected a value"));
}

TEST_CASE("values that cannot be used name the path of their key") {
  CHECK(contains(refused(strategy(R"("pp": 16, "ep": 9223372036854775808)")),
                 "/strategy/ep: a number out of range: found 9223372036854775808"));
  CHECK(contains(refused(strategy(R"("pp": 16, "ep": 2.5)")), "/strategy/ep: found 2.5, expected an integer"));
  CHECK(contains(refused(strategy(R"("pp": 16, "ep": "four")")), "/strategy/ep: found \"four\" (a string), expected an integer"));
  CHECK(contains(refused(deployment_with("\"deepseek-v33\"", "\"deepseek-v3\"")), "nearest known: \"deepseek-v3\""));
  CHECK(contains(refused(deployment_with(R"({"model_type": "mixtral"})", "\"deepseek-v3\"")),
                 "missing key: expected \"num_hidden_layers\""));
  CHECK(contains(refused(deployment_with(R"({"model_type": "mixtrla"})", "\"deepseek-v3\"")), "nearest known: \"mixtral\""));
}

TEST_CASE("misspelt keys name the nearest known one") {
  const std::string error = refused(strategy(R"("pp": 16, "epp": 64)"));
  CHECK(contains(error, "/strategy/epp: unknown key: found \"epp\""));
  CHECK(contains(error, "nearest known: \"ep\""));
  CHECK(contains(refused(deployment_with("\"trainign\"", "\"training\"")), "nearest known: \"training\""));
}

TEST_CASE("files that are none") {
  const temporary_folder folder;
  const answer missing = run_tool("check '" + folder.file("none.json") + "'");
  CHECK(missing.status == 2);
  CHECK(contains(missing.err, "none.json: no such file"));
  const answer directory = run_tool("check '" + folder.file("") + "'");
  CHECK(directory.status == 2);
  CHECK(contains(directory.err, "this is a directory"));
}

TEST_CASE("the explanation of DeepSeek-V3 on 2048 GPUs") {
  const answer a = run_tool("check --explain '" + deployments + "deepseek-v3-2048.json'");
  CHECK(a.status == 0);
  for (const char* part :
       {"TP 1 x CP 1 x DP 128 x PP 16 = 2,048", "ETP 1 x EP 64 x EDP 2 = 128", "EP 64 is not a factor of the 2,048 GPUs",
        "TP 1 x CP 1 x EP 64 x SP 1 x DP 128 x PP 16 = 131,072", "256 / EP 64 = 4 experts", "120 micro-batches a step",
        "decoder layers 4 - 59", "strategy/etp", "training/vocabulary_multiple", "OK: none of the rules"}) {
    CHECK_MESSAGE(contains(a.out, part), part);
  }
}

TEST_CASE("whatever is wrong, an explanation does not fail") {
  for (const char* degrees :
       {R"("ep": 0)", R"("tp": 1099511627776, "dp": 1099511627776)", R"("pp": 3)", R"("dp": 2, "mapping": "product")",
        R"("pp": 16, "ep": 63, "dp": 128)", R"("pp": 16, "ep": 64, "dp": 128, "order": "pp-dp-ep-cp-tp")",
        R"("tp": 2, "ep": 64, "dp": 8, "order": "dp")", R"("pp": 9223372036854775807, "vpp": 9223372036854775807)",
        R"("dp": -1)"}) {
    CAPTURE(degrees);
    const answer a = check(strategy(degrees), "--explain");
    CHECK((a.status == 0 || a.status == 1));
    CHECK(contains(a.out, "Defaults in force"));
    CHECK(contains(a.out, "Verdict"));
  }
}

TEST_CASE("with --json every default in force is listed too") {
  const nlohmann::json json = check(deployment_with(), "--explain --json").json();
  CHECK(json["ok"] == true);
  bool etp = false;
  for (const nlohmann::json& entry : json["defaults"]) { etp = etp || (entry["key"] == "/strategy/etp" && entry["value"] == "1"); }
  CHECK(etp);
}

TEST_CASE("each framework's own words for the same layout") {
  struct framework {
    const char* profile;
    const char* workload; ///< its kind, and what else is in it
    const char* parts[4];
  };
  // TP 2 x DP 8 = 16 GPUs, EP 16.
  const framework frameworks[] = {
      {"vllm",
       "serving\": {\"decode_context\": 1",
       {"What these degrees mean to vLLM", "--data-parallel-size 8", "TP x CP x DP = 16", "(ETP 1)"}},
      {"sglang",
       "serving\": {\"data_parallelism\": \"attention\"",
       {"to SGLang", "--tp-size 16", "--enable-dp-attention yes", "attn_tp = tp / (dp x attn_cp) = 2"}},
      {"trtllm",
       "serving\": {\"batch\": 1",
       {"to TensorRT-LLM", "tensor_parallel_size 16", "enable_attention_dp yes",
        "has to be tensor_parallel_size = 16; here it is 16"}},
      {"torchtitan",
       "training\": {\"dp_replicate\": 2",
       {"to torchtitan", "data_parallel_shard_degree 4", "dp_shard x CP x TP = 8", "which EP 16 does not divide"}},
      {"deepspeed",
       "training\": {\"micro_batch\": 2",
       {"to DeepSpeed", "expert_parallel.autoep_size 16", "gradient_accumulation_steps 1", "16 GPUs that PP leaves, 1 time over"}}};
  for (const framework& f : frameworks) {
    const answer a =
        check(std::string{R"({"model": "deepseek-v3", "cluster": {"gpus": 16}, "strategy": {"tp": 2, "dp": 8, "ep": 16}, ")"} +
                  f.workload + R"(, "sequence_length": 4096}, "profile": ")" + f.profile + "\"}",
              "--explain");
    const std::string out = squeezed(a.out);
    for (const std::string part : f.parts) CHECK_MESSAGE(contains(out, part), part);
  }
  for (const char* profile : {"megatron", "universal"})
    CHECK_FALSE(contains(
        check(deployment_with(R"("profile": ")" + std::string{profile} + "\", \"strategy\"", "\"strategy\""), "--explain").out,
        "What these degrees mean"));
}

TEST_CASE("a framework's words are found for whatever it cannot do") {
  for (const char* profile : {"torchtitan", "vllm", "sglang", "trtllm", "deepspeed"})
    for (const char* workload : {R"("training": {"sequence_length": 8, "dp_replicate": 3})", R"("training": {"dp_replicate": 0})",
                                 R"("serving": {"sequence_length": 8, "data_parallelism": "replicas", "decode_context": 0})"})
      for (const char* model : {"deepseek-v3", "llama-3.1-8b"}) {
        const answer a = check(std::string{R"({"model": ")"} + model +
                                   R"(", "cluster": {"gpus": 16}, "strategy": {"cp": 2, "dp": 8, "ep": 4, "etp": 2, "vpp": 3}, )" +
                                   workload + R"(, "profile": ")" + profile + "\"}",
                               "--explain");
        CHECK(a.status == 1);
        CHECK(contains(a.out, "Verdict"));
      }
}
