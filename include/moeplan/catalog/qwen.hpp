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

/// Qwen/Qwen1.5-MoE-A2.7B
inline constexpr model qwen1_5_moe_a2_7b{
    .layers = 24,
    .hidden_size = 2048,
    .vocabulary_size = 151936,
    .intermediate_size = 5632,
    .attention = {.heads = 16, .kv_heads = 16, .head_dim = 128, .qkv_bias = true},
    .experts = {.routed = 60, .top_k = 4, .intermediate_size = 1408, .shared_intermediate_size = 5632, .shared_gate = true},
    .max_positions = 8192,
};

/// Qwen/Qwen2-57B-A14B
inline constexpr model qwen2_57b_a14b{
    .layers = 28,
    .hidden_size = 3584,
    .vocabulary_size = 151936,
    .intermediate_size = 18944,
    .attention = {.heads = 28, .kv_heads = 4, .head_dim = 128, .qkv_bias = true},
    .experts = {.routed = 64, .top_k = 8, .intermediate_size = 2560, .shared_intermediate_size = 20480, .shared_gate = true},
    .max_positions = 131072,
};

/// Qwen/Qwen3-Coder-480B-A35B-Instruct
inline constexpr model qwen3_coder_480b_a35b{
    .layers = 62,
    .hidden_size = 6144,
    .vocabulary_size = 151936,
    .intermediate_size = 8192,
    .attention = {.heads = 96, .kv_heads = 8, .head_dim = 128, .norm = query_key_norm::per_head},
    .experts = {.routed = 160, .top_k = 8, .intermediate_size = 2560},
    .max_positions = 262144,
};

/// Qwen/Qwen3-Next-80B-A3B-Instruct
inline constexpr model qwen3_next_80b_a3b{
    .layers = 48,
    .hidden_size = 2048,
    .vocabulary_size = 151936,
    .intermediate_size = 5120,
    .attention = {.heads = 16, .kv_heads = 2, .head_dim = 256, .norm = query_key_norm::per_head, .output_gate = true},
    .linear_attention = {.key_heads = 16,
                         .value_heads = 32,
                         .key_head_dim = 128,
                         .value_head_dim = 128,
                         .convolution = 4,
                         .softmax_layers = layer_set::every_nth(4, 3)},
    .experts = {.routed = 512, .top_k = 10, .intermediate_size = 512, .shared_intermediate_size = 512, .shared_gate = true},
};

} // namespace moeplan::catalog
