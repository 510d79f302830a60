#pragma once

#include <cstdint>

#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/heap_sort.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// Copies of a pool's experts in the slots of its GPUs: dealt out, then exchanged as long as that unburdens the busiest GPU.

namespace moeplan::detail {

/// A packing under work. Slots of GPU g: g * slots_per_gpu() on. Storage is the caller's.
struct packing {
  expert_pool pool{};
  array_view<std::int64_t> copies{};  ///< of each expert
  array_view<std::int64_t> share{};   ///< what one copy carries, of each expert
  array_view<std::int64_t> expert{};  ///< in each slot
  array_view<std::int64_t> carried{}; ///< by each GPU
  array_view<std::int64_t> order{};   ///< scratch: as many elements as experts or GPUs, whichever are more
  array_view<std::int64_t> filled{};  ///< scratch, for each GPU

  /// How many elements of storage a packing takes.
  [[nodiscard]] static constexpr std::int64_t storage(std::int64_t experts, std::int64_t slots, std::int64_t gpus) noexcept {
    return 2 * experts + slots + 2 * gpus + (experts > gpus ? experts : gpus);
  }

  constexpr packing(const expert_pool& p, array_view<std::int64_t> elements) noexcept : pool{p} {
    storage_parts parts{elements};
    copies = parts.take(p.experts());
    share = parts.take(p.experts());
    expert = parts.take(p.slots);
    carried = parts.take(p.gpus);
    filled = parts.take(p.gpus);
    order = parts.take(p.experts() > p.gpus ? p.experts() : p.gpus);
  }

  [[nodiscard]] constexpr array_view<std::int64_t> slots_of(std::int64_t gpu) const noexcept {
    return expert.part(gpu * pool.slots_per_gpu(), pool.slots_per_gpu());
  }

  /// How many of a GPU's first `slots` slots hold the expert.
  [[nodiscard]] constexpr std::int64_t held(std::int64_t gpu, std::int64_t slots, std::int64_t e) const noexcept {
    std::int64_t copies_here = 0;
    for (const std::int64_t other : slots_of(gpu).part(0, slots)) copies_here += other == e ? 1 : 0;
    return copies_here;
  }

  /// Whether a GPU whose slots are all in use may take a copy of this expert for one of another's.
  [[nodiscard]] constexpr bool may_take(std::int64_t gpu, std::int64_t e) const noexcept {
    return held(gpu, pool.slots_per_gpu(), e) < pool.most_on_a_gpu;
  }

  [[nodiscard]] constexpr std::int64_t busiest() const noexcept {
    std::int64_t gpu = 0;
    for (std::int64_t g = 1; g < pool.gpus; ++g) gpu = carried[g] > carried[gpu] ? g : gpu;
    return gpu;
  }

  [[nodiscard]] constexpr std::int64_t idlest() const noexcept {
    std::int64_t gpu = 0;
    for (std::int64_t g = 1; g < pool.gpus; ++g) gpu = carried[g] < carried[gpu] ? g : gpu;
    return gpu;
  }

  /// What the busiest GPU carries.
  [[nodiscard]] constexpr std::int64_t most() const noexcept { return carried[busiest()]; }

  constexpr void count_shares() noexcept {
    for (std::int64_t e = 0; e < pool.experts(); ++e) share[e] = pool.share(e, copies[e]);
  }

  constexpr void count_carried() noexcept {
    for (std::int64_t g = 0; g < pool.gpus; ++g) {
      carried[g] = 0;
      for (const std::int64_t e : slots_of(g)) carried[g] += share[e];
    }
  }

  friend constexpr void copy_packing(const packing& from, packing& to) noexcept {
    for (std::int64_t e = 0; e < from.pool.experts(); ++e) {
      to.copies[e] = from.copies[e];
      to.share[e] = from.share[e];
    }
    for (std::int64_t s = 0; s < from.pool.slots; ++s) to.expert[s] = from.expert[s];
    for (std::int64_t g = 0; g < from.pool.gpus; ++g) to.carried[g] = from.carried[g];
  }
};

/// Deals copies out one by one.
class dealer {
public:
  constexpr explicit dealer(packing& p) noexcept : p_{p} {}

  constexpr void deal() noexcept {
    const packing& p = p_;
    const std::int64_t experts = p.pool.experts();
    const auto by_share = p.order.part(0, experts);
    for (std::int64_t e = 0; e < experts; ++e) by_share[e] = e;
    heap_sort(by_share,
              [&p](std::int64_t a, std::int64_t b) { return p.share[a] > p.share[b] || (p.share[a] == p.share[b] && a < b); });
    for (std::int64_t g = 0; g < p.pool.gpus; ++g) p.carried[g] = p.filled[g] = 0;
    for (std::int64_t i = 0; i < experts; ++i)
      for (std::int64_t copy = 0; copy < p.copies[by_share[i]]; ++copy) give(by_share[i]);
  }

private:
  /// To the GPU with the least load among those with a free slot that may have it.
  constexpr void give(std::int64_t e) noexcept {
    std::int64_t to = -1;
    std::int64_t free = -1;
    for (std::int64_t g = 0; g < p_.pool.gpus; ++g) {
      if (p_.filled[g] == p_.pool.slots_per_gpu()) continue;
      free = g;
      if (to >= 0 && p_.carried[g] >= p_.carried[to]) continue;
      if (p_.held(g, p_.filled[g], e) < p_.pool.most_on_a_gpu) to = g;
    }
    if (to >= 0)
      put(to, e);
    else
      make_room(free, e);
  }

