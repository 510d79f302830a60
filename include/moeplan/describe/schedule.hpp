#pragma once

#include <cstdint>

/// @file
/// In which order the stages of a pipeline work on micro-batches.

namespace moeplan {

enum class schedule : std::uint16_t {
  gpipe,                    ///< all forward passes, then all backward passes (arXiv 1811.06965)
  one_forward_one_backward, ///< 1F1B (arXiv 2006.09503); with virtual stages interleaved (arXiv 2104.04473)
  zb_h1,                    ///< zero bubble with the memory of 1F1B (arXiv 2401.10241)
  zb_h2,                    ///< zero bubble with twice that memory
  zb_v,                     ///< zero bubble with two chunks a rank, placed in a V (arXiv 2405.15362)
  v_half,                   ///< half the memory of 1F1B (arXiv 2405.15362)
  v_min,                    ///< a third of it (arXiv 2405.15362)
  dualpipe,                 ///< from both ends at once, two copies of the parameters (DeepSeek-V3, arXiv 2412.19437, section 3.2.1)
  dualpipe_v                ///< its half: two chunks a rank, placed in a V
};

/// Whether the schedule folds the pipeline at its end: of the two chunks of rank r, the first is stage r and the second stage 2 PP - 1 - r.
[[nodiscard]] constexpr bool placed_in_a_v(schedule s) noexcept {
  return s == schedule::zb_v || s == schedule::v_half || s == schedule::v_min || s == schedule::dualpipe_v;
}

} // namespace moeplan
