#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/compensated_sum.hpp>
#include <moeplan/number/real_functions.hpp>

/// @file
/// How even loads are that are known as doubles only: times, rates, or fractions without a common denominator of 64 bits. Fractions with
/// one have exact metrics, in balance/metrics.hpp.

namespace moeplan {

/// The metrics of load_metrics, in double precision. Everything is NaN if a load is negative, infinite or NaN, if there is none, or if
/// n x the largest exceeds 10^308; to compute with that is no constant expression. Loads that are all zero are equal loads.
struct real_load_metrics {
  std::int64_t parts = 0; ///< n
  double largest = 0;
  double smallest = 0;
  double sum = 0;                ///< correctly rounded or next to it
  double squared_deviations = 0; ///< sum of (x_i / mean - 1)^2; 0 if all loads are zero

  friend constexpr bool operator==(const real_load_metrics&, const real_load_metrics&) noexcept = default;

  [[nodiscard]] constexpr double mean() const noexcept { return sum / n(); }

  /// Relative error below 2^-51, as that of efficiency().
  [[nodiscard]] constexpr double max_over_mean() const noexcept { return sum == 0 ? 1 : largest * n() / sum; }

  /// Absolute error below 2^-51 of max_over_mean().
  [[nodiscard]] constexpr double max_violation() const noexcept { return sum == 0 ? 0 : (largest * n() - sum) / sum; }

  [[nodiscard]] constexpr double efficiency() const noexcept { return sum == 0 ? 1 : sum / (largest * n()); }

  /// Infinite where it exceeds the doubles (loads from about 10^154), less exact and at last 0 where it is below the normal ones (loads
  /// below about 10^-154); so is sample_variance(). In constant expressions the first is a compile error. What is relative, as the
  /// coefficient of variation, is exact to its error there too.
  [[nodiscard]] constexpr double variance() const noexcept { return squared_coefficient_of_variation() * mean() * mean(); }

  /// NaN for one part.
  [[nodiscard]] constexpr double sample_variance() const noexcept {
    return sample_squared_coefficient_of_variation() * mean() * mean();
  }

  [[nodiscard]] constexpr double squared_coefficient_of_variation() const noexcept { return squared_deviations / n(); }

  /// NaN for one part.
  [[nodiscard]] constexpr double sample_squared_coefficient_of_variation() const noexcept {
    return parts > 1 ? squared_deviations / static_cast<double>(parts - 1) : __builtin_nan("");
  }

  /// Absolute error below 2^-50 (1 + coefficient of variation).
  [[nodiscard]] constexpr double coefficient_of_variation() const noexcept {
    return square_root(squared_coefficient_of_variation());
  }

  [[nodiscard]] constexpr double sample_coefficient_of_variation() const noexcept {
    return square_root(sample_squared_coefficient_of_variation());
  }

private:
  [[nodiscard]] constexpr double n() const noexcept { return static_cast<double>(parts); }
};

/// Metrics of finite, non-negative loads.
[[nodiscard]] constexpr real_load_metrics metrics(array_view<const double> loads) noexcept {
  constexpr double none = __builtin_nan("");
  const real_load_metrics not_metrics{
      .parts = loads.size(), .largest = none, .smallest = none, .sum = none, .squared_deviations = none};
  if (loads.size() == 0) return not_metrics;
  real_load_metrics result{.parts = loads.size(), .largest = loads[0], .smallest = loads[0]};
  for (const double load : loads) {
    if (!(load >= 0)) return not_metrics;
    if (load > result.largest) result.largest = load;
    if (load < result.smallest) result.smallest = load;
  }
  if (result.largest > 1e308 / static_cast<double>(loads.size())) return not_metrics;
  compensated_sum sum;
  for (const double load : loads) sum += load;
  result.sum = sum.value();
  if (result.largest == result.smallest) return result;
  compensated_sum squares;
  for (const double load : loads) {
    const double deviation = load * static_cast<double>(loads.size()) / result.sum - 1;
    squares += deviation * deviation;
  }
  result.squared_deviations = squares.value();
  return result;
}

} // namespace moeplan
