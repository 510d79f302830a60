#include <moeplan/search/strategy_search.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/search/measured_strategies.hpp>
#include <moeplan/search/rank_orders.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr search_space few() {
  search_space s;
  s.base = {.model = catalog::mixtral_8x7b,
            .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 8},
            .workload = training{.global_batch = 256, .sequence_length = 4096, .sharding = sharding::optimizer}};
  s.tp = {1, 3, 4};
  s.cp = 1;
  s.sp = 1;
  s.ep = {8, 5};
  s.etp = 1;
  s.pp = {4, 5};
  s.vpp = 1;
  s.dp = {8, 16};
  return s;
}

struct counting {
  std::uint64_t end_at = 1 << 20;
  std::uint64_t seen = 0;
  constexpr bool operator()(const search_candidate& c) noexcept { return ++seen, c.number + 1 == end_at; }
};

/// Listens, and learns how far the search has come whether anything is legal or not.
struct listening {
  saturating_count decided_last{};
  std::uint64_t told = 0;
  constexpr bool operator()(const search_candidate&) noexcept { return false; }
  constexpr void decided(const search_counts& c) noexcept {
    ++told;
    decided_last = c.decided();
  }
};

/// What a search works on, beside its space and its visitor.
static_assert(sizeof(detail::strategy_search<counting>) < 160'000);

constexpr saturating_count total(const search_counts& c) {
  saturating_count all = c.legal;
  for (const saturating_count n : c.rejected) all += n;
  return all;
}

} // namespace

// 3 x 2 x 2 x 2 strategies. 3 divides no 32 heads: 8 of them. 5 divides no 8 experts: 8 of the rest. 5 no 32 layers: 4 of the rest. TP 1 and
// TP 4 remain with EP 8, PP 4, DP 8 and 16; TP 4 x PP 4 x DP 8 is 128 GPUs.
BOTH_TIMES("every strategy is counted once, under the first rule that rejects it", [] {
  counting visit;
  const search_counts c = visit_strategies(few(), visit);
  EXPECT(c.considered == saturating_count{24});
  EXPECT(total(c) == c.considered);
  EXPECT(c.rejected_by(rule::heads_divide_by_tp) == saturating_count{8});
  EXPECT(c.rejected_by(rule::experts_divide_by_ep) == saturating_count{8});
  EXPECT(c.rejected_by(rule::layers_divide_by_pp) == saturating_count{4});
  EXPECT(c.rejected_by(rule::gpus_are_available) == saturating_count{2});
  EXPECT(c.legal == visit.seen);
  EXPECT(!c.ended);
});

BOTH_TIMES("a visitor ends the search", [] {
  search_space s = few();
  s.tp = 1;
  s.ep = 8;
  s.pp = 4;
  s.base.cluster.gpu = {};
  counting visit{.end_at = 1};
  const search_counts c = visit_strategies(s, visit);
  EXPECT(c.ended);
  EXPECT(c.legal == 1);
  EXPECT(visit.seen == 1);
  EXPECT(c.memories == 0); // The GPU is not described.
});

BOTH_TIMES("a visitor that listens is told of what is rejected, also where nothing is legal", [] {
  search_space s = few();
  s.tp = {1, 3};
  s.dp = {24, 32}; // 24 divides no batch of 256, 32 of them are 128 GPUs.
  listening visit;
  const search_counts c = visit_strategies(s, visit);
  EXPECT(c.legal == 0);
  EXPECT(c.considered == saturating_count{16});
  EXPECT(visit.decided_last == c.considered);
  EXPECT(visit.told > 3); // many at once
  EXPECT(visit.told < 16);
});

BOTH_TIMES("so is one behind a ranking", [] {
  search_space s = few();
  s.tp = 3;
  listening visit;
  (void)visit_strategies(s, ranking::in_order(criterion::gpus), visit);
  EXPECT(visit.decided_last == saturating_count{8});
  EXPECT(visit.told == 1);
});

