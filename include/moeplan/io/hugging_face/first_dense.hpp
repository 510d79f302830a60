#pragma once

#include <cstdint>
#include <string>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/config.hpp>

/// @file
/// Grouped-query attention, the first layers dense, shared experts: GLM-4.5, ERNIE 4.5, Ling.

namespace moeplan::io::detail {

/// glm4_moe: attention_bias is on q, k and v; use_qk_norm is of head_dim each; a correction bias of one value an expert without a
/// key.
[[nodiscard]] inline model read_glm4_moe(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  m.mtp_layers = config.integer_or("num_nextn_predict_layers", 0);
  m.attention = config.grouped(m);
  m.attention.qkv_bias = config.flag("attention_bias");
  if (config.flag("use_qk_norm")) m.attention.norm = query_key_norm::per_head;
  experts& e = m.experts;
  e.routed = config.need_positive("n_routed_experts");
  e.top_k = config.need("num_experts_per_tok");
  e.intermediate_size = config.need("moe_intermediate_size");
  e.shared_intermediate_size = config.shared_width("n_shared_experts", e.intermediate_size);
  e.groups = config.integer_or("n_group", 1);
  e.group_top_k = config.integer_or("topk_group", 1);
  e.score = router_score::sigmoid;
  e.selection_bias = true;
  e.layers = layer_set::after_first(config.need("first_k_dense_replace"));
  return m;
}

/// Layer i holds experts when moe_layer_start_index <= i <= moe_layer_end_index (-1: the last) and (i + 1) % moe_layer_interval ==
/// 0.
[[nodiscard]] inline layer_set ernie_moe_layers(hugging_face_config& config, const model& m) {
  const std::int64_t interval = config.positive_or("moe_layer_interval", 1);
  layer_set layers = layer_set::every_nth(interval, interval - 1);
  layers.first = config.need("moe_layer_start_index");
  const auto end = config.keys().find_unless_null("moe_layer_end_index");
  if (!end || end->integer() == -1 || end->integer() >= m.layers) return layers;
  if (end->integer() < 0) end->refuse("an integer from -1", "a number out of range");
  if (m.layers > layer_set::listable)
    end->refuse("-1 in a model of more than " + std::to_string(layer_set::listable) + " layers", "dense layers at the end");
  for (std::int64_t i = end->integer() + 1; i < m.layers; ++i) layers.exclude(i);
  return layers;
}

/// ernie4_5_moe: a correction bias of one value an expert and tied embeddings without keys. The dense layer for multi-token
/// prediction that some checkpoints hold is not described.
[[nodiscard]] inline model read_ernie4_5_moe(hugging_face_config& config) {
  model m = config.common(true);
  config.refuse_if_true("use_bias", "biases in attention and MLP are not supported here");
  m.intermediate_size = config.need("intermediate_size");
  m.attention = config.grouped(m);
  experts& e = m.experts;
  e.routed = config.need_positive("moe_num_experts");
  e.top_k = config.need("moe_k");
  e.intermediate_size = config.need("moe_intermediate_size");
  e.shared_intermediate_size = config.shared_width("moe_num_shared_experts", e.intermediate_size);
  e.selection_bias = true;
  e.layers = ernie_moe_layers(config, m);
  return m;
}

/// bailing_moe and bailing_moe_v2 (Ling, Ring). The second version, whose router has a correction bias, comes under either name;
/// without keys it takes sigmoids and chooses among 4 of 8 groups, as its configuration class does.
[[nodiscard]] inline model read_bailing_moe(hugging_face_config& config) {
  constexpr named<router_score> scores[] = {{"softmax", router_score::softmax}, {"sigmoid", router_score::sigmoid}};
  model m = config.common();
  static_cast<void>(config.keys().need("use_bias")); // which is true by default
  config.refuse_if_true("use_bias", "biases in attention and MLP are not supported here");
  m.intermediate_size = config.need("intermediate_size");
  m.mtp_layers = config.integer_or("num_nextn_predict_layers", 0);
  m.attention = config.grouped(m);
  m.attention.qkv_bias = config.flag("use_qkv_bias");
  if (config.flag("use_qk_norm")) m.attention.norm = query_key_norm::per_head;
  experts& e = m.experts;
  e.routed = config.need_positive("num_experts");
  e.top_k = config.need("num_experts_per_tok");
  e.intermediate_size = config.need("moe_intermediate_size");
  e.shared_intermediate_size = config.shared_width("num_shared_experts", e.intermediate_size);
  e.selection_bias = config.flag("moe_router_enable_expert_bias");
  e.groups = config.integer_or("n_group", e.selection_bias ? 8 : 1);
  e.group_top_k = config.integer_or("topk_group", e.selection_bias ? 4 : 1);
  e.score = config.choice_or("score_function", scores, e.selection_bias ? router_score::sigmoid : router_score::softmax);
  e.layers = layer_set::after_first(config.integer_or("first_k_dense_replace", 0));
  return m;
}

} // namespace moeplan::io::detail
