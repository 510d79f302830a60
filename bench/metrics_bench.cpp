// Metrics of load vectors, next to a loop that only adds the loads up: the sum without which there is no metric. 256 loads are the experts
// of one layer of DeepSeek-V3; 14,848 are those of its 58 layers at once.
#include <benchmark/benchmark.h>

#include <moeplan/balance/entropy.hpp>
#include <moeplan/balance/gini.hpp>
#include <moeplan/balance/metrics.hpp>
#include <moeplan/balance/real_metrics.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace moeplan;

namespace {

template <class Load>
std::vector<Load> random_loads(std::int64_t parts) {
  std::mt19937_64 random{1};
  std::vector<Load> loads;
  for (std::int64_t i = 0; i < parts; ++i) loads.push_back(static_cast<Load>(random() % 1'000'000));
  return loads;
}

/// The same loads each time, which the optimiser does not know.
template <class Load, class Function>
void each_time(benchmark::State& state, const std::vector<Load>& loads, const Function& function) {
  array_view<const Load> view{loads};
  for (auto _ : state) {
    benchmark::DoNotOptimize(view);
    benchmark::ClobberMemory();
    auto result = function(view);
    benchmark::DoNotOptimize(result);
  }
}

template <class Load, class Function>
void each_time(benchmark::State& state, const Function& function) {
  each_time(state, random_loads<Load>(state.range(0)), function);
}

void baseline_sum(benchmark::State& state) {
  each_time<std::int64_t>(state, [](array_view<const std::int64_t> loads) {
    std::int64_t sum = 0;
    for (const std::int64_t load : loads) sum += load;
    return sum;
  });
}

void all_sums(benchmark::State& state) {
  each_time<std::int64_t>(state, [](array_view<const std::int64_t> loads) { return metrics(loads); });
}

void max_over_mean(benchmark::State& state) {
  each_time<std::int64_t>(state, [](array_view<const std::int64_t> loads) { return metrics(loads).max_over_mean().to_double(); });
}

void coefficient_of_variation(benchmark::State& state) {
  each_time<std::int64_t>(state, [](array_view<const std::int64_t> loads) { return metrics(loads).coefficient_of_variation(); });
}

void coefficient_of_variation_of_doubles(benchmark::State& state) {
  each_time<double>(state, [](array_view<const double> loads) { return metrics(loads).coefficient_of_variation(); });
}

void gini_coefficient(benchmark::State& state) {
  std::vector<std::int64_t> scratch(static_cast<std::size_t>(state.range(0)));
  each_time<std::int64_t>(state, [&](array_view<const std::int64_t> loads) { return gini(loads, scratch).to_double(); });
}

void gini_of_sorted_loads(benchmark::State& state) {
  std::vector<std::int64_t> sorted = random_loads<std::int64_t>(state.range(0));
  std::sort(sorted.begin(), sorted.end());
  each_time(state, sorted, [](array_view<const std::int64_t> loads) { return gini_of_ascending(loads).to_double(); });
}

void entropy(benchmark::State& state) {
  each_time<std::int64_t>(state, [](array_view<const std::int64_t> loads) { return normalised_entropy(loads); });
}

constexpr std::int64_t one_layer = 256;
constexpr std::int64_t all_layers = 14'848;

BENCHMARK(baseline_sum)->Arg(one_layer);
BENCHMARK(all_sums)->Arg(one_layer);
BENCHMARK(max_over_mean)->Arg(one_layer);
BENCHMARK(coefficient_of_variation)->Arg(one_layer);
BENCHMARK(coefficient_of_variation_of_doubles)->Arg(one_layer);
BENCHMARK(gini_of_sorted_loads)->Arg(one_layer);
BENCHMARK(gini_coefficient)->Arg(one_layer);
BENCHMARK(entropy)->Arg(one_layer);

BENCHMARK(baseline_sum)->Arg(all_layers);
BENCHMARK(all_sums)->Arg(all_layers);
BENCHMARK(gini_coefficient)->Arg(all_layers);
BENCHMARK(entropy)->Arg(all_layers);

/// The library's own logarithm and root, next to those of the C library and of the processor.
template <class Function>
void of_doubles(benchmark::State& state, const Function& function) {
  each_time<double>(state, [&](array_view<const double> numbers) {
    double sum = 0;
    for (const double x : numbers) sum += function(x);
    return sum;
  });
}

void baseline_std_log(benchmark::State& state) {
  of_doubles(state, [](double x) { return std::log(x); });
}
void natural_logarithms(benchmark::State& state) {
  of_doubles(state, [](double x) { return natural_logarithm(x); });
}
void baseline_std_sqrt(benchmark::State& state) {
  of_doubles(state, [](double x) { return std::sqrt(x); });
}
void square_roots(benchmark::State& state) {
  of_doubles(state, [](double x) { return square_root(x); });
}

BENCHMARK(baseline_std_log)->Arg(one_layer);
BENCHMARK(natural_logarithms)->Arg(one_layer);
BENCHMARK(baseline_std_sqrt)->Arg(one_layer);
BENCHMARK(square_roots)->Arg(one_layer);

} // namespace
