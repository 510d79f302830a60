#pragma once

#include <cstdint>

#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pattern_order.hpp>

/// @file
/// The orders of ZB-H1 and ZB-H2: one chunk a rank, passes for the weights delayed to fill the bubble.

namespace moeplan {

/// A rank starts `ahead` micro-batches, lets forward and backward passes take turns until `delayed` passes for the weights wait,
/// then goes round weights, forward, backward; when the forward passes are over, weights and backward; then the weights that are
/// left. ZB-H1 has p - 1 - r and r, ZB-H2 twice as many: what is held is (p - r) M_B + r M_W and (2p - 2r - 1) M_B + 2r M_W as in
/// arXiv 2401.10241, whatever the passes cost.
///
/// The authors search an order for given costs (scheduler/zb.py). With equally long passes theirs of ZB-H1 is this one wherever
/// there are more micro-batches than ranks; for ZB-H2 they allow one M_W more. The makespan is the same.
struct zero_bubble_patterns {
  static constexpr int count = 5;

  std::int64_t ahead = 0;
  std::int64_t delayed = 0;
  std::int64_t micro_batches = 0;

  constexpr zero_bubble_patterns() noexcept = default;

  /// Precondition: ZB-H1 or ZB-H2, otherwise as for visit_peaks.
  constexpr zero_bubble_patterns(const pipeline_shape& p, std::int64_t rank) noexcept
      : ahead{ranks_ahead(p.schedule) * (p.ranks - 1 - rank)},
        delayed{ranks_ahead(p.schedule) * rank},
        micro_batches{p.micro_batches} {}

  [[nodiscard]] constexpr order_pattern operator[](int i) const noexcept {
    using enum order_place;
    switch (i) {
      case 0: return order_pattern{ahead, forward_0};
      case 1: return order_pattern{delayed + 1, forward_0, input_0};
      case 2: return order_pattern{micro_batches - ahead - delayed - 1, weights, forward_0, input_0};
      case 3: return order_pattern{micro_batches, weights, input_0};
      default: break;
    }
    return order_pattern{micro_batches, weights};
  }

private:
  [[nodiscard]] static constexpr std::int64_t ranks_ahead(schedule s) noexcept { return s == schedule::zb_h2 ? 2 : 1; }
};

} // namespace moeplan
