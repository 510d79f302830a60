// The search: every legal strategy of DeepSeek-V3, all degrees free, an even layout, micro-batches of 1 to 8 sequences, no, selective and
// full recompute, 15,360 sequences of 4,096 tokens a step and states sharded over the optimizer's ranks.
//
// items_per_second counts every strategy of that space: those that a rule rejects with all that share what it rejects as well. Of these
// `judged` come through all other rules, so that memory decides; `memories` are those whose memory was computed one by one, what they share
// only once, as the states of the others, or a smaller micro-batch, had exceeded the GPU before; `legal` were found. What pruning saves:
// `considered_a_memory` of them are decided for each memory that is computed, `uncomputed_share` of all without computing one. `one_check`
// is what one of them takes that shares nothing: in time, what pruning and sharing save is considered x one_check against the row's.
#include <benchmark/benchmark.h>

#include <moeplan/moeplan.hpp>
#include <moeplan/search/search.hpp>

#include <cstdint>

#include "baseline.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

search_space deepseek_v3(std::int64_t gpus) {
  search_space s;
  s.base = {.model = catalog::deepseek_v3,
            .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = gpus / 8},
            .workload = training{.global_batch = 15360, .sequence_length = 4096, .sharding = sharding::optimizer}};
  s.micro_batch = {1, 2, 3, 4, 5, 6, 7, 8};
  s.recomputes.push_back({});
  s.recomputes.push_back({.recompute = recompute::selective});
  s.recomputes.push_back({.recompute = recompute::full});
  return s;
}

/// What memory and the schedule say, unless another ranking is given.
void search_of(benchmark::State& state, search_space space,
               const ranking& by = ranking::in_order(criterion::idle_gpus, criterion::bubble, criterion::headroom)) {
  search_counts counts;
  for (auto _ : state) {
    benchmark::DoNotOptimize(space);
    search_candidate storage[10];
    best_strategies best{storage, by};
    counts = visit_strategies(space, by, best);
    benchmark::DoNotOptimize(storage);
  }
  const auto considered = static_cast<double>(counts.considered.value());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(counts.considered.value()));
  state.counters["considered"] = considered;
  state.counters["judged"] = static_cast<double>(counts.legal + counts.rejected_by(rule::stage_fits_memory).value());
  const auto memories = static_cast<double>(counts.memories);
  state.counters["memories"] = memories;
  state.counters["considered_a_memory"] = considered / (memories < 1 ? 1 : memories);
  state.counters["uncomputed_share"] = 1 - memories / considered;
  state.counters["legal"] = static_cast<double>(counts.legal);
  state.counters["bytes"] = static_cast<double>(sizeof(detail::strategy_search<best_strategies>) + sizeof(search_candidate) * 10);
}

void on_gpus(benchmark::State& state) { search_of(state, deepseek_v3(state.range(0))); }

/// With embedding and loss counted as layers there are 63 = 3 x 3 x 7, and so deep pipelines with many virtual stages.
void with_63_layers(benchmark::State& state) {
  search_space s = deepseek_v3(state.range(0));
  s.layouts.push_back(search_layout::both_as_layers);
  search_of(state, s);
}

/// By tokens a second: of each legal strategy the bound of its step and what it sends.
void by_throughput(benchmark::State& state) {
  search_of(state, deepseek_v3(state.range(0)), ranking::in_order(criterion::throughput, criterion::idle_gpus, criterion::bubble));
}

/// For each strategy the least recompute that fits: where little does, more than a hundred are tried.
void with_smallest_recompute(benchmark::State& state) {
  search_space s = deepseek_v3(state.range(0));
  s.micro_batch = {1, 2, 4};
  s.smallest_recompute = true;
  search_of(state, s);
}

void one_check(benchmark::State& state) {
  search_candidate last;
  search_space s = deepseek_v3(2048);
  visit_strategies(s, [&last](const search_candidate& c) {
    last = c;
    return c.strategy[axis::pp] > 1;
  });
  deployment d = deployment_of(s, last);
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    bool ok = check(d).ok();
    benchmark::DoNotOptimize(ok);
  }
}

BENCHMARK(baseline_1180_multiplications_and_additions);
BENCHMARK(on_gpus)->Arg(8)->Arg(64)->Arg(512)->Arg(2048)->Arg(16384)->Arg(131072)->Unit(benchmark::kMillisecond);
BENCHMARK(by_throughput)->Arg(64)->Arg(512)->Arg(2048)->Unit(benchmark::kMillisecond);
BENCHMARK(with_63_layers)->Arg(2048)->Unit(benchmark::kMillisecond);
BENCHMARK(with_smallest_recompute)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK(one_check);

} // namespace
