#include <moeplan/cost/group_spread.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr strided_ranks run(std::int64_t size, std::int64_t stride) { return {size, stride, 1, 0}; }

BOTH_TIMES("one group", [] {
  const node_grid nodes{8};
  const group_spread whole = nodes.spread_of(0, run(8, 1));
  EXPECT(whole.accompanied == 8 && whole.nodes == 1 && whole.hops_between == 0 && whole.pairs_between == 0 &&
         whole.fewest_nodes == 1 && whole.scattered == 0);
  const group_spread half = nodes.spread_of(4, run(8, 1)); // half a node each
  EXPECT(half.nodes == 2 && half.hops_between == 2 && half.pairs_between == 32 && half.fewest_nodes == 1 && half.scattered == 1);
  const group_spread apart = nodes.spread_of(3, run(4, 8)); // one a node
  EXPECT(apart.nodes == 4 && apart.accompanied == 0 && apart.hops_between == 4 && apart.pairs_between == 12 &&
         apart.fewest_nodes == 1);
  const group_spread experts = nodes.spread_of(64, run(64, 1));
  EXPECT(experts.nodes == 8 && experts.hops_between == 8 && experts.pairs_between == 64 * 56 && experts.fewest_nodes == 8);
  EXPECT(experts.scattered == 0);
});

BOTH_TIMES("two runs", [] {
  const node_grid nodes{8};
  // 0 1 2 3, 6 7 8 9, 12 13 14 15: six on the first node, six on the second.
  const group_spread s = nodes.spread_of(0, {4, 1, 3, 6});
  EXPECT(s.ranks == 12 && s.nodes == 2 && s.accompanied == 12 && s.hops_between == 2 && s.pairs_between == 2 * 6 * 6);
  EXPECT(nodes.spread_of(0, {3, 9, 2, 27}).nodes == 6);
  const group_spread shared = nodes.spread_of(0, {2, 9, 2, 10}); // 0, 9 10, 19
  EXPECT(shared.nodes == 3 && shared.accompanied == 2 && shared.pairs_between == 4 * 3 - 2);
});

BOTH_TIMES("one rank", [] {
  const group_spread s = node_grid{8}.spread_of(5, strided_ranks{});
  EXPECT(s.groups == 1 && s.ranks == 1 && s.nodes == 1 && s.hops_between == 0 && s.pairs_between == 0 && s.scattered == 0);
});

BOTH_TIMES("runs that nodes divide", [] {
  const node_grid nodes{8};
  EXPECT(nodes.divides(run(4, 1)) && nodes.members_on_a_node(run(4, 1)) == 4);
  EXPECT(nodes.divides(run(4, 2)) && nodes.members_on_a_node(run(4, 2)) == 4);
  EXPECT(nodes.divides(run(8, 2)) && nodes.members_on_a_node(run(8, 2)) == 4);
  EXPECT(nodes.divides(run(16, 16)) && nodes.members_on_a_node(run(16, 16)) == 1);
  EXPECT(nodes.divides(run(5, 9)) && nodes.members_on_a_node(run(5, 9)) == 1);
  EXPECT(nodes.divides({2, 1, 4, 8}) && nodes.members_on_a_node({2, 1, 4, 8}) == 2);
  EXPECT(!nodes.divides(run(3, 1)));
  EXPECT(!nodes.divides(run(6, 2)));
  EXPECT(!nodes.divides(run(8, 3)));
  EXPECT(!nodes.divides({2, 1, 4, 12}));
});

BOTH_TIMES("groups three wide on nodes of eight", [] {
  group_leaders leaders;
  leaders.append(16, 3);
  const group_spread s = node_grid{8}.spread_of(leaders, run(3, 1));
  // Of each three nodes' eight groups the third and the sixth are on two.
  EXPECT(s.groups == 16 && s.nodes == 16 + 4 && s.scattered == 4 && s.hops_between == 8);
  EXPECT(s.pairs_between == 4 * 4 && s.most_nodes == 2 && s.fewest_nodes == 1);
  EXPECT(leaders.count() == 16);
});

BOTH_TIMES("parts of groups", [] {
  const node_grid nodes{4};
  group_leaders one;
  const group_spread near = nodes.spread_of_parts(one, run(12, 1), 6, true);
  EXPECT(near.groups == 2 && near.ranks == 6 && near.nodes == 4);
  const group_spread far = nodes.spread_of_parts(one, run(12, 1), 6, false);
  EXPECT(far.groups == 2 && far.nodes == 6);
});

// A group of 2^40 ranks takes as many steps as nodes, not as ranks; so many groups as many steps as differ.
BOTH_TIMES("large groups, and very many", [] {
  const std::int64_t large = std::int64_t{1} << 40;
  EXPECT(node_grid{large / 4}.spread_of(0, run(large, 1)).nodes == 4);
  EXPECT(node_grid{8}.spread_of(0, run(large, 16)).nodes == large);
  group_leaders leaders;
  leaders.append(large, 3);
  EXPECT(node_grid{8}.spread_of(leaders, run(3, 1)).nodes == large + large / 4);
});

} // namespace
