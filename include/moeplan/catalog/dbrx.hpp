#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Databricks, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// databricks/dbrx-base
inline constexpr model dbrx{
    .layers = 40,
    .hidden_size = 6144,
    .vocabulary_size = 100352,
    .attention = attention::grouped_query(48, 8, 128),
    .experts = {.routed = 16, .top_k = 4, .intermediate_size = 10752},
    .max_positions = 32768,
};

} // namespace moeplan::catalog
