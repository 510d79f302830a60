// `check` next to a plain baseline, so that its cost can be quoted as a ratio of one run. Deployments are read through pointers that the
// optimiser cannot see through. Budget of check and memory together: 1 microsecond, the aim 300 ns.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/verify/check.hpp>

using namespace moeplan;

namespace {

/// Something that the optimiser believes to be unknown.
template <class T>
const T* hidden(const T& value) {
  const T* pointer = &value;
  benchmark::DoNotOptimize(pointer);
  benchmark::ClobberMemory();
  return pointer;
}

/// DeepSeek-V3 as it was trained (arXiv 2412.19437), with 61 layers as 15 x 4 + 1.
const deployment legal{
    .model = catalog::deepseek_v3,
    .cluster = {.gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};

/// The same with an even layout, EP 63 on 1024 GPUs, and a batch that does not divide.
const deployment broken{
    .model = catalog::deepseek_v3,
    .cluster = {.gpus_per_node = 8, .nodes = 128},
    .strategy = {pp{16}, ep{63}, dp{128}},
    .workload = training{.global_batch = 15361, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};

/// The baseline: 1,180 products of 64 bits, added up.
void baseline_1180_multiplications_and_additions(benchmark::State& state) {
  static std::uint64_t left[1180], right[1180];
  for (std::uint64_t i = 0; i < 1180; ++i) left[i] = 3 * i + 1, right[i] = 5 * i + 7;
  const std::uint64_t* const a = *hidden(left);
  const std::uint64_t* const b = *hidden(right);
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (int i = 0; i < 1180; ++i) sum += a[i] * b[i];
    benchmark::DoNotOptimize(sum);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(baseline_1180_multiplications_and_additions);

void facts_of_a_legal_deployment(benchmark::State& state) {
  const deployment* const d = hidden(legal);
  for (auto _ : state) {
    facts f = facts_of(*d);
    benchmark::DoNotOptimize(f);
  }
}
BENCHMARK(facts_of_a_legal_deployment);

void check_a_legal_deployment(benchmark::State& state) {
  const deployment* const d = hidden(legal);
  for (auto _ : state) {
    findings found = check(*d);
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK(check_a_legal_deployment);

/// What a scheduler asks.
void check_a_legal_deployment_for_ok(benchmark::State& state) {
  const deployment* const d = hidden(legal);
  for (auto _ : state) benchmark::DoNotOptimize(check(*d).ok());
}
BENCHMARK(check_a_legal_deployment_for_ok);

void check_a_broken_deployment(benchmark::State& state) {
  const deployment* const d = hidden(broken);
  for (auto _ : state) {
    findings found = check(*d);
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK(check_a_broken_deployment);

void check_a_broken_deployment_for_ok(benchmark::State& state) {
  const deployment* const d = hidden(broken);
  for (auto _ : state) benchmark::DoNotOptimize(check(*d).ok());
}
BENCHMARK(check_a_broken_deployment_for_ok);

/// Every finding with the values nearest to it.
void suggestions_for_a_broken_deployment(benchmark::State& state) {
  const deployment* const d = hidden(broken);
  for (auto _ : state) {
    const findings found = check(*d);
    for (const finding f : found) {
      legal_values values = f.legal();
      benchmark::DoNotOptimize(values);
    }
  }
}
BENCHMARK(suggestions_for_a_broken_deployment);

} // namespace
