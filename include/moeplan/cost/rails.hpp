#pragma once

#include <cstdint>

#include <moeplan/cost/group_spread.hpp>
#include <moeplan/mesh/group.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/divisors.hpp>

/// @file
/// Which of what a group sends to other NVLink domains stays on its rail: the switch that GPUs of the same index in their nodes share.

namespace moeplan {

/// Members of a group at equal distances in its list: all of them, a run of neighbours, or every n-th.
struct group_members {
  std::int64_t first = 0; ///< rank of the group's first member, whether it is one of these or not
  strided_ranks group{};
  std::int64_t start = 0; ///< in the group's list
  std::int64_t step = 1;
  std::int64_t count = 1;

  /// Precondition: 0 <= i < count.
  [[nodiscard]] constexpr std::int64_t rank(std::int64_t i) const noexcept { return first + group.offset(start + i * step); }

  [[nodiscard]] constexpr bool contains(std::int64_t rank) const noexcept {
    const std::int64_t distance = rank - first;
    if (distance < 0) return false;
    const std::int64_t run = group.outer_size == 1 ? 0 : distance / group.outer_stride;
    const std::int64_t rest = distance - run * group.outer_stride;
    const std::int64_t within = group.inner_size == 1 ? 0 : rest / group.inner_stride;
    if (run >= group.outer_size || within >= group.inner_size || rest != within * group.inner_stride) return false;
    const std::int64_t at = run * group.inner_size + within - start;
    return at >= 0 && at % step == 0 && at / step < count;
  }
};

/// Rails of nodes of equally many GPUs, which form NVLink domains of equally many nodes.
class rail_grid {
public:
  /// Precondition: domains are whole nodes.
  constexpr rail_grid(const node_grid& nodes, const node_grid& domains) noexcept : nodes_{nodes}, domains_{domains} {}

  /// Whether a group that both grids divide, and that starts anywhere on a domain's first node's part of it, has ranks on the same rails
  /// on every node it touches. Precondition: nodes.divides(members).
  [[nodiscard]] constexpr bool same_on_every_node(const strided_ranks& members) const noexcept {
    return members.inner_stride < rails() || (members.inner_stride % rails() == 0 && members.outer_stride % rails() == 0);
  }

  /// Of a ring through the domains that a group touches, in ascending order, the hops that stay on a rail: on both sides there is a rank
  /// on it. (Which GPU of a domain hands over to the adapter of that rail is no matter; NCCL keeps to one adapter, NCCL_CROSS_NIC.)
  /// `closed`: from the last domain back to the first.
  [[nodiscard]] constexpr saturating_count hops_on_rail(const group_members& m, bool closed) const noexcept {
    const repetition r = repetition_of(m);
    if (r.times == 0) return hops_one_by_one(m, closed);
    const saturating_count each = hops_one_by_one(r.longer(1), false) - hops_one_by_one(r.longer(0), false);
    return hops_one_by_one(r.longer(0), closed) + each * r.times;
  }

  /// Ordered pairs of ranks on the same rail in different domains.
  [[nodiscard]] constexpr saturating_count pairs_on_rail(const group_members& m) const noexcept {
    const repetition r = repetition_of(m);
    if (r.times == 0) return pairs_one_by_one(m);
    // With every repetition come the pairs inside it and those with each one before.
    const saturating_count none = pairs_one_by_one(r.longer(0));
    const saturating_count one = pairs_one_by_one(r.longer(1));
    const saturating_count two = pairs_one_by_one(r.longer(2));
    const saturating_count with_each = two - one - (one - none);
    return none + (one - none) * r.times + with_each * (saturating_count{r.times} * (r.times - 1) / 2);
  }

private:
  /// A group that goes on as it began: after so many ranks along its outer axis all is as before, whole domains further on.
  struct repetition {
    group_members shortest{}; ///< two periods, and what the group has beyond whole ones
    std::int64_t period = 1;
    std::int64_t times = 0; ///< by which the group is longer than that

    [[nodiscard]] constexpr group_members longer(std::int64_t by) const noexcept {
      group_members m = shortest;
      outer_size(m.group) += by * period;
      m.count = m.group.count();
      return m;
    }
  };

  [[nodiscard]] static constexpr std::int64_t& outer_size(strided_ranks& ranks) noexcept {
    return ranks.outer_size == 1 ? ranks.inner_size : ranks.outer_size;
  }

  /// Worth it from eight periods on. Parts of a group are looked at rank by rank.
  [[nodiscard]] constexpr repetition repetition_of(const group_members& m) const noexcept {
    repetition r{.shortest = m};
    if (m.count == 1 || m.count != m.group.count()) return r;
    const std::int64_t stride = m.group.outer_size == 1 ? m.group.inner_stride : m.group.outer_stride;
    r.period = domains_.gpus_per_node() / gcd(stride, domains_.gpus_per_node());
    const std::int64_t periods = outer_size(r.shortest.group) / r.period;
    if (periods < 8) return r;
    r.times = periods - 2;
    outer_size(r.shortest.group) -= r.times * r.period;
    r.shortest.count = r.shortest.group.count();
    return r;
  }

  [[nodiscard]] constexpr saturating_count hops_one_by_one(const group_members& m, bool closed) const noexcept {
    const std::int64_t first = domains_.node_of(m.rank(0));
    saturating_count hops;
    std::int64_t start = 0;
    std::int64_t here = first;
    for (std::int64_t i = 1; i < m.count; ++i) {
      const std::int64_t next = domains_.node_of(m.rank(i));
      if (next == here) continue;
      hops += share_a_rail(m, start, i, next) ? 1 : 0;
      start = i;
      here = next;
    }
    if (closed && here != first) hops += share_a_rail(m, start, m.count, first) ? 1 : 0;
    return hops;
  }

  [[nodiscard]] constexpr saturating_count pairs_one_by_one(const group_members& m) const noexcept {
    const std::int64_t last = m.rank(m.count - 1);
    saturating_count pairs;
    for (std::int64_t i = 0; i < m.count; ++i) {
      const std::int64_t rank = m.rank(i);
      const std::int64_t next_domain = (domains_.node_of(rank) + 1) * domains_.gpus_per_node();
      for (std::int64_t other = on_rail_from(next_domain, rank); other <= last; other += rails())
        if (m.contains(other)) pairs += 2;
    }
    return pairs;
  }

  [[nodiscard]] constexpr std::int64_t rails() const noexcept { return nodes_.gpus_per_node(); }

  /// The GPU on a rank's rail of the node that starts at `node_start`.
  [[nodiscard]] constexpr std::int64_t on_rail_from(std::int64_t node_start, std::int64_t rank) const noexcept {
    return node_start + rank - nodes_.node_of(rank) * rails();
  }

  /// Whether one of the members from the start-th to before the end-th has its rail in common with one in a domain.
  [[nodiscard]] constexpr bool share_a_rail(const group_members& m, std::int64_t start, std::int64_t end,
                                            std::int64_t domain) const noexcept {
    const std::int64_t domain_start = domain * domains_.gpus_per_node();
    for (std::int64_t i = start; i < end; ++i)
      for (std::int64_t other = on_rail_from(domain_start, m.rank(i)); other < domain_start + domains_.gpus_per_node();
           other += rails())
        if (m.contains(other)) return true;
    return false;
  }

  node_grid nodes_;
  node_grid domains_;
};

} // namespace moeplan
