#include <moeplan/balance/best_placement.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "balance/best.hpp"
#include "balance/example_loads.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t top = std::numeric_limits<std::int64_t>::max();

/// Everything that must hold of any placement found.
template <std::size_t Slots, std::size_t Experts>
constexpr void expect_valid(const best_of<Slots, Experts>& b, placement_policy policy = placement_policy::global) {
  EXPECT(b.found.error.ok());
  std::int32_t copies[Experts]{};
  EXPECT(check_placement(b.shape, b.physical_to_logical, copies).ok());
  for (std::int64_t e = 0; e < b.shape.experts; ++e) EXPECT(copies[e] == b.logical_count[e]);
  EXPECT(b.found.quality == evaluate(b.view()));
  EXPECT(policy == placement_policy::global || groups_stay_on_their_node(b.view()));
}

constexpr bool same_slots(array_view<const std::int32_t> a, array_view<const std::int32_t> b) {
  for (std::int64_t slot = 0; slot < a.size(); ++slot)
    if (a[slot] != b[slot]) return false;
  return a.size() == b.size();
}

// EPLB's README. Published: 156 and 179.5 on the busiest GPU under the hierarchical policy, 138.5 and 172 under the global one.
constexpr placement_shape readme{.experts = 12, .slots = 16, .groups = 4, .nodes = 2, .gpus = 8};

BOTH_TIMES("the README's first layer, hierarchical", [] {
  const best_of<16, 12> b{readme, eplb_layer_0, {.policy = placement_policy::hierarchical, .trials = 300}};
  expect_valid(b, placement_policy::hierarchical);
  EXPECT(b.found.quality.gpus_with_an_expert_twice == 0);
  EXPECT(b.most() <= ratio{156});
  EXPECT(b.found.bound.max_load <= b.found.quality.max_load);
});

BOTH_TIMES("the README's second layer, hierarchical", [] {
  const best_of<16, 12> b{readme, eplb_layer_1, {.policy = placement_policy::hierarchical, .trials = 300}};
  expect_valid(b, placement_policy::hierarchical);
  EXPECT(b.most() <= ratio{359, 2});
});

BOTH_TIMES("the README's layers, global", [] {
  const best_of<16, 12> first{readme, eplb_layer_0, {.trials = 100}};
  expect_valid(first);
  EXPECT(first.most() <= ratio{277, 2});
  const best_of<16, 12> second{readme, eplb_layer_1, {.trials = 100}};
  expect_valid(second);
  EXPECT(second.most() <= ratio{172});
});

// Two GPUs of two slots. Apart, the GPUs hold {1, 5} and {1, 6}, {6, 1} and {6, 5}, or {5, 6} and {5, 1}, and the expert they share
// is split: 6.5, 8 and 8.5 at best. Together, 6 and 6 is possible.
BOTH_TIMES("an expert twice on a GPU only where that is allowed", [] {
  constexpr placement_shape two{.experts = 3, .slots = 4, .gpus = 2};
  constexpr std::int64_t loads[]{6, 1, 5};
  const best_of<4, 3> apart{two, loads};
  expect_valid(apart);
  EXPECT(apart.most() == ratio{13, 2});
  EXPECT(apart.found.quality.gpus_with_an_expert_twice == 0);
  EXPECT(apart.found.bound.reason == bound_reason::search);
  EXPECT(apart.found.bound.max_load == 6.5);
  const best_of<4, 3> together{two, loads, {.copies = same_expert::together, .trials = 2000}};
  expect_valid(together);
  EXPECT(together.most() == ratio{6});
  EXPECT(together.found.bound.max_over_mean == 1);
});

BOTH_TIMES("one slot on each GPU: the heaviest copy is as light as it can be", [] {
  constexpr std::int64_t loads[]{9, 2, 4};
  const best_of<5, 3> b{{.experts = 3, .slots = 5, .gpus = 5}, loads};
  expect_valid(b);
  EXPECT(b.most() == ratio{4}); // 3 + 1 + 1 copies: 3, 2, 4. 2 + 1 + 2: 4.5.
  EXPECT(b.found.bound.reason == bound_reason::copies);
  EXPECT(b.found.bound.max_load == 4);
});

