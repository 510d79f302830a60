#include <moeplan/dialect/sglang.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr strategy strategy_of(text flags, const model& m = catalog::deepseek_v3) {
  return read_sglang(flags, {.model = m}).deployment.strategy;
}

constexpr serving serving_of_line(text flags) {
  return read_sglang(flags, {.model = catalog::deepseek_v3}).deployment.workload.serve;
}

constexpr deployment served(const strategy& s, const serving& v = {.sequence_length = 4096}) {
  return {.model = catalog::deepseek_v3, .strategy = s, .workload = v};
}

constexpr strategy all(tp t, dp d, ep e, etp x, cp c = {}, pp p = {}) { return {t, d, e, x, c, p, vpp{1}, sp{1}}; }

} // namespace

// Of an issue's launch line (sgl-project/sglang#6017): 16 GPUs, attention wholly data-parallel, EP 16, 256 + 32 slots for experts.
BOTH_TIMES("a whole launch line", [] {
  const reading r = read_sglang(
      "python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3 --disaggregation-mode decode --dist-timeout 3600 "
      "--host 127.0.0.1 --port 40000 --trust-remote-code --dist-init-addr 127.0.0.1:5757 --nnodes 2 --node-rank 0 --tp-size 16 "
      "--dp-size 16 --enable-dp-attention --enable-deepep-moe --deepep-mode low_latency --mem-fraction-static 0.846 "
      "--chunked-prefill-size 81920 --max-running-requests 4096 --context-length 4096 --ep-num-redundant-experts 32 "
      "--enable-two-batch-overlap --moe-dense-tp-size 1 --cuda-graph-bs 256 --disable-radix-cache --decode-log-interval 1",
      {.model = catalog::deepseek_v3});
  EXPECT(r.ok());
  EXPECT(r.deployment.strategy == all(tp{1}, dp{16}, ep{16}, etp{1}));
  EXPECT(r.deployment.workload.serve == serving{.batch = 256, // 4096 for 16 ranks
                                                .sequence_length = 4096,
                                                .redundant_experts = 32,
                                                .block_size = 1,
                                                .step_tokens = 5120}); // 81920 for 16 ranks
  EXPECT(r.model_name == "deepseek-ai/DeepSeek-V3");
});

// server_args.py and layers/dp_attention.py: attn_tp = tp / (dp x attn_cp); moe_tp = tp / (moe_dp x ep).
BOTH_TIMES("tp-size is the whole stage", [] {
  EXPECT(strategy_of("--tp 8") == all(tp{8}, dp{1}, ep{1}, etp{8}));
  EXPECT(strategy_of("--tp 8 --ep 8") == all(tp{8}, dp{1}, ep{8}, etp{1}));
  EXPECT(strategy_of("--tp 8 --ep 2") == all(tp{8}, dp{1}, ep{2}, etp{4}));
  EXPECT(strategy_of("--tp 16 --dp 4 --enable-dp-attention --ep 16") == all(tp{4}, dp{4}, ep{16}, etp{1}));
  EXPECT(strategy_of("--tp 8 --attn-cp-size 2 --moe-dp-size 2 --ep 4") == all(tp{4}, dp{1}, ep{4}, etp{1}, cp{2}));
  EXPECT(strategy_of("--tp 8 --pp 2")[axis::pp] == 2);
});

BOTH_TIMES("without DP attention dp-size counts copies of the server", [] {
  EXPECT(strategy_of("--tp 4 --dp 2") == all(tp{4}, dp{2}, ep{1}, etp{4}));
  EXPECT(strategy_of("--tp 4 --dp 2 --ep 4") == all(tp{4}, dp{2}, ep{4}, etp{1}));
  EXPECT(strategy_of("--tp 4 --dp 1 --enable-dp-attention") == all(tp{4}, dp{1}, ep{1}, etp{4})); // dp-size 1 switches it off
  EXPECT(strategy_of("--tp 4 --dp 2", catalog::llama_3_1_8b) == all(tp{4}, dp{2}, ep{1}, etp{1}));
  EXPECT(serving_of_line("--tp 4 --dp 2").data_parallelism == data_parallelism::replicas);
  EXPECT(serving_of_line("--tp 4 --dp 2 --enable-dp-attention").data_parallelism == data_parallelism::attention);
  EXPECT(serving_of_line("--tp 4").data_parallelism == data_parallelism::attention); // nothing is parallel
});

