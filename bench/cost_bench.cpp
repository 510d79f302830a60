// Cost: everything that a step of DeepSeek-V3 on 2,048 GPUs takes, with its bound; and the parts that it is made of.
#include <benchmark/benchmark.h>

#include <moeplan/cost/cost.hpp>

#include <cstdint>

#include "baseline.hpp"
#include "deployments.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

/// With the exchange of tokens that sends least.
deployment deepseek_v3() {
  deployment d = deepseek_v3_trained();
  d.workload.train.dispatcher = token_dispatcher::deepep;
  return d;
}

deployment interleaved() {
  deployment d = every_axis();
  d.strategy = {tp{4}, sp{4}, pp{8}, vpp{4}, ep{16}, dp{64}};
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
BENCHMARK_CAPTURE(cost_of, deepseek_v3_served, deepseek_v3_served());
BENCHMARK(cost_with_an_estimate);
BENCHMARK(compute_of_stages);

} // namespace