BOTH_TIMES("all equal", [] {
  constexpr std::int64_t loads[]{5, 5, 5, 5, 5, 5, 5, 5};
  const best_of<8, 8> b{{.experts = 8, .slots = 8, .gpus = 4}, loads};
  expect_valid(b);
  EXPECT(b.most() == ratio{10});
  EXPECT(b.found.bound.max_over_mean == 1);
});

BOTH_TIMES("all zero", [] {
  constexpr std::int64_t loads[]{0, 0, 0};
  const best_of<6, 3> b{{.experts = 3, .slots = 6, .gpus = 2}, loads};
  expect_valid(b);
  EXPECT(b.most() == ratio{0});
  EXPECT(b.found.bound.max_load == 0);
  EXPECT(b.found.bound.max_over_mean == 1);
  EXPECT(b.found.quality.gpus_with_an_expert_twice == 0);
});

BOTH_TIMES("one hot expert goes everywhere", [] {
  constexpr std::int64_t loads[]{0, 840, 0, 0, 0, 0};
  const best_of<9, 6> b{{.experts = 6, .slots = 9, .gpus = 3}, loads};
  expect_valid(b);
  EXPECT(b.logical_count[1] == 3);
  EXPECT(b.most() == ratio{280});
});

BOTH_TIMES("one expert, one GPU", [] {
  constexpr std::int64_t one[]{7};
  const best_of<6, 1> everywhere{{.experts = 1, .slots = 6, .gpus = 3}, one};
  expect_valid(everywhere);
  EXPECT(everywhere.most() == ratio{7, 3});
  constexpr std::int64_t three[]{1, 2, 3};
  const best_of<3, 3> here{{.experts = 3, .slots = 3, .gpus = 1}, three};
  expect_valid(here);
  EXPECT(here.most() == ratio{6});
  const best_of<7, 3> more{{.experts = 3, .slots = 7, .gpus = 1}, three};
  expect_valid(more);
  EXPECT(more.most() == ratio{6});
});

// Three experts, two GPUs of four slots: each has to hold one of them twice.
BOTH_TIMES("more slots than one for each expert and GPU", [] {
  constexpr std::int64_t loads[]{12, 12, 12};
  const best_of<8, 3> b{{.experts = 3, .slots = 8, .gpus = 2}, loads};
  expect_valid(b);
  for (std::int64_t g = 0; g < 2; ++g)
    for (std::int32_t e = 0; e < 3; ++e) {
      std::int64_t copies = 0;
      for (std::int64_t slot = 4 * g; slot < 4 * g + 4; ++slot) copies += b.physical_to_logical[slot] == e ? 1 : 0;
      EXPECT(copies <= 2);
    }
});

BOTH_TIMES("loads near 2^63", [] {
  constexpr std::int64_t loads[]{top, top - 1, top / 2, top / 2, 1, 0};
  const best_of<8, 6> b{{.experts = 6, .slots = 8, .gpus = 4}, loads};
  EXPECT(b.found.error.ok());
  EXPECT(b.found.quality.gpus_with_an_expert_twice == 0);
  // Two slots to spare. Unless both of the large ones are split, one stays whole; if both are, six halves are on four GPUs.
  EXPECT(b.found.quality.max_load >= 0.999999 * static_cast<double>(top));
  EXPECT(b.found.quality.max_load <= 1.000001 * static_cast<double>(top));
  EXPECT(b.found.bound.max_load <= b.found.quality.max_load);
  EXPECT(b.found.bound.max_over_mean >= 1);
});

BOTH_TIMES("what is wrong with the input", [] {
  constexpr std::int64_t three[]{1, 2, 3};
  constexpr std::int64_t negative[]{1, -2, 3};
  using enum placement_problem;
  EXPECT(best_of<8, 3>({.experts = 3, .slots = 8, .gpus = 3}, three).found.error ==
         placement_error{slots_not_divisible_by_gpus, 8, 3});
  EXPECT(best_of<2, 3>({.experts = 3, .slots = 2, .gpus = 2}, three).found.error ==
         placement_error{fewer_slots_than_experts, 2, 3});
  EXPECT(best_of<4, 3>({.experts = 3, .slots = 4, .gpus = 0}, three).found.error == placement_error{gpus_below_one, 0});
  EXPECT(best_of<4, 3>({.experts = 4, .slots = 4, .gpus = 2}, three).found.error == placement_error{wrong_number_of_loads, 3, 4});
  EXPECT(best_of<4, 3>({.experts = 3, .slots = 4, .gpus = 2}, negative).found.error == placement_error{load_below_zero, 1, -2});
  EXPECT(best_of<4, 3>({.experts = 3, .slots = 4, .groups = 3, .nodes = 2, .gpus = 2}, three,
                       {.policy = placement_policy::hierarchical})
             .found.error == placement_error{groups_not_divisible_by_nodes, 3, 2});
  EXPECT(best_of<3, 3>({.experts = 3, .slots = 4, .gpus = 2}, three).found.error == placement_error{storage_too_small, 3, 4});
});

