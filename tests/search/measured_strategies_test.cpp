#include <moeplan/search/measured_strategies.hpp>

#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/search/best_strategy.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr search_space few() {
  search_space s;
  s.base = {.model = catalog::mixtral_8x7b,
            .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 8},
            .workload = training{.global_batch = 256, .sequence_length = 4096, .sharding = sharding::optimizer}};
  s.tp = {1, 2, 4};
  s.cp = s.etp = s.vpp = 1;
  s.ep = 8;
  s.pp = {1, 4};
  s.dp = {4, 8, 16};
  return s;
}

} // namespace

TEST_CASE("what the ranking compares by is known, and nothing else") {
  for (const bool network : {false, true})
    for (const bool time : {false, true}) {
      ranking by = ranking::in_order(criterion::bubble);
      if (network) by.criteria.push_back({criterion::network_traffic});
      if (time) by.criteria.push_back({criterion::step_time});
      std::uint64_t seen = 0;
      const search_counts counts = visit_strategies(few(), by, [&](const search_candidate& c) {
        const deployment d = deployment_of(few(), c);
        CHECK((c.network_bytes == (network ? network_traffic(d) : optional_integer{})));
        CHECK((c.step_bound == (time ? cost(d).bound.step() : known_seconds{})));
        CHECK((c.most_utilisation == (time ? cost(d).utilisation() : 0)));
        return ++seen == 5;
      });
      CHECK(counts.ended);
      CHECK(seen == 5);
    }
}

BOTH_TIMES("a step whose communication hides behind nothing", [] {
  gpu g{.nvlink_bandwidth = bytes{10}, .network_bandwidth = bytes{2}};
  const sent_bytes sent{.nvlink = 20, .network = 6};
  const step_time trains{.compute = {true, 4}, .memory = {true, 1}, .pipeline = {true, 5}};
  EXPECT(step_in_turn(trains, sent, g) == known_seconds{true, 5 + 2 + 3});
  step_time decodes = trains;
  decodes.memory = {true, 7}; // Products wait for what they read.
  EXPECT(step_in_turn(decodes, sent, g) == known_seconds{true, 12});
  g.network_bandwidth = {};
  EXPECT(!step_in_turn(trains, sent, g).known);
  EXPECT(step_in_turn(trains, {.nvlink = 20}, g) == known_seconds{true, 7}); // Nobody asks for it.
  EXPECT(!step_in_turn({}, sent, g).known);
});

TEST_CASE("tokens a second are those of the batch, over the time of a step") {
  int seen = 0;
  visit_strategies(few(), ranking::in_order(criterion::throughput), [&](const search_candidate& c) {
    const deployment d = deployment_of(few(), c);
    const step_time bound = cost(d).bound;
    const sent_bytes sent = sent_traffic(d);
    const double seconds = bound.pipeline.seconds + sent.nvlink / 450e9 + sent.network / 50e9; // Memory takes less than passes.
    CHECK(bound.memory.seconds < bound.pipeline.seconds);
    CHECK(bound.nvlink.seconds <= sent.nvlink / 450e9);
    CHECK(bound.network.seconds <= sent.network / 50e9);
    CHECK(c.step_in_turn.seconds == doctest::Approx(seconds));
    CHECK(c.tokens_in_turn == doctest::Approx(256 * 4096 / seconds));
    return ++seen == 20;
  });
  CHECK(seen > 5);
}

// Megatron-LM's parallelism guide runs it with TP 1, PP 4, EP 8 and DP 16. Without a bubble TP 8 leaves most memory, and sends most.
TEST_CASE("by tokens a second Mixtral-8x7B on 64 GPUs has little tensor parallelism and some stages, as where it is run") {
  search_space s = few();
  s.tp = s.pp = s.dp = s.vpp = s.sp = search_values{};
  s.ep = {1, 2, 4, 8};
  const search_answer fast = best_strategy(s, ranking::in_order(criterion::throughput, criterion::headroom));
  REQUIRE(fast.found);
  CHECK(fast.best.gpus == 64);
  CHECK(fast.best.strategy[axis::tp] <= 2);
  CHECK(fast.best.strategy[axis::pp] >= 4);
  CHECK(fast.best.strategy[axis::pp] <= 8);
  const search_answer idle = best_strategy(s, ranking::in_order(criterion::bubble, criterion::headroom));
  CHECK(idle.best.strategy[axis::tp] >= 8);
  CHECK(idle.best.strategy[axis::pp] == 1);
}

TEST_CASE("the best by traffic and by time are what looking at all says") {
  for (const criterion by : {criterion::network_traffic, criterion::step_time}) {
    const search_answer best = best_strategy(few(), ranking::in_order(by, criterion::gpus));
    REQUIRE(best.found);
    std::uint64_t better = 0;
    std::uint64_t worse = 0;
    visit_strategies(few(), [&](const search_candidate& c) {
      const deployment d = deployment_of(few(), c);
      const double found =
          by == criterion::step_time ? cost(d).bound.step().seconds : static_cast<double>(network_traffic(d).number);
      const double least =
          by == criterion::step_time ? best.best.step_bound.seconds : static_cast<double>(best.best.network_bytes.number);
      better += found < least;
      worse += found > least;
      return false;
    });
    CHECK(better == 0);
    CHECK(worse > 3);
  }
}

// 64 GPUs that all work take no longer than half of them.
TEST_CASE("weighed against GPUs, the step's time decides where it counts more") {
  const auto gpus = [](std::int64_t of_gpus, std::int64_t of_time) {
    return best_strategy(
               few(), ranking::by_weight(ranking::entry{criterion::gpus, of_gpus}, ranking::entry{criterion::step_time, of_time}))
        .best.gpus;
  };
  CHECK(gpus(1000, 1) < gpus(1, 1000));
  CHECK(gpus(1, 1000) == 64);
}

BOTH_TIMES("a visitor that takes counts gets them", [] {
  search_space s = few();
  s.base.cluster.gpu = {};
  saturating_count decided;
  const auto visit = [&](const search_candidate& c, const search_counts& counts) {
    decided = counts.decided();
    return c.number == 1;
  };
  const search_counts all = visit_strategies(s, ranking::in_order(criterion::gpus), visit);
  EXPECT(all.ended);
  EXPECT(all.legal == 2);
  EXPECT(decided == all.decided());
  EXPECT(decided < all.considered);
});
