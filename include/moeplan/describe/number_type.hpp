#pragma once

#include <cstdint>

/// @file
/// The types of numbers that tensors hold.

namespace moeplan {

enum class number_type : std::uint16_t {
  none, ///< there is no such tensor
  fp32,
  bf16,
  fp16,
  fp8, ///< E4M3 or E5M2; scales are counted apart
  int8,
  fp4, ///< two in a byte; scales are counted apart
  int4
};

/// Bits of one number.
[[nodiscard]] constexpr std::int64_t bits(number_type type) noexcept {
  constexpr std::int64_t by_type[] = {0, 32, 16, 16, 8, 8, 4, 4};
  return by_type[static_cast<std::uint16_t>(type)];
}

} // namespace moeplan
