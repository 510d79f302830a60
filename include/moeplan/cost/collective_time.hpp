#pragma once

#include <cstdint>

#include <moeplan/cost/collective.hpp>

/// @file
/// How long collective operations take, in the alpha-beta model: a latency for each step and a time for each byte.

namespace moeplan {

/// What each rank's link does, in both directions at once. Nothing is fitted: give what you measured, or what a data sheet says.
struct alpha_beta {
  double latency = 0;   ///< alpha: seconds a step
  double bandwidth = 0; ///< 1 / beta: bytes a second in one direction, above 0
};

namespace detail {

/// The smallest s with 2^s >= n. Precondition: n is at least 1.
[[nodiscard]] constexpr std::int64_t doublings(std::int64_t n) noexcept {
  std::int64_t s = 0;
  while (s < 63 && std::int64_t{1} << s < n) ++s;
  return s;
}

/// Bits that are 1 in the numbers from 0 to before n: blocks that Bruck's all-to-all moves, one for each 1 in a block's distance.
[[nodiscard]] constexpr double blocks_moved(std::int64_t n) noexcept {
  const auto numbers = static_cast<std::uint64_t>(n);
  double all = 0;
  for (std::uint64_t bit = 1; bit < numbers; bit *= 2) {
    const std::uint64_t rest = numbers % (2 * bit);
    const std::uint64_t with_bit = numbers / (2 * bit) * bit + (rest > bit ? rest - bit : 0);
    all += static_cast<double>(with_bit);
  }
  return all;
}

[[nodiscard]] constexpr double alpha_beta_seconds(double steps, double bytes, const alpha_beta& link) noexcept {
  return steps * link.latency + bytes / link.bandwidth;
}

} // namespace detail

/// Around a ring, where every rank passes on what it got: the fewest bytes and n - 1 steps for each round. A broadcast goes along it in
/// pieces so small that only the steps and the size count. `size` as the collective says, in bytes. An all-to-all is none around a ring:
/// NaN. Source: Patarasuk and Yuan, J. Parallel Distrib. Comput. 69 (2009). Precondition: ranks is at least 1.
[[nodiscard]] constexpr double ring_seconds(collective kind, double size, std::int64_t ranks, const alpha_beta& link) noexcept {
  if (ranks == 1) return 0;
  const auto n = static_cast<double>(ranks);
  const double share = size * (n - 1) / n;
  switch (kind) {
    case collective::all_reduce: return detail::alpha_beta_seconds(2 * (n - 1), 2 * share, link);
    case collective::reduce_scatter:
    case collective::all_gather: return detail::alpha_beta_seconds(n - 1, share, link);
    case collective::broadcast: return detail::alpha_beta_seconds(n - 1, size, link);
    case collective::send:
    case collective::shift: return detail::alpha_beta_seconds(1, size, link);
    case collective::all_to_all: break;
  }
  return __builtin_nan("");
}

/// With ceil(log2 n) steps for each round: an all-reduce up and down two binary trees, each for one half (Sanders, Speck and Traeff,
/// Parallel Comput. 35 (2009); NCCL's tree), a broadcast down a binomial tree, an all-gather, and in reverse a reduce-scatter, with
/// blocks that double, and an all-to-all with blocks that travel by the bits of their distance (Bruck and others, IEEE Trans. Parallel
/// Distrib. Syst. 8 (1997)), which sends more bytes. `size` as the collective says, in bytes. A send or shift is no tree: NaN.
/// Precondition: ranks is at least 1.
[[nodiscard]] constexpr double tree_seconds(collective kind, double size, std::int64_t ranks, const alpha_beta& link) noexcept {
  if (ranks == 1) return 0;
  const auto n = static_cast<double>(ranks);
  const auto steps = static_cast<double>(detail::doublings(ranks));
  switch (kind) {
    case collective::all_reduce: return detail::alpha_beta_seconds(2 * steps, 2 * size, link);
    case collective::reduce_scatter:
    case collective::all_gather: return detail::alpha_beta_seconds(steps, size * (n - 1) / n, link);
    case collective::broadcast: return detail::alpha_beta_seconds(steps, steps * size, link);
    case collective::all_to_all: return detail::alpha_beta_seconds(steps, size / n * detail::blocks_moved(ranks), link);
    case collective::send:
    case collective::shift: break;
  }
  return __builtin_nan("");
}

/// Every rank with every other one in turn, in n - 1 steps: how all-to-alls are done whose bytes count. Of the others, reduce-scatter,
/// all-gather and all-reduce take as long as around a ring; a broadcast, a send or a shift is none: NaN. `size` as the collective says, in
/// bytes. Precondition: ranks is at least 1.
[[nodiscard]] constexpr double pairwise_seconds(collective kind, double size, std::int64_t ranks, const alpha_beta& link) noexcept {
  switch (kind) {
    case collective::all_to_all: return ring_seconds(collective::all_gather, size, ranks, link);
    case collective::all_reduce:
    case collective::reduce_scatter:
    case collective::all_gather: return ring_seconds(kind, size, ranks, link);
    case collective::broadcast:
    case collective::send:
    case collective::shift: break;
  }
  return __builtin_nan("");
}

} // namespace moeplan
