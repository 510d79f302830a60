#pragma once

#include <cstdint>

#include <moeplan/describe/assumptions.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How many parameters one rank holds of each part of a model.

namespace moeplan {

/// Parameters that one group of ranks shares the states of.
template <class Integer = count>
struct parameter_group {
  Integer linear{0};  ///< matrices of linear layers: what multiplies in FP8 where anything does
  Integer routers{0}; ///< other matrices of layers: routers and the gates of shared experts
  Integer others{0};  ///< norms, biases, convolutions, embedding and head
  Integer buffers{0}; ///< kept in fp32 and not trained: correction biases for the selection of experts (router.py, expert_bias)

  [[nodiscard]] constexpr Integer trained() const noexcept(noexcept(Integer{} + Integer{})) { return linear + routers + others; }

  [[nodiscard]] constexpr Integer matrices() const noexcept(noexcept(Integer{} + Integer{})) { return linear + routers; }
  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) { return trained() + buffers; }

  constexpr parameter_group& operator+=(const parameter_group& b) noexcept(noexcept(Integer{} + Integer{})) {
    linear = linear + b.linear;
    routers = routers + b.routers;
    others = others + b.others;
    buffers = buffers + b.buffers;
    return *this;
  }
  friend constexpr parameter_group operator*(const Integer& n, const parameter_group& g) noexcept(noexcept(Integer{} * Integer{})) {
    if (n == Integer(0)) return {}; // However large one would be.
    return {n * g.linear, n * g.routers, n * g.others, n * g.buffers};
  }
  friend constexpr bool operator==(const parameter_group&, const parameter_group&) noexcept = default;
};

/// Parameters on one rank, by the grid whose data-parallel ranks share their states.
template <class Integer = count>
struct rank_parameters {
  parameter_group<Integer> dense{};   ///< DP x CP ranks hold the same
  parameter_group<Integer> experts{}; ///< EDP ranks hold the same

  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) {
    return dense.total() + experts.total();
  }

  constexpr rank_parameters& operator+=(const rank_parameters& b) noexcept(noexcept(Integer{} + Integer{})) {
    dense += b.dense;
    experts += b.experts;
    return *this;
  }
  friend constexpr rank_parameters operator*(const Integer& n, const rank_parameters& p) noexcept(noexcept(Integer{} * Integer{})) {
    return {n * p.dense, n * p.experts};
  }
  friend constexpr bool operator==(const rank_parameters&, const rank_parameters&) noexcept = default;
};

/// The vocabulary with its padding: a multiple of `multiple` times TP, so that every rank gets as much (Megatron-LM,
/// --make-vocab-size-divisible-by, vocab_utils.py). 0: not padded.
template <class Integer = count>
[[nodiscard]] constexpr Integer padded_vocabulary(const model& m, const strategy& s,
                                                  std::int64_t multiple) noexcept(noexcept(Integer{} * Integer{})) {
  if (multiple == 0) return Integer(m.vocabulary_size);
  const Integer unit = Integer(multiple) * Integer(s[axis::tp]);
  return (Integer(m.vocabulary_size) + unit - Integer(1)) / unit * unit;
}

/// What one rank holds of each part; a stage is made up of them.
template <class Integer = count>
struct rank_parts {
  rank_parameters<Integer> softmax_attention{};
  rank_parameters<Integer> linear_attention{};
  rank_parameters<Integer> dense_mlp{};
  rank_parameters<Integer> moe_mlp{}; ///< router, routed and shared experts
  rank_parameters<Integer> norms{};   ///< of one layer
  rank_parameters<Integer> mtp{};     ///< one multi-token prediction module
  rank_parameters<Integer> embedding{};
  rank_parameters<Integer> final_norm{};
  rank_parameters<Integer> head{};      ///< as large as the embedding where the two are tied, then without being further parameters
  rank_parameters<Integer> head_bias{}; ///< never tied
};

namespace detail {

/// A count in another type of numbers: itself, or as a double at most what it is.
template <class Number>
[[nodiscard]] constexpr Number number_of(saturating_count n) noexcept {
  return n;
}
template <>
[[nodiscard]] constexpr double number_of<double>(saturating_count n) noexcept {
  return static_cast<double>(n.bits);
}

template <class Number>
[[nodiscard]] constexpr parameter_group<Number> group_in(const parameter_group<saturating_count>& g) noexcept {
  return {number_of<Number>(g.linear), number_of<Number>(g.routers), number_of<Number>(g.others), number_of<Number>(g.buffers)};
}

template <class Number>
[[nodiscard]] constexpr rank_parameters<Number> parameters_in(const rank_parameters<saturating_count>& p) noexcept {
  return {group_in<Number>(p.dense), group_in<Number>(p.experts)};
}

/// The same counts in another type of numbers, for sums that need not be exact.
template <class Number>
[[nodiscard]] constexpr rank_parts<Number> parts_in(const rank_parts<saturating_count>& p) noexcept {
  return {parameters_in<Number>(p.softmax_attention),
          parameters_in<Number>(p.linear_attention),
          parameters_in<Number>(p.dense_mlp),
          parameters_in<Number>(p.moe_mlp),
          parameters_in<Number>(p.norms),
          parameters_in<Number>(p.mtp),
          parameters_in<Number>(p.embedding),
          parameters_in<Number>(p.final_norm),
          parameters_in<Number>(p.head),
          parameters_in<Number>(p.head_bias)};
}

/// Latent attention, where assumptions divide its matrices otherwise than by heads.
template <class Integer>
[[nodiscard]] constexpr Integer latent_attention_matrices(const model& m, const model& rank, std::int64_t tensor_ranks,
                                                          const assumptions& how) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  auto matrices = attention_parameters<Integer>(rank);
  if (how.latent_down_projections == held::sharded) {
    const Integer down = Integer(m.hidden_size) * (Integer(a.q_lora_rank) + Integer(a.kv_lora_rank) + Integer(a.qk_rope_head_dim));
    matrices = matrices - down + down / Integer(tensor_ranks);
  }
  if (how.latent_rope_queries == held::replicated) {
    const Integer inputs(a.q_lora_rank == 0 ? m.hidden_size : a.q_lora_rank);
    matrices = matrices + inputs * Integer(a.qk_rope_head_dim) * (Integer(a.heads) - Integer(rank.attention.heads));
  }
  return matrices;
}

