#pragma once

#include <cstdint>

#include <moeplan/balance/exhaustive_packing.hpp>
#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/balance/packing.hpp>
#include <moeplan/balance/packing_search.hpp>
#include <moeplan/balance/pair_search.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/extremes.hpp>

/// @file
/// The most even packing of one pool: whichever search suits its size.

namespace moeplan::detail {

/// What a search of a pool found out.
struct pool_verdict {
  std::int64_t most = 0; ///< what the busiest GPU carries
  bool proven = false;   ///< no packing is better
};

/// How many elements of storage search_pool needs beside the packing itself.
[[nodiscard]] constexpr std::int64_t pool_search_storage(std::int64_t experts, std::int64_t slots, std::int64_t gpus) noexcept {
  return greatest(greatest(pair_search::storage(experts, slots), every_packing::storage(experts, slots, gpus)),
                  2 * packing::storage(experts, slots, gpus));
}

/// Leaves the best packing found in `p`. The search ends when the busiest GPU carries no more than `enough`.
constexpr pool_verdict search_pool(packing& p, std::int64_t enough, std::int64_t trials,
                                   array_view<std::int64_t> storage) noexcept {
  const expert_pool& pool = p.pool;
  const std::int64_t heaviest = spread_copies(pool, p.copies, p.order);
  deal(p);
  const std::int64_t each = pool.slots_per_gpu();
  if (each == 1) return {p.most(), true};
  const std::int64_t reachable = greatest(heaviest, enough); // Below the heaviest copy there is nothing.
  pool_verdict v{.most = level(p, reachable)};
  const auto done = [&v, heaviest, enough] { return v.most <= enough || v.most == heaviest; };
  if (done() || trials == 0) return {v.most, v.most == heaviest};
  const bool small = pool.slots <= 64 && every_packing::distributions(pool, trials) < trials;
  if (each == 2 && !small) {
    v.most = pair_search{p, storage}.run(reachable, trials - trials / 2, 32);
    if (!done()) v.most = pair_search{p, storage}.run(reachable, trials / 2, 64); // From the best found on, more cautiously.
  } else if (each > 2) {
    const std::int64_t size = packing::storage(pool.experts(), pool.slots, pool.gpus);
    packing kept{pool, storage.part(0, size)};
    packing best{pool, storage.part(size, size)};
    packing_search search{p, kept, best};
    v.most = search.run(reachable, trials / 16, 0);
    v.most = search.run(reachable, trials / 8, v.most / 8); // Over the hills: hot experts with other numbers of copies.
    v.most = search.run(reachable, trials / 8, 0);
  }
  if (small && !done()) {
    v.proven = every_packing{p, storage}.run(reachable, each == 2 ? trials : 16 * trials) && p.most() > reachable;
    v.most = p.most();
  }
  return {v.most, v.proven || v.most == heaviest};
}

} // namespace moeplan::detail
