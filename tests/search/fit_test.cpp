// Published models, at both times: the answer fits and the next candidate does not.
#include <moeplan/search/fit.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// DeepSeek-V3 on 2048 GPUs.
constexpr deployment v3{.model = catalog::deepseek_v3,
                        .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
                        .strategy = {pp{16}, ep{64}, dp{128}},
                        .layout = layout::stages({15, 4}, {1, 1}),
                        .workload = training{.global_batch = 15360,
                                             .micro_batch = 1,
                                             .sequence_length = 4096,
                                             .recompute = recompute::full,
                                             .sharding = sharding::optimizer}};

constexpr deployment qwen{
    .model = catalog::qwen3_30b_a3b,
    .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 2},
    .strategy = {ep{8}, dp{16}},
    .workload =
        training{.global_batch = 512, .sequence_length = 4096, .recompute = recompute::full, .sharding = sharding::optimizer}};

constexpr deployment mixtral{.model = catalog::mixtral_8x7b,
                             .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 8},
                             .strategy = {pp{4}, ep{8}, dp{16}},
                             .workload = training{.global_batch = 512, .sequence_length = 4096, .sharding = sharding::optimizer}};

constexpr deployment with_micro_batch(deployment d, std::int64_t sequences) {
  d.workload.train.micro_batch = sequences;
  return d;
}

constexpr deployment with_length(deployment d, std::int64_t tokens) {
  (d.workload.is_training() ? d.workload.train.sequence_length : d.workload.serve.sequence_length) = tokens;
  return d;
}

constexpr deployment with_gpus(deployment d, std::int64_t n) {
  const std::int64_t unit = d.strategy[axis::tp] * d.strategy[axis::cp] * d.strategy[axis::pp];
  d.strategy = d.strategy.with(dp{n / unit});
  return d;
}

constexpr deployment with(deployment d, const recompute_choice& c) {
  d.workload.train = c.on(d.workload.train);
  return d;
}

constexpr deployment without_global_batch(deployment d) {
  d.workload.train.global_batch = {};
  return d;
}

BOTH_TIMES("the largest micro-batch of DeepSeek-V3 without a global batch", [] {
  const deployment d = without_global_batch(v3);
  const fit_answer a = largest_micro_batch(d);
  EXPECT(a.found());
  EXPECT(check(with_micro_batch(d, a.value)).ok());
  EXPECT(!check(with_micro_batch(d, a.value + 1)).ok());
  EXPECT(check(with_micro_batch(d, a.value)).facts.peak_bytes == static_cast<std::int64_t>(a.peak.value()));
});

BOTH_TIMES("the largest micro-batch of DeepSeek-V3 divides what a rank gets of a step", [] {
  const fit_answer a = largest_micro_batch(v3);
  EXPECT(a.found());
  EXPECT(120 % a.value == 0);
  EXPECT(check(with_micro_batch(v3, a.value)).ok());
  std::int64_t next = a.value + 1;
  while (120 % next != 0) ++next;
  EXPECT(!check(with_micro_batch(v3, next)).ok());
});

BOTH_TIMES("the largest micro-batches of Mixtral and Qwen3-30B", [] {
  const fit_answer a = largest_micro_batch(mixtral);
  EXPECT(a.found() && check(with_micro_batch(mixtral, a.value)).ok() && !check(with_micro_batch(mixtral, 2 * a.value)).ok());
  const fit_answer b = largest_micro_batch(qwen);
  EXPECT(b.found() && check(with_micro_batch(qwen, b.value)).ok() && !check(with_micro_batch(qwen, 2 * b.value)).ok());
});

BOTH_TIMES("the longest sequence of Qwen3-30B", [] {
  const fit_answer a = longest_sequence_length(qwen);
  EXPECT(a.found());
  EXPECT(check(with_length(qwen, a.value)).ok());
  EXPECT(!check(with_length(qwen, a.value + 1)).ok());
});

BOTH_TIMES("the longest sequence of Mixtral", [] {
  const fit_answer a = longest_sequence_length(mixtral);
  EXPECT(a.found());
  EXPECT(check(with_length(mixtral, a.value)).ok());
  EXPECT(!check(with_length(mixtral, a.value + 1)).ok());
});

BOTH_TIMES("the longest sequence of DeepSeek-V3", [] {
  const fit_answer a = longest_sequence_length(v3);
  EXPECT(a.found());
  EXPECT(check(with_length(v3, a.value)).ok());
  EXPECT(!check(with_length(v3, a.value + 1)).ok());
});

BOTH_TIMES("the longest sequences that Mixtral serves", [] {
  const deployment d{.model = catalog::mixtral_8x7b,
                     .cluster = {.gpu = catalog::h100_sxm, .total = 2},
                     .strategy = {tp{2}, ep{2}},
                     .workload = serving{.batch = 64, .sequence_length = 4096},
                     .profile = profile::universal};
  const fit_answer a = longest_sequence_length(d);
  EXPECT(a.found());
  EXPECT(check(with_length(d, a.value)).ok());
  EXPECT(!check(with_length(d, a.value + 1)).ok());
});

BOTH_TIMES("the fewest GPUs", [] {
  const fit_answer a = fewest_gpus(v3);
  EXPECT(a.value == 1024); // PP 16 x EP 64, of which DP is 64: fewer are not possible.
  EXPECT(check(with_gpus(v3, a.value)).ok());
  deployment d = qwen;
  d.strategy = strategy{ep{8}};
  d.workload.train.micro_batch = 2;
  const fit_answer b = fewest_gpus(d);
  EXPECT(b.found());
  EXPECT(check(with_gpus(d, b.value)).ok());
  EXPECT(b.value == 8 || !check(with_gpus(d, b.value / 2)).ok());
  d.workload.train.micro_batch = 512;
  EXPECT(fewest_gpus(d).outcome == fit_outcome::illegal); // 512 sequences are one micro-batch of one rank.
  d.cluster.gpu = {};
  d.workload.train.micro_batch = 1;
  EXPECT(fewest_gpus(d).outcome == fit_outcome::not_judged);
});

BOTH_TIMES("the least recomputation of DeepSeek-V3", [] {
  const recompute_answer a = smallest_recompute(v3);
  EXPECT(a.found());
  EXPECT(a.choice.recompute == recompute::selective);
  EXPECT(check(with(v3, a.choice)).ok());
  recompute_choice less = a.choice;
  less.modules.moe = false;
  less.modules.moe_activation = less.modules.shared_experts = true;
  EXPECT(!check(with(v3, less)).ok());
});

BOTH_TIMES("what is missing where nothing fits", [] {
  deployment d = mixtral;
  d.cluster.gpu = catalog::a100_40gb_sxm;
  d.cluster.gpu.usable_memory = 12_GB;
  const fit_answer a = largest_micro_batch(d);
  EXPECT(a.outcome == fit_outcome::lacks_memory);
  EXPECT(a.value == 0 && a.candidate == 1 && a.peak > 12_GB && a.missing == a.peak - 12_GB);
  EXPECT(longest_sequence_length(d).outcome == fit_outcome::lacks_memory);
  EXPECT(fewest_gpus(d).outcome == fit_outcome::lacks_memory);
});

} // namespace
