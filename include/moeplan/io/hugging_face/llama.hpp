#pragma once

#include <cstdint>
#include <string>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/config.hpp>
#include <moeplan/io/hugging_face/window.hpp>

/// @file
/// Meta's models, and Mistral's dense ones.

namespace moeplan::io::detail {

/// llama: dense; attention_bias is on q, k, v and o.
[[nodiscard]] inline model read_llama(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  // The first Llama's files do not have the key: as many as heads.
  if (!config.keys().find("num_key_value_heads")) {
    const std::int64_t heads = config.need("num_attention_heads");
    m.attention = attention::multi_head(heads, config.head_dim(m, heads));
  } else {
    m.attention = config.grouped(m);
  }
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias");
  return m;
}

/// mistral: dense, no biases; without the key, a window of 4096 tokens in all layers.
[[nodiscard]] inline model read_mistral(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  m.attention = config.grouped(m);
  read_sliding_window(config, m, 4096, attention_window::no_layers());
  return m;
}

/// Llama 4's layers without rotary embedding, which attend to all tokens: those with a 0 in no_rope_layers, or, where that is absent
/// or empty, every no_rope_layer_interval-th.
[[nodiscard]] inline layer_set llama4_full_layers(hugging_face_config& config, const model& m) {
  const std::int64_t interval = config.positive_or("no_rope_layer_interval", 4);
  const layer_set by_interval = layer_set::every_nth(interval, interval - 1);
  const auto list = config.keys().find_unless_null("no_rope_layers");
  if (!list || (list->is(json_kind::array) && list->value().items.empty())) return by_interval;
  need_item_for_each_layer(*list, m, "numbers");
  bool the_same = true;
  layer_set set;
  std::int64_t layer = 0;
  for (const json_value& item : list->value().items) {
    const bool full = json_place{*list, std::to_string(layer), item}.integer() == 0;
    the_same = the_same && full == by_interval.contains(layer);
    if (!full) set.exclude(layer);
    ++layer;
  }
  return the_same ? by_interval : set;
}

/// llama4_text: layer i holds experts when (i + 1) % interleave_moe_layer_step == 0. The shared expert is as wide as
/// intermediate_size, dense layers are as wide as intermediate_size_mlp, and the norms of queries and keys have no weights. Layers
/// with rotary embedding attend within chunks, of 8192 tokens without a key.
[[nodiscard]] inline model read_llama4_text(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size_mlp");
  m.attention = config.grouped(m);
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias");
  experts& e = m.experts;
  e.routed = config.need_positive("num_local_experts");
  e.top_k = config.need("num_experts_per_tok");
  e.intermediate_size = e.shared_intermediate_size = config.need("intermediate_size");
  e.score = router_score::sigmoid;
  const std::int64_t step = config.positive_or("interleave_moe_layer_step", 1);
  e.layers = layer_set::every_nth(step, step - 1);
  config.check_layers("moe_layers", e.layers, m.layers, "not what interleave_moe_layer_step says");
  const std::int64_t chunk = window_size(config, "attention_chunk_size", 8192);
  const layer_set full = llama4_full_layers(config, m);
  set_window(m, chunk, window_kind::chunked, read_full_layers(config, m, window_kind::chunked, full));
  return m;
}

/// llama4: the text model, which stands under text_config. Vision tower and projector, which no parallelism here is about, are not
/// part of a model.
[[nodiscard]] inline model read_llama4(hugging_face_config& config) {
  hugging_face_config text{config.keys().need("text_config")};
  model m = read_llama4_text(text);
  m.tied_embeddings = m.tied_embeddings || config.flag("tie_word_embeddings");
  return m;
}

} // namespace moeplan::io::detail
