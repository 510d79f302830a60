// Parameters of a model in counts that report overflow, next to the same formulas in plain 64-bit integers that do not.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/memory/parameters.hpp>

using namespace moeplan;

namespace {

template <class Integer>
void measure(benchmark::State& state, model m) {
  model* unknown = &m; // to the optimiser, that is
  for (auto _ : state) {
    benchmark::DoNotOptimize(unknown);
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(parameters<Integer>(*unknown).total());
  }
}

void baseline_parameters(benchmark::State& state, const model& m) { measure<std::int64_t>(state, m); }
void parameters_of_a_model(benchmark::State& state, const model& m) { measure<count>(state, m); }

BENCHMARK_CAPTURE(baseline_parameters, deepseek_v3, catalog::deepseek_v3);
BENCHMARK_CAPTURE(parameters_of_a_model, deepseek_v3, catalog::deepseek_v3);
BENCHMARK_CAPTURE(baseline_parameters, llama_3_1_8b, catalog::llama_3_1_8b);
BENCHMARK_CAPTURE(parameters_of_a_model, llama_3_1_8b, catalog::llama_3_1_8b);

} // namespace
