#pragma once

#include <cstdint>

#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/balance/packing.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/heap_sort.hpp>

/// @file
/// Two slots on each GPU: for given numbers of copies the best packing is known, so that only the numbers have to be searched.

namespace moeplan::detail {

/// All copies of a pool with two slots a GPU, the lightest first, copies of one expert side by side.
///
/// The heaviest copy with the lightest, the second heaviest with the second lightest and so on is the packing whose busiest GPU
/// carries least. Only an expert in the middle can meet itself there. Where it does, these GPUs exchange one copy each with the
/// nearest GPUs that do not hold it, whose heavier copies then meet one of it.
/// That is the best packing without an expert twice on a GPU. Proof: let G + n copies, its own among them, be as heavy as the
/// expert's or heavier. Then n GPUs or more hold two of these, one of the two another expert's. The heaviest of these n others is
/// the n-th lightest of all such copies of others or heavier, and beside it is one as heavy as the expert's at least. The exchange
/// reaches just that: it takes the lightest ones.
struct copy_pairs {
  array_view<std::int64_t> expert{}; ///< of each copy
  array_view<std::int64_t> share{};  ///< what it carries, not descending
  bool may_meet = false;             ///< whether a GPU may hold an expert twice

  /// How far the GPUs of the best packing pass a limit, all together, and what the busiest of them carries.
  struct verdict {
    std::int64_t excess = 0;
    std::int64_t most = 0;
  };

  [[nodiscard]] constexpr std::int64_t gpus() const noexcept { return expert.size() / 2; }

  /// How many GPUs have to exchange a copy.
  [[nodiscard]] constexpr std::int64_t apart() const noexcept {
    const std::int64_t n = may_meet ? 0 : gpus();
    if (n == 0) return 0;
    std::int64_t twice = 0;
    while (twice < n && expert[n - 1 - twice] == expert[n + twice]) ++twice;
    return twice;
  }

  /// Precondition: no expert has more copies than there are GPUs, unless copies may meet.
  [[nodiscard]] constexpr verdict judge(std::int64_t limit) const noexcept {
    const std::int64_t n = gpus();
    const std::int64_t twice = apart();
    verdict v;
    for (std::int64_t i = 0; i < n - twice; ++i) add(v, share[i] + share[2 * n - 1 - i], limit);
    if (twice > 0) settle(v, twice, limit);
    return v;
  }

  /// Puts the copies in the slots of a packing. Precondition: as for judge.
  constexpr void pack(packing& p) const noexcept {
    const std::int64_t n = gpus();
    const std::int64_t twice = apart();
    for (std::int64_t i = 0; i < n; ++i) {
      p.expert[2 * i] = expert[2 * n - 1 - i];
      p.expert[2 * i + 1] = expert[i];
    }
    const std::int64_t middle = expert[n];
    std::int64_t other = n - twice;
    for (std::int64_t i = n - twice; i < n; ++i) {
      other = next_without(middle, other);
      p.expert[2 * i + 1] = p.expert[2 * other];
      p.expert[2 * other] = middle;
    }
    p.count_carried();
  }

private:
  static constexpr void add(verdict& v, std::int64_t load, std::int64_t limit) noexcept {
    v.most = load > v.most ? load : v.most;
    v.excess += load > limit ? load - limit : 0;
  }

  /// The next pair outside of `pair` that does not hold an expert.
  [[nodiscard]] constexpr std::int64_t next_without(std::int64_t middle, std::int64_t pair) const noexcept {
    do --pair;
    while (expert[pair] == middle || expert[2 * gpus() - 1 - pair] == middle);
    return pair;
  }

  /// The GPUs that hold the middle expert twice and those they exchange with, each of which is among `v` already and only grows
  /// lighter: its heavier copy leaves for the middle.
  constexpr void settle(verdict& v, std::int64_t twice, std::int64_t limit) const noexcept {
    const std::int64_t n = gpus();
    std::int64_t other = n - twice;
    for (std::int64_t i = 0; i < twice; ++i) {
      other = next_without(expert[n], other);
      add(v, share[n] + share[2 * n - 1 - other], limit);
    }
  }
};

/// Lists all copies. `order` is scratch with an element for each expert.
constexpr void list_copies(const expert_pool& pool, array_view<const std::int64_t> copies, array_view<std::int64_t> order,
                           copy_pairs& pairs) noexcept {
  pairs.may_meet = pool.most_on_a_gpu == 2;
  for (std::int64_t e = 0; e < pool.experts(); ++e) order[e] = e;
  heap_sort(order, [&](std::int64_t a, std::int64_t b) {
    const std::int64_t left = pool.share(a, copies[a]);
    const std::int64_t right = pool.share(b, copies[b]);
    return left < right || (left == right && a < b);
  });
  std::int64_t slot = 0;
  for (const std::int64_t e : order)
    for (std::int64_t copy = 0; copy < copies[e]; ++copy, ++slot) {
      pairs.expert[slot] = e;
      pairs.share[slot] = pool.share(e, copies[e]);
    }
}

/// The list after one of `from`'s copies has become one of `to`: `copies` says how many there are then.
constexpr void list_changed(const copy_pairs& old, const expert_pool& pool, array_view<const std::int64_t> copies,
                            std::int64_t from, std::int64_t to, copy_pairs& changed) noexcept {
  changed.may_meet = old.may_meet;
  struct block {
    std::int64_t expert, share, left;
  };
  block first{from, pool.share(from, copies[from]), copies[from]};
  block second{to, pool.share(to, copies[to]), copies[to]};
  if (second.share < first.share) {
    const block lighter = second;
    second = first;
    first = lighter;
  }
  std::int64_t slot = 0;
  const auto write = [&changed, &slot](block& b) {
    for (; b.left > 0; --b.left, ++slot) {
      changed.expert[slot] = b.expert;
      changed.share[slot] = b.share;
    }
  };
  std::int64_t last = -1;
  for (std::int64_t i = 0; i < old.expert.size(); ++i) {
    const std::int64_t e = old.expert[i];
    if (e == from || e == to) continue;
    if (e != last) { // Never between copies of one expert.
      if (first.share <= old.share[i]) write(first);
      if (second.share <= old.share[i]) write(second);
      last = e;
    }
    changed.expert[slot] = e;
    changed.share[slot] = old.share[i];
    ++slot;
  }
  write(first);
  write(second);
}

} // namespace moeplan::detail
