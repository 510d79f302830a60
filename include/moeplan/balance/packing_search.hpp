#pragma once

#include <cstdint>

#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/balance/packing.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/draws.hpp>

/// @file
/// Any number of slots on each GPU: the search on from where exchanging slots alone comes to an end.

namespace moeplan::detail {

/// Disturbs a packing and levels it, again and again, and goes on from the result unless it is worse by more than a patience that
/// falls to nothing in the course of the search (iterated local search; Lourenço, Martin, Stützle, 2003; with the threshold of
/// Dueck, Scheuer, 1990). Every other disturbance gives a slot to another expert, so that the numbers of copies are searched too.
class packing_search {
public:
  /// `kept` and `best` are of the same pool as `p` and have storage of their own; `p` holds a packing.
  constexpr packing_search(packing& p, packing& kept, packing& best) noexcept : p_{p}, kept_{kept}, best_{best} {}

  /// Leaves the best packing found in `p` and returns what its busiest GPU carries. Precondition: trials < 2^40.
  constexpr std::int64_t run(std::int64_t enough, std::int64_t trials, std::int64_t patience) noexcept {
    std::int64_t most = p_.most();
    if (p_.pool.gpus == 1) return most;
    std::int64_t now = most;
    copy_packing(p_, kept_);
    copy_packing(p_, best_);
    for (std::int64_t trial = 0; trial < trials && most > enough; ++trial) {
      if (trial % 2 == 0 && p_.pool.slots > p_.pool.experts())
        give_slot();
      else
        exchange_any();
      const std::int64_t left = (trials - trial) * 1024 / trials;
      const std::int64_t next = level(p_, enough);
      if (next > now + (patience >> 20) * left * left) {
        copy_packing(kept_, p_);
        continue;
      }
      copy_packing(p_, kept_);
      now = next;
      if (next >= most) continue;
      copy_packing(p_, best_);
      most = next;
    }
    copy_packing(best_, p_);
    return most;
  }

private:
  /// An expert that can spare a slot gives one to another: every other time to one on the busiest GPU.
  constexpr void give_slot() noexcept {
    const std::int64_t slots = p_.pool.slots;
    std::int64_t slot = draws_.below(slots);
    while (p_.copies[p_.expert[slot]] == 1) slot = slot + 1 < slots ? slot + 1 : 0;
    const std::int64_t from = p_.expert[slot];
    const std::int64_t gpu = slot / p_.pool.slots_per_gpu();
    const auto wanted = draws_.below(2) == 0 ? p_.slots_of(p_.busiest()) : p_.expert;
    const std::int64_t to = wanted[draws_.below(wanted.size())];
    if (to == from || !p_.may_take(gpu, to)) return;
    p_.expert[slot] = to;
    --p_.copies[from];
    ++p_.copies[to];
    p_.share[from] = p_.pool.share(from, p_.copies[from]);
    p_.share[to] = p_.pool.share(to, p_.copies[to]);
    p_.count_carried();
  }

  constexpr void exchange_any() noexcept {
    const std::int64_t each = p_.pool.slots_per_gpu();
    const std::int64_t gpu = p_.busiest();
    const std::int64_t first = gpu * each + draws_.below(each);
    const std::int64_t second = draws_.below(p_.pool.slots);
    const std::int64_t other = second / each;
    if (other == gpu || p_.expert[first] == p_.expert[second]) return;
    if (!p_.may_take(other, p_.expert[first]) || !p_.may_take(gpu, p_.expert[second])) return;
    exchange(p_, {first, second});
  }

  packing& p_;
  packing& kept_;
  packing& best_;
  draws draws_{};
};

} // namespace moeplan::detail
