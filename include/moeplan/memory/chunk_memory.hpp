#pragma once

#include <cstdint>

#include <moeplan/memory/block_memories.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/always_inline.hpp>

/// @file
/// What the activations of one micro-batch take on a virtual stage, and where in the work on it they peak.

namespace moeplan {

/// A place in the work of a stage.
struct work_place {
  moeplan::block block = moeplan::block::none;
  bool backward = false;
  bool again = false;      ///< in a second forward pass, while the gradient of the residual waits
  std::int64_t layer = -1; ///< the decoder layer, from 0; -1: not one
  std::uint16_t step = 0;  ///< of the block
  friend constexpr bool operator==(const work_place&, const work_place&) noexcept = default;
};

/// One micro-batch on one virtual stage.
struct chunk_memory {
  saturating_count kept{};          ///< between its forward and its backward pass
  saturating_count for_weights{};   ///< between its backward passes for the input and for the weights
  saturating_count forward_peak{};  ///< during its forward pass, what it keeps so far included
  saturating_count backward_peak{}; ///< during its backward pass, what it still keeps included
  work_place forward_at{};
  work_place backward_at{};
};

namespace detail {

/// A walk that is not to say what is kept where.
struct no_record {
  constexpr void keep(block, std::int64_t) noexcept {}
  constexpr void recompute(block, std::int64_t) noexcept {}
  constexpr void leave_checkpoint(const no_record&, std::int64_t) noexcept {}
  constexpr void forward_peaks(const no_record&) noexcept {}
  constexpr void backward_peaks(const no_record&) noexcept {}
  [[nodiscard]] constexpr no_record at_forward_peak() const noexcept { return {}; }
  [[nodiscard]] constexpr no_record at_backward_peak() const noexcept { return {}; }
};

/// Goes through the blocks of a chunk from the first to the last. `Record` is told which blocks are kept before a peak.
template <class Record = no_record>
struct chunk_walk {
  chunk_memory memory{};
  Record record{};
  std::int64_t last_layer = -1; ///< whose MLP needs no gradient of its own output: it is the one that the next stage sent
  saturating_count received{};  ///< that gradient, which the stage's buffers count
  saturating_count widest{};    ///< the most that one block needs in its forward pass
  work_place widest_at{};

  [[MOEPLAN_NEVER_INLINE]] constexpr void through(const block_memory& b, block kind, std::int64_t layer) noexcept {
    if (b.forward_peak > widest) {
      widest = b.forward_peak;
      widest_at = {kind, false, false, layer, b.forward_step};
    }
    const saturating_count forward = memory.kept + b.forward_peak;
    if (forward > memory.forward_peak) {
      memory.forward_peak = forward;
      memory.forward_at = {kind, false, false, layer, b.forward_step};
      record.forward_peaks(record);
    }
    const saturating_count backward = memory.kept + b.backward_peak;
    if (backward > memory.backward_peak) {
      memory.backward_peak = backward;
      memory.backward_at = {kind, true, b.peaks_again, layer, b.peaks_again ? b.forward_step : b.backward_step};
      record.backward_peaks(record);
    }
    past(b, kind, 1);
  }

