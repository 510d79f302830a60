#pragma once

#include <cstdint>

#include <moeplan/balance/kept_placement.hpp>
#include <moeplan/balance/node_groups.hpp>
#include <moeplan/balance/packing.hpp>
#include <moeplan/balance/placement.hpp>
#include <moeplan/balance/placement_bound.hpp>
#include <moeplan/balance/pool_search.hpp>
#include <moeplan/balance/scaled_loads.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// The most even placement of a layer's experts that a search finds, and how far from the best possible it can be.

namespace moeplan {

/// What is asked of best_placement.
struct placement_wish {
  placement_policy policy = placement_policy::global;
  same_expert copies = same_expert::apart;
  /// Times the bound: the search ends once the busiest GPU carries no more; 1 at least. Under the hierarchical policy, where `trials` are
  /// too few to look at all placements of groups on nodes, times what the nodes of the best one seen do not get below.
  ratio enough{10003, 10000};
  /// How many changes to try where that is not reached, most_trials at most; 0: only what is dealt out and levelled.
  std::int64_t trials = usual_trials;
  /// The placement in use, physical_to_logical; empty: none. It may be the array that the new one is written to.
  array_view<const std::int32_t> previous{};
  /// How many experts may be copied to GPUs that do not hold them in `previous`, 0 at least; absent: any number.
  optional_integer most_moves{};
};

/// What best_placement found.
struct found_placement {
  placement_error error{};     ///< where not ok(), nothing else is said, and what the outputs hold means nothing
  placement_quality quality{}; ///< as evaluate() gives it
  /// Of all placements under the policy, whatever they move. Where its reason is bound_reason::search, of those alone in which copies are
  /// as `wish.copies` has it: with same_expert::apart, one that holds an expert twice may be below it, and bound_placement says what none
  /// is below.
  placement_bound bound{};
  std::int64_t moves = 0; ///< copies_to_fetch from `previous`; without one, 0

  /// What the moves carry from GPU to GPU.
  [[nodiscard]] constexpr count move_bytes(count expert_bytes) const noexcept { return expert_bytes * count{moves}; }
};

/// How many elements of scratch best_placement needs, whatever the policy. Precondition: a shape that check_shape accepts for some
/// policy.
[[nodiscard]] constexpr std::int64_t best_placement_scratch(const placement_shape& s) noexcept {
  const std::int64_t search =
      detail::packing::storage(s.experts, s.slots, s.gpus) + detail::pool_search_storage(s.experts, s.slots, s.gpus);
  const std::int64_t rest = detail::greatest(detail::partner_bound::storage(s.experts), detail::kept_placement::storage(s));
  return 4 * s.experts + 2 * s.slots + detail::groups_storage(s) + detail::greatest(search, rest);
}

namespace detail {

/// The search over nodes: first the placement of groups whose nodes can be most even, then, as long as the bound is not reached,
/// the others that can still be better than what was found.
class placement_search {
public:
  constexpr placement_search(const placement_shape& s, const placement_wish& wish, array_view<const std::int64_t> loads,
                             array_view<std::int64_t> scratch) noexcept
      : shape_{s}, pools_{pools_of(s, wish.policy)}, wish_{wish}, unit_{unit_of(loads)}, parts_{scratch} {
    units_ = parts_.take(s.experts);
    for (std::int64_t e = 0; e < s.experts; ++e) units_[e] = unit_.units(loads[e]);
    const auto spread = parts_.take(2 * s.experts);
    placed_ = parts_.take(s.slots);
    trial_ = parts_.take(s.slots);
    bound_ = bound_pool(whole(), unit_, spread);
  }

  constexpr void run() noexcept {
    const std::int64_t groups_storage = node_groups::storage(pools_);
    node_groups groups{pools_, units_, parts_.take(groups_storage)};
    const auto best_groups = parts_.take(pools_.groups);
    node_loads_ = parts_.take(groups.experts_per_node());
    std::int64_t floor = bound_.most;
    if (pools_.nodes > 1) {
      floor = place_groups(groups, bound_, wish_.trials, best_groups);
      for (std::int64_t place = 0; place < pools_.groups; ++place) groups.placed()[place] = best_groups[place];
    } else {
      static_cast<void>(groups.deal_groups());
    }
    enough_ = times_enough(greatest(floor, bound_.most));
    most_ = unlimited;
    search_nodes(groups);
    if (pools_.nodes > 1 && most_ > enough_ && wish_.trials > 0) search_other_groups(groups);
    if (most_ > enough_ && !proven_) raise_by_partners(whole(), bound_, most_, wish_.trials, parts_.left);
    if (proven_) bound_.raise(most_, bound_reason::search);
  }

