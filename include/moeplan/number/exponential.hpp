#pragma once

#include <moeplan/number/real_functions.hpp>

/// @file
/// The exponential function, in constant expressions too, where <cmath> has none.

namespace moeplan {

namespace detail {

/// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2: the series, whose first term left out is below 2^-60 of the sum.
[[nodiscard]] constexpr double exponential_remainder(double r) noexcept {
  constexpr double term[] = {1.0 / 87178291200, 1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                             1.0 / 362880,      1.0 / 40320,      1.0 / 5040,      1.0 / 720,      1.0 / 120,
                             1.0 / 24,          1.0 / 6,          1.0 / 2};
  double sum = 0;
  for (const double t : term) sum = sum * r + t;
  return sum;
}

} // namespace detail

/// e^x, with an error below 1 unit in the last place. Above 709.78: infinity; below -745.13: zero; of NaN: NaN.
[[nodiscard]] constexpr double exponential(double x) noexcept {
  if (x != x) return x;
  if (x > 0x1.62e42fefa39efp+9) return __builtin_inf();
  if (x < -0x1.74910d52d3052p+9) return 0;
  // x = n ln 2 + r, with ln 2 in two parts: n times the first is exact.
  constexpr double ln2_high = 0x1.62e42fee00000p-1;
  constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  const double turns = x * 0x1.71547652b82fep+0;
  const auto n = static_cast<int>(turns < 0 ? turns - 0.5 : turns + 0.5);
  const double high = x - n * ln2_high;
  const double low = n * ln2_low;
  const double r = high - low;
  const double lost = (high - r) - low; // r + lost is what high - low is
  const double result = 1 + (r + (r * r * detail::exponential_remainder(r) + lost * (1 + r)));
  if (n > 1023) return result * 2 * detail::power_of_two(n - 1);
  if (n >= -1022) return result * detail::power_of_two(n);
  return result * detail::power_of_two(n + 128) * detail::power_of_two(-128);
}

} // namespace moeplan
