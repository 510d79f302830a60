#pragma once

#include <cstdint>
#include <string>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/config.hpp>
#include <moeplan/io/hugging_face/window.hpp>

/// @file
/// The Qwen team's models.

namespace moeplan::io::detail {

/// Layers with a window where use_sliding_window says that there are such; that is false by default.
[[nodiscard]] inline bool has_qwen_window(hugging_face_config& config) { return config.flag("use_sliding_window"); }

/// Dense models: the layers from max_window_layers on have a window.
inline void read_qwen_window(hugging_face_config& config, model& m) {
  if (!has_qwen_window(config)) return;
  const std::int64_t first = config.integer_or("max_window_layers", 28);
  read_sliding_window(config, m, 4096, listed_layers(config, m, [&](std::int64_t i) { return i < first; }));
}

/// qwen2 without the window: dense; biases of q, k and v without a key.
[[nodiscard]] inline model read_qwen2_without_window(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  m.attention = config.grouped(m);
  m.attention.qkv_bias = config.flag("qkv_bias", true);
  return m;
}

/// qwen2
[[nodiscard]] inline model read_qwen2(hugging_face_config& config) {
  model m = read_qwen2_without_window(config);
  read_qwen_window(config, m);
  return m;
}

/// qwen3 without the window: dense; q and k norm of head_dim each without a key; attention_bias is on q, k, v and o.
[[nodiscard]] inline model read_qwen3_without_window(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  m.attention = config.grouped(m);
  m.attention.norm = query_key_norm::per_head;
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias");
  return m;
}

/// qwen3
[[nodiscard]] inline model read_qwen3(hugging_face_config& config) {
  model m = read_qwen3_without_window(config);
  read_qwen_window(config, m);
  return m;
}

/// Qwen's dense layers: layer i holds experts when (i + 1) % decoder_sparse_step == 0 and it is not in mlp_only_layers.
[[nodiscard]] inline layer_set qwen_moe_layers(hugging_face_config& config) {
  const std::int64_t step = config.positive_or("decoder_sparse_step", 1);
  layer_set layers = layer_set::every_nth(step, step - 1);
  const auto dense = config.keys().find_unless_null("mlp_only_layers");
  if (!dense) return layers;
  if (!dense->is(json_kind::array)) dense->refuse("an array of layers");
  std::size_t index = 0;
  for (const json_value& item : dense->value().items) {
    const json_place layer{*dense, std::to_string(index++), item};
    if (layer.integer() < 0 || layer.integer() >= layer_set::listable)
      layer.refuse("a layer from 0 to " + std::to_string(layer_set::listable - 1), "a number out of range");
    layers.exclude(layer.integer());
  }
  return layers;
}

/// The routed experts of all of Qwen's models.
inline void read_qwen_experts(hugging_face_config& config, model& m) {
  m.experts.routed = config.need_positive("num_experts");
  m.experts.top_k = config.need("num_experts_per_tok");
  m.experts.intermediate_size = config.need("moe_intermediate_size");
  m.experts.layers = qwen_moe_layers(config);
}

/// A shared expert and, without a key, a gate of hidden_size before it.
inline void read_qwen_shared_expert(hugging_face_config& config, model& m) {
  m.experts.shared_intermediate_size = config.need("shared_expert_intermediate_size");
  m.experts.shared_gate = true;
}

/// qwen2_moe: qwen2 with routed experts and a shared one. Every other layer below max_window_layers has a window, the first among
/// them (transformers, configuration_qwen2_moe.py).
[[nodiscard]] inline model read_qwen2_moe(hugging_face_config& config) {
  model m = read_qwen2_without_window(config);
  read_qwen_experts(config, m);
  read_qwen_shared_expert(config, m);
  if (has_qwen_window(config)) {
    const std::int64_t end = config.integer_or("max_window_layers", 28);
    read_sliding_window(config, m, 4096, listed_layers(config, m, [&](std::int64_t i) { return i % 2 != 0 || i >= end; }));
  }
  return m;
}

/// qwen3_moe: qwen3 with experts. All layers have a window if any has one.
[[nodiscard]] inline model read_qwen3_moe(hugging_face_config& config) {
  config.refuse_unless_zero("shared_expert_intermediate_size", "a shared expert is not supported here");
  model m = read_qwen3_without_window(config);
  read_qwen_experts(config, m);
  if (has_qwen_window(config)) read_sliding_window(config, m, 4096, attention_window::no_layers());
  return m;
}

/// What layer_types, if it is there, must say again: which layers have softmax attention.
inline void check_layer_types(hugging_face_config& config, const model& m) {
  const auto types = config.keys().find_unless_null("layer_types");
  if (!types) return;
  const std::string expected = "an array of " + std::to_string(m.layers) + " types of layers";
  if (!types->is(json_kind::array)) types->refuse(expected);
  if (static_cast<std::int64_t>(types->value().items.size()) != m.layers) types->refuse(expected, "one for each layer");
  constexpr named<bool> kinds[] = {{"linear_attention", true}, {"full_attention", false}};
  std::int64_t layer = 0;
  for (const json_value& item : types->value().items) {
    const json_place type{*types, std::to_string(layer), item};
    const bool linear = m.has_linear_attention(layer++);
    if (type.choice(kinds) != linear)
      type.refuse(linear ? "\"linear_attention\"" : "\"full_attention\"", "not what full_attention_interval says");
  }
}

/// qwen3_next: layer i has softmax attention with an output gate when (i + 1) % full_attention_interval == 0, else Gated DeltaNet.
/// No key tells of the multi-token prediction module in the published checkpoints, so there is none here.
[[nodiscard]] inline model read_qwen3_next(hugging_face_config& config) {
  model m = read_qwen3_without_window(config);
  m.attention.output_gate = true;
  read_qwen_experts(config, m);
  read_qwen_shared_expert(config, m);
  const std::int64_t interval = config.positive_or("full_attention_interval", 4);
  m.linear_attention = {.key_heads = config.need_positive("linear_num_key_heads"),
                        .value_heads = config.need_positive("linear_num_value_heads"),
                        .key_head_dim = config.need_positive("linear_key_head_dim"),
                        .value_head_dim = config.need_positive("linear_value_head_dim"),
                        .convolution = config.need_positive("linear_conv_kernel_dim"),
                        .softmax_layers = layer_set::every_nth(interval, interval - 1)};
  check_layer_types(config, m);
  return m;
}

} // namespace moeplan::io::detail
