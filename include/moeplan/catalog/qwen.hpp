#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of the Qwen team, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// Qwen/Qwen3-30B-A3B
inline constexpr model qwen3_30b_a3b{
    .layers = 48,
    .hidden_size = 2048,
    .vocabulary_size = 151936,
    .intermediate_size = 6144,
    .attention = {.heads = 32, .kv_heads = 4, .head_dim = 128, .norm = query_key_norm::per_head},
    .experts = {.routed = 128, .top_k = 8, .intermediate_size = 768},
    .max_positions = 40960,
};

/// Qwen/Qwen3-235B-A22B
inline constexpr model qwen3_235b_a22b{
    .layers = 94,
    .hidden_size = 4096,
    .vocabulary_size = 151936,
    .intermediate_size = 12288,
    .attention = {.heads = 64, .kv_heads = 4, .head_dim = 128, .norm = query_key_norm::per_head},
    .experts = {.routed = 128, .top_k = 8, .intermediate_size = 1536},
    .max_positions = 40960,
};

/// Qwen/Qwen3-32B
inline constexpr model qwen3_32b{
    .layers = 64,
    .hidden_size = 5120,
    .vocabulary_size = 151936,
    .intermediate_size = 25600,
    .attention = {.heads = 64, .kv_heads = 8, .head_dim = 128, .norm = query_key_norm::per_head},
    .max_positions = 40960,
};

} // namespace moeplan::catalog
