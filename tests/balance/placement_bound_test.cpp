#include <moeplan/balance/placement_bound.hpp>

#include <cstdint>
#include <limits>

#include "balance/example_loads.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t top = std::numeric_limits<std::int64_t>::max();

constexpr placement_bound bound_of(const placement_shape& s, array_view<const std::int64_t> loads,
                                   placement_policy policy = placement_policy::global) {
  std::int64_t scratch[4000]{};
  return bound_placement(s, loads, policy, scratch, 300);
}

// EPLB's README, the first layer: the mean is 129.125. 138.5 and 156 are reached by EPLB.
BOTH_TIMES("the README's first layer", [] {
  constexpr placement_shape s{.experts = 12, .slots = 16, .groups = 4, .nodes = 2, .gpus = 8};
  const placement_bound free = bound_of(s, eplb_layer_0);
  EXPECT(free.error.ok());
  EXPECT(free.max_load >= 129.125);
  EXPECT(free.max_load <= 138.5);
  const placement_bound on_nodes = bound_of(s, eplb_layer_0, placement_policy::hierarchical);
  // Group sums 262, 330, 116, 325: 262 + 330 against 116 + 325, 262 + 116 against the others, or 262 + 325 against 330 + 116, which
  // is the most even: 587 / 4.
  EXPECT(on_nodes.max_load >= 146.75);
  EXPECT(on_nodes.max_load <= 156);
});

BOTH_TIMES("what proves it", [] {
  constexpr std::int64_t hot[]{90, 1, 1, 1};
  const placement_bound copies = bound_of({.experts = 4, .slots = 5, .gpus = 5}, hot);
  EXPECT(copies.reason == bound_reason::copies);
  EXPECT(copies.max_load == 45);
  EXPECT(copies.max_over_mean <= 45 * 5 / 93.0);
  EXPECT(copies.max_over_mean > 45 * 5 / 93.0 - 1e-12);

  constexpr std::int64_t groups[]{8, 8, 1, 1};
  const placement_bound node =
      bound_of({.experts = 4, .slots = 4, .groups = 2, .nodes = 2, .gpus = 2}, groups, placement_policy::hierarchical);
  EXPECT(node.reason == bound_reason::node);
  EXPECT(node.max_load == 16);

  constexpr std::int64_t heavy[]{900, 900, 900, 900, 0, 0};
  const placement_bound partners = bound_of({.experts = 6, .slots = 6, .gpus = 3}, heavy);
  EXPECT(partners.reason == bound_reason::pairs);
  EXPECT(partners.max_load <= 1800);
  EXPECT(partners.max_load > 1790);

  constexpr std::int64_t equal[]{5, 5, 5, 5};
  const placement_bound mean = bound_of({.experts = 4, .slots = 4, .gpus = 2}, equal);
  EXPECT(mean.reason == bound_reason::mean);
  EXPECT(mean.max_load == 10);
  EXPECT(mean.max_over_mean == 1);
});

BOTH_TIMES("nothing, and nearly all that 64 bits hold", [] {
  constexpr std::int64_t nothing[]{0, 0};
  EXPECT(bound_of({.experts = 2, .slots = 4, .gpus = 2}, nothing).max_over_mean == 1);
  EXPECT(bound_of({.experts = 2, .slots = 4, .gpus = 2}, nothing).max_load == 0);
  constexpr std::int64_t huge[]{top, top, top};
  const placement_bound b = bound_of({.experts = 3, .slots = 4, .gpus = 4}, huge);
  EXPECT(b.max_load <= static_cast<double>(top));
  EXPECT(b.max_load >= static_cast<double>(top) * 0.999999999999);
  EXPECT(b.max_over_mean > 1.333333);
  EXPECT(b.max_over_mean < 1.333334);
});

BOTH_TIMES("what is wrong with the input", [] {
  using enum placement_problem;
  constexpr std::int64_t three[]{1, 2, 3};
  constexpr std::int64_t negative[]{1, 2, -3};
  EXPECT(bound_of({.experts = 3, .slots = 5, .gpus = 2}, three).error == placement_error{slots_not_divisible_by_gpus, 5, 2});
  EXPECT(bound_of({.experts = 4, .slots = 4, .gpus = 2}, three).error == placement_error{wrong_number_of_loads, 3, 4});
  EXPECT(bound_of({.experts = 3, .slots = 4, .gpus = 2}, negative).error == placement_error{load_below_zero, 2, -3});
  constexpr placement_shape s{.experts = 3, .slots = 4, .gpus = 2};
  std::int64_t scratch[2000]{};
  const std::int64_t needed = placement_bound_scratch(s);
  EXPECT(bound_placement(s, three, placement_policy::global, {scratch, needed - 1}).error ==
         placement_error{storage_too_small, needed - 1, needed});
  EXPECT(bound_placement(s, three, placement_policy::global, {scratch, needed}, 10).error.ok());
});

} // namespace

BOTH_TIMES("a policy that does not look at nodes takes any number of them, and no storage for it", [] {
  constexpr placement_shape many{
      .experts = 4, .slots = 4, .groups = std::int64_t{1} << 62, .nodes = std::int64_t{1} << 62, .gpus = 2};
  constexpr placement_shape one{.experts = 4, .slots = 4, .gpus = 2};
  EXPECT(placement_bound_scratch(many) >= placement_bound_scratch(one));
  EXPECT(placement_bound_scratch(many) < 2 * placement_bound_scratch(one));
});
