#pragma once

#include <cstdint>

/// @file
/// Division by a number known beforehand, without a division.

namespace moeplan {

/// Divides by `divisor` with a multiplication where both numbers are below 2^32, as ranks of any real cluster are, and exactly
/// everywhere.
///
/// Let m = floor((2^64 - 1) / d) = (2^64 - e) / d with 1 <= e <= d, and n = q d + s with 0 <= s < d. Then
/// (n + 1) m / 2^64 = q + (s + 1) / d - (n + 1) e / (2^64 d), and the last term is above 0 and, for n < 2^32 and d <= 2^32, at most 1 / d.
/// So the upper half of (n + 1) m is q.
struct reciprocal {
  std::int64_t divisor = 1;
  std::uint64_t factor = ~std::uint64_t{0}; ///< m

  constexpr reciprocal() noexcept = default;

  /// Precondition: d >= 1.
  constexpr explicit reciprocal(std::int64_t d) noexcept : divisor{d}, factor{~std::uint64_t{0} / static_cast<std::uint64_t>(d)} {}

  /// n / divisor. Precondition: n >= 0.
  [[nodiscard]] constexpr std::int64_t quotient(std::int64_t n) const noexcept {
    return (n | divisor) >> 32 == 0 ? narrow_quotient(n) : n / divisor;
  }

  /// n / divisor by multiplication alone. Precondition: 0 <= n < 2^32 and divisor <= 2^32.
  [[nodiscard]] constexpr std::int64_t narrow_quotient(std::int64_t n) const noexcept {
    __extension__ using twice_as_wide = unsigned __int128;
    return static_cast<std::int64_t>(twice_as_wide{factor} * static_cast<std::uint64_t>(n + 1) >> 64);
  }

  friend constexpr bool operator==(const reciprocal&, const reciprocal&) noexcept = default;
};

} // namespace moeplan
