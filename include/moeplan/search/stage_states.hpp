#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/memory/training_memory.hpp>
#include <moeplan/memory/workspace.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/pipeline/stage_placement.hpp>
#include <moeplan/verify/memory_facts.hpp>

/// @file
/// What the stages of training runs take without activations, for runs that have much in common: what they share is computed once.

namespace moeplan::detail {

/// A pipeline rank, and what it takes whatever is computed again and however large a micro-batch is.
struct rank_states {
  std::int64_t rank = 0;
  stage_parts holds{}; ///< its virtual stages together
  rank_parameters<saturating_count> parameters{};
  saturating_count states;   ///< weights, gradients and what the optimizer keeps
  saturating_count standing; ///< with what sharding needs besides
  saturating_count at_start; ///< weights while they are moved, and gradients
};

/// Precondition of every call: a training run that violates no rule other than those on its micro-batch and on memory, and whose memory is
/// judged, with DP given.
class stage_states {
public:
  /// Where the ranks of a pipeline differ more than that, only so many are looked at.
  static constexpr std::size_t most_ranks = 64;

  /// To be called whenever TP, CP, SP, EP or ETP has changed, and set_pipeline() then.
  constexpr void set_ranks(const deployment& d) noexcept {
    rank_ = rank_model(d.model, d.strategy);
    const training& t = d.workload.train;
    parts_ = parts_of_rank<saturating_count>(d.model, rank_, d.strategy, t.vocabulary_multiple, t.assumptions);
  }

  /// To be called whenever layout, PP, schedule or VPP has changed, and set_sharing() then. Under GPipe and 1F1B a rank takes no more than
  /// an earlier one that holds the same: it holds no more of any chunk in any pass. So only the first of them is looked at. Elsewhere all
  /// are: also where passes overlap, which of few micro-batches only those of later ranks do.
  constexpr void set_pipeline(const deployment& d) noexcept {
    const schedule s = d.workload.train.schedule;
    stages_ = d.strategy[axis::pp];
    chunks_ = chunks_of_rank(d.strategy, d.layout, s);
    ranks_.length = 0;
    complete_ = true;
    const bool later_take_no_more =
        !d.workload.train.overlap.expert_parallel && (s == schedule::gpipe || s == schedule::one_forward_one_backward);
    for (std::int64_t rank = 0; rank < stages_ && complete_; ++rank) {
      const bool inner = rank > 1 && rank < stages_ - 1;
      if (later_take_no_more && inner && holds_the_same(d, ranks_.back().rank, rank)) continue;
      complete_ = ranks_.push_back(looked_at(d, rank));
    }
  }

  /// To be called whenever DP or sharding has changed.
  constexpr void set_sharing(const deployment& d) noexcept {
    const training& t = d.workload.train;
    const state_ranks shared_by = state_ranks_of(d.strategy, t);
    for (rank_states& r : ranks_) {
      model_states<saturating_count> states = states_of(r.parameters.dense, t, shared_by.dense);
      states += states_of(r.parameters.experts, t, shared_by.experts);
      const saturating_count weights = states.weights + states.quantised_weights;
      standing_tensors workspace;
      visit_sharding_workspace(t, parts_, r.holds, workspace);
      r.states = weights + states.gradients + states.optimizer;
      r.standing = r.states + workspace.bytes;
      r.at_start = d.profile == profile::megatron ? weights + weights + states.gradients : saturating_count{0};
    }
  }

  /// Whether some stage's parameters and what belongs to them alone take more than `capacity`: what is left out is never negative.
  [[nodiscard]] constexpr bool exceed(std::int64_t capacity) const noexcept {
    for (const rank_states& r : ranks_)
      if (or_most(r.states) > capacity) return true;
    return false;
  }

  [[nodiscard]] constexpr const sequence<rank_states, most_ranks>& ranks() const noexcept { return ranks_; }

  /// Whether no rank takes more than those in ranks().
  [[nodiscard]] constexpr bool complete() const noexcept { return complete_; }

  [[nodiscard]] constexpr std::int64_t stages() const noexcept { return stages_; }
  [[nodiscard]] constexpr std::int64_t chunks() const noexcept { return chunks_; } ///< of each rank
  [[nodiscard]] constexpr const model& rank() const noexcept { return rank_; }     ///< what one computes
  [[nodiscard]] constexpr const rank_parts<saturating_count>& parts() const noexcept { return parts_; }

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

  [[nodiscard]] constexpr rank_states looked_at(const deployment& d, std::int64_t rank) const noexcept {
    rank_states r;
    r.rank = rank;
    for (std::int64_t c = 0; c < chunks_; ++c) {
      const stage_parts n = held(d, rank, c);
      r.holds += n;
      r.parameters += parameters_of_stage(parts_, n);
    }
    return r;
  }

  model rank_{};
  rank_parts<saturating_count> parts_{};
  sequence<rank_states, most_ranks> ranks_{};
  std::int64_t stages_ = 1;
  std::int64_t chunks_ = 1;
  bool complete_ = true;
};

} // namespace moeplan::detail
