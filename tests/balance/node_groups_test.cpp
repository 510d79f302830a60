#include <moeplan/balance/node_groups.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

using namespace moeplan;
using namespace moeplan::detail;

namespace {

using numbers = std::vector<std::int64_t>;

struct layer {
  placement_shape shape{};
  numbers loads{};
};

layer random_layer(std::mt19937_64& random) {
  const auto below = [&random](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  layer l;
  l.shape.nodes = 1 + below(3);
  l.shape.groups = l.shape.nodes * (1 + below(3));
  l.shape.gpus = l.shape.nodes * (1 + below(3));
  const std::int64_t group_size = 1 + below(3);
  l.shape.experts = l.shape.groups * group_size;
  l.shape.slots = l.shape.gpus * ((l.shape.experts - 1) / l.shape.gpus + 1 + below(2));
  for (std::int64_t e = 0; e < l.shape.experts; ++e) l.loads.push_back(below(below(4) == 0 ? 1000 : 100));
  return l;
}

/// The load that a node with these groups does not get below.
std::int64_t floor_of(const layer& l, const numbers& groups) {
  numbers loads;
  const std::int64_t size = l.shape.experts / l.shape.groups;
  for (const std::int64_t g : groups)
    for (std::int64_t e = g * size; e < (g + 1) * size; ++e) loads.push_back(l.loads[static_cast<std::size_t>(e)]);
  numbers copies(loads.size());
  numbers heap(loads.size());
  const expert_pool pool{loads, l.shape.slots / l.shape.nodes, l.shape.gpus_per_node()};
  const std::int64_t sum = std::accumulate(loads.begin(), loads.end(), std::int64_t{0});
  return std::max(spread_copies(pool, copies, heap), sum / l.shape.gpus_per_node());
}

/// The floor of the worst node, of the placement of groups where that is least; and how many placements have one below `limit`,
/// nodes being alike.
struct all_placements {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::int64_t below_limit = 0;

  all_placements(const layer& l, std::int64_t limit) {
    numbers order(static_cast<std::size_t>(l.shape.groups));
    std::iota(order.begin(), order.end(), 0);
    const auto each = static_cast<std::size_t>(l.shape.groups / l.shape.nodes);
    do {
      bool first_of_its_kind = true;
      std::int64_t worst = 0;
      for (std::size_t at = 0; at < order.size(); at += each) {
        const auto from = order.begin() + static_cast<std::ptrdiff_t>(at);
        const auto to = from + static_cast<std::ptrdiff_t>(each);
        first_of_its_kind = first_of_its_kind && std::is_sorted(from, to) && (at == 0 || order[at - each] < order[at]);
        worst = std::max(worst, floor_of(l, {from, to}));
      }
      least = std::min(least, worst);
      if (first_of_its_kind && worst < limit) ++below_limit;
    } while (std::next_permutation(order.begin(), order.end()));
  }
};

TEST_CASE("all placements of groups, and the best of them") {
  std::mt19937_64 random{11};
  for (int i = 0; i < 150; ++i) {
    const layer l = random_layer(random);
    if (l.shape.groups > 6) continue;
    CAPTURE(i);
    numbers storage(static_cast<std::size_t>(node_groups::storage(l.shape)));
    node_groups groups{l.shape, l.loads, storage};
    const std::int64_t dealt = groups.deal_groups();
    const all_placements all{l, dealt + 1};
    CHECK(dealt >= all.least);
    CHECK(groups.simple_bound() <= all.least);

    std::int64_t visited = 0;
    const auto count = [&](std::int64_t floor) {
      CHECK(floor <= dealt);
      numbers met(groups.placed().begin(), groups.placed().end());
      std::sort(met.begin(), met.end());
      for (std::size_t g = 0; g < met.size(); ++g) CHECK(met[g] == static_cast<std::int64_t>(g));
      ++visited;
      return dealt + 1;
    };
    CHECK(groups.visit(dealt + 1, 1'000'000, count));
    CHECK(visited == all.below_limit);

    std::int64_t least = dealt;
    const auto keep = [&least](std::int64_t floor) { return least = floor; };
    CHECK(groups.visit(dealt, 1'000'000, keep));
    CHECK(least == all.least);
    CHECK(!groups.visit(dealt + 1, 1, keep));
  }
}

TEST_CASE("which expert a node has") {
  const layer l{{.experts = 8, .slots = 8, .groups = 4, .nodes = 2, .gpus = 2}, {1, 1, 20, 20, 2, 2, 10, 10}};
  numbers storage(static_cast<std::size_t>(node_groups::storage(l.shape)));
  node_groups groups{l.shape, l.loads, storage};
  CHECK(groups.deal_groups() == 42); // 40 + 2 and 20 + 4
  CHECK(groups.experts_per_node() == 4);
  numbers experts;
  for (std::int64_t node = 0; node < 2; ++node)
    for (std::int64_t i = 0; i < 4; ++i) experts.push_back(groups.expert_of(node, i));
  CHECK(experts[0] == 2);
  CHECK(experts[1] == 3);
  std::sort(experts.begin(), experts.end());
  CHECK(experts == numbers{0, 1, 2, 3, 4, 5, 6, 7});
}

} // namespace
