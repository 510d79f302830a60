#include <moeplan/cost/collective_time.hpp>

#include <cmath>
#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr alpha_beta link{.latency = 2e-6, .bandwidth = 50e9};

constexpr bool is_near(double a, double b) {
  const double difference = a < b ? b - a : a - b;
  return difference <= 1e-12 * b;
}
constexpr bool is_none(double a) { return a != a; }

BOTH_TIMES("rings", [] {
  EXPECT(is_near(ring_seconds(collective::all_reduce, 1e9, 8, link), 14 * 2e-6 + 1.75e9 / 50e9));
  EXPECT(is_near(ring_seconds(collective::reduce_scatter, 1e9, 8, link), 7 * 2e-6 + 0.875e9 / 50e9));
  EXPECT(is_near(ring_seconds(collective::all_gather, 1e9, 8, link), 7 * 2e-6 + 0.875e9 / 50e9));
  EXPECT(is_near(ring_seconds(collective::broadcast, 1e9, 8, link), 7 * 2e-6 + 1e9 / 50e9));
  EXPECT(is_near(ring_seconds(collective::send, 1e9, 2, link), 2e-6 + 1e9 / 50e9));
  EXPECT(is_near(ring_seconds(collective::shift, 1e9, 8, link), 2e-6 + 1e9 / 50e9));
  EXPECT(is_none(ring_seconds(collective::all_to_all, 1e9, 8, link)));
});

BOTH_TIMES("trees", [] {
  EXPECT(is_near(tree_seconds(collective::all_reduce, 1e9, 8, link), 6 * 2e-6 + 2e9 / 50e9));
  EXPECT(is_near(tree_seconds(collective::all_reduce, 1e9, 9, link), 8 * 2e-6 + 2e9 / 50e9));
  EXPECT(is_near(tree_seconds(collective::broadcast, 1e9, 8, link), 3 * (2e-6 + 1e9 / 50e9)));
  EXPECT(is_near(tree_seconds(collective::all_gather, 1e9, 8, link), 3 * 2e-6 + 0.875e9 / 50e9));
  EXPECT(is_near(tree_seconds(collective::reduce_scatter, 1e9, 8, link), 3 * 2e-6 + 0.875e9 / 50e9));
  // Of a power of two each of the log2 n steps moves half of everything.
  EXPECT(is_near(tree_seconds(collective::all_to_all, 1e9, 8, link), 3 * (2e-6 + 0.5e9 / 50e9)));
  EXPECT(is_none(tree_seconds(collective::send, 1e9, 2, link)));
  EXPECT(is_none(tree_seconds(collective::shift, 1e9, 8, link)));
});

BOTH_TIMES("pairwise", [] {
  EXPECT(is_near(pairwise_seconds(collective::all_to_all, 1e9, 8, link), 7 * 2e-6 + 0.875e9 / 50e9));
  EXPECT(is_near(pairwise_seconds(collective::all_gather, 1e9, 8, link), ring_seconds(collective::all_gather, 1e9, 8, link)));
  EXPECT(is_near(pairwise_seconds(collective::all_reduce, 1e9, 8, link), ring_seconds(collective::all_reduce, 1e9, 8, link)));
  EXPECT(is_none(pairwise_seconds(collective::broadcast, 1e9, 8, link)));
});

BOTH_TIMES("one rank alone takes no time", [] {
  EXPECT(ring_seconds(collective::all_reduce, 1e9, 1, link) == 0);
  EXPECT(tree_seconds(collective::all_to_all, 1e9, 1, link) == 0);
  EXPECT(pairwise_seconds(collective::all_to_all, 1e9, 1, link) == 0);
});

TEST_CASE("blocks of Bruck's all-to-all, one by one") {
  for (std::int64_t ranks = 1; ranks <= 300; ++ranks) {
    std::int64_t moved = 0;
    for (std::int64_t distance = 0; distance < ranks; ++distance)
      moved += __builtin_popcountll(static_cast<unsigned long long>(distance));
    INFO(ranks);
    CHECK(tree_seconds(collective::all_to_all, static_cast<double>(ranks), ranks, {.latency = 0, .bandwidth = 1}) ==
          static_cast<double>(moved));
    CHECK(tree_seconds(collective::all_gather, 0, ranks, {.latency = 1, .bandwidth = 1}) ==
          std::ceil(std::log2(static_cast<double>(ranks))));
  }
}

BOTH_TIMES("the largest groups", [] {
  // 63 bits, each in half of all numbers.
  EXPECT(is_near(tree_seconds(collective::all_to_all, 1, INT64_MAX, {.latency = 0, .bandwidth = 1}), 31.5));
  EXPECT(tree_seconds(collective::broadcast, 0, INT64_MAX, {.latency = 1, .bandwidth = 1}) == 63);
});

// DeepSeek-V3's bound of decoding, with its own 7000 for the hidden size: 32 tokens a device, 8 routed experts and the shared one, a byte
// there and two back ("Insights into DeepSeek-V3", arXiv 2505.09343, section 2.3.2).
BOTH_TIMES("a layer's exchange of experts while decoding", [] {
  constexpr std::int64_t all = (1 + 2) * 32LL * 9 * 7000;
  const double infiniband = ring_seconds(collective::send, static_cast<double>(all), 2, {.latency = 0, .bandwidth = 50e9});
  EXPECT(is_near(infiniband, 120.96e-6));
  EXPECT(is_near(2 * infiniband, 241.92e-6)); // two micro-batches
  EXPECT(is_near(61 * 2 * infiniband, 14.75712e-3));
  const double nvlink = ring_seconds(collective::send, static_cast<double>(all), 2, {.latency = 0, .bandwidth = 900e9});
  EXPECT(is_near(nvlink, 6.72e-6));
  EXPECT(is_near(61 * 2 * nvlink, 0.81984e-3));
  // Tokens a second: 67 and about 1,200.
  EXPECT(1 / (61 * 2 * infiniband) > 67 && 1 / (61 * 2 * infiniband) < 68);
  EXPECT(1 / (61 * 2 * nvlink) > 1'200 && 1 / (61 * 2 * nvlink) < 1'250);
});

BOTH_TIMES("200 MB at 50 GB/s take 4 ms",
           [] { EXPECT(is_near(ring_seconds(collective::send, 200e6, 2, {.bandwidth = 50e9}), 4e-3)); });

} // namespace
