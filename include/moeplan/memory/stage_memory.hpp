#pragma once

#include <cstdint>

#include <moeplan/memory/chunk_memory.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// The memory of one pipeline stage on one of its ranks, by component.

namespace moeplan {

/// When in a run the memory of a rank peaks.
enum class peak_time : std::uint16_t {
  start, ///< weights are moved into the buffers of data parallelism
  forward_pass,
  backward_pass,
  update, ///< the optimizer's step
  serving
};

/// What each rank of a stage holds at the moment of its peak; the components add up to peak().
template <class Count, class Bytes>
struct stage_memory_of {
  std::int64_t stage = 0;    ///< pipeline rank, from 0
  std::int64_t layers = 0;   ///< decoder layers on it, all its virtual stages together
  Count dense_parameters{};  ///< on the rank, of which DP x CP ranks hold the same
  Count expert_parameters{}; ///< on the rank, of which EDP ranks hold the same
  Bytes weights{};           ///< quantised copies included
  Bytes gradients{};
  Bytes optimizer{};   ///< master weights and moments
  Bytes activations{}; ///< kept for the backward pass, and at work at the peak
  Bytes kv_cache{};
  Bytes workspace{}; ///< buffers, workspaces and caches of the framework, and what passes between stages
  Bytes host{};      ///< in the host's memory, not part of peak()
  peak_time time = peak_time::forward_pass;
  std::int64_t chunk = 0; ///< virtual stage of this rank that is at work at the peak
  work_place place{};     ///< what it works on

  [[nodiscard]] constexpr Count parameters() const noexcept { return dense_parameters + expert_parameters; }

  /// The most that the rank has allocated at once.
  [[nodiscard]] constexpr Bytes peak() const noexcept {
    return weights + gradients + optimizer + activations + kv_cache + workspace;
  }

  friend constexpr bool operator==(const stage_memory_of&, const stage_memory_of&) noexcept = default;
};

/// The memory of one stage, exact.
using stage_memory = stage_memory_of<count, bytes>;

/// The same for a caller that looks for overflow itself, as `check` does.
using saturating_stage_memory = stage_memory_of<saturating_count, saturating_count>;

namespace detail {

/// Outside `check` an overflow is an error, in a constant expression one of compilation.
[[nodiscard]] constexpr count exact(saturating_count n) noexcept {
  if (n.overflowed()) not_a_constant::a_count_exceeds_64_bits();
  count c;
  c.bits = n.bits;
  return c;
}

[[nodiscard]] constexpr stage_memory exact(const saturating_stage_memory& s) noexcept {
  stage_memory m;
  m.stage = s.stage;
  m.layers = s.layers;
  m.dense_parameters = exact(s.dense_parameters);
  m.expert_parameters = exact(s.expert_parameters);
  m.weights = bytes{exact(s.weights)};
  m.gradients = bytes{exact(s.gradients)};
  m.optimizer = bytes{exact(s.optimizer)};
  m.activations = bytes{exact(s.activations)};
  m.kv_cache = bytes{exact(s.kv_cache)};
  m.workspace = bytes{exact(s.workspace)};
  m.host = bytes{exact(s.host)};
  m.time = s.time;
  m.chunk = s.chunk;
  m.place = s.place;
  return m;
}

} // namespace detail

} // namespace moeplan
