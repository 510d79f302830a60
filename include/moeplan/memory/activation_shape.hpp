#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/describe/training.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/routed_rows.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// The sizes that activations of one micro-batch have on one rank, from which every tensor's shape is made up.

namespace moeplan {

struct activation_shape {
  moeplan::model rank{};          ///< the model as one rank sees it
  moeplan::training train{};      ///< what is kept and what is computed again
  saturating_count tokens;        ///< of a micro-batch on one rank: micro-batch x sequence length / CP
  saturating_count spread_tokens; ///< of them between tensor-parallel regions: tokens / TP with sequence parallelism, else all
  saturating_count sequence;      ///< tokens that a token attends to at most
  saturating_count hidden;
  saturating_count queries;    ///< width of a rank's queries, all its heads together
  saturating_count keys;       ///< of its keys; latent attention: after the up-projection
  saturating_count values;     ///< of its values
  saturating_count outputs;    ///< of what its heads put out
  routed_rows rows{};          ///< of an MoE layer
  std::int64_t experts = 0;    ///< routed experts of a layer, on all ranks
  saturating_count vocabulary; ///< of a rank's logits
  std::int64_t tensor_ranks = 1;
  std::int64_t context_ranks = 1;
  std::int64_t expert_ranks = 1;        ///< EP
  std::int64_t expert_tensor_ranks = 1; ///< ETP
  bool sequence_parallel = false;
  number_type type = number_type::bf16; ///< of activations: that of the weights

  /// Whether a linear layer keeps its input quantised.
  [[nodiscard]] constexpr bool keeps_fp8() const noexcept { return train.precision.fp8 != fp8_recipe::none; }
};

/// Precondition: a training run that `check` accepts, its strategy resolved; `rank` is rank_model() of model and strategy.
[[nodiscard]] constexpr activation_shape activation_shape_of(const model& m, const model& rank, const strategy& s,
                                                             const training& t) noexcept {
  const attention& a = rank.attention;
  const bool latent = a.kind == attention_kind::latent;
  activation_shape shape;
  shape.rank = rank;
  shape.train = t;
  shape.tensor_ranks = s[axis::tp];
  shape.context_ranks = s[axis::cp];
  shape.expert_ranks = s[axis::ep];
  shape.expert_tensor_ranks = s[axis::etp];
  shape.sequence_parallel = s[axis::sp] > 1;
  shape.tokens = saturating_count{t.micro_batch} * t.sequence_length / s[axis::cp];
  shape.spread_tokens = shape.sequence_parallel ? shape.tokens / s[axis::tp] : shape.tokens;
  shape.sequence = t.sequence_length;
  shape.hidden = m.hidden_size;
  const saturating_count heads = a.heads;
  shape.queries = heads * (latent ? saturating_count{a.qk_nope_head_dim} + a.qk_rope_head_dim : saturating_count{a.head_dim});
  shape.keys = latent ? shape.queries : saturating_count{a.kv_heads} * a.head_dim;
  shape.values = latent ? heads * a.v_head_dim : shape.keys;
  shape.outputs = latent ? shape.values : shape.queries;
  shape.vocabulary = padded_vocabulary<saturating_count>(m, s, t.vocabulary_multiple) / s[axis::tp];
  shape.experts = m.experts.routed;
  if (m.has_experts()) shape.rows = rows_of_rank(m.experts, s, t.routing, shape.spread_tokens);
  shape.type = t.precision.weights;
  return shape;
}

} // namespace moeplan
