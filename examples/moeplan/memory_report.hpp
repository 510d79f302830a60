// The memory of a deployment's stages by component and by term, for text and JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/serving_memory.hpp>
#include <moeplan/memory/stage_memory.hpp>
#include <moeplan/verify/findings.hpp>

#include "memory_limits.hpp"

namespace tool {

/// The members of stage_memory that take bytes.
enum class memory_member : std::uint16_t { weights, gradients, optimizer, activations, kv_cache, workspace };
inline constexpr std::size_t memory_members = 6;

/// The bytes of a member of what a stage's rank holds.
std::uint64_t bytes_of(const moeplan::stage_memory& memory, memory_member member);

/// "moe_mlp"; empty for none.
const char* block_name(moeplan::block b);

/// A part of a member.
struct memory_component {
  std::string name; ///< "expert_master_weights"
  memory_member member{};
  std::uint64_t bytes = 0;
};

/// Equal tensors or buffers that are alive at the peak.
struct memory_entry {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::string type;
  std::int64_t times = 1;
  std::uint64_t bytes = 0; ///< of all of them
  std::string lifetime;
  std::string block; ///< empty: of none
  std::string source;
};

struct stage_report {
  moeplan::stage_memory memory{};
  std::int64_t first_layer = 0;             ///< of the first virtual stage on it
  std::int64_t in_flight = 0;               ///< micro-batches at once, through one virtual stage each; 0 where nothing is trained
  std::vector<memory_component> components; ///< by member; they add up to the peak
  std::vector<memory_entry> entries;        ///< the same, finer
};

struct memory_report {
  std::vector<stage_report> stages;
  std::size_t fullest = 0;               ///< index of the stage that needs most
  std::optional<std::uint64_t> capacity; ///< what a rank may take; absent where the GPU's memory is not known
  std::uint64_t reserve = 0;             ///< set aside of the GPU's memory, no part of the capacity
  /// Serving: what there is room for. Absent where the capacity is, and where ranks hold several virtual stages.
  std::optional<moeplan::serving_capacity<>> room;
  memory_limits limits{};

  [[nodiscard]] std::uint64_t peak() const { return stages[fullest].memory.peak().value(); }
  [[nodiscard]] bool fits() const { return !capacity || peak() <= *capacity; }
};

/// What a check finds apart from whether the memory suffices. Where it is ok and knows the memory, facts.peak_bytes is the peak.
moeplan::findings check_without_capacity(moeplan::deployment d);

/// Precondition: a deployment that check_without_capacity accepts and whose memory it knows; DP is given. Absent: it outgrows 64 bits.
std::optional<memory_report> report_memory(const moeplan::deployment& d);

} // namespace tool
