#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/number/always_inline.hpp>

/// @file
/// What a linear layer keeps of its input for its weight's gradient.

namespace moeplan {

/// Visits the input of a linear layer: as it is, or quantised where the layer multiplies in FP8. Then only the copy in columns is kept,
/// with a scale for 128 numbers (blockwise) or for 32 (MXFP8); a scale for a whole tensor is not counted (Transformer Engine, linear.py,
/// update_usage(rowwise_usage=False)). `dropped`, `backward` and `again` as in visit_unless_dropped.
template <class Visit>
[[MOEPLAN_NEVER_INLINE]] constexpr void visit_linear_input(const activation_shape& s, Visit& visit, const tensor& input,
                                                           bool dropped, std::uint16_t backward, std::uint16_t again) noexcept {
  tensor kept = input;
  kept.for_weights = true;
  if (s.keeps_fp8()) kept.type = number_type::fp8;
  visit_unless_dropped(visit, kept, dropped, backward, again);
  tensor scales = input;
  scales.name = "scales of a quantised input";
  scales.for_weights = true;
  if (s.train.precision.fp8 == fp8_recipe::blockwise) {
    scales.columns = (input.columns + 127) / 128;
    scales.type = number_type::fp32;
  } else if (s.train.precision.fp8 == fp8_recipe::mxfp8) {
    scales.columns = (input.columns + 31) / 32;
    scales.type = number_type::fp8;
  } else {
    return;
  }
  visit_unless_dropped(visit, scales, dropped, backward, again);
}

/// One that is computed again, if at all, when the backward pass of its block begins.
template <class Visit>
constexpr void visit_linear_input(const activation_shape& s, Visit& visit, const tensor& input, bool dropped,
                                  std::uint16_t backward) noexcept {
  visit_linear_input(s, visit, input, dropped, backward, backward);
}

} // namespace moeplan
