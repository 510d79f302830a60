#pragma once

/// @file
/// Sums of doubles whose error does not grow with their number.

namespace moeplan {

/// The sum of n finite doubles, within 2^-53 of the exact sum relative to it and n^2 2^-105 relative to the sum of magnitudes, unless the
/// compiler was allowed to reorder floating point (-ffast-math). Source: Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation
/// endlicher Summen, 1974.
struct compensated_sum {
  double rounded = 0; ///< the sum as plain addition has it
  double lost = 0;    ///< what rounding took from it

  constexpr compensated_sum& operator+=(double x) noexcept {
    const double sum = rounded + x;
    const bool x_is_smaller = (x < 0 ? -x : x) < (rounded < 0 ? -rounded : rounded);
    lost += x_is_smaller ? (rounded - sum) + x : (x - sum) + rounded;
    rounded = sum;
    return *this;
  }

  [[nodiscard]] constexpr double value() const noexcept { return rounded + lost; }
};

} // namespace moeplan
