// FLOPs: of a token, of a step, of every stage.
#include <benchmark/benchmark.h>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/cost/model_flops.hpp>
#include <moeplan/cost/training_flops.hpp>
#include <moeplan/number/uint256.hpp>

#include <cstdint>

#include "baseline.hpp"
#include "deployments.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

void flops_of_a_sequence(benchmark::State& state) {
  model m = catalog::deepseek_v3;
  for (auto _ : state) {
    benchmark::DoNotOptimize(m);
    flops<> f = flops_per_sequence(m, 4096);
    benchmark::DoNotOptimize(f);
  }
}

void flops_of_a_decoded_token(benchmark::State& state) {
  model m = catalog::deepseek_v3;
  for (auto _ : state) {
    benchmark::DoNotOptimize(m);
    count total = decode_flops(m, 4096).total();
    benchmark::DoNotOptimize(total);
  }
}

template <class Integer>
void flops_of_a_step(benchmark::State& state) {
  deployment d = deepseek_v3_trained();
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    Integer hardware = run_flops<Integer>{d}.of_step().hardware();
    benchmark::DoNotOptimize(hardware);
  }
}

void flops_of_sixteen_stages(benchmark::State& state) {
  deployment d = deepseek_v3_trained();
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    const run_flops<> run{d};
    count slowest{0};
    for (std::int64_t stage = 0; stage < run.stages(); ++stage) {
      const count hardware = run.of_stage(stage).hardware();
      if (hardware > slowest) slowest = hardware;
    }
    benchmark::DoNotOptimize(slowest);
  }
}

BENCHMARK(baseline_1180_multiplications_and_additions);
BENCHMARK(flops_of_a_sequence);
BENCHMARK(flops_of_a_decoded_token);
BENCHMARK(flops_of_a_step<count>);
BENCHMARK(flops_of_a_step<uint256>);
BENCHMARK(flops_of_sixteen_stages);

} // namespace
