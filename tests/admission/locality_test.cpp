#include <doctest/doctest.h>

#include <algorithm>

#include "jobs.hpp"

using namespace moeplan_test;
using namespace moeplan;
using admission::crossing;
using admission::located;

namespace {

/// The node of each rank.
std::vector<std::size_t> nodes_of_ranks(const admission::placement& p, const free_list& free) {
  std::vector<std::size_t> nodes;
  for (std::size_t node = 0; node < free.size(); ++node)
    nodes.insert(nodes.end(), static_cast<std::size_t>(p.gpus_on(node, free[node])), node);
  return nodes;
}

/// Groups with members on more than one node, member by member.
crossing counted(const mesh& m, group_axes along, const std::vector<std::size_t>& node) {
  crossing result;
  for (const rank_group group : m.groups(along)) {
    const auto node_of = [&](std::int64_t rank) { return node[static_cast<std::size_t>(rank)]; };
    ++result.groups;
    if (std::any_of(group.begin(), group.end(), [&](std::int64_t rank) { return node_of(rank) != node_of(group.front()); }))
      ++result.across_nodes;
  }
  return result;
}

std::int64_t offered(const free_list& free, std::int64_t unit) {
  std::int64_t sum = 0;
  for (const std::int64_t gpus : free) sum += gpus / unit * unit;
  return sum;
}

std::int64_t across(const located& l, std::size_t i) { return l.crossings[i].across_nodes; }

} // namespace

TEST_CASE("whole units keep groups on one node") {
  const mesh m{{tp{2}, ep{4}, dp{4}}}; // eight ranks: TP groups of two, EP groups of four
  const free_list free{3, 8, 4};
  const located first = locate(m, free, policy::first_fit);
  CHECK(first.placement.gpus_on(0, 3) == 0);
  CHECK(first.placement.gpus_on(1, 8) == 8);
  CHECK(first.crossings[0] == crossing{4, 0});
  CHECK(first.crossings[1] == crossing{8, 0}); // ETP 1
  CHECK(first.crossings[2] == crossing{2, 0});
}

TEST_CASE("EP groups are divided before TP groups are") {
  const mesh m{{tp{2}, ep{4}, dp{4}}};
  // Units of four: 0 + 4 are too few; units of two: 2 + 6.
  const located l = locate(m, free_list{3, 7}, policy::first_fit);
  CHECK(l.placement.gpus_on(0, 3) == 2);
  CHECK(l.placement.gpus_on(1, 7) == 6);
  CHECK(l.crossings[0] == crossing{4, 0});
  CHECK(l.crossings[2] == crossing{2, 1});
}

TEST_CASE("TP groups are divided where nothing else is left") {
  const mesh m{{tp{2}, ep{4}, dp{4}}};
  // 3 + 3 + 2: the boundaries at 3 and 6 divide TP group 2 - 3 and EP groups 0 - 3 and 4 - 7.
  const located l = locate(m, free_list{3, 3, 3}, policy::first_fit);
  CHECK(l.crossings[0] == crossing{4, 1});
  CHECK(l.crossings[2] == crossing{2, 2});
}

TEST_CASE("a group larger than a node is divided") {
  const mesh m{{pp{2}, ep{16}, dp{16}}};
  const located l = locate(m, free_list{8, 8, 8, 8}, policy::best_fit);
  CHECK(l.placement.nodes == 4);
  CHECK(l.crossings[2] == crossing{2, 2});
}

TEST_CASE("groups whose ranks are apart") {
  // dp before tp: TP groups are 0, 4 and 1, 5 and 2, 6 and 3, 7.
  const mesh m{{tp{2}, dp{4}, rank_order{"dp-tp-cp-ep-pp"}}};
  CHECK(locate(m, free_list{5, 3}, policy::first_fit).crossings[0] == crossing{4, 3});
  CHECK(locate(m, free_list{1, 6, 1}, policy::first_fit).crossings[0] == crossing{4, 2});
  CHECK(locate(m, free_list{6, 8}, policy::first_fit).crossings[0] == crossing{4, 0});
}

TEST_CASE("crossings are those of the mesh, group by group, and none where units allow it") {
  random_jobs random{2};
  int placed = 0;
  for (int i = 0; i < 20'000; ++i) {
    const deployment d = random.job();
    if (!d.strategy.resolved() || d.strategy.mapping != mapping::folded) continue;
    deployment own = d;
    own.cluster = {};
    if (!check(own).ok()) continue;
    const mesh m{d.strategy};
    const free_list free = random.free(static_cast<std::size_t>(random.from_to(1, 40)), 9);
    if (admission::sum(free) < m.world()) continue;
    ++placed;
    const policy how = random.one_in(2) ? policy::first_fit : policy::best_fit;
    const located l = locate(m, free, how);
    const auto nodes = nodes_of_ranks(l.placement, free);
    REQUIRE(static_cast<std::int64_t>(nodes.size()) == m.world());
    std::int64_t blocks[3];
    for (std::size_t g = 0; g < 3; ++g) {
      REQUIRE(l.crossings[g] == counted(m, admission::kept_together[g], nodes));
      blocks[g] = admission::axis_groups{m, admission::kept_together[g]}.block();
    }
    const std::int64_t tensor = lcm(blocks[0], blocks[1]);
    REQUIRE((across(l, 0) + across(l, 1) + across(l, 2) == 0) == (offered(free, lcm(tensor, blocks[2])) >= m.world()));
    REQUIRE((across(l, 0) + across(l, 1) == 0) == (offered(free, tensor) >= m.world()));
  }
  CHECK(placed > 1000);
}