  constexpr void put(std::int64_t g, std::int64_t e) noexcept {
    p_.expert[g * p_.pool.slots_per_gpu() + p_.filled[g]++] = e;
    p_.carried[g] += p_.share[e];
  }

  /// No GPU with a free slot may have it. A full GPU that may then holds something more often than `free` does, since it holds more
  /// altogether and less of this expert: that goes to `free`, and the expert takes its slot.
  constexpr void make_room(std::int64_t free, std::int64_t e) noexcept {
    const std::int64_t each = p_.pool.slots_per_gpu();
    for (std::int64_t g = 0; g < p_.pool.gpus; ++g) {
      if (p_.filled[g] < each || !p_.may_take(g, e)) continue;
      for (std::int64_t& other : p_.slots_of(g)) {
        if (other == e || p_.held(free, p_.filled[free], other) >= p_.held(g, each, other)) continue;
        p_.carried[g] += p_.share[e] - p_.share[other];
        const std::int64_t goes = other;
        other = e;
        put(free, goes);
        return;
      }
    }
  }

  packing& p_;
};

/// Puts every copy in a slot: the heaviest first, each to the GPU with the least load that has a slot for it and does not hold the
/// expert yet (longest processing time first, with as many copies on every GPU). Precondition: `copies` says how many there are, as
/// many as slots and of no expert more than most_on_a_gpu on each GPU.
constexpr void deal(packing& p) noexcept {
  p.count_shares();
  dealer{p}.deal();
}

/// An exchange of what is in two slots.
struct slot_exchange {
  std::int64_t first = -1; ///< -1: there is none
  std::int64_t second = -1;
  std::int64_t most = 0; ///< what the busier of the two GPUs carries afterwards
};

/// The best exchange between two GPUs, if it leaves the busier of them with less than `best.most`.
constexpr void try_exchanges(const packing& p, std::int64_t from, std::int64_t to, slot_exchange& best) noexcept {
  const std::int64_t gap = p.carried[from] - p.carried[to];
  if (p.carried[from] - gap / 2 >= best.most) return; // Not even a perfect one would.
  const std::int64_t each = p.pool.slots_per_gpu();
  const std::int64_t* const here = p.slots_of(from).data();
  const std::int64_t* const there = p.slots_of(to).data();
  std::int64_t least = p.carried[from] - best.most;  // What has to change hands: more than this, ...
  std::int64_t greatest = best.most - p.carried[to]; // ... and less than this.
  for (std::int64_t i = 0; i < each; ++i) {
    const std::int64_t share = p.share[here[i]];
    for (std::int64_t j = 0; j < each; ++j) {
      const std::int64_t change = share - p.share[there[j]];
      if (change <= least || change >= greatest) continue;
      if (!p.may_take(to, here[i]) || !p.may_take(from, there[j])) continue;
      const std::int64_t left = p.carried[from] - change;
      const std::int64_t right = p.carried[to] + change;
      best = {from * each + i, to * each + j, left > right ? left : right};
      least = p.carried[from] - best.most;
      greatest = best.most - p.carried[to];
    }
  }
}

/// The exchange that unburdens a GPU: the first found after which neither of the two carries more than `enough`, else the one after
/// which the busier of them carries least.
[[nodiscard]] constexpr slot_exchange best_exchange(const packing& p, std::int64_t from, std::int64_t enough) noexcept {
  slot_exchange best{.most = p.carried[from]};
  const std::int64_t idlest = p.idlest();
  if (idlest != from) try_exchanges(p, from, idlest, best);
  for (std::int64_t to = 0; to < p.pool.gpus && best.most > enough; ++to)
    if (to != from) try_exchanges(p, from, to, best);
  return best;
}

constexpr void exchange(packing& p, const slot_exchange& x) noexcept {
  const std::int64_t each = p.pool.slots_per_gpu();
  const std::int64_t first = p.expert[x.first];
  const std::int64_t second = p.expert[x.second];
  p.expert[x.first] = second;
  p.expert[x.second] = first;
  p.carried[x.first / each] += p.share[second] - p.share[first];
  p.carried[x.second / each] += p.share[first] - p.share[second];
}

/// Exchanges slots of the busiest GPU until it carries no more than `enough`, or no exchange helps it. Each step makes the busiest
/// GPU less busy and no other as busy, so it ends. Returns what the busiest GPU carries.
constexpr std::int64_t level(packing& p, std::int64_t enough) noexcept {
  for (;;) {
    const std::int64_t gpu = p.busiest();
    if (p.carried[gpu] <= enough) return p.carried[gpu];
    const slot_exchange x = best_exchange(p, gpu, enough);
    if (x.first < 0) return p.carried[gpu];
    exchange(p, x);
  }
}

} // namespace moeplan::detail
