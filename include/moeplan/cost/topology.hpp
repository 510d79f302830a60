#pragma once

#include <cstdint>

#include <moeplan/balance/node_limited_routing.hpp>
#include <moeplan/cost/by_link.hpp>
#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/group_spread.hpp>
#include <moeplan/cost/rails.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// Which part of what ranks communicate stays inside a node, inside an NVLink domain and on a rail.

namespace moeplan {

/// Of `all` equal shares of a communication `between` go to other nodes. Not in lowest terms.
struct node_share {
  saturating_count between;
  saturating_count all = 1;

  /// Overflowed where a sum was. Precondition: `all` is above 0.
  [[nodiscard]] constexpr ratio value() const noexcept {
    if (between.overflowed() || all.overflowed()) return {count{1}, count{0} - 1};
    return {count{between.value()}, count{all.value()}};
  }

  friend constexpr bool operator==(const node_share&, const node_share&) noexcept = default;
};

/// Bytes that a rank of a stage sends in a step on average, by where they go. Exact; the two add up to what the communication sends.
struct bytes_by_tier {
  ratio within_node;
  ratio between_nodes;

  friend constexpr bool operator==(const bytes_by_tier&, const bytes_by_tier&) noexcept = default;
};

/// Bytes that a rank of a stage sends in a step where a token goes once to each node that has experts for it, and there once to each
/// rank: the rank that gets it passes it on (DeepEP; DeepSeek-V3, arXiv 2412.19437, section 3.2.2).
struct bytes_once_a_node {
  bool known = false;
  saturating_count most_between;     ///< to other nodes, at most
  saturating_count most_within;      ///< to ranks of the same node, what is passed on included, at most
  double expected_between_nodes = 0; ///< where every expert is equally likely
  double expected_within_node = 0;
};

/// GPUs of a node, and of an NVLink domain, which is a node or several.
struct link_reach {
  std::int64_t gpus_per_node = 1;
  std::int64_t nvlink_gpus = 1;
};

/// A strategy on nodes. Ranks fill one node after the other, and so one NVLink domain after the other, as launchers number them. A tier
/// is a node, within which GPUs have NVLink or what the machine has in its place, and the network between nodes; for another tier, such as
/// all nodes of a switch, give the GPUs that it has.
///
/// Collectives but all-to-alls go around a ring of ascending ranks, which leaves each node once; no ring leaves a node less often. From
/// one NVLink domain to the next it stays on a rail if both have a rank on it. All-to-alls go straight to each rank, every other rank
/// getting as much. What switches add up, and what algorithms send on trees, is spread otherwise.
class topology {
public:
  /// Precondition: a strategy that `check` accepts, with DP given; gpus_per_node is at least 1, nvlink_gpus a multiple of it.
  constexpr topology(const strategy& s, const link_reach& reach, std::int64_t rank_offset = 0) noexcept
      : mesh_{s, rank_offset},
        nodes_{reach.gpus_per_node},
        domains_{reach.nvlink_gpus == reach.gpus_per_node ? nodes_ : node_grid{reach.nvlink_gpus}},
        first_rank_{rank_offset},
        stage_stride_{s[axis::pp] > 1 ? mesh_.rank(dense_coordinates{.pp = 1}) - rank_offset : 0} {}

  /// Each node is an NVLink domain of its own.
  constexpr topology(const strategy& s, std::int64_t gpus_per_node, std::int64_t rank_offset = 0) noexcept
      : topology{s, link_reach{gpus_per_node, gpus_per_node}, rank_offset} {}

  /// The nodes of the deployment's cluster. Precondition: it says how many GPUs a node has.
  constexpr explicit topology(const deployment& d) noexcept
      : topology{d.strategy, link_reach{d.cluster.gpus_per_node.number, d.cluster.nvlink_gpus()}} {}

  [[nodiscard]] constexpr const moeplan::mesh& mesh() const noexcept { return mesh_; }
  [[nodiscard]] constexpr const node_grid& nodes() const noexcept { return nodes_; }
  [[nodiscard]] constexpr const node_grid& domains() const noexcept { return domains_; }

  /// All groups along these axes in the world, added up.
  [[nodiscard]] constexpr group_spread spread_of(group_axes along) const noexcept {
    const rank_groups all = mesh_.groups(along);
    const strided_ranks members = members_along(along);
    if (is_regular(nodes_, members)) return nodes_.alike(all.size(), members.count(), nodes_.members_on_a_node(members));
    group_leaders leaders{.first = first_rank_};
    leaders.append(along_others(along, false));
    return nodes_.spread_of(leaders, members);
  }

