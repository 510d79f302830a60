#pragma once

#include <cstdint>

#include <moeplan/mesh/mesh.hpp>

/// @file
/// Which ranks of the mesh do a task of the pipeline, and with whom they exchange what it needs.

namespace moeplan {

/// All ranks that work on a pipeline rank's tasks at the same time: TP x CP x DP of them, each on its part of every tensor or on its own
/// micro-batches. Precondition: 0 <= stage < PP, here and below.
[[nodiscard]] constexpr rank_group ranks_of_stage(const mesh& m, std::int64_t stage) noexcept {
  return m.group(groups::tp_dp_cp, m.rank(dense_coordinates{.pp = stage}));
}

/// The one with which a rank exchanges activations and their gradients when its virtual stage comes next to one on pipeline rank
/// `stage`: it has the same place on all other axes. Precondition: a rank of the mesh.
[[nodiscard]] constexpr std::int64_t partner_at_stage(const mesh& m, std::int64_t rank, std::int64_t stage) noexcept {
  dense_coordinates place = m.dense_at(rank);
  place.pp = stage;
  return m.rank(place);
}

/// The ranks over which gradients of dense layers are reduced (Megatron-LM, parallel_state.py, get_data_parallel_group with context
/// parallelism). Where DualPipe holds a virtual stage at both ends, those of its other rank belong to it too.
[[nodiscard]] constexpr rank_group dense_reduction_group(const mesh& m, std::int64_t rank) noexcept {
  return m.group(groups::dp_cp, rank);
}

/// The ranks over which gradients of experts are reduced (get_expert_data_parallel_group).
[[nodiscard]] constexpr rank_group expert_reduction_group(const mesh& m, std::int64_t rank) noexcept {
  return m.group(groups::edp, rank);
}

} // namespace moeplan
