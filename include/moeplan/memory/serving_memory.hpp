#pragma once

#include <cstdint>

#include <moeplan/describe/assumptions.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/kv_cache.hpp>
#include <moeplan/memory/memory_limit.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/serving_weights.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// Memory of a serving deployment, stage by stage, and how many sequences it has room for. Activations are not predicted: what they,
/// CUDA graphs and communication take is what `serving::reserve` says.

namespace moeplan {

/// Bytes on a rank of one stage.
template <class Integer = count>
struct serving_memory {
  serving_weights<Integer> weights{};
  sequence_cache<Integer> cache{}; ///< of the whole batch, each sequence at its full length

  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) {
    return weights.total() + cache.total();
  }
  friend constexpr bool operator==(const serving_memory&, const serving_memory&) noexcept = default;
};

/// What is the same for all stages of a serving deployment, to be computed once.
template <class Integer = count>
struct serving_parts {
  model rank{};                       ///< rank_model() with the redundant experts
  serving_weights<Integer> weights{}; ///< weights_of_rank()
};

/// Precondition, here and below: a deployment that serves, that `check` accepts, and whose degrees are resolved.
template <class Integer = count>
[[nodiscard]] constexpr serving_parts<Integer> serving_parts_of(const deployment& d,
                                                                const assumptions& how = {}) noexcept(noexcept(Integer{} *
                                                                                                               Integer{})) {
  const serving& v = d.workload.serve;
  serving_parts<Integer> parts;
  parts.rank = rank_model(d.model, d.strategy, v.redundant_experts);
  parts.weights = weights_of_rank<Integer>(d.model, parts.rank, d.strategy, v, how);
  return parts;
}

/// Memory of a rank of a virtual stage; those that lie on one rank add up. Precondition: 0 <= stage < virtual_stages.
template <class Integer = count>
[[nodiscard]] constexpr serving_memory<Integer> serving_memory_of(const deployment& d, const serving_parts<Integer>& parts,
                                                                  std::int64_t stage) noexcept(noexcept(Integer{} * Integer{})) {
  const serving& v = d.workload.serve;
  const stage_contents here = contents(d.model, d.strategy, d.layout, stage);
  const cache_rates<Integer> rates = cache_rates_of<Integer>(d.model, parts.rank, here, v);
  return {weights_of_stage<Integer>(parts.weights, d.model, here, v),
          Integer(v.batch) * cache_of_sequence<Integer>(rates, Integer(v.sequence_length))};
}

/// The GPU's memory that weights and cache may take: usable memory (nominal, where that is all that is known) less the reserve.
template <class Integer = count>
[[nodiscard]] constexpr Integer serving_budget(const deployment& d) noexcept(noexcept(Integer{} * Integer{})) {
  return Integer(detail::memory_limit(d).bits);
}

/// What a serving deployment has room for on its fullest stage.
template <class Integer = count>
struct serving_capacity {
  Integer peak{0};                ///< the most bytes that a stage's rank takes
  std::int64_t fullest_stage = 0; ///< the first pipeline rank that does
  bool weights_fit = true;        ///< on every stage
  bool fits = true;               ///< the whole batch at full length, on every stage
  capacity<Integer> sequences{};  ///< of full length, on one data-parallel replica
  capacity<Integer> longest{};    ///< tokens of each sequence of the batch; the model may be made for fewer (model::max_positions)

  friend constexpr bool operator==(const serving_capacity&, const serving_capacity&) noexcept = default;
};

namespace detail {

template <class Integer>
constexpr void keep_smaller(capacity<Integer>& least, const capacity<Integer>& another) noexcept(noexcept(Integer{} * Integer{})) {
  if (!another.unbounded && (least.unbounded || another.amount < least.amount)) least = another;
}

/// What the virtual stages of one pipeline rank take together.
template <class Integer>
struct rank_load {
  Integer weights{0};
  cache_rates<Integer> rates{};
};

template <class Integer>
[[nodiscard]] constexpr rank_load<Integer> load_of_rank(const deployment& d, const serving_parts<Integer>& parts, std::int64_t rank,
                                                        std::int64_t stages) noexcept(noexcept(Integer{} * Integer{})) {
  const serving& v = d.workload.serve;
  rank_load<Integer> load;
  for (std::int64_t stage = rank; stage < stages; stage += d.strategy[axis::pp]) {
    const stage_contents here = contents(d.model, d.strategy, d.layout, stage);
    const cache_rates<Integer> rates = cache_rates_of<Integer>(d.model, parts.rank, here, v);
    load.weights = load.weights + weights_of_stage<Integer>(parts.weights, d.model, here, v).total();
    if (stage == rank)
      load.rates = rates;
    else
      load.rates += rates;
  }
  return load;
}

} // namespace detail

/// Precondition: a GPU whose memory is known, a batch and a sequence length of at least 1.
template <class Integer = count>
[[nodiscard]] constexpr serving_capacity<Integer> serving_capacity_of(const deployment& d,
                                                                      const assumptions& how = {}) noexcept(noexcept(Integer{} *
                                                                                                                     Integer{})) {
  const serving& v = d.workload.serve;
  const serving_parts<Integer> parts = serving_parts_of<Integer>(d, how);
  const auto budget = serving_budget<Integer>(d);
  const std::int64_t stages = virtual_stages(d.strategy, d.layout);
  serving_capacity<Integer> c;
  c.sequences.unbounded = c.longest.unbounded = true;
  const std::int64_t ranks = d.strategy[axis::pp];
  for (std::int64_t rank = 0; rank < ranks && rank < stages; ++rank) {
    const detail::rank_load<Integer> load = detail::load_of_rank<Integer>(d, parts, rank, stages);
    const cache_rates<Integer>& rates = load.rates;
    const Integer& weights = load.weights;
    const Integer cache = Integer(v.batch) * cache_of_sequence<Integer>(rates, Integer(v.sequence_length)).total();
    const Integer taken = weights + cache;
    if (c.peak < taken) {
      c.peak = taken;
      c.fullest_stage = rank;
    }
    if (budget < taken) c.fits = false;
    if (budget < weights) {
      c.weights_fit = false;
      continue;
    }
    const Integer room = budget - weights;
    detail::keep_smaller<Integer>(c.sequences, sequences_that_fit<Integer>(rates, Integer(v.sequence_length), room));
    detail::keep_smaller<Integer>(c.longest, longest_sequence<Integer>(rates, Integer(v.batch), room));
  }
  if (!c.weights_fit) c.sequences = c.longest = {};
  return c;
}

} // namespace moeplan
