#pragma once

#include <moeplan/describe/model.hpp>

/// @file
/// Models of Moonshot AI, from their config.json on the Hugging Face hub.

namespace moeplan::catalog {

/// moonshotai/Kimi-K2-Instruct
inline constexpr model kimi_k2{
    .layers = 61,
    .hidden_size = 7168,
    .vocabulary_size = 163840,
    .intermediate_size = 18432,
    .attention = attention::latent(
        64, {.q_lora_rank = 1536, .kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128}),
    .experts = {.routed = 384,
                .top_k = 8,
                .intermediate_size = 2048,
                .shared_intermediate_size = 2048,
                .score = router_score::sigmoid,
                .selection_bias = true,
                .layers = layer_set::after_first(1)},
    .max_positions = 131072,
};

} // namespace moeplan::catalog
