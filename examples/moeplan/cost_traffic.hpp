// The communications of a step, equal ones of several stages together, for text and JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moeplan/cost/communication.hpp>
#include <moeplan/describe/deployment.hpp>

namespace tool {

/// Bytes that a rank sends, by what carries them.
struct tier_bytes {
  std::uint64_t nvlink = 0;
  std::uint64_t network = 0;
  std::uint64_t on_rail = 0; ///< of `network`: to GPUs of the same index in their nodes

  friend bool operator==(const tier_bytes&, const tier_bytes&) = default;
};

/// A communication that some stages have in common.
struct traffic_entry {
  moeplan::communication each{};     ///< as the first of the stages has it
  std::vector<std::int64_t> stages;  ///< pipeline ranks, from the first on
  std::uint64_t group_bytes = 0;     ///< that all ranks of a group send each time
  std::uint64_t bytes_per_rank = 0;  ///< the same a rank: the average, rounded up
  std::uint64_t times = 0;           ///< a step
  std::optional<tier_bytes> tiers{}; ///< of bytes_per_rank, rounded to nearest; absent where nodes are not known

  /// What a rank sends in a step, all times together.
  [[nodiscard]] double bytes_of_step() const { return static_cast<double>(bytes_per_rank) * static_cast<double>(times); }
};

/// Every communication of a step, stage by stage. Precondition: a deployment that `check` accepts, with DP given. Absent: one outgrows 64
/// bits.
std::optional<std::vector<traffic_entry>> traffic_of(const moeplan::deployment& d);

/// "etp-ep".
std::string name_of(const moeplan::group_axes& along);

} // namespace tool