  /// Which part of a communication leaves nodes, of all ranks of its stage together. Precondition: a communication of this strategy.
  [[nodiscard]] constexpr node_share share_of(const communication& c) const noexcept { return share_between(nodes_, c); }

  /// Which part of it leaves NVLink domains: what the network carries. Precondition as for share_of.
  [[nodiscard]] constexpr node_share domain_share_of(const communication& c) const noexcept { return share_between(domains_, c); }

  /// How the groups of a stage lie on NVLink domains; those of a size that does not matter are taken once. `ranks` is the size of the parts
  /// that groups are cut into, if they are. Precondition: axes and part of a communication of this strategy; 0 <= stage < PP.
  [[nodiscard]] constexpr group_spread domain_spread_of(group_axes along, std::int64_t stage, group_part part = group_part::all,
                                                        std::int64_t ranks = 0) const noexcept {
    const placed_groups groups = groups_of(along, stage, part, ranks);
    if (!groups.whole || !is_regular(domains_, groups.members)) return spread_of_groups(domains_, along, groups, part, ranks);
    return domains_.alike(1, groups.members.count(), domains_.members_on_a_node(groups.members));
  }

  /// Which part of what ranks of one stage send to their neighbours in another one leaves NVLink domains. Precondition: both are at least
  /// 0 and below PP.
  [[nodiscard]] constexpr node_share domain_share_between(std::int64_t from_stage, std::int64_t to_stage) const noexcept {
    return share_between_stages(domains_, from_stage, to_stage);
  }

  /// Whether all stages begin at the same place of an NVLink domain: then no domain has ranks of several stages, and what goes on within
  /// them takes the same links.
  [[nodiscard]] constexpr bool stages_lie_alike() const noexcept { return stage_stride_ % domains_.gpus_per_node() == 0; }

  /// Which part of it leaves NVLink domains and stays on its rail. Precondition as for share_of.
  [[nodiscard]] constexpr node_share rail_share_of(const communication& c) const noexcept {
    if (c.part == group_part::stages) {
      const bool same_rail = (c.to_stage - c.from_stage) * stage_stride_ % nodes_.gpus_per_node() == 0;
      return same_rail ? domain_share_of(c) : node_share{0, 1};
    }
    const placed_groups groups = groups_of(c.group, c.from_stage, c.part, c.ranks);
    const strided_ranks& members = groups.members;
    const bool alike = groups.whole && is_regular(nodes_, members) && is_regular(domains_, members);
    if (!alike || !rails().same_on_every_node(members)) return rail_share_of_groups(c, groups.leaders, members);
    if (c.kind != collective::all_to_all) return domain_share_of(c);
    // Each rank has one counterpart on each other node, of which those in its own domain do not count.
    const std::int64_t on_a_node = nodes_.members_on_a_node(members);
    const std::int64_t others = members.count() / on_a_node - domains_.members_on_a_node(members) / on_a_node;
    return members.count() > 1 ? node_share{others, members.count() - 1} : node_share{0, 1};
  }

  /// Precondition as for share_of.
  [[nodiscard]] constexpr bytes_by_tier bytes_of(const communication& c) const noexcept {
    const node_share share = share_of(c);
    const saturating_count all = c.group_bytes();
    if (all.overflowed() || share.all.overflowed()) return {overflowed(), overflowed()};
    const ratio sent{count{all.value()}, c.senders()};
    const ratio between = share.value();
    return {sent * (ratio{count{1}} - between), sent * between};
  }

  /// The same by all links, NVLink domains and rails among them. Precondition as for share_of.
  [[nodiscard]] constexpr by_link<ratio> link_bytes_of(const communication& c) const noexcept {
    const node_share nodes = share_of(c);
    const node_share domains = domain_share_of(c);
    const node_share rails = rail_share_of(c);
    const saturating_count all = c.group_bytes();
    if (all.overflowed() || nodes.all.overflowed() || domains.all.overflowed() || rails.all.overflowed())
      return {overflowed(), overflowed(), overflowed(), overflowed()};
    const ratio sent{count{all.value()}, c.senders()};
    return {sent * (ratio{count{1}} - nodes.value()), sent * (nodes.value() - domains.value()), sent * rails.value(),
            sent * (domains.value() - rails.value())};
  }

