#pragma once

#include <cstdint>

/// @file
/// What a pipeline rank does at one time.

namespace moeplan {

enum class pass : std::uint16_t {
  forward,
  backward,            ///< whole: for the input and for the weights
  input_gradient,      ///< the backward pass for the input alone (zero bubble's B)
  weight_gradient,     ///< what is left of it, for the weights (zero bubble's W)
  forward_and_backward ///< of two micro-batches at the same time, their communication hidden behind each other (DualPipe's F&B)
};

/// One pass of one micro-batch through one chunk of the rank, or a forward pass and a backward pass at once. All counted from 0.
struct operation {
  pass kind = pass::forward;
  std::int64_t chunk = 0; ///< of the rank, see virtual_stage
  std::int64_t micro_batch = 0;
  std::int64_t backward_chunk = 0;       ///< forward_and_backward alone: of the backward pass
  std::int64_t backward_micro_batch = 0; ///< forward_and_backward alone

  friend constexpr bool operator==(const operation&, const operation&) noexcept = default;
};

} // namespace moeplan
