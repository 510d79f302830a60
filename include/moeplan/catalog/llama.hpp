#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Meta, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// meta-llama/Llama-3.1-8B
inline constexpr model llama_3_1_8b{
    .layers = 32,
    .hidden_size = 4096,
    .vocabulary_size = 128256,
    .intermediate_size = 14336,
    .attention = attention::grouped_query(32, 8, 128),
    .max_positions = 131072,
};

/// meta-llama/Llama-3.1-70B
inline constexpr model llama_3_1_70b{
    .layers = 80,
    .hidden_size = 8192,
    .vocabulary_size = 128256,
    .intermediate_size = 28672,
    .attention = attention::grouped_query(64, 8, 128),
    .max_positions = 131072,
};

/// meta-llama/Llama-3.1-405B
inline constexpr model llama_3_1_405b{
    .layers = 126,
    .hidden_size = 16384,
    .vocabulary_size = 128256,
    .intermediate_size = 53248,
    .attention = attention::grouped_query(128, 8, 128),
    .max_positions = 131072,
};

/// meta-llama/Llama-4-Scout-17B-16E, the text model
inline constexpr model llama_4_scout{
    .layers = 48,
    .hidden_size = 5120,
    .vocabulary_size = 202048,
    .intermediate_size = 16384,
    .attention = {.heads = 40,
                  .kv_heads = 8,
                  .head_dim = 128,
                  .window = {.tokens = 8192, .kind = window_kind::chunked, .full_layers = layer_set::every_nth(4, 3)}},
    .experts =
        {.routed = 16, .top_k = 1, .intermediate_size = 8192, .shared_intermediate_size = 8192, .score = router_score::sigmoid},
    .max_positions = 10485760,
};

/// meta-llama/Llama-4-Maverick-17B-128E-Instruct, the text model
inline constexpr model llama_4_maverick{
    .layers = 48,
    .hidden_size = 5120,
    .vocabulary_size = 202048,
    .intermediate_size = 16384,
    .attention = {.heads = 40,
                  .kv_heads = 8,
                  .head_dim = 128,
                  .window = {.tokens = 8192, .kind = window_kind::chunked, .full_layers = layer_set::every_nth(4, 3)}},
    .experts = {.routed = 128,
                .top_k = 1,
                .intermediate_size = 8192,
                .shared_intermediate_size = 8192,
                .score = router_score::sigmoid,
                .layers = layer_set::every_nth(2, 1)},
    .max_positions = 1048576,
};

} // namespace moeplan::catalog
