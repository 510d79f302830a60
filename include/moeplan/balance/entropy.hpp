#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/compensated_sum.hpp>
#include <moeplan/number/real_functions.hpp>
#include <moeplan/number/uint256.hpp>

/// @file
/// The entropy of loads: 1 if all are equal, 0 if one part has all.

namespace moeplan {

namespace detail {

/// -sum(p ln p) / ln n of p = load / sum. Precondition: at least two loads, none of them negative, and a sum above zero.
template <class Load>
[[nodiscard]] constexpr double entropy_of_shares(array_view<const Load> loads, double sum) noexcept {
  compensated_sum entropy;
  for (const Load load : loads) {
    const double share = static_cast<double>(load) / sum;
    if (share > 0) entropy += -share * natural_logarithm(share);
  }
  const double normalised = entropy.value() / natural_logarithm(static_cast<double>(loads.size()));
  return normalised > 1 ? 1 : normalised; // Rounding can pass 1 where loads are almost equal; Shannon's entropy cannot.
}

/// Whether none is negative or NaN.
template <class Load>
[[nodiscard]] constexpr bool are_loads(array_view<const Load> loads) noexcept {
  for (const Load load : loads)
    if (!(load >= 0)) return false;
  return true;
}

template <class Load>
[[nodiscard]] constexpr bool are_equal(array_view<const Load> loads) noexcept {
  for (const Load load : loads)
    if (load != loads[0]) return false;
  return true;
}

} // namespace detail

/// Normalised entropy -sum(p_i ln p_i) / ln n of the shares p_i of each part, with an absolute error below 2^-50. Exactly 1 for equal
/// loads, all zero and a single part among them; exactly 0 if one of several parts has all; never above 1. NaN if a load is negative or there is none.
/// Source: Shannon, A Mathematical Theory of Communication, section 7 (relative entropy).
[[nodiscard]] constexpr double normalised_entropy(array_view<const std::int64_t> loads) noexcept {
  if (loads.size() == 0 || !detail::are_loads(loads)) return __builtin_nan("");
  if (detail::are_equal(loads)) return 1;
  uint128 sum = 0;
  for (const std::int64_t load : loads) sum += static_cast<std::uint64_t>(load);
  return detail::entropy_of_shares(loads, static_cast<double>(sum));
}

/// Likewise of doubles; NaN also if a load or their sum is not finite.
[[nodiscard]] constexpr double normalised_entropy(array_view<const double> loads) noexcept {
  if (loads.size() == 0 || !detail::are_loads(loads)) return __builtin_nan("");
  double bound = 0;
  compensated_sum sum;
  for (const double load : loads) {
    bound = load > bound ? load : bound;
    if (bound > 1e308 / static_cast<double>(loads.size())) return __builtin_nan("");
    sum += load;
  }
  return detail::are_equal(loads) ? 1 : detail::entropy_of_shares(loads, sum.value());
}

} // namespace moeplan
