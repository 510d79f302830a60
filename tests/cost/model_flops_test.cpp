#include <moeplan/cost/model_flops.hpp>

#include <cstdint>
#include <ostream>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/kimi.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/memory/parameters.hpp>

#include "cost/published_models.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr flops_convention megatron = flops_convention::megatron();

constexpr ratio per_token(const model& m, std::int64_t sequence_length) {
  return training_flops_per_token(m, sequence_length, megatron);
}

// Computed from Megatron-LM's formula by hand; published figures lie within 0.3% of them, as the next test shows.
BOTH_TIMES("FLOPs per token as Megatron-LM counts them", [] {
  EXPECT(per_token(deepseek_v3_without_mtp, 4096) == count{249'812'054'016});
  EXPECT(per_token(catalog::deepseek_v3, 4096) == count{259'992'950'784});
  EXPECT(per_token(catalog::deepseek_v2, 4096) == count{155'014'348'800});
  EXPECT(per_token(catalog::kimi_k2, 4096) == count{204'477'394'944});
  EXPECT(per_token(catalog::qwen3_235b_a22b, 4096) == count{148'034'813'952});
  EXPECT(per_token(catalog::qwen3_30b_a3b, 4096) == count{23'006'281'728});
  EXPECT(per_token(catalog::llama_3_1_70b, 8192) == count{449'222'541'312});
  EXPECT(per_token(catalog::llama_3_1_405b, 8192) == count{2'523'955'986'432});
  EXPECT(per_token(catalog::mixtral_8x22b, 4096) == count{242'167'578'624});
  EXPECT(per_token(catalog::mixtral_8x7b, 4096) == count{79'706'456'064});
  EXPECT(per_token(catalog::qwen2_57b_a14b, 4096) == count{84'653'506'560});
  EXPECT(per_token(gpt_175b, 2048) == count{1'061'947'441'152});
});

/// A published run: model TFLOP/s and tokens/s of one GPU, in whole numbers.
struct published_run {
  const model* trained = nullptr;
  std::int64_t tokens_per_second = 0;
  std::int64_t teraflops = 0;
};

// Megatron Bridge, performance summaries 25.11 and 26.02.01 (sequences of 4,096 tokens), and arXiv 2603.07685.
constexpr published_run published[] = {
    {&catalog::deepseek_v3, 4691, 1219},               // GB300, MXFP8
    {&catalog::deepseek_v3, 4021, 1046},               // GB200, MXFP8
    {&catalog::deepseek_v3, 3099, 806},                // B300, MXFP8
    {&catalog::deepseek_v3, 2790, 725},                // B200, MXFP8
    {&deepseek_v3_without_mtp, 3848, 961},             // GB300, BF16
    {&deepseek_v3_without_mtp, 3139, 782},             // GB200, BF16, PP 4
    {&deepseek_v3_without_mtp, 4018, 1003},            // GB200, MXFP8, PP 8
    {&catalog::deepseek_v3, 2139, 557},                // B200, MXFP8, with multi-token prediction
    {&catalog::qwen3_235b_a22b, 6583, 974},            // GB300, MXFP8
    {&catalog::qwen3_235b_a22b, 5530, 819},            // GB200, MXFP8
    {&catalog::qwen3_235b_a22b, 2644, 391},            // B300, MXFP8
    {&catalog::qwen3_235b_a22b, 1611, 238},            // H100, FP8
    {&catalog::qwen3_30b_a3b, 30411, 700},             // GB300, MXFP8
    {&catalog::qwen3_30b_a3b, 9058, 208},              // H100, FP8
    {&catalog::kimi_k2, 5072, 1037},                   // GB300, MXFP8
    {&gpt_oss_120b_counted_without_gates, 19366, 526}, // GB300, BF16
    {&gpt_oss_120b_counted_without_gates, 5984, 163},  // H100, BF16
    {&catalog::deepseek_v3, 4730, 1233},               // GB300 (arXiv 2603.07685)
    {&catalog::deepseek_v3, 4020, 1048},               // GB200 (arXiv 2603.07685)
    {&catalog::deepseek_v3, 1412, 368},                // H100 (arXiv 2603.07685)
};

constexpr bool within_three_in_a_thousand(const published_run& run) {
  const count counted = count{run.tokens_per_second} * per_token(*run.trained, 4096).numerator;
  const count stated = count{run.teraflops} * 1'000'000'000'000;
  const count difference = counted > stated ? counted - stated : stated - counted;
  return 1000 * difference < 3 * stated;
}

BOTH_TIMES("published TFLOP/s are published tokens/s times the FLOPs of a token, within 0.3%", [] {
  for (const published_run& run : published) EXPECT(within_three_in_a_thousand(run));
  EXPECT(sizeof published / sizeof published[0] == 20);
});

BOTH_TIMES("published figures tell multi-token prediction, and the gates of gpt-oss, apart", [] {
  EXPECT(!within_three_in_a_thousand({&catalog::deepseek_v3, 3848, 961}));
  EXPECT(!within_three_in_a_thousand({&deepseek_v3_without_mtp, 2139, 557}));
  EXPECT(!within_three_in_a_thousand({&catalog::gpt_oss_120b, 19366, 526}));
});

BOTH_TIMES("DeepSeek-V3 without a causal mask (arXiv 2505.09343, table 4)", [] {
  flops_convention non_causal = megatron;
  non_causal.pairs = counted_pairs::all;
  const flops<> causal = flops_per_sequence(deepseek_v3_without_mtp, 4096, megatron);
  const flops<> all = flops_per_sequence(deepseek_v3_without_mtp, 4096, non_causal);
  EXPECT(3 * causal.core_attention == count{4096} * 30'702'305'280);
  EXPECT(all.core_attention == 2 * causal.core_attention);
  EXPECT(3 * all.total() == count{4096} * 280'514'359'296);
});

// The classic form (arXiv 2104.04473, appendix): 72 L s h^2 (1 + s / 6h + V / 12hL) for a sequence, with all pairs.
constexpr count classic(const model& m, std::int64_t s) {
  const count h = m.hidden_size;
  const count layers = m.layers;
  return layers * (count{72} * s * h * h + count{12} * s * s * h) + count{6} * s * h * m.vocabulary_size;
}

BOTH_TIMES("GPT models have the classic form, with all pairs and nothing but matrices", [] {
  flops_convention all_pairs;
  all_pairs.pairs = counted_pairs::all;
  for (const model& m : {gpt_22b, gpt_175b, gpt_530b, gpt_1t})
    EXPECT(3 * flops_per_sequence(m, 2048, all_pairs).total() == classic(m, 2048));
});

BOTH_TIMES("what the two conventions count differently in DeepSeek-V3", [] {
  const model& m = catalog::deepseek_v3;
  const flops<> exact = flops_per_sequence(m, 4096);
  const flops<> counted = flops_per_sequence(m, 4096, megatron);
  EXPECT(exact.router == 2LL * 4096 * 59 * 256 * 7168);
  EXPECT(counted.router == 0);
  // Half of each token's pair with itself.
  EXPECT(exact.core_attention - counted.core_attention == 4096LL * 62 * 128 * 320);
  EXPECT(counted.attention_projections - exact.attention_projections == 2LL * 4096 * 62 * (1536 + 512));
  EXPECT(counted.mtp_projections - exact.mtp_projections == 2LL * 4096 * 3 * 7168);
  EXPECT(exact.routed_experts == counted.routed_experts && exact.shared_experts == counted.shared_experts);
  EXPECT(exact.dense_mlp == counted.dense_mlp && exact.head == counted.head);
});

BOTH_TIMES("multi-token prediction is a layer, a projection and a head more", [] {
  const flops<> with = flops_per_sequence(catalog::deepseek_v3, 4096);
  const flops<> without = flops_per_sequence(deepseek_v3_without_mtp, 4096);
  EXPECT(with == without + mtp_flops_per_sequence(catalog::deepseek_v3, 4096));
  EXPECT(mtp_flops_per_sequence(catalog::deepseek_v3, 4096).head == without.head);
  EXPECT(mtp_flops_per_sequence(deepseek_v3_without_mtp, 4096) == flops<>{});
});

// Six FLOPs a token for each active parameter, a rule of thumb (arXiv 2001.08361, section 2.1), which leaves out the core attention.
BOTH_TIMES("six times the active parameters, without core attention", [] {
  for (const model& m : {deepseek_v3_without_mtp, catalog::mixtral_8x22b, catalog::llama_3_1_70b, catalog::qwen2_57b_a14b}) {
    const parameter_counts<> p = parameters(m);
    const count no_matrices = p.embedding + p.attention_bias + p.qk_norm + p.router_bias + p.layer_norms + p.final_norm;
    const flops<> f = flops_per_sequence(m, 4096);
    EXPECT(3 * (f.total() - f.core_attention) == count{6} * 4096 * (p.active() - no_matrices));
  }
});

BOTH_TIMES("DeepSeek-V3: 219.75 GFLOP a token for 36.63 B active parameters without the embedding, 30.70 for causal core attention",
           [] {
             const model& m = deepseek_v3_without_mtp;
             const parameter_counts<> p = parameters(m);
             const count by_rule = count{6} * (p.active() - p.embedding);
             EXPECT(by_rule > 219'745'000'000 && by_rule < 219'755'000'000);
             // The rule counts routers, and norms and correction biases, which multiply no matrix.
             const count no_matrices = p.qk_norm + p.router_bias + p.layer_norms + p.final_norm;
             const count counted_norms = count{61} * (1536 + 512);
             const count others = count{6} * (p.router + no_matrices - counted_norms);
             EXPECT(count{6} * p.router == 638'582'784);
             EXPECT(per_token(m, 4096) == by_rule - others + 30'702'305'280);
           });

BOTH_TIMES("per token it is a fraction where the windows of a short sequence make it one", [] {
  const model& m = catalog::gpt_oss_20b;
  EXPECT(training_flops_per_token(m, 129).denominator != 1);
  EXPECT(training_flops_per_token(m, 129) * count{129} == 3 * flops_per_sequence(m, 129).total());
  EXPECT(training_flops_per_token(catalog::deepseek_v3, 4097).denominator == 1); // (s + 1) / 2 pairs, two FLOPs each
});

BOTH_TIMES("a prompt in two parts takes what it takes in one, and the logits and the prefix's up-projections once more", [] {
  const model& m = catalog::mixtral_8x7b;
  const flops<> logits{.head = count{2} * 4096 * 32000};
  EXPECT(prefill_flops(m, 700) + prefill_flops(m, 300, 700) == prefill_flops(m, 1000) + logits);
  const model& latent = catalog::deepseek_v3;
  const flops<> twice{.attention_projections = count{2} * 700 * 61 * 512 * 128 * 256, .head = count{2} * 7168 * 129280};
  EXPECT(prefill_flops(latent, 700) + prefill_flops(latent, 300, 700) == prefill_flops(latent, 1000) + twice);
});

BOTH_TIMES("serving leaves out multi-token prediction, and all logits but the last", [] {
  EXPECT(prefill_flops(catalog::deepseek_v3, 100) == prefill_flops(deepseek_v3_without_mtp, 100));
  EXPECT(prefill_flops(catalog::deepseek_v3, 100).head == 2LL * 7168 * 129280);
  EXPECT(decode_flops(catalog::deepseek_v3, 100) == decode_flops(deepseek_v3_without_mtp, 100));
  // Drafts do not.
  pass_tokens drafts = pass_tokens::next_token(100);
  drafts.multi_token_prediction = true;
  EXPECT(flops_of_pass(catalog::deepseek_v3, drafts).head == 2 * 2LL * 7168 * 129280);
});

BOTH_TIMES("a prompt of one token is a step of decoding, where attention has one form", [] {
  for (const model& m : {catalog::mixtral_8x7b, catalog::gpt_oss_20b, catalog::qwen3_next_80b_a3b, catalog::llama_4_scout}) {
    EXPECT(prefill_flops(m, 1, 9000) == decode_flops(m, 9000));
    EXPECT(decode_flops(m, 9000, 64) == count{64} * decode_flops(m, 9000));
  }
});

BOTH_TIMES("decoding DeepSeek-V3: absorbed, a token takes 576 + 512 multiply-adds a head and a token before it", [] {
  const flops<> f = decode_flops(catalog::deepseek_v3, 4095);
  EXPECT(f.core_attention == 2LL * 4096 * 61 * 128 * (576 + 512));
  EXPECT(f.attention_projections == 2LL * 61 * 187'105'280);
  EXPECT(f.routed_experts == 2LL * 58 * 8 * 44'040'192);
  EXPECT(f.shared_experts == 2LL * 58 * 44'040'192);
});

BOTH_TIMES("decoding looks back no further than windows, chunks, chosen tokens and states reach", [] {
  EXPECT(decode_flops(catalog::gpt_oss_20b, 9999).core_attention == 2LL * 2 * 64 * 64 * 12 * (10000 + 128));
  // Llama 4's chunks of 8,192 tokens: 9,999 is the 1,808th of the second.
  EXPECT(decode_flops(catalog::llama_4_scout, 9999).core_attention == 2LL * 2 * 40 * 128 * (12LL * 10000 + 36LL * 1808));
  const flops<> sparse = decode_flops(catalog::deepseek_v3_2, 99'999);
  EXPECT(sparse.core_attention == 2LL * 2048 * 61 * 128 * 1088);
  EXPECT(sparse.indexer_scores == 2LL * 100'000 * 61 * 64 * 128);
  const flops<> linear = decode_flops(catalog::qwen3_next_80b_a3b, 99'999);
  EXPECT(linear.delta_rule == 2LL * 36 * 32 * 3 * 128 * 128);
  EXPECT(linear.core_attention == 2LL * 100'000 * 12 * 2 * 16 * 256);
});

constexpr std::int64_t long_prompt = 100'000'000;

constexpr model all_windowed = [] {
  model m = catalog::llama_3_1_8b;
  m.attention.window = {.tokens = 4096, .full_layers = attention_window::no_layers()};
  return m;
}();

static_assert(!is_constant<decltype([] { return flops_per_sequence(catalog::llama_3_1_8b, long_prompt).core_attention; })>,
              "what does not fit is no constant expression");
// What no layer does may be as large as it likes.
static_assert(is_constant<decltype([] { return flops_per_sequence(all_windowed, long_prompt).core_attention; })>);

TEST_CASE("what does not fit into 64 bits saturates, component by component") {
  const flops<> f = flops_per_sequence(catalog::llama_3_1_405b, std::int64_t{1} << 30);
  CHECK(f.core_attention.overflowed());
  CHECK(f.total().overflowed());
  CHECK(!f.head.overflowed());
  CHECK(training_flops_per_token(catalog::llama_3_1_405b, std::int64_t{1} << 30).overflowed());
}

} // namespace
