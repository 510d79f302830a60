#include <moeplan/cost/group_links.hpp>

#include <cstdint>

#include <moeplan/mesh/group.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool near(double a, double b) { return a - b < 1e-12 && b - a < 1e-12; }
constexpr bool near(const both_ways& a, const both_ways& b) { return near(a.sent, b.sent) && near(a.received, b.received); }
constexpr bool near(const link_bytes& a, const link_bytes& b) { return near(a.nvlink, b.nvlink) && near(a.network, b.network); }

/// So many ranks, one after the other from `first`, on domains of so many.
constexpr group_links run(std::int64_t domain, std::int64_t first, std::int64_t ranks, std::int64_t stride = 1) {
  return group_links{node_grid{domain}.spread_of(first, {ranks, stride, 1, 0})};
}

BOTH_TIMES("in one domain", [] {
  const group_links four = run(8, 4, 4);
  // Three quarters come from others; the own quarter is put out once, for all of them.
  EXPECT(near(four.gather(1), {{0.25, 0.75}, {}}));
  EXPECT(near(four.scatter(1), {{0.75, 0.25}, {}}));
  EXPECT(near(four.reduce(1), {{1, 1}, {}})); // NVLS
  EXPECT(near(four.exchange(1), {{0.75, 0.75}, {}}));
  EXPECT(near(four.gather(100), {{25, 75}, {}}));
  EXPECT(four.even_domains() == 1 && !four.leave_domains());
});

BOTH_TIMES("one rank", [] {
  EXPECT(run(8, 3, 1).reduce(1) == link_bytes{} && group_links{}.reduce(1) == link_bytes{});
  EXPECT(run(8, 3, 1).exchange(1) == link_bytes{} && group_links{}.even_domains() == 1);
});

BOTH_TIMES("one rank a domain", [] {
  const group_links four = run(8, 3, 4, 8);
  EXPECT(near(four.gather(1), {{}, {0.25, 0.75}}));
  EXPECT(near(four.reduce(1), {{}, {1, 1}}));
  EXPECT(near(four.exchange(1), {{}, {0.75, 0.75}}));
  EXPECT(four.even_domains() == 4);
});

// Eight ranks on four domains: of eight parts each domain gets six, and puts out its two, for two ranks together.
BOTH_TIMES("several domains", [] {
  const group_links eight = run(2, 0, 8);
  EXPECT(near(eight.gather(1), {{1.0 / 8, 1.0 / 8}, {1.0 / 8, 3.0 / 8}}));
  EXPECT(near(eight.scatter(1), {{1.0 / 8, 1.0 / 8}, {3.0 / 8, 1.0 / 8}}));
  EXPECT(near(eight.reduce(1), {{2.0 / 8, 2.0 / 8}, {4.0 / 8, 4.0 / 8}}));
  EXPECT(near(eight.exchange(1), {{1.0 / 8, 1.0 / 8}, {6.0 / 8, 6.0 / 8}}));
  // To two ranks and to one other domain, where it is copied; and so many sums back. Half of the bytes to one rank, none elsewhere.
  EXPECT(near(eight.spread(1, 2, 1), {{1.0 / 8, 2.0 / 8}, {6.0 / 8, 6.0 / 8}}));
  EXPECT(near(eight.collect(1, 2, 1), {{2.0 / 8, 1.0 / 8}, {6.0 / 8, 6.0 / 8}}));
  EXPECT(near(eight.spread(1, 0.5, 0), {{0.5 / 8, 0.5 / 8}, {}}));
  EXPECT(eight.even_domains() == 4 && eight.leave_domains());
});

// Ranks 2 to 6 on domains of four: two on the first, three on the second.
BOTH_TIMES("uneven domains", [] {
  const group_links five = run(4, 2, 5);
  const double company = (2 * 1 + 3 * 2) / 25.0; // others in the same domain, over five, on average
  EXPECT(near(five.gather(1), {{1.0 / 5, company}, {1.0 / 5, 1.0 / 5}}));
  EXPECT(near(five.exchange(1), {{company, company}, {2 * 2 * 3 / 25.0, 2 * 2 * 3 / 25.0}}));
  EXPECT(five.even_domains() == 1);
  // Ranks 3 to 7: the first is alone on its domain.
  const group_links alone = run(4, 3, 5);
  EXPECT(near(alone.gather(1), {{4.0 / 25, 4 * 3 / 25.0}, {1.0 / 5, 1.0 / 5}}));
});

// Groups of three on domains of four: 0 1 2, 3 4 5, 6 7 8, 9 10 11, of which two leave theirs.
BOTH_TIMES("groups that lie differently", [] {
  group_leaders leaders;
  leaders.append(4, 3);
  const group_links three{node_grid{4}.spread_of(leaders, {3, 1, 1, 0})};
  const double others = (6 + 2 + 2 + 6) / 36.0; // ordered pairs within domains, over 4 x 3 x 3
  EXPECT(near(three.gather(1), {{10 / 36.0, others}, {2 / 12.0, 2 / 12.0}}));
});

} // namespace
