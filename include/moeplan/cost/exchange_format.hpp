#pragma once

#include <cstdint>

#include <moeplan/describe/number_type.hpp>
#include <moeplan/describe/precision.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// In which numbers tokens travel to their experts and back, and to linear layers that ranks share.

namespace moeplan {

/// A hidden state on its way.
struct exchange_format {
  number_type numbers = number_type::bf16;
  std::int64_t block = 0;      ///< numbers that share a scale; 0: there are no scales
  std::int64_t scale_bits = 0; ///< of one block

  /// 128 numbers of FP8 share a scale of fp32 (DeepEP, use_fp8_dispatch; DeepSeek-V3, arXiv 2412.19437, section 3.3).
  [[nodiscard]] static constexpr exchange_format fp8_block() noexcept {
    return {.numbers = number_type::fp8, .block = 128, .scale_bits = 32};
  }

  friend constexpr bool operator==(const exchange_format&, const exchange_format&) noexcept = default;
};

/// Bytes of a hidden state of `hidden` numbers, rounded up to whole blocks and whole bytes. Precondition: nothing is negative.
template <class Integer = count>
[[nodiscard]] constexpr Integer bytes_of_row(const exchange_format& f,
                                             const Integer& hidden) noexcept(noexcept(Integer{} * Integer{})) {
  const Integer eight(8);
  const Integer numbers = (hidden * Integer(bits(f.numbers)) + eight - Integer(1)) / eight;
  if (f.block == 0) return numbers;
  const Integer blocks = (hidden + Integer(f.block) - Integer(1)) / Integer(f.block);
  return numbers + (blocks * Integer(f.scale_bits) + eight - Integer(1)) / eight;
}

/// What a linear layer that multiplies in FP8 multiplies, on its way to it. A scale for a whole tensor is not counted.
/// Precondition: a recipe other than none.
[[nodiscard]] constexpr exchange_format quantised_format(fp8_recipe recipe) noexcept {
  if (recipe == fp8_recipe::blockwise) return exchange_format::fp8_block();
  if (recipe == fp8_recipe::mxfp8) return {.numbers = number_type::fp8, .block = 32, .scale_bits = 8};
  return {.numbers = number_type::fp8};
}

/// Each direction of each pass. A backward pass brings the gradients of combined outputs to the experts, as a dispatch does, and those of
/// the experts' inputs back, as a combine does.
struct exchange_formats {
  exchange_format dispatch{};
  exchange_format combine{};
  exchange_format gradient_dispatch{};
  exchange_format gradient_combine{};

  /// All in the type of the activations, as in Megatron-LM.
  [[nodiscard]] static constexpr exchange_formats activations(number_type type) noexcept {
    return {{.numbers = type}, {.numbers = type}, {.numbers = type}, {.numbers = type}};
  }

  /// FP8 to the experts and bf16 back, in both passes (DeepSeek-V3, arXiv 2412.19437, section 3.3.3).
  [[nodiscard]] static constexpr exchange_formats deepseek_v3() noexcept {
    return {exchange_format::fp8_block(), {}, exchange_format::fp8_block(), {}};
  }

  friend constexpr bool operator==(const exchange_formats&, const exchange_formats&) noexcept = default;
};

} // namespace moeplan
