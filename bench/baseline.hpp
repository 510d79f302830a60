// What benchmarks share: inputs that the optimiser cannot see through, and work of a known size to compare with.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace moeplan_bench {

/// Something that the optimiser believes to be unknown.
template <class T>
const T* hidden(const T& value) {
  const T* pointer = &value;
  benchmark::DoNotOptimize(pointer);
  benchmark::ClobberMemory();
  return pointer;
}

/// The baseline: 1,180 products of 64 bits, added up.
inline void baseline_1180_multiplications_and_additions(benchmark::State& state) {
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

} // namespace moeplan_bench