  /// Blocks whose peaks cannot be the highest, since the same block comes again later.
  constexpr void past(const block_memory& b, block kind, std::int64_t times) noexcept {
    record.keep(kind, times);
    memory.kept += b.kept * times;
    memory.for_weights += b.for_weights * times;
  }
};

struct layer_blocks {
  const block_memory* attention = nullptr;
  const block_memory* mlp = nullptr;
  block attention_block = block::none;
  block mlp_block = block::none;
};

[[nodiscard]] constexpr layer_blocks blocks_of_layer(const model& m, const block_memories& b, std::int64_t layer) noexcept {
  layer_blocks l;
  const bool linear = m.has_linear_attention(layer);
  const bool moe = m.has_experts(layer);
  l.attention = linear ? &b.linear_attention : &b.softmax_attention;
  l.attention_block = linear ? block::linear_attention : block::softmax_attention;
  l.mlp = moe ? &b.moe_mlp : &b.dense_mlp;
  l.mlp_block = moe ? block::moe_mlp : block::dense_mlp;
  return l;
}

template <class Record>
constexpr void walk_layer(chunk_walk<Record>& walk, const layer_blocks& l, std::int64_t layer) noexcept {
  walk.through(*l.attention, l.attention_block, layer);
  block_memory mlp = *l.mlp;
  if (layer >= 0 && layer == walk.last_layer) mlp.backward_peak = mlp.backward_peak - walk.received;
  walk.through(mlp, l.mlp_block, layer);
}

/// Layers [first, end) of which everything is kept. Where all are alike only the last one can be where a peak is.
template <class Record>
constexpr void walk_kept_layers(chunk_walk<Record>& walk, const model& m, const block_memories& b, std::int64_t first,
                                std::int64_t end, bool alike) noexcept {
  if (first >= end) return;
  if (alike) {
    const layer_blocks l = blocks_of_layer(m, b, first);
    walk.past(*l.attention, l.attention_block, end - first - 1);
    walk.past(*l.mlp, l.mlp_block, end - first - 1);
    return walk_layer(walk, l, end - 1);
  }
  for (std::int64_t layer = first; layer < end; ++layer) walk_layer(walk, blocks_of_layer(m, b, layer), layer);
}

/// Closes a group of layers of which only the inputs are kept (one, as large as its output, or several), and which are computed again
/// together in the backward pass: `again` has gone through them. `last` is the last of them, -1 outside the decoder.
template <class Record>
constexpr void close_checkpoint(chunk_walk<Record>& walk, const chunk_walk<Record>& again, saturating_count output,
                                std::int64_t inputs, std::int64_t last) noexcept {
  // While the layers are computed again, the gradient of their output waits; of the stage's last layer the buffers count it.
  const bool counted = last >= 0 && last == walk.last_layer;
  const saturating_count forward = again.memory.forward_peak + (counted ? saturating_count{0} : output);
  const bool forward_is_higher = forward > again.memory.backward_peak;
  const saturating_count peak = forward_is_higher ? forward : again.memory.backward_peak;
  if (peak > walk.memory.backward_peak) {
    walk.memory.backward_peak = peak;
    walk.memory.backward_at = forward_is_higher ? again.memory.forward_at : again.memory.backward_at;
    walk.memory.backward_at.backward = true;
    walk.memory.backward_at.again |= forward_is_higher;
    walk.record.backward_peaks(forward_is_higher ? again.record.at_forward_peak() : again.record.at_backward_peak());
  }
  walk.record.leave_checkpoint(again.record, inputs);
  walk.memory.kept += output * inputs;
  walk.memory.for_weights += again.memory.for_weights;
  // The first time its blocks keep nothing, and the widest of them is at work beside the inputs.
  if (walk.memory.kept + again.widest <= walk.memory.forward_peak) return;
  walk.memory.forward_peak = walk.memory.kept + again.widest;
  walk.memory.forward_at = again.widest_at;
  walk.record.forward_peaks(walk.record);
}

/// A walk through what a checkpoint computes again, beside what is kept before it.
template <class Record>
[[nodiscard]] constexpr chunk_walk<Record> inside_checkpoint(const chunk_walk<Record>& walk) noexcept {
  chunk_walk<Record> again{.record = walk.record, .last_layer = walk.last_layer, .received = walk.received};
  again.memory.kept = walk.memory.kept;
  return again;
}

template <class Record>
constexpr void walk_recomputed_group(chunk_walk<Record>& walk, const model& m, const block_memories& b, std::int64_t first,
                                     std::int64_t end, bool alike) noexcept {
  chunk_walk<Record> again = inside_checkpoint(walk);
  walk_kept_layers(again, m, b, first, end, alike);
  close_checkpoint(walk, again, b.residual, 1, end - 1);
}

template <class Record>
constexpr void walk_layers(chunk_walk<Record>& walk, const model& m, const block_memories& b, const training& t,
                           const stage_contents& stage, const stage_parts& n) noexcept {
  const bool alike = n.alike();
  const std::int64_t first = stage.first_layer;
  const std::int64_t end = first + stage.decoder_layers;
  if (t.recompute != recompute::full) return walk_kept_layers(walk, m, b, first, end, alike);
  if (t.recompute_method == recompute_method::block) {
    const std::int64_t recomputed = t.recompute_layers < stage.decoder_layers ? t.recompute_layers : stage.decoder_layers;
    for (std::int64_t layer = first; layer < first + recomputed; ++layer) walk_recomputed_group(walk, m, b, layer, layer + 1, true);
    return walk_kept_layers(walk, m, b, first + recomputed, end, alike);
  }
  const std::int64_t group = t.recompute_layers < stage.decoder_layers ? t.recompute_layers : stage.decoder_layers;
  std::int64_t layer = first;
  if (alike && stage.decoder_layers > 2 * group) { // All but the last two groups, of which the last may be a short one.
    const std::int64_t groups = (stage.decoder_layers - 1) / group - 1;
    const layer_blocks l = blocks_of_layer(m, b, layer);
    walk.record.keep(block::checkpoint, groups);
    walk.record.recompute(l.attention_block, groups * group);
    walk.record.recompute(l.mlp_block, groups * group);
    walk.memory.kept += b.residual * groups;
    walk.memory.for_weights += (l.attention->for_weights + l.mlp->for_weights) * groups * group;
    layer += groups * group;
  }
  for (; layer < end; layer += group) walk_recomputed_group(walk, m, b, layer, layer + group < end ? layer + group : end, alike);
}

/// Multi-token prediction: each module's input and layer. Their heads come after the last of them (see tensors/mtp.hpp). Full recompute
/// keeps of a module the hidden states before it and the embedded tokens, and computes it again as a whole; by block it leaves
/// modules alone (Megatron-LM multi_token_prediction.py, _checkpointed_forward).
template <class Record>
constexpr void walk_mtp(chunk_walk<Record>& walk, const model& m, const block_memories& b, const training& t,
                        std::int64_t modules) noexcept {
  const bool moe = m.has_experts(m.layers - 1);
  const layer_blocks layer{&b.softmax_attention, moe ? &b.moe_mlp : &b.dense_mlp, block::softmax_attention,
                           moe ? block::moe_mlp : block::dense_mlp};
  const auto walk_module = [&](chunk_walk<Record>& w) {
    w.through(b.mtp_input, block::mtp_input, -1);
    walk_layer(w, layer, -1);
  };
  const bool computed_again = t.recompute == recompute::full && t.recompute_method == recompute_method::uniform;
  for (std::int64_t module = 0; module < modules; ++module) {
    if (!computed_again) {
      walk_module(walk);
      continue;
    }
    chunk_walk<Record> again = inside_checkpoint(walk);
    walk_module(again);
    close_checkpoint(walk, again, b.residual, 2, -1);
  }
}

/// Through all blocks of a virtual stage.
template <class Record>
constexpr void walk_chunk(chunk_walk<Record>& walk, const model& m, const block_memories& b, const training& t,
                          const stage_contents& stage, const stage_parts& n) noexcept {
  if (!stage.loss) {
    walk.last_layer = stage.first_layer + stage.decoder_layers - 1;
    walk.received = b.residual;
  }
  if (stage.embedding) walk.through(b.embedding, block::embedding, -1);
  walk_layers(walk, m, b, t, stage, n);
  if (stage.mtp_layers > 0) walk_mtp(walk, m, b, t, stage.mtp_layers);
  if (stage.loss)
    for (std::int64_t head = 0; head <= stage.mtp_layers; ++head) walk.through(b.head, block::head, -1);
}

} // namespace detail

/// One micro-batch on a virtual stage. Precondition: a training run that `check` accepts; `n` is parts_of_stage() of the stage.
template <class Record = detail::no_record>
[[nodiscard]] constexpr chunk_memory chunk_memory_of(const model& m, const block_memories& b, const training& t,
                                                     const stage_contents& stage, const stage_parts& n) noexcept {
  detail::chunk_walk<Record> walk;
  detail::walk_chunk(walk, m, b, t, stage, n);
  return walk.memory;
}

} // namespace moeplan
