#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/axis.hpp>
#include <moeplan/text/parsed.hpp>

/// @file
/// Which axes a group of ranks spans: tp, dp-cp, etp-ep-pp.

namespace moeplan {

/// A rank lies on two grids at once: the one that dense layers use and the one that experts use.
enum class grid_kind : std::uint16_t { dense, expert };

/// The axes of one grid along which a group's ranks differ, in no particular order.
struct group_axes {
  grid_kind grid = grid_kind::dense;
  std::uint16_t places = 0; ///< one bit for each place of the grid, see moeplan::grid

  [[nodiscard]] constexpr bool spans(std::size_t place) const noexcept { return (places >> place & 1U) != 0; }

  /// Reads axes joined by '-': tp, cp, dp, pp of the dense grid or etp, ep, edp, pp of the expert grid. "pp" alone is on the dense grid;
  /// its groups are the same on both.
  [[nodiscard]] static constexpr parsed<group_axes> parse(text t) noexcept;

  friend constexpr bool operator==(const group_axes&, const group_axes&) noexcept = default;
};

namespace detail {

/// The axes of each grid by place.
inline constexpr axis grid_places[2][4] = {{axis::tp, axis::cp, axis::dp, axis::pp}, {axis::etp, axis::ep, axis::edp, axis::pp}};

/// The place of an axis named by `token` on a grid; 4 if it has none there.
[[nodiscard]] constexpr std::size_t place_of(text token, grid_kind grid) noexcept {
  for (std::size_t place = 0; place < 4; ++place)
    if (same_letters(token, name_of(grid_places[static_cast<std::size_t>(grid)][place]))) return place;
  return 4;
}

[[nodiscard]] constexpr parsed<group_axes> parse_group_axes(text t, grid_kind grid) noexcept {
  parsed<group_axes> result;
  result.value.grid = grid;
  std::size_t start = 0;
  while (start <= t.size()) {
    const std::size_t stop = t.find('-', start);
    const text token = t.part(start, stop - start);
    const std::size_t place = place_of(token, grid);
    const text expected = "tp, cp, dp, pp joined by '-' (dense grid) or etp, ep, edp, pp joined by '-' (expert grid)";
    if (place == 4) {
      const bool elsewhere = place_of(token, grid == grid_kind::dense ? grid_kind::expert : grid_kind::dense) != 4;
      result.error = {elsewhere ? "a group spans axes of both grids" : "not an axis that a group can span", token, expected, start};
      return result;
    }
    if (result.value.spans(place)) {
      result.error = {"an axis stands twice in a group", token, expected, start};
      return result;
    }
    result.value.places = static_cast<std::uint16_t>(result.value.places | 1U << place);
    start = stop + 1;
  }
  return result;
}

} // namespace detail

constexpr parsed<group_axes> group_axes::parse(text t) noexcept {
  const parsed<group_axes> dense = detail::parse_group_axes(t, grid_kind::dense);
  if (dense) return dense;
  // Which of the two errors helps more: that of the grid on which the reader came further.
  const parsed<group_axes> expert = detail::parse_group_axes(t, grid_kind::expert);
  return expert || expert.error.position > dense.error.position ? expert : dense;
}

namespace groups {
inline constexpr group_axes tp{grid_kind::dense, 0b0001};
inline constexpr group_axes cp{grid_kind::dense, 0b0010};
inline constexpr group_axes dp{grid_kind::dense, 0b0100};
inline constexpr group_axes pp{grid_kind::dense, 0b1000};
inline constexpr group_axes tp_cp{grid_kind::dense, 0b0011};
inline constexpr group_axes dp_cp{grid_kind::dense, 0b0110};
inline constexpr group_axes tp_dp{grid_kind::dense, 0b0101};
inline constexpr group_axes tp_pp{grid_kind::dense, 0b1001};
inline constexpr group_axes tp_dp_cp{grid_kind::dense, 0b0111};
inline constexpr group_axes etp{grid_kind::expert, 0b0001};
inline constexpr group_axes ep{grid_kind::expert, 0b0010};
inline constexpr group_axes edp{grid_kind::expert, 0b0100};
inline constexpr group_axes etp_ep{grid_kind::expert, 0b0011};
inline constexpr group_axes etp_ep_pp{grid_kind::expert, 0b1011};
} // namespace groups

} // namespace moeplan
