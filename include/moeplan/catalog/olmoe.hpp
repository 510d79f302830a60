#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Ai2, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// allenai/OLMoE-1B-7B-0924
inline constexpr model olmoe_1b_7b{
    .layers = 16,
    .hidden_size = 2048,
    .vocabulary_size = 50304,
    .attention = {.heads = 16, .kv_heads = 16, .head_dim = 128, .norm = query_key_norm::full_width},
    .experts = {.routed = 64, .top_k = 8, .intermediate_size = 1024},
    .max_positions = 4096,
};

} // namespace moeplan::catalog
