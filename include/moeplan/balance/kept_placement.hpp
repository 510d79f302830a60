#pragma once

#include <cstdint>

#include <moeplan/balance/placement.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// A new placement after an old one: few experts copied to GPUs that do not hold them, or no more than a given number.

namespace moeplan::detail {

template <class Integer>
constexpr void copy_experts(array_view<Integer> from, array_view<std::int64_t> to) noexcept {
  for (std::int64_t i = 0; i < to.size(); ++i) to[i] = from[i];
}

/// Names the GPUs of a new placement so that they keep much of what they hold, and changes the old placement step by step: mostly
/// that moves less, where it comes as far.
class kept_placement {
public:
  /// How many elements of storage it takes.
  [[nodiscard]] static constexpr std::int64_t storage(const placement_shape& s) noexcept {
    return 4 * s.slots + 3 * s.gpus + 2 * s.experts;
  }

  /// `pools`: the shape, with one node where the policy lets copies go anywhere. `units`: of each expert. `previous` is valid, and not
  /// looked at any more afterwards.
  constexpr kept_placement(const placement_shape& s, const placement_shape& pools, array_view<const std::int64_t> units,
                           array_view<const std::int32_t> previous, array_view<std::int64_t> elements) noexcept
      : each_{s.slots_per_gpu()}, gpus_{s.gpus}, nodes_{pools.nodes}, units_{units} {
    storage_parts parts{elements};
    previous_ = parts.take(s.slots);
    named_ = parts.take(s.slots);
    now_ = parts.take(s.slots);
    taken_ = parts.take(s.slots);
    new_of_ = parts.take(s.gpus);
    carried_ = parts.take(s.gpus);
    node_of_ = parts.take(s.gpus);
    copies_ = parts.take(s.experts);
    share_ = parts.take(s.experts);
    copy_experts(previous, previous_);
  }

  /// What a placement may be changed for.
  struct terms {
    optional_integer most_moves{}; ///< absent: any number
    std::int64_t enough = 0;       ///< for the busiest GPU to carry, in units
    std::int64_t most_on_a_gpu = 1;
    bool from_previous = true; ///< whether the previous placement obeys the policy, so that it can be changed step by step
  };

  /// Finds a placement that moves less than `placed`, a new one; returns how many experts have to be copied. Of the new one with its
  /// GPUs named best and the old one changed step by step, that one is taken which is allowed, then the more even one (both are
  /// even `enough` below that), then the one that moves less. Precondition: from_previous, if there is a limit.
  constexpr std::int64_t keep(array_view<const std::int64_t> placed, const terms& t) noexcept {
    copy_experts(placed, now_);
    name_nodes();
    name_gpus();
    order_slots();
    copy_experts(named_, now_);
    const std::int64_t moves = experts_to_fetch(each_, previous_, now_);
    if (!t.from_previous) return moves;
    count_copies_now();
    weigh();
    const std::int64_t most = greatest(carried_[busiest_], t.enough);
    const bool allowed = !t.most_moves.given || moves <= t.most_moves.number;
    const std::int64_t made = change_previous(allowed ? least(moves, t.most_moves.value_or(moves)) : t.most_moves.number, t.enough);
    if (!allowed || (most >= greatest(carried_[busiest_], t.enough) && !holds_more_than(t.most_on_a_gpu))) return made;
    copy_experts(named_, now_);
    return moves;
  }

  /// The placement that keep() found.
  [[nodiscard]] constexpr array_view<const std::int64_t> placed() const noexcept { return {now_.data(), now_.size()}; }

private:
  [[nodiscard]] constexpr std::int64_t gpus_per_node() const noexcept { return gpus_ / nodes_; }

  [[nodiscard]] constexpr bool held(std::int64_t gpu, std::int64_t e) const noexcept {
    for (std::int64_t i = 0; i < each_; ++i)
      if (now_[gpu * each_ + i] == e) return true;
    return false;
  }

  [[nodiscard]] constexpr bool held_before(std::int64_t gpu, std::int64_t e) const noexcept {
    for (std::int64_t i = 0; i < each_; ++i)
      if (previous_[gpu * each_ + i] == e) return true;
    return false;
  }

  /// How many of an old GPU's slots hold what a new one holds too.
  [[nodiscard]] constexpr std::int64_t common(std::int64_t gpu, std::int64_t old) const noexcept {
    std::int64_t slots = 0;
    for (std::int64_t i = 0; i < each_; ++i) slots += held(gpu, previous_[old * each_ + i]) ? 1 : 0;
    return slots;
  }

  /// The same for nodes.
  [[nodiscard]] constexpr std::int64_t common_on_nodes(std::int64_t node, std::int64_t old) noexcept {
    const std::int64_t slots = each_ * gpus_per_node();
    for (std::int64_t& e : copies_) e = 0;
    for (std::int64_t i = 0; i < slots; ++i) copies_[now_[node * slots + i]] = 1;
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < slots; ++i) found += copies_[previous_[old * slots + i]];
    return found;
  }

