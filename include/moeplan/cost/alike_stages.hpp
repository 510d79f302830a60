#pragma once

#include <cstdint>

#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/recomputed_blocks.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// Which pipeline ranks of a training run do the same.

namespace moeplan {

/// How many pipeline ranks from this one on do the same, itself included: their work and their communications differ in the numbers of
/// stages alone. For callers that look at one of each kind. Precondition: a training run that `check` accepts; 0 <= rank < PP.
class alike_stages {
public:
  constexpr explicit alike_stages(const deployment& d) noexcept
      : deployment_{&d}, ranks_{d.strategy[axis::pp]}, chunks_{chunks_of_rank(d.strategy, d.layout, d.workload.train.schedule)} {}

  explicit alike_stages(deployment&&) = delete;

  [[nodiscard]] constexpr std::int64_t operator()(std::int64_t rank) const noexcept {
    if (turns(rank)) return 1;
    std::int64_t end = turns(ranks_ - 1) ? ranks_ - 1 : ranks_;
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) end = end_of_alike_chunks(rank, chunk, end);
    return end - rank;
  }

private:
  [[nodiscard]] constexpr stage_contents contents_of(std::int64_t rank, std::int64_t chunk) const noexcept {
    const deployment& d = *deployment_;
    return contents(d.model, d.strategy, d.layout, virtual_stage(d.workload.train.schedule, ranks_, rank, chunk));
  }

  /// The first rank behind `rank` and before `end` whose chunk holds other layers, or is the first or the last stage; or `end`.
  [[nodiscard]] constexpr std::int64_t end_of_alike_chunks(std::int64_t rank, std::int64_t chunk, std::int64_t end) const noexcept {
    const model& m = deployment_->model;
    const training& t = deployment_->workload.train;
    constexpr flops_convention how = flops_convention::exact();
    const stage_contents first = contents_of(rank, chunk);
    if (stands_alone(first)) return rank + 1;
    if (rank + 1 == end) return end;
    const stage_blocks blocks = blocks_of_stage(m, first, 0, how);
    const stage_blocks again = recomputed_blocks_of_stage(m, first, blocks, t);
    const bool all_layers_alike = alike(blocks_of_layers(m, first.first_layer, m.layers)); // from its first one on
    const std::int64_t next = all_layers_alike ? rank + known_alike(rank, chunk) : rank + 1;
    for (std::int64_t other = next; other < end; ++other) {
      const stage_contents held = contents_of(other, chunk);
      if (stands_alone(held) || held.decoder_layers != first.decoder_layers) return other;
      if (all_layers_alike && held.first_layer > first.first_layer) continue;
      const stage_blocks others = blocks_of_stage(m, held, 0, how);
      if (!(others == blocks) || !(recomputed_blocks_of_stage(m, held, others, t) == again)) return other;
    }
    return end;
  }

  /// Ranks from this one on whose chunk has as many layers, as far as the layout says so at once.
  [[nodiscard]] constexpr std::int64_t known_alike(std::int64_t rank, std::int64_t chunk) const noexcept {
    const deployment& d = *deployment_;
    const schedule order = d.workload.train.schedule;
    const std::int64_t stage = virtual_stage(order, ranks_, rank, chunk);
    if (virtual_stage(order, ranks_, rank + 1, chunk) != stage + 1) return 1; // The chunk goes back through the ranks.
    const std::int64_t last = virtual_stages(d.strategy, d.layout) - 1;
    return detail::least(detail::least(stages_as_long(d.model, d.strategy, d.layout, stage), last - stage), ranks_ - rank);
  }

  [[nodiscard]] static constexpr bool alike(const stage_blocks& layers) noexcept {
    const int attentions = (layers.full_attention > 0) + (layers.windowed_attention > 0) + (layers.linear_attention > 0);
    return attentions == 1 && (layers.dense_mlp == 0 || layers.moe_mlp == 0);
  }

  /// Modules for multi-token prediction need not be alike: none of them is the first.
  [[nodiscard]] static constexpr bool stands_alone(const stage_contents& held) noexcept {
    return held.embedding || held.loss || held.mtp_layers > 0;
  }

  /// Whether two successive stages lie on the rank, so that nothing is sent between them.
  [[nodiscard]] constexpr bool turns(std::int64_t rank) const noexcept {
    return placed_in_a_v(deployment_->workload.train.schedule) && rank == ranks_ - 1;
  }

  const deployment* deployment_;
  std::int64_t ranks_;
  std::int64_t chunks_;
};

} // namespace moeplan
