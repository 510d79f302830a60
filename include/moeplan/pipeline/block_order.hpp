#pragma once

#include <cstdint>

#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/pattern_order.hpp>
#include <moeplan/pipeline/v_block.hpp>
#include <moeplan/pipeline/v_half_ending.hpp>

/// @file
/// The orders of V-Half and V-Min, from the block that repeats.

namespace moeplan {

/// Each rank walks through time slot by slot, all passes equally long, and does what is due: by the block, moved up so far that
/// the first backward pass of chunk 0 comes as early as it can, but nothing before what it needs can have arrived, and never
/// holding more than v_block_limit, nor more of chunk 1 than v_half_second_limit. Until that backward pass, the passes that lead
/// to it go first. A slot with nothing due takes a pass for the weights.
///
/// V-Half ends by v_half_ending: behind the last forward pass of chunk 0, once no more is left than that does. V-Min moves its last
/// backward passes up to where nothing but the previous rank holds them.
///
/// The authors search for such moves one pass at a time (arXiv 2405.15362, "squeeze"; scheduler/zbv_greedy.py). The block is
/// theirs. With equally long passes the makespan is as long as theirs, of V-Half with no more micro-batches than ranks mostly
/// shorter (compared up to 16 ranks and 64 micro-batches, with those that followed_order leaves to the block). Exceptions are of
/// V-Half: one slot more with 13 ranks and more micro-batches than ranks, with 14 ranks (two with 11 micro-batches), and with 15
/// ranks and 11 micro-batches; and a few with more than 20 ranks. The first passes of a rank may stand in another order.
class block_cursor {
public:
  constexpr block_cursor() noexcept = default;

  /// Precondition: V-Half or V-Min, otherwise as for visit_peaks.
  constexpr block_cursor(const pipeline_shape& p, std::int64_t rank) noexcept
      : all_{p.micro_batches}, ranks_{p.ranks}, rank_{rank} {
    const bool half = p.schedule == schedule::v_half;
    const v_block block = half ? v_half_block(ranks_, rank) : v_min_block(ranks_, rank);
    const v_block first = half ? v_half_block(ranks_, 0) : v_min_block(ranks_, 0);
    has_ending_ = half;
    if (half) {
      ending_ = {ranks_, rank_};
      walk_ = pattern_walk<v_half_ending>{ending_};
      of_ending_[first_backward] = ending_.passes(order_place::input_0);
      of_ending_[second_backward] = ending_.passes(order_place::input_1);
      of_ending_[second_forward] = ending_.passes(order_place::forward_1);
    }
    most_held_ = v_block_limit(p.schedule, ranks_);
    most_of_second_ = half ? v_half_second_limit(ranks_, rank_) : most_held_;
    const std::int64_t turned = 4 * ranks_ - (half ? 0 : 1); // when rank 0 gets its first backward pass of chunk 0
    const std::int64_t up = first.backward[0] - turned;
    const std::int64_t back = first.forward[1] + 1 - up; // when the backward passes of rank 0 could follow its forward passes
    // Forward passes leave rank 0 slot after slot, and the last rank does two for each micro-batch. Backward passes start out as
    // far apart as the passes that go first between them keep them: four slots.
    kinds_[first_backward] = {block.backward[0] - up, turned - rank, 0, back + 2 * ranks_ - 1 - rank, 0};
    kinds_[second_backward] = {block.backward[1] - up, 2 * ranks_ + rank, 4, back + rank, 0};
    kinds_[second_forward] = {block.forward[1] - up, 2 * ranks_ - 1 - rank, 2, 0, 0};
    kinds_[first_forward] = {block.forward[0] - up, rank, 1, 0, 0};
  }

  /// False, and `out` unchanged, behind the last one.
  constexpr bool next(operation& out) noexcept {
    if (ends()) return next_of_ending(out);
    while (weights_[0] + weights_[1] < 2 * all_) {
      const int kind = due();
      ++slot_;
      if (kind != nothing) return pass_of(kind, out);
      if (weights(out)) return true;
    }
    return false;
  }

private:
  // In the order in which they go first.
  static constexpr int first_backward = 0;
  static constexpr int second_backward = 1;
  static constexpr int second_forward = 2;
  static constexpr int first_forward = 3;
  static constexpr int nothing = 4;

