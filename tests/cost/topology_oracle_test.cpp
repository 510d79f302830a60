#include <moeplan/cost/topology.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <moeplan/mesh/gpus.hpp>

#include "number/oracle.hpp"
#include "support/random_numbers.hpp"

#include "slow_topology.hpp"

using namespace moeplan;
using namespace moeplan_test;
using oracle::fraction;
using oracle::integer;

namespace {

/// A world of at most 144 ranks with any order of axes.
struct small_world {
  moeplan::strategy strategy;
  std::int64_t gpus_per_node = 1;
  std::int64_t nvlink_gpus = 1;
  std::int64_t offset = 0;

  [[nodiscard]] link_reach reach() const { return {gpus_per_node, nvlink_gpus}; }
};

bool draw_world(random_numbers& draw, small_world& w) {
  const std::int64_t sizes[] = {1, 1, 2, 2, 3, 4, 6};
  w.strategy = {};
  for (const axis a : {axis::tp, axis::cp, axis::dp, axis::pp, axis::ep, axis::etp}) w.strategy.set(a, sizes[draw.below(7)]);
  sequence<axis, 5>& order = w.strategy.order.axes;
  for (std::size_t i = 4; i > 0; --i)
    std::swap(order[i], order[static_cast<std::size_t>(draw.below(static_cast<std::int64_t>(i) + 1))]);
  w.gpus_per_node = 1 + draw.below(12);
  w.nvlink_gpus = w.gpus_per_node * (1 + draw.below(4));
  w.offset = draw.below(3) == 0 ? draw.below(20) : 0;
  const strategy& s = w.strategy;
  if (s[axis::tp] * s[axis::cp] * s[axis::dp] % (s[axis::etp] * s[axis::ep]) != 0 || gpus(s) > 144) return false;
  // Groups of stages have to be the same on both grids; nothing else about the run matters here.
  const mesh m{s};
  for (std::int64_t rank = 0; rank < m.world(); ++rank)
    if (m.dense_at(rank).pp != m.expert_at(rank).pp) return false;
  return true;
}

/// What each rank sends to each other one, rank by rank, of an array of `size` bytes.
by_link<fraction> play(const groups_of_ranks& all, collective kind, std::int64_t size, const small_world& w) {
  by_link<fraction> sum;
  for (const auto& group : all) {
    const std::size_t n = group.size();
    if (n == 1) continue;
    const fraction chunk = fraction{integer{size}} / n;
    const auto send = [&](std::int64_t from, std::int64_t to, const fraction& bytes) {
      const bool straight = kind == collective::all_to_all;
      if (from / w.gpus_per_node == to / w.gpus_per_node)
        sum.within_node += bytes;
      else if (from / w.nvlink_gpus == to / w.nvlink_gpus)
        sum.within_domain += bytes;
      else if (straight ? from % w.gpus_per_node == to % w.gpus_per_node : have_a_rail_in_common(group, from, to, w.reach()))
        sum.on_rail += bytes;
      else
        sum.across_rails += bytes;
    };
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t next = group[(i + 1) % n];
      switch (kind) {
        case collective::all_reduce: send(group[i], next, 2 * chunk * (n - 1)); break;
        case collective::reduce_scatter:
        case collective::all_gather: send(group[i], next, chunk * (n - 1)); break;
        case collective::shift: send(group[i], next, size); break;
        case collective::broadcast:
          if (i + 1 < n) send(group[i], next, size);
          break;
        case collective::all_to_all:
          for (std::size_t j = 0; j < n; ++j)
            if (j != i) send(group[i], group[j], chunk);
          break;
        case collective::send: break;
      }
    }
  }
  return sum;
}

fraction exact(const ratio& r) { return fraction{integer{r.numerator.value()}, integer{r.denominator.value()}}; }

std::vector<group_axes> all_axes() {
  std::vector<group_axes> all;
  for (const grid_kind grid : {grid_kind::dense, grid_kind::expert})
    for (std::uint16_t places = 1; places < 16; ++places) all.push_back({grid, places});
  return all;
}

TEST_CASE("groups on nodes, rank by rank") {
  random_numbers draw{7};
  int worlds = 0;
  std::int64_t scattered = 0;
  while (worlds < 700) {
    small_world w;
    if (!draw_world(draw, w)) continue;
    ++worlds;
    const mesh m{w.strategy, w.offset};
    const topology t{w.strategy, w.gpus_per_node, w.offset};
    for (const group_axes along : all_axes()) {
      const groups_of_ranks all = groups_by_comparison(m, w.offset, along);
      group_spread slow;
      const auto n = static_cast<std::int64_t>(all[0].size());
      for (const auto& group : all) {
        std::set<std::int64_t> nodes;
        group_spread one;
        for (std::size_t i = 0; i < group.size(); ++i) {
          nodes.insert(group[i] / w.gpus_per_node);
          if (group[i] / w.gpus_per_node != group[(i + 1) % group.size()] / w.gpus_per_node) one.hops_between += 1;
          const auto is_far = [&](std::int64_t other) { return group[i] / w.gpus_per_node != other / w.gpus_per_node; };
          const auto far = std::count_if(group.begin(), group.end(), is_far);
          one.pairs_between += far;
          if (far + 1 < n) one.accompanied += 1;
        }
        one.groups = 1;
        one.ranks = n;
        one.nodes = static_cast<std::int64_t>(nodes.size());
        one.most_nodes = static_cast<std::int64_t>(nodes.size());
        one.fewest_nodes = (n + w.gpus_per_node - 1) / w.gpus_per_node;
        one.scattered = one.most_nodes > one.fewest_nodes ? 1 : 0;
        slow += one;
      }
      scattered += static_cast<std::int64_t>(slow.scattered.value());
      INFO("world ", worlds, ", grid ", static_cast<int>(along.grid), ", places ", along.places, ", GPUs of a node ",
           w.gpus_per_node);
      CHECK(t.spread_of(along) == slow);
    }
  }
  CHECK(scattered > 1000);
}

