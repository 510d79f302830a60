#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of OpenAI, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// openai/gpt-oss-20b
inline constexpr model gpt_oss_20b{
    .layers = 24,
    .hidden_size = 2880,
    .vocabulary_size = 201088,
    .attention = {.heads = 64,
                  .kv_heads = 8,
                  .head_dim = 64,
                  .qkv_bias = true,
                  .output_bias = true,
                  .sinks = true,
                  .window = {.tokens = 128, .full_layers = layer_set::every_nth(2, 1)}},
    .experts = {.routed = 32, .top_k = 4, .intermediate_size = 2880, .router_bias = true, .bias = true},
    .max_positions = 131072,
};

/// openai/gpt-oss-120b
inline constexpr model gpt_oss_120b{
    .layers = 36,
    .hidden_size = 2880,
    .vocabulary_size = 201088,
    .attention = {.heads = 64,
                  .kv_heads = 8,
                  .head_dim = 64,
                  .qkv_bias = true,
                  .output_bias = true,
                  .sinks = true,
                  .window = {.tokens = 128, .full_layers = layer_set::every_nth(2, 1)}},
    .experts = {.routed = 128, .top_k = 4, .intermediate_size = 2880, .router_bias = true, .bias = true},
    .max_positions = 131072,
};

} // namespace moeplan::catalog
