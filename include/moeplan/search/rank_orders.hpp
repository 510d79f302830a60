#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/cost/order_nodes.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/verify/facts.hpp>
#include <moeplan/verify/order_number.hpp>
#include <moeplan/verify/rules/table.hpp>

/// @file
/// Which orders of ranks a deployment can have, and how near to each other each puts the ranks that communicate most.

namespace moeplan {

/// An order of ranks, and how many NVLink domains a group touches in it at most.
struct placed_order {
  rank_order order{};
  std::int64_t tp_domains = 1;
  std::int64_t etp_domains = 1;
  std::int64_t ep_domains = 1;
  std::int64_t cp_domains = 1;
  bool ep_on_one_rail = true; ///< every EP group lies inside a domain, or all its ranks have the same index in their nodes
  bool cp_on_one_rail = true;

  /// Whether what communicates more is nearer: TP and ETP, whose ranks wait for each other several times in every layer, then EP, then CP;
  /// of these, where they leave their domain, those that stay on one rail.
  [[nodiscard]] constexpr bool nearer_than(const placed_order& b) const noexcept {
    const std::int64_t mine[] = {tp_domains, etp_domains, ep_domains, cp_domains, ep_on_one_rail ? 0 : 1, cp_on_one_rail ? 0 : 1};
    const std::int64_t other[] = {
        b.tp_domains, b.etp_domains, b.ep_domains, b.cp_domains, b.ep_on_one_rail ? 0 : 1, b.cp_on_one_rail ? 0 : 1};
    for (std::size_t i = 0; i < 6; ++i)
      if (mine[i] != other[i]) return mine[i] < other[i];
    return false;
  }

  friend constexpr bool operator==(const placed_order&, const placed_order&) noexcept = default;
};

/// The orders that the deployment's framework accepts, the nearest first; of several under which every group has the same ranks, the one
/// that comes first in the alphabet tp, cp, ep, dp, pp. Equally near ones are in that order too.
struct rank_order_choices {
  static constexpr std::size_t most_orders = 120; ///< of five axes

  sequence<placed_order, most_orders> orders{};
  std::size_t nearest = 0;    ///< how many of the first are as near as the very first
  std::int64_t nodes = 0;     ///< that the deployment's ranks take
  std::int64_t left_over = 0; ///< GPUs of the last of them that have no rank
};

namespace detail {

/// The n-th order of all axes in the alphabet tp, cp, ep, dp, pp.
[[nodiscard]] constexpr rank_order nth_order(std::size_t n) noexcept {
  sequence<axis, 5> left = rank_order{}.axes;
  rank_order order;
  std::size_t orders = rank_order_choices::most_orders;
  for (std::size_t at = 0; at < 5; ++at) {
    orders /= 5 - at;
    const std::size_t chosen = n / orders;
    n %= orders;
    order.axes[at] = left[chosen];
    for (std::size_t i = chosen; i + 1 < left.size(); ++i) left[i] = left[i + 1];
    --left.length;
  }
  return order;
}

/// Ranks between neighbours along each axis of both grids; 0 where an axis has one rank. Two orders with the same strides have the same
/// groups.
struct grid_strides {
  std::int64_t dense[4]{};
  std::int64_t expert[4]{};

  constexpr grid_strides(const grid_sizes& n, const rank_order& order) noexcept {
    std::int64_t ranks = 1;
    std::int64_t expert_ranks = 1;
    const auto put = [](std::int64_t& stride, std::int64_t& before, std::int64_t size) {
      stride = size == 1 ? 0 : before;
      before *= size;
    };
    for (const axis a : order.axes) {
      switch (a) {
        case axis::tp: put(dense[0], ranks, n.tp), put(expert[0], expert_ranks, n.etp); break;
        case axis::cp: put(dense[1], ranks, n.cp); break;
        case axis::ep: put(expert[1], expert_ranks, n.ep); break;
        case axis::dp: put(dense[2], ranks, n.dp), put(expert[2], expert_ranks, n.edp); break;
        default: put(dense[3], ranks, n.pp), put(expert[3], expert_ranks, n.pp);
      }
    }
  }

  friend constexpr bool operator==(const grid_strides&, const grid_strides&) noexcept = default;
};

/// Judges orders of one deployment.
class rank_order_search {
public:
  constexpr explicit rank_order_search(const deployment& d) noexcept
      : facts_{facts_of(d)},
        sizes_{facts_.tp, facts_.cp, facts_.dp, facts_.etp, facts_.ep, facts_.edp, facts_.pp},
        gpus_per_node_{facts_.gpus_per_node},
        nvlink_gpus_{facts_.nvlink_gpus} {}

  [[nodiscard]] constexpr rank_order_choices choices() noexcept {
    rank_order_choices all;
    for (std::size_t n = 0; n < rank_order_choices::most_orders; ++n) {
      const rank_order order = nth_order(n);
      if (accepts(order) && is_new(order, all)) insert(placed(order), all);
    }
    while (all.nearest < all.orders.size() && !all.orders[0].nearer_than(all.orders[all.nearest])) ++all.nearest;
    all.nodes = (facts_.gpus - 1) / gpus_per_node_ + 1;
    all.left_over = all.nodes * gpus_per_node_ - facts_.gpus;
    return all;
  }

private:
  /// As `check` judges it.
  [[nodiscard]] constexpr bool accepts(const rank_order& order) noexcept {
    if ((rules::entry(rule::order_is_fixed).scope & scope::of(facts_.profile)) != 0) return order == rank_order{};
    read_order(facts_, order);
    read_stage_strides(facts_, order);
    return holds::pipeline_groups_agree(facts_) && (facts_.profile != profile::megatron || holds::order_ends_with_pp(facts_));
  }

  [[nodiscard]] constexpr bool is_new(const rank_order& order, const rank_order_choices& all) const noexcept {
    const grid_strides strides{sizes_, order};
    for (const placed_order& p : all.orders)
      if (grid_strides{sizes_, p.order} == strides) return false;
    return true;
  }

  [[nodiscard]] constexpr placed_order placed(const rank_order& order) const noexcept {
    const ordered_axes axes{sizes_, order};
    const inner_nodes dense = axes.dense.nodes(nvlink_gpus_);
    const inner_nodes expert = axes.expert.nodes(nvlink_gpus_);
    return {order,
            dense.tensor,
            expert.tensor,
            expert.other,
            dense.other,
            expert.other == 1 || axes.expert.other_stride % gpus_per_node_ == 0,
            dense.other == 1 || axes.dense.other_stride % gpus_per_node_ == 0};
  }

  /// Behind those that are as near.
  static constexpr void insert(const placed_order& p, rank_order_choices& all) noexcept {
    all.orders.push_back(p);
    for (std::size_t at = all.orders.size() - 1; at > 0 && p.nearer_than(all.orders[at - 1]); --at) {
      all.orders[at] = all.orders[at - 1];
      all.orders[at - 1] = p;
    }
  }

  facts facts_;
  grid_sizes sizes_;
  std::int64_t gpus_per_node_;
  std::int64_t nvlink_gpus_;
};

} // namespace detail

/// The orders of ranks from which a deployment can choose. Frameworks but Megatron-LM number ranks in an order of their own, which is
/// described by the default: they have no other. Precondition: a deployment without errors but that of its order of ranks, on nodes of at
/// most 4096 GPUs.
[[nodiscard]] constexpr rank_order_choices rank_orders(const deployment& d) noexcept {
  return detail::rank_order_search{d}.choices();
}

} // namespace moeplan
