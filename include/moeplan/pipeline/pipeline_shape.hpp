#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/pipeline/in_flight.hpp>

/// @file
/// The pipeline of a training run: what the calculators of this folder take, from a deployment.

namespace moeplan {

namespace detail {

/// The strategy with DP: as it is given, or as often as its other degrees fit into the cluster.
[[nodiscard]] constexpr strategy with_dp(const deployment& d) noexcept {
  if (d.strategy.resolved()) return d.strategy;
  const auto available = d.cluster.gpus<saturating_count>();
  const auto unit = gpus<saturating_count>(d.strategy.with(dp{1}));
  return d.strategy.with(dp{static_cast<std::int64_t>((available / unit).bits)});
}

/// Micro-batches of a step. Of absurdly many as many as numbers of passes can be counted for: GPipe holds too much with them too, and
/// every other schedule repeats itself long before, group after group of as many as there are ranks.
[[nodiscard]] constexpr std::int64_t micro_batches_of(const training& t, std::int64_t ranks, std::int64_t dp_size) noexcept {
  constexpr std::int64_t most = std::int64_t{1} << 56;
  if (!t.global_batch.given) return 1;
  const std::int64_t all = t.global_batch.number / (t.micro_batch * dp_size);
  return all <= most ? all : most / ranks * ranks + all % ranks;
}

} // namespace detail

/// The pipeline that each of `dp_size` data-parallel copies of a training run is. The same as below, for a caller that knows DP.
[[nodiscard]] constexpr pipeline_shape pipeline_shape_of(const deployment& d, std::int64_t dp_size) noexcept {
  const training& t = d.workload.train;
  const std::int64_t ranks = d.strategy[axis::pp];
  return {.schedule = t.schedule,
          .ranks = ranks,
          .chunks = virtual_stages(d.strategy, d.layout) / ranks,
          .micro_batches = detail::micro_batches_of(t, ranks, dp_size),
          .overlaps = t.overlap.expert_parallel};
}

/// The pipeline of a training run: its schedule, ranks (PP), chunks (the layout's virtual stages on each rank) and micro-batches of a
/// step, global batch / (micro-batch x DP), of both directions of DualPipe together.
///
/// It assumes what a deployment leaves open: without a global batch one micro-batch; without DP as many copies as the cluster has room
/// for, the rest of its GPUs idle; groups of PP micro-batches in interleaved 1F1B, Megatron-LM's default
/// (--microbatch-group-size-per-virtual-pipeline-stage). More than 2^56 micro-batches are counted as about 2^56, with the same remainder
/// over the ranks. Precondition: a training run that `check` accepts; for DP that is not given, a cluster.
[[nodiscard]] constexpr pipeline_shape pipeline_shape_of(const deployment& d) noexcept {
  return pipeline_shape_of(d, detail::with_dp(d)[axis::dp]);
}

} // namespace moeplan
