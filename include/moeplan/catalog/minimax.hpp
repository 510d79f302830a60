#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of MiniMax, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// MiniMaxAI/MiniMax-M2.5
inline constexpr model minimax_m2_5{
    .layers = 62,
    .hidden_size = 3072,
    .vocabulary_size = 200064,
    .attention = {.heads = 48, .kv_heads = 8, .head_dim = 128, .norm = query_key_norm::full_width},
    .experts = {.routed = 256, .top_k = 8, .intermediate_size = 1536, .score = router_score::sigmoid, .selection_bias = true},
    .max_positions = 196608,
};

} // namespace moeplan::catalog