TEST_CASE("bytes on tiers, rank by rank and pair by pair") {
  random_numbers draw{11};
  const collective kinds[] = {collective::all_reduce, collective::reduce_scatter, collective::all_gather,
                              collective::all_to_all, collective::broadcast,      collective::shift};
  const std::vector<group_axes> axes = all_axes();
  int worlds = 0;
  int cuts = 0;
  int on_rail = 0;
  int across = 0;
  int in_domain = 0;
  while (worlds < 2000) {
    small_world w;
    if (!draw_world(draw, w)) continue;
    ++worlds;
    const mesh m{w.strategy, w.offset};
    const topology t{w.strategy, w.reach(), w.offset};
    const group_axes along = axes[static_cast<std::size_t>(draw.below(static_cast<std::int64_t>(axes.size())))];
    if (along.spans(3)) continue; // Collectives are within a stage; transfers between stages have a test of their own.
    const std::int64_t stage = draw.below(w.strategy[axis::pp]);
    groups_of_ranks all;
    for (const auto& group : groups_by_comparison(m, w.offset, along))
      if (m.dense_at(group[0]).pp == stage) all.push_back(group);

    communication c;
    c.kind = kinds[draw.below(6)];
    c.group = along;
    c.ranks = static_cast<std::int64_t>(all[0].size());
    c.size = 1 + draw.below(1000);
    c.times = 1 + draw.below(3);
    c.from_stage = c.to_stage = stage;
    if (draw.below(2) == 0) {
      const std::int64_t members = c.ranks;
      c.ranks = 1 + draw.below(members);
      while (members % c.ranks != 0) --c.ranks;
      c.part = draw.below(2) == 0 ? group_part::neighbours : group_part::spread;
      all = cut(all, c.part, c.ranks);
      ++cuts;
    }
    const by_link<fraction> slow = play(all, c.kind, static_cast<std::int64_t>(c.size.value()), w);
    const std::int64_t stage_ranks = m.world() / w.strategy[axis::pp];
    const bytes_by_tier fast = t.bytes_of(c);
    INFO("world ", worlds, ", kind ", name_of(c.kind), ", grid ", static_cast<int>(along.grid), ", places ", along.places);
    CHECK(exact(fast.within_node) * stage_ranks == slow.within_node * c.times.value());
    CHECK(exact(fast.between_nodes) * stage_ranks == (slow.within_domain + slow.network()) * c.times.value());
    CHECK(exact(fast.within_node + fast.between_nodes) == fraction{integer{c.group_bytes().value()}} / c.senders());
    const by_link<ratio> links = t.link_bytes_of(c);
    CHECK(exact(links.within_node) * stage_ranks == slow.within_node * c.times.value());
    CHECK(exact(links.within_domain) * stage_ranks == slow.within_domain * c.times.value());
    CHECK(exact(links.on_rail) * stage_ranks == slow.on_rail * c.times.value());
    CHECK(exact(links.across_rails) * stage_ranks == slow.across_rails * c.times.value());
    CHECK(links.sum() == fast.within_node + fast.between_nodes);
    in_domain += slow.within_domain > 0 ? 1 : 0;
    on_rail += slow.on_rail > 0 ? 1 : 0;
    across += slow.across_rails > 0 ? 1 : 0;
  }
  CHECK(cuts > 300);
  CHECK(in_domain > 100);
  CHECK(on_rail > 100);
  CHECK(across > 100);
}

TEST_CASE("transfers between stages, rank by rank") {
  random_numbers draw{13};
  int worlds = 0;
  int mixed = 0;
  while (worlds < 1000) {
    small_world w;
    if (!draw_world(draw, w) || w.strategy[axis::pp] == 1) continue;
    ++worlds;
    const mesh m{w.strategy, w.offset};
    communication c;
    c.kind = draw.below(2) == 0 ? collective::send : collective::all_reduce;
    c.part = group_part::stages;
    c.group = groups::pp;
    c.ranks = 2;
    c.size = 100;
    c.times = 1;
    c.from_stage = draw.below(w.strategy[axis::pp]);
    c.to_stage = draw.below(w.strategy[axis::pp]);
    if (c.from_stage == c.to_stage) continue;
    std::int64_t between = 0;
    std::int64_t between_domains = 0;
    std::int64_t on_rail = 0;
    std::int64_t all = 0;
    for (std::int64_t rank = w.offset; rank < w.offset + m.world(); ++rank) {
      dense_coordinates at = m.dense_at(rank);
      if (at.pp != c.from_stage) continue;
      at.pp = c.to_stage;
      ++all;
      if (rank / w.gpus_per_node != m.rank(at) / w.gpus_per_node) ++between;
      if (rank / w.nvlink_gpus == m.rank(at) / w.nvlink_gpus) continue;
      ++between_domains;
      if (rank % w.gpus_per_node == m.rank(at) % w.gpus_per_node) ++on_rail;
    }
    if (between > 0 && between < all) ++mixed;
    const topology t{w.strategy, w.reach(), w.offset};
    CHECK(exact(t.share_of(c).value()) == fraction{integer{between}} / all);
    CHECK(exact(t.domain_share_of(c).value()) == fraction{integer{between_domains}} / all);
    CHECK(exact(t.rail_share_of(c).value()) == fraction{integer{on_rail}} / all);
  }
  CHECK(mixed > 30);
}

} // namespace
