#include <moeplan/dialect/vllm.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr deployment of(const model& m) { return {.model = m}; }

constexpr strategy strategy_of(text flags, const model& m = catalog::deepseek_v3) {
  return read_vllm(flags, of(m)).deployment.strategy;
}

constexpr deployment served(const strategy& s, const serving& v = {.sequence_length = 4096},
                            const model& m = catalog::deepseek_v3) {
  return {.model = m, .strategy = s, .workload = v};
}

} // namespace

// docs.vllm.ai, "Expert Parallel Deployment": EP is TP x DP; with TP 1 and DP 8 the experts are on 8 ranks. FusedMoEParallelConfig.make
// gives the same in its comment: "When TP = 2, DP = 2 and EP = True": EP 4.
BOTH_TIMES("expert parallelism is over all ranks of a stage", [] {
  EXPECT(strategy_of(
             "vllm serve deepseek-ai/DeepSeek-V3-0324 --tensor-parallel-size 1 --data-parallel-size 8 --enable-expert-parallel") ==
         strategy(tp{1}, pp{1}, vpp{1}, ep{8}, etp{1}, dp{8}, cp{1}, sp{1}));
  EXPECT(strategy_of("-tp 2 -dp 2 --enable-expert-parallel") == strategy(tp{2}, pp{1}, vpp{1}, ep{4}, etp{1}, dp{2}, cp{1}, sp{1}));
  EXPECT(strategy_of("-tp=4 -pp=2 --enable-expert-parallel")[axis::ep] == 4);
  EXPECT(strategy_of("-tp 2 -pcp 2 --enable-expert-parallel")[axis::ep] == 4);
  EXPECT(strategy_of("--enable-expert-parallel --no-enable-expert-parallel -tp 2")[axis::ep] == 1);
});

// The same page's sibling, "Data Parallel Deployment": without --enable-expert-parallel "the expert layers will by default form a tensor
// parallel group of size DP x TP".
BOTH_TIMES("without it experts are cut into as many parts", [] {
  EXPECT(strategy_of("--data-parallel-size=4 --tensor-parallel-size=2") ==
         strategy(tp{2}, pp{1}, vpp{1}, ep{1}, etp{8}, dp{4}, cp{1}, sp{1}));
  EXPECT(strategy_of("-dp 4 -tp 2", catalog::llama_3_1_8b)[axis::etp] == 1); // nothing to cut
});

BOTH_TIMES("batch, sequence, redundant experts, sequence parallelism", [] {
  const deployment base = of(catalog::mixtral_8x7b);
  const serving s =
      read_vllm("--max-num-seqs 256 --max_model_len 8192 --enable-eplb --num-redundant-experts 8", base).deployment.workload.serve;
  EXPECT(s.batch == 256 && s.sequence_length == 8192 && s.redundant_experts == 8);
  EXPECT(read_vllm(R"(--eplb-config '{"num_redundant_experts": 32, "window_size": 1000}')", base)
             .deployment.workload.serve.redundant_experts == 32);
  EXPECT(read_vllm("--eplb-config.num_redundant_experts 4", base).deployment.workload.serve.redundant_experts == 4);
  EXPECT(read_vllm("", base).deployment.workload.serve.sequence_length == 32768); // the model's own limit
  EXPECT(read_vllm(R"(-tp 4 --compilation-config '{"pass_config": {"enable_sp": true}}')", base).deployment.strategy[axis::sp] ==
         4);
});