  /// The expert in each slot.
  [[nodiscard]] constexpr array_view<const std::int64_t> placed() const noexcept { return {placed_.data(), placed_.size()}; }

  [[nodiscard]] constexpr placement_bound bound() const noexcept { return in_loads(bound_, unit_, shape_.gpus); }

  [[nodiscard]] constexpr array_view<const std::int64_t> units() const noexcept { return {units_.data(), units_.size()}; }

  /// On what terms the placement may be changed for moving less.
  [[nodiscard]] constexpr kept_placement::terms terms(bool obeys) const noexcept {
    const expert_pool node{
        {units_.data(), shape_.experts / pools_.nodes}, shape_.slots / pools_.nodes, shape_.gpus / pools_.nodes, wish_.copies};
    return {.most_moves = wish_.most_moves, .enough = enough_, .most_on_a_gpu = node.most_on_a_gpu, .from_previous = obeys};
  }

  [[nodiscard]] constexpr array_view<std::int64_t> left() const noexcept { return parts_.left; }

private:
  static constexpr std::int64_t unlimited = ~(std::int64_t{1} << 63);
  static constexpr std::int64_t most_searched = 128; ///< placements of groups

  [[nodiscard]] constexpr expert_pool whole() const noexcept { return {units(), shape_.slots, shape_.gpus}; }

  [[nodiscard]] constexpr std::int64_t times_enough(std::int64_t most) const noexcept {
    __extension__ using twice_as_wide = unsigned __int128;
    const twice_as_wide product =
        twice_as_wide{static_cast<std::uint64_t>(most)} * wish_.enough.numerator.value() / wish_.enough.denominator.value();
    return product < static_cast<std::uint64_t>(unlimited) ? static_cast<std::int64_t>(product) : unlimited;
  }

  /// Packs every node of a placement of groups; keeps it if the busiest GPU carries less than in the best one. False: some node
  /// is not proven to need what was found for it.
  constexpr bool search_nodes(const node_groups& groups) noexcept {
    const std::int64_t experts = groups.experts_per_node();
    const std::int64_t slots = shape_.slots / pools_.nodes;
    const expert_pool pool{{node_loads_.data(), experts}, slots, shape_.gpus / pools_.nodes, wish_.copies};
    storage_parts parts = parts_;
    packing p{pool, parts.take(packing::storage(experts, slots, pool.gpus))};
    std::int64_t most = 0;
    bool proven = true;
    for (std::int64_t node = 0; node < pools_.nodes; ++node) {
      for (std::int64_t i = 0; i < experts; ++i) node_loads_[i] = units_[groups.expert_of(node, i)];
      const pool_verdict v = search_pool(p, greatest(enough_, most), wish_.trials, parts.left);
      for (std::int64_t slot = 0; slot < slots; ++slot) trial_[node * slots + slot] = groups.expert_of(node, p.expert[slot]);
      if (v.most >= most) proven = v.proven || (proven && v.most == most);
      most = greatest(most, v.most);
      if (most >= most_) return v.proven;
    }
    most_ = most;
    const auto placed = placed_;
    placed_ = trial_;
    trial_ = placed;
    proven_ = proven && pools_.nodes == 1;
    return proven;
  }

  constexpr void search_other_groups(node_groups& groups) noexcept {
    std::int64_t searched = 0;
    bool proven = true;
    const auto search = [&](std::int64_t) {
      if (most_ <= enough_ || ++searched > most_searched) {
        proven = false;
        return std::int64_t{0}; // Nothing is below that: the end.
      }
      proven = search_nodes(groups) && proven;
      return most_;
    };
    const bool all = groups.visit(most_, wish_.trials, search);
    proven_ = all && proven;
  }

