#pragma once

#include <cstdint>

/// @file
/// What frameworks and publications do differently with the same strategy, each difference by name.

namespace moeplan {

/// Whether tensor-parallel ranks share a matrix or each hold all of it.
enum class held : std::uint16_t { sharded, replicated };

/// Which ranks share something's optimizer state, and hold its gradients' sum.
enum class state_group : std::uint16_t {
  dense,  ///< the data-parallel ranks of the dense grid
  experts ///< those of the expert grid, EDP
};

/// Over which ranks the states of what lies on the dense grid are sharded.
enum class dense_shards : std::uint16_t { dp_and_cp_ranks, dp_ranks };

/// How the parameters of a layer and their states are spread. Read a published figure with the assumptions that it was made with.
struct assumptions {
  held latent_down_projections = held::replicated; ///< of latent attention: query and key-value, the keys' rotary part with them
  held latent_rope_queries = held::sharded;        ///< of latent attention: the rows of the up-projection that make rotary queries
  held shared_experts = held::sharded;
  state_group shared_experts_state = state_group::dense; ///< the gate of shared experts goes with them
  state_group router_state = state_group::dense;
  dense_shards dense_states = dense_shards::dp_and_cp_ranks;

  /// What Megatron-LM does: multi_latent_attention.py (parallel_mode="duplicated"), shared_experts.py, parallel_state.py
  /// (get_data_parallel_group(with_context_parallel=True)).
  [[nodiscard]] static constexpr assumptions megatron() noexcept { return {}; }

  /// What Megatron-LM's estimator (megatron/training/theoretical_memory_usage.py) takes for granted, other than Megatron-LM itself.
  [[nodiscard]] static constexpr assumptions megatron_estimator() noexcept {
    return {.latent_down_projections = held::sharded, .dense_states = dense_shards::dp_ranks};
  }

  /// What "Memory Analysis on the Training Course of DeepSeek Models" (arXiv 2502.07846) counts.
  [[nodiscard]] static constexpr assumptions memory_analysis() noexcept {
    return {.latent_rope_queries = held::replicated,
            .shared_experts = held::replicated,
            .shared_experts_state = state_group::experts,
            .router_state = state_group::experts};
  }

  friend constexpr bool operator==(const assumptions&, const assumptions&) noexcept = default;
};

} // namespace moeplan
