#pragma once

#include <cstdint>

#include <moeplan/pipeline/operation.hpp>

/// @file
/// How long passes take.

namespace moeplan {

/// How long one micro-batch takes through one chunk, pass by pass, in a unit of the caller's choice: integers, so that sums are exact.
/// The default is the unit of the papers: a forward pass and each half of a backward pass take one, and an overlapped pair no less than
/// its parts. Precondition wherever it is used: none is negative.
struct pass_times {
  std::int64_t forward = 1;
  std::int64_t backward = 2; ///< whole; where passes are not split this alone counts
  std::int64_t input_gradient = 1;
  std::int64_t weight_gradient = 1;
  std::int64_t forward_and_backward = 3; ///< DualPipe's F&B, from max(F, B) to F + B

  /// Of one kind of pass.
  [[nodiscard]] constexpr std::int64_t operator[](pass kind) const noexcept {
    switch (kind) {
      case pass::forward: return forward;
      case pass::backward: return backward;
      case pass::input_gradient: return input_gradient;
      case pass::weight_gradient: return weight_gradient;
      case pass::forward_and_backward: break;
    }
    return forward_and_backward;
  }

  friend constexpr bool operator==(const pass_times&, const pass_times&) noexcept = default;
};

} // namespace moeplan
