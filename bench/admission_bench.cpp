// Decisions of the scheduler's gate (examples/admission) a second, next to two baselines: `check` of the same job, which every decision
// needs at least once, and adding up the free GPUs, which every decision must read. Jobs and nodes are read through pointers that the
// optimiser cannot see through.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/catalog/deepseek.hpp>

#include "../examples/admission/gate.hpp"
#include "baseline.hpp"

using namespace moeplan;
using namespace moeplan_bench;
using admission::policy;

namespace {

/// DeepSeek-V3 with 15,360 sequences a step, which many DPs divide, but no large ones.
deployment job(strategy s) {
  return {.model = catalog::deepseek_v3,
          .cluster = {.gpus_per_node = 8, .nodes = 1024},
          .strategy = s,
          .layout = layout::balanced(),
          .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096}};
}
const deployment legal = job({pp{4}, ep{8}, dp{32}});         // 128 GPUs
const deployment large = job({pp{4}, ep{8}, dp{1024}});       // 4,096 GPUs, too many for 32 nodes
const deployment broken = job({pp{4}, ep{63}, dp{32}});       // of 256 experts
const deployment elastic = job({pp{4}, ep{8}});               // DP to derive; the smallest world is 32 GPUs
const deployment across_nodes = job({pp{2}, ep{64}, dp{64}}); // an EP group is larger than a node

/// Nodes of 8 GPUs, some of which are taken: 0, 3, 6 or 8 are free.
std::vector<std::int64_t> free_on(std::int64_t nodes) {
  constexpr std::int64_t some[] = {8, 6, 8, 3, 8, 0, 8, 8};
  std::vector<std::int64_t> free;
  for (std::int64_t i = 0; i < nodes; ++i) free.push_back(some[i % 8]);
  return free;
}

void per_second(benchmark::State& state) { state.SetItemsProcessed(state.iterations()); }

/// What the decision is, so that nobody takes a refusal for a placement.
void name(benchmark::State& state, const admission::decision& d) {
  constexpr const char* names[] = {"admitted", "queued", "refused"};
  state.SetLabel(std::string{names[static_cast<std::size_t>(d.verdict)]} + ", " + std::to_string(d.world.gpus) + " GPUs");
}

void baseline_check(benchmark::State& state, const deployment& d) {
  const deployment* const checked = hidden(d);
  for (auto _ : state) benchmark::DoNotOptimize(check(*checked).ok());
  per_second(state);
}
BENCHMARK_CAPTURE(baseline_check, legal, legal);
BENCHMARK_CAPTURE(baseline_check, broken, broken);

void baseline_sum_of_free_gpus(benchmark::State& state) {
  const std::vector<std::int64_t> nodes = free_on(state.range(0));
  const admission::free_gpus free{*hidden(nodes)};
  for (auto _ : state) {
    benchmark::DoNotOptimize(admission::sum(free));
    benchmark::ClobberMemory();
  }
  per_second(state);
}
BENCHMARK(baseline_sum_of_free_gpus)->Arg(32)->Arg(1024);

void decide(benchmark::State& state, const deployment& d, policy how) {
  const deployment* const job = hidden(d);
  const std::vector<std::int64_t> nodes = free_on(state.range(0));
  const admission::free_gpus free{*hidden(nodes)};
  for (auto _ : state) {
    admission::decision decided = admission::decide(*job, free, how);
    benchmark::DoNotOptimize(decided);
    benchmark::ClobberMemory();
  }
  per_second(state);
  name(state, admission::decide(*job, free, how));
}
BENCHMARK_CAPTURE(decide, legal_first_fit, legal, policy::first_fit)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(decide, legal_best_fit, legal, policy::best_fit)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(decide, broken_first_fit, broken, policy::first_fit)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(decide, dp_to_derive_first_fit, elastic, policy::first_fit)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(decide, dp_to_derive_best_fit, elastic, policy::best_fit)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(decide, groups_across_nodes_first_fit, across_nodes, policy::first_fit)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(decide, large_first_fit, large, policy::first_fit)->Arg(32)->Arg(1024);

/// A decision and what a scheduler does with it: the free GPUs change, so that no two decisions are alike.
void decide_and_take(benchmark::State& state) {
  const deployment* const job = hidden(legal);
  const std::vector<std::int64_t> before = free_on(state.range(0));
  std::vector<std::int64_t> free = before;
  for (auto _ : state) {
    const admission::decision decided = admission::decide(*job, free, policy::best_fit);
    if (decided.verdict == admission::verdict::admitted)
      admission::take(decided.where.placement, free);
    else
      free = before;
    benchmark::ClobberMemory();
  }
  per_second(state);
}
BENCHMARK(decide_and_take)->Arg(32)->Arg(1024);

} // namespace
