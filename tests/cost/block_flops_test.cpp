#include <moeplan/cost/block_flops.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr flops_convention exact = flops_convention::exact();
constexpr flops_convention megatron = flops_convention::megatron();

constexpr stage_blocks blocks(const model& m, const strategy& s, const layout& l, std::int64_t stage) {
  return blocks_of_stage(m, contents(m, s, l, stage), 0, exact);
}

BOTH_TIMES("DeepSeek-V3 on 16 stages", [] {
  const strategy s{pp{16}, dp{1}};
  const layout l = layout::stages({15, 4}, {1, 1});
  EXPECT(blocks(catalog::deepseek_v3, s, l, 0) == stage_blocks{.full_attention = 4, .dense_mlp = 3, .moe_mlp = 1});
  EXPECT(blocks(catalog::deepseek_v3, s, l, 7) == stage_blocks{.full_attention = 4, .moe_mlp = 4});
  // The module's layer and head beside the main model's.
  EXPECT(blocks(catalog::deepseek_v3, s, l, 15) == stage_blocks{.full_attention = 2, .moe_mlp = 2, .mtp_input = 1, .heads = 2});
});

BOTH_TIMES("windows in every other layer of gpt-oss", [] {
  EXPECT(blocks_of_layers(catalog::gpt_oss_120b, 0, 36) ==
         stage_blocks{.full_attention = 18, .windowed_attention = 18, .moe_mlp = 36});
  EXPECT(blocks_of_layers(catalog::gpt_oss_120b, 4, 7) == stage_blocks{.full_attention = 1, .windowed_attention = 2, .moe_mlp = 3});
});

BOTH_TIMES("linear attention in three of four layers of Qwen3-Next, and windows in the others", [] {
  model m = catalog::qwen3_next_80b_a3b;
  EXPECT(blocks_of_layers(m, 0, 48) == stage_blocks{.full_attention = 12, .linear_attention = 36, .moe_mlp = 48});
  m.attention.window = {.tokens = 64, .full_layers = layer_set::every_nth(8, 7)};
  EXPECT(blocks_of_layers(m, 0, 48) ==
         stage_blocks{.full_attention = 6, .windowed_attention = 6, .linear_attention = 36, .moe_mlp = 48});
  EXPECT(blocks_of_layers(m, 3, 8) ==
         stage_blocks{.full_attention = 1, .windowed_attention = 1, .linear_attention = 3, .moe_mlp = 5});
});

BOTH_TIMES("modules for multi-token prediction go on with the pattern where the convention says so", [] {
  model m = catalog::qwen3_next_80b_a3b;
  m.mtp_layers = 5; // They would be layers 48 to 52, of which 51 has softmax attention.
  EXPECT(blocks_of_mtp(m, 0, 5, exact) == stage_blocks{.full_attention = 5, .moe_mlp = 5, .mtp_input = 5});
  EXPECT(blocks_of_mtp(m, 0, 5, megatron) ==
         stage_blocks{.full_attention = 1, .linear_attention = 4, .moe_mlp = 5, .mtp_input = 5});
  EXPECT(blocks_of_mtp(m, 2, 2, megatron) ==
         stage_blocks{.full_attention = 1, .linear_attention = 1, .moe_mlp = 2, .mtp_input = 2});
  EXPECT(blocks_of_mtp(catalog::deepseek_v3, 0, 1, megatron) == stage_blocks{.full_attention = 1, .moe_mlp = 1, .mtp_input = 1});
});

BOTH_TIMES("heads are with the loss, wherever the modules are", [] {
  model m = catalog::deepseek_v3;
  m.mtp_layers = 2;
  const strategy s{pp{2}, dp{1}};
  layout l = layout::stages({1, 30, 2}, {1, 31});
  l.places_mtp = true;
  EXPECT(blocks(m, s, l, 0) == stage_blocks{.full_attention = 32, .dense_mlp = 3, .moe_mlp = 29, .mtp_input = 2});
  EXPECT(blocks(m, s, l, 1) == stage_blocks{.full_attention = 31, .moe_mlp = 31, .heads = 3});
});

