#include <moeplan/balance/placement.hpp>

#include <cstdint>

#include "balance/placed.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

// The first layer of the example of EPLB's README, and where EPLB puts its experts.
constexpr placed<16, 12> readme{
    .shape = {.experts = 12, .slots = 16, .groups = 4, .nodes = 2, .gpus = 8},
    .loads = {90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86},
    .physical_to_logical = {5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1},
    .logical_count = {1, 2, 1, 1, 2, 2, 1, 1, 1, 1, 2, 1},
};

BOTH_TIMES("loads of GPUs", [] {
  constexpr double expected[] = {121.5, 86.5, 125, 113, 147.5, 131.5, 156, 152};
  for (int gpu = 0; gpu < 8; ++gpu) {
    EXPECT(gpu_load(readme.view(), gpu) == expected[gpu]);
    EXPECT(exact_gpu_load(readme.view(), gpu) == ratio{static_cast<std::int64_t>(2 * expected[gpu]), 2});
  }
});

BOTH_TIMES("how even a placement is", [] {
  constexpr placement_quality q = evaluate(readme.view());
  EXPECT(q == placement_quality{.max_load = 156, .mean_load = 129.125, .busiest_gpu = 6, .gpus_with_an_expert_twice = 0});
  EXPECT(q.max_over_mean() == 156 / 129.125);
});

BOTH_TIMES("thirds are exact as fractions", [] {
  constexpr placed<4, 2> p{.shape = {.experts = 2, .slots = 4, .gpus = 2},
                           .loads = {10, 1},
                           .physical_to_logical = {0, 0, 0, 1},
                           .logical_count = {3, 1}};
  EXPECT(exact_gpu_load(p.view(), 0) == ratio{20, 3});
  EXPECT(exact_gpu_load(p.view(), 1) == ratio{13, 3});
  EXPECT(evaluate(p.view()).gpus_with_an_expert_twice == 1);
  EXPECT(holds_an_expert_twice(p.view(), 0));
  EXPECT(!holds_an_expert_twice(p.view(), 1));
});

BOTH_TIMES("a mean of loads whose sum exceeds 64 bits", [] {
  constexpr std::int64_t n = std::int64_t{1} << 62;
  constexpr std::int64_t loads[] = {n, n, n, n, n, n, n, n};
  EXPECT(mean_gpu_load({.experts = 8, .slots = 8, .gpus = 8}, loads) == static_cast<double>(n));
  EXPECT(mean_gpu_load({.experts = 8, .slots = 8, .gpus = 1}, loads) == 8.0 * static_cast<double>(n));
});

BOTH_TIMES("groups on their node", [] {
  EXPECT(groups_stay_on_their_node(readme.view()));

  // An expert of group 2 and one of group 3 in each other's place.
  placed<16, 12> p = readme;
  p.physical_to_logical[1] = 9;
  p.physical_to_logical[9] = 6;
  EXPECT(!groups_stay_on_their_node(p.view()));

  // A copy of expert 5 on both nodes.
  p = readme;
  p.physical_to_logical[2] = 10;
  p.physical_to_logical[8] = 5;
  EXPECT(!groups_stay_on_their_node(p.view()));

  // Whole, but three groups on one node and one on the other.
  constexpr placed<6, 4> uneven{.shape = {.experts = 4, .slots = 6, .groups = 4, .nodes = 2, .gpus = 2},
                                .loads = {},
                                .physical_to_logical = {0, 1, 2, 3, 3, 3},
                                .logical_count = {1, 1, 1, 3}};
  EXPECT(!groups_stay_on_their_node(uneven.view()));
});

BOTH_TIMES("what a placement may hold", [] {
  using enum placement_problem;
  constexpr placement_shape shape{.experts = 3, .slots = 4, .gpus = 2};
  const auto error_of = [&](array_view<const std::int32_t> slots) {
    std::int32_t counts[3]{};
    return check_placement(shape, slots, counts);
  };
  constexpr std::int32_t right[] = {0, 1, 2, 1};
  constexpr std::int32_t short_of_one[] = {0, 1, 2};
  constexpr std::int32_t too_large[] = {0, 1, 2, 3};
  constexpr std::int32_t negative[] = {0, 1, -1, 2};
  constexpr std::int32_t one_missing[] = {0, 2, 2, 0};
  EXPECT(error_of(right).ok());
  EXPECT(error_of(short_of_one) == placement_error{wrong_number_of_slots, 3, 4});
  EXPECT(error_of(too_large) == placement_error{no_such_expert, 3, 3});
  EXPECT(error_of(negative) == placement_error{no_such_expert, 2, -1});
  EXPECT(error_of(one_missing) == placement_error{expert_without_slot, 1});

  std::int32_t counts[] = {9, 9, 9};
  EXPECT(check_placement(shape, right, counts).ok());
  EXPECT(same(counts, {1, 2, 1}));
});

BOTH_TIMES("groups and nodes bind the hierarchical policy alone", [] {
  using enum placement_problem;
  constexpr placement_shape shape{.experts = 6, .slots = 6, .groups = 4, .nodes = 4, .gpus = 3};
  EXPECT(check_shape(shape, placement_policy::global).ok());
  EXPECT(check_shape(shape, placement_policy::hierarchical) == placement_error{experts_not_divisible_by_groups, 6, 4});
  EXPECT(check_shape({.experts = 6, .slots = 6, .groups = 3, .nodes = 2, .gpus = 2}, placement_policy::hierarchical) ==
         placement_error{groups_not_divisible_by_nodes, 3, 2});
  EXPECT(eplb_policy(shape) == placement_policy::hierarchical);
  EXPECT(eplb_policy({.groups = 3, .nodes = 2}) == placement_policy::global);
  EXPECT(eplb_policy({.groups = 3, .nodes = 0}) == placement_policy::global); // which check_shape then refuses
});

BOTH_TIMES("what a policy does not look at is one", [] {
  constexpr placement_shape shape{.experts = 6, .slots = 6, .groups = 4, .nodes = 5, .gpus = 3};
  EXPECT(sizes_under(placement_policy::hierarchical, shape) == shape);
  EXPECT(sizes_under(placement_policy::global, shape) ==
         placement_shape{.experts = 6, .slots = 6, .groups = 1, .nodes = 1, .gpus = 3});
});

BOTH_TIMES("experts to fetch", [] {
  constexpr placement_shape shape{.experts = 4, .slots = 6, .gpus = 2};
  constexpr std::int32_t before[] = {0, 1, 2, 3, 0, 1};
  constexpr std::int32_t same_gpus[] = {2, 0, 1, 0, 1, 3};
  constexpr std::int32_t one_more[] = {0, 1, 3, 3, 0, 1};
  constexpr std::int32_t twice_at_once[] = {3, 3, 0, 0, 1, 2};
  EXPECT(copies_to_fetch(shape, before, before) == 0);
  EXPECT(copies_to_fetch(shape, before, same_gpus) == 0);
  EXPECT(copies_to_fetch(shape, before, one_more) == 1);
  EXPECT(copies_to_fetch(shape, before, twice_at_once) == 2);
});

BOTH_TIMES("without any load no placement is uneven", [] {
  constexpr placed<2, 2> p{
      .shape = {.experts = 2, .slots = 2, .gpus = 2}, .loads = {}, .physical_to_logical = {0, 1}, .logical_count = {1, 1}};
  EXPECT(evaluate(p.view()).max_load == 0);
  EXPECT(evaluate(p.view()).max_over_mean() == 1);
});

} // namespace
