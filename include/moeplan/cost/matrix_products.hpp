#pragma once

#include <cstdint>

#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/pass_tokens.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// Multiply-adds of a model's matrix products in one layer: for one token, or for one pair of a query and a key.

namespace moeplan {

/// For a token: latent attention's up-projection of one token's keys and values, in every head.
template <class Integer = count>
[[nodiscard]] constexpr Integer latent_key_value_products(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  return Integer(a.kv_lora_rank) * Integer(a.heads) * (Integer(a.qk_nope_head_dim) + Integer(a.v_head_dim));
}

/// For a token: latent attention's queries, from the compressed ones or, without compression, from the hidden state.
template <class Integer = count>
[[nodiscard]] constexpr Integer latent_query_products(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  const Integer inputs(a.q_lora_rank > 0 ? a.q_lora_rank : m.hidden_size);
  return inputs * Integer(a.heads) * (Integer(a.qk_nope_head_dim) + Integer(a.qk_rope_head_dim));
}

/// For a token: the projections of softmax attention. In the absorbed form a head's query passes through the keys' up-projection and its
/// output through the values': as many as in the expanded form, where the token's keys and values do.
template <class Integer = count>
[[nodiscard]] constexpr Integer attention_projection_products(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  const Integer hidden(m.hidden_size);
  if (a.kind == attention_kind::grouped_query) {
    const Integer queries = Integer(a.heads) * Integer(m.head_dim());
    const Integer keys = Integer(a.kv_heads) * Integer(m.head_dim());
    const Integer outputs = queries;
    const Integer gates = a.output_gate ? queries : Integer(0);
    return hidden * (queries + keys + keys + gates) + outputs * hidden;
  }
  const Integer down = hidden * (Integer(a.q_lora_rank) + Integer(a.kv_lora_rank) + Integer(a.qk_rope_head_dim));
  const Integer output = Integer(a.heads) * Integer(a.v_head_dim) * hidden;
  return down + latent_query_products<Integer>(m) + latent_key_value_products<Integer>(m) + output;
}

/// For a pair: a query times a key and a probability times a value, in every head.
template <class Integer = count>
[[nodiscard]] constexpr Integer core_attention_products(const model& m,
                                                        latent_attention_form form) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  const Integer heads(a.heads);
  if (a.kind == attention_kind::grouped_query) return heads * Integer(2) * Integer(m.head_dim());
  if (form == latent_attention_form::absorbed) return heads * (Integer(2) * Integer(a.kv_lora_rank) + Integer(a.qk_rope_head_dim));
  return heads * (Integer(a.qk_nope_head_dim) + Integer(a.qk_rope_head_dim) + Integer(a.v_head_dim));
}

/// For a token: an indexer's queries, its key, and the weights of its heads (DeepSeek-V3.2, arXiv 2512.02556, section 2.1).
template <class Integer = count>
[[nodiscard]] constexpr Integer indexer_projection_products(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const sparse_indexer& i = m.attention.indexer;
  const Integer queries = Integer(m.attention.q_lora_rank) * Integer(i.heads) * Integer(i.head_dim);
  return queries + Integer(m.hidden_size) * (Integer(i.head_dim) + Integer(i.heads));
}

/// For a pair: an indexer's queries times the one key. The weighted sum over heads that follows is no product of matrices (DeepGEMM,
/// fp8_mqa_logits, counts the same).
template <class Integer = count>
[[nodiscard]] constexpr Integer indexer_score_products(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(m.attention.indexer.heads) * Integer(m.attention.indexer.head_dim);
}

/// For a token: projections and convolution of linear attention (Gated DeltaNet, arXiv 2412.06464, as in Qwen3-Next): queries, keys,
/// values, output gate, a decay and a write strength a head, and the output.
template <class Integer = count>
[[nodiscard]] constexpr Integer linear_projection_products(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const linear_attention& l = m.linear_attention;
  const Integer hidden(m.hidden_size);
  const Integer queries = Integer(l.key_heads) * Integer(l.key_head_dim);
  const Integer values = Integer(l.value_heads) * Integer(l.value_head_dim);
  const Integer convolved = queries + queries + values;
  const Integer input = hidden * (convolved + values + Integer(2) * Integer(l.value_heads));
  return input + convolved * Integer(l.convolution) + values * hidden;
}

/// For a token: the delta rule.
template <class Integer = count>
[[nodiscard]] constexpr Integer delta_rule_products(const model& m,
                                                    delta_rule_count counted) noexcept(noexcept(Integer{} * Integer{})) {
  const linear_attention& l = m.linear_attention;
  const Integer values(l.value_head_dim);
  const Integer heads(l.value_heads);
  if (counted == delta_rule_count::megatron) return heads * values * values * Integer(4);
  return heads * Integer(l.key_head_dim) * values * Integer(3);
}

/// For a token: an MLP of so many intermediate elements, an expert, or several experts together.
template <class Integer = count>
[[nodiscard]] constexpr Integer mlp_products(const model& m,
                                             const Integer& intermediate) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(m.gated_mlp ? 3 : 2) * Integer(m.hidden_size) * intermediate;
}

/// For a token: the router, and the gate of the shared experts where there is one.
template <class Integer = count>
[[nodiscard]] constexpr Integer router_products(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(m.hidden_size) * (Integer(m.experts.routed) + Integer(m.experts.shared_gate ? 1 : 0));
}

} // namespace moeplan
