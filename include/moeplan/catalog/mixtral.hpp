#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Mistral AI, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// mistralai/Mixtral-8x7B-v0.1
inline constexpr model mixtral_8x7b{
    .layers = 32,
    .hidden_size = 4096,
    .vocabulary_size = 32000,
    .attention = attention::grouped_query(32, 8, 128),
    .experts = {.routed = 8, .top_k = 2, .intermediate_size = 14336},
    .max_positions = 32768,
};

/// mistralai/Mixtral-8x22B-v0.1
inline constexpr model mixtral_8x22b{
    .layers = 56,
    .hidden_size = 6144,
    .vocabulary_size = 32000,
    .attention = attention::grouped_query(48, 8, 128),
    .experts = {.routed = 8, .top_k = 2, .intermediate_size = 16384},
    .max_positions = 65536,
};

} // namespace moeplan::catalog
