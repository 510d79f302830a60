#pragma once

#include <cstdint>

/// @file
/// Square root and natural logarithm of a double in constant expressions, with the same result at run time. <cmath> has neither in C++20.

namespace moeplan {

namespace detail {

/// x = mantissa x 2^exponent, 2^52 <= mantissa < 2^53.
struct binary_form {
  std::uint64_t mantissa = 0;
  int exponent = 0;
};

/// Precondition: x is positive and finite; it may be subnormal.
[[nodiscard]] constexpr binary_form binary_form_of(double x) noexcept {
  constexpr std::uint64_t leading = std::uint64_t{1} << 52;
  const auto bits = __builtin_bit_cast(std::uint64_t, x);
  const int field = static_cast<int>(bits >> 52);
  if (field != 0) return {(bits & (leading - 1)) | leading, field - 1075};
  const int shift = __builtin_clzll(bits) - 11;
  return {bits << shift, -1074 - shift};
}

/// Precondition: -1022 <= exponent <= 1023.
[[nodiscard]] constexpr double power_of_two(int exponent) noexcept {
  return __builtin_bit_cast(double, static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// floor(sqrt(m 2^52)). Precondition: 2^52 <= m < 2^54.
[[nodiscard]] constexpr std::uint64_t root_of_scaled(std::uint64_t m) noexcept {
  __extension__ using twice_as_wide = unsigned __int128;
  // Newton's method on doubles, from a tangent that is within 5% everywhere: 0.05 -> 1e-3 -> 8e-7 -> 3e-13 -> the last bit or two.
  const auto scaled = static_cast<double>(m) * 0x1p-52; // 1 <= scaled < 4
  double guess = 0.69 + 0.34 * scaled;
  for (int i = 0; i < 4; ++i) guess = 0.5 * (guess + scaled / guess);
  // Integers settle what is left, whatever the guess was.
  const twice_as_wide square = twice_as_wide{m} << 52;
  auto root = static_cast<std::uint64_t>(guess * 0x1p52);
  while (twice_as_wide{root} * root > square) --root;
  while (twice_as_wide{root + 1} * (root + 1) <= square) ++root;
  return root;
}

/// The leading 26 bits of a double.
[[nodiscard]] constexpr double leading_bits(double x) noexcept {
  return __builtin_bit_cast(double, __builtin_bit_cast(std::uint64_t, x) & ~((std::uint64_t{1} << 27) - 1));
}

/// a b - product, where product is a b rounded, up to 2^-104 of it. Without a fused multiplication, which not every processor has and no
/// constant expression needs.
[[nodiscard]] constexpr double product_error(double a, double b, double product) noexcept {
  const double a_high = leading_bits(a);
  const double b_high = leading_bits(b);
  const double a_low = a - a_high;
  const double b_low = b - b_high;
  return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

/// A sum of two doubles that is not rounded to one.
struct double_sum {
  double high = 0;
  double low = 0;
};

/// (z - 1) / (z + 1), with a relative error of about 2^-100. Precondition: 1/2 < z < 2.
[[nodiscard]] constexpr double_sum distance_from_one(double z) noexcept {
  const double above = z - 1; // exact
  const double below = z + 1;
  const double below_lost = z - (below - 1);
  const double quotient = above / below;
  const double product = quotient * below;
  const double rest = ((above - product) - product_error(quotient, below, product)) - quotient * below_lost;
  return {quotient, rest / below};
}

/// 2 (s^2/3 + s^4/5 + ... + s^20/21), which times s is ln((1 + s) / (1 - s)) - 2 s; what is missing is below 2^-60 of the logarithm
/// where |s| <= 0.1716.
[[nodiscard]] constexpr double logarithm_series(double s) noexcept {
  const double q = s * s;
  // Written out, since compilers otherwise divide at run time.
  const double to_eleventh = 1. / 3 + q * (1. / 5 + q * (1. / 7 + q * (1. / 9 + q * (1. / 11))));
  const double from_thirteenth = 1. / 13 + q * (1. / 15 + q * (1. / 17 + q * (1. / 19 + q * (1. / 21))));
  return 2 * q * (to_eleventh + q * q * (q * q * q) * from_thirteenth);
}

} // namespace detail

/// The square root, correctly rounded (IEEE 754, to nearest). Of zero: that zero; of infinity: infinity; of NaN and below zero: NaN.
[[nodiscard]] constexpr double square_root(double x) noexcept {
  if (x < 0 || x != x) return __builtin_nan("");
  if (x == 0 || x == __builtin_inf()) return x;
  const detail::binary_form form = detail::binary_form_of(x);
  const bool odd = form.exponent % 2 != 0;
  const std::uint64_t m = odd ? form.mantissa << 1 : form.mantissa;
  const int exponent = form.exponent - (odd ? 1 : 0);
  const std::uint64_t root = detail::root_of_scaled(m); // sqrt(m 2^52), rounded down
  __extension__ using twice_as_wide = unsigned __int128;
  // (root + 1/2)^2 is no integer, so there are no ties.
  const bool up = (twice_as_wide{m} << 52) - twice_as_wide{root} * root > root;
  return static_cast<double>(root + (up ? 1 : 0)) * detail::power_of_two(exponent / 2 - 26);
}

/// The natural logarithm, with an error below 0.6 units in the last place. Of 1: 0; of zero: minus infinity; of infinity: infinity; of
/// NaN and below zero: NaN.
///
/// With x = 2^k z, sqrt(1/2) < z <= sqrt(2) and s = (z - 1) / (z + 1), ln x = k ln 2 + 2 (s + s^3/3 + s^5/5 + ...). s and the sum are
/// carried with more than the 53 bits of a double; the series, a hundredth of 2 s at most, need not be.
[[nodiscard]] constexpr double natural_logarithm(double x) noexcept {
  if (x < 0 || x != x) return __builtin_nan("");
  if (x == 0) return -__builtin_inf();
  if (x == __builtin_inf()) return x;
  constexpr std::uint64_t root_of_two = 6'369'051'672'525'772; // 2^52 sqrt(2), rounded down
  const detail::binary_form form = detail::binary_form_of(x);
  const bool upper = form.mantissa > root_of_two;
  const double z = static_cast<double>(form.mantissa) * (upper ? 0x1p-53 : 0x1p-52);
  const int k = form.exponent + (upper ? 53 : 52);

  const detail::double_sum s = detail::distance_from_one(z);
  const double low = 2 * s.low + s.high * detail::logarithm_series(s.high);
  if (k == 0) return 2 * s.high + low;

  // ln 2 in two parts, the first so short that its product with k is exact.
  constexpr double ln2_high = 0x1.62e42fefa3p-1;
  constexpr double ln2_low = 0x0.9ef35793c7673007e5edp-41;
  const double whole = k * ln2_high; // larger than |2 s|
  const double sum = whole + 2 * s.high;
  const double lost = 2 * s.high - (sum - whole);
  return sum + (lost + (k * ln2_low + low));
}

} // namespace moeplan
