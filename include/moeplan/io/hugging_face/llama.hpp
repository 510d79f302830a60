#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/config.hpp>

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

/// mistral: dense, no biases.
[[nodiscard]] inline model read_mistral(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  m.attention = config.grouped(m);
  return m;
}

/// llama4_text: layer i holds experts when (i + 1) % interleave_moe_layer_step == 0. The shared expert is as wide as
/// intermediate_size, dense layers are as wide as intermediate_size_mlp, and the norms of queries and keys have no weights.
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
