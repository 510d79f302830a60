#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/balance/placement.hpp>

/// @file
/// What is wrong with sizes, loads or a placement, in words. Sizes are called what a file of loads calls them: replicas are the slots.

namespace moeplan::io {

/// A number that a sentence is about.
struct named_number {
  std::string name;
  std::int64_t value = 0;
};

/// A finding about a placement, as check's findings are.
struct placement_finding {
  std::string rule{}; ///< what ought to hold: "gpus_divide_replicas"
  std::string message{};
  std::vector<named_number> operands{};
  std::string changes{};             ///< the key to change; empty where several could be
  std::vector<std::int64_t> legal{}; ///< its nearest legal values, ascending
};

namespace detail {

/// How a problem is said: the rule that it violates, the operands' names, and a sentence in which %1 and %2 stand for them.
struct placement_words {
  placement_problem problem;
  const char* rule;
  const char* first;
  const char* second;
  const char* sentence;
};

inline constexpr placement_words placement_sentences[] = {
    {placement_problem::none, "", "", "", ""},
    {placement_problem::experts_below_one, "experts_are_positive", "experts", "",
     "The number of experts is %1, but there has to be one."},
    {placement_problem::slots_below_one, "replicas_are_positive", "replicas", "", "replicas is %1, but there has to be a slot."},
    {placement_problem::groups_below_one, "groups_are_positive", "groups", "",
     "groups is %1, but all experts are one group at least."},
    {placement_problem::nodes_below_one, "nodes_are_positive", "nodes", "", "nodes is %1, but there has to be a node."},
    {placement_problem::gpus_below_one, "gpus_are_positive", "gpus", "", "gpus is %1, but there has to be a GPU."},
    {placement_problem::too_many_slots, "replicas_fit_32_bits", "replicas", "most", "%1 replicas are more than %2."},
    {placement_problem::slots_not_divisible_by_gpus, "gpus_divide_replicas", "replicas", "gpus",
     "The number of replicas, %1, is no multiple of the number of GPUs, %2: each GPU holds as many."},
    {placement_problem::fewer_slots_than_experts, "replicas_cover_experts", "replicas", "experts",
     "The number of replicas, %1, is below that of experts, %2: each needs a slot."},
    {placement_problem::experts_not_divisible_by_groups, "groups_divide_experts", "experts", "groups",
     "The number of experts, %1, is no multiple of the number of groups, %2: groups are of equal size."},
    {placement_problem::groups_not_divisible_by_nodes, "nodes_divide_groups", "groups", "nodes",
     "The number of groups, %1, is no multiple of the number of nodes, %2: the hierarchical policy puts as many on each."},
    {placement_problem::gpus_not_divisible_by_nodes, "nodes_divide_gpus", "gpus", "nodes",
     "The number of GPUs, %1, is no multiple of the number of nodes, %2."},
    {placement_problem::wrong_number_of_loads, "every_expert_has_a_load", "loads", "experts",
     "The number of loads, %1, is not that of experts, %2."},
    {placement_problem::load_below_zero, "loads_are_not_negative", "expert", "load", "Expert %1 has a load of %2."},
    {placement_problem::storage_too_small, "storage_suffices", "given", "needed",
     "Storage of %1 elements is given where %2 are needed."},
    {placement_problem::wrong_number_of_slots, "placement_fills_all_slots", "slots", "replicas",
     "The number of slots in the placement, %1, is not that of replicas, %2."},
    {placement_problem::no_such_expert, "placed_experts_exist", "slot", "expert",
     "Slot %1 of the placement holds expert %2, which does not exist."},
    {placement_problem::expert_without_slot, "every_expert_is_placed", "expert", "", "Expert %1 has no slot in the placement."},
    {placement_problem::group_on_several_nodes, "groups_stay_on_their_node", "group", "",
     "A limit to moves needs a previous placement that obeys the policy: every group of experts whole on one node, and as many "
     "groups on each. Group %1 is on several nodes, or on one with too many groups."},
};

/// The nearest numbers to `n`, one below and one above, of those from 1 to `most` that are `right`; none that is far away.
template <class Right>
[[nodiscard]] std::vector<std::int64_t> nearest_sizes(std::int64_t n, std::int64_t most, const Right& right) {
  constexpr std::int64_t far = 1 << 20;
  std::vector<std::int64_t> nearest;
  const std::int64_t below = n - 1 < most ? n - 1 : most;
  for (std::int64_t size = below; size >= 1 && below - size < far && nearest.empty(); --size)
    if (right(size)) nearest.push_back(size);
  const std::size_t smaller = nearest.size();
  for (std::int64_t step = 1; step < far && step <= most - n && nearest.size() == smaller; ++step)
    if (right(n + step)) nearest.push_back(n + step);
  return nearest;
}

/// Which multiples of the GPUs, of those nearest to the replicas, are enough for all experts.
[[nodiscard]] inline std::vector<std::int64_t> nearest_replicas(const placement_shape& s) {
  std::vector<std::int64_t> nearest;
  const std::int64_t below = s.slots / s.gpus * s.gpus;
  if (below >= s.experts && below != s.slots) nearest.push_back(below);
  const std::int64_t wanted = s.slots < s.experts ? s.experts : s.slots;
  if (wanted > most_slots) return nearest;
  const std::int64_t above = (wanted / s.gpus + (wanted % s.gpus == 0 ? 0 : 1)) * s.gpus;
  if (above <= most_slots) nearest.push_back(above);
  return nearest;
}

[[nodiscard]] inline std::string with_numbers(std::string sentence, const placement_error& e) {
  const auto put = [&sentence](const char* mark, std::int64_t n) {
    if (const std::size_t at = sentence.find(mark); at != std::string::npos) sentence.replace(at, 2, std::to_string(n));
  };
  put("%1", e.first);
  put("%2", e.second);
  return sentence;
}

} // namespace detail

/// Where several sizes could change, the legal values are those of one of them: the nodes where they divide neither groups nor GPUs, since
/// there is always a legal number of them.
/// Precondition: an error that a check of this shape gave, and that is not ok().
[[nodiscard]] inline placement_finding words_of(const placement_error& e, const placement_shape& s) {
  const detail::placement_words& words = detail::placement_sentences[static_cast<std::size_t>(e.problem)];
  placement_finding finding{.rule = words.rule, .message = detail::with_numbers(words.sentence, e)};
  finding.operands.push_back({words.first, e.first});
  if (*words.second != '\0') finding.operands.push_back({words.second, e.second});
  switch (e.problem) {
    case placement_problem::slots_not_divisible_by_gpus:
    case placement_problem::fewer_slots_than_experts:
      finding.changes = "replicas";
      finding.legal = detail::nearest_replicas(s);
      break;
    case placement_problem::experts_not_divisible_by_groups:
      finding.changes = "groups";
      finding.legal = detail::nearest_sizes(s.groups, s.experts,
                                            [&](std::int64_t groups) { return s.experts % groups == 0 && groups % s.nodes == 0; });
      break;
    case placement_problem::groups_not_divisible_by_nodes:
    case placement_problem::gpus_not_divisible_by_nodes:
      finding.changes = "nodes";
      finding.legal =
          detail::nearest_sizes(s.nodes, s.gpus, [&](std::int64_t nodes) { return s.gpus % nodes == 0 && s.groups % nodes == 0; });
      break;
    default: break;
  }
  return finding;
}

} // namespace moeplan::io
