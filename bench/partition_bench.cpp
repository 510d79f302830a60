// Layers to stages, and sequences to micro-batches. Beside them the usual dynamic program for the same partition, items x items x parts,
// as DeepSpeed's partition_balanced does it (there in Python).
#include <benchmark/benchmark.h>

#include <moeplan/balance/partition.hpp>
#include <moeplan/balance/sequence_packing.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "baseline.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

/// Costs of 2^40 operations or so, as those of layers are.
std::vector<count> layers(std::int64_t items) {
  std::mt19937_64 random{61};
  std::vector<count> costs;
  for (std::int64_t i = 0; i < items; ++i) costs.emplace_back((std::uint64_t{1} << 40) + random() % (std::uint64_t{1} << 40));
  return costs;
}

void partition_of(benchmark::State& state) {
  const std::vector<count> costs = layers(state.range(0));
  std::vector<std::int64_t> bounds(static_cast<std::size_t>(state.range(1)) + 1);
  for (auto _ : state) {
    count largest = partition(*hidden(costs), bounds);
    benchmark::DoNotOptimize(largest);
    benchmark::ClobberMemory();
  }
}

void dynamic_program_of(benchmark::State& state) {
  const std::vector<count> costs = layers(state.range(0));
  const auto parts = static_cast<std::size_t>(state.range(1));
  std::vector<std::uint64_t> before(costs.size() + 1);
  std::vector<std::uint64_t> best(costs.size() + 1);
  for (auto _ : state) {
    const std::vector<count>& items = *hidden(costs);
    for (std::size_t i = 0; i < items.size(); ++i) before[i + 1] = before[i] + items[i].value();
    best = before;
    for (std::size_t part = 2; part <= parts; ++part)
      for (std::size_t end = items.size(); end >= part; --end) {
        std::uint64_t least = ~std::uint64_t{0};
        for (std::size_t cut = end; cut-- >= part;) least = std::min(least, std::max(best[cut], before[end] - before[cut]));
        best[end] = least;
      }
    benchmark::DoNotOptimize(best.data());
    benchmark::ClobberMemory();
  }
}

/// Sequences of up to 8192 tokens, short ones more frequent, into micro-batches with a quarter more room than they need on average.
void packing_of(benchmark::State& state) {
  std::mt19937_64 random{8192};
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(state.range(0)));
  std::int64_t tokens = 0;
  for (std::int64_t& length : lengths) {
    const std::uint64_t share = random() % 8192;
    length = static_cast<std::int64_t>(1 + random() % 8192 * share / 8192);
    tokens += length;
  }
  std::vector<packed_micro_batch> micro_batches(static_cast<std::size_t>(state.range(1)));
  std::vector<std::int32_t> micro_batch_of(lengths.size());
  std::vector<std::int32_t> next(lengths.size());
  std::vector<std::int32_t> scratch(std::max(lengths.size(), micro_batches.size()));
  const std::int64_t limit = tokens * 5 / 4 / state.range(1) + 8192;
  sequence_packing result;
  for (auto _ : state) {
    result =
        pack_sequences(*hidden(lengths), {.per_token = 4096, .per_pair = 1}, limit, {micro_batches, micro_batch_of, next, scratch});
    benchmark::DoNotOptimize(result);
    benchmark::ClobberMemory();
  }
  const ratio gap = result.gap();
  state.counters["gap_percent"] = 100.0 * static_cast<double>(gap.numerator.value()) / static_cast<double>(gap.denominator.value());
}

BENCHMARK(baseline_1180_multiplications_and_additions);
BENCHMARK(partition_of)->Args({61, 16})->Args({128, 64})->Args({100'000, 1000});
BENCHMARK(dynamic_program_of)->Args({61, 16})->Args({128, 64});
BENCHMARK(packing_of)->Args({64, 8})->Args({512, 64})->Args({4096, 512});

} // namespace
