#pragma once

#include <cstdint>

#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pattern_order.hpp>

/// @file
/// The order of ZB-V: two chunks a rank, placed in a V, no bubble in the steady part.

namespace moeplan {

/// The authors' order (arXiv 2405.15362; zero-bubble-pipeline-parallelism scheduler/zbv.py) where all passes are equally long and
/// a rank may hold 2p micro-batches of a chunk: the same pass by pass for any number of micro-batches (compared
/// up to 16 ranks).
///
/// A rank fills its share of the V with forward passes, then turns round chunk 1 (its passes for the weights wait only where
/// memory allows it), then round both chunks; behind the last forward pass the backward passes go first and the passes for the
/// weights fill what is left.
struct zb_v_patterns {
  static constexpr int count = 11;

  std::int64_t rank = 0;
  std::int64_t behind = 0;        ///< ranks
  std::int64_t unhurried = 0;     ///< turns of chunk 1 whose pass for the weights may wait, since not enough is held
  std::int64_t rounds = 0;        ///< of both chunks
  std::int64_t without_first = 0; ///< rounds after them, when no forward pass of chunk 0 is left
  std::int64_t micro_batches = 0;

  constexpr zb_v_patterns() noexcept = default;

  /// Precondition: as for visit_peaks.
  constexpr zb_v_patterns(const pipeline_shape& p, std::int64_t r) noexcept
      : rank{r}, behind{p.ranks - 1 - r}, micro_batches{p.micro_batches} {
    const std::int64_t started = p.ranks + behind; // of chunk 0, before the first round
    unhurried = within(started - micro_batches, behind);
    rounds = within(micro_batches - started, micro_batches);
    without_first = within(micro_batches - p.ranks - rounds, behind);
  }

  [[nodiscard]] constexpr order_pattern operator[](int i) const noexcept {
    using enum order_place;
    switch (i) {
      case 0: return order_pattern{2 * behind + 1, forward_0};
      case 1: return order_pattern{rank, forward_1, forward_0};
      case 2: return order_pattern{1, forward_1};
      case 3: return order_pattern{unhurried, input_1, forward_1};
      case 4: return order_pattern{behind - unhurried, input_1, weights, forward_1};
      case 5: return order_pattern{1, input_1};
      case 6: return order_pattern{rounds, weights, forward_0, input_0, weights, forward_1, input_1};
      case 7: return order_pattern{without_first, weights, input_0, weights, forward_1, input_1};
      case 8: return order_pattern{1, input_0};
      case 9: return order_pattern{rank, input_1, input_0};
      default: break;
    }
    return order_pattern{2 * micro_batches, weights, input_0};
  }

private:
  [[nodiscard]] static constexpr std::int64_t within(std::int64_t n, std::int64_t most) noexcept {
    return n < 0 ? 0 : n < most ? n : most;
  }
};

} // namespace moeplan
