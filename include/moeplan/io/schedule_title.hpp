#pragma once

#include <moeplan/pipeline/in_flight.hpp>

/// @file
/// What people call a schedule, for headings.

namespace moeplan::io {

/// "1F1B", "interleaved 1F1B", "V-Half"; what files call it is in schedule_names.
[[nodiscard]] inline const char* schedule_title(const pipeline_shape& shape) {
  switch (shape.schedule) {
    case schedule::gpipe: return "GPipe";
    case schedule::one_forward_one_backward: return shape.chunks > 1 ? "interleaved 1F1B" : "1F1B";
    case schedule::zb_h1: return "ZB-H1";
    case schedule::zb_h2: return "ZB-H2";
    case schedule::zb_v: return "ZB-V";
    case schedule::v_half: return "V-Half";
    case schedule::v_min: return "V-Min";
    case schedule::dualpipe: return "DualPipe";
    case schedule::dualpipe_v: break;
  }
  return "DualPipeV";
}

} // namespace moeplan::io
