#pragma once

#include <cstdint>

#include <moeplan/balance/copy_pairs.hpp>
#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/balance/node_groups.hpp>
#include <moeplan/balance/partner_bound.hpp>
#include <moeplan/balance/placement.hpp>
#include <moeplan/balance/scaled_loads.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// How even the best placement of a layer's experts can be at most.

namespace moeplan {

/// What proves that no placement is better.
enum class bound_reason : std::uint16_t {
  mean,   ///< some GPU carries the mean at least
  copies, ///< some expert's copies carry that much each, however the slots are distributed to experts
  node,   ///< some node carries too much, however groups are placed on nodes
  pairs,  ///< heavy copies need light ones beside them, and there are too few (detail::partner_bound)
  search  ///< every placement was tried in which experts are as best_placement was asked to place them (same_expert)
};

/// A load that the busiest GPU of every placement has at least, whether it holds experts twice or not (but see
/// bound_reason::search). A theorem: every rounding on the way goes down. (quality's sums of doubles do not, and may be a part in
/// 2^50 below where the bound is reached.)
struct placement_bound {
  placement_error error{};  ///< where not ok(), nothing else is said
  double max_load = 0;      ///< in the unit of the loads
  double max_over_mean = 1; ///< divided by the mean over all GPUs; 1 where all loads are zero
  bound_reason reason = bound_reason::mean;
};

/// How long to search where a search is needed: the number of changes that are tried.
inline constexpr std::int64_t usual_trials = 20'000;

/// No search makes more trials than these, whatever it is asked for.
inline constexpr std::int64_t most_trials = std::int64_t{1} << 36;

namespace detail {

/// A bound in units, and why.
struct unit_bound {
  std::int64_t most = 0;
  bound_reason reason = bound_reason::mean;

