#include <moeplan/verify/resolve.hpp>

#include "support/both_times.hpp"

#include <initializer_list>

#include <moeplan/mesh/gpus.hpp>

using namespace moeplan;

namespace {

constexpr bool exactly(const findings& found, std::initializer_list<rule> expected) {
  if (found.size() != expected.size()) return false;
  for (const rule id : expected)
    if (!found.contains(id)) return false;
  return true;
}

BOTH_TIMES("an absent DP is what the other degrees leave", [] {
  const resolution r = resolve({tp{2}, pp{16}, ep{64}, etp{1}}, 1024);
  EXPECT(r.ok());
  EXPECT(r.findings.empty());
  EXPECT(r.strategy == strategy{tp{2}, pp{16}, ep{64}, etp{1}, dp{32}});
  EXPECT(gpus(r.strategy) == 1024);
});

// Worked examples: DeepSeek-V3's 2048 GPUs, Kimi K2's 256, the folding paper's 8, a prefill unit of 32.
BOTH_TIMES("published strategies", [] {
  EXPECT(resolve({pp{16}, ep{64}}, 2048).strategy[axis::dp] == 128);
  EXPECT(resolve({pp{16}, ep{16}}, 256).strategy[axis::dp] == 16);
  EXPECT(resolve({tp{2}, cp{2}, ep{8}, etp{1}}, 8).strategy[axis::dp] == 2);
  EXPECT(resolve({tp{4}, ep{32}, etp{1}}, 32).strategy[axis::dp] == 8);
});

BOTH_TIMES("a product mapping divides by EP and SP too", [] {
  const resolution r = resolve({tp{2}, pp{4}, ep{8}, mapping::product}, 256);
  EXPECT(r.ok());
  EXPECT(exactly(r.findings, {rule::mapping_is_folded}));
  EXPECT(r.strategy[axis::dp] == 4);
  EXPECT(gpus(r.strategy) == 256);
  EXPECT(resolve({tp{2}, sp{2}, mapping::product}, 8).strategy[axis::dp] == 2);
});

BOTH_TIMES("a given DP stays", [] {
  const strategy s{tp{2}, dp{4}};
  EXPECT(resolve(s, 8).strategy == s);
  EXPECT(resolve(s, 8).findings.empty());
  EXPECT(resolve(s, 16).strategy == s);
  EXPECT(exactly(resolve(s, 16).findings, {rule::no_gpu_is_idle}));
  EXPECT(resolve(s, 16).ok());
  EXPECT(exactly(resolve(s, 4).findings, {rule::gpus_are_available}));
  EXPECT(!resolve(s, 4).ok());
});

BOTH_TIMES("where there is no DP, the findings say why", [] {
  const strategy s{tp{3}};
  const resolution r = resolve(s, 8);
  EXPECT(!r.ok());
  EXPECT(r.strategy == s);
  EXPECT(exactly(r.findings, {rule::gpus_divide_by_model_parallel}));
  EXPECT(exactly(resolve({ep{3}}, 8).findings, {rule::stage_divides_by_expert_ranks}));
  EXPECT(exactly(resolve({tp{0}}, 8).findings, {rule::tp_is_at_least_1}));
  EXPECT(exactly(resolve({tp{2}}, 0).findings, {rule::cluster_has_gpus}));
  EXPECT(exactly(resolve({tp{2}}, -8).findings, {rule::cluster_has_gpus}));
  EXPECT(exactly(resolve({tp{std::int64_t{1} << 40}, pp{std::int64_t{1} << 40}}, 8).findings, {rule::overflow}));
  EXPECT(!resolve({ep{3}}, 8).strategy.resolved());
});

BOTH_TIMES("rules on the order of ranks count, those on a model do not", [] {
  EXPECT(exactly(resolve({pp{2}, rank_order{"tp-cp-ep-dp"}}, 8).findings, {rule::order_names_pp}));
  EXPECT(resolve({tp{2}, ep{8}, etp{1}, vpp{3}, sp{5}}, 8).ok());
});

static_assert(noexcept(resolve(strategy{}, 1)));

} // namespace
