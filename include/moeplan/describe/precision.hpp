#pragma once

#include <cstdint>

#include <moeplan/describe/number_type.hpp>

/// @file
/// In which types of numbers a training run keeps what belongs to a parameter.

namespace moeplan {

/// How linear layers multiply in FP8 (--fp8-recipe). The weights' quantised copies and the inputs kept for the backward pass follow from it.
enum class fp8_recipe : std::uint16_t {
  none,       ///< they multiply in the type of the weights
  delayed,    ///< a scale a tensor, from earlier steps
  tensorwise, ///< a scale a tensor
  blockwise,  ///< a scale for 128 x 128 weights and for 1 x 128 activations (DeepSeek-V3, arXiv 2412.19437, section 3.3)
  mxfp8       ///< a scale for 32 numbers (OCP Microscaling Formats, 1.0)
};

/// By default bf16 weights with fp32 gradients, master weights and moments: what `--bf16` means to Megatron-LM.
struct precision {
  number_type weights = number_type::bf16;   ///< what the forward pass reads
  number_type gradients = number_type::fp32; ///< where gradients of a step are added up
  /// What the optimizer updates; takes no memory when it is the type of the weights.
  number_type master_weights = number_type::fp32;
  number_type first_moment = number_type::fp32;  ///< Adam's mean, or the momentum (--exp-avg-dtype)
  number_type second_moment = number_type::fp32; ///< Adam's variance (--exp-avg-sq-dtype)
  fp8_recipe fp8 = fp8_recipe::none;
  bool fp8_weights = false; ///< linear layers keep no other copy of their weights than the quantised one (--fp8-param-gather)

  friend constexpr bool operator==(const precision&, const precision&) noexcept = default;
};

} // namespace moeplan
