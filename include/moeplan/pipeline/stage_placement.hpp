#pragma once

#include <cstdint>

#include <moeplan/describe/layout.hpp>
#include <moeplan/describe/schedule.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/mesh/stage_layers.hpp>

/// @file
/// Which virtual stages a schedule places on which pipeline rank.

namespace moeplan {

/// Virtual stages that each pipeline rank holds. DualPipe runs the pipeline from both ends and holds two of them with VPP 1 (DeepSeek-V3,
/// arXiv 2412.19437, section 3.2.1). Precondition: a deployment that `check` accepts.
[[nodiscard]] constexpr std::int64_t chunks_of_rank(const strategy& s, const layout& l, schedule order) noexcept {
  const std::int64_t chunks = virtual_stages(s, l) / s[axis::pp];
  return order == schedule::dualpipe ? 2 * chunks : chunks;
}

/// The virtual stage that is chunk `chunk` of pipeline rank `rank`, both from 0. Sources: Megatron-LM parallel_state.py (chunk after
/// chunk over all ranks); arXiv 2405.15362 figure 1 (there and back, a V); DualPipe dualpipe.py (both ends).
[[nodiscard]] constexpr std::int64_t virtual_stage(schedule order, std::int64_t ranks, std::int64_t rank,
                                                   std::int64_t chunk) noexcept {
  const bool backwards = chunk % 2 == 1 && (placed_in_a_v(order) || order == schedule::dualpipe);
  const std::int64_t place = backwards ? ranks - 1 - rank : rank;
  return order == schedule::dualpipe ? place : chunk * ranks + place;
}

/// The pipeline rank of a virtual stage: the other way round than virtual_stage(). DualPipe has each stage twice, once for each
/// direction of `chunk`.
[[nodiscard]] constexpr std::int64_t rank_of_stage(schedule order, std::int64_t ranks, std::int64_t stage,
                                                   std::int64_t chunk) noexcept {
  const std::int64_t place = stage % ranks;
  const bool backwards = order == schedule::dualpipe ? chunk % 2 == 1 : placed_in_a_v(order) && stage / ranks % 2 == 1;
  return backwards ? ranks - 1 - place : place;
}

} // namespace moeplan
