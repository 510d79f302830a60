#pragma once

#include <cstdint>

/// @file
/// Division by a number known beforehand, without a division.

namespace moeplan {

/// Divides by `divisor` with a multiplication where both numbers are below 2^32, as ranks of any real cluster are, and exactly
/// everywhere: for such n and d the upper half of n * (floor((2^64 - 1) / d) + 1) is the quotient (Lemire, Kaser, Kurz,
/// arXiv 1902.01961, theorem 1).
struct reciprocal {
  std::int64_t divisor = 1;
  std::uint64_t factor = 0; ///< 0 stands for 2^64, the factor of divisor 1

  constexpr reciprocal() noexcept = default;

  /// Precondition: d >= 1.
  constexpr explicit reciprocal(std::int64_t d) noexcept
      : divisor{d}, factor{d == 1 ? 0 : ~std::uint64_t{0} / static_cast<std::uint64_t>(d) + 1} {}

  /// n / divisor. Precondition: n >= 0.
  [[nodiscard]] constexpr std::int64_t quotient(std::int64_t n) const noexcept {
    if ((n | divisor) >> 32 != 0) return n / divisor;
    __extension__ using wide = unsigned __int128;
    const auto high = static_cast<std::int64_t>(wide{factor} * static_cast<std::uint64_t>(n) >> 64);
    return factor == 0 ? n : high;
  }

  friend constexpr bool operator==(const reciprocal&, const reciprocal&) noexcept = default;
};

} // namespace moeplan
