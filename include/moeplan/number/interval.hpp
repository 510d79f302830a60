#pragma once

#include <moeplan/number/count.hpp>
#include <moeplan/number/uint256.hpp>
#include <moeplan/number/wide_ratio.hpp>

/// @file
/// Exact intervals of fractions: what a rounded number can have been, and what then follows from it.

namespace moeplan {

/// The non-negative numbers from `low` to `high`, both included. A point where both are the same.
///
/// The operators give every result that some choice within the operands gives, and no other, provided that the operands vary
/// independently: a formula in which a number stands twice is to be written so that it stands there once. Negative results are left
/// out. Where all are negative, where a divisor can be 0, or where a term needs more than 256 bits, the interval is overflowed().
struct interval {
  wide_ratio low{};
  wide_ratio high{};

  constexpr interval() noexcept = default;
  constexpr interval(const wide_ratio& point) noexcept : low{point}, high{point} {}
  template <built_in_integer Integer>
  constexpr interval(Integer n) noexcept : interval{wide_ratio{n}} {}

  /// Precondition: from <= to.
  constexpr interval(const wide_ratio& from, const wide_ratio& to) noexcept : low{from}, high{to} {}

  [[nodiscard]] constexpr bool overflowed() const noexcept { return low.overflowed() || high.overflowed(); }
  [[nodiscard]] constexpr bool is_point() const noexcept { return low == high; }

  /// Whether some number is in both. An overflowed interval meets none.
  [[nodiscard]] constexpr bool meets(const interval& other) const noexcept {
    return !overflowed() && !other.overflowed() && low <= other.high && other.low <= high;
  }

  /// Whether every number of the other is in this one. An overflowed interval neither contains nor is contained.
  [[nodiscard]] constexpr bool contains(const interval& other) const noexcept {
    return !overflowed() && !other.overflowed() && low <= other.low && other.high <= high;
  }

  /// From each number to the next integer that is not smaller.
  [[nodiscard]] constexpr interval rounded_up() const noexcept {
    return overflowed() ? none() : interval{next_integer(low), next_integer(high)};
  }

  friend constexpr interval operator+(const interval& a, const interval& b) noexcept {
    return of(sum(a.low, b.low), sum(a.high, b.high));
  }

  friend constexpr interval operator-(const interval& a, const interval& b) noexcept {
    if (a.overflowed() || b.overflowed() || a.high < b.low) return none();
    return of(a.low < b.high ? wide_ratio{} : difference(a.low, b.high), difference(a.high, b.low));
  }

  friend constexpr interval operator*(const interval& a, const interval& b) noexcept {
    return of(product(a.low, b.low), product(a.high, b.high));
  }

  friend constexpr interval operator/(const interval& a, const interval& b) noexcept {
    if (b.overflowed() || b.low == wide_ratio{}) return none();
    return of(product(a.low, reciprocal(b.high)), product(a.high, reciprocal(b.low)));
  }

  friend constexpr bool operator==(const interval&, const interval&) noexcept = default;

private:
  [[nodiscard]] static constexpr interval none() noexcept { return {wide_ratio{uint256::top()}}; }

  [[nodiscard]] static constexpr interval of(const wide_ratio& from, const wide_ratio& to) noexcept {
    return from.overflowed() || to.overflowed() ? none() : interval{from, to};
  }

  [[nodiscard]] static constexpr wide_ratio sum(const wide_ratio& a, const wide_ratio& b) noexcept {
    return wide_ratio{a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator}.lowest_terms();
  }

  /// Precondition: b <= a.
  [[nodiscard]] static constexpr wide_ratio difference(const wide_ratio& a, const wide_ratio& b) noexcept {
    return wide_ratio{a.numerator * b.denominator - b.numerator * a.denominator, a.denominator * b.denominator}.lowest_terms();
  }

  [[nodiscard]] static constexpr wide_ratio product(const wide_ratio& a, const wide_ratio& b) noexcept {
    return wide_ratio{a.numerator * b.numerator, a.denominator * b.denominator}.lowest_terms();
  }

  /// Precondition: not 0 or overflowed.
  [[nodiscard]] static constexpr wide_ratio reciprocal(const wide_ratio& r) noexcept { return {r.denominator, r.numerator}; }

  [[nodiscard]] static constexpr wide_ratio next_integer(const wide_ratio& r) noexcept {
    const uint256 whole = r.numerator / r.denominator;
    return r.numerator % r.denominator == uint256{} ? wide_ratio{whole} : wide_ratio{whole + uint256{1}};
  }
};

} // namespace moeplan
