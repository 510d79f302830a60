#include <moeplan/dialect/trtllm.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr strategy strategy_of(text flags, const model& m = catalog::deepseek_v3) {
  return read_trtllm(flags, {.model = m}).deployment.strategy;
}

constexpr deployment served(const strategy& s, const serving& v = {.sequence_length = 4096}) {
  return {.model = catalog::deepseek_v3, .strategy = s, .workload = v};
}

} // namespace

// tensorrt_llm/mapping.py: moe_tp x moe_ep is tp; without either moe_tp is tp. With attention DP, dp is tp.
BOTH_TIMES("tp_size is the ranks of attention and experts alike", [] {
  EXPECT(strategy_of("trtllm-serve deepseek-ai/DeepSeek-V3 --tp_size 8") ==
         strategy(tp{8}, pp{1}, vpp{1}, ep{1}, etp{8}, dp{1}, cp{1}, sp{1}));
  EXPECT(strategy_of("--tp_size 8 --ep_size 8 --enable_attention_dp") ==
         strategy(tp{1}, pp{1}, vpp{1}, ep{8}, etp{1}, dp{8}, cp{1}, sp{1}));
  EXPECT(strategy_of("--tensor_parallel_size 8 --moe_expert_parallel_size 8")[axis::etp] == 1);
  EXPECT(strategy_of("--tp_size 4", catalog::llama_3_1_8b)[axis::etp] == 1);
});

// Mapping's docstring: "2 nodes with 16 GPUs, moe_tp_size = 2, moe_ep_size = 4, pp_size = 2": EP groups are neighbours [0, 1, 2, 3],
// MoE-TP groups are [0, 4].
BOTH_TIMES("with both degrees, EP comes before MoE-TP in the rank order", [] {
  const strategy s = strategy_of("--tp_size 8 --pp_size 2 --ep_size 4");
  EXPECT(s[axis::ep] == 4 && s[axis::etp] == 2 && s[axis::pp] == 2);
  EXPECT(s.order == rank_order{"ep-tp-cp-dp-pp"});
  EXPECT(strategy_of("--tp_size 8 --ep_size 8").order == rank_order{});
});

// torch.tensor_split of 61 layers on 4 stages is 16, 15, 15, 15.
BOTH_TIMES("batch, sequence and stages", [] {
  const deployment d =
      read_trtllm("--max_batch_size 64 --max_seq_len 8192 --pp_size 4", {.model = catalog::deepseek_v3}).deployment;
  EXPECT(d.workload.serve.batch == 64 && d.workload.serve.sequence_length == 8192);
  EXPECT(d.layout == layout::stages({1, 16}, {3, 15}));
});

// mapping.py, CpType.HELIX: with it moe_tp x moe_ep is tp x cp. commands/serve.py takes cp_config from the configuration file alone.
BOTH_TIMES("Helix is what the base brings, as the configuration file does", [] {
  const deployment base{.model = catalog::deepseek_v3, .workload = serving{.decode_context = 2}};
  const reading helix = read_trtllm("--tp_size 4 --cp_size 2 --ep_size 8", base);
  EXPECT(helix.ok());
  EXPECT(helix.deployment.strategy[axis::etp] == 1 && helix.deployment.workload.serve.decode_context == 2);
  EXPECT(!read_trtllm("--tp_size 4 --cp_size 2 --ep_size 8", {.model = catalog::deepseek_v3}).ok());
  const serving v{.sequence_length = 4096, .decode_context = 2};
  const writing w = write_trtllm(served({tp{4}, dp{1}, cp{2}, ep{8}}, v));
  EXPECT(text{w.flags} == "--tp_size 4 --cp_size 2 --ep_size 8 --max_seq_len 4096");
  EXPECT(w.cannot_express.size() == 1);
  EXPECT(text{w.cannot_express[0]} ==
         "decode_context 2: Helix is chosen in TensorRT-LLM's configuration file (cp_config), not by a flag");
  EXPECT(text{write_trtllm(served({tp{4}, dp{1}, cp{2}, ep{4}}, v)).cannot_express[0]} ==
         "etp 1: MoE-TP x EP is tp_size x cp_size in TensorRT-LLM with Helix, not 4");
});

BOTH_TIMES("what cannot be translated", [] {
  const reading ep_size = read_trtllm("--tp_size 8 --ep_size 3", {.model = catalog::deepseek_v3});
  EXPECT(!ep_size.ok() && ep_size.error.found == "3" && ep_size.error.position == 22);
  EXPECT(read_trtllm("--cluster_size 2", {}).error.found == "2");
  EXPECT(read_trtllm("--tp-size 8", {}).error.nearest == "--tp_size"); // trtllm-serve does not take dashes
});

BOTH_TIMES("flags", [] {
  EXPECT(text{write_trtllm(served({dp{8}, ep{8}})).flags} == "--tp_size 8 --ep_size 8 --enable_attention_dp --max_seq_len 4096");
  EXPECT(text{write_trtllm(served({tp{8}, dp{1}, etp{8}})).flags} == "--tp_size 8 --max_seq_len 4096");
  const writing both = write_trtllm(served({tp{8}, dp{1}, ep{4}, etp{2}, rank_order{"ep-tp-cp-dp-pp"}}));
  EXPECT(both.complete());
  EXPECT(text{both.flags} == "--tp_size 8 --ep_size 4 --max_seq_len 4096");
});

