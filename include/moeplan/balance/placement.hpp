#pragma once

#include <cstdint>

#include <moeplan/balance/placement_shape.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// What every algorithm that places experts shares: which sizes, loads and placements are valid, and how good a placement is.
/// A placement is physical_to_logical, the expert in each slot, as in DeepSeek's EPLB (phy2log); logical_count, how many slots each
/// expert has (logcnt), follows from it.

namespace moeplan {

/// Where an expert's copies may go.
enum class placement_policy : std::uint16_t {
  hierarchical, ///< groups of consecutive experts, as many on each node, and every copy of a group's experts on the group's node
  global        ///< any slot; groups and nodes say nothing
};

/// Which policy EPLB takes: the hierarchical one if the nodes divide the groups, else the global one. Source: eplb.py
/// rebalance_experts.
[[nodiscard]] constexpr placement_policy eplb_policy(const placement_shape& s) noexcept {
  return s.nodes >= 1 && s.groups % s.nodes == 0 ? placement_policy::hierarchical : placement_policy::global;
}

/// The sizes that a policy looks at: under the global one all experts are one group, and all GPUs on one node.
[[nodiscard]] constexpr placement_shape sizes_under(placement_policy policy, placement_shape s) noexcept {
  if (policy == placement_policy::global) s.groups = s.nodes = 1;
  return s;
}

/// What can be wrong with the input of a placement. The operands in brackets are those of placement_error.
enum class placement_problem : std::uint16_t {
  none,
  experts_below_one,               ///< (experts)
  slots_below_one,                 ///< (slots)
  groups_below_one,                ///< (groups)
  nodes_below_one,                 ///< (nodes)
  gpus_below_one,                  ///< (gpus)
  too_many_slots,                  ///< (slots, the most there may be: a placement numbers experts in 32 bits)
  slots_not_divisible_by_gpus,     ///< (slots, gpus)
  fewer_slots_than_experts,        ///< (slots, experts)
  experts_not_divisible_by_groups, ///< (experts, groups), hierarchical only
  groups_not_divisible_by_nodes,   ///< (groups, nodes), hierarchical only
  gpus_not_divisible_by_nodes,     ///< (gpus, nodes), hierarchical only
  wrong_number_of_loads,           ///< (loads, experts)
  load_below_zero,                 ///< (expert, load)
  storage_too_small,               ///< (elements given, elements needed)
  wrong_number_of_slots,           ///< of a placement (slots it has, slots of the shape)
  no_such_expert,                  ///< in a placement (slot, expert)
  expert_without_slot,             ///< in a placement (expert)
  group_on_several_nodes           ///< in a placement, or on a node with too many groups (group), hierarchical only
};

/// The first thing that is wrong, and the numbers it is about.
struct placement_error {
  placement_problem problem = placement_problem::none;
  std::int64_t first = 0;
  std::int64_t second = 0;

  friend constexpr bool operator==(const placement_error&, const placement_error&) noexcept = default;

