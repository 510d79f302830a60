// Cost: everything that a step of DeepSeek-V3 on 2,048 GPUs takes, with its bound; and the parts that it is made of.
#include <benchmark/benchmark.h>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/cost/cost.hpp>

#include <cstdint>

#include "baseline.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

deployment deepseek_v3() {
  return {
      .model = catalog::deepseek_v3,
      .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
      .strategy = {pp{16}, ep{64}, dp{128}},
      .layout = layout::stages({15, 4}, {1, 1}),
      .workload = training{.global_batch = 15360,
                           .sequence_length = 4096,
                           .recompute = recompute::full,
                           .dispatcher = token_dispatcher::deepep,
                           .sharding = sharding::optimizer},
  };
}

/// Every kind of group at once.
deployment every_axis() {
  deployment d = deepseek_v3();
  d.model = catalog::qwen3_235b_a22b;
  d.strategy = {tp{4}, sp{4}, cp{2}, pp{8}, ep{16}, etp{2}, dp{32}};
  d.layout = layout::balanced();
  d.workload.train.global_batch = 1024;
  d.workload.train.dispatcher = token_dispatcher::all_to_all;
  return d;
}

deployment interleaved() {
  deployment d = every_axis();
  d.strategy = {tp{4}, sp{4}, pp{8}, vpp{4}, ep{16}, dp{64}};
  return d;
}

deployment served() {
  deployment d = deepseek_v3();
  d.strategy = {tp{4}, ep{32}, dp{8}};
  d.layout = {};
  d.workload = serving{.batch = 64, .sequence_length = 8192, .weights = weight_format::fp8_block};
  return d;
}

void cost_of(benchmark::State& state, deployment d) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    deployment_cost c = cost(d);
    benchmark::DoNotOptimize(c);
  }
}

void cost_with_an_estimate(benchmark::State& state) {
  deployment d = deepseek_v3();
  efficiencies e{.compute = 0.5, .memory = 0.9, .nvlink = 0.8, .network = 0.8};
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    benchmark::DoNotOptimize(e);
    deployment_cost c = cost(d, e);
    benchmark::DoNotOptimize(c);
  }
}

/// Of cost_of what matrix products take.
void compute_of_stages(benchmark::State& state) {
  deployment d = deepseek_v3();
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    const training_compute compute{d};
    pipeline_bound<double> least = pipeline_bound_of<double>(pipeline_shape_of(d), false, compute);
    benchmark::DoNotOptimize(least);
  }
}

BENCHMARK(baseline_1180_multiplications_and_additions);
BENCHMARK_CAPTURE(cost_of, deepseek_v3, deepseek_v3());
BENCHMARK_CAPTURE(cost_of, every_axis, every_axis());
BENCHMARK_CAPTURE(cost_of, interleaved, interleaved());
BENCHMARK_CAPTURE(cost_of, deepseek_v3_served, served());
BENCHMARK(cost_with_an_estimate);
BENCHMARK(compute_of_stages);

} // namespace
