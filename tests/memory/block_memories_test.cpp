// What the tables of tensors say is tested in tests/memory/tensors; here, which of them a model has.
#include <moeplan/memory/block_memories.hpp>

#include <moeplan/catalog/qwen.hpp>

#include "memory/tensors/tables.hpp"
#include "support/both_times.hpp"

#include <string_view>

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr training run{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all};
constexpr strategy one_gpu{tp{1}, dp{1}};

constexpr block_memories memories(const model& m, const training& t = run, const strategy& s = one_gpu) {
  return block_memories_of(m, shape_of(m, s, t));
}

BOTH_TIMES("a dense model has no experts, and neither linear attention nor multi-token prediction unless it says so", [] {
  const block_memories b = memories(catalog::llama_3_1_8b);
  EXPECT(b.moe_mlp == block_memory{});
  EXPECT(b.linear_attention == block_memory{});
  EXPECT(b.mtp_input == block_memory{});
  EXPECT(b.dense_mlp.kept > 0 && b.softmax_attention.kept > 0 && b.head.kept > 0 && b.embedding.kept > 0);
});

BOTH_TIMES("each block is what its table says", [] {
  for (const model& m : {catalog::deepseek_v3, catalog::llama_3_1_8b, catalog::qwen3_next_80b_a3b}) {
    const activation_shape s = shape_of(m, one_gpu, run);
    const block_memories b = block_memories_of(m, s);
    EXPECT(b.embedding == memory_of(block::embedding, s));
    EXPECT(b.softmax_attention == memory_of(block::softmax_attention, s));
    EXPECT(b.head == memory_of(block::head, s));
    if (m.has_linear_attention()) EXPECT(b.linear_attention == memory_of(block::linear_attention, s));
    if (m.dense_layers() > 0) EXPECT(b.dense_mlp == memory_of(block::dense_mlp, s));
    if (m.has_experts()) EXPECT(b.moe_mlp == memory_of(block::moe_mlp, s));
    if (m.mtp_layers > 0) EXPECT(b.mtp_input == memory_of(block::mtp_input, s));
  }
});

BOTH_TIMES("a model of MoE layers alone has no dense MLP", [] {
  model m = catalog::deepseek_v3;
  m.experts.layers = layer_set::all();
  EXPECT(memories(m).dense_mlp == block_memory{});
  EXPECT(memories(m).moe_mlp == memories(catalog::deepseek_v3).moe_mlp);
});

BOTH_TIMES("the residual is a hidden state for each of a rank's tokens", [] {
  EXPECT(memories(catalog::deepseek_v3).residual == 2 * 4096 * 7168);
  EXPECT(memories(catalog::deepseek_v3, run, {tp{8}, sp{8}, dp{1}}).residual == 2 * 512 * 7168);
  EXPECT(memories(catalog::deepseek_v3, run, {tp{8}, dp{1}}).residual == 2 * 4096 * 7168);
  EXPECT(memories(catalog::deepseek_v3, run, {cp{8}, dp{1}}).residual == 2 * 512 * 7168);
  training t = run;
  t.precision.weights = number_type::fp32;
  EXPECT(memories(catalog::deepseek_v3, t).residual == 4 * 4096 * 7168);
});

BOTH_TIMES("an MoE layer that is computed again peaks a second time, while the gradient of the residual waits", [] {
  const block_memories all = memories(catalog::deepseek_v3);
  const block_memories b = memories(catalog::deepseek_v3, recomputed(run, {.core_attention = false, .moe = true}));
  EXPECT(all.moe_mlp.forward_peak + all.residual > all.moe_mlp.backward_peak);
  EXPECT(!all.moe_mlp.peaks_again);
  EXPECT(b.moe_mlp.peaks_again);
  EXPECT(b.moe_mlp.backward_peak == all.moe_mlp.forward_peak + all.residual);
  EXPECT(b.softmax_attention == all.softmax_attention && b.dense_mlp == all.dense_mlp);
});

BOTH_TIMES("no other recompute does that", [] {
  EXPECT(!memories(catalog::deepseek_v3, recomputed(run, {.moe_activation = true, .shared_experts = true})).moe_mlp.peaks_again);
  training full = run;
  full.recompute = recompute::full;
  full.recompute_modules.moe = true;
  EXPECT(memories(catalog::deepseek_v3, full).moe_mlp == memories(catalog::deepseek_v3).moe_mlp);
});

/// Whether a tensor outlives the forward pass of its block.
constexpr bool is_kept(const tensor& t, std::uint16_t backward) { return t.from < backward && backward < t.until; }

/// Looks in a table for tensors of one name.
struct lives_of {
  std::string_view name;
  std::uint16_t backward = 0;
  std::uint16_t last = 0; ///< a step
  int kept = 0;
  bool there_at_last = false;
  constexpr void operator()(const tensor& t) noexcept {
    // The output of core attention that is computed again has a name of its own, since the first one is kept too.
    const bool again = name == "attention output" && std::string_view{t.name} == "recomputed attention output";
    if (name != t.name && !again) return;
    if (is_kept(t, backward)) ++kept;
    there_at_last = there_at_last || (t.from <= last && last < t.until);
  }
};

/// Goes through a table without recompute and looks at what becomes of each kept tensor with it.
template <std::size_t Names>
struct compare_kept {
  const activation_shape* again;
  block kind;
  std::uint16_t backward;
  const std::string_view (&dropped)[Names];
  bool as_named = true;
  bool back_in_time = true;
  int found = 0;

