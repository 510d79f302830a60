// Jobs for the tests of the gate: one to vary by hand, and random ones.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include <moeplan/moeplan.hpp>

#include "../../examples/admission/gate.hpp"

namespace moeplan_test {

using admission::decide;
using admission::policy;
using admission::verdict;

/// Mixtral 8x7B with 8 GPUs as its smallest world, where DP is 2.
constexpr moeplan::deployment mixtral(moeplan::strategy s, moeplan::optional_integer global_batch = {},
                                      moeplan::optional_integer planned = {}) {
  return {.model = moeplan::catalog::mixtral_8x7b,
          .cluster = {.total = planned},
          .strategy = s,
          .workload = moeplan::training{.global_batch = global_batch, .sequence_length = 4096}};
}
inline constexpr moeplan::strategy tp2_pp2_ep4{moeplan::tp{2}, moeplan::sp{2}, moeplan::pp{2}, moeplan::ep{4}, moeplan::etp{1}};

/// A job with the given DP, on its own GPUs and no more: what an admitted one runs as.
inline moeplan::deployment with_dp(const moeplan::deployment& job, std::int64_t dp) {
  moeplan::deployment result = job;
  result.strategy = job.strategy.with(moeplan::dp{dp});
  const auto gpus = moeplan::gpus<moeplan::saturating_count>(result.strategy);
  result.cluster = {.total = static_cast<std::int64_t>(gpus.value())};
  return result;
}

using free_list = std::vector<std::int64_t>;

class random_jobs {
public:
  explicit random_jobs(unsigned seed) : engine_{seed} {}

  std::int64_t from_to(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>{low, high}(engine_);
  }

  template <class T, std::size_t N>
  T one_of(const T (&values)[N]) {
    return values[static_cast<std::size_t>(from_to(0, N - 1))];
  }

  bool one_in(std::int64_t n) { return from_to(1, n) == 1; }

  free_list free(std::size_t nodes, std::int64_t most) {
    free_list result;
    for (std::size_t i = 0; i < nodes; ++i) result.push_back(from_to(0, most));
    return result;
  }

  /// Mostly sound ones; DP is absent from half of them.
  moeplan::deployment job() {
    using namespace moeplan;
    constexpr std::int64_t degrees[] = {1, 1, 1, 2, 2, 4};
    deployment d{.model = *one_of(models)};
    strategy& s = d.strategy;
    for (const axis a : {axis::tp, axis::cp, axis::pp, axis::ep, axis::etp})
      if (one_in(2)) s.set(a, one_of(degrees));
    if (one_in(3)) s.set(axis::ep, one_of({2, 3, 8, 16}));
    if (s[axis::tp] > 1) s.set(axis::sp, s[axis::tp]);
    if (one_in(20)) s.set(one_of({axis::tp, axis::ep, axis::pp}), from_to(-1, 3));
    if (one_in(2)) s.set(axis::dp, from_to(one_in(20) ? 0 : 1, 8));
    if (one_in(4)) s.order = order();
    if (one_in(50)) s.mapping = mapping::product;
    if (one_in(4)) d.cluster = {.total = from_to(one_in(10) ? 0 : 1, 64)};
    if (one_in(4)) d.cluster = {.gpus_per_node = 4, .nodes = from_to(1, 12)};
    d.layout = layout::balanced();
    d.profile = one_of({profile::megatron, profile::universal});
    d.workload = training{.global_batch = one_in(2) ? optional_integer{from_to(1, 6) * 24} : optional_integer{},
                          .micro_batch = from_to(1, 2),
                          .sequence_length = 4096};
    if (one_in(5)) d.workload = serving{.sequence_length = 1024};
    return d;
  }

private:
  static constexpr const moeplan::model* models[] = {&moeplan::catalog::mixtral_8x7b, &moeplan::catalog::deepseek_v3};

  moeplan::rank_order order() {
    constexpr const char* orders[] = {"tp-cp-ep-dp-pp", "tp-cp-pp-ep-dp", "dp-tp-cp-ep-pp", "ep-dp-cp-tp-pp",
                                      "tp-cp-ep-pp",    "cp-ep-tp-dp-pp", "pp-dp-ep-cp-tp", "tp-cp-ep-dp"};
    return moeplan::rank_order{one_of(orders)};
  }

  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[from_to(0, static_cast<std::int64_t>(values.size()) - 1)];
  }

  std::mt19937 engine_;
};

} // namespace moeplan_test
