#include <moeplan/describe/deployment.hpp>

#include <moeplan/catalog/deepseek.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr deployment deepseek_v3_training{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = {.memory = 80_GB}, .gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};

BOTH_TIMES("a deployment reads as it is written", [] {
  const deployment& d = deepseek_v3_training;
  EXPECT(d.model.layers == 61);
  EXPECT(d.cluster.gpus() == 2048);
  EXPECT(d.strategy[axis::ep] == 64);
  EXPECT(d.layout.runs.size() == 2);
  EXPECT(d.workload.is_training());
  EXPECT(d.workload.train.global_batch == 15360);
  EXPECT(d.profile == profile::megatron);
});

BOTH_TIMES("deployments are values", [] {
  deployment d = deepseek_v3_training;
  EXPECT(d == deepseek_v3_training);
  d.strategy = d.strategy.with(tp{2});
  EXPECT(d != deepseek_v3_training);
  d = deepseek_v3_training;
  d.profile = profile::universal;
  EXPECT(d != deepseek_v3_training);
  EXPECT(deployment{} == deployment{});
});

/// A program's plan as a type.
template <deployment Plan>
struct launcher {
  static constexpr std::int64_t stages = Plan.strategy[axis::pp];
  static constexpr std::int64_t experts = Plan.model.experts.routed;
};

static_assert(launcher<deepseek_v3_training>::stages == 16);
static_assert(launcher<deepseek_v3_training>::experts == 256);
static_assert(moeplan_test::name_the_same_type<deepseek_v3_training, deployment{deepseek_v3_training}>);
static_assert(!moeplan_test::name_the_same_type<deepseek_v3_training, deployment{}>);

} // namespace
