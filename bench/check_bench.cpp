// `check` next to a plain baseline, so that its cost can be quoted as a ratio of one run. Deployments are read through pointers that the
// optimiser cannot see through. Budget of check and memory together: 1 microsecond, the aim 300 ns.

#include <benchmark/benchmark.h>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/memory/memory.hpp>
#include <moeplan/verify/check.hpp>

#include "baseline.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

/// DeepSeek-V3 as it was trained (arXiv 2412.19437), with 61 layers as 15 x 4 + 1.
const deployment legal{
    .model = catalog::deepseek_v3,
    .cluster = {.gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};

/// The same on a GPU whose memory is known, so that the memory of every stage is computed.
const deployment legal_in_memory = [] {
  deployment d = legal;
  d.cluster.gpu = catalog::h800_sxm;
  return d;
}();

/// It, answering requests: 32 GPUs a copy of attention, experts on all of them (arXiv 2412.19437, section 3.4.1, prefilling).
const deployment serving_in_memory{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 4},
    .strategy = {tp{4}, sp{4}, ep{32}, dp{8}},
    .workload = serving{.batch = 8, .sequence_length = 4096, .redundant_experts = 32, .weights = weight_format::fp8_block},
};

/// The same as the first with an even layout, EP 63 on 1024 GPUs, and a batch that does not divide.
const deployment broken{
    .model = catalog::deepseek_v3,
    .cluster = {.gpus_per_node = 8, .nodes = 128},
    .strategy = {pp{16}, ep{63}, dp{128}},
    .workload = training{.global_batch = 15361, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};

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

/// With the memory of sixteen stages. The budget is that of both together.
void check_a_legal_deployment_with_memory_for_ok(benchmark::State& state) {
  const deployment* const d = hidden(legal_in_memory);
  if (!check(*d).ok() || !check(*d).facts.knows(known::memory)) return state.SkipWithError("is to fit");
  for (auto _ : state) benchmark::DoNotOptimize(check(*d).ok());
}
BENCHMARK(check_a_legal_deployment_with_memory_for_ok);

void memory_of_every_stage(benchmark::State& state) {
  const deployment* const d = hidden(legal_in_memory);
  for (auto _ : state) {
    stage_memory m = memory(*d).fullest_stage();
    benchmark::DoNotOptimize(m);
  }
}
BENCHMARK(memory_of_every_stage);

void check_a_serving_deployment_with_memory_for_ok(benchmark::State& state) {
  const deployment* const d = hidden(serving_in_memory);
  if (!check(*d).ok() || !check(*d).facts.knows(known::memory)) return state.SkipWithError("is to fit");
  for (auto _ : state) benchmark::DoNotOptimize(check(*d).ok());
}
BENCHMARK(check_a_serving_deployment_with_memory_for_ok);

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
