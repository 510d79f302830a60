#pragma once

#include <cstdint>

#include <moeplan/describe/assumptions.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/describe/serving.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// Bytes of the weights that one rank of a served model holds, in the format that they are kept in.

namespace moeplan {

/// Bytes of weights by the type of number.
template <class Integer = count>
struct weight_bytes {
  Integer quantised{0}; ///< numbers in the weights' format
  Integer scales{0};    ///< of these, zero points with them
  Integer plain{0};     ///< numbers in bf16
  Integer fp32{0};      ///< correction biases for the selection of experts

  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) {
    return quantised + scales + plain + fp32;
  }

  constexpr weight_bytes& operator+=(const weight_bytes& b) noexcept(noexcept(Integer{} + Integer{})) {
    quantised = quantised + b.quantised;
    scales = scales + b.scales;
    plain = plain + b.plain;
    fp32 = fp32 + b.fp32;
    return *this;
  }
  friend constexpr weight_bytes operator*(const Integer& n, const weight_bytes& b) noexcept(noexcept(Integer{} * Integer{})) {
    if (n == Integer(0)) return {}; // However large one would be.
    return {n * b.quantised, n * b.scales, n * b.plain, n * b.fp32};
  }
  friend constexpr bool operator==(const weight_bytes&, const weight_bytes&) noexcept = default;
};

/// By component: of one of each part of a rank (weights_of_rank), or of a stage (weights_of_stage).
template <class Integer = count>
struct serving_weights {
  weight_bytes<Integer> softmax_attention{};
  weight_bytes<Integer> linear_attention{};
  weight_bytes<Integer> dense_mlp{};
  weight_bytes<Integer> routed_experts{}; ///< with redundant copies
  weight_bytes<Integer> shared_experts{}; ///< with their gate
  weight_bytes<Integer> router{};
  weight_bytes<Integer> norms{};
  weight_bytes<Integer> mtp{};
  weight_bytes<Integer> embedding{};
  weight_bytes<Integer> final_norm{}; ///< with the bias of the head
  weight_bytes<Integer> head{};

  /// All components by the type of number.
  [[nodiscard]] constexpr weight_bytes<Integer> all() const noexcept(noexcept(Integer{} + Integer{})) {
    weight_bytes<Integer> sum = softmax_attention;
    for (const weight_bytes<Integer>* part :
         {&linear_attention, &dense_mlp, &routed_experts, &shared_experts, &router, &norms, &mtp, &embedding, &final_norm, &head})
      sum += *part;
    return sum;
  }
  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) { return all().total(); }

  friend constexpr bool operator==(const serving_weights&, const serving_weights&) noexcept = default;
};

namespace detail {

template <class Integer>
[[nodiscard]] constexpr weight_bytes<Integer> plain_numbers(const Integer& n) noexcept(noexcept(Integer{} * Integer{})) {
  weight_bytes<Integer> b;
  b.plain = n * Integer(2);
  return b;
}

/// Blocks of `size` that cover `n`; 0 is one block for all.
template <class Integer>
[[nodiscard]] constexpr Integer scale_blocks(const Integer& n, std::int64_t size) noexcept(noexcept(Integer{} * Integer{})) {
  return size == 0 ? Integer(1) : Integer((n + Integer(size) - Integer(1)) / Integer(size));
}

/// The matrix of a linear layer. Blocks that its edges cut have a scale of their own.
template <class Integer>
[[nodiscard]] constexpr weight_bytes<Integer> matrix(const Integer& outputs, const Integer& inputs,
                                                     weight_format format) noexcept(noexcept(Integer{} * Integer{})) {
  if (outputs == Integer(0) || inputs == Integer(0)) return {};
  const Integer numbers = outputs * inputs;
  if (format == weight_format::bf16) return plain_numbers<Integer>(numbers);
  const format_sizes f = sizes_of(format);
  const Integer blocks = scale_blocks<Integer>(outputs, f.block_rows) * scale_blocks<Integer>(inputs, f.block_columns);
  weight_bytes<Integer> b;
  b.quantised = (numbers * Integer(bits(f.numbers)) + Integer(7)) / Integer(8);
  b.scales = (blocks * Integer(f.scale_bits) + Integer(7)) / Integer(8) + Integer(f.matrix_bytes);
  return b;
}

/// Gate, up and down projection, or up and down.
template <class Integer>
[[nodiscard]] constexpr weight_bytes<Integer> mlp_weights(const model& m, std::int64_t intermediate_size,
                                                          weight_format format) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer hidden(m.hidden_size);
  const Integer width(intermediate_size);
  weight_bytes<Integer> b = Integer(m.gated_mlp ? 2 : 1) * matrix<Integer>(width, hidden, format);
  b += matrix<Integer>(hidden, width, format);
  return b;
}

