#include <moeplan/balance/capacity.hpp>

#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr saturating_count capacity(std::int64_t tokens, std::int64_t routed, std::int64_t top_k, ratio factor,
                                    capacity_rule rule = capacity_rule::exact, std::int64_t minimum = 0) {
  return expert_capacity({.routed = routed, .top_k = top_k}, {.capacity_factor = factor}, tokens, rule, minimum);
}

BOTH_TIMES("capacity is an expert's share of a rank's copies, rounded up", [] {
  EXPECT(capacity(4096, 8, 2, {1}) == 1024);
  EXPECT(capacity(4096, 8, 2, {5, 4}) == 1280);
  EXPECT(capacity(4096, 64, 8, {1}) == 512);
  EXPECT(capacity(4096, 256, 8, {1}) == 128);
  EXPECT(capacity(1000, 64, 6, {5, 4}) == 118); // 117.1875
  EXPECT(capacity(7, 4, 2, {1}) == 4);          // 3.5
  EXPECT(capacity(4096, 160, 6, {1}) == 154);   // 153.6
  EXPECT(capacity(4096, 160, 6, {5, 4}) == 192);
  EXPECT(capacity(4096, 160, 6, {1, 2}) == 77); // 76.8
  EXPECT(capacity(1, 160, 6, {1}) == 1);
  EXPECT(capacity(0, 160, 6, {1}) == 0);
});

// The frameworks' own formulas, evaluated in Python, whose numbers are doubles (and rounded to float for DeepSpeed).
BOTH_TIMES("frameworks compute in floating point, and not the same", [] {
  struct example {
    std::int64_t tokens, routed, top_k;
    ratio factor;
    std::int64_t exact, megatron, deepspeed, maxtext, mesh_tensorflow;
  };
  constexpr example examples[] = {
      {4096, 8, 2, {1}, 1024, 1024, 1024, 1024, 512},
      {4096, 8, 2, {5, 4}, 1280, 1280, 1280, 1280, 640},
      {1000, 64, 6, {5, 4}, 118, 118, 118, 117, 19},
      {7, 4, 2, {1}, 4, 4, 4, 4, 1},
      {4096, 160, 6, {11, 10}, 169, 169, 169, 169, 28},
      {100, 1, 1, {11, 10}, 110, 111, 110, 110, 100}, // 100 x 1.1 is 110.00000000000001 in double, 110 in float
      {100, 1, 1, {3, 10}, 30, 30, 31, 30, 30},       // 100 x 0.3 is 30 in double, 30.000002 in float
      {1000, 3, 1, {6, 5}, 400, 400, 401, 400, 400},
      {1, 256, 8, {3, 2}, 1, 1, 1, 1, 0},
      {1, 256, 8, {0}, 0, 0, 0, 0, 0},
  };
  for (const example& x : examples) {
    EXPECT(capacity(x.tokens, x.routed, x.top_k, x.factor) == x.exact);
    EXPECT(capacity(x.tokens, x.routed, x.top_k, x.factor, capacity_rule::megatron) == x.megatron);
    EXPECT(capacity(x.tokens, x.routed, x.top_k, x.factor, capacity_rule::deepspeed) == x.deepspeed);
    EXPECT(capacity(x.tokens, x.routed, x.top_k, x.factor, capacity_rule::maxtext) == x.maxtext);
    EXPECT(capacity(x.tokens, x.routed, x.top_k, x.factor, capacity_rule::mesh_tensorflow) == x.mesh_tensorflow);
  }
});

BOTH_TIMES("a capacity has a minimum", [] {
  EXPECT(capacity(16, 64, 1, {1}, capacity_rule::deepspeed) == 1);
  EXPECT(capacity(16, 64, 1, {1}, capacity_rule::deepspeed, 4) == 4);
  EXPECT(capacity(1024, 64, 1, {1}, capacity_rule::deepspeed, 4) == 16);
  EXPECT(capacity(1, 64, 1, {1}, capacity_rule::mesh_tensorflow, 4) == 4);
});

BOTH_TIMES("a capacity that does not fit says so", [] {
  constexpr std::int64_t many = std::int64_t{1} << 62;
  EXPECT(capacity(many, 256, 8, {1}).overflowed());
  EXPECT(capacity(many, 256, 8, {1}, capacity_rule::exact, 4).overflowed());
  EXPECT(capacity(many, 256, 2, {1}) == many / 128);
  // A double would already be another number.
  EXPECT(capacity(many / 4, 2, 1, {1}) == many / 8);
  EXPECT(capacity(many / 4, 2, 1, {1}, capacity_rule::megatron).overflowed());
  EXPECT(capacity(10, 2, 1, {many, 3}, capacity_rule::megatron).overflowed());
  EXPECT(capacity(std::int64_t{1} << 53, 1, 1, {1}, capacity_rule::megatron) == std::int64_t{1} << 53);
  EXPECT(capacity(std::int64_t{1} << 53, 1, 1, {std::int64_t{1} << 53}, capacity_rule::megatron).overflowed());
});

constexpr std::int64_t loads[] = {10, 0, 5, 25};