  placement_shape shape_{};
  placement_shape pools_{};
  placement_wish wish_{};
  load_unit unit_{};
  storage_parts<std::int64_t> parts_{};
  array_view<std::int64_t> units_{};
  array_view<std::int64_t> node_loads_{};
  array_view<std::int64_t> placed_{};
  array_view<std::int64_t> trial_{};
  unit_bound bound_{};
  std::int64_t enough_ = 0;
  std::int64_t most_ = 0;
  bool proven_ = false;
};

constexpr void write_placement(array_view<const std::int64_t> placed, array_view<std::int32_t> physical_to_logical) noexcept {
  for (std::int64_t slot = 0; slot < placed.size(); ++slot) physical_to_logical[slot] = static_cast<std::int32_t>(placed[slot]);
}

/// Whether a previous placement is one and, where its moves are limited, obeys the policy: steps from one that does not would not.
[[nodiscard]] constexpr placement_error check_previous(const placement_shape& s, const placement_wish& wish,
                                                       array_view<std::int32_t> copies, bool& obeys) noexcept {
  if (wish.previous.size() == 0) return {};
  if (const placement_error e = check_placement(s, wish.previous, copies); !e.ok()) return e;
  if (pools_of(s, wish.policy).nodes == 1) return {};
  const std::int64_t group = group_out_of_place(s, wish.previous);
  obeys = group < 0;
  return obeys || !wish.most_moves.given ? placement_error{} : placement_error{placement_problem::group_on_several_nodes, group};
}

} // namespace detail

/// Places one layer's experts so that the busiest GPU carries as little as a search finds: chooses how many copies each expert has
/// and where they go. physical_to_logical: the expert in each slot (s.slots elements), logical_count: how many slots each expert
/// has (s.experts elements).
///
/// Numbers of copies: those for which the heaviest copy is lightest, to begin with. Copies go to GPUs heaviest first, slots are
/// then exchanged as long as that unburdens the busiest GPU, and disturbed and levelled again, numbers of copies included, until
/// the busiest GPU carries no more than `enough` times the bound or all `trials` are made. With two slots a GPU the best packing
/// for given numbers is known, and only these are searched. Where there are few enough placements, all of them are tried.
/// With `same_expert::apart`, no GPU holds an expert more often than it has to: not twice, unless there are more slots than one
/// for each expert and GPU of a node.
/// With a previous placement, GPUs are named, and slots ordered, so that much stays where it is; and if that placement comes as far
/// when it is changed step by step, with fewer moves, that is the answer. With a limit on moves, an expert that was on a GPU twice
/// may stay so. Under the hierarchical policy, groups have to be a multiple of nodes; eplb_policy(s) says what EPLB does where they
/// are not.
///
/// Deterministic, without allocation, and in constant expressions too (few `trials` keep within the compilers' limits).
[[nodiscard]] constexpr found_placement best_placement(const placement_shape& s, array_view<const std::int64_t> loads,
                                                       const placement_wish& wish, array_view<std::int32_t> physical_to_logical,
                                                       array_view<std::int32_t> logical_count,
                                                       array_view<std::int64_t> scratch) noexcept {
  if (const placement_error e = check_shape(s, wish.policy); !e.ok()) return {.error = e};
  if (const placement_error e = check_loads(s, loads); !e.ok()) return {.error = e};
  using enum placement_problem;
  if (const std::int64_t needed = best_placement_scratch(s); scratch.size() < needed)
    return {.error = {storage_too_small, scratch.size(), needed}};
  if (physical_to_logical.size() < s.slots) return {.error = {storage_too_small, physical_to_logical.size(), s.slots}};
  if (logical_count.size() < s.experts) return {.error = {storage_too_small, logical_count.size(), s.experts}};
  const auto placement = physical_to_logical.part(0, s.slots);
  const auto copies = logical_count.part(0, s.experts);
  bool obeys = true;
  if (const placement_error e = detail::check_previous(s, wish, copies, obeys); !e.ok()) return {.error = e};
  placement_wish bounded = wish;
  if (bounded.trials > most_trials) bounded.trials = most_trials;
  detail::placement_search search{s, bounded, loads, scratch};
  search.run();
  found_placement found{.bound = search.bound()};
  if (wish.previous.size() == 0) {
    detail::write_placement(search.placed(), placement);
  } else {
    detail::kept_placement kept{s, detail::pools_of(s, wish.policy), search.units(), wish.previous, search.left()};
    found.moves = kept.keep(search.placed(), search.terms(obeys));
    detail::write_placement(kept.placed(), placement);
  }
  count_copies(placement, copies);
  found.quality = evaluate({s, loads, placement, copies});
  return found;
}

} // namespace moeplan
