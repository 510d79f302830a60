#pragma once

#include <cstdint>

#include <moeplan/pipeline/chunk_order.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>

/// @file
/// The orders in which forward and backward passes take turns: GPipe and 1F1B, interleaved or not, overlapped or not.

namespace moeplan {

/// Step after step of a chunk_order: what chunk_order computes for any step, with an addition instead of divisions.
class chunk_order_walk {
public:
  constexpr chunk_order_walk() noexcept = default;
  constexpr explicit chunk_order_walk(const chunk_order& order) noexcept : order_{order}, end_{end_of_group()} {}

  [[nodiscard]] constexpr std::int64_t chunk() const noexcept { return chunk_; }
  [[nodiscard]] constexpr std::int64_t micro_batch() const noexcept { return micro_batch_; }

  /// To the next step; behind the last one, chunk and micro-batch mean nothing.
  constexpr void advance() noexcept {
    if (++micro_batch_ < end_) return;
    if (++chunk_ < order_.chunks) {
      micro_batch_ = first_;
      return;
    }
    chunk_ = 0;
    first_ = end_;
    end_ = end_of_group();
  }

  friend constexpr bool operator==(const chunk_order_walk&, const chunk_order_walk&) noexcept = default;

private:
  [[nodiscard]] constexpr std::int64_t end_of_group() const noexcept {
    const std::int64_t left = order_.micro_batches - first_;
    return first_ + (left < order_.group ? left : order_.group);
  }

  chunk_order order_{};
  std::int64_t first_ = 0; ///< micro-batch of the group
  std::int64_t end_ = 0;   ///< behind the last one of the group
  std::int64_t chunk_ = 0;
  std::int64_t micro_batch_ = 0;
};

/// Forward passes of the warm-up, then forward and backward passes in turn (or both at once), then the backward passes that are
/// left. GPipe is all warm-up. Interleaved 1F1B whose last group has fewer micro-batches than there are ranks may wait for
/// itself, which is why Megatron-LM refuses it; the order is given all the same, and a replay says what becomes of it. Source:
/// Megatron-LM core/pipeline_parallel/schedules.py forward_backward_pipelining_without_interleaving and
/// forward_backward_pipelining_with_interleaving; where passes overlap, combined_1f1b.py.
class turn_cursor {
public:
  constexpr turn_cursor() noexcept = default;

  /// Precondition: GPipe or 1F1B, otherwise as for visit_peaks.
  constexpr turn_cursor(const pipeline_shape& shape, std::int64_t rank) noexcept
      : forward_{order_of(shape)},
        backward_{order_of(shape)},
        last_chunk_{shape.chunks - 1},
        warm_up_left_{warm_up_of(shape, rank)},
        forwards_left_{shape.chunks * shape.micro_batches},
        backwards_left_{shape.chunks * shape.micro_batches},
        at_once_{shape.overlaps} {}

  /// False, and `out` unchanged, behind the last one.
  constexpr bool next(operation& out) noexcept {
    if (forwards_left_ + backwards_left_ == 0) return false;
    if (warm_up_left_ > 0) {
      --warm_up_left_;
      out = forward();
    } else if (forwards_left_ == 0 || owes_backward_) {
      owes_backward_ = false;
      out = backward();
    } else if (at_once_) {
      const operation ahead = forward();
      const operation back = backward();
      out = {pass::forward_and_backward, ahead.chunk, ahead.micro_batch, back.chunk, back.micro_batch};
    } else {
      owes_backward_ = true;
      out = forward();
    }
    return true;
  }

  friend constexpr bool operator==(const turn_cursor&, const turn_cursor&) noexcept = default;

private:
  static constexpr chunk_order order_of(const pipeline_shape& p) noexcept {
    return {p.chunks, p.micro_batches, p.schedule == schedule::gpipe ? p.micro_batches : p.group.value_or(p.ranks)};
  }

  static constexpr std::int64_t warm_up_of(const pipeline_shape& p, std::int64_t rank) noexcept {
    return p.schedule == schedule::gpipe ? p.chunks * p.micro_batches : warm_up_steps(p, rank);
  }

  constexpr operation forward() noexcept {
    const operation done{.kind = pass::forward, .chunk = forward_.chunk(), .micro_batch = forward_.micro_batch()};
    forward_.advance();
    --forwards_left_;
    return done;
  }

  constexpr operation backward() noexcept {
    const operation done{.kind = pass::backward, .chunk = last_chunk_ - backward_.chunk(), .micro_batch = backward_.micro_batch()};
    backward_.advance();
    --backwards_left_;
    return done;
  }

  chunk_order_walk forward_{};
  chunk_order_walk backward_{}; ///< chunks counted from the end
  std::int64_t last_chunk_ = 0;
  std::int64_t warm_up_left_ = 0;
  std::int64_t forwards_left_ = 0;
  std::int64_t backwards_left_ = 0;
  bool at_once_ = false;
  bool owes_backward_ = false; ///< the forward pass of this turn is done
};

} // namespace moeplan
