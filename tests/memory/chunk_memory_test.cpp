// Blocks with made-up sizes, so that sums can be read off; and a walk that goes through every layer by itself.
#include <moeplan/memory/chunk_memory.hpp>

#include <moeplan/catalog/deepseek.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// Kept, needed for weights, forward and backward peak; steps tell the blocks apart.
constexpr block_memories made_up{
    .embedding = {1, 0, 5, 6, 1, 2},
    .softmax_attention = {100, 30, 140, 180, 3, 4},
    .linear_attention = {70, 20, 90, 120, 5, 6},
    .dense_mlp = {300, 200, 390, 450, 7, 8},
    .moe_mlp = {1000, 700, 1900, 1700, 9, 10},
    .mtp_input = {40, 10, 60, 50, 11, 12},
    .head = {2000, 0, 2500, 2600, 13, 14},
    .residual = 10,
};

/// DeepSeek-V3's first three layers are dense, the others have experts.
constexpr model v3 = catalog::deepseek_v3;

constexpr chunk_memory chunk(const stage_contents& held, const training& t = {}, const model& m = v3,
                             const block_memories& b = made_up) {
  return chunk_memory_of(m, b, t, held, parts_of_stage(m, held));
}

constexpr stage_contents layers(std::int64_t first, std::int64_t number) {
  return {.first_layer = first, .decoder_layers = number};
}

BOTH_TIMES("equal layers keep as many times as much, and peak in the last", [] {
  const chunk_memory c = chunk(layers(4, 5));
  EXPECT(c.kept == 5 * 1100);
  EXPECT(c.for_weights == 5 * 730);
  EXPECT(c.forward_peak == 4 * 1100 + 100 + 1900);
  EXPECT(c.forward_at == work_place{block::moe_mlp, false, false, 8, 9});
  // The gradient of the last layer's output is the one that the next stage sent: the stage's buffers count it.
  EXPECT(c.backward_peak == 4 * 1100 + 100 + 1700 - 10);
  EXPECT(c.backward_at == work_place{block::moe_mlp, true, false, 8, 10});
});

BOTH_TIMES("the first stage: embedding, dense layers, then others", [] {
  const chunk_memory c = chunk({.decoder_layers = 4, .embedding = true});
  EXPECT(c.kept == 1 + 3 * 400 + 1100);
  EXPECT(c.forward_peak == 1 + 3 * 400 + 100 + 1900);
  EXPECT(c.forward_at.layer == 3);
  const chunk_memory dense = chunk({.decoder_layers = 2, .embedding = true});
  EXPECT(dense.kept == 1 + 2 * 400);
  EXPECT(dense.backward_peak == 1 + 400 + 100 + 450 - 10);
  EXPECT(dense.backward_at == work_place{block::dense_mlp, true, false, 1, 8});
});

BOTH_TIMES("the last stage: head and loss; its last layer's gradient is no other stage's", [] {
  const chunk_memory c = chunk({.first_layer = 59, .decoder_layers = 2, .loss = true});
  EXPECT(c.kept == 2 * 1100 + 2000);
  EXPECT(c.forward_peak == 2 * 1100 + 2500);
  EXPECT(c.forward_at == work_place{block::head, false, false, -1, 13});
  EXPECT(c.backward_peak == 2 * 1100 + 2600);
  block_memories small_head = made_up;
  small_head.head = {1, 0, 1, 1};
  EXPECT(chunk({.first_layer = 59, .decoder_layers = 2, .loss = true}, {}, v3, small_head).backward_peak == 1100 + 100 + 1700);
});

BOTH_TIMES("multi-token prediction: an input, a layer, and then a head for each besides the model's", [] {
  const chunk_memory c = chunk({.first_layer = 60, .decoder_layers = 1, .mtp_layers = 2, .loss = true});
  EXPECT(c.kept == 1100 + 2 * (40 + 1100) + 3 * 2000);
  EXPECT(c.for_weights == 730 + 2 * (10 + 730));
  EXPECT(c.forward_peak == 1100 + 2 * (40 + 1100) + 2 * 2000 + 2500);
  // A stage of its own has no head.
  const chunk_memory alone = chunk({.first_layer = 61, .mtp_layers = 1});
  EXPECT(alone.kept == 40 + 1100);
  EXPECT(alone.forward_at == work_place{block::moe_mlp, false, false, -1, 9});
});

BOTH_TIMES("a stage without layers keeps nothing", [] {
  EXPECT(chunk(layers(5, 0)).kept == 0);
  EXPECT(chunk(layers(5, 0)).forward_peak == 0);
  EXPECT(chunk({.embedding = true}).kept == 1);
  EXPECT(chunk({.embedding = true}).backward_at == work_place{block::embedding, true, false, -1, 2});
});

