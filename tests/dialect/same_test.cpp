#include <moeplan/dialect/same.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/describe/layout_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr deployment with(const strategy& s, const layout& l = {}) {
  return {.model = catalog::deepseek_v3, .cluster = {.gpus_per_node = 8, .nodes = 256}, .strategy = s, .layout = l};
}

} // namespace

BOTH_TIMES("every degree is given, and DP is what the GPUs leave", [] {
  const deployment d = spelled_out(with({pp{16}, ep{64}}));
  for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::dp, axis::cp, axis::sp})
    EXPECT(d.strategy.gives(a));
  EXPECT(d.strategy[axis::dp] == 128);
  EXPECT(d.strategy[axis::tp] == 1);
});

BOTH_TIMES("a listed layout says VPP", [] {
  EXPECT(spelled_out(with({pp{4}}, layout::stages({7, 8}, {1, 5}))).strategy[axis::vpp] == 2);
});

BOTH_TIMES("an absent batch is one micro-batch for each DP rank", [] {
  deployment d = with({pp{16}, ep{64}});
  d.workload = training{.micro_batch = 2};
  EXPECT(spelled_out(d).workload.train.global_batch == optional_integer{256});
});

BOTH_TIMES("the same deployment in other words", [] {
  EXPECT(same(with({pp{16}, ep{64}}), with({tp{1}, pp{16}, ep{64}, etp{1}, dp{128}})));
  EXPECT(same(with({pp{8}}, layout::first_last(8, 5)), with({pp{8}}, layout::stages({7, 8}, {1, 5}))));
  // Multi-token prediction is on the last stage, whether the layout says so or not.
  EXPECT(same(with({pp{16}}, layout::stages({15, 4}, {1, 1})), with({pp{16}}, parse_megatron_layout("Et*4|(t*4|)*14tmL").value)));
});

BOTH_TIMES("what DP ranks share, where they share nothing", [] {
  const auto serves = [](const model& m, std::int64_t ranks, data_parallelism shared) {
    return deployment{.model = m, .strategy = {dp{ranks}}, .workload = serving{.data_parallelism = shared}};
  };
  const auto alike = [serves](const model& m, std::int64_t ranks) {
    return same(serves(m, ranks, data_parallelism::attention), serves(m, ranks, data_parallelism::replicas));
  };
  EXPECT(alike(catalog::deepseek_v3, 1));
  EXPECT(!alike(catalog::deepseek_v3, 2));
  EXPECT(alike(catalog::llama_3_1_8b, 2)); // no experts
});

BOTH_TIMES("different deployments", [] {
  EXPECT(!same(with({pp{16}, ep{64}}), with({pp{16}, ep{32}})));
  EXPECT(!same(with({pp{8}}, layout::first_last(8, 5)), with({pp{8}}, layout::stages({7, 8}, {1, 4}))));
  EXPECT(
      !same(with({pp{16}}, layout::stages({15, 4}, {1, 1})), with({pp{16}}, parse_megatron_layout("Et*4|(t*4|)*13t*4m|tL").value)));
  EXPECT(!same(with({pp{16}, dp{128}}), with({pp{16}, dp{64}})));
});

BOTH_TIMES("defined for illegal numbers too", [] {
  const deployment d =
      with({pp{0}, vpp{-1}, dp{9223372036854775807}, tp{9223372036854775807}}, layout::stages({9223372036854775807, -1}));
  EXPECT(same(d, d));
  EXPECT(!same(d, with({pp{0}, vpp{-1}}, layout::balanced())));
});