BOTH_TIMES("a whole model is its stages together, by default with its modules", [] {
  const model& m = catalog::deepseek_v3;
  EXPECT(blocks_of_model(m, true, exact) ==
         stage_blocks{.full_attention = 62, .dense_mlp = 3, .moe_mlp = 59, .mtp_input = 1, .heads = 2});
  EXPECT(blocks_of_model(m, false, exact) == stage_blocks{.full_attention = 61, .dense_mlp = 3, .moe_mlp = 58, .heads = 1});
  EXPECT(blocks_of_model(catalog::llama_3_1_8b, true, exact) == stage_blocks{.full_attention = 32, .dense_mlp = 32, .heads = 1});
});

BOTH_TIMES("blocks of gpt-oss for 1,000 tokens", [] {
  const model& m = catalog::gpt_oss_120b;
  const auto b = block_flops_of<count>(m, pass_tokens::whole_sequence(1000), m.vocabulary_size, exact);
  EXPECT(b.full_attention.core_attention == 1000LL * 1001 * 64 * 2 * 64);
  // 128 x 129 / 2 pairs until the window is full, then 128 for each token.
  EXPECT(b.windowed_attention.core_attention == (128LL * 129 + 2LL * 128 * 872) * 64 * 2 * 64);
  EXPECT(b.full_attention.attention_projections == b.windowed_attention.attention_projections);
  EXPECT(b.moe_mlp.router == 2LL * 1000 * 2880 * 128);
  EXPECT(b.moe_mlp.routed_experts == 2LL * 1000 * 4 * 3 * 2880 * 2880);
  EXPECT(b.moe_mlp.shared_experts == 0);
  EXPECT(b.head.head == 2LL * 1000 * 2880 * 201088);
  EXPECT(b.linear_attention == flops<>{});
  const auto without = block_flops_of<count>(m, pass_tokens::whole_sequence(1000), m.vocabulary_size, megatron);
  EXPECT(without.windowed_attention.core_attention == 1000LL * 1000 * 64 * 2 * 64);
  EXPECT(without.moe_mlp.router == 0);
});

BOTH_TIMES("an indexer scores all tokens before, and attention takes those that it chooses", [] {
  const model& m = catalog::deepseek_v3_2;
  const auto b = block_flops_of<count>(m, pass_tokens::whole_sequence(4096), m.vocabulary_size, exact);
  EXPECT(b.full_attention.indexer_scores == 4096LL * 4097 * 64 * 128);
  EXPECT(b.full_attention.core_attention == (2048LL * 2049 + 2 * 2048LL * 2048) * 128 * 320);
  EXPECT(b.full_attention.indexer_projections == 2LL * 4096 * (1536 * 64 * 128 + 7168 * 192));
  // The warm-up with dense attention, in which the indexer learns (arXiv 2512.02556, section 2.1.1).
  flops_convention dense = exact;
  dense.windows = false;
  const auto warm_up = block_flops_of<count>(m, pass_tokens::whole_sequence(4096), m.vocabulary_size, dense);
  EXPECT(warm_up.full_attention.core_attention == 4096LL * 4097 * 128 * 320);
  EXPECT(warm_up.full_attention.indexer_scores == b.full_attention.indexer_scores);
  const auto absent = block_flops_of<count>(m, pass_tokens::whole_sequence(4096), m.vocabulary_size, megatron);
  EXPECT(absent.full_attention.indexer_scores == 0);
  EXPECT(absent.full_attention.indexer_projections == 0);
});

BOTH_TIMES("norms that Megatron-LM counts: a multiply-add an element", [] {
  const model& m = catalog::deepseek_v3;
  const pass_tokens pass = pass_tokens::whole_sequence(16);
  const auto a = block_flops_of<count>(m, pass, m.vocabulary_size, exact);
  const auto b = block_flops_of<count>(m, pass, m.vocabulary_size, megatron);
  EXPECT(b.full_attention.attention_projections - a.full_attention.attention_projections == 2LL * 16 * (1536 + 512));
  EXPECT(b.mtp_input.mtp_projections == 2LL * 16 * (2 * 7168 * 7168 + 3 * 7168));
  EXPECT(a.mtp_input.mtp_projections == 2LL * 16 * 2 * 7168 * 7168);
});

BOTH_TIMES("the head's vocabulary is what the caller says, and its tokens those with logits", [] {
  const auto b = block_flops_of<count>(catalog::deepseek_v3, {.tokens = 10, .logits = 3}, count{1000}, exact);
  EXPECT(b.head.head == 2 * 3 * 7168 * 1000);
});

} // namespace
