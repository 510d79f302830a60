#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/compensated_sum.hpp>
#include <moeplan/number/heap_sort.hpp>
#include <moeplan/number/wide_ratio.hpp>

/// @file
/// The Gini coefficient of loads: 0 if all are equal, (n - 1) / n if one part has all.

namespace moeplan {

// 2 sum(i x_i) / (n sum(x_i)) - (n + 1) / n of ascending x_1 to x_n, its terms taken in pairs from both ends: (n + 1 - 2 i) times the
// difference x_(n + 1 - i) - x_i, over n sum(x_i). None is negative, so nothing cancels, and equal loads give exactly 0.

/// Of loads in ascending order, exactly, where n is below 2^63. Loads that are all zero are equal loads. Overflowed if one is negative or
/// there is none. One pass. Precondition: the loads ascend; of others the result means nothing.
[[nodiscard]] constexpr wide_ratio gini_of_ascending(array_view<const std::int64_t> loads) noexcept {
  const std::int64_t n = loads.size();
  if (n == 0 || loads[0] < 0) return {uint256::top()};
  uint128 sum = 0;
  uint256 weighted;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<std::uint64_t>(loads[i]);
  for (std::int64_t i = 0; i < n / 2; ++i)
    weighted += uint256{static_cast<uint128>(n - 1 - 2 * i) * static_cast<uint128>(loads[n - 1 - i] - loads[i])};
  return sum == 0 ? wide_ratio{0} : wide_ratio{weighted, uint256{sum} * uint256{n}};
}

/// Of loads in ascending order, in double precision, with a relative error below 2^-50. NaN if a load is negative or not finite, if there
/// is none, or if n^2 x the largest exceeds 10^308. Precondition: the loads ascend; of others the result means nothing.
[[nodiscard]] constexpr double gini_of_ascending(array_view<const double> loads) noexcept {
  const std::int64_t n = loads.size();
  const auto parts = static_cast<double>(n);
  if (n == 0 || !(loads[0] >= 0) || !(loads[n - 1] <= 1e308 / parts / parts)) return __builtin_nan("");
  compensated_sum sum;
  compensated_sum weighted;
  for (const double load : loads) sum += load;
  for (std::int64_t i = 0; i < n / 2; ++i) weighted += static_cast<double>(n - 1 - 2 * i) * (loads[n - 1 - i] - loads[i]);
  return sum.value() == 0 ? 0 : weighted.value() / (parts * sum.value());
}

/// Of loads in any order, by sorting a copy of them in `scratch`: n log n steps. Overflowed also if
/// scratch is shorter than the loads.
[[nodiscard]] constexpr wide_ratio gini(array_view<const std::int64_t> loads, array_view<std::int64_t> scratch) noexcept {
  if (scratch.size() < loads.size()) return {uint256::top()};
  const array_view<std::int64_t> sorted = scratch.part(0, loads.size());
  for (std::int64_t i = 0; i < loads.size(); ++i) sorted[i] = loads[i];
  heap_sort(sorted, [](std::int64_t a, std::int64_t b) { return a < b; });
  return gini_of_ascending(array_view<const std::int64_t>{sorted});
}

/// Likewise; NaN also if a load is NaN or scratch is too short.
[[nodiscard]] constexpr double gini(array_view<const double> loads, array_view<double> scratch) noexcept {
  if (scratch.size() < loads.size()) return __builtin_nan("");
  const array_view<double> sorted = scratch.part(0, loads.size());
  for (std::int64_t i = 0; i < loads.size(); ++i) {
    if (loads[i] != loads[i]) return __builtin_nan(""); // which no sorting puts in its place
    sorted[i] = loads[i];
  }
  heap_sort(sorted, [](double a, double b) { return a < b; });
  return gini_of_ascending(array_view<const double>{sorted});
}

} // namespace moeplan
