#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/memory_limit.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// What a training run takes whatever its strategy is, so that a search need not try what cannot fit.

namespace moeplan::detail {

/// Bytes of weights, gradients and the optimizer's states on all ranks together, at least: each number of them is on some rank, however
/// they are split, and what ranks do not split is on several. Precondition: the sizes of a model that `check` accepts.
[[nodiscard]] constexpr saturating_count least_bytes_of_states(const model& m, const training& t) noexcept {
  const strategy alone{};
  const rank_parts<saturating_count> parts =
      parts_of_rank<saturating_count>(m, rank_model(m, alone), alone, t.vocabulary_multiple, t.assumptions);
  const stage_contents all{.decoder_layers = m.layers, .mtp_layers = m.mtp_layers, .embedding = true, .loss = true};
  const rank_parameters<saturating_count> held = parameters_of_stage(parts, parts_of_stage(m, all));
  model_states<saturating_count> states = states_of(held.dense, t, 1);
  states += states_of(held.experts, t, 1);
  return states.weights + states.quantised_weights + states.gradients + states.optimizer;
}

/// The fewest GPUs on which states can lie at all, whatever the strategy; 0 where it is not known what memory a GPU has, or they need more
/// than 64 bits. Precondition as for least_bytes_of_states, of a training run.
[[nodiscard]] constexpr saturating_count fewest_gpus_for_states(const deployment& d) noexcept {
  const gpu& g = d.cluster.gpu;
  if (g.memory == bytes{} && g.usable_memory == bytes{}) return 0;
  // A share of Muon's second moments, of either grid and with a part in the host's memory, may be rounded down by a number.
  constexpr std::int64_t rounding = 32;
  const saturating_count each = memory_limit(d) + rounding;
  const saturating_count all = least_bytes_of_states(d.model, d.workload.train);
  return all.overflowed() ? saturating_count{0} : (all + each - 1) / each;
}

} // namespace moeplan::detail