constexpr training full(recompute_method method, std::int64_t number) {
  return {.recompute = recompute::full, .recompute_method = method, .recompute_layers = number};
}

BOTH_TIMES("full recompute keeps the input of each group", [] {
  EXPECT(chunk(layers(4, 6), full(recompute_method::uniform, 1)).kept == 6 * 10);
  EXPECT(chunk(layers(4, 6), full(recompute_method::uniform, 2)).kept == 3 * 10);
  EXPECT(chunk(layers(4, 6), full(recompute_method::uniform, 4)).kept == 2 * 10);
  EXPECT(chunk(layers(4, 6), full(recompute_method::uniform, 100)).kept == 10);
  EXPECT(chunk(layers(0, 5), full(recompute_method::uniform, 2)).kept == 3 * 10);
  EXPECT(chunk(layers(0, 5), full(recompute_method::uniform, 2)).for_weights == 3 * 230 + 2 * 730);
});

BOTH_TIMES("in the backward pass a group is there as a whole, beside the inputs of those before", [] {
  const chunk_memory c = chunk(layers(4, 6), full(recompute_method::uniform, 2));
  // The last group: a layer that is kept, and a second one at work in its second forward pass; the gradient is in the buffers. The
  // group before needs as much, with its gradient and an input less, and of equal ones the first is named.
  EXPECT(c.backward_peak == 2 * 10 + 1100 + 100 + 1900);
  EXPECT(c.backward_at == work_place{block::moe_mlp, true, true, 7, 9});
  // In the first forward pass nothing is kept inside a group, and its widest block is at work beside the inputs of all groups.
  EXPECT(c.forward_peak == 3 * 10 + 1900);
  EXPECT(c.forward_at == work_place{block::moe_mlp, false, false, 9, 9});
});

BOTH_TIMES("a short last group leaves the peak with the one before it, whose gradient waits", [] {
  const chunk_memory c = chunk(layers(4, 7), full(recompute_method::uniform, 3));
  EXPECT(c.backward_peak == 10 + 2 * 1100 + 100 + 1900 + 10);
  EXPECT(c.backward_at == work_place{block::moe_mlp, true, true, 9, 9});
});

BOTH_TIMES("recompute of single layers takes the first of a stage; the others keep everything", [] {
  const chunk_memory c = chunk(layers(4, 6), full(recompute_method::block, 2));
  EXPECT(c.kept == 2 * 10 + 4 * 1100);
  EXPECT(c.backward_peak == 2 * 10 + 3 * 1100 + 100 + 1700 - 10);
  EXPECT(chunk(layers(4, 6), full(recompute_method::block, 0)).kept == chunk(layers(4, 6)).kept);
  EXPECT(chunk(layers(4, 6), full(recompute_method::block, 6)).kept == 6 * 10);
  EXPECT(chunk(layers(4, 6), full(recompute_method::block, 99)).kept == 6 * 10);
  EXPECT(chunk(layers(1, 4), full(recompute_method::block, 1)).kept == 10 + 400 + 2 * 1100);
});

BOTH_TIMES("uniform recompute computes a module of multi-token prediction again, from two inputs; by block it does not", [] {
  constexpr stage_contents last{.first_layer = 60, .decoder_layers = 1, .mtp_layers = 1, .loss = true};
  EXPECT(chunk(last, full(recompute_method::uniform, 1)).kept == 10 + 2 * 10 + 2 * 2000);
  EXPECT(chunk(last, full(recompute_method::block, 1)).kept == 10 + (40 + 1100) + 2 * 2000);
  // The module at work again: its input and attention kept, the MoE in its second forward pass, and the gradient of the output waits.
  const stage_contents alone{.first_layer = 61, .mtp_layers = 1};
  EXPECT(chunk(alone, full(recompute_method::uniform, 1)).backward_peak == 40 + 100 + 1900 + 10);
});

/// Qwen3-Next's pattern: one layer in four has softmax attention.
constexpr model linear_and_softmax = [] {
  model m = catalog::deepseek_v3;
  m.layers = 12;
  m.experts.layers = layer_set::all();
  m.linear_attention = {.key_heads = 1,
                        .value_heads = 1,
                        .key_head_dim = 1,
                        .value_head_dim = 1,
                        .convolution = 4,
                        .softmax_layers = layer_set::every_nth(4, 3)};
  return m;
}();

