#include <doctest/doctest.h>

#include <string>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

answer translate(const std::string& deployment, const std::string& to) {
  const temporary_folder folder;
  return run_tool("translate --json '" + folder.write("d.json", deployment) + "' --to " + to);
}

} // namespace

TEST_CASE("DeepSeek-V3's training in Megatron-LM's words") {
  const answer a = translate(deployment_with(), "megatron");
  CHECK(a.status == 0);
  CHECK(a.json()["flags"] ==
        "--pipeline-model-parallel-size 16 --expert-model-parallel-size 64 --pipeline-model-parallel-layout 'Et*4|(t*4|)*14tmL' "
        "--mtp-num-layers 1 --micro-batch-size 1 --global-batch-size 15360 --seq-length 4096 --recompute-granularity full "
        "--recompute-method uniform --recompute-num-layers 1 --bf16 --attention-dropout 0 --hidden-dropout 0");
  CHECK(a.json()["cannot_express"].empty());
  CHECK(a.json()["deployment"] == nlohmann::json::parse(R"({
    "model": "deepseek-v3", "cluster": {"gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 256},
    "strategy": {"pp": 16, "ep": 64, "dp": 128}, "layout": "4*15,1",
    "training": {"global_batch": 15360, "micro_batch": 1, "sequence_length": 4096, "recompute": "full"}, "profile": "megatron"})"));
}

TEST_CASE("what a framework cannot express is said") {
  const answer a = translate(deployment_with(), "vllm");
  CHECK(a.status == 0);
  CHECK(a.json()["cannot_express"].size() == 4);
  CHECK(a.json()["cannot_express"][0] == "training: vLLM serves");
}

TEST_CASE("from one framework to another") {
  const answer a = run_tool(
      "translate --from vllm 'vllm serve deepseek-ai/DeepSeek-V3 -tp 4 -dp 4 --enable-expert-parallel "
      "--max-model-len 4096 --port 8000' --to sglang --json");
  CHECK(a.status == 0);
  const nlohmann::json j = a.json();
  CHECK(j["flags"] == "--tp-size 16 --dp-size 4 --enable-dp-attention --ep-size 16 --context-length 4096 --page-size 16");
  CHECK(j["cannot_express"].empty());
  CHECK(j["deployment"]["model"] == "deepseek-v3");
  CHECK(j["deployment"]["strategy"] ==
        nlohmann::json::parse(R"({"tp": 4, "pp": 1, "vpp": 1, "cp": 1, "ep": 16, "etp": 1, "dp": 4, "sp": 1})"));
  CHECK(j["without_meaning"] == nlohmann::json::parse(R"(["--port"])"));
}

// Each line violates a rule of its framework alone: vLLM ParallelConfig._validate_parallel_config; SGLang parallel_hook.py; TensorRT-LLM
// mapping.py; torchtitan parallel_dims.py; DeepSpeed auto_ep_folding.py; Megatron-LM transformer_config.py.
TEST_CASE("a launch line is judged by the rules of its framework") {
  struct {
    std::string from, line, rule;
  } const lines[] = {{"megatron", "--seq-length 4096 --moe-pad-expert-input-to-capacity", "padding_needs_capacity"},
                     {"torchtitan",
                      "--parallelism.data_parallel_replicate_degree 4 --parallelism.data_parallel_shard_degree 2 "
                      "--parallelism.expert_parallel_degree 8",
                      "ep_divides_sharded_ranks"},
                     {"vllm", "-tp 2 -pcp 2 -dp 2 --enable-expert-parallel", "cp_excludes_dp"},
                     {"sglang", "--tp 8 --ep 4 --moe-dp-size 2", "moe_dp_is_1_or_cp"},
                     {"trtllm", "--tp_size 4 --ep_size 4 --cp_size 2", "ep_excludes_cp"},
                     {"deepspeed",
                      R"({"tensor_parallel": {"autotp_size": 2}, "expert_parallel": {"enabled": true, "autoep_size": 2, )"
                      R"("expert_tensor_parallel_size": 2}})",
                      "etp_is_1"}};
  for (const auto& each : lines) {
    CAPTURE(each.from);
    const std::string arguments = "translate --json --model deepseek-v3 --gpus 8 --from " + each.from + " '" + each.line + "'";
    const answer its_own = run_tool(arguments);
    CHECK(its_own.status == 1);
    CHECK(its_own.json()["deployment"]["profile"] == each.from);
    CHECK(contains(its_own.err, each.rule));
    const answer universal = run_tool(arguments + " --profile universal");
    CHECK(universal.status == 0);
    CHECK(universal.json()["deployment"]["profile"] == "universal");
    CHECK(universal.json()["deployment"]["strategy"] == its_own.json()["deployment"]["strategy"]);
  }
}

TEST_CASE("what a serving line says beside its degrees is in the deployment") {
  const answer a = run_tool(
      "translate --json --from sglang '--tp 8 --dp 2 --ep 8 --dcp-size 4 --elastic-ep-backend mooncake' --model deepseek-v3 --to "
      "vllm");
  CHECK(a.status == 0);
  CHECK(a.json()["deployment"]["serving"] == nlohmann::json::parse(R"({"batch": 1, "sequence_length": 163840, "decode_context": 4,
    "data_parallelism": "replicas", "elastic_ep": true, "block_size": 1})"));
  CHECK(a.json()["flags"] ==
        "--tensor-parallel-size 8 --decode-context-parallel-size 4 --enable-expert-parallel --enable-elastic-ep --enable-eplb "
        "--block-size 1");
  CHECK(a.json()["cannot_express"].size() == 1);
}

TEST_CASE("the deployment that comes out goes in again") {
  const temporary_folder folder;
  const answer there = run_tool(
      "translate --from megatron '--pipeline-model-parallel-size 16 --expert-model-parallel-size 64 "
      "--pipeline-model-parallel-layout \"Et*4|(t*4|)*14tmL\" --seq-length 4096 --global-batch-size 15360' "
      "--model deepseek-v3 --gpus 2048 --gpus-per-node 8 --json");
  CHECK(there.status == 0);
  CHECK(there.json()["deployment"]["strategy"]["dp"] == 128);
  const answer back =
      run_tool("translate --json --to megatron '" + folder.write("d.json", there.json()["deployment"].dump()) + "'");
  CHECK(back.status == 0);
  CHECK(back.json()["flags"] == there.json()["flags"]);
  CHECK(back.json()["deployment"] == there.json()["deployment"]);
}

TEST_CASE("a configuration of DeepSpeed is JSON") {
  const answer a = run_tool(R"(translate --from deepspeed '{"train_batch_size": 256, "expert_parallel": {"enabled": true, )"
                            R"("autoep_size": 8}}' --gpus 64 --model mixtral-8x7b --to megatron --json)");
  CHECK(a.status == 0);
  CHECK(a.json()["flags"] ==
        "--expert-model-parallel-size 8 --micro-batch-size 1 --global-batch-size 256 --attention-dropout 0 --hidden-dropout 0");
}

TEST_CASE("without a model and a cluster the degrees are translated all the same") {
  const answer a = run_tool("translate --from megatron --tensor-model-parallel-size=2 --json");
  CHECK(a.status == 0);
  CHECK(a.json()["deployment"]["strategy"]["etp"] == 2);
  CHECK(!a.json()["deployment"].contains("model"));
}

TEST_CASE("the model may come from a file") {
  const temporary_folder folder;
  const std::string config = std::string{MOEPLAN_TEST_DATA} + "/models/Mixtral-8x7B.json";
  const answer a = run_tool("translate --from sglang '--tp 8 --ep 8' --json --model '" + config + "'");
  CHECK(a.status == 0);
  CHECK(a.json()["deployment"]["model"]["config"] == config);
}

TEST_CASE("a deployment that violates rules is translated, and the rules are named") {
  const answer a = run_tool("translate --from vllm '-tp 3 --enable-expert-parallel' --model deepseek-v3 --json");
  CHECK(a.status == 1);
  CHECK(a.json()["deployment"]["strategy"]["tp"] == 3);
  CHECK(a.json()["ok"] == false);
  CHECK(contains(a.err, "heads_divide_by_tp"));
}

TEST_CASE("unknown flags: what, where, and the nearest known one") {
  const answer a = run_tool("translate --from megatron '--sequence-parallel\n  --tensor-model-paralel-size 2'");
  CHECK(a.status == 2);
  CHECK(a.out.empty());
  CHECK(contains(a.err, "flags of Megatron-LM:2:3: an unknown flag"));
  CHECK(contains(a.err, "found \"--tensor-model-paralel-size\""));
  CHECK(contains(a.err, "nearest known: \"--tensor-model-parallel-size\""));
}

TEST_CASE("values and command lines that cannot be used") {
  for (const char* arguments :
       {"translate --from vllm '-tp two'", "translate --from nemo '--tp 2'", "translate --from vllm", "translate --to vllm",
        "translate --from vllm '-tp 2' --to nemo", "translate no-such-file.json --to vllm",
        "translate --from vllm '-tp 2' --model no-such-model", "translate --from vllm '-tp 2' --gpus x",
        "translate --from sglang '--tp 8 --ep 3' --model mixtral-8x7b", "translate d.json --from vllm '-tp 2'",
        "translate --from vllm '-tp 2' --gpus 12 --gpus-per-node 8", "translate --from vllm '-tp 2' --profile vlm",
        "translate d.json --to vllm --profile vllm"}) {
    CAPTURE(arguments);
    const answer a = run_tool(arguments);
    CHECK(a.status == 2);
    CHECK(!a.err.empty());
  }
}

TEST_CASE("the text for people") {
  const answer a = run_tool(
      "translate --from sglang '--tp 16 --dp 4 --enable-dp-attention --ep 16 --trust-remote-code' "
      "--model deepseek-v3 --to trtllm");
  CHECK(a.status == 0);
  CHECK(contains(a.out, "TP 4 x CP 1 x DP 4 x PP 1"));
  CHECK(contains(a.out, "ETP 1 x EP 16 x EDP 1 x PP 1"));
  CHECK(contains(a.out, "Flags of TensorRT-LLM:\n  --tp_size 4 --ep_size 16 --enable_attention_dp"));
  CHECK(contains(a.out, "What TensorRT-LLM cannot express:\n  tp 4: "));
  CHECK(contains(a.out, "without meaning for a deployment:\n  --trust-remote-code"));
}
