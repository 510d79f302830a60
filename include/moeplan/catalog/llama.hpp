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

} // namespace moeplan::catalog
