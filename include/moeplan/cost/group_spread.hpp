#pragma once

#include <cstdint>

#include <moeplan/mesh/group.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/divisors.hpp>
#include <moeplan/number/reciprocal.hpp>

/// @file
/// How groups of ranks lie on nodes of equally many GPUs, where ranks fill one node after the other.

namespace moeplan {

/// One group, or the sums over groups of equal size.
struct group_spread {
  saturating_count groups;
  std::int64_t ranks = 0; ///< of each group
  saturating_count nodes; ///< that a group touches
  /// Neighbours in the ring of ascending ranks, the last and the first among them, on different nodes: in each group as many as nodes,
  /// or none.
  saturating_count hops_between;
  saturating_count pairs_between; ///< ordered pairs of ranks on different nodes
  saturating_count accompanied;   ///< ranks that share their node with another one of their group
  std::int64_t most_nodes = 0;    ///< that any group touches
  std::int64_t fewest_nodes = 0; ///< that a group of this size touches at least, wherever its ranks are: ranks / GPUs of a node, up
  saturating_count scattered;    ///< groups that touch more nodes than they must

  constexpr group_spread& operator+=(const group_spread& b) noexcept {
    groups += b.groups;
    nodes += b.nodes;
    hops_between += b.hops_between;
    pairs_between += b.pairs_between;
    accompanied += b.accompanied;
    scattered += b.scattered;
    ranks = b.ranks;
    fewest_nodes = b.fewest_nodes;
    if (b.most_nodes > most_nodes) most_nodes = b.most_nodes;
    return *this;
  }

  friend constexpr bool operator==(const group_spread&, const group_spread&) noexcept = default;
};

/// First ranks of groups that have the same members at the same distances: a first one, and up to six strides.
struct group_leaders {
  static constexpr std::int64_t most_axes = 6;

  struct leader_axis {
    std::int64_t size = 1;
    std::int64_t stride = 0;
  };

  std::int64_t first = 0;
  leader_axis axes[most_axes]{};
  std::int64_t used = 0;

  /// Precondition: there is room.
  constexpr void append(std::int64_t size, std::int64_t stride) noexcept {
    if (size > 1) axes[used++] = {size, stride};
  }
  constexpr void append(const strided_ranks& ranks) noexcept {
    append(ranks.inner_size, ranks.inner_stride);
    append(ranks.outer_size, ranks.outer_stride);
  }

  [[nodiscard]] constexpr saturating_count count() const noexcept {
    saturating_count all = 1;
    for (std::int64_t i = 0; i < used; ++i) all *= axes[i].size;
    return all;
  }
};

namespace detail {

/// Steps through leaders of which no two are whole nodes apart, each with how many are whole nodes from it.
class leader_walk {
public:
  constexpr leader_walk(const group_leaders& leaders, std::int64_t gpus_per_node) noexcept
      : leaders_{&leaders}, first_{leaders.first} {
    for (std::int64_t a = 0; a < leaders.used; ++a) {
      const auto stride = static_cast<std::uint64_t>(leaders.axes[a].stride);
      period_[a] = gpus_per_node / static_cast<std::int64_t>(gcd(stride, static_cast<std::uint64_t>(gpus_per_node)));
    }
  }

  [[nodiscard]] constexpr std::int64_t first() const noexcept { return first_; }
  [[nodiscard]] constexpr saturating_count weight() const noexcept {
    saturating_count all = 1;
    for (std::int64_t a = 0; a < leaders_->used; ++a) all *= (leaders_->axes[a].size - 1 - at_[a]) / period_[a] + 1;
    return all;
  }

  /// False behind the last one.
  constexpr bool next() noexcept {
    for (std::int64_t a = 0; a < leaders_->used; ++a) {
      const group_leaders::leader_axis& along = leaders_->axes[a];
      ++at_[a];
      first_ += along.stride;
      if (at_[a] < along.size && at_[a] < period_[a]) return true;
      first_ -= at_[a] * along.stride;
      at_[a] = 0;
    }
    return false;
  }

private:
  const group_leaders* leaders_;
  std::int64_t first_;
  std::int64_t period_[group_leaders::most_axes]{};
  std::int64_t at_[group_leaders::most_axes]{};
};

} // namespace detail

/// Nodes of equally many GPUs, numbered like the ranks on them from rank 0.
class node_grid {
public:
  /// Precondition: gpus_per_node is at least 1.
  constexpr explicit node_grid(std::int64_t gpus_per_node) noexcept : by_node_{gpus_per_node} {}

  [[nodiscard]] constexpr std::int64_t gpus_per_node() const noexcept { return by_node_.divisor; }

  /// Precondition: rank is at least 0.
  [[nodiscard]] constexpr std::int64_t node_of(std::int64_t rank) const noexcept { return by_node_.quotient(rank); }

  /// Of one group. Takes a step a node, not a rank, where several neighbours are on one.
  [[nodiscard]] constexpr group_spread spread_of(std::int64_t first, const strided_ranks& members) const noexcept {
    node_counter counter;
    for (std::int64_t o = 0; o < members.outer_size; ++o) add_run(first + o * members.outer_stride, members, counter);
    counter.flush();
    return counted(counter, members.count());
  }
  [[nodiscard]] constexpr group_spread spread_of(const rank_group& group) const noexcept {
    return spread_of(group.front(), group.distances());
  }

  /// Sums over groups. A group moved by whole nodes is spread as before, so that of each axis of leaders only those up to its period on a
  /// node are looked at.
  [[nodiscard]] constexpr group_spread spread_of(const group_leaders& leaders, const strided_ranks& members) const noexcept {
    group_spread sum;
    detail::leader_walk walk{leaders, gpus_per_node()};
    do { sum += times(walk.weight(), spread_of(walk.first(), members)); } while (walk.next());
    return sum;
  }

