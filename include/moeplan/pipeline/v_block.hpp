#pragma once

#include <cstdint>

#include <moeplan/describe/schedule.hpp>

/// @file
/// The building blocks of the schedules that are placed in a V: what one micro-batch does on one rank, and when.

namespace moeplan {

/// A block repeats every six slots: two forward passes, two backward passes for the input, two for the weights, all equally long.
inline constexpr std::int64_t v_block_slots = 6;

/// When one micro-batch passes through the two chunks of a rank. A pass for the weights takes the first slot that is left free
/// after its backward pass, in the order of the backward passes.
struct v_block {
  std::int64_t forward[2]{};  ///< slot of the forward pass, by chunk; slot 0 is the first one of rank 0
  std::int64_t backward[2]{}; ///< of the backward pass for the input

  /// Micro-batches of which a chunk holds activations during slot `slot`, the one in work included, as the block repeats without
  /// end. Precondition: a pass of the block falls into the slot, or into one a multiple of six slots away.
  [[nodiscard]] constexpr std::int64_t held(std::int64_t chunk, std::int64_t slot) const noexcept {
    const std::int64_t since = apart(backward[chunk], slot);
    const bool one_waits = since > 0 && since < until_weights(chunk);
    return sixth(slot - forward[chunk]) + sixth(backward[chunk] - slot) + (one_waits ? 2 : 1);
  }

  /// The most of it, in any slot.
  [[nodiscard]] constexpr std::int64_t most_held(std::int64_t chunk) const noexcept {
    std::int64_t most = 0;
    for (int of = 0; of < 2; ++of) {
      const std::int64_t ahead = held(chunk, forward[of]);
      const std::int64_t back = held(chunk, backward[of]);
      if (ahead > most) most = ahead;
      if (back > most) most = back;
    }
    return most;
  }

  friend constexpr bool operator==(const v_block&, const v_block&) noexcept = default;

private:
  /// A sixth, rounded down.
  [[nodiscard]] static constexpr std::int64_t sixth(std::int64_t slots) noexcept {
    return (slots < 0 ? slots - (v_block_slots - 1) : slots) / v_block_slots;
  }

  /// Slots from one to the next of the other's kind.
  [[nodiscard]] static constexpr std::int64_t apart(std::int64_t from, std::int64_t to) noexcept {
    const std::int64_t slots = (to - from) % v_block_slots;
    return slots < 0 ? slots + v_block_slots : slots;
  }

  [[nodiscard]] constexpr bool is_free(std::int64_t slot) const noexcept {
    for (int chunk = 0; chunk < 2; ++chunk)
      if (apart(forward[chunk], slot) == 0 || apart(backward[chunk], slot) == 0) return false;
    return true;
  }

  [[nodiscard]] constexpr std::int64_t until_free(std::int64_t slot) const noexcept {
    std::int64_t slots = 1;
    while (!is_free(slot + slots)) ++slots;
    return slots;
  }

  [[nodiscard]] constexpr std::int64_t until_weights(std::int64_t chunk) const noexcept {
    const std::int64_t own = until_free(backward[chunk]);
    const std::int64_t other = until_free(backward[1 - chunk]);
    const bool same = apart(backward[chunk] + own, backward[1 - chunk] + other) == 0;
    return same && own < other ? own + until_free(backward[chunk] + own) : own; // The longer wait was there first.
  }
};

/// The block of V-Min: one slot from stage to stage all the way. Source: arXiv 2405.15362; zero-bubble-pipeline-parallelism
/// scheduler/zbv_greedy.py stable_pattern_v_min. Precondition: 0 <= rank < ranks.
[[nodiscard]] constexpr v_block v_min_block(std::int64_t ranks, std::int64_t rank) noexcept {
  const std::int64_t wait = ranks % 3 == 0 ? 2 : 0; // Otherwise two passes would fall into one slot.
  return {{rank, 2 * ranks - 1 - rank}, {4 * ranks + wait - 1 - rank, 2 * ranks + wait + rank}};
}

/// The block of V-Half: two slots from stage to stage on the way out, one on the way back. Source: stable_pattern_v_half there.
/// Precondition: 0 <= rank < ranks.
[[nodiscard]] constexpr v_block v_half_block(std::int64_t ranks, std::int64_t rank) noexcept {
  const std::int64_t wait = ranks % 2 == 0 ? 3 : 0;
  return {{2 * rank, 3 * ranks - 2 - rank}, {6 * ranks + wait - 2 - rank, 3 * ranks + wait - 1 + 2 * rank}};
}

/// The most that any rank holds under V-Half or V-Min, in micro-batches of one chunk: 2 floor((p + 2) / 2) and
/// 2 floor((p + 4) / 3). Source: arXiv 2405.15362. Precondition: V-Half or V-Min, ranks > 0.
[[nodiscard]] constexpr std::int64_t v_block_limit(schedule s, std::int64_t ranks) noexcept {
  return s == schedule::v_half ? (ranks + 2) / 2 * 2 : (ranks + 4) / 3 * 2;
}

/// The most micro-batches of chunk 1 that a rank holds under V-Half: what the block needs, and before it repeats on the first ranks
/// a few more, in place of ones of chunk 0. Not from the paper: the smallest line in p and r by which the orders of block_order.hpp
/// lose no time (up to 16 ranks). Precondition: 0 <= rank < ranks.
[[nodiscard]] constexpr std::int64_t v_half_second_limit(std::int64_t ranks, std::int64_t rank) noexcept {
  const std::int64_t at_first = (ranks + rank + 6) / 4;
  const std::int64_t later = v_half_block(ranks, rank).most_held(1);
  return at_first > later ? at_first : later;
}

} // namespace moeplan
