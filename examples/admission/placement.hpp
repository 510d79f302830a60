// Which nodes a job gets, and how many GPUs on each: first fit and best fit.
//
// A node gives GPUs in units, so that what communicates most can stay on one node. First fit goes through the nodes in their order
// and takes all that each offers. Best fit takes the fewest nodes: those that offer most, and for what is left the node that is
// fullest without it. Either way ranks are numbered along the nodes in the nodes' order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <moeplan/number/reciprocal.hpp>

namespace admission {

/// Free GPUs of each node. Precondition wherever it is passed: no number is negative, and they add up to at most most_free_gpus.
using free_gpus = std::span<const std::int64_t>;

/// More GPUs than any cluster has; the bound on what a search for a legal DP costs.
inline constexpr std::int64_t most_free_gpus = std::int64_t{1} << 24;

enum class policy : std::uint16_t { first_fit, best_fit };

[[nodiscard]] constexpr std::int64_t sum(free_gpus free) noexcept {
  std::int64_t total = 0;
  for (const std::int64_t gpus : free) total += gpus;
  return total;
}

/// What a job gets of each node: of one node the rest that it still needs, of some others all whole units, of the others nothing.
/// Small, and independent of the number of nodes; whoever keeps the free GPUs asks it node by node.
struct placement {
  static constexpr std::int64_t never = __INT64_MAX__;

  std::int64_t nodes = 0;          ///< how many are used; 0: the job cannot be placed in such units
  moeplan::reciprocal unit{};      ///< GPUs that stay together
  std::int64_t all_from = never;   ///< every node with as many free GPUs gives all whole units
  std::int64_t first_from = never; ///< so does every node before `first_end` with as many
  std::size_t first_end = 0;
  std::size_t rest_node = 0; ///< the node that gives `rest`
  std::int64_t rest = 0;

  /// GPUs on a node that had `free` of them when this was decided.
  [[nodiscard]] constexpr std::int64_t gpus_on(std::size_t node, std::int64_t free) const noexcept {
    if (node == rest_node) return rest;
    const bool gives = free >= all_from || (node < first_end && free >= first_from);
    return gives ? unit.quotient(free) * unit.divisor : 0;
  }

  friend constexpr bool operator==(const placement&, const placement&) noexcept = default;
};

/// Takes a job's GPUs from the free ones.
constexpr void take(const placement& p, std::span<std::int64_t> free) noexcept {
  for (std::size_t node = 0; node < free.size(); ++node) free[node] -= p.gpus_on(node, free[node]);
}

namespace detail {

[[nodiscard]] constexpr placement first_fit(free_gpus free, std::int64_t gpus, std::int64_t unit) noexcept {
  placement p{.unit = moeplan::reciprocal{unit}, .first_from = unit};
  for (std::size_t node = 0; node < free.size(); ++node) {
    const std::int64_t offered = p.unit.quotient(free[node]) * unit;
    if (offered == 0) continue;
    ++p.nodes;
    if (offered >= gpus) {
      p.first_end = p.rest_node = node;
      p.rest = gpus;
      return p;
    }
    gpus -= offered;
  }
  return {};
}

/// Nodes whose free GPUs are from `low` to below `high`, and the most free GPUs of a node below `low`.
struct tier {
  std::int64_t nodes = 0;
  std::int64_t next = 0;
};

[[nodiscard]] constexpr tier tier_of(free_gpus free, std::int64_t low, std::int64_t high) noexcept {
  tier t;
  for (const std::int64_t gpus : free) {
    t.nodes += gpus >= low && gpus < high ? 1 : 0;
    t.next = gpus < low && gpus > t.next ? gpus : t.next;
  }
  return t;
}

/// The place behind the first `count` nodes with at least `low` and below `high` free GPUs. Precondition: there are as many.
[[nodiscard]] constexpr std::size_t behind(free_gpus free, std::int64_t count, std::int64_t low, std::int64_t high) noexcept {
  std::size_t node = 0;
  for (; count > 0; ++node) count -= free[node] >= low && free[node] < high ? 1 : 0;
  return node;
}

/// Of the nodes that the placement does not use yet, the one with the fewest free GPUs that has enough for the rest.
[[nodiscard]] constexpr std::size_t tightest(free_gpus free, const placement& p) noexcept {
  std::size_t best = free.size();
  for (std::size_t node = 0; node < free.size(); ++node) {
    const bool used = free[node] >= p.all_from || (node < p.first_end && free[node] >= p.first_from);
    if (!used && free[node] >= p.rest && (best == free.size() || free[node] < free[best])) best = node;
  }
  return best;
}

/// Goes down the tiers of nodes that offer equally many units, the largest first, until there is enough: no choice takes fewer nodes,
/// since any other with as many offers at most as much.
[[nodiscard]] constexpr placement best_fit(free_gpus free, std::int64_t gpus, std::int64_t unit) noexcept {
  placement p{.unit = moeplan::reciprocal{unit}};
  std::int64_t most = tier_of(free, placement::never, placement::never).next;
  while (most >= unit) {
    const std::int64_t offered = p.unit.quotient(most) * unit;
    const std::int64_t above = offered + unit;
    const tier t = tier_of(free, offered, above);
    if (t.nodes >= (gpus + offered - 1) / offered) {
      const std::int64_t whole = (gpus - 1) / offered;
      p.all_from = above;
      p.first_from = offered;
      p.first_end = behind(free, whole, offered, above);
      p.rest = gpus - whole * offered;
      p.nodes += whole + 1;
      p.rest_node = tightest(free, p);
      return p;
    }
    p.nodes += t.nodes;
    gpus -= t.nodes * offered;
    most = t.next;
  }
  return {};
}

} // namespace detail

/// Places `gpus` GPUs, a multiple of `unit`, in multiples of `unit` on each node. Where that cannot be, no node is used.
/// Both policies can place the same jobs, and best fit never takes more nodes. Precondition: gpus and unit are at least 1.
[[nodiscard]] constexpr placement place(free_gpus free, policy how, std::int64_t gpus, std::int64_t unit) noexcept {
  return how == policy::first_fit ? detail::first_fit(free, gpus, unit) : detail::best_fit(free, gpus, unit);
}

} // namespace admission
