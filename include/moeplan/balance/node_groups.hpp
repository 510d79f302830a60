#pragma once

#include <cstdint>

#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/balance/packing.hpp>
#include <moeplan/balance/placement_shape.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// Which groups of experts go to which node, where every copy of a group's experts has to stay on one node.

namespace moeplan::detail {

/// As many groups on each node. Each node is a pool of its own then, and has a load that none of its packings gets below: its mean,
/// or what its heaviest copy carries when its slots are spread best.
class node_groups {
public:
  /// How many elements of storage it takes. Precondition: a shape for the hierarchical policy.
  [[nodiscard]] static constexpr std::int64_t storage(const placement_shape& s) noexcept {
    return packing::storage(s.groups, s.groups, s.nodes) + 4 * s.groups + s.nodes + 3 * (s.experts / s.nodes);
  }

  /// `loads`: of every expert, in units.
  constexpr node_groups(const placement_shape& s, array_view<const std::int64_t> loads, array_view<std::int64_t> elements) noexcept
      : shape_{s}, loads_{loads}, group_size_{s.experts / s.groups} {
    storage_parts parts{elements};
    packed_ = parts.take(packing::storage(s.groups, s.groups, s.nodes));
    sums_ = parts.take(s.groups);
    heaviest_first_ = parts.take(s.groups);
    node_of_ = parts.take(s.groups);
    placed_ = parts.take(s.groups);
    filled_ = parts.take(s.nodes);
    node_loads_ = parts.take(s.experts / s.nodes);
    copies_ = parts.take(s.experts / s.nodes);
    heap_ = parts.take(s.experts / s.nodes);
    for (std::int64_t g = 0; g < s.groups; ++g) {
      sums_[g] = 0;
      for (std::int64_t e = 0; e < group_size_; ++e) sums_[g] += loads[g * group_size_ + e];
      heaviest_first_[g] = g;
    }
    heap_sort(heaviest_first_,
              [this](std::int64_t a, std::int64_t b) { return sums_[a] > sums_[b] || (sums_[a] == sums_[b] && a < b); });
  }

  /// The group in each place: node n has the places n * groups / nodes on.
  [[nodiscard]] constexpr array_view<std::int64_t> placed() const noexcept { return placed_; }

  /// Groups dealt out and exchanged by their loads alone. Returns the greatest load that a node does not get below.
  constexpr std::int64_t deal_groups() noexcept {
    packing p{{sums_, shape_.groups, shape_.nodes}, packed_};
    for (std::int64_t g = 0; g < shape_.groups; ++g) p.copies[g] = 1;
    deal(p);
    level(p, 0);
    std::int64_t worst = 0;
    for (std::int64_t place = 0; place < shape_.groups; ++place) placed_[place] = p.expert[place];
    for (std::int64_t node = 0; node < shape_.nodes; ++node) worst = greatest(worst, floor_of(node));
    return worst;
  }

  /// A load that some node does not get below, however groups are placed: the node of the heaviest group has the lightest ones at
  /// best.
  [[nodiscard]] constexpr std::int64_t simple_bound() const noexcept {
    std::int64_t sum = sums_[heaviest_first_[0]];
    for (std::int64_t i = 1; i < shape_.groups / shape_.nodes; ++i) sum += sums_[heaviest_first_[shape_.groups - i]];
    return sum / shape_.gpus_per_node();
  }

  /// Calls `visit` for placements of groups, in placed(), none of whose nodes is bound to carry `limit` or more; `visit` gets the
  /// load that the worst of them does not get below, and returns the limit from there on. False: after `steps` steps it was given
  /// up, and others may be left.
  template <class Visitor>
  constexpr bool visit(std::int64_t limit, std::int64_t steps, Visitor& visitor) noexcept {
    limit_ = limit;
    steps_ = steps;
    for (std::int64_t node = 0; node < shape_.nodes; ++node) filled_[node] = 0;
    std::int64_t depth = 0;
    node_of_[0] = -1;
    while (depth >= 0) {
      if (--steps_ < 0) return false;
      if (node_of_[depth] >= 0) --filled_[node_of_[depth]];
      const std::int64_t node = next_node(depth);
      node_of_[depth] = node;
      if (node < 0) {
        --depth;
        continue;
      }
      placed_[node * groups_per_node() + filled_[node]++] = heaviest_first_[depth];
      if (depth + 1 < shape_.groups) {
        node_of_[++depth] = -1;
        continue;
      }
      std::int64_t worst = 0;
      for (std::int64_t n = 0; n < shape_.nodes; ++n) worst = greatest(worst, floor_of(n));
      limit_ = visitor(worst);
    }
    return true;
  }

  /// The experts of a node, and their loads in units. Returns how many.
  [[nodiscard]] constexpr std::int64_t expert_of(std::int64_t node, std::int64_t i) const noexcept {
    return placed_[node * groups_per_node() + i / group_size_] * group_size_ + i % group_size_;
  }

  [[nodiscard]] constexpr std::int64_t experts_per_node() const noexcept { return shape_.experts / shape_.nodes; }

private:
  [[nodiscard]] constexpr std::int64_t groups_per_node() const noexcept { return shape_.groups / shape_.nodes; }

  [[nodiscard]] constexpr std::int64_t mean_of(std::int64_t node, std::int64_t groups) const noexcept {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < groups; ++i) sum += sums_[placed_[node * groups_per_node() + i]];
    return sum / shape_.gpus_per_node();
  }

  /// The load that a full node does not get below.
  [[nodiscard]] constexpr std::int64_t floor_of(std::int64_t node) const noexcept {
    for (std::int64_t i = 0; i < experts_per_node(); ++i) node_loads_[i] = loads_[expert_of(node, i)];
    const expert_pool pool{node_loads_, shape_.slots / shape_.nodes, shape_.gpus_per_node()};
    return greatest(spread_copies(pool, copies_, heap_), mean_of(node, groups_per_node()));
  }

  /// The next node for a group, after the one where it was tried last; -1: none. Of empty nodes only the first: they are alike.
  [[nodiscard]] constexpr std::int64_t next_node(std::int64_t depth) const noexcept {
    const std::int64_t group = heaviest_first_[depth];
    for (std::int64_t node = node_of_[depth] + 1; node < shape_.nodes; ++node) {
      if (node > 0 && filled_[node] == 0 && filled_[node - 1] == 0) return -1;
      if (filled_[node] == groups_per_node()) continue;
      placed_[node * groups_per_node() + filled_[node]] = group;
      const std::int64_t filled = filled_[node] + 1;
      if (mean_of(node, filled) >= limit_) continue;
      if (filled == groups_per_node() && floor_of(node) >= limit_) continue;
      return node;
    }
    return -1;
  }

  placement_shape shape_{};
  array_view<const std::int64_t> loads_{};
  std::int64_t group_size_ = 1;
  array_view<std::int64_t> packed_{};
  array_view<std::int64_t> sums_{};
  array_view<std::int64_t> heaviest_first_{};
  array_view<std::int64_t> node_of_{};
  array_view<std::int64_t> placed_{};
  array_view<std::int64_t> filled_{};
  array_view<std::int64_t> node_loads_{};
  array_view<std::int64_t> copies_{};
  array_view<std::int64_t> heap_{};
  std::int64_t limit_ = 0;
  std::int64_t steps_ = 0;
};

} // namespace moeplan::detail
