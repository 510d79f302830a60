#include <moeplan/cost/order_nodes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "support/both_times.hpp"
#include "support/random_numbers.hpp"

using namespace moeplan;
using moeplan_test::random_numbers;

namespace {

BOTH_TIMES("nodes that ranks along an axis touch at most", [] {
  EXPECT(most_nodes(1, 5, 7, 8) == 1);
  EXPECT(most_nodes(8, 1, 4, 8) == 1);
  EXPECT(most_nodes(64, 1, 32, 8) == 8);
  EXPECT(most_nodes(4, 8, 2, 8) == 4);
  EXPECT(most_nodes(4, 2, 4, 8) == 1);
  EXPECT(most_nodes(8, 2, 2, 8) == 2);
  EXPECT(most_nodes(3, 1, 1, 8) == 1); // 0 1 2 alone
  EXPECT(most_nodes(3, 1, 2, 8) == 1); // and 3 4 5
  EXPECT(most_nodes(3, 1, 3, 8) == 2); // and 6 7 8
  EXPECT(most_nodes(6, 1, 1, 4) == 2);
  EXPECT(most_nodes(6, 1, 3, 4) == 2); // 4 to 7 and 8, 9; 10 to 15
  const std::int64_t large = std::int64_t{1} << 40;
  EXPECT(most_nodes(large, 1, 4, 8) == large / 8);
  EXPECT(most_nodes(large + 1, 1, 1 << 20, 8) == large / 8 + 1);
});

constexpr rank_order best(std::int64_t tp, std::int64_t cp, std::int64_t etp, std::int64_t ep, std::int64_t gpus,
                          std::int64_t node) {
  return ordered_axes{{tp, cp, gpus / (tp * cp), etp, ep, gpus / (etp * ep), 1}, rank_order{}}.best_order(node);
}

BOTH_TIMES("the order in which groups touch the fewest nodes", [] {
  EXPECT(best(8, 8, 1, 64, 64, 8) == rank_order{});
  EXPECT(best(2, 2, 1, 8, 16, 8) == rank_order{});
  EXPECT(best(3, 2, 1, 1, 6, 4) == rank_order{"cp-tp-ep-dp-pp"}); // see most_nodes(3, 2, 1, 4) == most_nodes(3, 1, 2, 4)
  EXPECT(best(1, 1, 3, 2, 6, 4) == rank_order{"ep-tp-cp-dp-pp"});
  EXPECT(best(3, 2, 3, 2, 6, 4) == rank_order{"cp-ep-tp-dp-pp"});
});

BOTH_TIMES("strides of the inner axes", [] {
  const ordered_axes axes{{.tp = 2, .cp = 4, .dp = 3, .etp = 1, .ep = 6, .edp = 4, .pp = 5}, rank_order{"dp-cp-pp-ep-tp"}};
  EXPECT(axes.dense.tensor_stride == 60 && axes.dense.other_stride == 3);
  EXPECT(axes.expert.tensor_stride == 120 && axes.expert.other_stride == 20);
  EXPECT(axes.dense.gpus == 120 && axes.expert.gpus == 120);
});

std::int64_t most_nodes_by_rank(std::int64_t size, std::int64_t stride, std::int64_t repeats, std::int64_t gpus_per_node) {
  std::size_t most = 0;
  for (std::int64_t block = 0; block < repeats; ++block) {
    for (std::int64_t start = 0; start < stride; ++start) {
      std::set<std::int64_t> nodes;
      for (std::int64_t i = 0; i < size; ++i) nodes.insert((block * size * stride + start + i * stride) / gpus_per_node);
      most = std::max(most, nodes.size());
    }
  }
  return static_cast<std::int64_t>(most);
}

TEST_CASE("nodes, rank by rank") {
  random_numbers draw{3};
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t size = 1 + draw.below(12), stride = 1 + draw.below(12), repeats = 1 + draw.below(9),
                       node = 1 + draw.below(20);
    INFO("size ", size, ", stride ", stride, ", repeats ", repeats, ", GPUs of a node ", node);
    REQUIRE(most_nodes(size, stride, repeats, node) == most_nodes_by_rank(size, stride, repeats, node));
  }
}

// Every order of all axes under which neighbouring stages are as far apart on both grids.
TEST_CASE("no other order keeps the groups nearer together") {
  random_numbers draw{5};
  int swapped = 0;
  int world = 0;
  while (world < 1500) {
    grid_sizes n{.tp = draw.one_of({1, 2, 3, 4, 6}),
                 .cp = draw.one_of({1, 1, 2, 3, 4}),
                 .dp = draw.one_of({1, 2, 3, 4, 8}),
                 .etp = draw.one_of({1, 1, 2, 3}),
                 .ep = draw.one_of({1, 2, 3, 4, 6, 8}),
                 .pp = draw.one_of({1, 1, 2, 3})};
    if (n.tp * n.cp * n.dp % (n.etp * n.ep) != 0) continue;
    n.edp = n.tp * n.cp * n.dp / (n.etp * n.ep);
    ++world;
    const std::int64_t node = 1 + draw.below(16);
    const rank_order best = ordered_axes{n, {}}.best_order(node);
    const ordered_axes in_best{n, best};
    if (best != rank_order{}) ++swapped;
    std::vector<axis> order{axis::tp, axis::pp, axis::ep, axis::dp, axis::cp};
    std::sort(order.begin(), order.end());
    do {
      rank_order tried;
      std::copy(order.begin(), order.end(), tried.axes.begin());
      const ordered_axes axes{n, tried};
      std::int64_t dense_before_pp = 1, expert_before_pp = 1;
      for (const axis a : order) {
        if (a == axis::pp) break;
        dense_before_pp *= a == axis::tp ? n.tp : a == axis::cp ? n.cp : a == axis::dp ? n.dp : 1;
        expert_before_pp *= a == axis::tp ? n.etp : a == axis::ep ? n.ep : a == axis::dp ? n.edp : 1;
      }
      if (n.pp > 1 && dense_before_pp != expert_before_pp) continue;
      INFO("TP ", n.tp, ", CP ", n.cp, ", DP ", n.dp, ", ETP ", n.etp, ", EP ", n.ep, ", PP ", n.pp, ", GPUs of a node ", node);
      REQUIRE_FALSE(axes.dense.nodes(node).fewer_than(in_best.dense.nodes(node)));
      REQUIRE_FALSE(axes.expert.nodes(node).fewer_than(in_best.expert.nodes(node)));
      if (axes.dense.plainly_best(node)) REQUIRE(axes.dense.nodes(node).tensor == in_best.dense.nodes(node).tensor);
      if (axes.dense.plainly_best(node)) REQUIRE(axes.dense.nodes(node).other == in_best.dense.nodes(node).other);
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(in_best.dense.fewest(node).tensor == in_best.dense.nodes(node).tensor);
    CHECK(in_best.dense.fewest(node).other == in_best.dense.nodes(node).other);
  }
  CHECK(swapped > 10);
}

} // namespace
