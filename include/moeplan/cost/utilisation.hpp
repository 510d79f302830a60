#pragma once

#include <cstdint>

#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/uint256.hpp>
#include <moeplan/number/wide_ratio.hpp>

/// @file
/// Rates of FLOPs, and the share of a GPU's peak that they are: MFU with model FLOPs, HFU with hardware FLOPs.

namespace moeplan {

/// FLOPs a second on each of so many GPUs that do so much work in so many seconds. Overflowed if seconds or GPUs are 0, or anything is
/// overflowed. Precondition: gpus >= 0.
[[nodiscard]] constexpr wide_ratio flops_rate(const uint256& work, ratio seconds, std::int64_t gpus) noexcept {
  if (seconds.overflowed()) return {uint256::top()};
  return {work * uint256{seconds.denominator}, uint256{seconds.numerator} * uint256{gpus}};
}

/// The same from tokens a second, of all GPUs together, and the FLOPs that one token takes.
[[nodiscard]] constexpr wide_ratio flops_rate_of_tokens(ratio flops_per_token, ratio tokens_per_second,
                                                        std::int64_t gpus) noexcept {
  if (flops_per_token.overflowed() || tokens_per_second.overflowed()) return {uint256::top()};
  return {uint256{flops_per_token.numerator} * uint256{tokens_per_second.numerator},
          uint256{flops_per_token.denominator} * uint256{tokens_per_second.denominator} * uint256{gpus}};
}

/// The share of a GPU's peak that a rate is: 2/5 is 40%. Above 1 is no error: model FLOPs that a convention counts need not all be done.
/// Overflowed if the peak is 0 (not known), or anything is overflowed. Precondition: peak >= 0, in FLOPs a second, of dense matrices in
/// the number type that the run multiplies in.
[[nodiscard]] constexpr wide_ratio utilisation(const wide_ratio& rate, std::int64_t peak) noexcept {
  return {rate.numerator, rate.denominator * uint256{peak}};
}

} // namespace moeplan
