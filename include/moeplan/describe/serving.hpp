#pragma once

#include <cstdint>

/// @file
/// A serving (inference) deployment.

namespace moeplan {

struct serving {
  std::int64_t batch = 1;                 ///< sequences in flight at once, on one data-parallel replica
  std::int64_t sequence_length = 0;       ///< tokens, prompt and answer together; has no default: 0 is a finding
  std::int64_t redundant_experts = 0;     ///< copies of routed experts a layer, beside the experts themselves
  std::int64_t vocabulary_multiple = 128; ///< the vocabulary is padded to a multiple of this times TP; 0: not padded

  friend constexpr bool operator==(const serving&, const serving&) noexcept = default;
};

} // namespace moeplan
