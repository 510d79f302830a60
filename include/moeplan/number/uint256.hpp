#pragma once

#include <cstdint>

#include <moeplan/number/count.hpp>

/// @file
/// Exact non-negative integers of 256 bits, for sums of squares of 64-bit numbers.

namespace moeplan {

__extension__ using uint128 = unsigned __int128;
__extension__ using int128 = __int128;

/// An integer from 0 to 2^256 - 2. As with `count`, a result that does not fit is `top` and so is everything computed from it, at run time
/// as in constant expressions; below zero and division by zero give `top` too. What the library's own formulas need stays below 2^253
/// unless they say otherwise.
struct uint256 {
  uint128 low = 0;
  uint128 high = 0;

  constexpr uint256() noexcept = default;
  constexpr uint256(uint128 n) noexcept : low{n} {}
  constexpr uint256(int128 n) noexcept : uint256{n < 0 ? top() : uint256{static_cast<uint128>(n)}} {} ///< `top` of negative numbers
  template <built_in_integer Integer>
  constexpr uint256(Integer n) noexcept : uint256{n < Integer{0} ? top() : uint256{static_cast<uint128>(n)}} {}
  constexpr uint256(count n) noexcept : uint256{n.overflowed() ? top() : uint256{uint128{n.value()}}} {}

  [[nodiscard]] static constexpr uint256 top() noexcept { return {~uint128{0}, ~uint128{0}}; }
  [[nodiscard]] static constexpr uint256 halves(uint128 high, uint128 low) noexcept { return {high, low}; }

  /// Always fits.
  [[nodiscard]] static constexpr uint256 product(uint128 a, uint128 b) noexcept {
    const uint128 lowest = uint128{lower(a)} * lower(b);
    const uint128 left = uint128{upper(a)} * lower(b);
    const uint128 right = uint128{lower(a)} * upper(b);
    const uint128 middle = uint128{upper(lowest)} + lower(left) + lower(right);
    return {uint128{upper(a)} * upper(b) + upper(left) + upper(right) + upper(middle), middle << 64 | lower(lowest)};
  }

  [[nodiscard]] constexpr bool overflowed() const noexcept { return high == ~uint128{0} && low == ~uint128{0}; }

  /// Bits up to the highest that is set; 0 for 0.
  [[nodiscard]] constexpr int bit_length() const noexcept { return high != 0 ? 128 + bit_length_of(high) : bit_length_of(low); }

  /// Overflowed if it does not fit into a count.
  [[nodiscard]] constexpr count to_count() const noexcept { return count{high == 0 && upper(low) == 0 ? lower(low) : count::top}; }

  /// Within a relative error of 2^-52; the nearest double below 2^128; infinity if overflowed().
  [[nodiscard]] constexpr double to_double() const noexcept {
    if (overflowed()) return __builtin_inf();
    return static_cast<double>(high) * 0x1p128 + static_cast<double>(low);
  }

  friend constexpr uint256 operator+(uint256 a, uint256 b) noexcept {
    const uint256 sum = wrapping_sum(a, b);
    return a.overflowed() || b.overflowed() || sum < a ? top() : sum;
  }

  friend constexpr uint256 operator-(uint256 a, uint256 b) noexcept {
    return a.overflowed() || b.overflowed() || a < b ? top() : difference(a, b);
  }

  friend constexpr uint256 operator*(uint256 a, uint256 b) noexcept {
    if (a.overflowed() || b.overflowed()) return top();
    if (a.high == 0 && b.high == 0) return product(a.low, b.low);
    if (a.high != 0 && b.high != 0) return top();
    const uint256 longer = a.high != 0 ? a : b;
    const uint128 shorter = a.high != 0 ? b.low : a.low;
    const uint256 upper_part = product(longer.high, shorter);
    return upper_part.high != 0 ? top() : product(longer.low, shorter) + uint256{upper_part.low, 0};
  }

  /// Rounds down.
  friend constexpr uint256 operator/(uint256 a, uint256 b) noexcept { return divide(a, b); }
  friend constexpr uint256 operator%(uint256 a, uint256 b) noexcept {
    divide(a, b);
    return a;
  }

  constexpr uint256& operator+=(uint256 b) noexcept { return *this = *this + b; }

  friend constexpr bool operator==(uint256, uint256) noexcept = default;
  friend constexpr bool operator<(uint256 a, uint256 b) noexcept { return a.high != b.high ? a.high < b.high : a.low < b.low; }
  friend constexpr bool operator>(uint256 a, uint256 b) noexcept { return b < a; }
  friend constexpr bool operator<=(uint256 a, uint256 b) noexcept { return !(b < a); }
  friend constexpr bool operator>=(uint256 a, uint256 b) noexcept { return !(a < b); }

private:
  constexpr uint256(uint128 upper_half, uint128 lower_half) noexcept : low{lower_half}, high{upper_half} {}

  static constexpr std::uint64_t lower(uint128 n) noexcept { return static_cast<std::uint64_t>(n); }
  static constexpr std::uint64_t upper(uint128 n) noexcept { return static_cast<std::uint64_t>(n >> 64); }

  static constexpr int bit_length_of(uint128 n) noexcept {
    if (upper(n) != 0) return 128 - __builtin_clzll(upper(n));
    return lower(n) != 0 ? 64 - __builtin_clzll(lower(n)) : 0;
  }

  static constexpr uint256 wrapping_sum(uint256 a, uint256 b) noexcept {
    const uint128 sum = a.low + b.low;
    return {a.high + b.high + (sum < a.low ? 1 : 0), sum};
  }

  /// Precondition: b <= a.
  static constexpr uint256 difference(uint256 a, uint256 b) noexcept {
    return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low};
  }

  /// Precondition: 0 <= bits < 256, and no bit is lost.
  static constexpr uint256 shifted(uint256 n, int bits) noexcept {
    if (bits >= 128) return {n.low << (bits - 128), 0};
    return bits == 0 ? n : uint256{n.high << bits | n.low >> (128 - bits), n.low << bits};
  }

  static constexpr uint256 half(uint256 n) noexcept { return {n.high >> 1, n.high << 127 | n.low >> 1}; }

  /// The quotient, rounded down; what is left stays in `a`.
  static constexpr uint256 divide(uint256& a, uint256 b) noexcept {
    if (a.overflowed() || b.overflowed() || b == uint256{}) return a = top();
    if (a.high == 0 && b.high == 0) {
      const uint256 quotient{a.low / b.low};
      a.low %= b.low;
      return quotient;
    }
    uint256 quotient;
    int shift = a.bit_length() - b.bit_length();
    if (shift < 0) return quotient;
    for (uint256 part = shifted(b, shift); shift >= 0; --shift, part = half(part)) {
      quotient = shifted(quotient, 1);
      if (a < part) continue;
      a = difference(a, part);
      quotient.low |= 1;
    }
    return quotient;
  }
};

} // namespace moeplan