BOTH_TIMES("what TensorRT-LLM cannot express", [] {
  const auto first = [](const deployment& d) { return write_trtllm(d).cannot_express[0]; };
  EXPECT(text{first(served({tp{4}, dp{8}, ep{8}}))} ==
         "tp 4: with attention data parallelism every rank of TensorRT-LLM holds all of the attention; DP is 8");
  EXPECT(text{first(served({dp{8}, ep{4}}))} == "etp 1: MoE-TP x EP is tp_size in TensorRT-LLM, not 4");
  EXPECT(text{first(served({tp{8}, dp{1}, ep{4}, etp{2}}))} ==
         "order tp-cp-ep-dp-pp: TensorRT-LLM numbers ranks as ep-tp-cp-dp-pp, and cannot otherwise");
  EXPECT(text{first(served({tp{4}, dp{1}, cp{2}, ep{4}}))} ==
         "cp 2: with EP it must be Helix parallelism, which TensorRT-LLM's configuration file chooses and no flag");
  EXPECT(text{first(served({dp{8}, ep{8}}, {.sequence_length = 4096, .redundant_experts = 8}))} ==
         "redundant_experts 8: slots for experts are set in TensorRT-LLM's configuration file (moe_config.load_balancer), not by a "
         "flag");
  const writing replica =
      write_trtllm(served({tp{4}, dp{2}, ep{4}}, {.sequence_length = 4096, .data_parallelism = data_parallelism::replicas}));
  EXPECT(text{replica.flags} == "--tp_size 4 --ep_size 4 --max_seq_len 4096");
  EXPECT(replica.cannot_express.size() == 1);
  EXPECT(text{replica.cannot_express[0]} ==
         "data_parallelism replicas: trtllm-serve starts one server; these flags start one of 2");
  EXPECT(text{first(served({dp{8}, ep{8}}, {.sequence_length = 4096, .elastic_ep = true}))} ==
         "elastic_ep true: the ranks of TensorRT-LLM are fixed when it starts");
  EXPECT(text{first(served({tp{4}, sp{4}, dp{1}, ep{4}}))} == "sp 4: TensorRT-LLM has no sequence parallelism to switch on");
});

// commands/serve.py has a flag for the tokens of a step and, since 2026, for the cache; the rest is the checkpoint's and the file's.
BOTH_TIMES("what is kept while serving", [] {
  const auto serving_of_line = [](text line, const serving& base = {}) {
    return read_trtllm(line, {.model = catalog::deepseek_v3, .workload = base}).deployment.workload.serve;
  };
  EXPECT(serving_of_line("--tp_size 8 --max_num_tokens 8192 --kv_cache_dtype fp8") ==
         serving{.sequence_length = 163840, .cache = cache_format::fp8, .step_tokens = 8192});
  EXPECT(serving_of_line("--tp_size 8 --kv_cache_dtype auto", {.cache = cache_format::fp8}).cache == cache_format::fp8);
  const serving by_file{.sequence_length = 4096, .weights = weight_format::nvfp4, .block_size = 32, .drafts = true};
  EXPECT(serving_of_line("--tp_size 8", by_file) == by_file);
  EXPECT(!read_trtllm("--kv_cache_dtype nvfp4", {}).ok());
});

BOTH_TIMES("what is kept while serving is written", [] {
  const writing w =
      write_trtllm(served({dp{8}, ep{8}}, {.sequence_length = 4096, .cache = cache_format::fp8, .step_tokens = 2048}));
  EXPECT(w.complete());
  EXPECT(text{w.flags} ==
         "--tp_size 8 --ep_size 8 --enable_attention_dp --max_seq_len 4096 --max_num_tokens 2048 --kv_cache_dtype fp8");
  const auto first = [](const serving& v) { return write_trtllm(served({dp{8}, ep{8}}, v)).cannot_express[0]; };
  EXPECT(text{first({.sequence_length = 4096, .block_size = 32})} ==
         "block_size 32: it is set in TensorRT-LLM's configuration file, not by a flag");
  EXPECT(text{first({.sequence_length = 4096, .windows = windowed_cache::all})} ==
         "windows: it is set in TensorRT-LLM's configuration file, not by a flag");
  EXPECT(text{first({.sequence_length = 4096, .linear_state = number_type::fp32})} ==
         "linear_state: it is set in TensorRT-LLM's configuration file, not by a flag");
  EXPECT(text{first({.sequence_length = 4096, .drafts = true})} ==
         "drafts: it is set in TensorRT-LLM's configuration file, not by a flag");
  EXPECT(text{first({.sequence_length = 4096, .cache = cache_format::fp8_ds_mla})} == "cache: TensorRT-LLM has no such format");
  EXPECT(text{first({.sequence_length = 4096, .weights = weight_format::nvfp4})} ==
         "weights: TensorRT-LLM takes it from the checkpoint");
  EXPECT(text{first({.sequence_length = 4096, .reserve = bytes{9}})} ==
         "reserve_bytes 9: it is set aside by whoever reckons, not launched");
});
