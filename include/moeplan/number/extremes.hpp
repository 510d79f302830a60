#pragma once

#include <cstdint>

/// @file
/// The least and the greatest of two numbers. <algorithm> has them too, and costs more to include than the whole core may.

namespace moeplan::detail {

[[nodiscard]] constexpr std::int64_t least(std::int64_t a, std::int64_t b) noexcept { return a < b ? a : b; }
[[nodiscard]] constexpr std::int64_t greatest(std::int64_t a, std::int64_t b) noexcept { return a < b ? b : a; }
[[nodiscard]] constexpr double least(double a, double b) noexcept { return a < b ? a : b; }
[[nodiscard]] constexpr double greatest(double a, double b) noexcept { return a < b ? b : a; }

} // namespace moeplan::detail