template <class Integer>
[[nodiscard]] constexpr weight_bytes<Integer> grouped_query_weights(const model& rank,
                                                                    weight_format format) noexcept(noexcept(Integer{} *
                                                                                                            Integer{})) {
  const attention& a = rank.attention;
  const Integer hidden(rank.hidden_size);
  const Integer width = Integer(a.heads) * Integer(rank.head_dim());
  weight_bytes<Integer> b = matrix<Integer>(Integer(a.output_gate ? 2 : 1) * width, hidden, format);
  b += Integer(2) * matrix<Integer>(Integer(a.kv_heads) * Integer(rank.head_dim()), hidden, format);
  b += matrix<Integer>(hidden, width, format);
  return b;
}

template <class Integer>
[[nodiscard]] constexpr weight_bytes<Integer> latent_weights(const model& rank, weight_format format,
                                                             bool absorbed) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = rank.attention;
  const Integer hidden(rank.hidden_size);
  const Integer heads(a.heads);
  const Integer compressed_query(a.q_lora_rank);
  const Integer latent(a.kv_lora_rank);
  const Integer query = heads * (Integer(a.qk_nope_head_dim) + Integer(a.qk_rope_head_dim));
  const Integer key_value = heads * (Integer(a.qk_nope_head_dim) + Integer(a.v_head_dim));
  weight_bytes<Integer> b = matrix<Integer>(query, a.q_lora_rank == 0 ? hidden : compressed_query, format);
  b += matrix<Integer>(compressed_query, hidden, format);
  b += matrix<Integer>(latent + Integer(a.qk_rope_head_dim), hidden, format);
  b += matrix<Integer>(key_value, latent, format);
  b += matrix<Integer>(hidden, heads * Integer(a.v_head_dim), format);
  if (absorbed && format != weight_format::bf16) b += plain_numbers<Integer>(key_value * latent);
  return b;
}

/// Queries from the compressed ones and the key are quantised; the heads' weights and the key's norm are not.
template <class Integer>
[[nodiscard]] constexpr weight_bytes<Integer> indexer_weights(const model& rank,
                                                              weight_format format) noexcept(noexcept(Integer{} * Integer{})) {
  const sparse_indexer& i = rank.attention.indexer;
  const Integer hidden(rank.hidden_size);
  const Integer head_dim(i.head_dim);
  weight_bytes<Integer> b = matrix<Integer>(Integer(i.heads) * head_dim, Integer(rank.attention.q_lora_rank), format);
  b += matrix<Integer>(head_dim, hidden, format);
  b += plain_numbers<Integer>(Integer(i.heads) * hidden + Integer(2) * head_dim);
  return b;
}

/// Of Gated DeltaNet, the projection to queries, keys, values and gate and that from the values are quantised.
template <class Integer>
[[nodiscard]] constexpr weight_bytes<Integer> gated_delta_net_weights(const model& rank,
                                                                      weight_format format) noexcept(noexcept(Integer{} *
                                                                                                              Integer{})) {
  const linear_attention& l = rank.linear_attention;
  const Integer hidden(rank.hidden_size);
  const Integer keys = Integer(l.key_heads) * Integer(l.key_head_dim);
  const Integer values = Integer(l.value_heads) * Integer(l.value_head_dim);
  const Integer joined = Integer(2) * (keys + values);
  weight_bytes<Integer> b = matrix<Integer>(joined, hidden, format);
  b += matrix<Integer>(hidden, values, format);
  b += plain_numbers<Integer>(linear_attention_parameters<Integer>(rank) - joined * hidden - hidden * values);
  return b;
}

} // namespace detail

