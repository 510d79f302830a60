#pragma once

#include <cstdint>

/// @file
/// The sizes of one layer's expert placement.

namespace moeplan {

/// The experts of one layer and the slots that hold them. A slot holds one expert; an expert in several slots is replicated and its
/// tokens are split evenly between them. GPU g holds the slots g * slots_per_gpu() on, node n the GPUs n * gpus_per_node() on.
/// Source: DeepSeek EPLB eplb.py rebalance_experts (num_replicas, num_groups, num_nodes, num_gpus).
struct placement_shape {
  std::int64_t experts = 1;
  std::int64_t slots = 1; ///< on all GPUs: experts and redundant experts ("replicas", "physical experts")
  std::int64_t groups = 1;
  std::int64_t nodes = 1;
  std::int64_t gpus = 1;

  friend constexpr bool operator==(const placement_shape&, const placement_shape&) noexcept = default;

  [[nodiscard]] constexpr std::int64_t slots_per_gpu() const noexcept { return slots / gpus; }
  [[nodiscard]] constexpr std::int64_t gpus_per_node() const noexcept { return gpus / nodes; }
};

} // namespace moeplan
