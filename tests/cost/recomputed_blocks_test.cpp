#include <moeplan/cost/recomputed_blocks.hpp>

#include <cstdint>
#include <initializer_list>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr flops_convention exact = flops_convention::exact();

constexpr block_flops<> blocks(const model& m) {
  return block_flops_of<count>(m, pass_tokens::whole_sequence(128), m.vocabulary_size, exact);
}

constexpr training selective(recompute_modules modules) {
  return {.recompute = recompute::selective, .recompute_modules = modules};
}

constexpr recompute_modules no_module{.core_attention = false};

constexpr bool is_nothing(const block_flops<>& b) {
  const flops<> nothing;
  return b.full_attention == nothing && b.windowed_attention == nothing && b.linear_attention == nothing &&
         b.dense_mlp == nothing && b.moe_mlp == nothing && b.mtp_input == nothing && b.head == nothing;
}

BOTH_TIMES("without recompute nothing is done again", [] {
  EXPECT(is_nothing(recomputed_blocks_of(blocks(catalog::deepseek_v3), {})));
  EXPECT(recomputed_blocks_of_stage(catalog::deepseek_v3, {.decoder_layers = 4}, {.dense_mlp = 4}, {}) == stage_blocks{});
});

BOTH_TIMES("full recompute does all again but the head", [] {
  const block_flops<> b = blocks(catalog::deepseek_v3);
  const block_flops<> again = recomputed_blocks_of(b, {.recompute = recompute::full});
  EXPECT(again.full_attention == b.full_attention);
  EXPECT(again.moe_mlp == b.moe_mlp && again.dense_mlp == b.dense_mlp && again.mtp_input == b.mtp_input);
  EXPECT(again.head == flops<>{});
});

BOTH_TIMES("selective recompute: the core attention by default", [] {
  const block_flops<> b = blocks(catalog::gpt_oss_120b);
  const block_flops<> again = recomputed_blocks_of(b, selective({}));
  EXPECT(again.full_attention == flops<>{.core_attention = b.full_attention.core_attention});
  EXPECT(again.windowed_attention == flops<>{.core_attention = b.windowed_attention.core_attention});
  EXPECT(again.moe_mlp == flops<>{} && again.head == flops<>{});
});

BOTH_TIMES("selective recompute knows no core of linear attention", [] {
  const block_flops<> b = blocks(catalog::qwen3_next_80b_a3b);
  EXPECT(b.linear_attention.delta_rule > 0);
  EXPECT(recomputed_blocks_of(b, selective({})).linear_attention == flops<>{});
});

BOTH_TIMES("each module by itself", [] {
  const block_flops<> b = blocks(catalog::deepseek_v3);
  recompute_modules only = no_module;
  only.mlp = true;
  EXPECT(recomputed_blocks_of(b, selective(only)).dense_mlp == b.dense_mlp);
  EXPECT(recomputed_blocks_of(b, selective(only)).moe_mlp == flops<>{});
  only = no_module;
  only.moe = true;
  EXPECT(recomputed_blocks_of(b, selective(only)).moe_mlp == b.moe_mlp); // the router too
  EXPECT(recomputed_blocks_of(b, selective(only)).dense_mlp == flops<>{});
  only = no_module;
  only.shared_experts = true;
  EXPECT(recomputed_blocks_of(b, selective(only)).moe_mlp == flops<>{.shared_experts = b.moe_mlp.shared_experts});
  only = no_module;
  only.latent_up_projection = true;
  // 128 tokens: queries 1536 x 128 x 192, keys and values 512 x 128 x 256.
  EXPECT(recomputed_blocks_of(b, selective(only)).full_attention ==
         flops<>{.attention_projections = 2LL * 128 * (1536LL * 128 * 192 + 512LL * 128 * 256)});
  only = no_module;
  only.moe_activation = true;
  only.layer_norm = true;
  EXPECT(is_nothing(recomputed_blocks_of(b, selective(only))));
});

BOTH_TIMES("shared experts in a checkpoint within a checkpoint are done again twice", [] {
  const block_flops<> b = blocks(catalog::deepseek_v3);
  recompute_modules both = no_module;
  both.moe = true;
  both.shared_experts = true;
  flops<> expected = b.moe_mlp;
  expected.shared_experts = 2 * b.moe_mlp.shared_experts;
  EXPECT(recomputed_blocks_of(b, selective(both)).moe_mlp == expected);
});

BOTH_TIMES("which layers of a stage", [] {
  const model& m = catalog::deepseek_v3;
  const stage_contents first{.first_layer = 0, .decoder_layers = 4, .embedding = true};
  const stage_contents last{.first_layer = 57, .decoder_layers = 4, .mtp_layers = 1, .loss = true};
  const stage_blocks all{.full_attention = 4, .dense_mlp = 3, .moe_mlp = 1};
  training t{.recompute = recompute::full};
  for (const std::int64_t group : {1, 3, 4, 100}) {
    t.recompute_layers = group;
    EXPECT(recomputed_blocks_of_stage(m, first, all, t) == all);
  }
  EXPECT(recomputed_blocks_of_stage(m, last, blocks_of_stage(m, last, 0, exact), t) ==
         stage_blocks{.full_attention = 5, .moe_mlp = 5, .mtp_input = 1, .heads = 2});
  t.recompute_method = recompute_method::block;
  t.recompute_layers = 2;
  EXPECT(recomputed_blocks_of_stage(m, first, all, t) == stage_blocks{.full_attention = 2, .dense_mlp = 2});
  EXPECT(recomputed_blocks_of_stage(m, last, blocks_of_stage(m, last, 0, exact), t) ==
         stage_blocks{.full_attention = 2, .moe_mlp = 2});
  for (const std::int64_t layers : {4, 5, 100}) {
    t.recompute_layers = layers;
    EXPECT(recomputed_blocks_of_stage(m, first, all, t) == all);
  }
  t = selective({});
  EXPECT(recomputed_blocks_of_stage(m, first, all, t) == all);
});

} // namespace