  constexpr void raise(std::int64_t to, bound_reason why) noexcept {
    if (to <= most) return;
    most = to;
    reason = why;
  }
};

[[nodiscard]] constexpr placement_bound in_loads(const unit_bound& b, const load_unit& unit, std::int64_t gpus) noexcept {
  return {.max_load = unit.loads(b.most),
          .max_over_mean = b.reason == bound_reason::mean ? 1 : unit.over_mean(b.most, gpus),
          .reason = b.reason};
}

/// What both the mean and the heaviest copy say, nodes aside. `storage`: two elements for each expert.
[[nodiscard]] constexpr unit_bound bound_pool(const expert_pool& pool, const load_unit& unit,
                                              array_view<std::int64_t> storage) noexcept {
  unit_bound b{unit.mean(pool.gpus)};
  b.raise(spread_copies(pool, storage.part(0, pool.experts()), storage.part(pool.experts(), pool.experts())), bound_reason::copies);
  return b;
}

/// Finds the placement of groups on nodes whose worst node can be most even, into `best` (an element for each group), and what all
/// placements of groups have in common. Returns what the worst node of `best` does not get below.
constexpr std::int64_t place_groups(node_groups& groups, unit_bound& bound, std::int64_t steps,
                                    array_view<std::int64_t> best) noexcept {
  bound.raise(groups.simple_bound(), bound_reason::node);
  std::int64_t worst = groups.deal_groups();
  const auto keep = [&groups, best] {
    for (std::int64_t place = 0; place < best.size(); ++place) best[place] = groups.placed()[place];
  };
  keep();
  if (worst <= bound.most) return worst;
  const auto better = [&](std::int64_t floor) {
    keep();
    return worst = floor;
  };
  if (groups.visit(worst, steps, better)) bound.raise(worst, bound_reason::node);
  return worst;
}

/// Raises the bound by weighing copies against their partners, up to what a placement is known to reach. Where no expert weighs
/// more than half of the bound, no copy is ever heavy.
constexpr void raise_by_partners(const expert_pool& pool, unit_bound& bound, std::int64_t reached, std::int64_t trials,
                                 array_view<std::int64_t> storage) noexcept {
  if (!partner_bound::fits(pool) || reached <= bound.most) return;
  std::int64_t heaviest = 0;
  for (const std::int64_t load : pool.loads) heaviest = load > heaviest ? load : heaviest;
  if (heaviest <= bound.most / 2) return;
  const std::int64_t rounds = trials < 8 ? trials : 8 + trials / 8192;
  const std::int64_t iterations = trials / 200 + 1;
  bound.raise(partner_bound{pool, storage}.raise(bound.most, reached, rounds, iterations), bound_reason::pairs);
}

/// What choosing nodes for groups takes, under either policy.
[[nodiscard]] constexpr std::int64_t groups_storage(const placement_shape& s) noexcept {
  // A policy that looks at nodes and groups has no more of them than experts; another one takes any number, and no storage for it.
  const std::int64_t groups = s.groups < s.experts ? s.groups : s.experts;
  const std::int64_t nodes = s.nodes < s.experts ? s.nodes : s.experts;
  return node_groups::storage({.experts = s.experts, .slots = s.slots, .groups = groups, .gpus = s.gpus}) + 3 * nodes + groups;
}

/// As many of the nodes' pools as the policy makes: one where groups and nodes say nothing.
[[nodiscard]] constexpr placement_shape pools_of(const placement_shape& s, placement_policy policy) noexcept {
  if (policy == placement_policy::hierarchical && s.nodes > 1) return s;
  return {.experts = s.experts, .slots = s.slots, .gpus = s.gpus};
}

/// All that bound_placement looks at. Preconditions: valid shape and loads, enough scratch.
[[nodiscard]] constexpr placement_bound prove_bound(const placement_shape& s, array_view<const std::int64_t> loads,
                                                    placement_policy policy, array_view<std::int64_t> scratch,
                                                    std::int64_t trials) noexcept {
  const placement_shape pools = pools_of(s, policy);
  storage_parts parts{scratch};
  const load_unit unit = unit_of(loads);
  const auto units = parts.take(s.experts);
  for (std::int64_t e = 0; e < s.experts; ++e) units[e] = unit.units(loads[e]);
  const expert_pool all{units, s.slots, s.gpus};
  const auto spread = parts.take(2 * s.experts);
  unit_bound bound = bound_pool(all, unit, spread);
  if (pools.nodes > 1) {
    node_groups groups{pools, units, parts.take(node_groups::storage(pools))};
    place_groups(groups, bound, trials, parts.take(pools.groups));
  }
  if (s.slots_per_gpu() == 2) {
    copy_pairs pairs{parts.take(s.slots), parts.take(s.slots)};
    list_copies(all, spread.part(0, s.experts), parts.take(s.experts), pairs);
    raise_by_partners(all, bound, pairs.judge(0).most, trials, parts.left);
  } else {
    raise_by_partners(all, bound, 2 * bound.most, trials / 4, parts.left); // Seldom more, and seldom that.
  }
  return in_loads(bound, unit, s.gpus);
}

} // namespace detail

/// How many elements of scratch bound_placement needs, whatever the policy. Precondition: a shape that check_shape accepts for some
/// policy.
[[nodiscard]] constexpr std::int64_t placement_bound_scratch(const placement_shape& s) noexcept {
  return 4 * s.experts + 2 * s.slots + detail::groups_storage(s) + detail::partner_bound::storage(s.experts);
}

/// The bound for one layer. The largest of
/// - the mean over GPUs;
/// - what the heaviest copy carries when each further slot goes to the expert whose copies carry most, which makes it lightest;
/// - under the hierarchical policy, the same two for the nodes, for the placement of groups where the worst node has least (where
///   `trials` suffice to try all), and the node of the heaviest group with the lightest ones beside it;
/// - with two slots or more on each GPU, what detail::partner_bound proves of heavy copies and the light ones that go with them.
/// Deterministic. More `trials` sharpen it; each bound is proven, with few of them too.
[[nodiscard]] constexpr placement_bound bound_placement(const placement_shape& s, array_view<const std::int64_t> loads,
                                                        placement_policy policy, array_view<std::int64_t> scratch,
                                                        std::int64_t trials = usual_trials) noexcept {
  if (const placement_error e = check_shape(s, policy); !e.ok()) return {.error = e};
  if (const placement_error e = check_loads(s, loads); !e.ok()) return {.error = e};
  if (const std::int64_t needed = placement_bound_scratch(s); scratch.size() < needed)
    return {.error = {placement_problem::storage_too_small, scratch.size(), needed}};
  return detail::prove_bound(s, loads, policy, scratch, trials < most_trials ? trials : most_trials);
}

} // namespace moeplan
