#include <moeplan/search/best_strategy.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/search/fit_gpus.hpp>

#include <doctest/doctest.h>

#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr search_space mixtral() {
  search_space s;
  s.base = {.model = catalog::mixtral_8x7b,
            .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 8},
            .workload = training{.global_batch = 256, .sequence_length = 4096, .sharding = sharding::optimizer}};
  return s;
}

/// Without what takes a test long.
constexpr search_space fewer() {
  search_space s = mixtral();
  s.cp = 1;
  s.vpp = {1, 2};
  s.etp = 1;
  s.tp = {1, 2, 4};
  return s;
}

/// A few degrees of each kind.
constexpr search_space narrow_mixtral() {
  search_space s = mixtral();
  s.tp = {1, 2};
  s.cp = 1;
  s.sp = {1, 2};
  s.ep = 8;
  s.etp = 1;
  s.pp = {1, 4};
  s.vpp = 1;
  s.dp = {8, 16};
  return s;
}

} // namespace

BOTH_TIMES("a search is a constant within the compilers' default limits", [] {
  const search_answer a =
      best_strategy(narrow_mixtral(), ranking::in_order(criterion::gpus, criterion::bubble, criterion::headroom));
  EXPECT(a.found);
  EXPECT(a.counts.considered == saturating_count{16});
  EXPECT(check(deployment_of(narrow_mixtral(), a.best)).ok());
});

TEST_CASE("no other legal strategy is better than the best") {
  const search_space s = fewer();
  for (const ranking& by : {ranking::in_order(criterion::bubble, criterion::gpus), ranking::in_order(criterion::headroom),
                            ranking::by_weight(ranking::entry{criterion::idle_gpus, 2}, ranking::entry{criterion::headroom, 1})}) {
    const search_answer a = best_strategy(s, by);
    REQUIRE(a.found);
    int better = 0;
    visit_strategies(s, [&](const search_candidate& c) {
      better += by.before(c, a.best);
      return false;
    });
    CHECK(better == 0);
    const findings judged = check(deployment_of(s, a.best));
    CHECK(judged.ok());
    CHECK(judged.facts.peak_bytes == a.best.peak_bytes);
  }
}

// For each strategy without its DP the library's other answer to the same question.
TEST_CASE("the fewest GPUs that run Mixtral-8x7B at all") {
  search_space s = fewer();
  s.sp = 1;
  const search_answer a = fewest_gpus(s);
  REQUIRE(a.found);
  std::int64_t fewest = 1 << 20;
  visit_strategies(s, [&](const search_candidate& c) {
    const fit_answer answer = fewest_gpus(deployment_of(s, c));
    if (answer.found() && answer.value < fewest) fewest = answer.value;
    return false;
  });
  CHECK(a.best.gpus == fewest);
}

// 16 bytes a parameter are 10.7 TB, more than 134 GPUs of 80 GB have.
TEST_CASE("of a large cluster only as much is looked at as it takes") {
  search_space s;
  s.base = {.model = catalog::deepseek_v3,
            .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 16384},
            .workload = training{
                .global_batch = 15360, .sequence_length = 4096, .recompute = recompute::full, .sharding = sharding::optimizer}};
  s.base.workload.train.precision.gradients = number_type::bf16;
  s.cp = s.etp = 1;
  const search_answer large = fewest_gpus(s);
  REQUIRE(large.found);
  CHECK(check(deployment_of(s, large.best)).ok());
  CHECK(large.best.gpus > 134);
  CHECK(large.best.gpus <= 512);
  CHECK(large.best.cluster_gpus == 131072);
  s.base.cluster.nodes = large.best.gpus / 8;
  const search_answer exact = fewest_gpus(s);
  REQUIRE(exact.found);
  CHECK(exact.best.strategy == large.best.strategy);
  CHECK(exact.best.peak_bytes == large.best.peak_bytes);
  s.base.cluster.nodes = large.best.gpus / 8 - 1;
  CHECK(!fewest_gpus(s).found);
  CHECK(!best_strategy(s, ranking::in_order(criterion::gpus)).found);
}

TEST_CASE("an empty result says why") {
  search_space s = mixtral();
  s.base.cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 1};
  s.base.cluster.gpu.usable_memory = 20_GB;
  s.pp = 1;
  s.ep = {3, 8};
  const search_answer a = best_strategy(s, ranking::in_order(criterion::gpus));
  CHECK(!a.found);
  saturating_count all;
  for (const saturating_count n : a.counts.rejected) all += n;
  CHECK(all == a.counts.considered);
  CHECK(a.counts.rejected_by(rule::experts_divide_by_ep) * 2 == a.counts.considered);
  CHECK(a.counts.rejected_by(rule::stage_fits_memory) > saturating_count{0});
}

TEST_CASE("the smallest recompute of each strategy is what that search finds alone") {
  search_space s = fewer();
  s.base.cluster.gpu.usable_memory = 30_GB;
  s.tp = s.sp = s.vpp = 1;
  s.smallest_recompute = true;
  int recomputed = 0;
  const search_counts counts = visit_strategies(s, [&](const search_candidate& c) {
    const deployment d = deployment_of(s, c);
    const recompute_answer alone = smallest_recompute(d);
    CHECK(alone.found());
    CHECK((alone.choice == c.recompute));
    CHECK(check(d).facts.peak_bytes == c.peak_bytes);
    recomputed += c.recompute.recompute != recompute::none;
    return false;
  });
  CHECK(counts.legal > 5);
  CHECK(recomputed > 0);
}
