#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/memory.hpp>
#include <moeplan/verify/facts.hpp>
#include <moeplan/verify/legal.hpp>

/// @file
/// The memory of a deployment as a rule sees it.

namespace moeplan::detail {

/// Beyond these memory is not judged: what `check` does stays small for every deployment, however absurd.
inline constexpr std::int64_t most_stages_judged = 4096;
inline constexpr std::int64_t most_layers_judged = 65536;

static_assert(most_virtual_stages == training_memory<>::most_chunks);

/// What of a deployment has been legal and small enough for its memory to be computed.
[[nodiscard]] constexpr bool knows_memory(const facts& f) noexcept {
  constexpr std::uint32_t needed = known::grids | known::model | known::sequence | known::layout;
  if (!f.knows(needed) || (f.knows(known::experts) && !f.knows(known::placement))) return false;
  if (f.knows(known::training) && !f.knows(known::batch | known::replicate)) return false;
  return f.chunks >= 1 && f.pp <= most_stages_judged / f.chunks && f.layers <= most_layers_judged &&
         f.mtp_layers <= most_layers_judged;
}

[[nodiscard]] constexpr std::int64_t or_most(saturating_count n) noexcept { return fits(n) ? or_zero(n) : __INT64_MAX__; }

[[nodiscard]] constexpr std::int64_t above(std::int64_t needed, std::int64_t there_is) noexcept {
  return needed > there_is ? needed - there_is : 0;
}

/// Computes the memory of every stage. False where it is not known, or not what a GPU has. A template so that only who checks compiles it.
template <int OnUse = 0>
[[nodiscard]] constexpr bool read_memory(facts& f, const deployment& d) noexcept {
  f.capacity_bytes = or_most(memory_limit(d));
  f.reserve_bytes = or_most(d.workload.reserve().amount.bits);
  if (d.cluster.gpu.memory == bytes{} && d.cluster.gpu.usable_memory == bytes{}) return false;
  if (!knows_memory(f)) return false;
  highest_stage highest;
  visit_stage_memories(d, highest);
  f.fullest_stage = highest.stage.stage;
  f.peak_bytes = or_most(highest.stage.peak());
  f.missing_bytes = above(f.peak_bytes, f.capacity_bytes);
  if (d.workload.is_serving()) {
    deployment one = d;
    one.workload.serve.batch = 1;
    highest_stage request;
    visit_stage_memories(one, request);
    f.one_request_bytes = or_most(request.stage.peak());
    f.request_missing_bytes = above(f.one_request_bytes, f.capacity_bytes);
  }
  f.known |= known::memory;
  return true;
}

} // namespace moeplan::detail
