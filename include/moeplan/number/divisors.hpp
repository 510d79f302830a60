#pragma once

#include <cstdint>

/// @file
/// Divisibility: the arithmetic of every parallel strategy, and the nearest values that would divide.

namespace moeplan {

/// Greatest common divisor; gcd(0, n) is n. For built-in integers, counts and wider integers alike.
/// Precondition: neither is negative or overflowed.
template <class Integer>
[[nodiscard]] constexpr Integer gcd(Integer a, Integer b) noexcept(noexcept(a % b)) {
  while (b != Integer(0)) {
    Integer rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/// Least common multiple; overflow shows as the integer type shows it. Precondition: both at least 1 and not overflowed.
template <class Integer>
[[nodiscard]] constexpr Integer lcm(Integer a, Integer b) noexcept(noexcept(a % b)) {
  return a / gcd(a, b) * b;
}

/// The divisors of a number that lie nearest to a value on either side; 0 where there is none within reach.
struct nearest {
  std::uint64_t below = 0;
  std::uint64_t above = 0;
  friend constexpr bool operator==(const nearest&, const nearest&) noexcept = default;
};

/// How far from the value nearest_divisors looks. A degree that is further than this from every divisor has no "nearest" one that
/// would help anybody, and the bound keeps constant evaluation within the compilers' default limits.
inline constexpr std::uint64_t nearest_divisor_reach = 4096;

/// The divisors of `number` nearest to `value`, which itself is left out. A value above `number` has `number` itself below it.
/// Precondition: number is at least 1.
[[nodiscard]] constexpr nearest nearest_divisors(std::uint64_t number, std::uint64_t value) noexcept {
  nearest found;
  if (value > number) return {.below = number, .above = 0};
  const std::uint64_t lowest = value > nearest_divisor_reach ? value - nearest_divisor_reach : 1;
  const std::uint64_t highest = number - value > nearest_divisor_reach ? value + nearest_divisor_reach : number;
  for (std::uint64_t d = value; d-- > lowest;) {
    if (number % d != 0) continue;
    found.below = d;
    break;
  }
  for (std::uint64_t d = value; d++ < highest;) {
    if (number % d != 0) continue;
    found.above = d;
    break;
  }
  return found;
}

/// The multiples of `unit` nearest to `value`, which itself is left out; 0 where there is none of at least 1 or it needs more than 64 bits.
/// Precondition: unit is at least 1.
[[nodiscard]] constexpr nearest nearest_multiples(std::uint64_t unit, std::uint64_t value) noexcept {
  nearest found;
  if (value == 0) return {.below = 0, .above = unit};
  found.below = (value - 1) / unit * unit;
  if (__builtin_add_overflow(value / unit * unit, unit, &found.above)) found.above = 0;
  return found;
}

} // namespace moeplan