template <class Integer>
[[nodiscard]] constexpr parameter_group<Integer> softmax_attention_group(const model& m, const model& rank,
                                                                         std::int64_t tensor_ranks,
                                                                         const assumptions& how) noexcept(noexcept(Integer{} *
                                                                                                                   Integer{})) {
  const bool latent = m.attention.kind == attention_kind::latent;
  const Integer key_norm_of_indexer = Integer(2) * Integer(m.attention.indexer.head_dim);
  parameter_group<Integer> g;
  g.linear = (latent ? latent_attention_matrices<Integer>(m, rank, tensor_ranks, how) : attention_parameters<Integer>(rank)) +
             indexer_parameters<Integer>(m) - key_norm_of_indexer;
  g.others =
      attention_biases<Integer>(rank) + query_key_norms<Integer>(rank) + attention_sinks<Integer>(rank) + key_norm_of_indexer;
  return g;
}

template <class Integer>
[[nodiscard]] constexpr parameter_group<Integer> linear_attention_group(const model& rank) noexcept(noexcept(Integer{} *
                                                                                                             Integer{})) {
  const linear_attention& l = rank.linear_attention;
  const Integer keys = Integer(l.key_heads) * Integer(l.key_head_dim);
  const Integer values = Integer(l.value_heads) * Integer(l.value_head_dim);
  parameter_group<Integer> g;
  g.others =
      (Integer(2) * keys + values) * Integer(l.convolution) + Integer(2) * Integer(l.value_heads) + Integer(l.value_head_dim);
  g.linear = linear_attention_parameters<Integer>(rank) - g.others;
  return g;
}

template <class Integer>
[[nodiscard]] constexpr rank_parameters<Integer> moe_parts(const model& m, const model& rank,
                                                           const assumptions& how) noexcept(noexcept(Integer{} * Integer{})) {
  const experts& e = m.experts;
  rank_parameters<Integer> p;
  p.experts.linear = Integer(rank.experts.routed) * expert_parameters<Integer>(rank);
  p.experts.others = Integer(rank.experts.routed) * expert_biases<Integer>(rank);
  const bool whole = how.shared_experts == held::replicated;
  parameter_group<Integer> shared;
  shared.linear = mlp_parameters<Integer>(m, whole ? e.shared_intermediate_size : rank.experts.shared_intermediate_size);
  shared.routers = Integer(e.shared_gate ? m.hidden_size : 0);
  parameter_group<Integer> router;
  router.routers = Integer(e.routed) * Integer(m.hidden_size);
  router.others = Integer(e.router_bias ? e.routed : 0);
  router.buffers = Integer(e.selection_bias ? e.routed : 0);
  (how.shared_experts_state == state_group::experts ? p.experts : p.dense) += shared;
  (how.router_state == state_group::experts ? p.experts : p.dense) += router;
  return p;
}

} // namespace detail

/// What one rank holds of each part of a model. Precondition: a deployment that `check` accepts, resolved; `rank` is
/// rank_model() of model and strategy.
template <class Integer = count>
[[nodiscard]] constexpr rank_parts<Integer> parts_of_rank(const model& m, const model& rank, const strategy& s,
                                                          std::int64_t vocabulary_multiple,
                                                          const assumptions& how) noexcept(noexcept(Integer{} * Integer{})) {
  const std::int64_t tensor_ranks = s[axis::tp];
  const Integer vocabulary = padded_vocabulary<Integer>(m, s, vocabulary_multiple) / Integer(tensor_ranks);
  rank_parts<Integer> p;
  p.softmax_attention.dense = detail::softmax_attention_group<Integer>(m, rank, tensor_ranks, how);
  if (m.has_linear_attention()) p.linear_attention.dense = detail::linear_attention_group<Integer>(rank);
  p.dense_mlp.dense.linear = mlp_parameters<Integer>(m, rank.intermediate_size);
  if (m.has_experts()) p.moe_mlp = detail::moe_parts<Integer>(m, rank, how);
  p.norms.dense.others = Integer(m.norms_per_layer) * norm_parameters<Integer>(m);
  p.embedding.dense.others = vocabulary * Integer(m.hidden_size);
  p.final_norm.dense.others = norm_parameters<Integer>(m);
  p.head = p.embedding;
  if (m.lm_head_bias) p.head_bias.dense.others = vocabulary;
  if (m.mtp_layers > 0) {
    // Norms of both inputs, a projection of the two that TP ranks share, a layer, and a final norm (multi_token_prediction.py).
    p.mtp = p.softmax_attention;
    p.mtp += m.has_experts(m.layers - 1) ? p.moe_mlp : p.dense_mlp;
    p.mtp += p.norms;
    p.mtp.dense.linear = p.mtp.dense.linear + Integer(2) * Integer(m.hidden_size) * Integer(m.hidden_size) / Integer(tensor_ranks);
    p.mtp.dense.others = p.mtp.dense.others + Integer(3) * norm_parameters<Integer>(m);
  }
  return p;
}

} // namespace moeplan
