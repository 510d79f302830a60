#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/real_functions.hpp>
#include <moeplan/number/wide_ratio.hpp>

/// @file
/// How even integer loads are, as exact fractions: tokens of experts, of GPUs, of ranks.

namespace moeplan {

/// Metrics of parts x_1 to x_n with mean m = sum / n, from one pass. Everything but mean() and the variances is without unit and the same
/// for loads that are scaled together.
///
/// Exact, loads near 2^63 included, for n below 2^42, and else exact or overflowed(). A negative load makes every metric overflowed(), and
/// so does having no parts. Loads that are all zero are equal loads: max_over_mean() and efficiency() are 1, and all that measures a
/// difference is 0.
struct load_metrics {
  std::int64_t parts = 0; ///< n
  std::int64_t largest = 0;
  std::int64_t smallest = 0;
  uint256 sum{};            ///< of the x_i; overflowed() if one of them is negative
  uint256 sum_of_squares{}; ///< likewise
  count denominator{1};     ///< the loads are x_i / denominator: of fractional loads the x_i are the numerators

  friend constexpr bool operator==(const load_metrics&, const load_metrics&) noexcept = default;

  /// In the loads' unit.
  [[nodiscard]] constexpr wide_ratio mean() const noexcept { return {sum, n() * denominator}; }

  /// Imbalance, 1 (even) to n (one part has all).
  [[nodiscard]] constexpr wide_ratio max_over_mean() const noexcept {
    return idle() ? wide_ratio{1} : wide_ratio{uint256{largest} * n(), sum};
  }

  /// MaxVio, 0 to n - 1. Source: arXiv 2408.15664 section 4.1; its MaxVio_global takes the loads of a whole validation set, its
  /// MaxVio_batch those of one training batch.
  [[nodiscard]] constexpr wide_ratio max_violation() const noexcept {
    return idle() ? wide_ratio{0} : wide_ratio{uint256{largest} * n() - sum, sum};
  }

  /// Mean over max, 1/n to 1: the part of their time that ranks are busy in a step which ends when the most loaded one is done.
  [[nodiscard]] constexpr wide_ratio efficiency() const noexcept {
    return idle() ? wide_ratio{1} : wide_ratio{sum, uint256{largest} * n()};
  }

  /// Of the whole population: sum of (x_i - m)^2 / n, in the square of the loads' unit.
  [[nodiscard]] constexpr wide_ratio variance() const noexcept {
    return {n_squared_variances(), n() * n() * denominator * denominator};
  }

  /// Of a sample: sum of (x_i - m)^2 / (n - 1). Overflowed for one part, which has none.
  [[nodiscard]] constexpr wide_ratio sample_variance() const noexcept {
    return {n_squared_variances(), n() * (n() - 1) * denominator * denominator};
  }

  /// variance() / mean()^2, 0 (if and only if all loads are equal) to n - 1.
  [[nodiscard]] constexpr wide_ratio squared_coefficient_of_variation() const noexcept {
    return idle() ? wide_ratio{0} : wide_ratio{n_squared_variances(), sum * sum};
  }

  /// sample_variance() / mean()^2, 0 to n. Overflowed for one part.
  [[nodiscard]] constexpr wide_ratio sample_squared_coefficient_of_variation() const noexcept {
    return idle() && parts > 1 ? wide_ratio{0} : wide_ratio{n_squared_variances() * n(), sum * sum * (n() - 1)};
  }

  /// Standard deviation over mean, within a relative error of 2^-50. Infinity if its square is overflowed().
  [[nodiscard]] constexpr double coefficient_of_variation() const noexcept {
    return square_root(squared_coefficient_of_variation().to_double());
  }

  /// Likewise, of a sample.
  [[nodiscard]] constexpr double sample_coefficient_of_variation() const noexcept {
    return square_root(sample_squared_coefficient_of_variation().to_double());
  }

private:
  [[nodiscard]] constexpr uint256 n() const noexcept { return parts; }
  [[nodiscard]] constexpr bool idle() const noexcept { return sum == uint256{0} && parts > 0; }

  /// n^2 variances are n times the sum of squares, less the square of the sum.
  [[nodiscard]] constexpr uint256 n_squared_variances() const noexcept { return n() * sum_of_squares - sum * sum; }
};

/// Metrics of non-negative loads, or of fractions `loads[i] / denominator` (see number/common_denominator.hpp).
[[nodiscard]] constexpr load_metrics metrics(array_view<const std::int64_t> loads, count denominator = 1) noexcept {
  if (loads.size() == 0) return {.denominator = denominator};
  load_metrics result{.parts = loads.size(), .largest = loads[0], .smallest = loads[0], .denominator = denominator};
  uint128 sum = 0;
  uint128 squares = 0;
  uint128 carried = 0; // out of the 128 bits of `squares`
  for (const std::int64_t load : loads) {
    const auto x = static_cast<std::uint64_t>(load);
    const uint128 square = uint128{x} * x;
    sum += x;
    squares += square;
    carried += squares < square ? 1 : 0;
    if (load > result.largest) result.largest = load;
    if (load < result.smallest) result.smallest = load;
  }
  const bool negative = result.smallest < 0;
  result.sum = negative ? uint256::top() : uint256{sum};
  result.sum_of_squares = negative ? uint256::top() : uint256::halves(carried, squares);
  return result;
}

} // namespace moeplan
