#include <moeplan/search/strategy_search.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>

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