  /// Gives each of `count` old places, in `chosen`, the new one that has most in common with it among those left; then lets two
  /// places exchange theirs as long as that keeps more.
  template <class Common>
  constexpr void match(array_view<std::int64_t> chosen, std::int64_t first, std::int64_t count, const Common& common) noexcept {
    for (std::int64_t i = 0; i < count; ++i) chosen[first + i] = first + i;
    const auto swap = [&chosen](std::int64_t a, std::int64_t b) {
      const std::int64_t was = chosen[a];
      chosen[a] = chosen[b];
      chosen[b] = was;
    };
    for (std::int64_t old = first; old < first + count; ++old) {
      std::int64_t best = old;
      std::int64_t most = common(chosen[old], old);
      for (std::int64_t other = old + 1; other < first + count; ++other)
        if (const std::int64_t slots = common(chosen[other], old); slots > most) {
          most = slots;
          best = other;
        }
      swap(old, best);
    }
    for (std::int64_t a = first; a < first + count; ++a)
      for (std::int64_t b = a + 1; b < first + count; ++b)
        if (common(chosen[a], b) + common(chosen[b], a) > common(chosen[a], a) + common(chosen[b], b)) swap(a, b);
  }

  constexpr void name_nodes() noexcept {
    if (nodes_ == 1) return;
    match(node_of_, 0, nodes_, [this](std::int64_t node, std::int64_t old) { return common_on_nodes(node, old); });
    const std::int64_t slots = each_ * gpus_per_node();
    for (std::int64_t slot = 0; slot < now_.size(); ++slot) taken_[slot] = now_[node_of_[slot / slots] * slots + slot % slots];
    copy_experts(taken_, now_);
  }

  constexpr void name_gpus() noexcept {
    const std::int64_t gpus = gpus_per_node();
    for (std::int64_t first = 0; first < gpus_; first += gpus)
      match(new_of_, first, gpus, [this](std::int64_t gpu, std::int64_t old) { return common(gpu, old); });
  }

  /// Into named_, what a GPU keeps in the slots where it was.
  constexpr void order_slots() noexcept {
    constexpr std::int64_t empty = -1;
    for (std::int64_t& slot : taken_) slot = 0;
    for (std::int64_t slot = 0; slot < now_.size(); ++slot) {
      named_[slot] = empty;
      const std::int64_t from = new_of_[slot / each_] * each_;
      for (std::int64_t i = from; i < from + each_; ++i)
        if (taken_[i] == 0 && now_[i] == previous_[slot]) {
          taken_[i] = 1;
          named_[slot] = now_[i];
          break;
        }
    }
    for (std::int64_t slot = 0; slot < now_.size(); ++slot) {
      if (named_[slot] != empty) continue;
      std::int64_t i = new_of_[slot / each_] * each_;
      while (taken_[i] != 0) ++i;
      taken_[i] = 1;
      named_[slot] = now_[i];
    }
  }

  /// A change of one slot (the expert there loses it to another one) or of two (they exchange what they hold).
  struct change {
    std::int64_t slot = -1;   ///< -1: none
    std::int64_t other = -1;  ///< the slot to exchange with; -1: none
    std::int64_t expert = -1; ///< where none is exchanged, who gets the slot
    std::int64_t most = 0;    ///< what the busiest GPU carries afterwards
    std::int64_t moves = 0;
    std::int64_t own = 0; ///< the most that a GPU carries afterwards whose load changes: less than the busiest one before
  };

  [[nodiscard]] static constexpr bool better(const change& a, const change& b) noexcept {
    if (a.most != b.most) return a.most < b.most;
    return a.moves < b.moves || (a.moves == b.moves && a.own < b.own);
  }

  /// From the old placement on, the change that helps the busiest GPU most, until none does or no more moves are left. Returns the
  /// moves made.
  constexpr std::int64_t change_previous(std::int64_t most_moves, std::int64_t enough) noexcept {
    copy_experts(previous_, now_);
    count_copies_now();
    std::int64_t moves = 0;
    for (;;) {
      weigh();
      if (carried_[busiest_] <= enough) return moves;
      const change c = best_change(most_moves - moves);
      if (c.slot < 0) return moves;
      if (c.other >= 0) {
        const std::int64_t was = now_[c.slot];
        now_[c.slot] = now_[c.other];
        now_[c.other] = was;
      } else {
        --copies_[now_[c.slot]];
        ++copies_[c.expert];
        now_[c.slot] = c.expert;
      }
      moves += c.moves;
    }
  }

  constexpr void count_copies_now() noexcept {
    for (std::int64_t& e : copies_) e = 0;
    for (const std::int64_t e : now_) ++copies_[e];
  }

