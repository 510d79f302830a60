#include <moeplan/balance/node_limited_routing.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/number/ratio.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool is_near(double x, double expected, double error) { return x - expected <= error && expected - x <= error; }

constexpr double uniform(std::int64_t routed, std::int64_t top_k, std::int64_t ranks) {
  return distinct_ranks_of({.routed = routed, .top_k = top_k}, ranks).expected;
}

// R (1 - C(E - E/R, k) / C(E, k)) from binomial coefficients.
BOTH_TIMES("ranks that one token of uniform routing reaches", [] {
  EXPECT(is_near(uniform(256, 8, 8), 5.29465, 5e-6));
  EXPECT(is_near(uniform(256, 8, 16), 6.52328, 5e-6));
  EXPECT(is_near(uniform(256, 8, 32), 7.26680, 5e-6));
  EXPECT(is_near(uniform(256, 8, 64), 7.67575, 5e-6));
  EXPECT(is_near(uniform(384, 8, 16), 6.49942, 5e-6));
  EXPECT(is_near(uniform(128, 8, 8), 5.33936, 5e-6));
  EXPECT(is_near(uniform(64, 8, 8), 5.43255, 5e-6));
  EXPECT(is_near(uniform(8, 2, 4), 1.857143, 5e-7));
  EXPECT(is_near(uniform(8, 2, 8), 2, 1e-15));
});

BOTH_TIMES("exactly", [] {
  EXPECT(distinct_ranks_of<ratio>({.routed = 8, .top_k = 2}, 4).expected == ratio{13, 7});
  EXPECT(distinct_ranks_of<ratio>({.routed = 8, .top_k = 2}, 8).expected == ratio{2});
  // 64 (1 - 252 251 ... 245 / (256 255 ... 249))
  EXPECT(distinct_ranks_of<ratio>({.routed = 256, .top_k = 8}, 64).expected == ratio{4192702, 546227});
});

BOTH_TIMES("ends", [] {
  for (std::int64_t k = 1; k <= 16; ++k) {
    EXPECT(distinct_ranks_of<ratio>({.routed = 16, .top_k = k}, 1) == distinct_ranks<ratio>{1, {1}, 1});
    EXPECT(distinct_ranks_of<ratio>({.routed = 16, .top_k = k}, 16) == distinct_ranks<ratio>{k, {k}, k});
  }
  // More than one rank's others cannot spare that rank.
  EXPECT(distinct_ranks_of<ratio>({.routed = 16, .top_k = 13}, 4) == distinct_ranks<ratio>{4, {4}, 4});
  EXPECT((distinct_ranks_of({.routed = 16, .top_k = 12}, 4).expected < 4));
});

BOTH_TIMES("at least as many ranks as the experts need, at most one for each", [] {
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8}, 64).least == 2); // 4 experts a rank
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8}, 64).most == 8);
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8}, 4).least == 1);
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8}, 4).most == 4);
});

constexpr experts v3 = catalog::deepseek_v3.experts;
static_assert(v3.routed == 256 && v3.top_k == 8 && v3.groups == 8 && v3.group_top_k == 4);

BOTH_TIMES("DeepSeek-V3 visits 4 of 8 nodes", [] {
  const distinct_ranks<double> nodes = distinct_ranks_of(v3, 8);
  EXPECT(nodes.least == 1);
  EXPECT(nodes.most == 4);
  EXPECT(nodes.expected > 3.9 && nodes.expected < 4);
  // The limit saves 24 % of what unlimited routing would send to nodes.
  EXPECT(nodes.expected < (1 - 0.24) * uniform(256, 8, 8));
});

// For groups that are ranks: the sum over d of min(d, M) P(the best k of all lie in d groups), with the probabilities from inclusion
// and exclusion: C(G, d) sum over j of (-1)^(d - j) C(d, j) C(j g, k) / C(E, k). Here for V3, from big integers.
BOTH_TIMES("DeepSeek-V3, exactly", [] {
  EXPECT(distinct_ranks_of<ratio>(v3, 8).expected == ratio{5665708379327, 1422443386375});
  EXPECT(is_near(distinct_ranks_of(v3, 8).expected, 3.983081811, 1e-9));
});