BOTH_TIMES("too little storage", [] {
  constexpr std::int64_t loads[]{1, 2, 3};
  constexpr placement_shape s{.experts = 3, .slots = 4, .gpus = 2};
  std::int32_t slots[4]{};
  std::int32_t copies[2]{};
  std::int64_t scratch[1000]{};
  const std::int64_t needed = best_placement_scratch(s);
  EXPECT(best_placement(s, loads, {}, slots, copies, scratch).error == placement_error{placement_problem::storage_too_small, 2, 3});
  std::int32_t enough[3]{};
  EXPECT(best_placement(s, loads, {}, slots, enough, array_view<std::int64_t>{scratch, needed - 1}).error ==
         placement_error{placement_problem::storage_too_small, needed - 1, needed});
  EXPECT(best_placement(s, loads, {.trials = 100}, slots, enough, array_view<std::int64_t>{scratch, needed}).error.ok());
});

// The README's layers one after the other, as if the second had come after the first.
BOTH_TIMES("after a previous placement", [] {
  const best_of<16, 12> before{readme, eplb_layer_0, {.trials = 50}};
  for (const std::int64_t most : {0, 2, 5}) {
    const best_of<16, 12> after{
        readme, eplb_layer_1, {.trials = 50, .previous = before.physical_to_logical, .most_moves = optional_integer{most}}};
    expect_valid(after);
    EXPECT(after.found.moves <= most);
    EXPECT(after.found.moves == copies_to_fetch(readme, before.physical_to_logical, after.physical_to_logical));
    EXPECT(most > 0 || same_slots(before.physical_to_logical, after.physical_to_logical));
    EXPECT(after.found.move_bytes(1000) == after.found.moves * 1000);
  }
});

constexpr void expect_the_same_in_place(optional_integer most_moves) {
  best_of<16, 12> b{readme, eplb_layer_0, {.trials = 50}};
  const placement_wish wish{.trials = 50, .previous = b.physical_to_logical, .most_moves = most_moves};
  const best_of<16, 12> apart{readme, eplb_layer_1, wish};
  std::int64_t scratch[5000]{};
  const found_placement in_place = best_placement(readme, eplb_layer_1, wish, b.physical_to_logical, b.logical_count, scratch);
  EXPECT(in_place.moves == apart.found.moves && in_place.moves > 0);
  EXPECT(in_place.quality == apart.found.quality);
  EXPECT(same_slots(b.physical_to_logical, apart.physical_to_logical));
}

BOTH_TIMES("the new placement may be written over the previous one", [] { expect_the_same_in_place({}); });
BOTH_TIMES("so may one that only a few moves lead to", [] { expect_the_same_in_place(3); });

BOTH_TIMES("a previous placement that is none, or that no step can start from", [] {
  constexpr std::int32_t without_11[]{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4};
  EXPECT(best_of<16, 12>(readme, eplb_layer_0, {.previous = without_11}).found.error ==
         placement_error{placement_problem::expert_without_slot, 11});
  constexpr std::int32_t split[]{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 6, 7, 8}; // expert 0 on both nodes
  EXPECT(best_of<16, 12>(readme, eplb_layer_0, {.policy = placement_policy::hierarchical, .previous = split, .most_moves = 3})
             .found.error == placement_error{placement_problem::group_on_several_nodes, 0});
  const best_of<16, 12> free{readme, eplb_layer_0, {.policy = placement_policy::hierarchical, .trials = 50, .previous = split}};
  expect_valid(free, placement_policy::hierarchical);
});

} // namespace
