#pragma once

#include <cstdint>

/// @file
/// A serving (inference) deployment.

namespace moeplan {

/// What DP ranks are to each other when they serve a model with experts.
enum class data_parallelism : std::uint16_t {
  attention, ///< they share the experts, and only attention works on each one's own requests (data-parallel attention)
  replicas   ///< each has the whole model, its experts too, and serves alone
};

struct serving {
  std::int64_t batch = 1;             ///< sequences in flight at once, on one data-parallel replica
  std::int64_t sequence_length = 0;   ///< tokens, prompt and answer together; has no default: 0 is a finding
  std::int64_t redundant_experts = 0; ///< copies of routed experts a layer, beside the experts themselves
  std::int64_t decode_context = 1;    ///< TP or CP ranks that share the keys and values of a sequence while decoding
  moeplan::data_parallelism data_parallelism = moeplan::data_parallelism::attention;
  bool elastic_ep = false;                ///< the number of EP ranks may change while serving
  std::int64_t vocabulary_multiple = 128; ///< the vocabulary is padded to a multiple of this times TP; 0: not padded

  friend constexpr bool operator==(const serving&, const serving&) noexcept = default;
};

} // namespace moeplan
