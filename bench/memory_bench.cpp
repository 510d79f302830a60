// Memory: one stage, every stage, and the questions that other tools answer for an average stage only. Beside them what peers take, as
// they were measured: Megatron-LM's estimator 3.6 microseconds for one averaged stage, SimuMax 12 to 190 milliseconds.
#include <benchmark/benchmark.h>

#include <moeplan/memory/terms.hpp>
#include <moeplan/moeplan.hpp>

#include <cstdint>

#include "baseline.hpp"
#include "deployments.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

deployment interleaved() {
  deployment d = deepseek_v3_trained();
  d.model = catalog::mixtral_8x22b;
  d.strategy = {pp{8}, vpp{7}, ep{8}, dp{16}};
  d.layout = layout::even();
  d.workload.train.global_batch = 256;
  return d;
}

void peak_of(benchmark::State& state, deployment d) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    bytes peak = memory(d).peak();
    benchmark::DoNotOptimize(peak);
  }
}

struct count_terms {
  std::int64_t terms = 0;
  void operator()(const memory_term&) { ++terms; }
};

void terms_of_a_stage(benchmark::State& state) {
  deployment d = deepseek_v3_trained();
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    const training_memory m{d};
    count_terms all;
    visit_memory_terms(m, 3, all);
    benchmark::DoNotOptimize(all);
  }
}

BENCHMARK(baseline_1180_multiplications_and_additions);
BENCHMARK_CAPTURE(peak_of, sixteen_stages_of_deepseek_v3, deepseek_v3_trained());
BENCHMARK_CAPTURE(peak_of, mixtral_with_seven_virtual_stages, interleaved());
BENCHMARK_CAPTURE(peak_of, deepseek_v3_served, deepseek_v3_served());
BENCHMARK(terms_of_a_stage);

} // namespace
