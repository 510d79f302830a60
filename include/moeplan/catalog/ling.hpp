#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of inclusionAI, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// inclusionAI/Ling-mini-2.0
inline constexpr model ling_mini_2_0{
    .layers = 20,
    .hidden_size = 2048,
    .vocabulary_size = 157184,
    .intermediate_size = 5120,
    .attention = {.heads = 16, .kv_heads = 4, .head_dim = 128, .norm = query_key_norm::per_head},
    .experts = {.routed = 256,
                .top_k = 8,
                .intermediate_size = 512,
                .shared_intermediate_size = 512,
                .groups = 8,
                .group_top_k = 4,
                .score = router_score::sigmoid,
                .selection_bias = true,
                .layers = layer_set::after_first(1)},
    .max_positions = 32768,
};

/// inclusionAI/Ling-1T
inline constexpr model ling_1t{
    .layers = 80,
    .hidden_size = 8192,
    .vocabulary_size = 157184,
    .intermediate_size = 18432,
    .attention = {.heads = 64, .kv_heads = 8, .head_dim = 128, .norm = query_key_norm::per_head},
    .experts = {.routed = 256,
                .top_k = 8,
                .intermediate_size = 2048,
                .shared_intermediate_size = 2048,
                .groups = 8,
                .group_top_k = 4,
                .score = router_score::sigmoid,
                .selection_bias = true,
                .layers = layer_set::after_first(4)},
};

} // namespace moeplan::catalog
