#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/training_memory.hpp>
#include <moeplan/memory/workspace.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/pipeline/pipeline_shape.hpp>
#include <moeplan/search/stage_states.hpp>
#include <moeplan/verify/memory_facts.hpp>

/// @file
/// The memory of many training runs that have much in common: what they share is computed once.

namespace moeplan::detail {

/// What a search wants to know of the memory of a candidate.
struct memory_verdict {
  bool fits = false;
  bool computed = true;  ///< false: it cannot fit, as one that takes no more does not
  std::int64_t peak = 0; ///< where it fits
};

/// A combination of micro-batch and recompute.
struct memory_place {
  std::int64_t number = 0;
  std::int64_t recompute = 0; ///< the number of the recompute alone
};

/// The fewest micro-batches with which a pipeline's ranks hold at their peaks what they hold with as many as it has: no rank holds more of
/// them than schedules let it, and full groups of interleaved 1F1B repeat themselves, of which the warm-up fills less than two.
[[nodiscard]] constexpr std::int64_t micro_batches_that_matter(const pipeline_shape& p) noexcept {
  const bool interleaves = p.schedule == schedule::one_forward_one_backward && p.chunks > 1;
  if (p.schedule == schedule::gpipe || (interleaves && (p.group.given || p.micro_batches % p.ranks != 0))) return p.micro_batches;
  return least(p.micro_batches, interleaves ? 4 * p.ranks : 2 * p.ranks + 2);
}

/// Training runs of one model, whose memory equals that of read_memory(). Precondition of every call: a run that violates no other rule
/// and whose memory is judged, with DP given.
template <int OnUse = 0>
class candidate_memory {
public:
  /// Combinations of micro-batch and recompute that are remembered, numbered from 0; others are computed again each time.
  static constexpr std::int64_t most_remembered = 32;

  /// To be called whenever TP, CP or SP has changed, and set_experts() then.
  constexpr void set_ranks() noexcept { known_blocks_ = 0; }

  /// To be called whenever EP or ETP has changed, and set_pipeline() then.
  constexpr void set_experts(const deployment& d) noexcept {
    stages_.set_ranks(d);
    known_ = 0;
  }

  /// To be called whenever layout, PP, schedule or VPP has changed, and set_states() then.
  constexpr void set_pipeline(const deployment& d) noexcept {
    stages_.set_pipeline(d);
    ++pipeline_;
  }

  /// To be called whenever DP or sharding has changed.
  constexpr void set_states(const deployment& d) noexcept {
    stages_.set_sharing(d);
    update_is_known_ = false;
    ++states_;
  }

  /// Whether it cannot fit, whatever is computed again and however large a micro-batch is.
  [[nodiscard]] constexpr bool states_exceed(std::int64_t capacity) const noexcept { return stages_.exceed(capacity); }

  /// A larger micro-batch takes no less, as long as the rank holds as many of them: every tensor has as many rows or more, and so has every
  /// sum of some of them and the largest of such sums. So none is computed that is larger than one that does not fit.
  [[nodiscard]] constexpr memory_verdict judge(const deployment& d, memory_place place, std::int64_t capacity) noexcept {
    const std::int64_t micro_batch = d.workload.train.micro_batch;
    const std::int64_t micro_batches = micro_batches_that_matter(pipeline_shape_of(d, d.strategy[axis::dp]));
    const bool remembers_excess = place.recompute < most_remembered;
    if (remembers_excess && exceeds_[place.recompute].covers(states_, micro_batch, micro_batches)) return {.computed = false};
    const memory_verdict v = place.number < most_remembered
                                 ? judge(d, place.number, micro_batches, capacity)
                                 : judge_alone(training_memory<OnUse>{d, stages_.rank(), stages_.parts()}, capacity);
    if (remembers_excess && !v.fits) exceeds_[place.recompute] = {states_, micro_batch, micro_batches};
    return v;
  }

private:
  /// What activations take on a rank, for one combination of micro-batch and recompute.
  struct rank_activations {
    std::uint64_t pipeline = 0; ///< which one they were computed for; 0: none
    std::int64_t micro_batches = 0;
    saturating_count highest;   ///< with the buffers between stages
    saturating_count workspace; ///< that the framework keeps
  };

  /// A micro-batch that does not fit.
  struct excess {
    std::uint64_t states = 0; ///< beside which ones; 0: none
    std::int64_t micro_batch = 0;
    std::int64_t micro_batches = 0;

    [[nodiscard]] constexpr bool covers(std::uint64_t other_states, std::int64_t larger, std::int64_t as_many) const noexcept {
      return states == other_states && micro_batch <= larger && micro_batches == as_many;
    }
  };

