#pragma once

#include <cstdint>

#include <moeplan/pipeline/pattern_order.hpp>

/// @file
/// How V-Half ends: what a rank does behind its last forward pass of chunk 0.

namespace moeplan {

/// The block that repeats no longer fits once no new micro-batch comes: backward passes move up, the passes for the weights fill
/// what is left. Equal to the authors' order (zero-bubble-pipeline-parallelism scheduler/zbv_greedy.py, which finds it by moving
/// passes one by one) from the last forward pass of chunk 0 on, if there are more micro-batches than ranks. Of fewer, a rank
/// has done some of it before: what is left of it is its end.
struct v_half_ending {
  static constexpr int count = 7;

  std::int64_t ranks = 1;
  std::int64_t rank = 0;

  [[nodiscard]] constexpr order_pattern operator[](int i) const noexcept {
    if (ranks % 2 == 0) {
      if (rank % 2 == 0) return even_of_even(i);
      return rank == ranks - 1 ? last_of_even(i) : odd_of_even(i);
    }
    return rank % 2 == 0 ? even_of_odd(i) : odd_of_odd(i);
  }

  /// Passes of one kind.
  [[nodiscard]] constexpr std::int64_t passes(order_place kind) const noexcept {
    std::int64_t sum = 0;
    for (int i = 0; i < count; ++i) {
      const order_pattern pattern = (*this)[i];
      if (pattern.times <= 0) continue;
      for (int place = 0; place < pattern.length; ++place)
        if (pattern.places[place] == kind) sum += pattern.times;
    }
    return sum;
  }

private:
  static constexpr order_place f = order_place::forward_1;
  static constexpr order_place b = order_place::input_1;
  static constexpr order_place B = order_place::input_0; // NOLINT(readability-identifier-naming): as papers write it
  static constexpr order_place w = order_place::weights; // of either chunk

  [[nodiscard]] constexpr order_pattern even_of_even(int i) const noexcept {
    const std::int64_t pairs_behind = (ranks - rank) / 2;
    switch (i) {
      case 0: return order_pattern{1, B, b, w};
      case 1: return order_pattern{pairs_behind > 1 ? 1 : 0, f, b, w, B, w, w};
      case 2: return order_pattern{pairs_behind - 2, f, b, w, B, w};
      case 3: return order_pattern{1, f, b, B, w};
      case 4: return order_pattern{rank / 2, B, b, w, w};
      case 5: return order_pattern{1, B, w, w};
      default: break;
    }
    return order_pattern{pairs_behind - 1, B, w};
  }

  [[nodiscard]] constexpr order_pattern odd_of_even(int i) const noexcept {
    const std::int64_t pairs_behind = (ranks - 1 - rank) / 2;
    switch (i) {
      case 0: return order_pattern{1, w, f, b, w};
      case 1: return order_pattern{pairs_behind, B, b, w, f, w};
      case 2: return order_pattern{1, B, b, B, w, w};
      case 3: return order_pattern{(rank - 1) / 2, b, B, w, w};
      case 4: return order_pattern{1, w, B, w};
      case 5: return order_pattern{pairs_behind - 1, B, w};
      default: break;
    }
    return {};
  }

  [[nodiscard]] constexpr order_pattern last_of_even(int i) const noexcept {
    switch (i) {
      case 0: return order_pattern{1, w, f, b, B, b, B};
      case 1: return order_pattern{1, w, w};
      case 2: return order_pattern{rank / 2, b, B, w, w};
      default: break;
    }
    return {};
  }

  [[nodiscard]] constexpr order_pattern even_of_odd(int i) const noexcept {
    const std::int64_t pairs_behind = (ranks - 1 - rank) / 2;
    switch (i) {
      case 0: return order_pattern{rank > 0 ? 1 : 0, w};
      case 1: return order_pattern{pairs_behind, f, b, w, B, w};
      case 2: return order_pattern{1, f, b, B, w, w};
      case 3: return order_pattern{rank / 2, b, B, w, w};
      case 4: return order_pattern{pairs_behind, B, w};
      default: break;
    }
    return {};
  }

  [[nodiscard]] constexpr order_pattern odd_of_odd(int i) const noexcept {
    const std::int64_t pairs_behind = (ranks - rank) / 2;
    switch (i) {
      case 0: return order_pattern{pairs_behind, B, b, w, f, w};
      case 1: return order_pattern{(rank + 1) / 2, B, b, w, w};
      case 2: return order_pattern{pairs_behind, B, w};
      default: break;
    }
    return {};
  }
};

} // namespace moeplan