  struct passes {
    std::int64_t due = 0;      ///< slot of the first, by the block; every further one six slots later
    std::int64_t possible = 0; ///< slot before which the first cannot come
    std::int64_t spacing = 0;  ///< of the following ones
    std::int64_t hastened = 0; ///< backward passes: slot of the first, if only the previous rank held it
    std::int64_t done = 0;
  };

  [[nodiscard]] constexpr std::int64_t slot_of_next(int kind) const noexcept {
    const passes& k = kinds_[kind];
    std::int64_t slot = k.due + v_block_slots * k.done;
    if (kind <= second_backward && k.done == all_ - 1 && !has_ending_)
      slot = detail::least(slot, k.hastened + v_block_slots * k.done);
    const std::int64_t possible = k.possible + k.spacing * k.done;
    return slot < possible ? possible : slot;
  }

  /// What the passes of a kind follow on the same rank has come far enough, and there is memory for them.
  [[nodiscard]] constexpr bool may(int kind) const noexcept {
    const std::int64_t done = kinds_[kind].done;
    if (done == all_ || (kind != first_forward && done == kinds_[kind + 1].done)) return false;
    const std::int64_t held = kinds_[first_forward].done + kinds_[second_forward].done - weights_[0] - weights_[1];
    if (kind <= second_backward) return true;
    return held < most_held_ && (kind == first_forward || kinds_[kind].done - weights_[1] < most_of_second_);
  }

  /// Of the kinds that are due in this slot.
  [[nodiscard]] constexpr int due() const noexcept {
    int chosen = nothing;
    std::int64_t earliest = 0;
    for (int kind = first_backward; kind <= first_forward; ++kind) {
      if (!may(kind)) continue;
      const std::int64_t slot = slot_of_next(kind);
      if (slot > slot_ || (chosen != nothing && slot >= earliest)) continue;
      chosen = kind;
      earliest = slot;
      if (kinds_[first_backward].done == 0) break;
    }
    return chosen;
  }

  constexpr bool pass_of(int kind, operation& out) noexcept {
    const bool forward = kind >= second_forward;
    const std::int64_t chunk = kind == second_backward || kind == second_forward ? 1 : 0;
    out = {.kind = forward ? pass::forward : pass::input_gradient, .chunk = chunk, .micro_batch = kinds_[kind].done++};
    return true;
  }

  /// Those of chunk 1 go first: its backward passes do.
  constexpr bool weights(operation& out) noexcept {
    for (int chunk = 1; chunk >= 0; --chunk) {
      if (weights_[chunk] == kinds_[chunk == 1 ? second_backward : first_backward].done) continue;
      out = {.kind = pass::weight_gradient, .chunk = chunk, .micro_batch = weights_[chunk]++};
      return true;
    }
    return false;
  }

  /// Once it has begun, it leaves as many passes as are left.
  [[nodiscard]] constexpr bool ends() const noexcept {
    if (!has_ending_ || kinds_[first_forward].done < all_) return false;
    for (int kind = first_backward; kind <= second_forward; ++kind)
      if (all_ - kinds_[kind].done > of_ending_[kind]) return false;
    return true;
  }

  /// Of a kind of which less is left than the ending has, the first places are taken by passes for the weights.
  constexpr bool next_of_ending(operation& out) noexcept {
    order_place now{};
    while (walk_.next(ending_, now)) {
      if (now == order_place::weights) {
        if (weights(out)) return true;
        continue;
      }
      const int kind = now == order_place::forward_1 ? second_forward
                       : now == order_place::input_1 ? second_backward
                                                     : first_backward;
      const bool is_left = all_ - kinds_[kind].done == of_ending_[kind]--;
      if (is_left) return pass_of(kind, out);
      if (weights(out)) return true;
    }
    return weights(out);
  }

  passes kinds_[4]{};
  std::int64_t weights_[2]{}; ///< passes for the weights done, by chunk
  std::int64_t all_ = 0;      ///< micro-batches
  std::int64_t ranks_ = 0;
  std::int64_t rank_ = 0;
  std::int64_t slot_ = 0;
  std::int64_t most_held_ = 0;
  std::int64_t most_of_second_ = 0; ///< of them, of chunk 1
  bool has_ending_ = false;
  v_half_ending ending_{};
  std::int64_t of_ending_[3]{}; ///< passes that it still has, by kind
  pattern_walk<v_half_ending> walk_{};
};

} // namespace moeplan
