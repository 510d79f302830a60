// Where experts go: every layer of a model at once. Beside them what DeepSeek's EPLB takes under torch on the CPU, as it was measured
// for DeepSeek-V3's 58 layers of 256 experts in 288 slots: 387 ms for 32 GPUs, 2.4 s for 144.
#include <benchmark/benchmark.h>

#include <moeplan/balance/best_placement.hpp>
#include <moeplan/balance/eplb.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "baseline.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

/// A model's layers: loads that were routed, some experts some times as popular as others.
struct routed_layers {
  placement_shape shape{};
  std::vector<std::vector<std::int64_t>> loads;
};

routed_layers route(const placement_shape& shape, std::size_t layers) {
  routed_layers r{shape, std::vector<std::vector<std::int64_t>>(layers)};
  std::mt19937_64 random{1};
  for (std::vector<std::int64_t>& layer : r.loads) {
    for (std::int64_t e = 0; e < shape.experts; ++e) {
      const std::uint64_t popularity = random() % 1000;
      layer.push_back(static_cast<std::int64_t>(2000 * std::exp(static_cast<double>(popularity) / 500)));
    }
  }
  return r;
}

constexpr placement_shape deepseek_v3_on_32{.experts = 256, .slots = 288, .groups = 8, .nodes = 4, .gpus = 32};
constexpr placement_shape deepseek_v3_on_144{.experts = 256, .slots = 288, .groups = 8, .nodes = 18, .gpus = 144};

constexpr placement_shape free_shape(std::int64_t experts, std::int64_t gpus) {
  return {.experts = experts, .slots = (experts / gpus + 1) * gpus, .gpus = gpus};
}

// EPLB.

void eplb_of(benchmark::State& state, const placement_shape& shape, std::size_t layers) {
  const routed_layers r = route(shape, layers);
  std::vector<std::int32_t> physical_to_logical(static_cast<std::size_t>(shape.slots));
  std::vector<std::int32_t> logical_count(static_cast<std::size_t>(shape.experts));
  std::vector<std::uint64_t> words(static_cast<std::size_t>(eplb_storage_words(shape)));
  const placement_shape* const s = hidden(shape);
  for (auto _ : state) {
    for (const std::vector<std::int64_t>& loads : r.loads) {
      placement_error e = eplb(*s, loads, physical_to_logical, logical_count, words);
      benchmark::DoNotOptimize(e);
      benchmark::ClobberMemory();
    }
  }
}

BENCHMARK(baseline_1180_multiplications_and_additions);
BENCHMARK_CAPTURE(eplb_of, deepseek_v3_on_32_gpus, deepseek_v3_on_32, 58);
BENCHMARK_CAPTURE(eplb_of, deepseek_v3_on_144_gpus, deepseek_v3_on_144, 58);
// Twice the layers, twice the experts, twice the GPUs.
BENCHMARK_CAPTURE(eplb_of, deepseek_v3_on_32_gpus_twice_the_layers, deepseek_v3_on_32, 116);
BENCHMARK_CAPTURE(eplb_of, layers_61_experts_256_gpus_32, free_shape(256, 32), 61);
BENCHMARK_CAPTURE(eplb_of, layers_61_experts_512_gpus_32, free_shape(512, 32), 61);
BENCHMARK_CAPTURE(eplb_of, layers_61_experts_1024_gpus_32, free_shape(1024, 32), 61);
BENCHMARK_CAPTURE(eplb_of, layers_61_experts_1024_gpus_256, free_shape(1024, 256), 61);
BENCHMARK_CAPTURE(eplb_of, layers_61_experts_1024_gpus_1024, free_shape(1024, 1024), 61);

// The best placement: every layer to within a given distance of its bound. Counters: the layers that came that far, and the largest
// distance of any layer, in parts per million.

void best_of(benchmark::State& state, const placement_shape& shape, std::size_t layers, const placement_wish& wish) {
  const routed_layers r = route(shape, layers);
  std::vector<std::int32_t> physical_to_logical(static_cast<std::size_t>(shape.slots));
  std::vector<std::int32_t> logical_count(static_cast<std::size_t>(shape.experts));
  std::vector<std::int64_t> scratch(static_cast<std::size_t>(best_placement_scratch(shape)));
  const placement_shape* const s = hidden(shape);
  double reached = 0;
  double largest_gap = 0;
  for (auto _ : state) {
    reached = 0;
    for (const std::vector<std::int64_t>& loads : r.loads) {
      found_placement found = best_placement(*s, loads, wish, physical_to_logical, logical_count, scratch);
      benchmark::DoNotOptimize(found);
      benchmark::ClobberMemory();
      const double gap = found.quality.max_over_mean() / found.bound.max_over_mean - 1;
      largest_gap = gap > largest_gap ? gap : largest_gap;
      reached += gap <= wish.enough.to_double() - 1 ? 1 : 0;
    }
  }
  state.counters["layers_reached"] = reached;
  state.counters["largest_gap_ppm"] = largest_gap * 1e6;
}

void bound_of(benchmark::State& state, const placement_shape& shape, std::size_t layers) {
  const routed_layers r = route(shape, layers);
  std::vector<std::int64_t> scratch(static_cast<std::size_t>(placement_bound_scratch(shape)));
  const placement_shape* const s = hidden(shape);
  for (auto _ : state) {
    for (const std::vector<std::int64_t>& loads : r.loads) {
      placement_bound bound = bound_placement(*s, loads, placement_policy::global, scratch);
      benchmark::DoNotOptimize(bound);
      benchmark::ClobberMemory();
    }
  }
}

constexpr placement_wish within_a_thousandth{.enough = ratio{1001, 1000}};
constexpr placement_wish within_three_in_ten_thousand{.enough = ratio{10003, 10000}};
constexpr placement_wish on_nodes{.policy = placement_policy::hierarchical};

BENCHMARK_CAPTURE(best_of, deepseek_v3_on_32_gpus_within_1_001, deepseek_v3_on_32, 58, within_a_thousandth);
BENCHMARK_CAPTURE(best_of, deepseek_v3_on_32_gpus_within_1_0003, deepseek_v3_on_32, 58, within_three_in_ten_thousand);
BENCHMARK_CAPTURE(best_of, deepseek_v3_on_32_gpus_on_4_nodes, deepseek_v3_on_32, 58, on_nodes);
BENCHMARK_CAPTURE(best_of, deepseek_v3_on_144_gpus, deepseek_v3_on_144, 58, within_three_in_ten_thousand);
BENCHMARK_CAPTURE(best_of, layers_61_experts_256_gpus_32, free_shape(256, 32), 61, within_three_in_ten_thousand);
BENCHMARK_CAPTURE(best_of, layers_61_experts_512_gpus_32, free_shape(512, 32), 61, within_three_in_ten_thousand);
BENCHMARK_CAPTURE(best_of, layers_61_experts_1024_gpus_32, free_shape(1024, 32), 61, within_three_in_ten_thousand);
BENCHMARK_CAPTURE(best_of, layers_61_experts_1024_gpus_256, free_shape(1024, 256), 61, within_three_in_ten_thousand);
BENCHMARK_CAPTURE(best_of, layers_61_experts_1024_gpus_1024, free_shape(1024, 1024), 61, within_three_in_ten_thousand);
BENCHMARK_CAPTURE(bound_of, deepseek_v3_on_32_gpus, deepseek_v3_on_32, 58);
BENCHMARK_CAPTURE(bound_of, deepseek_v3_on_144_gpus, deepseek_v3_on_144, 58);

} // namespace