BOTH_TIMES("two kinds of attention", [] {
  EXPECT(chunk(layers(0, 12), {}, linear_and_softmax).kept == 3 * 100 + 9 * 70 + 12 * 1000);
  EXPECT(chunk(layers(0, 3), {}, linear_and_softmax).kept == 3 * 70 + 3 * 1000);
  EXPECT(chunk(layers(3, 1), {}, linear_and_softmax).forward_peak == 100 + 1900);
});

/// The same chunk, layer by layer: what a stage of unequal layers and one of equal layers have in common.
struct slow_walk {
  saturating_count kept{};
  saturating_count for_weights{};
  saturating_count forward_peak{};
  saturating_count backward_peak{};
  saturating_count widest{}; ///< of the blocks' forward passes

  constexpr void higher(saturating_count forward, saturating_count backward) {
    if (forward > forward_peak) forward_peak = forward;
    if (backward > backward_peak) backward_peak = backward;
  }
  constexpr void pass(const block_memory& b, std::int64_t less = 0) {
    higher(kept + b.forward_peak, kept + b.backward_peak - less);
    if (b.forward_peak > widest) widest = b.forward_peak;
    kept += b.kept;
    for_weights += b.for_weights;
  }
  constexpr void layer(const model& m, std::int64_t i, std::int64_t less) {
    pass(m.has_linear_attention(i) ? made_up.linear_attention : made_up.softmax_attention);
    pass(m.has_experts(i) ? made_up.moe_mlp : made_up.dense_mlp, less);
  }
};

constexpr chunk_memory slowly(const model& m, const stage_contents& held, const training& t) {
  slow_walk all;
  if (held.embedding) all.pass(made_up.embedding);
  const std::int64_t end = held.first_layer + held.decoder_layers;
  std::int64_t i = held.first_layer;
  while (i < end) {
    const bool by_block = t.recompute_method == recompute_method::block;
    const bool again = t.recompute == recompute::full && (!by_block || i < held.first_layer + t.recompute_layers);
    const std::int64_t size = again && !by_block ? t.recompute_layers : 1;
    const std::int64_t group_end = i + size < end ? i + size : end;
    const auto less = [&](std::int64_t layer) { return layer == end - 1 && !held.loss ? 10 : 0; };
    if (!again) {
      all.layer(m, i, less(i));
    } else {
      slow_walk group{.kept = all.kept};
      for (std::int64_t layer = i; layer < group_end; ++layer) group.layer(m, layer, less(layer));
      all.higher(all.kept + 10 + group.widest, group.backward_peak);
      all.higher(0, group.forward_peak + 10 - less(group_end - 1));
      all.kept += 10;
      all.for_weights += group.for_weights;
    }
    i = group_end;
  }
  if (held.loss) all.pass(made_up.head);
  return {all.kept, all.for_weights, all.forward_peak, all.backward_peak};
}

constexpr bool same_sizes(const chunk_memory& a, const chunk_memory& b) {
  return a.kept == b.kept && a.for_weights == b.for_weights && a.forward_peak == b.forward_peak &&
         a.backward_peak == b.backward_peak;
}

constexpr bool same_in_stages_of(const model& m, const training& t) {
  bool same = true;
  for (const std::int64_t number : {1, 2, 3, 5, 8})
    for (const std::int64_t first : {0, 2, 4}) {
      const stage_contents held{.first_layer = first, .decoder_layers = number, .embedding = first == 0, .loss = number == 8};
      same = same && same_sizes(chunk(held, t, m), slowly(m, held, t));
    }
  return same;
}

BOTH_TIMES("stages of any kind are what a walk through every layer says", [] {
  EXPECT(same_in_stages_of(v3, {}));
  EXPECT(same_in_stages_of(linear_and_softmax, {}));
});

BOTH_TIMES("so are they with full recompute in groups", [] {
  for (const std::int64_t group : {1, 2, 3, 5}) {
    EXPECT(same_in_stages_of(v3, full(recompute_method::uniform, group)));
    EXPECT(same_in_stages_of(linear_and_softmax, full(recompute_method::uniform, group)));
  }
});

BOTH_TIMES("and with full recompute of some layers", [] {
  for (const std::int64_t number : {1, 3}) {
    EXPECT(same_in_stages_of(v3, full(recompute_method::block, number)));
    EXPECT(same_in_stages_of(linear_and_softmax, full(recompute_method::block, number)));
  }
});

BOTH_TIMES("what overflows says so", [] {
  block_memories huge = made_up;
  huge.moe_mlp.kept = std::int64_t{1} << 62;
  const chunk_memory c = chunk(layers(4, 5), {}, v3, huge);
  EXPECT(c.kept.overflowed() && c.forward_peak.overflowed() && c.backward_peak.overflowed());
});

} // namespace
