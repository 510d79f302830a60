#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of DeepSeek, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// deepseek-ai/DeepSeek-V2-Lite
inline constexpr model deepseek_v2_lite{
    .layers = 27,
    .hidden_size = 2048,
    .vocabulary_size = 102400,
    .intermediate_size = 10944,
    .attention = attention::latent(16, {.kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128}),
    .experts = {.routed = 64,
                .top_k = 6,
                .intermediate_size = 1408,
                .shared_intermediate_size = 2LL * 1408,
                .layers = layer_set::after_first(1)},
    .max_positions = 163840,
};

/// deepseek-ai/DeepSeek-V2
inline constexpr model deepseek_v2{
    .layers = 60,
    .hidden_size = 5120,
    .vocabulary_size = 102400,
    .intermediate_size = 12288,
    .attention = attention::latent(
        128, {.q_lora_rank = 1536, .kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128}),
    .experts = {.routed = 160,
                .top_k = 6,
                .intermediate_size = 1536,
                .shared_intermediate_size = 2LL * 1536,
                .groups = 8,
                .group_top_k = 3,
                .layers = layer_set::after_first(1)},
    .max_positions = 163840,
};

/// deepseek-ai/DeepSeek-V3
inline constexpr model deepseek_v3{
    .layers = 61,
    .hidden_size = 7168,
    .vocabulary_size = 129280,
    .intermediate_size = 18432,
    .attention = attention::latent(
        128, {.q_lora_rank = 1536, .kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128}),
    .experts = {.routed = 256,
                .top_k = 8,
                .intermediate_size = 2048,
                .shared_intermediate_size = 2048,
                .groups = 8,
                .group_top_k = 4,
                .score = router_score::sigmoid,
                .selection_bias = true,
                .layers = layer_set::after_first(3)},
    .mtp_layers = 1,
    .max_positions = 163840,
};

/// deepseek-ai/DeepSeek-V3.2: DeepSeek-V3 with an indexer.
inline constexpr model deepseek_v3_2 = [] {
  model m = deepseek_v3;
  m.attention.indexer = {.heads = 64, .head_dim = 128, .top_k = 2048};
  return m;
}();

} // namespace moeplan::catalog