// config/parallel.py: "DCP does not expand the process world size. Without PCP, DCP reuses TP ranks"; elastic EP is "only supported with
// enable_eplb=True".
BOTH_TIMES("decode context parallelism and elastic expert parallelism", [] {
  const auto serving_of_line = [](text line) { return read_vllm(line, of(catalog::deepseek_v3)).deployment.workload.serve; };
  EXPECT(serving_of_line("-tp 8 -dcp 4").decode_context == 4);
  EXPECT(serving_of_line("-tp 8 --decode-context-parallel-size=8").decode_context == 8);
  EXPECT(strategy_of("-tp 8 -dcp 8") == strategy_of("-tp 8"));
  EXPECT(serving_of_line("-dp 2 --enable-expert-parallel --enable-eplb --enable-elastic-ep").elastic_ep);
  EXPECT(!serving_of_line("--enable-elastic-ep --no-enable-elastic-ep").elastic_ep);
  EXPECT(!serving_of_line("-dp 2 --enable-expert-parallel --enable-eplb").elastic_ep);
  EXPECT(text{write_vllm(served({tp{8}, dp{1}, etp{8}}, {.sequence_length = 4096, .decode_context = 8})).flags} ==
         "--tensor-parallel-size 8 --decode-context-parallel-size 8 --max-model-len 4096");
  EXPECT(text{write_vllm(served({dp{2}, ep{2}}, {.sequence_length = 4096, .elastic_ep = true})).flags} ==
         "--data-parallel-size 2 --enable-expert-parallel --enable-elastic-ep --enable-eplb --max-model-len 4096");
});

// docs.vllm.ai, "Data Parallel Deployment": with experts DP ranks are not independent; config/parallel.py,
// reconfigure_for_independent_dp_rank: without them each is an engine of its own.
BOTH_TIMES("DP ranks share the experts, where there are some", [] {
  const serving replicas{.sequence_length = 4096, .data_parallelism = data_parallelism::replicas};
  const writing one = write_vllm(served({tp{4}, dp{2}, ep{4}}, replicas));
  EXPECT(text{one.flags} == "--tensor-parallel-size 4 --enable-expert-parallel --max-model-len 4096");
  EXPECT(one.cannot_express.size() == 1);
  EXPECT(text{one.cannot_express[0]} ==
         "data_parallelism replicas: vLLM's DP ranks share the experts, and replicas are instances of their own; these flags start "
         "one "
         "of 2");
  const writing dense = write_vllm(served({tp{4}, dp{2}}, replicas, catalog::llama_3_1_8b));
  EXPECT(dense.complete());
  EXPECT(text{dense.flags} == "--tensor-parallel-size 4 --data-parallel-size 2 --max-model-len 4096");
});

BOTH_TIMES("layers are split as get_pp_indices does", [] {
  EXPECT(read_vllm("-pp 2", of(catalog::mixtral_8x7b)).deployment.layout == layout::even());
  // 61 layers on 16 stages: 13 have 4, and from the last but one on towards the first.
  EXPECT(read_vllm("-pp 16", of(catalog::deepseek_v3)).deployment.layout == layout::stages({2, 3}, {13, 4}, {1, 3}));
});

BOTH_TIMES("the model's name, flags without meaning, unknown flags", [] {
  const reading r =
      read_vllm("vllm serve Qwen/Qwen3-30B-A3B --port 8000 --all2all-backend deepep_low_latency --trust-remote-code", {});
  EXPECT(r.ok());
  EXPECT(r.model_name == "Qwen/Qwen3-30B-A3B");
  EXPECT(r.without_meaning.size() == 3);
  EXPECT(read_vllm("--tensor-paralel-size 8", {}).error.nearest == "--tensor-parallel-size");
  EXPECT(read_vllm("--expert-parallel-size 8", {}).error.problem == "an unknown flag"); // there is no such number in vLLM
});

// DeepSeek-V3's decode unit (arXiv 2412.19437, section 3.4.2).
BOTH_TIMES("flags", [] {
  const writing w =
      write_vllm(served({tp{4}, sp{4}, dp{80}, ep{320}}, {.batch = 256, .sequence_length = 4096, .redundant_experts = 64}));
  EXPECT(w.complete());
  EXPECT(
      text{w.flags} ==
      "--tensor-parallel-size 4 --data-parallel-size 80 --enable-expert-parallel --compilation-config.pass_config.enable_sp true "
      "--enable-eplb --eplb-config.num_redundant_experts 64 --max-num-seqs 256 --max-model-len 4096");
  EXPECT(text{write_vllm(served({tp{8}, dp{1}, etp{8}})).flags} == "--tensor-parallel-size 8 --max-model-len 4096");
});

