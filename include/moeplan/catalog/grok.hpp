#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of xAI, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// xai-org/grok-1
inline constexpr model grok_1{
    .layers = 64,
    .hidden_size = 6144,
    .vocabulary_size = 131072,
    .attention = attention::grouped_query(48, 8, 128),
    .experts = {.routed = 8, .top_k = 2, .intermediate_size = 32768},
    .tied_embeddings = true,
    .norms_per_layer = 4,
    .max_positions = 8192,
};

} // namespace moeplan::catalog
