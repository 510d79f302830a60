#pragma once

#include <moeplan/number/count.hpp>
#include <moeplan/number/divisors.hpp>

/// @file
/// Exact fractions of counts.

namespace moeplan {

namespace not_a_constant {
inline void a_ratio_has_denominator_zero() noexcept {}
} // namespace not_a_constant

/// A non-negative fraction in lowest terms. Comparison is exact, by cross-multiplication in 128 bits.
///
/// A ratio computed from an overflowed count, with a denominator of zero, or whose lowest terms do not fit into 64 bits is
/// overflowed(), and compares greater than every exact ratio.
struct ratio {
  count numerator{0};
  count denominator{1};

  constexpr ratio() noexcept = default;

  constexpr ratio(count n, count d = 1) noexcept : ratio{lowest_terms(n, d)} {}

  [[nodiscard]] constexpr bool overflowed() const noexcept { return numerator.overflowed(); }

  /// The nearest double if both terms are below 2^53, else within a relative error of 2^-51; infinity if overflowed().
  [[nodiscard]] constexpr double to_double() const noexcept {
    if (overflowed()) return __builtin_inf();
    return static_cast<double>(numerator.value()) / static_cast<double>(denominator.value());
  }

  friend constexpr ratio operator+(ratio a, ratio b) noexcept { return sum(a, b, false); }

  /// Below zero there is no ratio: the result is overflowed().
  friend constexpr ratio operator-(ratio a, ratio b) noexcept { return sum(a, b, true); }

  friend constexpr ratio operator*(ratio a, ratio b) noexcept {
    if (a.overflowed() || b.overflowed()) return top();
    const ratio left{a.numerator, b.denominator};
    const ratio right{b.numerator, a.denominator};
    return {left.numerator * right.numerator, left.denominator * right.denominator};
  }

  friend constexpr ratio operator/(ratio a, ratio b) noexcept {
    if (a.overflowed() || b.overflowed()) return top();
    return b.numerator == 0 ? ratio{1, 0} : a * ratio{b.denominator, b.numerator};
  }

  friend constexpr bool operator==(ratio, ratio) noexcept = default;
  friend constexpr bool operator<(ratio a, ratio b) noexcept {
    if (a.overflowed() || b.overflowed()) return !a.overflowed();
    __extension__ using twice_as_wide = unsigned __int128;
    return twice_as_wide{a.numerator.value()} * b.denominator.value() < twice_as_wide{b.numerator.value()} * a.denominator.value();
  }
  friend constexpr bool operator>(ratio a, ratio b) noexcept { return b < a; }
  friend constexpr bool operator<=(ratio a, ratio b) noexcept { return !(b < a); }
  friend constexpr bool operator>=(ratio a, ratio b) noexcept { return !(a < b); }

private:
  struct terms {
    std::uint64_t numerator = count::top;
    std::uint64_t denominator = 1;
  };

  constexpr explicit ratio(terms t) noexcept : numerator{raw(t.numerator)}, denominator{raw(t.denominator)} {}

  static constexpr count raw(std::uint64_t bits) noexcept {
    count c;
    c.bits = bits;
    return c;
  }

  static constexpr ratio top() noexcept { return ratio{terms{}}; }

  static constexpr terms lowest_terms(count n, count d) noexcept {
    if (d == 0) not_a_constant::a_ratio_has_denominator_zero();
    if (d == 0 || n.overflowed() || d.overflowed()) return {};
    const std::uint64_t common = gcd(n.value(), d.value());
    return {n.value() / common, d.value() / common};
  }

  /// Over the least common denominator, so that a sum that fits in lowest terms is not lost on the way there needlessly.
  static constexpr ratio sum(ratio a, ratio b, bool subtract) noexcept {
    if (a.overflowed() || b.overflowed()) return top();
    const count common = gcd(a.denominator.value(), b.denominator.value());
    const count left = a.numerator * (b.denominator / common);
    const count right = b.numerator * (a.denominator / common);
    return {subtract ? left - right : left + right, a.denominator / common * b.denominator};
  }
};

} // namespace moeplan