/// One of each part of a model, as one rank holds it. A projection of multi-token prediction is on each TP rank whole (vLLM
/// deepseek_mtp.py, eh_proj). Of the assumptions only `shared_experts` matters. Precondition: a deployment that `check` accepts;
/// `rank` is rank_model() of model and strategy, with the redundant experts.
template <class Integer = count>
[[nodiscard]] constexpr serving_weights<Integer> weights_of_rank(const model& m, const model& rank, const strategy& s,
                                                                 const serving& v,
                                                                 const assumptions& how = {}) noexcept(noexcept(Integer{} *
                                                                                                                Integer{})) {
  const experts& e = m.experts;
  const Integer hidden(m.hidden_size);
  const auto norm = norm_parameters<Integer>(m);
  const weight_format in_attention = v.quantised == quantised_parts::linear_layers ? v.weights : weight_format::bf16;
  const weight_format in_mlps = v.quantised == quantised_parts::routed_experts ? weight_format::bf16 : v.weights;
  serving_weights<Integer> w;
  w.softmax_attention = m.attention.kind == attention_kind::latent
                            ? detail::latent_weights<Integer>(rank, in_attention, v.absorbed_projections)
                            : detail::grouped_query_weights<Integer>(rank, in_attention);
  if (m.attention.indexer.heads > 0) w.softmax_attention += detail::indexer_weights<Integer>(rank, in_attention);
  w.softmax_attention += detail::plain_numbers<Integer>(attention_biases<Integer>(rank) + query_key_norms<Integer>(rank) +
                                                        attention_sinks<Integer>(rank));
  if (m.has_linear_attention()) w.linear_attention = detail::gated_delta_net_weights<Integer>(rank, in_attention);
  w.dense_mlp = detail::mlp_weights<Integer>(m, rank.intermediate_size, in_mlps);
  if (m.has_experts()) {
    weight_bytes<Integer> expert = detail::mlp_weights<Integer>(m, rank.experts.intermediate_size, v.weights);
    expert += detail::plain_numbers<Integer>(expert_biases<Integer>(rank));
    w.routed_experts = Integer(rank.experts.routed) * expert;
    const bool whole = how.shared_experts == held::replicated;
    w.shared_experts =
        detail::mlp_weights<Integer>(m, whole ? e.shared_intermediate_size : rank.experts.shared_intermediate_size, in_mlps);
    if (e.shared_gate) w.shared_experts += detail::plain_numbers<Integer>(hidden);
    w.router = detail::plain_numbers<Integer>(Integer(e.routed) * (hidden + Integer(e.router_bias ? 1 : 0)));
    w.router.fp32 = Integer(e.selection_bias ? e.routed : 0) * Integer(4);
  }
  w.norms = detail::plain_numbers<Integer>(Integer(m.norms_per_layer) * norm);
  const Integer vocabulary = padded_vocabulary<Integer>(m, s, v.vocabulary_multiple) / Integer(s[axis::tp]);
  w.embedding = detail::plain_numbers<Integer>(vocabulary * hidden);
  w.final_norm = detail::plain_numbers<Integer>(m.lm_head_bias ? Integer(norm + vocabulary) : norm);
  w.head = w.embedding;
  if (m.mtp_layers == 0) return w;
  w.mtp = detail::plain_numbers<Integer>(Integer(2) * hidden * hidden + Integer(3) * norm);
  w.mtp += w.softmax_attention;
  w.mtp += w.norms;
  if (m.has_experts(m.layers - 1)) {
    w.mtp += w.routed_experts;
    w.mtp += w.shared_experts;
    w.mtp += w.router;
  } else {
    w.mtp += w.dense_mlp;
  }
  return w;
}

/// Weights on a rank of a stage. Multi-token prediction modules are there only where they draft tokens; with them goes a copy of the
/// embedding on a stage that has none. `one` is weights_of_rank(). Precondition: a deployment that `check` accepts.
template <class Integer = count>
[[nodiscard]] constexpr serving_weights<Integer> weights_of_stage(const serving_weights<Integer>& one, const model& m,
                                                                  stage_contents stage,
                                                                  const serving& v) noexcept(noexcept(Integer{} * Integer{})) {
  if (!v.drafts) stage.mtp_layers = 0;
  const stage_parts n = parts_of_stage(m, stage);
  const Integer moe_layers(n.moe_mlp);
  serving_weights<Integer> w;
  w.softmax_attention = Integer(n.softmax_attention) * one.softmax_attention;
  w.linear_attention = Integer(n.linear_attention) * one.linear_attention;
  w.dense_mlp = Integer(n.dense_mlp) * one.dense_mlp;
  w.routed_experts = moe_layers * one.routed_experts;
  w.shared_experts = moe_layers * one.shared_experts;
  w.router = moe_layers * one.router;
  w.norms = Integer(n.layers) * one.norms;
  w.mtp = Integer(n.mtp) * one.mtp;
  if (n.embedding) w.embedding = one.embedding;
  if (n.final_norm) w.final_norm = one.final_norm;
  if (n.head_parameters) w.head = one.head;
  return w;
}

} // namespace moeplan
