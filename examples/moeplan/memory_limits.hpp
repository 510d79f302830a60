// How far a deployment's sizes can go before it does not fit any more.
#pragma once

#include <cstdint>
#include <optional>

#include <moeplan/describe/deployment.hpp>

namespace tool {

/// Each with everything else as it is. Absent: there is none, or the GPU's memory is not known.
struct memory_limits {
  std::optional<std::int64_t> micro_batch;     ///< the largest; training alone
  std::optional<std::int64_t> sequence_length; ///< the longest
  std::optional<std::int64_t> gpus;            ///< the fewest
};

/// Precondition: a deployment that is legal but for its memory; DP is given.
memory_limits limits_of(const moeplan::deployment& d);

} // namespace tool
