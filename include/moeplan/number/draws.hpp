#pragma once

#include <cstdint>

/// @file
/// Numbers that look random and are the same on every machine, at compile time too.

namespace moeplan {

/// SplitMix64 (Steele, Lea, Flood, 2014; the constants are its mix13): for searches, not for statistics or secrets.
struct draws {
  std::uint64_t state = 0;

  [[nodiscard]] constexpr std::uint64_t next() noexcept {
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  /// From 0 to n - 1. Precondition: 1 <= n < 2^32.
  [[nodiscard]] constexpr std::int64_t below(std::int64_t n) noexcept {
    return static_cast<std::int64_t>((next() >> 32) * static_cast<std::uint64_t>(n) >> 32);
  }
};

} // namespace moeplan
