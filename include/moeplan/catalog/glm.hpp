#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Z.ai, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// zai-org/GLM-4.5-Air
inline constexpr model glm_4_5_air{
    .layers = 46,
    .hidden_size = 4096,
    .vocabulary_size = 151552,
    .intermediate_size = 10944,
    .attention = {.heads = 96, .kv_heads = 8, .head_dim = 128, .qkv_bias = true},
    .experts = {.routed = 128,
                .top_k = 8,
                .intermediate_size = 1408,
                .shared_intermediate_size = 1408,
                .score = router_score::sigmoid,
                .selection_bias = true,
                .layers = layer_set::after_first(1)},
    .mtp_layers = 1,
    .max_positions = 131072,
};

/// zai-org/GLM-4.5
inline constexpr model glm_4_5{
    .layers = 92,
    .hidden_size = 5120,
    .vocabulary_size = 151552,
    .intermediate_size = 12288,
    .attention = {.heads = 96, .kv_heads = 8, .head_dim = 128, .qkv_bias = true, .norm = query_key_norm::per_head},
    .experts = {.routed = 160,
                .top_k = 8,
                .intermediate_size = 1536,
                .shared_intermediate_size = 1536,
                .score = router_score::sigmoid,
                .selection_bias = true,
                .layers = layer_set::after_first(3)},
    .mtp_layers = 1,
    .max_positions = 131072,
};

} // namespace moeplan::catalog
