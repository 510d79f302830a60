// EPLB once more, as one would write it down: tensors, searches and a stable sort of the standard library.
#include <moeplan/balance/eplb.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

using namespace moeplan;

namespace {

using floats = std::vector<float>;
using indices = std::vector<std::size_t>;

struct packing {
  indices pack;
  indices position;
};

packing balanced_packing(const floats& weight, std::size_t packs) {
  packing result{indices(weight.size()), indices(weight.size())};
  const std::size_t room = weight.size() / packs;
  if (room == 1) {
    std::iota(result.pack.begin(), result.pack.end(), std::size_t{0});
    return result;
  }
  indices order(weight.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight[a] > weight[b]; });
  floats sums(packs, 0.0F);
  indices items(packs, 0);
  for (const std::size_t item : order) {
    std::size_t best = packs;
    for (std::size_t p = 0; p < packs; ++p)
      if (items[p] < room && (best == packs || sums[p] < sums[best])) best = p;
    result.pack[item] = best;
    result.position[item] = items[best]++;
    sums[best] += weight[item];
  }
  return result;
}

struct answer {
  std::vector<std::int32_t> physical_to_logical;
  std::vector<std::int32_t> logical_count;
};

answer rebalance(const placement_shape& s, const std::vector<std::int64_t>& loads) {
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const std::size_t experts = size(s.experts);
  const bool hierarchical = s.groups % s.nodes == 0;
  const std::size_t nodes = hierarchical ? size(s.nodes) : 1;
  const std::size_t groups = hierarchical ? size(s.groups) : 1;
  const std::size_t group_size = experts / groups;
  const std::size_t slots_per_node = size(s.slots) / nodes;
  const std::size_t slots_per_gpu = size(s.slots / s.gpus);

  floats group_weights(groups, 0.0F);
  for (std::size_t e = 0; e < experts; ++e) group_weights[e / group_size] += static_cast<float>(loads[e]);
  const packing on_nodes = balanced_packing(group_weights, nodes);
  indices logical(experts); // of an expert's place in the order of the nodes
  for (std::size_t e = 0; e < experts; ++e) {
    const std::size_t group = e / group_size;
    logical[(on_nodes.pack[group] * (groups / nodes) + on_nodes.position[group]) * group_size + e % group_size] = e;
  }

  answer result{std::vector<std::int32_t>(size(s.slots)), std::vector<std::int32_t>(experts)};
  const std::size_t experts_per_node = experts / nodes;
  for (std::size_t node = 0; node < nodes; ++node) {
    const std::size_t* const here = &logical[node * experts_per_node];
    indices counts(experts_per_node, 1);
    indices held(experts_per_node);
    std::iota(held.begin(), held.end(), std::size_t{0});
    const auto weight = [&](std::size_t i) { return static_cast<float>(loads[here[i]]) / static_cast<float>(counts[i]); };
    while (held.size() < slots_per_node) {
      std::size_t heaviest = 0;
      for (std::size_t i = 1; i < experts_per_node; ++i)
        if (weight(i) > weight(heaviest)) heaviest = i;
      held.push_back(heaviest);
      ++counts[heaviest];
    }
    floats weights;
    for (const std::size_t i : held) weights.push_back(weight(i));
    const packing on_gpus = balanced_packing(weights, size(s.gpus) / nodes);
    for (std::size_t i = 0; i < held.size(); ++i) {
      const std::size_t slot = node * slots_per_node + on_gpus.pack[i] * slots_per_gpu + on_gpus.position[i];
      result.physical_to_logical[slot] = static_cast<std::int32_t>(here[held[i]]);
    }
    for (std::size_t i = 0; i < experts_per_node; ++i) result.logical_count[here[i]] = static_cast<std::int32_t>(counts[i]);
  }
  return result;
}

/// Sizes that belong together, up to some hundreds of slots.
placement_shape random_shape(std::mt19937_64& random) {
  const auto up_to = [&](std::uint64_t most) { return static_cast<std::int64_t>(random() % most) + 1; };
  placement_shape s;
  s.nodes = up_to(4);
  const std::int64_t groups_per_node = up_to(4);
  const std::int64_t group_size = up_to(9);
  const std::int64_t gpus_per_node = up_to(6);
  const std::int64_t spare = static_cast<std::int64_t>(random() % 4);
  s.groups = s.nodes * groups_per_node;
  s.experts = s.groups * group_size;
  s.gpus = s.nodes * gpus_per_node;
  s.slots = s.gpus * ((s.experts + s.gpus - 1) / s.gpus + spare);
  if (random() % 4 == 0) ++s.groups; // the global policy, unless there is one node
  return s;
}

std::vector<std::int64_t> random_loads(std::mt19937_64& random, std::int64_t experts) {
  const std::uint64_t kind = random() % 6;
  std::vector<std::int64_t> loads(static_cast<std::size_t>(experts));
  for (std::int64_t& load : loads) {
    const std::uint64_t any = random();
    const std::uint64_t shift = random() % 63;
    constexpr std::uint64_t masks[] = {0, 3, 255, 0xF'FFFF, 0x1FF'FFFF, ~std::uint64_t{0} >> 1};
    load = static_cast<std::int64_t>(any & masks[kind]);
    if (kind == 5) load >>= shift;
  }
  return loads;
}

} // namespace

TEST_CASE("random layers are placed as the words of the algorithm say") {
  std::mt19937_64 random{2};
  int placed = 0;
  for (int i = 0; i < 20'000; ++i) {
    const placement_shape s = random_shape(random);
    const std::vector<std::int64_t> loads = random_loads(random, s.experts);
    std::vector<std::int32_t> physical_to_logical(static_cast<std::size_t>(s.slots));
    std::vector<std::int32_t> logical_count(static_cast<std::size_t>(s.experts));
    const placement_policy policy = eplb_policy(s);
    const placement_error valid = check_shape(s, policy);
    if (!valid.ok()) {
      CHECK(eplb(s, loads, physical_to_logical, logical_count, {}) == valid);
      continue;
    }
    std::vector<std::uint64_t> words(static_cast<std::size_t>(eplb_storage_words(s)));
    REQUIRE(eplb(s, loads, physical_to_logical, logical_count, words).ok());
    const answer expected = rebalance(s, loads);
    REQUIRE(physical_to_logical == expected.physical_to_logical);
    REQUIRE(logical_count == expected.logical_count);
    std::vector<std::int32_t> counted(logical_count.size());
    REQUIRE(check_placement(s, physical_to_logical, counted).ok());
    REQUIRE(counted == logical_count);
    ++placed;
  }
  CHECK(placed > 15'000);
}