// SGLang's test of --attn-dp-size (sgl-project/sglang#41818): --dp-size N --enable-dp-attention is --attn-dp-size N, next to it the
// switch is redundant, and replicas cannot be combined with it.
BOTH_TIMES("attention data parallelism in newer words", [] {
  EXPECT(strategy_of("--tp 8 --attn-dp-size 4") == strategy_of("--tp 8 --dp 4 --enable-dp-attention"));
  EXPECT(strategy_of("--tp 4 --attention-data-parallel-size 2 --enable-dp-attention") == all(tp{2}, dp{2}, ep{1}, etp{4}));
  EXPECT(serving_of_line("--tp 4 --attn-dp-size 2").data_parallelism == data_parallelism::attention);
  EXPECT(strategy_of("--tp 4 --dp 2 --attn-dp-size 1") == strategy_of("--tp 4 --dp 2"));
  const reading both = read_sglang("--tp 4 --dp-size 2 --attn-dp-size 2", {.model = catalog::deepseek_v3});
  EXPECT(!both.ok() && both.error.found == "2" && both.error.position == 17);
});

// arg_groups/fields/parallel.py and exec_.py; parallel_hook.py, handle_elastic_ep.
BOTH_TIMES("decode context parallelism and elastic expert parallelism", [] {
  EXPECT(serving_of_line("--tp 8 --dcp-size 4").decode_context == 4);
  EXPECT(serving_of_line("--tp 8 --decode-context-parallel-size 8").decode_context == 8);
  EXPECT(strategy_of("--tp 8 --dcp-size 4") == strategy_of("--tp 8"));
  EXPECT(serving_of_line("--tp 4 --elastic-ep-backend mooncake --max-ep-size 8").elastic_ep);
  EXPECT(!serving_of_line("--tp 4 --elastic-ep-backend none").elastic_ep);
  EXPECT(!serving_of_line("--tp 4").elastic_ep);
  EXPECT(
      text{write_sglang(served({tp{8}, dp{1}, ep{8}}, {.sequence_length = 4096, .decode_context = 4, .elastic_ep = true})).flags} ==
      "--tp-size 8 --dcp-size 4 --ep-size 8 --elastic-ep-backend mooncake --context-length 4096 --page-size 16");
});

// arg_groups/overrides.py, _A2A_EP_SPANNING_BACKENDS
BOTH_TIMES("an all-to-all backend spreads experts over all ranks", [] {
  EXPECT(strategy_of("--tp 8 --moe-a2a-backend deepep")[axis::ep] == 8);
  EXPECT(strategy_of("--tp 8 --ep 4 --moe-a2a-backend deepep")[axis::ep] == 8);
  EXPECT(strategy_of("--tp 8 --ep 4 --moe-a2a-backend none")[axis::ep] == 4);
});

BOTH_TIMES("what does not divide is no degree", [] {
  const reading attention = read_sglang("--tp 10 --dp 4 --enable-dp-attention", {.model = catalog::deepseek_v3});
  EXPECT(!attention.ok() && attention.error.found == "10" && attention.error.position == 5);
  const reading experts = read_sglang("--tp 8 --ep 3", {.model = catalog::deepseek_v3});
  EXPECT(!experts.ok() && experts.error.found == "3" && experts.error.position == 12);
  EXPECT(read_sglang("--tp 8 --ep 0", {.model = catalog::deepseek_v3}).deployment.strategy[axis::ep] == 0); // for check to judge
});

BOTH_TIMES("flags", [] {
  EXPECT(text{write_sglang(served({tp{4}, dp{4}, ep{16}})).flags} ==
         "--tp-size 16 --dp-size 4 --enable-dp-attention --ep-size 16 --context-length 4096 --page-size 16");
  const serving replicas{.sequence_length = 4096, .data_parallelism = data_parallelism::replicas};
  EXPECT(text{write_sglang(served({tp{4}, dp{2}, ep{4}}, replicas)).flags} ==
         "--tp-size 4 --dp-size 2 --ep-size 4 --context-length 4096 --page-size 16");
  EXPECT(text{write_sglang(served({tp{4}, dp{2}, cp{2}, ep{4}}, replicas)).flags} ==
         "--tp-size 8 --dp-size 2 --attn-cp-size 2 --ep-size 4 --moe-dp-size 2 --context-length 4096 --page-size 16");
  EXPECT(text{write_sglang(served({tp{4}, dp{1}, cp{2}, ep{4}})).flags} ==
         "--tp-size 8 --attn-cp-size 2 --ep-size 4 --moe-dp-size 2 --context-length 4096 --page-size 16");
  // The online decode of February 2025: 256 requests on each of 144 ranks are 36,864.
  EXPECT(text{write_sglang(served({dp{144}, ep{144}}, {.batch = 256, .sequence_length = 4096, .redundant_experts = 32})).flags} ==
         "--tp-size 144 --dp-size 144 --enable-dp-attention --ep-size 144 --enable-eplb --ep-num-redundant-experts 32 "
         "--max-running-requests 36864 --context-length 4096 --page-size 16");
});