// EDP is an eighth of DP, and so PP is to stand last; one order names no DP.
BOTH_TIMES("each order of ranks is tried with each strategy, one after the other", [] {
  search_space s = few();
  s.tp = 1;
  s.ep = 8;
  s.pp = 4;
  s.dp = {8, 16};
  s.base.cluster.gpu = {};
  for (const char* order : {"tp-cp-ep-pp", "ep-tp-cp-dp-pp", "pp-tp-cp-ep-dp", "tp-cp-ep-dp-pp"})
    s.orders.push_back(rank_order{order});
  sequence<rank_order, 4> legal;
  const search_counts c = visit_strategies(s, [&legal](const search_candidate& found) {
    legal.push_back(found.strategy.order);
    return false;
  });
  EXPECT(c.considered == saturating_count{8});
  EXPECT(c.rejected_by(rule::order_names_dp) == saturating_count{2});
  EXPECT(c.rejected_by(rule::order_ends_with_pp) == saturating_count{2});
  EXPECT(c.legal == 4);
  EXPECT(legal[0] == rank_order{"ep-tp-cp-dp-pp"} && legal[1] == rank_order{});
  EXPECT(legal[2] == legal[0] && legal[3] == legal[1]);
});

// Whatever order the deployment has.
BOTH_TIMES("the nearest order of ranks is what rank_orders() finds for each strategy", [] {
  search_space s = few();
  s.base.strategy.order = rank_order{"pp-dp-ep-cp-tp"};
  s.base.cluster.gpu = {};
  s.tp = {1, 4};
  s.ep = 8;
  s.pp = 4;
  s.nearest_order = true;
  int found = 0;
  const search_counts c = visit_strategies(s, [&](const search_candidate& candidate) {
    const deployment d = deployment_of(s, candidate);
    EXPECT(d.strategy.order == rank_orders(d).orders[0].order);
    return ++found == 2;
  });
  EXPECT(found == 2);
  EXPECT(c.rejected_by(rule::order_ends_with_pp) == saturating_count{0});
});

// Memory is that of a strategy, whatever its order is.
TEST_CASE("more orders of ranks take no more memories to compute") {
  search_space s = few();
  const search_counts one = visit_strategies(s, [](const search_candidate&) { return false; });
  s.orders.push_back(rank_order{});
  s.orders.push_back(rank_order{"ep-tp-cp-dp-pp"});
  const search_counts two = visit_strategies(s, [](const search_candidate&) { return false; });
  CHECK(one.legal > 0);
  CHECK(two.legal == 2 * one.legal);
  CHECK(two.memories == one.memories);
}

BOTH_TIMES("what no strategy can mend rejects all at once", [] {
  search_space s = few();
  s.base.model.layers = 0;
  counting visit;
  search_counts c = visit_strategies(s, visit);
  EXPECT(c.rejected_by(rule::layers_are_at_least_1) == c.considered);
  s = few();
  s.base.cluster = {};
  s.dp = {};
  c = visit_strategies(s, visit);
  EXPECT(c.rejected_by(rule::dp_can_be_derived) == c.considered);
  EXPECT(visit.seen == 0);
});

TEST_CASE("what all GPUs together do not hold is rejected by memory alone") {
  search_space s;
  s.base = few().base;
  s.base.model = catalog::deepseek_v3;
  s.base.cluster.nodes = 1;
  counting visit;
  const search_counts c = visit_strategies(s, visit);
  CHECK(c.legal == 0);
  CHECK((total(c) == c.considered));
  CHECK((c.rejected_by(rule::stage_fits_memory) > saturating_count{0}));
  CHECK(c.memories == 0); // Parameters alone are too many.
}

TEST_CASE("a free micro-batch takes the divisors of the global batch, and what exceeds a replica's share is no divisor of it") {
  search_space s = few();
  s.tp = 1;
  s.ep = 8;
  s.pp = 4;
  s.dp = 16;
  s.base.cluster.gpu = {};
  s.micro_batch = search_values{};
  std::int64_t sum = 0;
  const search_counts c = visit_strategies(s, [&sum](const search_candidate& found) {
    sum += found.micro_batch;
    return false;
  });
  CHECK((c.considered == saturating_count{9})); // of 256
  CHECK(c.legal == 5);                          // of 256 / 16
  CHECK(sum == 1 + 2 + 4 + 8 + 16);
  CHECK((c.rejected_by(rule::global_batch_divides_by_dp) == saturating_count{4}));
}

TEST_CASE("degrees of any size are judged") {
  search_space s = few();
  s.tp = {__INT64_MAX__, 0, -5, 1};
  s.pp = {__INT64_MAX__, 4};
  s.dp = {__INT64_MAX__, 16};
  s.ep = {-__INT64_MAX__ - 1, 8};
  counting visit;
  const search_counts c = visit_strategies(s, visit);
  CHECK((total(c) == c.considered));
  CHECK((c.considered == saturating_count{32}));
  CHECK(c.legal == 1);
}