  constexpr void operator()(const tensor& t) noexcept {
    if (!is_kept(t, backward)) return;
    lives_of lives{.name = t.name, .backward = backward, .last = static_cast<std::uint16_t>(t.until - 1)};
    visit_tensors_of(kind, *again, lives);
    bool named = false;
    for (const std::string_view& name : dropped) named = named || name == t.name;
    if (named) ++found;
    as_named = as_named && (lives.kept == 0) == named;
    back_in_time = back_in_time && lives.there_at_last;
  }
};

/// Whether a module drops the tensors with these names and no other of a block, and has them all when the backward pass needs them.
template <std::size_t Names>
constexpr bool drops(const recompute_modules& modules, block kind, const std::string_view (&names)[Names],
                     const model& m = catalog::deepseek_v3) {
  const activation_shape without = shape_of(m, one_gpu, run);
  const activation_shape with = shape_of(m, one_gpu, recomputed(run, modules));
  compare_kept<Names> compare{&with, kind, steps_of(kind, m.attention.kind).backward, names};
  visit_tensors_of(kind, without, compare);
  return compare.as_named && compare.back_in_time && compare.found == static_cast<int>(Names);
}

BOTH_TIMES("recompute of core attention drops what attention makes, and with grouped queries the copy of the values", [] {
  EXPECT(drops({}, block::softmax_attention, {"logarithms of sums", "random number state"}));
  EXPECT(drops({}, block::softmax_attention, {"values", "logarithms of sums", "random number state"}, catalog::llama_3_1_8b));
});

BOTH_TIMES("recompute of up-projections drops everything between the compressed vectors and core attention", [] {
  EXPECT(drops({.core_attention = false, .latent_up_projection = true}, block::softmax_attention,
               {"norm of compressed queries", "norm statistics of queries", "compressed keys and values",
                "norm of compressed keys and values", "norm statistics of keys and values", "queries", "keys", "values"}));
});

BOTH_TIMES("recompute of norms drops their outputs", [] {
  constexpr recompute_modules norms{.core_attention = false, .layer_norm = true};
  EXPECT(drops(norms, block::softmax_attention, {"norm output"}));
  EXPECT(drops(norms, block::moe_mlp, {"norm output"}));
});

BOTH_TIMES("recompute of an MLP drops all but its input", [] {
  EXPECT(drops({.core_attention = false, .mlp = true}, block::dense_mlp,
               {"norm output", "norm statistics", "up-projection", "activation"}));
});

BOTH_TIMES("recompute of experts' activations and of shared experts drops theirs", [] {
  EXPECT(drops({.core_attention = false, .moe_activation = true}, block::moe_mlp, {"experts' activation"}));
  EXPECT(drops({.core_attention = false, .shared_experts = true}, block::moe_mlp,
               {"up-projection of shared experts", "activation of shared experts"}));
});

BOTH_TIMES("recompute of an MoE layer drops all but its input and the normed one", [] {
  EXPECT(drops({.core_attention = false, .moe = true}, block::moe_mlp,
               {"scores", "scores for the balancing loss", "mask of groups", "chosen experts", "routing map",
                "up-projection of shared experts", "activation of shared experts", "map of rows", "experts' input",
                "experts' probabilities", "maps of sorted rows", "experts' up-projection", "experts' activation"}));
});

BOTH_TIMES("where the backward pass needs more by itself, it does not peak again", [] {
  block_memory b{.forward_peak = 10, .backward_peak = 20, .backward_step = 3};
  detail::compute_again(b, 10);
  EXPECT(b.backward_peak == 20 && !b.peaks_again);
  detail::compute_again(b, 11);
  EXPECT(b.backward_peak == 21 && b.peaks_again);
});

BOTH_TIMES("full recompute keeps whole layers or nothing of them: blocks are as without", [] {
  training full = run;
  full.recompute = recompute::full;
  EXPECT(memories(catalog::deepseek_v3, full).softmax_attention == memories(catalog::deepseek_v3).softmax_attention);
  EXPECT(memories(catalog::deepseek_v3, full).dense_mlp == memories(catalog::deepseek_v3).dense_mlp);
});

BOTH_TIMES("other expert ranks change the blocks with experts alone", [] {
  training again = run;
  again.recompute = recompute::selective;
  again.recompute_modules.moe = true;
  const strategy few{tp{2}, ep{4}, dp{8}};
  const strategy many{tp{2}, ep{8}, etp{2}, dp{8}};
  for (const model& m : {catalog::deepseek_v3, catalog::qwen3_next_80b_a3b})
    for (const training& t : {run, again}) {
      const block_memories expected = memories(m, t, many);
      const block_memories turned = with_expert_blocks(memories(m, t, few), m, shape_of(m, many, t));
      EXPECT(!(expected.moe_mlp == memories(m, t, few).moe_mlp));
      EXPECT(turned.moe_mlp == expected.moe_mlp && turned.softmax_attention == expected.softmax_attention);
      EXPECT(turned.dense_mlp == expected.dense_mlp && turned.linear_attention == expected.linear_attention);
      EXPECT(turned.embedding == expected.embedding && turned.head == expected.head && turned.mtp_input == expected.mtp_input);
      EXPECT(turned.residual == expected.residual);
    }
});

BOTH_TIMES("no table has more steps than there is room for", [] {
  for (const block kind : {block::embedding, block::softmax_attention, block::linear_attention, block::dense_mlp, block::moe_mlp,
                           block::mtp_input, block::head})
    for (const attention_kind attention : {attention_kind::grouped_query, attention_kind::latent}) {
      const block_steps steps = steps_of(kind, attention);
      EXPECT(0 < steps.backward && steps.backward < steps.end);
      EXPECT(steps.end <= block_timeline::most_steps);
    }
  EXPECT(steps_of(block::checkpoint, attention_kind::latent).end == 0);
});

} // namespace
