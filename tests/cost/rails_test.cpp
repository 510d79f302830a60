#include <moeplan/cost/rails.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <set>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr group_members all_of(std::int64_t first, const strided_ranks& members) {
  return {.first = first, .group = members, .count = members.count()};
}

BOTH_TIMES("members of a group, or of a part of one", [] {
  const strided_ranks ranks{3, 2, 2, 10}; // 5 7 9, 15 17 19
  const group_members whole = all_of(5, ranks);
  for (const std::int64_t rank : {5, 7, 9, 15, 17, 19}) EXPECT(whole.contains(rank));
  for (const std::int64_t rank : {-5, 4, 6, 11, 14, 16, 21, 25}) EXPECT(!whole.contains(rank));
  const group_members second_half{.first = 5, .group = ranks, .start = 3, .step = 1, .count = 3};
  EXPECT(second_half.rank(0) == 15 && second_half.contains(19) && !second_half.contains(9));
  const group_members odd_ones{.first = 5, .group = ranks, .start = 1, .step = 2, .count = 3};
  EXPECT(odd_ones.rank(2) == 19 && odd_ones.contains(15) && odd_ones.contains(7) && !odd_ones.contains(9));
  EXPECT(all_of(5, {}).contains(5) && !all_of(5, {}).contains(6));
});

BOTH_TIMES("whole nodes have each other's rails", [] {
  const rail_grid rails{node_grid{8}, node_grid{8}};
  const group_members two_nodes = all_of(0, {16, 1, 1, 0});
  EXPECT(rails.hops_on_rail(two_nodes, true) == 2 && rails.hops_on_rail(two_nodes, false) == 1);
  EXPECT(rails.pairs_on_rail(two_nodes) == 16); // each with one other
  const rail_grid rack{node_grid{8}, node_grid{16}};
  EXPECT(rack.hops_on_rail(two_nodes, true) == 0 && rack.pairs_on_rail(two_nodes) == 0);
  const group_members four_nodes = all_of(0, {32, 1, 1, 0});
  EXPECT(rack.hops_on_rail(four_nodes, true) == 2 && rack.pairs_on_rail(four_nodes) == 64);
});

BOTH_TIMES("one rank a node is on one rail or changes it with every hop", [] {
  const rail_grid rails{node_grid{8}, node_grid{8}};
  EXPECT(rails.hops_on_rail(all_of(3, {4, 8, 1, 0}), true) == 4);
  EXPECT(rails.pairs_on_rail(all_of(3, {4, 8, 1, 0})) == 12);
  EXPECT(rails.hops_on_rail(all_of(0, {4, 9, 1, 0}), true) == 0);
  EXPECT(rails.pairs_on_rail(all_of(0, {4, 9, 1, 0})) == 0);
  EXPECT(rails.hops_on_rail(all_of(0, {4, 12, 1, 0}), true) == 0); // 0, 12, 24, 36: rails 0, 4, 0, 4
  EXPECT(rails.pairs_on_rail(all_of(0, {4, 12, 1, 0})) == 4);
});

BOTH_TIMES("runs that nodes divide have the same rails everywhere, or a rank a node on one rail", [] {
  const rail_grid rails{node_grid{8}, node_grid{8}};
  EXPECT(rails.same_on_every_node({16, 1, 1, 0}));
  EXPECT(rails.same_on_every_node({2, 1, 4, 8}));
  EXPECT(rails.same_on_every_node({4, 16, 1, 0}));
  EXPECT(!rails.same_on_every_node({5, 9, 1, 0}));
  EXPECT(!rails.same_on_every_node({4, 8, 2, 36}));
  EXPECT(rails.same_on_every_node({}));
});

// Groups of very many ranks take as many steps as those of a few domains.
BOTH_TIMES("long groups go on as they began", [] {
  const rail_grid rails{node_grid{8}, node_grid{8}};
  const std::int64_t large = std::int64_t{1} << 30;
  EXPECT(rails.hops_on_rail(all_of(0, {large, 8, 1, 0}), true) == large);
  EXPECT(rails.pairs_on_rail(all_of(0, {large, 8, 1, 0})) == saturating_count{large} * (large - 1));
  // Ranks 12 apart are on rails 0 and 4 in turn.
  EXPECT(rails.hops_on_rail(all_of(0, {large, 12, 1, 0}), true) == 0);
  EXPECT(rails.pairs_on_rail(all_of(0, {large, 12, 1, 0})) == saturating_count{large} * (large / 2 - 1));
});

TEST_CASE("hops and pairs on rails, rank by rank") {
  std::mt19937_64 bits{17};
  const auto below = [&bits](std::int64_t n) { return static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(n)); };
  std::int64_t on_rail = 0;
  for (int i = 0; i < 3000; ++i) {
    const bool is_long = i % 30 == 0;
    const std::int64_t per_node = 1 + below(is_long ? 3 : 6);
    const std::int64_t domain = per_node * (1 + below(is_long ? 2 : 3));
    const bool two_runs = below(2) == 0;
    strided_ranks ranks;
    ranks.append(is_long && !two_runs ? 50 + below(60) : 1 + below(5), 1 + below(7));
    if (!is_long || two_runs)
      ranks.append(is_long ? 50 + below(20) : 1 + below(4),
                   std::max<std::int64_t>(1, ranks.inner_size * ranks.inner_stride) + below(9));
    const std::int64_t parts = ranks.count() % 2 == 0 && below(2) == 0 ? 2 : 1;
    const bool near = below(2) == 0;
    const group_members members{.first = below(30),
                                .group = ranks,
                                .start = parts == 1 ? 0
                                         : near     ? ranks.count() / 2
                                                    : 1,
                                .step = near ? 1 : parts,
                                .count = ranks.count() / parts};
    std::vector<std::int64_t> list;
    for (std::int64_t m = 0; m < members.count; ++m) list.push_back(members.rank(m));
    const std::set<std::int64_t> set{list.begin(), list.end()};
    for (std::int64_t rank = 0; rank < 150; ++rank) REQUIRE(members.contains(rank) == set.contains(rank));

    std::int64_t pairs = 0;
    std::vector<std::set<std::int64_t>> rails_of_domains; // those touched, in ascending order
    for (std::size_t a = 0; a < list.size(); ++a) {
      if (a == 0 || list[a] / domain != list[a - 1] / domain) rails_of_domains.emplace_back();
      rails_of_domains.back().insert(list[a] % per_node);
      for (const std::int64_t b : list)
        if (list[a] / domain != b / domain && list[a] % per_node == b % per_node) ++pairs;
    }
    const auto meet = [](const std::set<std::int64_t>& a, const std::set<std::int64_t>& b) {
      for (const std::int64_t rail : a)
        if (b.contains(rail)) return true;
      return false;
    };
    std::int64_t hops = 0;
    const std::size_t domains = rails_of_domains.size();
    for (std::size_t a = 0; a + 1 < domains; ++a) hops += meet(rails_of_domains[a], rails_of_domains[a + 1]) ? 1 : 0;
    const rail_grid rails{node_grid{per_node}, node_grid{domain}};
    REQUIRE(rails.pairs_on_rail(members) == pairs);
    REQUIRE(rails.hops_on_rail(members, false) == hops);
    if (domains > 1) hops += meet(rails_of_domains.back(), rails_of_domains.front()) ? 1 : 0;
    REQUIRE(rails.hops_on_rail(members, true) == hops);
    on_rail += hops;
  }
  CHECK(on_rail > 1000);
}

} // namespace
