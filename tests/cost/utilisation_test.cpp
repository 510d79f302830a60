#include <moeplan/cost/utilisation.hpp>

#include <cstdint>

#include <moeplan/catalog/gpus.hpp>
#include <moeplan/cost/model_flops.hpp>
#include <moeplan/cost/training_flops.hpp>

#include "cost/published_models.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr flops_convention megatron = flops_convention::megatron();

/// As in papers before flash attention: every pair, nothing but matrices.
constexpr flops_convention all_pairs{.pairs = counted_pairs::all};

/// Whether a rate or a share lies no further from a published figure than that is rounded.
constexpr bool is(const wide_ratio& exact, double published, double rounding) {
  const double difference = exact.to_double() - published;
  return difference <= rounding && -difference <= rounding;
}

BOTH_TIMES("rates and shares are exact", [] {
  // 600 FLOPs in 3/2 s on 4 GPUs: 100 a second on each.
  EXPECT(flops_rate(uint256{600}, {3, 2}, 4) == wide_ratio{100});
  EXPECT(flops_rate_of_tokens({7, 2}, {10, 3}, 5) == wide_ratio{ratio{7, 3}});
  EXPECT(utilisation(wide_ratio{100}, 250) == wide_ratio{ratio{2, 5}});
  EXPECT(utilisation(flops_rate(uint256{600}, {3, 2}, 4), 250) == wide_ratio{ratio{2, 5}});
});

TEST_CASE("what is not known, or did not fit, is overflowed") {
  CHECK(utilisation(wide_ratio{100}, 0).overflowed());
  CHECK(flops_rate(uint256{600}, count{0}, 4).overflowed());
  CHECK(flops_rate(uint256{600}, count{1}, 0).overflowed());
  CHECK(flops_rate(uint256::top(), count{1}, 4).overflowed());
  CHECK(flops_rate(uint256{600}, ratio{1, 0}, 4).overflowed());
  CHECK(flops_rate_of_tokens(ratio{1, 0}, count{1}, 4).overflowed());
  CHECK(flops_rate_of_tokens(count{1}, ratio{1, 0}, 4).overflowed());
  CHECK(utilisation(wide_ratio{uint256::top()}, 250).overflowed());
}

