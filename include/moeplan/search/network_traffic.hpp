#pragma once

#include <cstdint>

#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/serving_traffic.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/cost/training_traffic.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/sequence.hpp>

/// @file
/// How many bytes a step sends over the network, and over NVLink, as numbers that strategies can be compared by.

namespace moeplan {

/// Bytes that a GPU sends in a step over each kind of link, on average over the GPUs of a pipeline rank.
struct sent_bytes {
  double nvlink = 0;
  double network = 0;

  friend constexpr bool operator==(const sent_bytes&, const sent_bytes&) noexcept = default;
};

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

  /// Over both links, where tokens that go to each node once go to as many as is expected.
  [[nodiscard]] constexpr sent_bytes sent() const noexcept {
    sent_bytes all = exchanged_;
    for (const way& w : ways_) add_sent(all, w.like, w.bytes);
    return all;
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
    if (!sent.known) return add_sent(exchanged_, c, c.group_bytes());
    exchanged_.nvlink += sent.expected_within_node;
    exchanged_.network += sent.expected_between_nodes;
  }

  constexpr void add_sent(sent_bytes& sum, const communication& c, saturating_count of_group) const noexcept {
    const node_share share = links_->share_of(c);
    const double all = static_cast<double>(of_group.bits) / static_cast<double>(c.senders());
    const double far = all * (static_cast<double>(share.between.bits) / static_cast<double>(share.all.bits));
    sum.nvlink += all - far;
    sum.network += far;
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
  sent_bytes exchanged_{};
  bool complete_ = true;
};

/// Calls each(const network_bytes_of_stage&) for one pipeline rank of those that do the same over the same links.
template <int OnUse, class Each>
constexpr void visit_sent_bytes(const deployment& d, const Each& each) noexcept {
  const topology links{d.strategy, d.cluster.nvlink_gpus()};
  const auto of_stage = [&](const auto& traffic, std::int64_t rank) {
    network_bytes_of_stage sum{links, d.model.experts};
    traffic.visit_stage(rank, sum);
    each(sum);
  };
  if (d.workload.is_training()) {
    const training_traffic<OnUse> traffic{d};
    const bool alike = links.stages_lie_alike();
    for (std::int64_t rank = 0; rank < traffic.stages(); rank += alike ? traffic.stages_alike(rank) : 1) of_stage(traffic, rank);
  } else {
    const serving_traffic traffic{d};
    for (std::int64_t rank = 0; rank < traffic.stages(); ++rank) of_stage(traffic, rank);
  }
}

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
  saturating_count most;
  detail::visit_sent_bytes<OnUse>(d,
                                  [&](const detail::network_bytes_of_stage& stage) { detail::keep_larger(most, stage.of_rank()); });
  if (most.bits >> 63 != 0) return {};
  return static_cast<std::int64_t>(most.bits);
}

/// Bytes that a GPU sends in a step over each link, of the pipeline rank that sends most over it: what network_traffic() counts, NVLink too,
/// but DeepEP's tokens to as many nodes as is expected of a balanced router. In double; 2^64 where a count does not fit. Precondition: as for
/// network_traffic(); the cluster says how many GPUs a node has.
template <int OnUse = 0>
[[nodiscard]] constexpr sent_bytes sent_traffic(const deployment& d) noexcept {
  sent_bytes most;
  detail::visit_sent_bytes<OnUse>(d, [&](const detail::network_bytes_of_stage& stage) {
    const sent_bytes sent = stage.sent();
    most.nvlink = detail::greatest(most.nvlink, sent.nvlink);
    most.network = detail::greatest(most.network, sent.network);
  });
  return most;
}

} // namespace moeplan
