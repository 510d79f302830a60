#pragma once

#include <cstdint>

#include <moeplan/cost/step_time.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/search/fit_recompute.hpp>
#include <moeplan/search/search_space.hpp>

/// @file
/// One legal strategy that a search has found, with what strategies are compared by.

namespace moeplan {

/// What a search decides, and what comes of it.
struct search_candidate {
  moeplan::strategy strategy{}; ///< every degree given
  search_layout layout = search_layout::described;
  moeplan::schedule schedule = moeplan::schedule::one_forward_one_backward;
  moeplan::sharding sharding = moeplan::sharding::none;
  std::int64_t micro_batch = 0; ///< serving: 0, and what else is of training is not meant
  recompute_choice recompute{};

  std::int64_t gpus = 0;
  std::int64_t cluster_gpus = 0;   ///< 0: no cluster is described
  bool memory_known = false;       ///< false: the GPU's memory is not described, or `check` judges no memory of this many stages
  std::int64_t peak_bytes = 0;     ///< on each rank of the fullest stage
  std::int64_t capacity_bytes = 0; ///< what a GPU has for it
  /// Of equally long passes, with which all ranks idle equally long. Not known where it has no closed form, and of serving.
  moeplan::bubble bubble{};
  ratio layer_balance{1}; ///< decoder layers of the stage that has most, over the mean: 1 is even

  // Known where the search was asked for it.
  optional_integer network_bytes{}; ///< see network_traffic()
  known_seconds step_bound{};       ///< what the step takes at least, see deployment_cost
  double most_utilisation = 0;      ///< MFU with such a step: the most that is possible
  known_seconds step_in_turn{};     ///< the step whose communication hides behind nothing, see step_in_turn()
  double tokens_in_turn = 0;        ///< a second, with such steps, of all GPUs; 0: not known

  std::uint64_t number = 0; ///< how many legal strategies the search met before it

  [[nodiscard]] constexpr std::int64_t headroom_bytes() const noexcept { return capacity_bytes - peak_bytes; }

  friend constexpr bool operator==(const search_candidate&, const search_candidate&) noexcept = default;
};

/// The deployment that a candidate of a search stands for.
[[nodiscard]] constexpr deployment deployment_of(const search_space& space, const search_candidate& c) noexcept {
  deployment d = space.base;
  d.strategy = c.strategy;
  if (c.layout != search_layout::described) d.layout = detail::layout_of(c.layout, d.layout);
  if (!d.workload.is_training()) return d;
  d.workload.train = c.recompute.on(d.workload.train);
  d.workload.train.schedule = c.schedule;
  d.workload.train.sharding = c.sharding;
  d.workload.train.micro_batch = c.micro_batch;
  return d;
}

} // namespace moeplan