  /// An exchange of tokens between experts that goes through one rank a node. Not known where the experts of a group are not divided
  /// evenly among nodes in order, or their ranks are not; or where it is not known how many ranks a token goes to. Precondition: as for
  /// share_of, with copies.
  [[nodiscard]] constexpr bytes_once_a_node once_a_node(const communication& c, const experts& e) const noexcept {
    const strided_ranks tensors = members_along(groups::etp);
    const strided_ranks members = members_along(c.group);
    bytes_once_a_node result;
    if (c.copies == 0 || !is_regular(nodes_, members) || !is_regular(nodes_, tensors)) return result;
    if (nodes_.members_on_a_node(tensors) != tensors.count()) return result;
    const std::int64_t here = nodes_.members_on_a_node(members);
    const std::int64_t visited = members.count() / here;
    const distinct_ranks<double> reached = distinct_ranks_of(e, visited);
    if (reached.most == 0 || c.expected_size != c.expected_size) return result;
    const saturating_count tokens = c.size / c.copies * c.times; // bytes of all tokens of a rank, once
    const auto once = static_cast<double>(tokens.bits);
    const auto times = static_cast<double>(c.times.bits);
    result.known = true;
    result.most_between = tokens * (reached.most < visited ? reached.most : visited - 1);
    // Of its copies on a node one is the rank's own, or the one that came from another node, as often as any other.
    result.most_within = here == 1 ? saturating_count{0} : tokens * c.copies;
    result.expected_between_nodes = once * reached.expected * static_cast<double>(visited - 1) / static_cast<double>(visited);
    result.expected_within_node = times * c.expected_size * static_cast<double>(here - 1) / static_cast<double>(here);
    return result;
  }

private:
  [[nodiscard]] static constexpr ratio overflowed() noexcept { return {count{1}, count{0} - 1}; }

  [[nodiscard]] constexpr rail_grid rails() const noexcept { return {nodes_, domains_}; }

  /// Whether groups are known to be spread alike over nodes or NVLink domains.
  [[nodiscard]] constexpr bool is_regular(const node_grid& on, const strided_ranks& members) const noexcept {
    return on.node_of(first_rank_) * on.gpus_per_node() == first_rank_ && on.divides(members);
  }

  /// Which part leaves nodes or NVLink domains.
  [[nodiscard]] constexpr node_share share_between(const node_grid& on, const communication& c) const noexcept {
    if (c.part == group_part::stages) return share_between_stages(on, c.from_stage, c.to_stage);
    const placed_groups groups = groups_of(c.group, c.from_stage, c.part, c.ranks);
    if (groups.whole && is_regular(on, groups.members))
      return share_of(c.kind, groups.members.count(), on.members_on_a_node(groups.members));
    return share_of(c.kind, spread_of_groups(on, c.group, groups, c.part, c.ranks));
  }

  /// Groups of a stage, or the parts that they are cut into, where these are strided too.
  struct placed_groups {
    strided_ranks members{};
    group_leaders leaders{}; ///< of the first of all groups, where it is cut
    bool whole = true;       ///< else members are those of whole groups, which still have to be cut
  };

  [[nodiscard]] constexpr placed_groups groups_of(group_axes along, std::int64_t stage, group_part part,
                                                  std::int64_t ranks) const noexcept {
    placed_groups g{members_along(along), {.first = first_of_stage(along.grid, stage)}, true};
    g.whole = part == group_part::all || cut(g.members, g.leaders, part, ranks);
    return g;
  }

  [[nodiscard]] constexpr group_spread spread_of_groups(const node_grid& on, group_axes along, placed_groups groups,
                                                        group_part part, std::int64_t ranks) const noexcept {
    groups.leaders.append(along_others(along, true));
    if (groups.whole) return on.spread_of(groups.leaders, groups.members);
    return on.spread_of_parts(groups.leaders, groups.members, ranks, part == group_part::neighbours);
  }

