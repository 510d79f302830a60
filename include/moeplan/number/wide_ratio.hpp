#pragma once

#include <cstdint>

#include <moeplan/number/divisors.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/uint256.hpp>

/// @file
/// Exact fractions of 256-bit integers, for statistics of 64-bit numbers, whose terms outgrow a `ratio`.

namespace moeplan {

/// A non-negative fraction, compared by its value: 1/2 == 2/4. Not in lowest terms, since few readers need them and finding them costs
/// more than all else; lowest_terms() gives them.
///
/// One with an overflowed term or a denominator of zero is overflowed(), and compares greater than every exact one.
struct wide_ratio {
  uint256 numerator{0};
  uint256 denominator{1};

  constexpr wide_ratio() noexcept = default;

  constexpr wide_ratio(uint256 n, uint256 d = uint256{1}) noexcept : numerator{n}, denominator{d} {
    if (d == uint256{}) not_a_constant::a_ratio_has_denominator_zero();
    if (d == uint256{} || n.overflowed() || d.overflowed()) *this = top();
  }
  template <built_in_integer Integer>
  constexpr wide_ratio(Integer n) noexcept : wide_ratio{uint256{n}} {}
  constexpr wide_ratio(ratio r) noexcept : wide_ratio{uint256{r.numerator}, uint256{r.denominator}} {}

  [[nodiscard]] constexpr bool overflowed() const noexcept { return numerator.overflowed(); }

  [[nodiscard]] constexpr wide_ratio lowest_terms() const noexcept {
    if (overflowed()) return *this;
    const uint256 common = gcd(numerator, denominator);
    return {numerator / common, denominator / common};
  }

  /// Overflowed if the lowest terms do not fit into 64 bits; in a constant expression that is a compile error, as with every ratio.
  [[nodiscard]] constexpr ratio to_ratio() const noexcept {
    const wide_ratio lowest = lowest_terms();
    return {lowest.numerator.to_count(), lowest.denominator.to_count()};
  }

  /// The nearest double if both terms are below 2^53, else within a relative error of 2^-50; infinity if overflowed().
  [[nodiscard]] constexpr double to_double() const noexcept {
    return overflowed() ? __builtin_inf() : numerator.to_double() / denominator.to_double();
  }

  friend constexpr bool operator==(const wide_ratio& a, const wide_ratio& b) noexcept { return sign_of_difference(a, b) == 0; }
  friend constexpr bool operator<(const wide_ratio& a, const wide_ratio& b) noexcept { return sign_of_difference(a, b) < 0; }
  friend constexpr bool operator>(const wide_ratio& a, const wide_ratio& b) noexcept { return b < a; }
  friend constexpr bool operator<=(const wide_ratio& a, const wide_ratio& b) noexcept { return !(b < a); }
  friend constexpr bool operator>=(const wide_ratio& a, const wide_ratio& b) noexcept { return !(a < b); }

private:
  static constexpr wide_ratio top() noexcept {
    wide_ratio none;
    none.numerator = uint256::top();
    return none;
  }

  static constexpr int sign_of_difference(const wide_ratio& a, const wide_ratio& b) noexcept {
    if (a.overflowed() || b.overflowed()) return (a.overflowed() ? 1 : 0) - (b.overflowed() ? 1 : 0);
    if (has_short_terms(a) && has_short_terms(b))
      return sign(uint256::product(a.numerator.low, b.denominator.low), uint256::product(b.numerator.low, a.denominator.low));
    return sign_by_continued_fractions(a, b);
  }

  static constexpr bool has_short_terms(const wide_ratio& r) noexcept { return r.numerator.high == 0 && r.denominator.high == 0; }

  static constexpr int sign(uint256 a, uint256 b) noexcept { return a < b ? -1 : b < a ? 1 : 0; }

  /// The cross products of long terms would need 512 bits. Instead: the larger whole part decides, or else the smaller reciprocal of what
  /// is left, and so on.
  static constexpr int sign_by_continued_fractions(wide_ratio a, wide_ratio b) noexcept {
    for (int direction = 1;; direction = -direction) {
      const int wholes = sign(a.numerator / a.denominator, b.numerator / b.denominator);
      if (wholes != 0) return direction * wholes;
      const uint256 rest_of_a = a.numerator % a.denominator;
      const uint256 rest_of_b = b.numerator % b.denominator;
      if (rest_of_a == uint256{} || rest_of_b == uint256{}) return direction * sign(rest_of_a, rest_of_b);
      a = {a.denominator, rest_of_a};
      b = {b.denominator, rest_of_b};
    }
  }
};

} // namespace moeplan
