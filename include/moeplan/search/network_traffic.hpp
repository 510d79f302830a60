#pragma once

#include <cstdint>

#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/serving_traffic.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/cost/training_traffic.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/sequence.hpp>

/// @file
/// How many bytes a step sends over the network, as one number that strategies can be compared by.

namespace moeplan {

namespace detail {

/// Adds up what one pipeline rank's GPUs send over the network. Communications that take the same way are added up first: finding the way
/// costs more than all else.
class network_bytes_of_stage {
public:
  constexpr network_bytes_of_stage(const topology& links, const experts& e) noexcept : links_{&links}, experts_{e} {}

  constexpr void operator()(const communication& c) noexcept {
    if (c.copies != 0) return add_once_a_node(c);
    for (way& w : ways_) {
      if (!takes(w.like, c)) continue;
      w.bytes += c.group_bytes();
      return;
    }
    complete_ = ways_.push_back({c, c.group_bytes()}) && complete_;
  }

  /// Of a GPU on average; the top where it does not fit into 64 bits.
  [[nodiscard]] constexpr saturating_count of_rank() const noexcept {
    saturating_count all = once_a_node_;
    for (const way& w : ways_) all += bytes_of_rank(w.like, w.bytes);
    return complete_ ? all : saturating_count{0} - 1;
  }

private:
  struct way {
    communication like{};
    saturating_count bytes; ///< of each group
  };

  [[nodiscard]] static constexpr int route(collective kind) noexcept {
    return kind == collective::all_to_all ? 0 : kind == collective::broadcast ? 1 : kind == collective::send ? 2 : 3;
  }

  [[nodiscard]] static constexpr bool takes(const communication& a, const communication& b) noexcept {
    return a.group == b.group && a.part == b.part && a.ranks == b.ranks && a.to_stage == b.to_stage &&
           route(a.kind) == route(b.kind);
  }

  /// Tokens that go to each node once, and to their experts' GPUs from there.
  constexpr void add_once_a_node(const communication& c) noexcept {
    const bytes_once_a_node sent = links_->once_a_node(c, experts_);
    once_a_node_ += sent.known ? sent.most_between : bytes_of_rank(c, c.group_bytes());
  }

  /// Rounded up.
  [[nodiscard]] constexpr saturating_count bytes_of_rank(const communication& c, saturating_count of_group) const noexcept {
    __extension__ using twice_as_wide = unsigned __int128;
    const node_share share = links_->share_of(c);
    const saturating_count parts = share.all * c.senders();
    if (of_group.overflowed() || share.between.overflowed() || parts.overflowed()) return saturating_count{0} - 1;
    const twice_as_wide sent = (twice_as_wide{of_group.bits} * share.between.bits + parts.bits - 1) / parts.bits;
    return sent < saturating_count::top ? static_cast<std::uint64_t>(sent) : saturating_count::top;
  }

  const topology* links_;
  experts experts_;
  sequence<way, 48> ways_{};
  saturating_count once_a_node_;
  bool complete_ = true;
};

constexpr void keep_larger(saturating_count& most, saturating_count other) noexcept {
  if (most < other) most = other;
}

} // namespace detail

/// Bytes that a GPU sends over the network in a step, on average over the GPUs of a pipeline rank, of the one that sends most: what
/// leaves its NVLink domain, which is a node where the cluster says nothing else. Rings and all-to-alls as in `topology`; DeepEP's
/// tokens go to each node once, and count with the most nodes that they can go to. Rounded up for each way that bytes take. Absent
/// where the cluster does not say how many GPUs a node has, or where 64 bits are too few. A template so that only who asks for it
/// compiles it. Precondition: a deployment that `check` accepts, with DP given.
template <int OnUse = 0>
[[nodiscard]] constexpr optional_integer network_traffic(const deployment& d) noexcept {
  if (!d.cluster.gpus_per_node.given) return {};
  const topology links{d.strategy, d.cluster.nvlink_gpus()};
  saturating_count most;
  const auto of_stage = [&](const auto& traffic, std::int64_t rank) {
    detail::network_bytes_of_stage sum{links, d.model.experts};
    traffic.visit_stage(rank, sum);
    detail::keep_larger(most, sum.of_rank());
  };
  if (d.workload.is_training()) {
    const training_traffic<OnUse> traffic{d};
    for (std::int64_t rank = 0; rank < traffic.stages(); rank += traffic.stages_alike(rank)) of_stage(traffic, rank);
  } else {
    const serving_traffic traffic{d};
    for (std::int64_t rank = 0; rank < traffic.stages(); ++rank) of_stage(traffic, rank);
  }
  if (most.bits >> 63 != 0) return {};
  return static_cast<std::int64_t>(most.bits);
}

} // namespace moeplan
