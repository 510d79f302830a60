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
/// holding more than the published 2 floor((p + 2) / 2) or 2 floor((p + 4) / 3). Until that backward pass, the passes that lead
/// to it go first. A slot with nothing due takes a pass for the weights.
///
/// Behind the last forward pass of chunk 0, V-Half goes on by v_half_ending. V-Min moves its last backward passes up to where
/// nothing but the previous rank holds them; so does V-Half with no more micro-batches than ranks, where the block never repeats.
///
/// The authors search for such moves one pass at a time (arXiv 2405.15362, "squeeze"; scheduler/zbv_greedy.py). The block is
/// theirs, and so is the makespan with equally long passes, except that V-Half takes one slot more with 13 or 14 ranks and a few
/// of more than 20, and a few slots more or fewer with no more micro-batches than ranks. The first passes of a rank may stand in
/// another order.
class block_cursor {
public:
  constexpr block_cursor() noexcept = default;

  /// Precondition: V-Half or V-Min, otherwise as for visit_peaks.
  constexpr block_cursor(const pipeline_shape& p, std::int64_t rank) noexcept
      : all_{p.micro_batches}, ranks_{p.ranks}, rank_{rank} {
    const bool half = p.schedule == schedule::v_half;
    const v_block block = half ? v_half_block(ranks_, rank) : v_min_block(ranks_, rank);
    const v_block first = half ? v_half_block(ranks_, 0) : v_min_block(ranks_, 0);
    const bool few = all_ <= ranks_;
    ending_ = {ranks_, rank_};
    walk_ = pattern_walk<v_half_ending>{ending_};
    has_ending_ = half && !few;
    detours_ = half;
    most_held_ = half ? (ranks_ + 2) / 2 * 2 : (ranks_ + 4) / 3 * 2;
    hastened_ = !half ? 1 : ranks_ / 2 > 3 ? ranks_ / 2 : 3;
    const std::int64_t turned = 4 * ranks_ - (half ? 0 : 1); // when rank 0 gets its first backward pass of chunk 0
    const std::int64_t up = first.backward[0] - turned;
    const std::int64_t back = first.forward[1] + 1 - up; // when the backward passes of rank 0 could follow its forward passes
    // Forward passes leave rank 0 slot after slot, and the last rank does two for each micro-batch. Backward passes start out as
    // far apart as the passes that go first between them keep them: four slots, three where the last micro-batch is close behind.
    kinds_[first_backward] = {block.backward[0] - up, turned - rank, 0, back + 2 * ranks_ - 1 - rank, 0};
    kinds_[second_backward] = {block.backward[1] - up, 2 * ranks_ + rank, half && few ? 3 : 4, back + rank, 0};
    kinds_[second_forward] = {block.forward[1] - up, 2 * ranks_ - 1 - rank, 2, 0, 0};
    kinds_[first_forward] = {block.forward[0] - up, rank, 1, 0, 0};
  }

  /// False, and `out` unchanged, behind the last one.
  constexpr bool next(operation& out) noexcept {
    if (has_ending_ && kinds_[first_forward].done == all_) return next_of_ending(out);
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
    const std::int64_t left = all_ - 1 - k.done;
    if (kind <= second_backward && left < hastened_ && !has_ending_) {
      const std::int64_t hops = kind == first_backward ? ranks_ : rank_;
      const std::int64_t detour = detours_ ? detail::least(hops, 2 * left) : 0;
      slot = detail::least(slot, k.hastened + v_block_slots * k.done + detour);
    }
    const std::int64_t possible = k.possible + k.spacing * k.done;
    return slot < possible ? possible : slot;
  }

  /// What the passes of a kind follow on the same rank has come far enough, and there is memory for them.
  [[nodiscard]] constexpr bool may(int kind) const noexcept {
    const std::int64_t done = kinds_[kind].done;
    if (done == all_ || (kind != first_forward && done == kinds_[kind + 1].done)) return false;
    const std::int64_t held = kinds_[first_forward].done + kinds_[second_forward].done - weights_[0] - weights_[1];
    return kind <= second_backward || held < most_held_;
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
      if (kinds_[kind].done < all_) return pass_of(kind, out);
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
  std::int64_t hastened_ = 0; ///< how many of the last micro-batches go back as fast as they can
  bool detours_ = false;      ///< of them all but the very last one step back for others
  bool has_ending_ = false;
  v_half_ending ending_{};
  pattern_walk<v_half_ending> walk_{};
};

} // namespace moeplan