  [[nodiscard]] constexpr memory_verdict judge(const deployment& d, std::int64_t place, std::int64_t micro_batches,
                                               std::int64_t capacity) noexcept {
    training_memory<OnUse>& run = remembered_[place];
    const std::uint32_t bit = std::uint32_t{1} << place;
    if ((known_blocks_ & bit) == 0)
      run = training_memory<OnUse>{d, stages_.rank(), stages_.parts()};
    else if ((known_ & bit) == 0)
      run = training_memory<OnUse>{d, stages_.rank(), stages_.parts(), block_memories{run.blocks()}};
    known_blocks_ |= bit;
    known_ |= bit;
    if (!stages_.complete()) {
      run.turn_to(d);
      return judge_alone(run, capacity);
    }
    if (!update_is_known_) set_update(d, run);
    std::int64_t highest = 0;
    for (std::size_t i = 0; i < stages_.ranks().size(); ++i) {
      rank_activations& a = activations_[place][i];
      if (a.pipeline != pipeline_ || a.micro_batches != micro_batches) compute(a, d, run, stages_.ranks()[i], micro_batches);
      const std::int64_t peak = or_most(peak_of(stages_.ranks()[i], update_[i], a));
      if (peak > highest) highest = peak;
      if (peak > capacity) return {};
    }
    return {.fits = true, .peak = highest};
  }

  /// Stage by stage, with nothing remembered.
  [[nodiscard]] constexpr memory_verdict judge_alone(const training_memory<OnUse>& run, std::int64_t capacity) const noexcept {
    std::int64_t highest = 0;
    for (std::int64_t rank = 0; rank < stages_.stages(); ++rank) {
      const std::int64_t peak = or_most(run.stage(rank).peak());
      if (peak > highest) highest = peak;
      if (peak > capacity) return {};
    }
    return {.fits = true, .peak = highest};
  }

  /// Gradients that the optimizer's step copies.
  constexpr void set_update(const deployment& d, training_memory<OnUse>& run) noexcept {
    run.turn_to(d);
    for (std::size_t i = 0; i < stages_.ranks().size(); ++i) update_[i] = run.gradient_copies(stages_.ranks()[i].parameters);
    update_is_known_ = true;
  }

  constexpr void compute(rank_activations& a, const deployment& d, training_memory<OnUse>& run, const rank_states& r,
                         std::int64_t micro_batches) const noexcept {
    run.turn_to(d);
    if (a.pipeline != pipeline_ && d.profile == profile::megatron) {
      standing_tensors workspace;
      visit_megatron_workspace(run.shape(), r.holds, workspace);
      a.workspace = workspace.bytes;
    }
    a.pipeline = pipeline_;
    a.micro_batches = micro_batches;
    a.highest = stages_.chunks() == 1 ? activations_of_one(d, run, r.rank) : activations_of_several(d, run, r.rank);
  }

  [[nodiscard]] constexpr saturating_count activations_of_one(const deployment& d, const training_memory<OnUse>& run,
                                                              std::int64_t rank) const noexcept {
    const stage_contents stage = run.contents_of(rank, 0);
    const stage_parts parts = parts_of_stage(d.model, stage);
    const chunk_memory chunk = chunk_memory_of(d.model, run.blocks(), d.workload.train, stage, parts);
    return run.peak_of(rank, &chunk, 1, stage.embedding, stage.loss).highest;
  }

  [[nodiscard]] constexpr saturating_count activations_of_several(const deployment& d, const training_memory<OnUse>& run,
                                                                  std::int64_t rank) const noexcept {
    chunk_memory chunks[training_memory<OnUse>::most_chunks]{};
    for (std::int64_t c = 0; c < stages_.chunks(); ++c) {
      const stage_contents stage = run.contents_of(rank, c);
      chunks[c] = chunk_memory_of(d.model, run.blocks(), d.workload.train, stage, parts_of_stage(d.model, stage));
    }
    return run.peak_of(rank, chunks, stages_.chunks(), false, false).highest;
  }

  /// The moments at which training_memory looks for the peak: passes, the optimizer's step, the start.
  [[nodiscard]] static constexpr saturating_count peak_of(const rank_states& r, saturating_count update,
                                                          const rank_activations& a) noexcept {
    const saturating_count step = r.standing + a.workspace + (a.highest < update ? update : a.highest);
    return step < r.at_start ? r.at_start : step;
  }

  stage_states stages_{};
  training_memory<OnUse> remembered_[most_remembered]{};
  rank_activations activations_[most_remembered][stage_states::most_ranks]{};
  saturating_count update_[stage_states::most_ranks]{};
  excess exceeds_[most_remembered]{};
  std::uint64_t pipeline_ = 0;     ///< how many there have been
  std::uint64_t states_ = 0;       ///< how many there have been
  std::uint32_t known_ = 0;        ///< one bit a place
  std::uint32_t known_blocks_ = 0; ///< the same, of blocks that no experts are in
  bool update_is_known_ = false;
};

} // namespace moeplan::detail