BOTH_TIMES("what vLLM cannot express", [] {
  const auto first = [](const deployment& d) { return write_vllm(d).cannot_express[0]; };
  EXPECT(text{first(served({tp{2}, dp{4}, ep{4}}))} == "ep 4: vLLM spreads experts over all of DP x PCP x TP, 8");
  EXPECT(text{first(served({tp{4}, dp{1}}))} ==
         "etp 1: without expert parallelism vLLM cuts experts into DP x PCP x TP parts, with it not at all: 4 or 1");
  EXPECT(text{first(served({tp{1}, dp{2}, cp{2}, ep{4}}))} ==
         "cp 2: prefill context parallelism excludes data parallelism in vLLM"); // ParallelConfig._validate_parallel_config
  EXPECT(text{first(served({tp{8}, dp{1}, ep{8}}, {.sequence_length = 4096, .decode_context = 3}))} ==
         "decode_context 3: in vLLM they are ranks of TP, in groups of one size; TP is 8");
  EXPECT(text{first(served({tp{2}, cp{4}, dp{1}, ep{8}}, {.sequence_length = 4096, .decode_context = 2}))} ==
         "decode_context 2: with prefill context parallelism it is 1, PCP or PCP x TP in vLLM, 8");
  EXPECT(write_vllm(served({tp{2}, cp{4}, dp{1}, ep{8}}, {.sequence_length = 4096, .decode_context = 4})).complete());
  EXPECT(text{first(served({tp{1}, dp{1}, vpp{2}}))} == "vpp 2: vLLM gives each pipeline rank one stage");
  EXPECT(text{first({.model = catalog::mixtral_8x7b, .strategy = {dp{1}}})} == "training: vLLM serves");
  EXPECT(text{first(served({tp{1}}))} == "dp: it is neither given nor to be derived from the number of GPUs");
  EXPECT(text{first(
             {.model = catalog::deepseek_v3, .strategy = {pp{4}, dp{1}}, .layout = layout::balanced(), .workload = serving{}})} ==
         "layout: vLLM splits layers by itself, unless VLLM_PP_LAYER_PARTITION in the environment says how");
});

// config/cache.py: "auto" is the model's type, CUDA's fp8 is fp8_e4m3; models/config.py, DeepseekV32ForCausalLM: fp8 is fp8_ds_mla.
BOTH_TIMES("what is kept while serving", [] {
  const auto serving_of_line = [](text line) { return read_vllm(line, of(catalog::deepseek_v3)).deployment.workload.serve; };
  EXPECT(serving_of_line("-tp 8") == serving{.sequence_length = 163840});
  EXPECT(serving_of_line("-tp 8 --kv-cache-dtype fp8_e5m2 --block-size 64 --max-num-batched-tokens 8192") ==
         serving{.sequence_length = 163840, .cache = cache_format::fp8, .block_size = 64, .step_tokens = 8192});
  EXPECT(serving_of_line("--disable-hybrid-kv-cache-manager").windows == windowed_cache::all);
  EXPECT(serving_of_line("--mamba-ssm-cache-dtype float32").linear_state == number_type::fp32);
  EXPECT(serving_of_line(R"(--speculative-config '{"method": "deepseek_mtp", "num_speculative_tokens": 1}')").drafts);
  EXPECT(serving_of_line("--speculative-config.method mtp").drafts);
  const reading ngram =
      read_vllm(R"(--speculative-config '{"method": "ngram", "prompt_lookup_max": 4}')", of(catalog::deepseek_v3));
  EXPECT(!ngram.deployment.workload.serve.drafts && ngram.without_meaning.size() == 2);
  EXPECT(!read_vllm("--kv-cache-dtype nvfp4", {}).ok());
  EXPECT(read_vllm("--kv-cache-dtype fp8", of(catalog::deepseek_v3_2)).deployment.workload.serve.cache == cache_format::fp8_ds_mla);
  // Whether the latter is the default depends on the release: what the base says.
  const deployment sparse{.model = catalog::deepseek_v3_2, .workload = serving{.cache = cache_format::fp8_ds_mla}};
  EXPECT(read_vllm("", sparse).deployment.workload.serve.cache == cache_format::fp8_ds_mla);
  EXPECT(read_vllm("--kv-cache-dtype bfloat16", sparse).deployment.workload.serve.cache == cache_format::bf16);
});

