#include <moeplan/mesh/gpus.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// A published deployment: `world` GPUs and the degrees that its source names.
struct published {
  std::int64_t world, tp, cp, pp, ep, etp, dp, edp;
};

constexpr published deployments[] = {
    {256, 4, 2, 4, 64, 1, 8, 1},     // Megatron-LM, moe/README.md: folding
    {8, 1, 8, 1, 8, 1, 1, 1},        // the same: context and expert parallelism of 8 on 8 GPUs
    {8, 2, 2, 1, 8, 1, 2, 1},        // arXiv 2504.14960, figure 9
    {16, 2, 2, 2, 8, 1, 2, 1},       // the same: the accuracy run, at its smallest
    {2048, 1, 1, 16, 64, 1, 128, 2}, // DeepSeek-V3, arXiv 2412.19437
    {1024, 2, 1, 16, 8, 1, 32, 8},   // arXiv 2502.07846
    {256, 1, 1, 16, 16, 1, 16, 1},   // Kimi K2
    {1024, 2, 1, 8, 64, 1, 64, 2},   // arXiv 2603.07685, H100
    {256, 1, 1, 4, 64, 1, 64, 1},    // arXiv 2603.07685, GB200
    {256, 2, 1, 8, 16, 1, 16, 2},    // GLM-4.5, Megatron-Bridge
    {256, 2, 1, 8, 16, 2, 16, 1},    // the same, had it ETP = TP
    {32, 1, 1, 4, 8, 1, 8, 1},       // GLM-4.5-Air
    {32, 4, 1, 1, 32, 1, 8, 1},      // DeepSeek-V3, prefill
    {320, 4, 1, 1, 320, 1, 80, 1},   // DeepSeek-V3, decoding
    {64, 4, 2, 4, 1, 1, 2, 16},      // LLaMA-3 70B, Megatron-LM's parallelism guide
};

constexpr strategy without_dp(const published& p) { return {tp{p.tp}, cp{p.cp}, pp{p.pp}, ep{p.ep}, etp{p.etp}}; }

BOTH_TIMES("published deployments take the GPUs that their sources name", [] {
  for (const published& p : deployments) EXPECT(gpus(without_dp(p).with(dp{p.dp})) == p.world);
});

BOTH_TIMES("every published world is a multiple of the smallest one", [] {
  for (const published& p : deployments) EXPECT(count{p.world} % minimum_gpus(without_dp(p)) == 0);
});

BOTH_TIMES("the smallest world is PP x lcm(TP x CP, ETP x EP)", [] {
  EXPECT(minimum_gpus({cp{8}, ep{8}}) == 8);                 // README: folded 8
  EXPECT(minimum_gpus({tp{2}, cp{2}, pp{2}, ep{8}}) == 16);  // 2 x lcm(4, 8)
  EXPECT(minimum_gpus({tp{2}, ep{3}}) == 6);                 // coprime
  EXPECT(minimum_gpus({tp{6}, ep{4}, pp{5}}) == 60);         // 5 x lcm(6, 4)
  EXPECT(minimum_gpus({tp{2}, cp{3}, etp{3}, ep{3}}) == 18); // lcm(6, 9)
  EXPECT(minimum_gpus(strategy{}) == 1);
  EXPECT(minimum_gpus({pp{16}, ep{16}}) == 256);        // Kimi K2: multiples of 32 nodes
  EXPECT(minimum_gpus({pp{16}, ep{16}, dp{7}}) == 256); // a given DP does not matter
});

BOTH_TIMES("EP, ETP, VPP and SP are no factors of a folded world", [] {
  const strategy s{tp{4}, cp{2}, pp{4}, dp{8}};
  EXPECT(gpus(s) == 256);
  EXPECT(gpus(s.with(ep{64}).with(etp{1}).with(vpp{2}).with(sp{4})) == 256);
  EXPECT(stage_gpus(s) == 64);
});

BOTH_TIMES("a product mapping multiplies TP, CP, EP, SP, DP and PP", [] {
  const strategy s{mapping::product, tp{2}, cp{3}, pp{5}, ep{7}, sp{11}, dp{13}, etp{17}, vpp{19}};
  EXPECT(gpus(s) == 2 * 3 * 5 * 7 * 11 * 13);
  EXPECT(minimum_gpus(s) == 2 * 3 * 5 * 7 * 11);
});

BOTH_TIMES("the guide's formula TP x PP x CP x EP x DP does not give the guide's own GPU count", [] {
  // DeepSeek-V3 on 1024 GPUs with TP2 PP16 EP64: TP x PP x EP alone is 2048. Folded, DP is 32.
  const strategy s{tp{2}, pp{16}, ep{64}, dp{32}};
  EXPECT(gpus(s) == 1024);
  EXPECT(product_of_degrees(s) == 65536);
  EXPECT(gpus(s.with(mapping::product)) == 65536);
});

BOTH_TIMES("too many GPUs for 64 bits say so", [] {
  const strategy s{tp{std::int64_t{1} << 32}, pp{std::int64_t{1} << 31}, dp{2}};
  EXPECT(gpus<saturating_count>(s).overflowed());
  EXPECT(minimum_gpus<saturating_count>({tp{std::int64_t{1} << 40}, cp{std::int64_t{1} << 40}}).overflowed());
  EXPECT(minimum_gpus<saturating_count>({ep{std::int64_t{1} << 40}, etp{std::int64_t{1} << 40}}).overflowed());
  // 2^32 x 2^31 itself still fits.
  EXPECT(gpus(s.with(dp{1})) == std::uint64_t{1} << 63);
});

} // namespace

TEST_CASE("without DP there is no number of GPUs") { CHECK(gpus(strategy{tp{2}, pp{4}}).overflowed()); }