BOTH_TIMES("what SGLang cannot express", [] {
  const auto first = [](const deployment& d) { return write_sglang(d).cannot_express[0]; };
  EXPECT(text{first(served({tp{4}, sp{4}, dp{80}, ep{320}}))} == "sp 4: SGLang has no sequence parallelism to switch on");
  EXPECT(text{first(served({dp{8}, ep{4}}))} ==
         "edp 2: SGLang has as many copies of the experts as attention has CP ranks, or one");
  EXPECT(text{first(served({tp{8}, dp{1}, ep{8}}, {.sequence_length = 4096, .decode_context = 3}))} ==
         "decode_context 3: in SGLang they are ranks of attention TP, in groups of one size; TP is 8");
  EXPECT(text{first(served({dp{1}, vpp{2}}))} == "vpp 2: SGLang gives each pipeline rank one stage");
  EXPECT(text{first({.model = catalog::mixtral_8x7b, .strategy = {dp{1}}})} == "training: SGLang serves");
});

// server_args.py: page_size 1 by itself, chunked_prefill_size // dp_size with DP attention, NEXTN and EAGLE for one another.
BOTH_TIMES("what is kept while serving", [] {
  EXPECT(serving_of_line("--tp 8").block_size == 1);
  EXPECT(serving_of_line("--tp 8 --page-size 64").block_size == 64);
  EXPECT(serving_of_line("--tp 8 --chunked-prefill-size 8192").step_tokens == 8192);
  EXPECT(serving_of_line("--tp 8 --dp 4 --enable-dp-attention --chunked-prefill-size 8192").step_tokens == 2048);
  EXPECT(serving_of_line("--tp 8 --dp 4 --chunked-prefill-size 8192").step_tokens == 8192); // of each replica
  const reading whole = read_sglang("--tp 8 --chunked-prefill-size -1", {.model = catalog::deepseek_v3});
  EXPECT(whole.deployment.workload.serve.step_tokens == 1 && whole.without_meaning[0] == "--chunked-prefill-size");
  EXPECT(serving_of_line("--tp 8").cache == cache_format::bf16);
  EXPECT(serving_of_line("--tp 8 --kv-cache-dtype fp8_e4m3").cache == cache_format::fp8);
  EXPECT(!read_sglang("--kv-cache-dtype fp4_e2m1", {}).ok());
  EXPECT(serving_of_line("--tp 8 --disable-hybrid-swa-memory").windows == windowed_cache::all);
  EXPECT(serving_of_line("--tp 8 --speculative-algorithm NEXTN").drafts);
  EXPECT(serving_of_line("--tp 8 --speculative-algorithm EAGLE --speculative-num-steps 3").drafts);
  const reading eagle = read_sglang("--tp 8 --speculative-algorithm EAGLE --speculative-draft-model-path a/b", {});
  EXPECT(!eagle.deployment.workload.serve.drafts && eagle.without_meaning.size() == 2);
  const auto state = [](text line) {
    return read_sglang(line, {.model = catalog::qwen3_next_80b_a3b}).deployment.workload.serve.linear_state;
  };
  EXPECT(state("--tp 8") == number_type::fp32);
  EXPECT(state("--tp 8 --mamba-ssm-dtype bfloat16") == number_type::bf16);
  EXPECT(serving_of_line("--tp 8").linear_state == number_type::bf16); // there is none
});

BOTH_TIMES("what is kept while serving is written", [] {
  const writing w = write_sglang(served({tp{2}, dp{4}, ep{8}}, {.sequence_length = 4096,
                                                                .cache = cache_format::fp8,
                                                                .block_size = 1,
                                                                .windows = windowed_cache::all,
                                                                .step_tokens = 2048,
                                                                .linear_state = number_type::fp32,
                                                                .drafts = true}));
  EXPECT(w.complete());
  EXPECT(text{w.flags} ==
         "--tp-size 8 --dp-size 4 --enable-dp-attention --ep-size 8 --context-length 4096 --chunked-prefill-size 8192 "
         "--kv-cache-dtype fp8_e4m3 --disable-hybrid-swa-memory --mamba-ssm-dtype float32 --speculative-algorithm NEXTN");
  const auto first = [](const serving& v) { return write_sglang(served({tp{8}, dp{1}, ep{8}}, v)).cannot_express[0]; };
  EXPECT(text{first({.sequence_length = 4096, .weights = weight_format::fp8_block})} ==
         "weights: SGLang takes it from the checkpoint");
  EXPECT(text{first({.sequence_length = 4096, .quantised = quantised_parts::mlps})} ==
         "quantised: SGLang takes it from the checkpoint");
  EXPECT(text{first({.sequence_length = 4096, .cache = cache_format::fp8_ds_mla})} == "cache: SGLang has no name for it");
  EXPECT(text{first({.sequence_length = 4096, .linear_state = number_type::int8})} ==
         "linear_state: SGLang has fp32, fp16 or bf16");
  EXPECT(text{first({.sequence_length = 4096, .absorbed_projections = true})} ==
         "absorbed_projections: a serving framework decides on them by itself, from the format of the weights");
  EXPECT(text{first({.sequence_length = 4096, .reserve = bytes{9}})} ==
         "reserve_bytes 9: it is set aside by whoever reckons, not launched");
});
