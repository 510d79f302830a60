#pragma once

#include <cstdint>

#include <moeplan/balance/copy_pairs.hpp>
#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/balance/packing.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// Every packing of a small pool tried, and so the best one found.

namespace moeplan::detail {

/// Goes through all numbers of copies, and for each of them through all packings better than the best one known.
class every_packing {
public:
  /// How many elements of storage it takes.
  [[nodiscard]] static constexpr std::int64_t storage(std::int64_t experts, std::int64_t slots, std::int64_t gpus) noexcept {
    return packing::storage(experts, slots, gpus) + 3 * slots + experts;
  }

  /// In how many ways the slots can be distributed to the experts, one or more to each; or `limit` if there are as many or more.
  [[nodiscard]] static constexpr std::int64_t distributions(const expert_pool& pool, std::int64_t limit) noexcept {
    const std::int64_t extra = pool.slots - pool.experts();
    const std::int64_t others = pool.experts() - 1;
    const std::int64_t chosen = extra < others ? extra : others;
    std::int64_t ways = 1; // (extra + others) over (chosen), a factor at a time: each partial product is a binomial coefficient.
    for (std::int64_t i = 1; i <= chosen; ++i) {
      if (ways >= limit || __builtin_mul_overflow(ways, extra + others - chosen + i, &ways)) return limit;
      ways /= i;
    }
    return ways < limit ? ways : limit;
  }

  /// `best` is a valid packing.
  constexpr every_packing(packing& best, array_view<std::int64_t> elements) noexcept
      : best_{best}, now_{best.pool, elements}, most_{best.most()} {
    const expert_pool& pool = best.pool;
    storage_parts parts{elements};
    static_cast<void>(parts.take(packing::storage(pool.experts(), pool.slots, pool.gpus))); // now_ has it.
    pairs_ = {parts.take(pool.slots), parts.take(pool.slots)};
    gpu_of_ = parts.take(pool.slots);
    order_ = parts.take(pool.experts());
  }

  /// Leaves the best packing of all in `best`, within `enough` of which the search ends. False: after `steps` steps it was given
  /// up, and a better one may be left.
  constexpr bool run(std::int64_t enough, std::int64_t steps) noexcept {
    steps_ = steps;
    for (std::int64_t e = 0; e < pool().experts(); ++e) now_.copies[e] = 1;
    now_.copies[0] += pool().slots - pool().experts();
    do {
      if (most_ <= enough) return true;
      if (--steps_ < 0) return false;
      if (!may_be_better()) continue;
      if (pool().slots_per_gpu() == 2)
        pair();
      else if (!pack())
        return false;
    } while (next_copies());
    return true;
  }

private:
  [[nodiscard]] constexpr const expert_pool& pool() const noexcept { return now_.pool; }

  /// The next way to distribute what there is beyond one copy each: one copy goes from the first expert that has several to the
  /// expert after it, and the rest of them to the first expert of all. (Nijenhuis, Wilf, Combinatorial Algorithms, NEXCOM.)
  [[nodiscard]] constexpr bool next_copies() noexcept {
    std::int64_t e = 0;
    while (e < pool().experts() && now_.copies[e] == 1) ++e;
    if (e + 1 >= pool().experts()) return false;
    const std::int64_t rest = now_.copies[e] - 2;
    now_.copies[e] = 1;
    now_.copies[0] = 1 + rest;
    ++now_.copies[e + 1];
    return true;
  }

  [[nodiscard]] constexpr bool may_be_better() const noexcept {
    for (std::int64_t e = 0; e < pool().experts(); ++e)
      if (now_.copies[e] > pool().most_copies() || pool().share(e, now_.copies[e]) >= most_) return false;
    return true;
  }

  constexpr void pair() noexcept {
    list_copies(pool(), now_.copies, order_, pairs_);
    if (pairs_.judge(0).most >= most_) return;
    now_.count_shares();
    pairs_.pack(now_);
    keep();
  }

  constexpr void keep() noexcept {
    copy_packing(now_, best_);
    most_ = best_.most();
  }

  /// All packings of these numbers of copies: depth first, the heaviest copy first. False: given up.
  [[nodiscard]] constexpr bool pack() noexcept {
    list_copies(pool(), now_.copies, order_, pairs_);
    now_.count_shares();
    for (std::int64_t g = 0; g < pool().gpus; ++g) now_.carried[g] = now_.filled[g] = 0;
    const std::int64_t slots = pool().slots;
    std::int64_t depth = 0;
    gpu_of_[0] = -1;
    while (depth >= 0) {
      if (--steps_ < 0) return false;
      const std::int64_t e = pairs_.expert[slots - 1 - depth];
      if (gpu_of_[depth] >= 0) take_back(gpu_of_[depth], e);
      const std::int64_t g = next_gpu(depth, e);
      gpu_of_[depth] = g;
      if (g < 0) {
        --depth;
        continue;
      }
      put(g, e);
      if (depth + 1 < slots) {
        gpu_of_[++depth] = -1;
      } else {
        keep();
      }
    }
    return true;
  }

  /// The next GPU for a copy, after the one where it was tried last; -1: none. Copies of one expert are alike, so that one need not
  /// go to a GPU before that of the copy before it; and so are empty GPUs, of which only the first is tried.
  [[nodiscard]] constexpr std::int64_t next_gpu(std::int64_t depth, std::int64_t e) const noexcept {
    const std::int64_t slots = pool().slots;
    const bool same = depth > 0 && pairs_.expert[slots - depth] == e;
    std::int64_t g = gpu_of_[depth] + 1;
    if (same && g < gpu_of_[depth - 1]) g = gpu_of_[depth - 1];
    for (; g < pool().gpus; ++g) {
      if (g > 0 && now_.filled[g] == 0 && now_.filled[g - 1] == 0) return -1;
      if (now_.filled[g] < pool().slots_per_gpu() && now_.carried[g] + now_.share[e] < most_ &&
          now_.held(g, now_.filled[g], e) < pool().most_on_a_gpu)
        return g;
    }
    return -1;
  }

  constexpr void put(std::int64_t g, std::int64_t e) noexcept {
    now_.expert[g * pool().slots_per_gpu() + now_.filled[g]++] = e;
    now_.carried[g] += now_.share[e];
  }

  constexpr void take_back(std::int64_t g, std::int64_t e) noexcept {
    --now_.filled[g];
    now_.carried[g] -= now_.share[e];
  }

  packing& best_;
  packing now_;
  copy_pairs pairs_{};
  array_view<std::int64_t> gpu_of_{};
  array_view<std::int64_t> order_{};
  std::int64_t most_ = 0;
  std::int64_t steps_ = 0;
};

} // namespace moeplan::detail