  [[nodiscard]] constexpr bool ok() const noexcept { return problem == placement_problem::none; }
};

/// The most slots there may be on all GPUs.
inline constexpr std::int64_t most_slots = (std::int64_t{1} << 31) - 1;

/// Whether the sizes belong together. Under the global policy, groups and nodes need only be 1 or more, as in EPLB.
[[nodiscard]] constexpr placement_error check_shape(const placement_shape& s, placement_policy policy) noexcept {
  using enum placement_problem;
  if (s.experts < 1) return {experts_below_one, s.experts};
  if (s.slots < 1) return {slots_below_one, s.slots};
  if (s.groups < 1) return {groups_below_one, s.groups};
  if (s.nodes < 1) return {nodes_below_one, s.nodes};
  if (s.gpus < 1) return {gpus_below_one, s.gpus};
  if (s.slots > most_slots) return {too_many_slots, s.slots, most_slots};
  if (s.slots % s.gpus != 0) return {slots_not_divisible_by_gpus, s.slots, s.gpus};
  if (s.slots < s.experts) return {fewer_slots_than_experts, s.slots, s.experts};
  if (policy == placement_policy::global) return {};
  if (s.experts % s.groups != 0) return {experts_not_divisible_by_groups, s.experts, s.groups};
  if (s.groups % s.nodes != 0) return {groups_not_divisible_by_nodes, s.groups, s.nodes};
  if (s.gpus % s.nodes != 0) return {gpus_not_divisible_by_nodes, s.gpus, s.nodes};
  return {};
}

/// Whether there is one load for each expert, none below zero. Precondition: a shape that check_shape accepts.
[[nodiscard]] constexpr placement_error check_loads(const placement_shape& s, array_view<const std::int64_t> loads) noexcept {
  if (loads.size() != s.experts) return {placement_problem::wrong_number_of_loads, loads.size(), s.experts};
  for (std::int64_t e = 0; e < s.experts; ++e)
    if (loads[e] < 0) return {placement_problem::load_below_zero, e, loads[e]};
  return {};
}

/// Counts each expert's slots. Precondition: experts in physical_to_logical are from 0 to logical_count.size() - 1.
constexpr void count_copies(array_view<const std::int32_t> physical_to_logical, array_view<std::int32_t> logical_count) noexcept {
  for (std::int32_t& copies : logical_count) copies = 0;
  for (const std::int32_t e : physical_to_logical) ++logical_count[e];
}

/// Whether a placement, one that was read for instance, gives every expert at least one slot. Fills logical_count where it is right.
/// Preconditions: a shape that check_shape accepts, logical_count of that many experts.
[[nodiscard]] constexpr placement_error check_placement(const placement_shape& s,
                                                        array_view<const std::int32_t> physical_to_logical,
                                                        array_view<std::int32_t> logical_count) noexcept {
  using enum placement_problem;
  if (physical_to_logical.size() != s.slots) return {wrong_number_of_slots, physical_to_logical.size(), s.slots};
  for (std::int64_t slot = 0; slot < s.slots; ++slot)
    if (physical_to_logical[slot] < 0 || physical_to_logical[slot] >= s.experts)
      return {no_such_expert, slot, physical_to_logical[slot]};
  count_copies(physical_to_logical, logical_count);
  for (std::int64_t e = 0; e < s.experts; ++e)
    if (logical_count[e] == 0) return {expert_without_slot, e};
  return {};
}

/// A valid placement, with what it places.
struct placement_view {
  placement_shape shape{};
  array_view<const std::int64_t> loads{};               ///< of each expert
  array_view<const std::int32_t> physical_to_logical{}; ///< the expert in each slot
  array_view<const std::int32_t> logical_count{};       ///< how many slots each expert has
};

/// What a GPU has to do: for each of its slots, the expert's load divided by the expert's copies. Each term and each sum is rounded to
/// the nearest double; terms are added in the order of the slots.
[[nodiscard]] constexpr double gpu_load(const placement_view& p, std::int64_t gpu) noexcept {
  const std::int64_t each = p.shape.slots_per_gpu();
  double load = 0;
  for (const std::int32_t e : p.physical_to_logical.part(gpu * each, each))
    load += static_cast<double>(p.loads[e]) / static_cast<double>(p.logical_count[e]);
  return load;
}

/// The same as a fraction; overflowed() where its terms outgrow 64 bits, which in a constant expression does not compile.
[[nodiscard]] constexpr ratio exact_gpu_load(const placement_view& p, std::int64_t gpu) noexcept {
  const std::int64_t each = p.shape.slots_per_gpu();
  ratio load{0};
  for (const std::int32_t e : p.physical_to_logical.part(gpu * each, each)) load = load + ratio{p.loads[e], p.logical_count[e]};
  return load;
}

/// The sum of all loads divided by the GPUs, within a relative error of 2^-52: the sum itself is exact.
[[nodiscard]] constexpr double mean_gpu_load(const placement_shape& s, array_view<const std::int64_t> loads) noexcept {
  __extension__ using twice_as_wide = unsigned __int128;
  twice_as_wide sum = 0;
  for (const std::int64_t load : loads) sum += static_cast<std::uint64_t>(load);
  return static_cast<double>(sum) / static_cast<double>(s.gpus);
}

/// Whether two slots of a GPU hold the same expert.
[[nodiscard]] constexpr bool holds_an_expert_twice(const placement_view& p, std::int64_t gpu) noexcept {
  const std::int64_t each = p.shape.slots_per_gpu();
  const array_view<const std::int32_t> here = p.physical_to_logical.part(gpu * each, each);
  for (std::int64_t i = 1; i < each; ++i) {
    if (p.logical_count[here[i]] == 1) continue;
    for (std::int64_t j = 0; j < i; ++j)
      if (here[i] == here[j]) return true;
  }
  return false;
}

namespace detail {

/// The first group, in the order of the slots, with copies on several nodes or on a node with too many groups; -1: none.
[[nodiscard]] constexpr std::int64_t group_out_of_place(const placement_shape& s,
                                                        array_view<const std::int32_t> physical_to_logical) noexcept {
  const std::int64_t slots_per_node = s.slots / s.nodes;
  const std::int64_t group_size = s.experts / s.groups;
  const auto holds = [&](std::int64_t from, std::int64_t to, std::int64_t group) {
    for (std::int64_t slot = from; slot < to; ++slot)
      if (physical_to_logical[slot] / group_size == group) return true;
    return false;
  };
  std::int64_t groups_here = 0;
  for (std::int64_t slot = 0; slot < s.slots; ++slot) {
    const std::int64_t first = slot / slots_per_node * slots_per_node;
    const std::int64_t group = physical_to_logical[slot] / group_size;
    if (slot == first) groups_here = 0;
    if (holds(first, slot, group)) continue;
    const bool elsewhere = holds(0, first, group) || holds(first + slots_per_node, s.slots, group);
    if (elsewhere || ++groups_here > s.groups / s.nodes) return group;
  }
  return -1;
}

} // namespace detail

/// Whether a placement obeys the hierarchical policy: every copy of a group's experts on one node. (That each node then has as many
/// groups does not follow, and is looked at too.) Precondition: a shape that check_shape accepts for this policy.
[[nodiscard]] constexpr bool groups_stay_on_their_node(const placement_view& p) noexcept {
  return detail::group_out_of_place(p.shape, p.physical_to_logical) < 0;
}

/// How even a placement is.
struct placement_quality {
  double max_load = 0;  ///< of the busiest GPU
  double mean_load = 0; ///< over all GPUs
  std::int64_t busiest_gpu = 0;
  std::int64_t gpus_with_an_expert_twice = 0;

