#pragma once

#include <cstdint>

/// @file
/// An integer that somebody gave, or did not give.

namespace moeplan {

/// Absent is not zero: a zero that somebody wrote is a mistake to report, an absent value has a default or is derived.
struct optional_integer {
  std::int64_t number = 0;
  bool given = false;

  constexpr optional_integer() noexcept = default;
  constexpr optional_integer(std::int64_t n) noexcept : number{n}, given{true} {}

  [[nodiscard]] constexpr std::int64_t value_or(std::int64_t otherwise) const noexcept { return given ? number : otherwise; }

  friend constexpr bool operator==(const optional_integer&, const optional_integer&) noexcept = default;
};

} // namespace moeplan
