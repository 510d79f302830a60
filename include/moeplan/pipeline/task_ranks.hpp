#pragma once

#include <cstdint>

#include <moeplan/describe/schedule.hpp>
#include <moeplan/mesh/group.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/task_graph.hpp>

/// @file
/// Which ranks of the pipeline and of the mesh do a task of the pipeline, and with whom they exchange what it needs.

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
/// parallelism). Where DualPipe holds a virtual stage at both ends, those of its other rank belong to it too; see
/// visit_reduction_ranks.
[[nodiscard]] constexpr rank_group dense_reduction_group(const mesh& m, std::int64_t rank) noexcept {
  return m.group(groups::dp_cp, rank);
}

/// The ranks over which gradients of experts are reduced (get_expert_data_parallel_group).
[[nodiscard]] constexpr rank_group expert_reduction_group(const mesh& m, std::int64_t rank) noexcept {
  return m.group(groups::edp, rank);
}

/// The pipeline ranks that hold a virtual stage: one, or in DualPipe both of them, at the same distance from either end. Precondition:
/// 0 <= stage < number of virtual stages.
[[nodiscard]] constexpr rank_group holders_of_stage(const pipeline_shape& p, std::int64_t stage) noexcept {
  const std::int64_t place = stage % p.ranks;
  const std::int64_t mirrored = p.ranks - 1 - place;
  strided_ranks members;
  if (p.schedule != schedule::dualpipe) return {stage / p.ranks % 2 == 1 && placed_in_a_v(p.schedule) ? mirrored : place, members};
  const bool is_first = place < mirrored;
  members.append(2, is_first ? mirrored - place : place - mirrored);
  return {is_first ? place : mirrored, members};
}

/// The pipeline ranks that take part in a task: of a pass and an optimizer step the one that does it; of a reduction those that hold the
/// virtual stage (DualPipe: two); of a tied embedding's those that hold the first or the last virtual stage (the one of a V and each of
/// the two of DualPipe holds both, and adds them up by itself); of the norm all. Precondition: a task of the task graph of this shape.
[[nodiscard]] constexpr rank_group pipeline_ranks_of(const pipeline_shape& p, const pipeline_task& task) noexcept {
  strided_ranks members;
  switch (task.kind) {
    case task_kind::gradient_reduction: return holders_of_stage(p, task.stage);
    case task_kind::embedding_reduction:
      // The first rank holds the first virtual stage, and in a V the last one too.
      if (p.ranks > 1 && !placed_in_a_v(p.schedule)) members.append(2, p.ranks - 1);
      return {0, members};
    case task_kind::gradient_norm: members.append(p.ranks, 1); return {0, members};
    case task_kind::pass:
    case task_kind::optimizer_step: break;
  }
  return {task.rank, members};
}

/// Calls `visit(rank)` with every rank of the mesh with which rank `rank` does a reduction, itself among them: for each pipeline rank
/// that takes part the data-parallel copies, of dense layers or of experts. Of a tied embedding, whose copies have been reduced before,
/// only the rank with the same place on all other axes (Megatron-LM parallel_state.py, get_embedding_group), or `rank` alone where it
/// holds both ends.
/// Precondition: a gradient_reduction or embedding_reduction of the shape's task graph; `rank` lies on one of pipeline_ranks_of; the
/// pipeline groups of both grids agree.
template <class Visitor>
constexpr void visit_reduction_ranks(const mesh& m, const pipeline_shape& p, const pipeline_task& task, std::int64_t rank,
                                     grid_kind grid, Visitor&& visit) {
  const bool of_embedding = task.kind == task_kind::embedding_reduction;
  if (of_embedding && (placed_in_a_v(p.schedule) || p.schedule == schedule::dualpipe)) return static_cast<void>(visit(rank));
  for (const std::int64_t holder : pipeline_ranks_of(p, task)) {
    const std::int64_t partner = partner_at_stage(m, rank, holder);
    if (of_embedding) {
      visit(partner);
      continue;
    }
    for (const std::int64_t copy :
         grid == grid_kind::dense ? dense_reduction_group(m, partner) : expert_reduction_group(m, partner))
      visit(copy);
  }
}

} // namespace moeplan