  /// Group by group. `members` are those of one whole group, or already of one part.
  [[nodiscard]] constexpr node_share rail_share_of_groups(const communication& c, group_leaders leaders,
                                                          const strided_ranks& members) const noexcept {
    leaders.append(along_others(c.group, true));
    const std::int64_t parts = members.count() / c.ranks;
    const bool near = c.part == group_part::neighbours;
    saturating_count on_rail;
    detail::leader_walk walk{leaders, domains_.gpus_per_node()};
    do {
      for (std::int64_t p = 0; p < parts; ++p) {
        const group_members one{walk.first(), members, near ? p * c.ranks : p, near ? 1 : parts, c.ranks};
        on_rail += walk.weight() * (c.kind == collective::all_to_all ? rails().pairs_on_rail(one)
                                                                     : rails().hops_on_rail(one, c.kind != collective::broadcast));
      }
    } while (walk.next());
    const std::int64_t each = c.kind == collective::all_to_all  ? c.ranks * (c.ranks - 1)
                              : c.kind == collective::broadcast ? c.ranks - 1
                                                                : c.ranks;
    return c.ranks > 1 ? node_share{on_rail, leaders.count() * parts * each} : node_share{0, 1};
  }

  [[nodiscard]] constexpr strided_ranks members_along(group_axes along) const noexcept {
    return mesh_.group(along, first_rank_).distances();
  }

  /// First ranks of the groups, of one stage or of all.
  [[nodiscard]] constexpr strided_ranks along_others(group_axes along, bool in_a_stage) const noexcept {
    const unsigned stages = in_a_stage ? moeplan::groups::pp.places : 0U;
    along.places = static_cast<std::uint16_t>(~(along.places | stages) & 0b1111U);
    return members_along(along);
  }

  [[nodiscard]] constexpr std::int64_t first_of_stage(grid_kind grid, std::int64_t stage) const noexcept {
    if (grid == grid_kind::dense) return first_rank_ + stage * stage_stride_;
    return mesh_.rank(expert_coordinates{.pp = stage});
  }

  /// Each group becomes several of so many ranks, if these are strided too; else there is no change. Precondition: `ranks` divides the
  /// group.
  static constexpr bool cut(strided_ranks& members, group_leaders& leaders, group_part part, std::int64_t ranks) noexcept {
    const bool near = part == group_part::neighbours;
    const std::int64_t run = near ? ranks : members.count() / ranks; // of neighbours
    const strided_ranks all = members;
    if (run <= all.inner_size ? all.inner_size % run != 0 : run % all.inner_size != 0) return false;
    strided_ranks neighbours;
    strided_ranks others;
    if (run <= all.inner_size) {
      neighbours.append(run, all.inner_stride);
      others.append(all.inner_size / run, run * all.inner_stride);
      others.append(all.outer_size, all.outer_stride);
    } else {
      const std::int64_t runs = run / all.inner_size;
      neighbours = {all.inner_size, all.inner_stride, runs, all.outer_stride};
      others.append(all.outer_size / runs, runs * all.outer_stride);
    }
    members = near ? neighbours : others;
    leaders.append(near ? others : neighbours);
    return true;
  }

  /// Around rings, or from rank to rank, of groups that are spread alike.
  [[nodiscard]] static constexpr node_share share_of(collective kind, std::int64_t ranks, std::int64_t on_a_node) noexcept {
    const std::int64_t nodes = ranks / on_a_node;
    if (nodes <= 1) return {0, 1};
    if (kind == collective::all_to_all) return {ranks - on_a_node, ranks - 1};
    if (kind == collective::broadcast) return {nodes - 1, ranks - 1}; // The ring is not closed.
    return {nodes, ranks};
  }

  [[nodiscard]] static constexpr node_share share_of(collective kind, const group_spread& s) noexcept {
    if (s.ranks <= 1) return {0, 1};
    if (kind == collective::all_to_all) return {s.pairs_between, s.groups * s.ranks * (s.ranks - 1)};
    if (kind == collective::broadcast) return {s.nodes - s.groups, s.groups * (s.ranks - 1)};
    return {s.hops_between, s.groups * s.ranks};
  }

  /// From each rank of one stage to its neighbour in another one.
  [[nodiscard]] constexpr node_share share_between_stages(const node_grid& on, std::int64_t from, std::int64_t to) const noexcept {
    if (from == to) return {0, 1};
    const std::int64_t first = from < to ? from : to;
    const std::int64_t distance = (from < to ? to - from : from - to) * stage_stride_;
    if (distance >= on.gpus_per_node()) return {1, 1};
    group_leaders leaders{.first = first_of_stage(grid_kind::dense, first)};
    leaders.append(along_others({}, true));
    const group_spread pairs = on.spread_of(leaders, {2, distance});
    return {pairs.pairs_between, pairs.groups * 2};
  }

  moeplan::mesh mesh_;
  node_grid nodes_;
  node_grid domains_;
  std::int64_t first_rank_;
  std::int64_t stage_stride_;
};

} // namespace moeplan
