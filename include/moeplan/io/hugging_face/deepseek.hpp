#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/config.hpp>

/// @file
/// DeepSeek: latent attention, the first layers dense, shared experts. Kimi K2 too.

namespace moeplan::io::detail {

[[nodiscard]] inline attention read_latent_attention(hugging_face_config& config) {
  config.refuse_if_true("attention_bias", "biases in latent attention are not supported");
  return attention::latent(config.need("num_attention_heads"), {.q_lora_rank = config.need_or_null("q_lora_rank", 0),
                                                                .kv_lora_rank = config.need("kv_lora_rank"),
                                                                .qk_nope_head_dim = config.need("qk_nope_head_dim"),
                                                                .qk_rope_head_dim = config.need("qk_rope_head_dim"),
                                                                .v_head_dim = config.need("v_head_dim")});
}

/// DeepSeek's ways to choose experts.
enum class top_k_method : std::uint16_t { greedy, group_limited, bias_corrected };

[[nodiscard]] inline model read_deepseek(hugging_face_config& config, top_k_method method, router_score score) {
  model m = config.common();
  m.attention = read_latent_attention(config);
  m.intermediate_size = config.need("intermediate_size");
  m.mtp_layers = config.integer_or("num_nextn_predict_layers", 0);
  experts& e = m.experts;
  e.routed = config.need_positive("n_routed_experts");
  e.top_k = config.need("num_experts_per_tok");
  e.intermediate_size = config.need("moe_intermediate_size");
  static_cast<void>(config.keys().need("n_shared_experts")); // though it may be null
  e.shared_intermediate_size = config.shared_width("n_shared_experts", e.intermediate_size);
  e.layers = layer_set::after_first(config.need("first_k_dense_replace"));
  e.layers.every = config.integer_or("moe_layer_freq", 1);
  e.score = score;
  e.selection_bias = method == top_k_method::bias_corrected;
  if (method == top_k_method::greedy) return m; // groups are not looked at
  e.groups = config.integer_or("n_group", 1);
  e.group_top_k = config.integer_or("topk_group", 1);
  return m;
}

/// deepseek_v2: without the keys, softmax and greedy.
[[nodiscard]] inline model read_deepseek_v2(hugging_face_config& config) {
  constexpr named<top_k_method> methods[] = {{"greedy", top_k_method::greedy},
                                             {"group_limited_greedy", top_k_method::group_limited},
                                             {"noaux_tc", top_k_method::bias_corrected}};
  constexpr named<router_score> scores[] = {{"softmax", router_score::softmax}, {"sigmoid", router_score::sigmoid}};
  const top_k_method method = config.choice_or_first("topk_method", methods);
  return read_deepseek(config, method, config.choice_or_first("scoring_func", scores));
}

/// deepseek_v3 and kimi_k2: without the keys, sigmoid and a correction bias of one value an expert.
[[nodiscard]] inline model read_deepseek_v3(hugging_face_config& config) {
  constexpr named<top_k_method> methods[] = {{"noaux_tc", top_k_method::bias_corrected}};
  constexpr named<router_score> scores[] = {{"sigmoid", router_score::sigmoid}, {"softmax", router_score::softmax}};
  const top_k_method method = config.choice_or_first("topk_method", methods);
  return read_deepseek(config, method, config.choice_or_first("scoring_func", scores));
}

/// deepseek_v32: deepseek_v3 with an indexer in each layer, whose queries come from the compressed ones.
[[nodiscard]] inline model read_deepseek_v32(hugging_face_config& config) {
  model m = read_deepseek_v3(config);
  m.attention.q_lora_rank = config.need("q_lora_rank"); // not null
  m.attention.indexer = {.heads = config.need_positive("index_n_heads"),
                         .head_dim = config.need_positive("index_head_dim"),
                         .top_k = config.need_positive("index_topk")};
  return m;
}

} // namespace moeplan::io::detail