// arXiv 2505.09343, table 4: tokens a day on 2,048 H800, TFLOP/s and MFU with and without the causal mask, against a peak of 989.
BOTH_TIMES("DeepSeek-V3's training on two networks", [] {
  struct row {
    std::int64_t tokens_a_day;
    double causal_mfu;
    double non_causal_mfu;
  };
  constexpr std::int64_t peak = 989'000'000'000'000;
  flops_convention non_causal = megatron;
  non_causal.pairs = counted_pairs::all;
  const ratio causal_token = training_flops_per_token(deepseek_v3_without_mtp, 4096, megatron);
  const ratio token = training_flops_per_token(deepseek_v3_without_mtp, 4096, non_causal);
  for (const row& published : {row{272'800'000'000, 0.3894, 0.4373}, row{272'520'000'000, 0.3890, 0.4368}}) {
    const ratio tokens_a_second{published.tokens_a_day, 86'400};
    const wide_ratio causal_rate = flops_rate_of_tokens(causal_token, tokens_a_second, 2048);
    const wide_ratio rate = flops_rate_of_tokens(token, tokens_a_second, 2048);
    EXPECT(is(causal_rate, 385e12, 0.5e12));
    EXPECT(is(rate, 432e12, 0.5e12));
    EXPECT(is(utilisation(causal_rate, peak), published.causal_mfu, 5e-5));
    EXPECT(is(utilisation(rate, peak), published.non_causal_mfu, 5e-5));
  }
});

// arXiv 2412.19437, table 1: 14.8 T tokens in 2,664,000 GPU hours; arXiv 2505.09343 gives 385 TFLOP/s.
BOTH_TIMES("the whole pre-training of DeepSeek-V3, in 3,613,281,250 sequences", [] {
  const auto sequence = uint256{3} * flops_per_sequence<uint256>(deepseek_v3_without_mtp, 4096, megatron).total();
  const uint256 all = uint256{3'613'281'250} * sequence;
  EXPECT(all == uint256{count{14'800'000'000'000}} * uint256{count{249'812'054'016}});
  EXPECT(is(flops_rate(all, count{2'664'000} * 3600, 1), 385e12, 1e12));
});

struct published_iteration {
  const model* trained;
  std::int64_t batch;
  std::int64_t gpus;
  ratio seconds; ///< with selective recompute
  double mfu;
  double hfu;

  /// How far a share may be off when times are printed in hundredths of a second and shares in tenths of a percent.
  [[nodiscard]] constexpr double rounding(double share) const { return 5e-4 + share * 5e-3 / seconds.to_double(); }
};

constexpr deployment run_of(const published_iteration& p, recompute again) {
  return {.model = *p.trained,
          .strategy = {dp{1}},
          .workload = training{.global_batch = p.batch, .sequence_length = 2048, .recompute = again, .vocabulary_multiple = 0}};
}

/// arXiv 2205.05198, tables 3 and 5, on A100 with 312 TFLOP/s.
constexpr published_iteration korthikanti[] = {
    {&gpt_22b, 4, 8, {110, 100}, 0.415, 0.437},
    {&gpt_175b, 64, 64, {1375, 100}, 0.514, 0.528},
    {&gpt_530b, 280, 280, {3783, 100}, 0.560, 0.570},
    {&gpt_1t, 512, 512, {7149, 100}, 0.563, 0.570},
};

BOTH_TIMES("MFU and HFU of four models with selective recompute", [] {
  const std::int64_t peak = catalog::a100_80gb_sxm.bf16_flops;
  for (const published_iteration& p : korthikanti) {
    const deployment d = run_of(p, recompute::selective);
    const training_flops<uint256> step = run_flops<uint256>{d, all_pairs}.of_step();
    EXPECT(is(utilisation(flops_rate(step.model(), p.seconds, p.gpus), peak), p.mfu, p.rounding(p.mfu)));
    // Their formula, 72 B L s h^2 (1 + s / 3h + V / 12hL), has core attention's term 12 B L s^2 h once more in it: what its three passes
    // take. What is computed again is one of them.
    EXPECT(step.recomputed.total() == step.forward.core_attention);
    const uint256 as_published = step.model() + uint256{3} * step.forward.core_attention;
    EXPECT(is(utilisation(flops_rate(as_published, p.seconds, p.gpus), peak), p.hfu, p.rounding(p.hfu)));
    EXPECT(step.hardware() < as_published);
  }
});

// MT-NLG (arXiv 2201.11990, section 3.2): 530 B parameters, a batch of 1,920 sequences of 2,048 tokens, full recompute, on 280, 350 and
// 420 nodes of eight A100.
BOTH_TIMES("hardware TFLOP/s of MT-NLG", [] {
  struct row {
    std::int64_t nodes;
    ratio seconds;
    double teraflops;
  };
  const published_iteration p{&gpt_530b, 1920, 0, {}, 0, 0};
  const deployment d = run_of(p, recompute::full);
  const training_flops<uint256> step = run_flops<uint256>{d, all_pairs}.of_step();
  for (const row& r : {row{280, {601, 10}, 126}, row{350, {502, 10}, 121}, row{420, {444, 10}, 113}})
    EXPECT(is(flops_rate(step.hardware(), r.seconds, 8 * r.nodes), r.teraflops * 1e12, 1e12));
});

// arXiv 2104.04473, table 2: GPT-3 with 300 billion tokens and full recompute, with pipeline and tensor parallelism and with ZeRO-3, in
// TFLOP/s of a GPU and days.
BOTH_TIMES("days of training GPT-3", [] {
  struct row {
    std::int64_t gpus;
    double teraflops;
    double days;
  };
  const published_iteration p{&gpt_175b, 1, 0, {}, 0, 0};
  const deployment d = run_of(p, recompute::full);
  const double sequence = run_flops<uint256>{d, all_pairs}.of_step().hardware().to_double();
  for (const row& r :
       {row{384, 153, 84}, row{768, 149, 43}, row{1536, 141, 23}, row{384, 144, 90}, row{768, 88, 74}, row{1536, 44, 74}}) {
    const double days = 300e9 / 2048 * sequence / (static_cast<double>(r.gpus) * r.teraflops * 1e12) / 86'400;
    const double rounding = 0.5 + r.days * 0.5 / r.teraflops;
    EXPECT(days - r.days < rounding && r.days - days < rounding);
  }
});

// arXiv 2505.09343, table 4, and arXiv 2412.19437, table 1: 15,360 sequences of 4,096 tokens a step, 14.8 T tokens in 2,664,000 GPU hours
// on 2,048 GPUs, 180,000 of them for 1 T.
BOTH_TIMES("steps and days of DeepSeek-V3", [] {
  constexpr double tokens_a_step = 15'360.0 * 4'096;
  const auto seconds_a_step = [](double tokens_a_day) { return tokens_a_step / tokens_a_day * 86'400; };
  const auto is_near = [](double value, double published, double rounding) {
    return value - published < rounding && published - value < rounding;
  };
  EXPECT(is_near(seconds_a_step(272.80e9), 19.926, 1e-3));
  EXPECT(is_near(seconds_a_step(272.52e9), 19.946, 1e-3));
  EXPECT(is_near(14.8e12 / 272.8e9, 54.25, 5e-3));
  EXPECT(is_near(2'664'000.0 / 2'048 / 24, 54.20, 5e-3));
  EXPECT(is_near(180'000.0 / 2'048 / 24, 3.66, 5e-3));
});

// arXiv 2504.14960, table 2: 487.7 and 458.3 TFLOP/s in BF16 on H100 are 49.3% and 46.3%.
BOTH_TIMES("a peak of 989.5 TFLOP/s", [] {
  const std::int64_t peak = catalog::h100_sxm.bf16_flops;
  EXPECT(is(utilisation(wide_ratio{487'700'000'000'000}, peak), 0.493, 5e-4));
  EXPECT(is(utilisation(wide_ratio{458'300'000'000'000}, peak), 0.463, 5e-4));
});

} // namespace