BOTH_TIMES("what a capacity keeps, drops and leaves empty", [] {
  EXPECT(under_capacity(loads, 10) == capacity_outcome{.kept = 25, .dropped = 15, .empty = 15});
  EXPECT(under_capacity(loads, 0) == capacity_outcome{.kept = 0, .dropped = 40, .empty = 0});
  EXPECT(under_capacity(loads, 25) == capacity_outcome{.kept = 40, .dropped = 0, .empty = 60});
  EXPECT(under_capacity(loads, 10).dropped_share() == ratio{3, 8});
  EXPECT(under_capacity(loads, 10).empty_share() == ratio{3, 8}); // as many slots as copies
  EXPECT(under_capacity(loads, 20).dropped_share() == ratio{1, 8});
  EXPECT(under_capacity(loads, 20).empty_share() == ratio{9, 16});
});

BOTH_TIMES("without copies nothing is dropped", [] {
  constexpr std::int64_t none[] = {0, 0, 0};
  EXPECT(under_capacity(none, 4) == capacity_outcome{.kept = 0, .dropped = 0, .empty = 12});
  EXPECT(under_capacity(none, 4).dropped_share() == ratio{0});
  EXPECT(under_capacity(none, 4).empty_share() == ratio{1});
  EXPECT(under_capacity(none, 0).empty_share() == ratio{0});
  EXPECT(under_capacity({}, 4) == capacity_outcome{});
  EXPECT(capacity_that_drops(none, ratio{0}) == least_capacity{});
  EXPECT(capacity_that_drops({}, ratio{0}) == least_capacity{});
});

BOTH_TIMES("the smallest capacity that drops at most a share", [] {
  // Mean load 10.
  EXPECT(capacity_that_drops(loads, ratio{0}) == least_capacity{.capacity = 25, .factor = {5, 2}, .above = {12, 5}});
  EXPECT(capacity_that_drops(loads, {1, 40}) == least_capacity{.capacity = 24, .factor = {12, 5}, .above = {23, 10}});
  EXPECT(capacity_that_drops(loads, {1, 41}).capacity == 25);
  EXPECT(capacity_that_drops(loads, {3, 8}).capacity == 10);
  EXPECT(capacity_that_drops(loads, {14, 40}).capacity == 11);
  EXPECT(capacity_that_drops(loads, {39, 40}).capacity == 1);
  EXPECT(capacity_that_drops(loads, {39, 40}).above == ratio{0});
  EXPECT(capacity_that_drops(loads, ratio{1}) == least_capacity{});
});

// 40 copies of 4 experts: 20 tokens that choose two each.
BOTH_TIMES("the factor gives the capacity, and no other factor in its range another one", [] {
  for (std::int64_t dropped = 0; dropped < 40; ++dropped) {
    const least_capacity least = capacity_that_drops(loads, {dropped, 40});
    const saturating_count expected = least.capacity.value();
    EXPECT(capacity(20, 4, 2, least.factor) == expected);
    EXPECT(capacity(20, 4, 2, least.above + ratio{1, 1000}) == expected);
    if (least.capacity > 1) EXPECT(capacity(20, 4, 2, least.above) + 1 == expected);
    EXPECT(under_capacity(loads, least.capacity).dropped <= dropped);
    EXPECT(under_capacity(loads, least.capacity - 1).dropped > dropped);
  }
});

// Of 3 M copies, with M = 2^63 - 1, half may go: 3 (M - C) <= 3 M / 2 from C = 2^62 on.
BOTH_TIMES("loads whose sum needs more than 64 bits", [] {
  constexpr std::int64_t most = INT64_MAX;
  constexpr std::int64_t half = std::int64_t{1} << 62;
  constexpr std::int64_t huge[] = {most, most, most};
  EXPECT(capacity_that_drops(huge, {1, 2}) == least_capacity{.capacity = half, .factor = {half, most}, .above = {half - 1, most}});
  EXPECT(capacity_that_drops(huge, ratio{0}) == least_capacity{.capacity = most, .factor = {1}, .above = {most - 1, most}});
  EXPECT(capacity_that_drops(huge, ratio{1}) == least_capacity{});
});

BOTH_TIMES("choices that are kept where all experts are loaded evenly", [] {
  EXPECT(kept_choices({}) == 1 && kept_choices({.capacity_factor = {5, 4}}) == 1 && kept_choices({.capacity_factor = {1, 1}}) == 1);
  EXPECT(kept_choices({.capacity_factor = {3, 4}}) == 0.75);
});

} // namespace

TEST_CASE("at run time sums that do not fit say so") {
  constexpr std::int64_t most = INT64_MAX;
  const std::int64_t huge[] = {most, most, most};
  CHECK(under_capacity(huge, count{most}).kept.overflowed());
  CHECK(under_capacity(huge, 0).dropped.overflowed());
  CHECK(under_capacity(huge, 0).dropped_share().overflowed());
  // Half of 2^65 - 5 may go. Any capacity leaves a factor of it over a number that needs more than 64 bits in lowest terms, as that is prime
  // to 4 and to the capacity.
  const std::int64_t large[] = {most, most, most, most - 1};
  const least_capacity least = capacity_that_drops(large, {1, 2});
  CHECK(least.capacity == std::int64_t{1} << 62);
  CHECK(least.factor.overflowed());
}

TEST_CASE("a share that is none gives no capacity") {
  const least_capacity none = capacity_that_drops(loads, ratio{count{count::top}});
  CHECK(none.capacity.overflowed());
  CHECK(none.factor.overflowed());
  CHECK(none.above.overflowed());
}
