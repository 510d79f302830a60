#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Baidu, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// baidu/ERNIE-4.5-21B-A3B-PT
inline constexpr model ernie_4_5_21b_a3b{
    .layers = 28,
    .hidden_size = 2560,
    .vocabulary_size = 103424,
    .intermediate_size = 12288,
    .attention = attention::grouped_query(20, 4, 128),
    .experts = {.routed = 64,
                .top_k = 6,
                .intermediate_size = 1536,
                .shared_intermediate_size = 2LL * 1536,
                .selection_bias = true,
                .layers = layer_set::after_first(1)},
    .tied_embeddings = true,
};

} // namespace moeplan::catalog
