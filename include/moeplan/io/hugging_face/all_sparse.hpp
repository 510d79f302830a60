#pragma once

#include <cstddef>
#include <string>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/config.hpp>
#include <moeplan/io/hugging_face/window.hpp>

/// @file
/// Models that hold experts in every layer and share none: Mixtral, Phi-3.5-MoE, OLMoE, gpt-oss, MiniMax-M2, Grok-1, DBRX.

namespace moeplan::io::detail {

/// Grouped-query attention, and experts as wide as intermediate_size in every layer.
[[nodiscard]] inline model read_all_sparse(hugging_face_config& config, const char* routed, bool tied_by_default = false) {
  model m = config.common(tied_by_default);
  m.attention = config.grouped(m);
  m.experts.routed = config.need_positive(routed);
  m.experts.top_k = config.need("num_experts_per_tok");
  m.experts.intermediate_size = config.need("intermediate_size");
  return m;
}

/// mixtral
[[nodiscard]] inline model read_mixtral(hugging_face_config& config) {
  model m = read_all_sparse(config, "num_local_experts");
  read_sliding_window(config, m, 0, attention_window::no_layers());
  return m;
}

/// phimoe: LayerNorms with biases; attention_bias is on q, k, v and o.
[[nodiscard]] inline model read_phimoe(hugging_face_config& config) {
  model m = read_all_sparse(config, "num_local_experts");
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias");
  m.lm_head_bias = config.flag("lm_head_bias");
  m.norm_bias = true;
  read_sliding_window(config, m, 0, attention_window::no_layers());
  return m;
}

/// olmoe: q and k norm over the whole projection without a key; attention_bias is on q, k, v and o.
[[nodiscard]] inline model read_olmoe(hugging_face_config& config) {
  model m = read_all_sparse(config, "num_experts");
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias");
  m.attention.norm = query_key_norm::full_width;
  return m;
}

/// gpt_oss: without keys, sinks and biases of router and experts, and a window of 128 tokens in every other layer, the first among
/// them; attention_bias is on q, k, v and o, and is true without a key.
[[nodiscard]] inline model read_gpt_oss(hugging_face_config& config) {
  model m = read_all_sparse(config, "num_local_experts");
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias", true);
  m.attention.sinks = true;
  m.experts.router_bias = m.experts.bias = true;
  read_sliding_window(config, m, 128, layer_set::every_nth(2, 1));
  return m;
}

/// minimax_m2. The modules for multi-token prediction that it declares (num_mtp_modules) are in no published checkpoint, so there
/// are none here.
[[nodiscard]] inline model read_minimax_m2(hugging_face_config& config) {
  constexpr named<query_key_norm> norms[] = {{"per_layer", query_key_norm::full_width}, {"per_head", query_key_norm::per_head}};
  constexpr named<router_score> scores[] = {{"sigmoid", router_score::sigmoid}, {"softmax", router_score::softmax}};
  model m = read_all_sparse(config, "num_local_experts");
  if (config.flag("use_qk_norm", true)) m.attention.norm = config.choice_or_first("qk_norm_type", norms);
  m.experts.score = config.choice_or_first("scoring_func", scores);
  m.experts.selection_bias = config.flag("use_routing_bias", true);
  config.refuse_unless_zero("shared_intermediate_size", "a shared expert is not supported here");
  const auto kinds = config.keys().find_unless_null("attn_type_list");
  if (!kinds) return m;
  if (!kinds->is(json_kind::array)) kinds->refuse("an array of types of attention");
  std::size_t index = 0;
  for (const json_value& item : kinds->value().items) {
    const json_place kind{*kinds, std::to_string(index++), item};
    if (kind.integer() != 1) kind.refuse("1", "linear attention is not supported here");
  }
  return m;
}

/// grok-1: four norms a layer, one matrix for embedding and head. The experts' key differs from conversion to conversion.
[[nodiscard]] inline model read_grok_1(hugging_face_config& config) {
  model m = read_all_sparse(config, config.keys().find("num_experts") ? "num_experts" : "num_local_experts", true);
  m.norms_per_layer = 4;
  return m;
}

/// dbrx: everything has another name.
[[nodiscard]] inline model read_dbrx(hugging_face_config& config) {
  hugging_face_config attention_keys{config.keys().need("attn_config")};
  hugging_face_config expert_keys{config.keys().need("ffn_config")};
  model m;
  m.layers = config.need("n_layers");
  m.hidden_size = config.need("d_model");
  m.vocabulary_size = config.need("vocab_size");
  m.tied_embeddings = config.flag("tie_word_embeddings");
  if (const auto positions = config.keys().find_unless_null("max_seq_len")) m.max_positions = positions->integer();
  m.attention = attention::grouped_query(config.need("n_heads"), attention_keys.need("kv_n_heads"), 0);
  m.attention.head_dim = config.head_dim(m, m.attention.heads);
  m.experts.routed = expert_keys.need_positive("moe_num_experts");
  m.experts.top_k = expert_keys.need("moe_top_k");
  m.experts.intermediate_size = expert_keys.need("ffn_hidden_size");
  return m;
}

} // namespace moeplan::io::detail
