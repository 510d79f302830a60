#include <moeplan/cost/least_serving_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/llama.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool near(double a, double b) { return a - b <= 1e-12 * b && b - a <= 1e-12 * b; }
constexpr bool near(const both_ways& a, const both_ways& b) { return near(a.sent, b.sent) && near(a.received, b.received); }
constexpr bool near(const link_bytes& a, const link_bytes& b) { return near(a.nvlink, b.nvlink) && near(a.network, b.network); }

constexpr deployment served(const model& m, const strategy& s, const serving& v, std::int64_t domain = 8) {
  return {.model = m, .cluster = {.gpus_per_node = domain, .nodes = 1}, .strategy = s, .workload = v};
}

constexpr link_bytes moe_layer(const deployment& d) { return least_serving_traffic{d}.of_blocks({.moe_mlp = 1}); }

// 16 tokens of 4,096 numbers in bf16.
constexpr double hidden = 16.0 * 4096 * 2;

BOTH_TIMES("sums of TP ranks", [] {
  const deployment d = served(catalog::llama_3_1_8b, {tp{4}, dp{1}}, {.batch = 16, .sequence_length = 1000});
  const least_serving_traffic t{d};
  EXPECT(near(t.of_blocks({.full_attention = 32, .dense_mlp = 32, .heads = 1}), {{64 * hidden, 64 * hidden}, {}}));
  EXPECT(t.of_blocks({.heads = 1}) == link_bytes{}); // Each draws the next token from its part.
  deployment prompt = d;
  prompt.workload.serve.step_tokens = 100;
  EXPECT(near(least_serving_traffic{prompt}.of_blocks({.dense_mlp = 1}).nvlink.sent, 100 * hidden));
});

// DeepSeek-V3 on 32 ranks of four nodes: a token's eight experts are on one rank at least.
BOTH_TIMES("tokens to their experts and back", [] {
  deployment d = served(catalog::deepseek_v3, {tp{4}, ep{32}, dp{8}}, {.batch = 64, .sequence_length = 1000});
  const double own = 64.0 * 7168 / 4; // of four TP ranks each sends a quarter
  EXPECT(near(moe_layer(d), {{own * 4 * 7 / 32, own * 4 * 7 / 32}, {own * 4 * 24 / 32, own * 4 * 24 / 32}}));
  d.workload.serve.weights = weight_format::fp8_block;
  EXPECT(near(moe_layer(d).network.sent, own * 3 * 24 / 32));
  d.workload.serve.weights = weight_format::nvfp4;
  EXPECT(near(moe_layer(d).network.sent, own * 2.5 * 24 / 32));
  d.workload.serve.weights = weight_format::int4_group128; // multiplied in bf16
  EXPECT(near(moe_layer(d).network.sent, own * 4 * 24 / 32));
  d.workload.serve.redundant_experts = 32;
  EXPECT(near(moe_layer(d).network.sent, own * 4 * 24 / 32));
  d.strategy = {ep{64}, dp{64}};
  d.workload.serve.redundant_experts = 0;
  EXPECT(near(moe_layer(d).nvlink.sent, (1 + 2) * 64.0 * 7168 * 2 * 7 / 64)); // once to two ranks, and a sum from each back
});

// A token's four experts of 128 are on one of eight ranks at least. All ranks may have all tokens, and get the sums; or each an eighth of the
// tokens, which go to their experts and come back.
BOTH_TIMES("experts without data-parallel attention", [] {
  deployment d = served(catalog::gpt_oss_120b, {tp{8}, ep{8}, dp{1}}, {.batch = 16, .sequence_length = 1000});
  const double all = 16.0 * 2880 * 2;
  EXPECT(near(moe_layer(d), {{all / 8, 2 * all / 8 * 7 / 8}, {}}));
  d.model.experts.top_k = 128; // all: there once to each of the others, and as many sums back
  EXPECT(near(moe_layer(d), {{(all + all / 8) * 7 / 8, (all + all / 8) * 7 / 8}, {}}));
});

BOTH_TIMES("inputs in the type that multiplies them, sums in bf16", [] {
  deployment d =
      served(catalog::llama_3_1_8b, {tp{4}, dp{1}}, {.batch = 16, .sequence_length = 1000, .weights = weight_format::fp8_tensor});
  const link_bytes both{{hidden / 8 + hidden * 3 / 4, hidden / 2 * 3 / 4 + hidden / 4}, {}};
  EXPECT(near(least_serving_traffic{d}.of_blocks({.dense_mlp = 1}), both));
  EXPECT(near(least_serving_traffic{d}.of_blocks({.full_attention = 1}), both));
  d.workload.serve.quantised = quantised_parts::mlps;
  EXPECT(near(least_serving_traffic{d}.of_blocks({.full_attention = 1}), {{hidden, hidden}, {}}));
  // DeepSeek-V3: latents of 2,112 numbers in place of 7,168.
  const deployment latent = served(catalog::deepseek_v3, {tp{8}, dp{1}}, {.batch = 16, .sequence_length = 1000});
  EXPECT(
      near(least_serving_traffic{latent}.of_blocks({.full_attention = 1}).nvlink.received, 16 * 2 * (2112.0 * 7 / 8 + 7168.0 / 8)));
});

BOTH_TIMES("stages", [] {
  const deployment d = served(catalog::llama_3_1_8b, {tp{8}, pp{4}, dp{1}}, {.batch = 16, .sequence_length = 1000});
  least_serving_traffic t{d};
  EXPECT(near(t.of_transfers(0), {{}, {hidden / 8, 0}}));
  t.begin(1);
  EXPECT(near(t.of_transfers(1), {{}, {hidden / 8, hidden / 8}}));
  t.begin(3);
  EXPECT(near(t.of_transfers(3), {{}, {0, hidden / 8}}));
  const deployment alone = served(catalog::llama_3_1_8b, {tp{8}, dp{1}}, {.batch = 16, .sequence_length = 1000});
  EXPECT(least_serving_traffic{alone}.of_transfers(0) == link_bytes{});
});

BOTH_TIMES("CP ranks divide tokens", [] {
  const deployment d = served(catalog::llama_3_1_8b, {tp{2}, cp{2}, dp{1}}, {.batch = 32, .sequence_length = 1000});
  EXPECT(near(least_serving_traffic{d}.of_blocks({.dense_mlp = 1}), {{hidden, hidden}, {}}));
});

} // namespace
