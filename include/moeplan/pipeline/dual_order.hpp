#pragma once

#include <cstdint>

#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pattern_order.hpp>

/// @file
/// The orders of DualPipe and DualPipeV: a forward and a backward pass at the same time.

namespace moeplan {

/// The eight steps of DualPipe dualpipe.py and dualpipev.py. DualPipe's ranks p - 1 - r and r do the same with the chunks
/// exchanged; a pair of them does what one rank of DualPipeV does.
///
/// The authors require two micro-batches a stage of the pipeline; with fewer, what has no micro-batch left is left out. Of
/// DualPipe they require an even number of ranks and of micro-batches; an odd number of micro-batches counts as one more, as in
/// visit_peaks.
struct dual_patterns {
  static constexpr int count = 11;

  std::int64_t outer = 0; ///< from the turn of the V, or from the middle rank, outwards
  std::int64_t inner = 0; ///< from the other end, itself included
  std::int64_t main = 0;  ///< rounds of two pairs
  bool exchanged = false; ///< the half direction of this rank is chunk 1

  constexpr dual_patterns() noexcept = default;

  /// Precondition: DualPipe with an even number of ranks, or DualPipeV; otherwise as for visit_peaks.
  constexpr dual_patterns(const pipeline_shape& p, std::int64_t rank) noexcept {
    const bool both_ends = p.schedule == schedule::dualpipe;
    const std::int64_t places = both_ends ? p.ranks / 2 : p.ranks;
    exchanged = rank >= places;
    const std::int64_t from_end = exchanged ? p.ranks - 1 - rank : rank;
    outer = places - 1 - from_end;
    inner = from_end + 1;
    main = micro_batches_of_chunk(p) - 2 * places + inner;
    if (main < 0) main = 0;
  }

  [[nodiscard]] constexpr order_pattern operator[](int i) const noexcept {
    using enum order_place;
    const order_place forward_own = exchanged ? forward_1 : forward_0;
    const order_place forward_other = exchanged ? forward_0 : forward_1;
    const order_place backward_own = exchanged ? backward_1 : backward_0;
    const order_place backward_other = exchanged ? backward_0 : backward_1;
    const order_place input_own = exchanged ? input_1 : input_0;
    const order_place input_other = exchanged ? input_0 : input_1;
    const order_place pair_own = exchanged ? pair_10 : pair_01; // forward pass of its own direction
    const order_place pair_other = exchanged ? pair_01 : pair_10;
    const bool middle = outer == 0;
    const std::int64_t whole = inner / 2; // of the backward passes of step 6; the rest is split
    switch (i) {
      case 0: return order_pattern{2 * outer, forward_own};
      case 1: return order_pattern{inner, forward_own, forward_other};
      case 2: return order_pattern{outer, input_other, weights, forward_other};
      case 3: return order_pattern{middle && main > 0 ? 1 : 0, forward_own, backward_other, pair_other};
      case 4: return order_pattern{middle ? main - 1 : main, pair_own, pair_other};
      case 5: return order_pattern{outer, backward_other, pair_other};
      case 6: return order_pattern{whole, backward_other, backward_own};
      case 7: return order_pattern{inner % 2, backward_other, input_own};
      case 8: return order_pattern{whole, input_other, input_own};
      case 9: return order_pattern{outer, weights, input_own};
      default: break;
    }
    return order_pattern{inner, weights};
  }
};

} // namespace moeplan