// arXiv 2412.19437, section 3.2.2: NVLink's 160 GB/s are 3.2 times InfiniBand's 50, so that 3.2 experts a node, and 13 in all, cost no more
// between nodes than one a node.
BOTH_TIMES("13 experts on 4 nodes travel between as many nodes as 8", [] {
  experts thirteen = v3;
  thirteen.top_k = 13;
  const distinct_ranks<ratio> nodes = distinct_ranks_of<ratio>(thirteen, 8);
  EXPECT(nodes.most == distinct_ranks_of(v3, 8).most);
  EXPECT(ratio{160, 50} * ratio{nodes.most} == ratio{64, 5}); // 12.8
  EXPECT(nodes.expected < ratio{4} && nodes.expected > distinct_ranks_of<ratio>(v3, 8).expected);
});

BOTH_TIMES("ranks within groups, and groups within ranks", [] {
  // Two ranks of each group, and two groups of each rank.
  const distinct_ranks<double> fine = distinct_ranks_of(v3, 16);
  const distinct_ranks<double> coarse = distinct_ranks_of(v3, 4);
  EXPECT(fine.most == 8 && coarse.most == 4);
  EXPECT(fine.expected < uniform(256, 8, 16));
  EXPECT(coarse.expected < uniform(256, 8, 4));
  EXPECT(fine.expected > distinct_ranks_of(v3, 8).expected);
  EXPECT(coarse.expected < distinct_ranks_of(v3, 8).expected);
  EXPECT(distinct_ranks_of(v3, 256).expected > 8 - 1e-12);
  EXPECT(distinct_ranks_of(v3, 1) == distinct_ranks<double>{1, 1, 1});
});

BOTH_TIMES("a token that may visit all groups is not limited", [] {
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8, .groups = 8, .group_top_k = 8}, 16) ==
         distinct_ranks_of({.routed = 256, .top_k = 8}, 16));
  // Nor does a limit that no choice reaches: not more groups than experts.
  EXPECT(is_near(distinct_ranks_of({.routed = 256, .top_k = 4, .groups = 8, .group_top_k = 4}, 16).expected, uniform(256, 4, 16),
                 1e-13));
});

BOTH_TIMES("one group of ranks is a smaller model", [] {
  EXPECT(distinct_ranks_of<ratio>({.routed = 64, .top_k = 4, .groups = 4, .group_top_k = 1}, 16).expected ==
         distinct_ranks_of<ratio>({.routed = 16, .top_k = 4}, 4).expected);
});

BOTH_TIMES("no answer without its preconditions", [] {
  constexpr distinct_ranks<double> none{};
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8}, 3) == none);
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8}, 0) == none);
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 0}, 8) == none);
  EXPECT(distinct_ranks_of({.routed = 8, .top_k = 9}, 8) == none);
  EXPECT(distinct_ranks_of({}, 1) == none);
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8, .groups = 7, .group_top_k = 4}, 8) == none);
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8, .groups = 8, .group_top_k = 0}, 8) == none);
  EXPECT(distinct_ranks_of({.routed = 256, .top_k = 8, .groups = 8, .group_top_k = 9}, 8) == none);
  EXPECT(distinct_ranks_of({.routed = 16, .top_k = 8, .groups = 8, .group_top_k = 3}, 8) == none); // 6 experts
  EXPECT(distinct_ranks_of({.routed = 96, .top_k = 4, .groups = 8, .group_top_k = 4}, 12) == none);
  EXPECT(distinct_ranks_of({.routed = 1024, .top_k = 128, .groups = 128, .group_top_k = 65}, 128) == none);
  EXPECT(distinct_ranks_of({.routed = 1024, .top_k = 128, .groups = 128, .group_top_k = 64}, 128).most == 64);
  EXPECT(distinct_ranks_of({.routed = 1024, .top_k = 8, .groups = 128, .group_top_k = 65}, 128).most == 8);
});

} // namespace
