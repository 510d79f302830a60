#pragma once

#include <cstdint>

/// @file
/// The least and the greatest of two numbers. <algorithm> has them too, and costs more to include than the whole core may.

namespace moeplan::detail {

[[nodiscard]] constexpr std::int64_t least(std::int64_t a, std::int64_t b) noexcept { return a < b ? a : b; }
[[nodiscard]] constexpr std::int64_t greatest(std::int64_t a, std::int64_t b) noexcept { return a < b ? b : a; }

/// Of floating-point numbers, which have a half; neither is NaN.
template <class Number>
  requires(Number(0.5) != Number(0))
[[nodiscard]] constexpr Number least(Number a, Number b) noexcept { return a < b ? a : b; }
template <class Number>
  requires(Number(0.5) != Number(0))
[[nodiscard]] constexpr Number greatest(Number a, Number b) noexcept { return a < b ? b : a; }

} // namespace moeplan::detail
