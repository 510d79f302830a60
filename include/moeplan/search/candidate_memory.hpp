#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/training_memory.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/pipeline/stage_placement.hpp>
#include <moeplan/verify/memory_facts.hpp>

/// @file
/// The memory of many training runs that have much in common: what they share is computed once.

namespace moeplan::detail {

/// What a search wants to know of the memory of a candidate.
struct memory_verdict {
  bool fits = false;
  std::int64_t peak = 0; ///< where it fits
};

/// Training runs of one model, whose memory equals that of read_memory(). Precondition of every call: a run that violates no other rule
/// and whose memory is judged.
template <int OnUse = 0>
class candidate_memory {
public:
  /// Combinations of micro-batch and recompute that are remembered; others are computed again each time.
  static constexpr std::int64_t most_remembered = 32;

  /// To be called whenever TP, CP, SP, EP or ETP has changed.
  constexpr void set_ranks(const deployment& d) noexcept {
    rank_ = rank_model(d.model, d.strategy);
    const training& t = d.workload.train;
    parts_ = parts_of_rank<saturating_count>(d.model, rank_, d.strategy, t.vocabulary_multiple, t.assumptions);
    known_ = 0;
  }

  /// To be called whenever layout, PP, schedule or VPP has changed. Under GPipe and 1F1B a rank takes no more than an earlier one that
  /// holds the same: it holds no more of any chunk in any pass. So only the first of them is looked at. Elsewhere all are: also where
  /// passes overlap, which of few micro-batches only those of later ranks do.
  constexpr void set_pipeline(const deployment& d) noexcept {
    const schedule s = d.workload.train.schedule;
    stages_ = d.strategy[axis::pp];
    chunks_ = chunks_of_rank(d.strategy, d.layout, s);
    ranks_.length = 0;
    all_ranks_ = d.workload.train.overlap.expert_parallel || (s != schedule::gpipe && s != schedule::one_forward_one_backward);
    for (std::int64_t rank = 0; rank < stages_ && !all_ranks_; ++rank) {
      const bool inner = rank > 1 && rank < stages_ - 1;
      if (inner && holds_the_same(d, ranks_.back(), rank)) continue;
      all_ranks_ = !ranks_.push_back(rank);
    }
  }

  /// Whether some stage's parameters and what belongs to them alone take more than `capacity`, whatever is computed again and however
  /// large a micro-batch is: what is left out is never negative.
  [[nodiscard]] constexpr bool states_exceed(const deployment& d, std::int64_t capacity) const noexcept {
    const training& t = d.workload.train;
    const state_ranks ranks = state_ranks_of(d.strategy, t);
    return any_rank([&](std::int64_t rank) {
      rank_parameters<saturating_count> parameters;
      for (std::int64_t c = 0; c < chunks_; ++c) parameters += parameters_of_stage(parts_, held(d, rank, c));
      model_states<saturating_count> states = states_of(parameters.dense, t, ranks.dense);
      states += states_of(parameters.experts, t, ranks.experts);
      return or_most(states.weights + states.quantised_weights + states.gradients + states.optimizer) > capacity;
    });
  }

  /// `place` numbers the combination of micro-batch and recompute.
  [[nodiscard]] constexpr memory_verdict judge(const deployment& d, std::int64_t place, std::int64_t capacity) noexcept {
    if (place >= most_remembered) return verdict(training_memory<OnUse>{d, rank_, parts_}, capacity);
    training_memory<OnUse>& run = remembered_[place];
    if ((known_ >> place & 1U) == 0)
      run = training_memory<OnUse>{d, rank_, parts_};
    else
      run.turn_to(d);
    known_ |= std::uint32_t{1} << place;
    return verdict(run, capacity);
  }

private:
  [[nodiscard]] constexpr stage_parts held(const deployment& d, std::int64_t rank, std::int64_t chunk) const noexcept {
    const std::int64_t stage = virtual_stage(d.workload.train.schedule, stages_, rank, chunk);
    return parts_of_stage(d.model, contents(d.model, d.strategy, d.layout, stage));
  }

  /// Chunk by chunk. Where layers differ within a chunk, their order matters too.
  [[nodiscard]] constexpr bool holds_the_same(const deployment& d, std::int64_t a, std::int64_t b) const noexcept {
    for (std::int64_t c = 0; c < chunks_; ++c) {
      const stage_parts n = held(d, a, c);
      if (!n.alike() || !(n == held(d, b, c))) return false;
    }
    return true;
  }

  /// Whether judge_rank(rank) is true of any rank that has to be looked at.
  template <class Judge>
  [[nodiscard]] constexpr bool any_rank(const Judge& judge_rank) const noexcept {
    if (!all_ranks_) {
      for (const std::int64_t rank : ranks_)
        if (judge_rank(rank)) return true;
      return false;
    }
    for (std::int64_t rank = 0; rank < stages_; ++rank)
      if (judge_rank(rank)) return true;
    return false;
  }

  [[nodiscard]] constexpr memory_verdict verdict(const training_memory<OnUse>& run, std::int64_t capacity) const noexcept {
    std::int64_t highest = 0;
    const bool exceeds = any_rank([&](std::int64_t rank) {
      const std::int64_t peak = or_most(run.stage(rank).peak());
      if (peak > highest) highest = peak;
      return peak > capacity;
    });
    return {!exceeds, exceeds ? 0 : highest};
  }

  model rank_{};
  rank_parts<saturating_count> parts_{};
  training_memory<OnUse> remembered_[most_remembered]{};
  std::uint32_t known_ = 0;
  sequence<std::int64_t, 16> ranks_{};
  std::int64_t stages_ = 1;
  std::int64_t chunks_ = 1;
  bool all_ranks_ = true;
};

} // namespace moeplan::detail
