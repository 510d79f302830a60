#include <moeplan/memory/memory.hpp>

#include <moeplan/moeplan.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::literals;

namespace {

constexpr deployment deepseek{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};

// As the plan of the library has it.
static_assert(memory(deepseek).peak() <= 80_GB);
static_assert(memory(deepseek).fits());

// A temporary would be gone when it is asked.
template <class Deployment>
concept can_be_asked = requires(Deployment&& d) {
  memory(static_cast<Deployment&&>(d));
};
static_assert(can_be_asked<const deployment&>);
static_assert(!can_be_asked<deployment>);

struct all_stages {
  std::int64_t stages = 0;
  std::int64_t layers = 0;
  bytes highest{};

  constexpr void operator()(const stage_memory& s) noexcept {
    ++stages;
    layers += s.layers;
    if (s.peak() > highest) highest = s.peak();
  }
};

BOTH_TIMES("the stages of a training run", [] {
  all_stages all;
  memory(deepseek).visit_stages(all);
  EXPECT(all.stages == 16 && memory(deepseek).stages() == 16);
  EXPECT(all.layers == 61);
  EXPECT(all.highest == memory(deepseek).peak());
  EXPECT(memory(deepseek).fullest_stage().peak() == all.highest);
});

BOTH_TIMES("a middle stage by hand", [] {
  // Four MoE layers: 187,105,280 of attention, 1,536 + 512 and 2 x 7,168 of norms, a router of 256 x 7,168 with 256 biases, a shared
  // expert of 3 x 7,168 x 2,048, and 4 of the 256 experts of that size.
  constexpr std::int64_t expert = 3LL * 7168 * 2048;
  constexpr std::int64_t dense = 4 * (187'105'280 + 1536 + 512 + 2LL * 7168 + 256LL * 7168 + expert);
  constexpr std::int64_t experts = 16 * expert;
  const stage_memory s = memory(deepseek).stage(3);
  EXPECT(s.stage == 3 && s.layers == 4);
  EXPECT(s.dense_parameters == dense + 4LL * 256);
  EXPECT(s.expert_parameters == experts);
  EXPECT(s.parameters() == dense + 4LL * 256 + experts);
  EXPECT(s.weights.value() == 2 * (dense + experts) + 4LL * 4 * 256);
  EXPECT(s.gradients.value() == 4 * (dense + experts));
  EXPECT(s.optimizer.value() == 12 * (dense + experts)); // nothing is sharded unless somebody says so
  EXPECT(s.kv_cache == 0_B && s.host == 0_B);
  EXPECT(s.peak() == s.weights + s.gradients + s.optimizer + s.activations + s.workspace);
});

BOTH_TIMES("what a GPU has is its usable memory less the reserve", [] {
  deployment d = deepseek;
  EXPECT(memory(d).capacity() == catalog::h800_sxm.usable_memory);
  d.workload.train.reserve = 2_GiB;
  EXPECT(memory(d).capacity() == catalog::h800_sxm.usable_memory - 2_GiB);
  d.workload.train.reserve = 200_GiB;
  EXPECT(memory(d).capacity() == 0_B && !memory(d).fits());
  d.workload.train.reserve = {};
  d.cluster.gpu.usable_memory = {};
  EXPECT(memory(d).capacity() == catalog::h800_sxm.memory);
});

BOTH_TIMES("DP is derived from the cluster where it is not given", [] {
  deployment d = deepseek;
  d.strategy = {pp{16}, ep{64}};
  EXPECT(memory(d).peak() == memory(deepseek).peak());
});

constexpr deployment served{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 4},
    .strategy = {tp{4}, pp{2}, ep{16}, dp{4}},
    .layout = layout::stages({1, 31}, {1, 30}),
    .workload = serving{.batch = 8, .sequence_length = 4096},
    .profile = profile::universal,
};

BOTH_TIMES("the stages of a serving deployment", [] {
  all_stages all;
  memory(served).visit_stages(all);
  EXPECT(all.stages == 2 && all.layers == 61);
  const stage_memory s = memory(served).stage(1);
  EXPECT(s.time == peak_time::serving);
  EXPECT(s.gradients == 0_B && s.optimizer == 0_B && s.activations == 0_B && s.workspace == 0_B);
  // 30 layers keep 512 + 64 numbers of two bytes of each of 8 x 4,096 tokens.
  EXPECT(s.kv_cache.value() == 30LL * (512 + 64) * 2 * 8 * 4096);
  EXPECT(s.peak() == s.weights + s.kv_cache);
});

} // namespace

TEST_CASE("memory beyond 64 bits is an overflowed amount") {
  deployment d = deepseek;
  d.workload.train.sequence_length = std::int64_t{1} << 60;
  CHECK(memory(d).peak().overflowed());
}
