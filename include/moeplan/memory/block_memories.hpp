#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/block_timeline.hpp>
#include <moeplan/memory/tensors/ends.hpp>
#include <moeplan/memory/tensors/grouped_query_attention.hpp>
#include <moeplan/memory/tensors/latent_attention.hpp>
#include <moeplan/memory/tensors/linear_attention.hpp>
#include <moeplan/memory/tensors/mlp.hpp>
#include <moeplan/memory/tensors/moe.hpp>
#include <moeplan/memory/tensors/mtp.hpp>
#include <moeplan/number/always_inline.hpp>

/// @file
/// The memory of each block of a model, from the tables of its tensors.

namespace moeplan {

/// The blocks that a model is made up of. A checkpoint is a group of layers that keeps nothing but its input.
enum class block : std::uint16_t {
  none,
  embedding,
  softmax_attention,
  linear_attention,
  dense_mlp,
  moe_mlp,
  mtp_input, ///< what multi-token prediction makes the input of its layer from
  head,
  checkpoint
};

/// Each block of a model for one micro-batch on one rank. Computed once: a stage counts how many of each it has.
struct block_memories {
  block_memory embedding{};
  block_memory softmax_attention{};
  block_memory linear_attention{};
  block_memory dense_mlp{};
  block_memory moe_mlp{};
  block_memory mtp_input{};
  block_memory head{};
  saturating_count
      residual; ///< one hidden state for each of a rank's tokens: what passes from layer to layer and from stage to stage
};

/// Visits the tensors of one block. Precondition: the model has such a block; it is neither none nor checkpoint.
template <class Visit>
constexpr void visit_tensors_of(block kind, const activation_shape& s, Visit& visit) noexcept {
  switch (kind) {
    case block::embedding: return visit_embedding_tensors(s, visit);
    case block::softmax_attention:
      if (s.rank.attention.kind == attention_kind::latent) return visit_latent_attention_tensors(s, visit);
      return visit_grouped_query_tensors(s, visit);
    case block::linear_attention: return visit_linear_attention_tensors(s, visit);
    case block::dense_mlp: return visit_mlp_tensors(s, visit);
    case block::moe_mlp: return visit_moe_tensors(s, visit);
    case block::mtp_input: return visit_mtp_input_tensors(s, visit);
    case block::head: return visit_head_tensors(s, visit);
    case block::none:
    case block::checkpoint: return;
  }
}

/// The steps of a block's work: where its backward pass begins, and where it ends.
struct block_steps {
  std::uint16_t backward = 0;
  std::uint16_t end = 0;
};

[[nodiscard]] constexpr block_steps steps_of(block kind, attention_kind attention) noexcept {
  const bool latent = attention == attention_kind::latent;
  switch (kind) {
    case block::embedding: return {embedding_step::backward, embedding_step::end};
    case block::softmax_attention:
      if (latent) return {latent_step::backward, latent_step::end};
      return {grouped_query_step::backward, grouped_query_step::end};
    case block::linear_attention: return {linear_step::backward, linear_step::end};
    case block::dense_mlp: return {mlp_step::backward, mlp_step::end};
    case block::moe_mlp: return {moe_step::backward, moe_step::end};
    case block::mtp_input: return {mtp_step::backward, mtp_step::end};
    case block::head: return {head_step::backward, head_step::end};
    case block::none:
    case block::checkpoint: break;
  }
  return {};
}

namespace detail {

template <class Timeline>
[[nodiscard, MOEPLAN_NEVER_INLINE]] constexpr block_memory memory_of(block kind, const activation_shape& s) noexcept {
  const block_steps steps = steps_of(kind, s.rank.attention.kind);
  Timeline timeline{steps.backward, steps.end};
  visit_tensors_of(kind, s, timeline);
  return timeline.summary();
}

/// An MoE layer that is computed again as a whole holds its forward pass's tensors once more in the backward pass.
constexpr void compute_again(block_memory& b, saturating_count residual) noexcept {
  const saturating_count again = b.forward_peak + residual;
  if (!(again > b.backward_peak)) return;
  b.backward_peak = again;
  b.peaks_again = true;
}

} // namespace detail

/// The blocks of a model whose other blocks than those with experts are known: of a rank that differs in EP and ETP alone. Precondition:
/// see activation_shape_of.
template <class Timeline = block_timeline>
[[nodiscard]] constexpr block_memories with_expert_blocks(block_memories b, const model& m, const activation_shape& s) noexcept {
  if (m.has_experts()) b.moe_mlp = detail::memory_of<Timeline>(block::moe_mlp, s);
  if (s.train.recompute == recompute::selective && s.train.recompute_modules.moe) detail::compute_again(b.moe_mlp, b.residual);
  return b;
}

/// The blocks that a model has. Precondition: see activation_shape_of.
template <class Timeline = block_timeline>
[[nodiscard]] constexpr block_memories block_memories_of(const model& m, const activation_shape& s) noexcept {
  block_memories b;
  b.residual = allocated(bytes_of(tensor{"residual", "", s.spread_tokens, s.hidden, s.type}));
  b.embedding = detail::memory_of<Timeline>(block::embedding, s);
  b.softmax_attention = detail::memory_of<Timeline>(block::softmax_attention, s);
  b.head = detail::memory_of<Timeline>(block::head, s);
  if (m.has_linear_attention()) b.linear_attention = detail::memory_of<Timeline>(block::linear_attention, s);
  if (m.dense_layers() > 0) b.dense_mlp = detail::memory_of<Timeline>(block::dense_mlp, s);
  if (m.mtp_layers > 0) b.mtp_input = detail::memory_of<Timeline>(block::mtp_input, s);
  return with_expert_blocks<Timeline>(b, m, s);
}

} // namespace moeplan
