#include <moeplan/balance/redundancy.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// One expert with half the load on four GPUs: its copies carry 60, 30, 20, 15; the mean is 30.
BOTH_TIMES("slot after slot on each GPU", [] {
  constexpr std::int64_t loads[]{60, 20, 20, 20};
  std::int64_t scratch[1000]{};
  redundancy_point points[3]{};
  std::int64_t visited = 0;
  const auto keep = [&](const redundancy_point& p) { points[visited++] = p; };
  const placement_error e =
      visit_redundancy({.experts = 4, .slots = 12, .gpus = 4}, loads, placement_policy::global, scratch, keep, 300);
  EXPECT(e.ok());
  EXPECT(visited == 3);
  EXPECT(points[0].slots == 4);
  EXPECT(points[0].redundant == 0);
  EXPECT(points[0].bound.max_load == 60);
  EXPECT(points[0].bound.max_over_mean <= 2);
  EXPECT(points[0].bound.max_over_mean > 2 - 1e-12);
  EXPECT(points[1].redundant == 4);
  EXPECT(points[1].bound.max_load >= 30);
  EXPECT(points[1].bound.max_load <= 30); // 15 + 15 and three of 20 with 10: 60 / 4 and one more each
  EXPECT(points[2].redundant == 8);
  EXPECT(points[2].bound.max_over_mean == 1);
});

BOTH_TIMES("only multiples of the GPUs that hold all experts", [] {
  constexpr std::int64_t loads[]{1, 2, 3, 4, 5};
  std::int64_t scratch[1500]{};
  std::int64_t slots = 4;
  const auto next = [&slots](const redundancy_point& p) {
    slots += 2;
    EXPECT(p.slots == slots);
    EXPECT(p.redundant == slots - 5);
    EXPECT(p.bound.error.ok());
  };
  EXPECT(visit_redundancy({.experts = 5, .slots = 10, .gpus = 2}, loads, placement_policy::global, scratch, next, 100).ok());
  EXPECT(slots == 10);
});

BOTH_TIMES("what is wrong with the input", [] {
  constexpr std::int64_t loads[]{1, 2, 3};
  std::int64_t scratch[1000]{};
  const auto never = [](const redundancy_point&) { EXPECT(false); };
  constexpr placement_shape s{.experts = 3, .slots = 4, .gpus = 2};
  EXPECT(visit_redundancy({.experts = 3, .slots = 5, .gpus = 2}, loads, placement_policy::global, scratch, never) ==
         placement_error{placement_problem::slots_not_divisible_by_gpus, 5, 2});
  EXPECT(visit_redundancy(s, array_view<const std::int64_t>{loads, 2}, placement_policy::global, scratch, never) ==
         placement_error{placement_problem::wrong_number_of_loads, 2, 3});
  EXPECT(visit_redundancy(s, loads, placement_policy::global, array_view<std::int64_t>{scratch, 3}, never).problem ==
         placement_problem::storage_too_small);
});

} // namespace
