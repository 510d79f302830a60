#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How many parameters a model has, by component.

namespace moeplan {

/// Numbers of parameters. The components, which add up to total(), are those of the main model; multi-token prediction is apart.
template <class Integer = count>
struct parameter_counts {
  Integer embedding{0};
  Integer attention{0}; ///< projections of all layers, without biases and norms
  Integer attention_bias{0};
  Integer qk_norm{0}; ///< query and key norms; latent attention: norms of the compressed vectors
  Integer sinks{0};
  Integer indexer{0};
  Integer linear_attention{0}; ///< everything of the layers that have it in place of softmax attention
  Integer router{0};
  Integer router_bias{0}; ///< of the router's projection, and correction biases for the selection of experts
  Integer routed_experts{0};
  Integer routed_expert_bias{0};
  Integer shared_experts{0};
  Integer shared_expert_gate{0};
  Integer dense_mlp{0}; ///< MLPs of the layers without experts
  Integer layer_norms{0};
  Integer final_norm{0};
  Integer lm_head{0}; ///< 0 when tied to the embedding
  Integer lm_head_bias{0};

  Integer inactive_experts{0}; ///< the part of routed_experts and routed_expert_bias that one token does not visit
  Integer mtp{0};              ///< multi-token prediction modules' own, without the embedding and head that a checkpoint may copy

  /// The main model.
  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) {
    return embedding + attention + attention_bias + qk_norm + sinks + indexer + linear_attention + router + router_bias +
           routed_experts + routed_expert_bias + shared_experts + shared_expert_gate + dense_mlp + layer_norms + final_norm +
           lm_head + lm_head_bias;
  }

  /// Those that one token passes through, embedding and head included.
  [[nodiscard]] constexpr Integer active() const noexcept(noexcept(Integer{} - Integer{})) { return total() - inactive_experts; }
};

/// Projections of one layer's attention: Q, K, V, output and, where there is one, the output's gate; for latent attention down- and
/// up-projections (DeepSeek-V2, arXiv 2405.04434, section 2.1; formula 2.3 of arXiv 2502.07846 with its norms left out).
template <class Integer = count>
[[nodiscard]] constexpr Integer attention_parameters(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  const Integer hidden(m.hidden_size);
  const Integer heads(a.heads);
  if (a.kind == attention_kind::grouped_query) {
    const Integer head_dim(m.head_dim());
    return hidden * head_dim * (Integer(a.output_gate ? 3 : 2) * heads + Integer(2) * Integer(a.kv_heads));
  }
  const Integer query_width = heads * (Integer(a.qk_nope_head_dim) + Integer(a.qk_rope_head_dim));
  const Integer compressed_query(a.q_lora_rank);
  const Integer compressed_kv(a.kv_lora_rank);
  // Converted, since operators of Boost's integers return expressions of different types.
  const Integer query =
      a.q_lora_rank == 0 ? Integer(hidden * query_width) : Integer(hidden * compressed_query + compressed_query * query_width);
  const Integer down_kv = hidden * (compressed_kv + Integer(a.qk_rope_head_dim));
  const Integer up_kv = compressed_kv * heads * (Integer(a.qk_nope_head_dim) + Integer(a.v_head_dim));
  return query + down_kv + up_kv + heads * Integer(a.v_head_dim) * hidden;
}

/// Biases of one layer's attention; the output's gate has those of the queries. Precondition: grouped-query attention where there
/// is one.
template <class Integer = count>
[[nodiscard]] constexpr Integer attention_biases(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  const Integer queries = Integer(a.output_gate ? 2 : 1) * Integer(a.heads);
  const Integer qkv = a.qkv_bias ? Integer(m.head_dim()) * (queries + Integer(2) * Integer(a.kv_heads)) : Integer(0);
  return a.output_bias ? qkv + Integer(m.hidden_size) : qkv;
}

/// Query and key norms of one layer.
template <class Integer = count>
[[nodiscard]] constexpr Integer query_key_norms(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const attention& a = m.attention;
  if (a.kind == attention_kind::latent) return Integer(a.q_lora_rank) + Integer(a.kv_lora_rank);
  switch (a.norm) {
    case query_key_norm::per_head: return Integer(2) * Integer(m.head_dim());
    case query_key_norm::full_width: return Integer(m.head_dim()) * (Integer(a.heads) + Integer(a.kv_heads));
    case query_key_norm::none: break;
  }
  return Integer(0);
}

/// Sinks of one layer: a logit a head (gpt-oss, arXiv 2508.10925).
template <class Integer = count>
[[nodiscard]] constexpr Integer attention_sinks(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(m.attention.sinks ? m.attention.heads : 0);
}

/// The indexer of one layer: queries from the compressed queries, one key from the hidden state, the key's LayerNorm, and the
/// heads' weights (DeepSeek-V3.2, arXiv 2512.02556, section 2.1; wq_b, wk, k_norm and weights_proj of its reference code).
template <class Integer = count>
[[nodiscard]] constexpr Integer indexer_parameters(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const sparse_indexer& i = m.attention.indexer;
  const Integer hidden(m.hidden_size);
  const Integer heads(i.heads);
  const Integer head_dim(i.head_dim);
  return Integer(m.attention.q_lora_rank) * heads * head_dim + hidden * head_dim + Integer(2) * head_dim + hidden * heads;
}