  /// The same of groups of which each is cut into parts of so many members: neighbours, or members as far apart as they can be.
  /// Precondition: `ranks` divides the members.
  [[nodiscard]] constexpr group_spread spread_of_parts(const group_leaders& leaders, const strided_ranks& members,
                                                       std::int64_t ranks, bool neighbours) const noexcept {
    const std::int64_t parts = members.count() / ranks;
    group_spread sum;
    detail::leader_walk walk{leaders, gpus_per_node()};
    do {
      for (std::int64_t p = 0; p < parts; ++p) {
        node_counter counter;
        for (std::int64_t i = 0; i < ranks; ++i)
          counter.add(node_of(walk.first() + members.offset(neighbours ? p * ranks + i : i * parts + p)), 1);
        counter.flush();
        sum += times(walk.weight(), counted(counter, ranks));
      }
    } while (walk.next());
    return sum;
  }

  /// Whether all groups along axes of a grid of ranks that starts on a new node are known to be spread alike: each run of members is
  /// inside a node, or has one rank on each of several, or fills an equal part of each of several.
  [[nodiscard]] constexpr bool divides(const strided_ranks& members) const noexcept {
    if (members.inner_stride >= gpus_per_node()) return true; // Members ascend by that much at least.
    return divides(members.inner_size, members.inner_stride) && divides(members.outer_size, members.outer_stride);
  }

  /// Members on each node that a group touches. Precondition: divides(members).
  [[nodiscard]] constexpr std::int64_t members_on_a_node(const strided_ranks& members) const noexcept {
    return on_a_node(members.inner_size, members.inner_stride) * on_a_node(members.outer_size, members.outer_stride);
  }

  /// Of so many groups that are spread alike, with so many members on each node they touch.
  [[nodiscard]] constexpr group_spread alike(saturating_count groups, std::int64_t ranks, std::int64_t on_a_node) const noexcept {
    node_counter counter;
    counter.nodes = ranks / on_a_node;
    counter.pairs_within = saturating_count{ranks} * (on_a_node - 1);
    counter.accompanied = on_a_node > 1 ? ranks : 0;
    return times(groups, counted(counter, ranks));
  }

private:
  /// Counts members node by node, as nodes ascend.
  struct node_counter {
    std::int64_t node = -1;
    std::int64_t on_node = 0;
    std::int64_t nodes = 0;
    saturating_count pairs_within;
    std::int64_t accompanied = 0;

    constexpr void add(std::int64_t at, std::int64_t members) noexcept {
      if (at != node) {
        flush();
        node = at;
        on_node = 0;
        ++nodes;
      }
      on_node += members;
    }
    constexpr void flush() noexcept {
      if (on_node <= 1) return;
      pairs_within += saturating_count{on_node} * (on_node - 1);
      accompanied += on_node;
    }
  };

  constexpr void add_run(std::int64_t start, const strided_ranks& members, node_counter& counter) const noexcept {
    const std::int64_t n = members.inner_size;
    const std::int64_t stride = members.inner_stride;
    std::int64_t i = 0;
    while (i < n) {
      const std::int64_t node = node_of(start + i * stride);
      if (stride >=
          gpus_per_node()) { // Each on a node of its own; the first may share it with the run before, the last with the next.
        counter.add(node, 1);
        if (i == 0 && n > 2) {
          counter.flush();
          counter.nodes += n - 2;
          counter.on_node = 0;
          i = n - 2;
        }
        ++i;
        continue;
      }
      const std::int64_t last = stride == 0 ? n - 1 : ((node + 1) * gpus_per_node() - 1 - start) / stride;
      const std::int64_t end = last < n - 1 ? last + 1 : n;
      counter.add(node, end - i);
      i = end;
    }
  }

  [[nodiscard]] constexpr group_spread counted(const node_counter& on, std::int64_t ranks) const noexcept {
    const std::int64_t nodes = on.nodes;
    group_spread s;
    s.groups = 1;
    s.ranks = ranks;
    s.nodes = nodes;
    s.hops_between = nodes > 1 ? nodes : 0;
    s.pairs_between = saturating_count{ranks} * (ranks - 1) - on.pairs_within;
    s.accompanied = on.accompanied;
    s.most_nodes = nodes;
    s.fewest_nodes = node_of(ranks - 1) + 1;
    s.scattered = nodes > s.fewest_nodes ? 1 : 0;
    return s;
  }

  [[nodiscard]] static constexpr group_spread times(saturating_count n, group_spread s) noexcept {
    s.groups *= n;
    s.nodes *= n;
    s.hops_between *= n;
    s.pairs_between *= n;
    s.accompanied *= n;
    s.scattered *= n;
    return s;
  }

  [[nodiscard]] constexpr std::int64_t remainder(std::int64_t n) const noexcept { return n - node_of(n) * gpus_per_node(); }

  [[nodiscard]] constexpr bool divides(std::int64_t size, std::int64_t stride) const noexcept {
    if (size == 1 || remainder(stride) == 0) return true;
    if (stride > gpus_per_node()) return false;
    const std::int64_t span = size * stride;
    return span <= gpus_per_node() ? gpus_per_node() % span == 0 : remainder(span) == 0 && gpus_per_node() % stride == 0;
  }

  [[nodiscard]] constexpr std::int64_t on_a_node(std::int64_t size, std::int64_t stride) const noexcept {
    if (size == 1 || stride >= gpus_per_node()) return 1;
    return size * stride <= gpus_per_node() ? size : gpus_per_node() / stride;
  }

  reciprocal by_node_;
};

} // namespace moeplan
