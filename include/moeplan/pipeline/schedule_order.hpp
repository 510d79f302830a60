#pragma once

#include <cstdint>

#include <moeplan/pipeline/block_order.hpp>
#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/dual_order.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/pattern_order.hpp>
#include <moeplan/pipeline/turn_order.hpp>
#include <moeplan/pipeline/zb_v_order.hpp>
#include <moeplan/pipeline/zero_bubble_order.hpp>

/// @file
/// What a pipeline rank does, operation by operation, under each schedule.

namespace moeplan {

/// The operations of one rank of one training step, in their order: computed one by one, stored nowhere. A copy goes on from where
/// the original stands.
class operation_cursor {
public:
  /// Precondition: as for visit_peaks.
  constexpr operation_cursor(const pipeline_shape& shape, std::int64_t rank) noexcept
      : schedule_{followed_order(shape)}, family_{family_of(shape, rank)} {}

  /// The next operation; false, and `out` unchanged, when there is none left.
  constexpr bool next(operation& out) noexcept {
    switch (schedule_) {
      case schedule::gpipe:
      case schedule::one_forward_one_backward: return family_.turns.next(out);
      case schedule::zb_h1:
      case schedule::zb_h2: return family_.zero_bubble.next(out);
      case schedule::zb_v: return family_.zb_v.next(out);
      case schedule::v_half:
      case schedule::v_min: return family_.block.next(out);
      case schedule::dualpipe:
      case schedule::dualpipe_v: break;
    }
    return family_.dual.next(out);
  }

private:
  using zero_bubble_cursor = pattern_cursor<zero_bubble_patterns>;
  using zb_v_cursor = pattern_cursor<zb_v_patterns>;
  using dual_cursor = pattern_cursor<dual_patterns>;

  union family {
    turn_cursor turns;
    zero_bubble_cursor zero_bubble;
    zb_v_cursor zb_v;
    block_cursor block;
    dual_cursor dual;

    constexpr explicit family(const turn_cursor& c) noexcept : turns{c} {}
    constexpr explicit family(const zero_bubble_cursor& c) noexcept : zero_bubble{c} {}
    constexpr explicit family(const zb_v_cursor& c) noexcept : zb_v{c} {}
    constexpr explicit family(const block_cursor& c) noexcept : block{c} {}
    constexpr explicit family(const dual_cursor& c) noexcept : dual{c} {}
  };

  [[nodiscard]] static constexpr family family_of(const pipeline_shape& p, std::int64_t rank) noexcept {
    const std::int64_t m = p.micro_batches;
    switch (followed_order(p)) {
      case schedule::gpipe:
      case schedule::one_forward_one_backward: break;
      case schedule::zb_h1:
      case schedule::zb_h2: return family{zero_bubble_cursor{{p, rank}, m, 0}};
      case schedule::zb_v: return family{zb_v_cursor{{p, rank}, m, m}};
      case schedule::v_half:
      case schedule::v_min: return family{block_cursor{p, rank}};
      case schedule::dualpipe:
      case schedule::dualpipe_v: return family{dual_cursor{{p, rank}, micro_batches_of_chunk(p), micro_batches_of_chunk(p)}};
    }
    return family{turn_cursor{p, rank}};
  }

  schedule schedule_;
  family family_;
};

/// How many operations the cursor gives: a forward and a backward pass at once are one, a split backward pass is two. Counted, not
/// computed: linear in the result. Precondition: as for visit_peaks.
[[nodiscard]] constexpr std::int64_t operations_of(const pipeline_shape& shape, std::int64_t rank) noexcept {
  operation_cursor cursor{shape, rank};
  operation ignored;
  std::int64_t operations = 0;
  while (cursor.next(ignored)) ++operations;
  return operations;
}

} // namespace moeplan