/// The linear attention of one layer, Gated DeltaNet (arXiv 2412.06464) as in Qwen3-Next: projections of queries, keys, values and
/// output gate and of two scalars a value head, a convolution over each channel of queries, keys and values, a decay and a time
/// step a value head, a norm over one value head, and the output projection.
template <class Integer = count>
[[nodiscard]] constexpr Integer linear_attention_parameters(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const linear_attention& l = m.linear_attention;
  const Integer hidden(m.hidden_size);
  const Integer value_heads(l.value_heads);
  const Integer keys = Integer(l.key_heads) * Integer(l.key_head_dim);
  const Integer values = value_heads * Integer(l.value_head_dim);
  const Integer channels = Integer(2) * keys + values;
  return hidden * (channels + values + Integer(2) * value_heads) + channels * Integer(l.convolution) + Integer(2) * value_heads +
         Integer(l.value_head_dim) + values * hidden;
}

/// One norm as wide as the model.
template <class Integer = count>
[[nodiscard]] constexpr Integer norm_parameters(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(m.norm_bias ? 2 : 1) * Integer(m.hidden_size);
}

/// One MLP of the given intermediate size: gate, up and down projection, or up and down.
template <class Integer = count>
[[nodiscard]] constexpr Integer mlp_parameters(const model& m,
                                               std::int64_t intermediate_size) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(m.gated_mlp ? 3 : 2) * Integer(m.hidden_size) * Integer(intermediate_size);
}

/// One routed expert, without biases.
template <class Integer = count>
[[nodiscard]] constexpr Integer expert_parameters(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  return mlp_parameters<Integer>(m, m.experts.intermediate_size);
}

/// The biases of one routed expert (gpt-oss): of gate, up and down projection.
template <class Integer = count>
[[nodiscard]] constexpr Integer expert_biases(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  if (!m.experts.bias) return Integer(0);
  return Integer(m.gated_mlp ? 2 : 1) * Integer(m.experts.intermediate_size) + Integer(m.hidden_size);
}

/// The biases of one layer's router: of its projection, and those that correct the selection.
template <class Integer = count>
[[nodiscard]] constexpr Integer router_biases(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer((m.experts.router_bias ? 1 : 0) + (m.experts.selection_bias ? 1 : 0)) * Integer(m.experts.routed);
}

/// One multi-token prediction module: a decoder layer of the last layer's kind, with softmax attention, a projection of two hidden
/// states to one, the norms of both, and a final norm. Embedding and head are the main model's (DeepSeek-V3, arXiv 2412.19437,
/// section 2.2).
template <class Integer = count>
[[nodiscard]] constexpr Integer mtp_layer_parameters(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const experts& e = m.experts;
  const Integer hidden(m.hidden_size);
  const Integer around = attention_parameters<Integer>(m) + attention_biases<Integer>(m) + query_key_norms<Integer>(m) +
                         attention_sinks<Integer>(m) + indexer_parameters<Integer>(m) + Integer(2) * hidden * hidden +
                         Integer(m.norms_per_layer + 3) * norm_parameters<Integer>(m);
  if (!m.has_experts(m.layers - 1)) return around + mlp_parameters<Integer>(m, m.intermediate_size);
  const Integer router = Integer(e.routed) * hidden + router_biases<Integer>(m);
  return around + router + Integer(e.routed) * (expert_parameters<Integer>(m) + expert_biases<Integer>(m)) +
         mlp_parameters<Integer>(m, e.shared_intermediate_size) + (e.shared_gate ? hidden : Integer(0));
}

/// All parameters of a model, to the digit of the published checkpoint (reference: the safetensors headers on the Hugging Face
/// hub). `Integer` may be a type of <moeplan/multiprecision.hpp>. Precondition: a model that `check` accepts.
template <class Integer = count>
[[nodiscard]] constexpr parameter_counts<Integer> parameters(const model& m) noexcept(noexcept(Integer{} * Integer{})) {
  const experts& e = m.experts;
  const Integer layers(m.layers);
  const Integer softmax_layers(m.softmax_layers());
  const Integer moe_layers(m.moe_layers());
  const Integer hidden(m.hidden_size);
  const Integer routed(e.routed);
  const Integer expert = expert_parameters<Integer>(m) + expert_biases<Integer>(m);
  const Integer vocabulary_matrix = Integer(m.vocabulary_size) * hidden;

  parameter_counts<Integer> p;
  p.embedding = vocabulary_matrix;
  p.attention = softmax_layers * attention_parameters<Integer>(m);
  p.attention_bias = softmax_layers * attention_biases<Integer>(m);
  p.qk_norm = softmax_layers * query_key_norms<Integer>(m);
  p.sinks = softmax_layers * attention_sinks<Integer>(m);
  p.indexer = softmax_layers * indexer_parameters<Integer>(m);
  p.linear_attention = (layers - softmax_layers) * linear_attention_parameters<Integer>(m);
  p.router = moe_layers * routed * hidden;
  p.router_bias = moe_layers * router_biases<Integer>(m);
  p.routed_experts = moe_layers * routed * expert_parameters<Integer>(m);
  p.routed_expert_bias = moe_layers * routed * expert_biases<Integer>(m);
  p.shared_experts = moe_layers * mlp_parameters<Integer>(m, e.shared_intermediate_size);
  p.shared_expert_gate = e.shared_gate ? moe_layers * hidden : Integer(0);
  p.dense_mlp = Integer(m.dense_layers()) * mlp_parameters<Integer>(m, m.intermediate_size);
  p.layer_norms = layers * Integer(m.norms_per_layer) * norm_parameters<Integer>(m);
  p.final_norm = norm_parameters<Integer>(m);
  p.lm_head = m.tied_embeddings ? Integer(0) : vocabulary_matrix;
  p.lm_head_bias = Integer(m.lm_head_bias ? m.vocabulary_size : 0);
  p.inactive_experts = moe_layers * (routed - Integer(e.top_k)) * expert;
  p.mtp = Integer(m.mtp_layers) * mtp_layer_parameters<Integer>(m);
  return p;
}

} // namespace moeplan
