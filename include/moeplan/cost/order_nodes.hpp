#pragma once

#include <cstdint>

#include <moeplan/describe/rank_order.hpp>
#include <moeplan/number/divisors.hpp>

/// @file
/// How many nodes those groups touch that communicate most, and the order of ranks in which they touch fewest. In closed form: no group
/// is looked at.

namespace moeplan {

/// Sizes of both grids. Precondition for what takes them: each at least 1, and TP x CP x DP = ETP x EP x EDP.
struct grid_sizes {
  std::int64_t tp = 1, cp = 1, dp = 1;
  std::int64_t etp = 1, ep = 1, edp = 1;
  std::int64_t pp = 1;

  /// Precondition: they fit into 63 bits.
  [[nodiscard]] constexpr std::int64_t gpus() const noexcept { return tp * cp * dp * pp; }
};

/// Nodes that the ranks along one axis touch at most: `size` ranks `stride` apart, one such group from each of the first `stride`
/// ranks, and all that again `repeats` times, one after the other. Nodes may be NVLink domains. Precondition: each at least 1, and
/// their product fits into 63 bits. Takes as many steps as a node has GPUs, if not fewer.
[[nodiscard]] constexpr std::int64_t most_nodes(std::int64_t size, std::int64_t stride, std::int64_t repeats,
                                                std::int64_t gpus_per_node) noexcept {
  if (size == 1 || stride >= gpus_per_node) return size;
  const std::int64_t span = (size - 1) * stride;
  const std::int64_t nodes = span / gpus_per_node + 1; // of a group that starts a node
  const std::int64_t rest = span % gpus_per_node;
  if (rest == 0) return nodes;
  // One node more where a group starts less than `rest` before the end of its node. Groups start at each of `stride` ranks from `start` on.
  const std::int64_t step = size * stride % gpus_per_node;
  const std::int64_t apart = gcd(step, gpus_per_node); // between starts, when all have come
  if (repeats >= gpus_per_node / apart) return stride - 1 + rest >= apart ? nodes + 1 : nodes;
  std::int64_t start = 0;
  for (std::int64_t i = 0; i < repeats; ++i) {
    if (start + stride - 1 + rest >= gpus_per_node) return nodes + 1;
    start = (start + step) % gpus_per_node;
  }
  return nodes;
}

/// Of the two axes of a grid that should be inside a node before all others: tensor parallelism (TP or ETP), whose ranks exchange
/// activations in every layer and wait for them, and then CP or EP.
struct inner_nodes {
  std::int64_t tensor = 1; ///< that a group touches at most
  std::int64_t other = 1;

  [[nodiscard]] constexpr bool fewer_than(const inner_nodes& b) const noexcept {
    return tensor != b.tensor ? tensor < b.tensor : other < b.other;
  }
};

/// One grid's two inner axes, and where they stand in an order of ranks.
struct inner_axes {
  std::int64_t tensor = 1;
  std::int64_t other = 1;
  std::int64_t tensor_stride = 1;
  std::int64_t other_stride = 1;
  std::int64_t gpus = 1; ///< of the grid

  [[nodiscard]] constexpr inner_nodes nodes(std::int64_t gpus_per_node) const noexcept {
    return {most_nodes(tensor, tensor_stride, gpus / (tensor * tensor_stride), gpus_per_node),
            most_nodes(other, other_stride, gpus / (other * other_stride), gpus_per_node)};
  }

  /// The same axes as the two innermost of the grid.
  [[nodiscard]] constexpr inner_axes innermost(bool tensor_first) const noexcept {
    return {tensor, other, tensor_first ? 1 : other, tensor_first ? tensor : 1, gpus};
  }

  /// Whether nothing has to be computed to see that no order is better: one after the other from rank 0, in parts of nodes or whole ones.
  [[nodiscard]] constexpr bool plainly_best(std::int64_t gpus_per_node) const noexcept {
    const bool innermost_ones = (tensor == 1 || tensor_stride == 1) && (other == 1 || other_stride == tensor);
    const auto divides = [gpus_per_node](std::int64_t n) { return gpus_per_node % n == 0 || n % gpus_per_node == 0; };
    return innermost_ones && (tensor == 1 || other == 1 || (divides(tensor) && divides(tensor * other)));
  }

  /// Whether the other axis should come before the tensor-parallel one: rarely, where both leave their node anyhow.
  [[nodiscard]] constexpr bool other_comes_first(std::int64_t gpus_per_node) const noexcept {
    return innermost(false).nodes(gpus_per_node).fewer_than(innermost(true).nodes(gpus_per_node));
  }

  /// In the better of the two orders in which they are the innermost ones.
  [[nodiscard]] constexpr inner_nodes fewest(std::int64_t gpus_per_node) const noexcept {
    return innermost(!other_comes_first(gpus_per_node)).nodes(gpus_per_node);
  }
};

/// The inner axes of both grids in an order of ranks.
struct ordered_axes {
  inner_axes dense{};  ///< TP and CP
  inner_axes expert{}; ///< ETP and EP

  /// Precondition: see grid_sizes. An axis that the order leaves out has size 1.
  constexpr ordered_axes(const grid_sizes& n, const rank_order& order) noexcept
      : dense{n.tp, n.cp, 1, 1, n.gpus()}, expert{n.etp, n.ep, 1, 1, n.gpus()} {
    std::int64_t ranks = 1;
    std::int64_t expert_ranks = 1;
    for (const axis a : order.axes) {
      switch (a) {
        case axis::tp:
          dense.tensor_stride = ranks, expert.tensor_stride = expert_ranks;
          ranks *= n.tp, expert_ranks *= n.etp;
          break;
        case axis::cp: dense.other_stride = ranks, ranks *= n.cp; break;
        case axis::ep: expert.other_stride = expert_ranks, expert_ranks *= n.ep; break;
        case axis::dp: ranks *= n.dp, expert_ranks *= n.edp; break;
        default: ranks *= n.pp, expert_ranks *= n.pp;
      }
    }
  }

  /// The order in which TP and ETP groups touch the fewest nodes, and then CP and EP groups: TP, CP and EP in the order that is
  /// best on each grid, then DP, then PP, which makes it one that Megatron-LM accepts. DP and PP further in would only push the
  /// others apart.
  [[nodiscard]] constexpr rank_order best_order(std::int64_t gpus_per_node) const noexcept {
    rank_order best;
    std::size_t at = 0;
    const bool cp_first = dense.other_comes_first(gpus_per_node);
    const bool ep_first = expert.other_comes_first(gpus_per_node);
    if (cp_first) best.axes[at++] = axis::cp;
    if (ep_first) best.axes[at++] = axis::ep;
    best.axes[at++] = axis::tp;
    if (!cp_first) best.axes[at++] = axis::cp;
    if (!ep_first) best.axes[at++] = axis::ep;
    return best;
  }
};

} // namespace moeplan