  [[nodiscard]] constexpr bool holds_more_than(std::int64_t copies) const noexcept {
    for (std::int64_t slot = 0; slot < now_.size(); ++slot) {
      std::int64_t same = 0;
      for (std::int64_t i = slot / each_ * each_; i <= slot; ++i) same += now_[i] == now_[slot] ? 1 : 0;
      if (same > copies) return true;
    }
    return false;
  }

  constexpr void weigh() noexcept {
    for (std::int64_t e = 0; e < copies_.size(); ++e) share_[e] = units_[e] / copies_[e];
    busiest_ = 0;
    for (std::int64_t g = 0; g < gpus_; ++g) {
      carried_[g] = 0;
      for (std::int64_t i = 0; i < each_; ++i) carried_[g] += share_[now_[g * each_ + i]];
      if (carried_[g] > carried_[busiest_]) busiest_ = g;
    }
    second_ = 0;
    for (std::int64_t g = 0; g < gpus_; ++g)
      if (g != busiest_ && carried_[g] > second_) second_ = carried_[g];
  }

  [[nodiscard]] constexpr bool same_node(std::int64_t gpu, std::int64_t other) const noexcept {
    return gpu / gpus_per_node() == other / gpus_per_node();
  }

  [[nodiscard]] constexpr change best_change(std::int64_t moves_left) const noexcept {
    change best{.most = carried_[busiest_], .moves = moves_left + 1};
    for (std::int64_t slot = 0; slot < now_.size(); ++slot) {
      const std::int64_t gpu = slot / each_;
      if (gpu != busiest_ && !same_node(gpu, busiest_)) continue;
      for (std::int64_t i = busiest_ * each_; i < (busiest_ + 1) * each_; ++i) {
        if (gpu != busiest_) try_exchange(i, slot, moves_left, best);
        if (gpu != busiest_) try_gift(slot, now_[i], moves_left, best);
      }
    }
    return best;
  }

  [[nodiscard]] constexpr std::int64_t fetched(std::int64_t gpu, std::int64_t e) const noexcept {
    return held_before(gpu, e) ? 0 : 1;
  }

  constexpr void try_exchange(std::int64_t here, std::int64_t there, std::int64_t moves_left, change& best) const noexcept {
    const std::int64_t gpu = there / each_;
    const std::int64_t mine = now_[here];
    const std::int64_t other = now_[there];
    const std::int64_t difference = share_[mine] - share_[other];
    if (difference <= 0 || held(busiest_, other) || held(gpu, mine)) return;
    change c{.slot = here, .other = there};
    c.own = greatest(carried_[busiest_] - difference, carried_[gpu] + difference);
    c.most = greatest(second_, c.own);
    c.moves = fetched(busiest_, other) - fetched(busiest_, mine) + fetched(gpu, mine) - fetched(gpu, other);
    if (c.moves <= moves_left && c.own < carried_[busiest_] && better(c, best)) best = c;
  }

  /// Gives a slot to an expert of the busiest GPU, whose copies there and elsewhere then carry less.
  constexpr void try_gift(std::int64_t slot, std::int64_t to, std::int64_t moves_left, change& best) const noexcept {
    const std::int64_t gpu = slot / each_;
    const std::int64_t from = now_[slot];
    if (from == to || copies_[from] == 1 || held(gpu, to)) return;
    change c{.slot = slot, .expert = to};
    c.moves = fetched(gpu, to) - fetched(gpu, from);
    if (c.moves > moves_left) return;
    const std::int64_t less = share_[to] - units_[to] / (copies_[to] + 1);
    if (carried_[busiest_] - less > best.most) return;
    const std::int64_t more = units_[from] / (copies_[from] - 1) - share_[from];
    for (std::int64_t g = 0; g < gpus_; ++g) {
      std::int64_t load = carried_[g];
      for (std::int64_t i = g * each_; i < (g + 1) * each_; ++i) {
        if (i == slot)
          load += share_[to] - less - share_[from];
        else if (now_[i] == from)
          load += more;
        else if (now_[i] == to)
          load -= less;
      }
      c.most = greatest(c.most, load);
      if (load != carried_[g] || g == busiest_) c.own = greatest(c.own, load);
      if (c.most > best.most || c.own >= carried_[busiest_]) return;
    }
    if (better(c, best)) best = c;
  }

  std::int64_t each_ = 1;
  std::int64_t gpus_ = 1;
  std::int64_t nodes_ = 1;
  array_view<const std::int64_t> units_{};
  array_view<std::int64_t> previous_{};
  array_view<std::int64_t> named_{}; ///< the new placement, its GPUs named after the old one's
  array_view<std::int64_t> now_{};
  array_view<std::int64_t> taken_{};
  array_view<std::int64_t> new_of_{};
  array_view<std::int64_t> carried_{};
  array_view<std::int64_t> node_of_{};
  array_view<std::int64_t> copies_{};
  array_view<std::int64_t> share_{};
  std::int64_t busiest_ = 0;
  std::int64_t second_ = 0;
};

} // namespace moeplan::detail
