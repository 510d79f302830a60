#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Microsoft, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// microsoft/Phi-3.5-MoE-instruct
inline constexpr model phi_3_5_moe{
    .layers = 32,
    .hidden_size = 4096,
    .vocabulary_size = 32064,
    .attention = {.heads = 32, .kv_heads = 8, .head_dim = 128, .qkv_bias = true, .output_bias = true},
    .experts = {.routed = 16, .top_k = 2, .intermediate_size = 6400},
    .lm_head_bias = true,
    .norm_bias = true,
    .max_positions = 131072,
};

} // namespace moeplan::catalog
