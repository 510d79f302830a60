#pragma once

#include <cstdint>

#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How many bytes of a communication each link has to carry at least, whatever algorithm does it.

namespace moeplan {

/// Bytes that a rank of a stage sends over each link, on average over the stage; or so many for each byte of a communication's size.
struct link_bytes {
  double nvlink = 0;
  double network = 0;

  constexpr link_bytes& operator+=(const link_bytes& b) noexcept {
    nvlink += b.nvlink;
    network += b.network;
    return *this;
  }
  friend constexpr link_bytes operator*(double n, const link_bytes& b) noexcept { return {n * b.nvlink, n * b.network}; }

  friend constexpr bool operator==(const link_bytes&, const link_bytes&) noexcept = default;
};

/// The least that links carry. NVLink joins the GPUs of a domain (topology), the network those of different domains. What one GPU of a
/// domain has for another one stays in it.
///
/// - What ranks of a domain have for those of others leaves it once, added up or to be copied there: of an all-gather or a reduce-scatter
///   over d domains each gets, or gives, all but its own part, (d - 1) S together; of an all-reduce each gives S. Within a domain each
///   rank still gets, or gives, the parts of the others, and in an all-reduce that stays inside, S.
/// - An all-reduce is 2 (n - 1) S / n where ranks add up (collective.hpp), but S where switches do (NVLS, SHARP): that is taken.
/// - All-to-alls go straight to each rank, as many tokens to every rank as to any other, as a balanced router has it. Where a token goes
///   once to several of its experts, it goes to as few ranks and domains as have room for them (distinct_ranks::least).
class least_traffic {
public:
  /// Precondition: as for topology; the cluster says how many GPUs a node has.
  constexpr explicit least_traffic(const deployment& d) noexcept
      : where_{d.strategy, d.cluster.nvlink_gpus()},
        top_k_{d.model.experts.top_k},
        experts_{d.model.experts.routed + d.workload.redundant_experts()},
        expert_ranks_{d.strategy[axis::ep]},
        expert_tensor_ranks_{d.strategy[axis::etp]},
        stage_stride_{d.strategy[axis::pp] > 1 ? where_.mesh().rank(dense_coordinates{.pp = 1}) : 0} {}

  /// Whether every stage begins at the same place of a domain as the first, so that stages that do the same send it over the same links.
  [[nodiscard]] constexpr bool stages_lie_alike() const noexcept { return stage_stride_ % where_.nodes().gpus_per_node() == 0; }

  /// For each byte of its size, once. Precondition: a communication of this deployment.
  [[nodiscard]] constexpr link_bytes for_each_byte(communication c) const noexcept {
    const auto ranks = static_cast<double>(c.ranks);
    if (c.part == group_part::stages) return between_stages(c);
    switch (c.kind) {
      case collective::send:
      case collective::shift: {
        const double leaves = share(c);
        return {1 - leaves, leaves};
      }
      case collective::all_to_all: return exchange(c);
      case collective::all_reduce: {
        const double leaves = share(c); // of rings: domains over ranks
        if (leaves == 0) return {1, 0};
        c.kind = collective::all_to_all;
        return {(ranks - 1) / ranks * (1 - share(c)), leaves};
      }
      case collective::reduce_scatter:
      case collective::all_gather:
      case collective::broadcast: break;
    }
    c.kind = collective::broadcast; // of chains: (domains - 1) over (ranks - 1)
    const double leaves = share(c);
    c.kind = collective::all_to_all;
    return (ranks - 1) / ranks * link_bytes{1 - share(c), leaves};
  }

private:
  [[nodiscard]] constexpr double share(const communication& c) const noexcept { return value(where_.share_of(c)); }

  [[nodiscard]] static constexpr double value(const node_share& s) noexcept {
    return static_cast<double>(s.between.bits) / static_cast<double>(s.all.bits);
  }

  /// From each rank of a stage to its neighbours in others. Of more than two stages it is known where the bytes go only if all are apart.
  [[nodiscard]] constexpr link_bytes between_stages(const communication& c) const noexcept {
    const double leaves = share(c);
    if (c.ranks == 2) return {1 - leaves, leaves};
    return {0, leaves == 1 ? leaves : 0};
  }

  [[nodiscard]] constexpr link_bytes exchange(const communication& c) const noexcept {
    const node_share apart = where_.share_of(c);
    const double leaves = value(apart);
    const double others = static_cast<double>(c.ranks - 1) / static_cast<double>(c.ranks);
    if (c.copies == 0) return others * link_bytes{1 - leaves, leaves};
    // Once for each rank, and once for each domain.
    const bool alike = apart.all == saturating_count{c.ranks - 1} && expert_tensor_ranks_ == 1;
    const std::int64_t on_a_domain = alike ? c.ranks - static_cast<std::int64_t>(apart.between.bits) : c.ranks;
    const auto copies = static_cast<double>(c.copies);
    const double to_ranks = static_cast<double>(least(expert_ranks_) * expert_tensor_ranks_) / copies;
    const double to_domains = static_cast<double>(least(c.ranks / on_a_domain)) / copies;
    return others * link_bytes{to_ranks * (1 - leaves), to_domains * leaves};
  }

  /// Of so many ranks or domains with equally many experts, those that have all of a token's.
  [[nodiscard]] constexpr std::int64_t least(std::int64_t places) const noexcept {
    const std::int64_t each = experts_ / places;
    return (top_k_ + each - 1) / each;
  }

  topology where_;
  std::int64_t top_k_;
  std::int64_t experts_;
  std::int64_t expert_ranks_;
  std::int64_t expert_tensor_ranks_;
  std::int64_t stage_stride_; ///< from a rank to the one of the next stage
};

} // namespace moeplan
