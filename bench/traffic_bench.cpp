// Traffic: every communication of a step of DeepSeek-V3 on 2,048 GPUs, stage by stage or one stage of each kind, and which part of it
// leaves nodes.
#include <benchmark/benchmark.h>

#include <moeplan/cost/topology.hpp>
#include <moeplan/cost/traffic.hpp>

#include <cstdint>

#include "baseline.hpp"
#include "deployments.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

struct bytes_of_groups {
  saturating_count bytes;
  void operator()(const communication& c) { bytes += c.group_bytes(); }
};

struct bytes_on_tiers {
  const topology* where;
  double within = 0;
  double between = 0;
  void operator()(const communication& c) {
    const node_share share = where->share_of(c);
    const double bytes = static_cast<double>(c.group_bytes().bits) / static_cast<double>(c.senders());
    const double part = static_cast<double>(share.between.bits) / static_cast<double>(share.all.bits);
    between += bytes * part;
    within += bytes - bytes * part;
  }
};

void every_stage(benchmark::State& state, deployment d) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    bytes_of_groups sum;
    visit_traffic(d, sum);
    benchmark::DoNotOptimize(sum);
  }
}

/// Stages that are alike once.
template <class Visit>
void visit_kinds_of_stages(const deployment& d, Visit& visit) {
  const training_traffic traffic{d};
  for (std::int64_t stage = 0; stage < traffic.stages(); stage += traffic.stages_alike(stage)) traffic.visit_stage(stage, visit);
}

void each_kind_of_stage(benchmark::State& state, deployment d) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    bytes_of_groups sum;
    visit_kinds_of_stages(d, sum);
    benchmark::DoNotOptimize(sum);
  }
}

void each_kind_of_stage_on_tiers(benchmark::State& state, deployment d) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(d);
    const topology where{d};
    bytes_on_tiers sum{&where};
    visit_kinds_of_stages(d, sum);
    benchmark::DoNotOptimize(sum);
  }
}

/// All groups of an axis in a world of 2,048 ranks.
void groups_on_nodes(benchmark::State& state, strategy s, std::int64_t gpus_per_node, group_axes along) {
  const topology where{s, gpus_per_node};
  const topology* const t = hidden(where);
  for (auto _ : state) {
    group_spread spread = t->spread_of(along);
    benchmark::DoNotOptimize(spread);
  }
}

BENCHMARK(baseline_1180_multiplications_and_additions);
BENCHMARK_CAPTURE(every_stage, deepseek_v3, deepseek_v3_trained());
BENCHMARK_CAPTURE(every_stage, every_axis, every_axis());
BENCHMARK_CAPTURE(every_stage, deepseek_v3_served, deepseek_v3_served());
BENCHMARK_CAPTURE(each_kind_of_stage, deepseek_v3, deepseek_v3_trained());
BENCHMARK_CAPTURE(each_kind_of_stage_on_tiers, deepseek_v3, deepseek_v3_trained());
BENCHMARK_CAPTURE(each_kind_of_stage_on_tiers, every_axis, every_axis());
BENCHMARK_CAPTURE(groups_on_nodes, that_nodes_divide, strategy{pp{16}, ep{64}, dp{128}}, 8, groups::ep);
BENCHMARK_CAPTURE(groups_on_nodes, that_nodes_do_not_divide, strategy{pp{16}, ep{64}, dp{128}}, 72, groups::ep);

} // namespace
