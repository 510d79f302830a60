#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/number/reciprocal.hpp>

/// @file
/// One grid of ranks: four axes, each with a size and a stride.

namespace moeplan {

/// One axis of a grid: how many ranks along it, how far apart neighbours are, and the two divisions that its coordinate takes.
struct grid_axis {
  std::int64_t size = 1;
  std::int64_t stride = 1;
  reciprocal by_stride{};
  reciprocal by_span{}; ///< size * stride

  friend constexpr bool operator==(const grid_axis&, const grid_axis&) noexcept = default;
};

/// Ranks laid out along four axes: TP, CP, DP, PP on the dense grid, ETP, EP, EDP, PP on the expert grid, in these places.
///
/// Coordinates are computed axis by axis from strides, not in a loop over the order, so that they fold into constants.
struct grid {
  static constexpr std::size_t axes = 4;

  grid_axis by_place[axes]{};
  std::uint16_t order[axes]{0, 1, 2, 3}; ///< places from the smallest stride to the largest
  bool narrow = true;                    ///< at most 2^32 ranks, so that every division is a multiplication

  constexpr grid() noexcept = default;

  /// Sizes by place; `fastest_first` lists every place once. Precondition: sizes >= 1, their product below 2^63.
  constexpr grid(const std::int64_t (&sizes)[axes], const std::uint16_t (&fastest_first)[axes]) noexcept {
    std::int64_t stride = 1;
    reciprocal by_stride;
    for (std::size_t i = 0; i < axes; ++i) {
      const std::uint16_t place = fastest_first[i];
      const reciprocal by_span = sizes[place] == 1 ? by_stride : reciprocal{stride * sizes[place]}; // Most axes are 1.
      order[i] = place;
      by_place[place] = {sizes[place], stride, by_stride, by_span};
      stride = by_span.divisor;
      by_stride = by_span;
    }
    narrow = stride <= std::int64_t{1} << 32;
  }

  /// Precondition here and below: 0 <= rank < product of sizes.
  [[nodiscard]] constexpr std::int64_t coordinate(std::size_t place, std::int64_t rank) const noexcept {
    const grid_axis& a = by_place[place];
    return divided(a.by_stride, rank) - divided(a.by_span, rank) * a.size;
  }

  /// How much of a rank is its coordinate: coordinate * stride.
  [[nodiscard]] constexpr std::int64_t share(std::size_t place, std::int64_t rank) const noexcept {
    return coordinate(place, rank) * by_place[place].stride;
  }

  friend constexpr bool operator==(const grid&, const grid&) noexcept = default;

private:
  [[nodiscard]] constexpr std::int64_t divided(const reciprocal& by, std::int64_t rank) const noexcept {
    return narrow ? by.narrow_quotient(rank) : by.quotient(rank);
  }
};

} // namespace moeplan