// config/quantization.py, _ONLINE_SHORTHANDS: a scale a tensor, 128 x 128 block or output; some for experts alone.
BOTH_TIMES("quantisation while a checkpoint is loaded", [] {
  const auto format = [](text line, weight_format base = weight_format::bf16) {
    return read_vllm(line, {.model = catalog::deepseek_v3, .workload = serving{.weights = base}}).deployment.workload.serve;
  };
  EXPECT(format("--quantization fp8").weights == weight_format::fp8_tensor);
  EXPECT(format("-q fp8", weight_format::fp8_block).weights == weight_format::fp8_block); // the checkpoint's own
  EXPECT(format("--quantization fp8_per_block").weights == weight_format::fp8_block);
  EXPECT(format("--quantization fp8_per_channel").weights == weight_format::fp8_channel);
  EXPECT(format("--quantization mxfp8").weights == weight_format::mxfp8);
  const serving experts = format("--quantization int8_per_channel_weight_only");
  EXPECT(experts.weights == weight_format::int8_channel && experts.quantised == quantised_parts::routed_experts);
  EXPECT(format("", weight_format::nvfp4).weights == weight_format::nvfp4);
  const reading awq = read_vllm("--quantization awq", of(catalog::deepseek_v3));
  EXPECT(awq.ok() && awq.without_meaning[0] == "--quantization");
});

BOTH_TIMES("what is kept while serving is written", [] {
  const writing w = write_vllm(served({tp{8}, dp{1}, ep{8}}, {.sequence_length = 4096,
                                                              .weights = weight_format::fp8_tensor,
                                                              .cache = cache_format::fp8,
                                                              .block_size = 64,
                                                              .windows = windowed_cache::all,
                                                              .step_tokens = 2048,
                                                              .linear_state = number_type::fp16,
                                                              .drafts = true}));
  EXPECT(w.complete());
  EXPECT(text{w.flags} ==
         "--tensor-parallel-size 8 --enable-expert-parallel --max-model-len 4096 --max-num-batched-tokens 2048 --quantization fp8 "
         "--kv-cache-dtype fp8 --block-size 64 --disable-hybrid-kv-cache-manager --mamba-ssm-cache-dtype float16 "
         "--speculative-config.method mtp");
  const auto first = [](const serving& v, const model& m = catalog::deepseek_v3) {
    return write_vllm(served({tp{8}, dp{1}, ep{8}}, v, m)).cannot_express[0];
  };
  constexpr text checkpoint =
      "weights: vLLM takes it from the checkpoint (one of 16 bits --quantization can quantise, under other names)";
  EXPECT(text{first({.sequence_length = 4096, .weights = weight_format::fp8_block})} == checkpoint);
  EXPECT(text{first({.sequence_length = 4096, .cache = cache_format::fp8}, catalog::deepseek_v3_2)} ==
         "cache: with a sparse indexer vLLM keeps a cache in FP8 as fp8_ds_mla");
  EXPECT(text{first({.sequence_length = 4096, .linear_state = number_type::fp8})} == "linear_state: vLLM has fp32, fp16 or bf16");
  EXPECT(text{first({.sequence_length = 4096, .absorbed_projections = true})} ==
         "absorbed_projections: a serving framework decides on them by itself, from the format of the weights");
});