  friend constexpr bool operator==(const placement_quality&, const placement_quality&) noexcept = default;

  /// 1 at best, and where all loads are zero, since these are equal. Never below 1, where rounding alone could take it.
  [[nodiscard]] constexpr double max_over_mean() const noexcept { return max_load > mean_load ? max_load / mean_load : 1; }
};

/// Loads as gpu_load gives them. Precondition: a valid placement.
[[nodiscard]] constexpr placement_quality evaluate(const placement_view& p) noexcept {
  placement_quality q{.mean_load = mean_gpu_load(p.shape, p.loads)};
  for (std::int64_t gpu = 0; gpu < p.shape.gpus; ++gpu) {
    const double load = gpu_load(p, gpu);
    if (load > q.max_load) {
      q.max_load = load;
      q.busiest_gpu = gpu;
    }
    q.gpus_with_an_expert_twice += holds_an_expert_twice(p, gpu) ? 1 : 0;
  }
  return q;
}

namespace detail {

/// copies_to_fetch, of experts in any integers, with so many slots on each GPU.
template <class Before, class After>
[[nodiscard]] constexpr std::int64_t experts_to_fetch(std::int64_t slots_per_gpu, array_view<Before> before,
                                                      array_view<After> after) noexcept {
  const auto holds = [](const auto& slots, std::int64_t e) {
    for (const auto other : slots)
      if (other == e) return true;
    return false;
  };
  std::int64_t fetched = 0;
  for (std::int64_t first = 0; first < after.size(); first += slots_per_gpu) {
    const auto old = before.part(first, slots_per_gpu);
    const auto now = after.part(first, slots_per_gpu);
    for (std::int64_t i = 0; i < slots_per_gpu; ++i) fetched += !holds(old, now[i]) && !holds(now.part(0, i), now[i]) ? 1 : 0;
  }
  return fetched;
}

} // namespace detail

/// How many experts have to be copied to GPUs that did not hold them before. Where a GPU holds an expert in several slots, one copy
/// is enough. Precondition: both placements are of this shape.
[[nodiscard]] constexpr std::int64_t copies_to_fetch(const placement_shape& s, array_view<const std::int32_t> before,
                                                     array_view<const std::int32_t> after) noexcept {
  return detail::experts_to_fetch(s.slots_per_gpu(), before, after);
}

} // namespace moeplan
