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
  int4,
  int32, ///< of indices: no type that a run computes in
  int64  ///< likewise
};

namespace detail {
// Not in the function: g++ copies the array of a constexpr function at every call.
inline constexpr std::int64_t bits_by_number_type[] = {0, 32, 16, 16, 8, 8, 4, 4, 32, 64};
} // namespace detail

/// Bits of one number.
[[nodiscard]] constexpr std::int64_t bits(number_type type) noexcept {
  return detail::bits_by_number_type[static_cast<std::uint16_t>(type)];
}

} // namespace moeplan
