#include <moeplan/memory/serving_memory.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::literals;

namespace {

constexpr cluster eight{.gpu = {.memory = 80_GiB, .usable_memory = 79_GiB}, .gpus_per_node = 8, .nodes = 1};

constexpr deployment served(const model& m, const strategy& s, const serving& v) {
  return {.model = m, .cluster = eight, .strategy = s, .layout = layout::balanced(), .workload = v};
}

constexpr serving_memory<> memory(const deployment& d, std::int64_t stage) {
  return serving_memory_of(d, serving_parts_of(d), stage);
}

// Llama 3.1 8B: 8,030,261,248 parameters in bf16, 131,072 bytes a token.
constexpr deployment llama = served(catalog::llama_3_1_8b, {tp{1}, dp{1}},
                                    {.batch = 10, .sequence_length = 131'072, .vocabulary_multiple = 0, .reserve = 4_GiB});

BOTH_TIMES("weights and cache of one rank", [] {
  constexpr auto m = memory(llama, 0);
  EXPECT(m.weights.total() == 2 * 8'030'261'248);
  EXPECT(m.cache.total() == 160LL * (1LL << 30));
  EXPECT(m.total() == m.weights.total() + m.cache.total());
});

// 75 GiB less 14.96 GiB of weights are 60.04 GiB: three sequences of 16 GiB; ten of 49,184 tokens.
BOTH_TIMES("room for sequences", [] {
  constexpr count room = 75LL * (1LL << 30) - 2 * 8'030'261'248;
  EXPECT(serving_budget(llama) == 75LL * (1LL << 30));
  constexpr auto c = serving_capacity_of(llama);
  EXPECT(c.weights_fit);
  EXPECT(!c.fits);
  EXPECT(c.sequences.amount == 3);
  EXPECT(c.longest.amount == room / 10 / (16LL * 131'072) * 16);
  EXPECT(c.peak == memory(llama, 0).total());
});

BOTH_TIMES("what there is room for fits, and one more does not", [] {
  deployment d = llama;
  d.workload.serve.batch = 3;
  EXPECT(serving_capacity_of(d).fits);
  d.workload.serve.batch = 4;
  EXPECT(!serving_capacity_of(d).fits);
  d.workload.serve.sequence_length = static_cast<std::int64_t>(serving_capacity_of(d).longest.amount.value());
  EXPECT(serving_capacity_of(d).fits);
  d.workload.serve.sequence_length += 1;
  EXPECT(!serving_capacity_of(d).fits);
});

BOTH_TIMES("nothing fits where the weights do not", [] {
  constexpr auto c = serving_capacity_of(served(catalog::llama_3_1_70b, {tp{1}, dp{1}}, {.sequence_length = 4096}));
  EXPECT(!c.weights_fit);
  EXPECT(!c.fits);
  EXPECT(c.sequences == capacity<>{});
  EXPECT(c.longest == capacity<>{});
});

BOTH_TIMES("nominal memory where no more is known, and a reserve beyond it", [] {
  deployment d = llama;
  d.cluster.gpu.usable_memory = {};
  EXPECT(serving_budget(d) == 76LL * (1LL << 30));
  d.workload.serve.reserve = 100_GiB;
  EXPECT(serving_budget(d) == 0);
  EXPECT(!serving_capacity_of(d).weights_fit);
});

BOTH_TIMES("the fullest of four stages", [] {
  constexpr deployment d = served(catalog::deepseek_v3, {pp{4}, ep{8}, dp{8}},
                                  {.batch = 32, .sequence_length = 8192, .weights = weight_format::fp8_block, .block_size = 64});
  constexpr auto c = serving_capacity_of(d);
  for (std::int64_t stage = 0; stage < 4; ++stage) EXPECT(memory(d, stage).total() <= c.peak);
  EXPECT(memory(d, c.fullest_stage).total() == c.peak);
  EXPECT(memory(d, 0).cache.total() == 32LL * 8192 * 16 * 1152); // 16 of 61 layers
  EXPECT(memory(d, 3).cache.total() == 32LL * 8192 * 15 * 1152);
  // Each stage allows at least as many as all of them do, and one allows no more.
  count least = count::top - 1;
  for (std::int64_t stage = 0; stage < 4; ++stage) {
    const count here = (serving_budget(d) - memory(d, stage).weights.total()) / (memory(d, stage).cache.total() / 32);
    if (here < least) least = here;
  }
  EXPECT(c.sequences.amount == least);
});

// vLLM recipes serve DeepSeek-V3 on one node of 8 H200 and not on one of 8 H100: 688.6 GB of weights.
BOTH_TIMES("DeepSeek-V3 on eight GPUs", [] {
  constexpr serving v{.batch = 1, .sequence_length = 4096, .weights = weight_format::fp8_block};
  deployment d = served(catalog::deepseek_v3, {tp{8}, ep{8}, dp{1}}, v);
  d.cluster.gpu = catalog::h200_sxm;
  EXPECT(serving_capacity_of(d).fits);
  d.cluster.gpu = catalog::h100_sxm;
  EXPECT(!serving_capacity_of(d).weights_fit);
});

// OpenAI: "gpt-oss-120b ... fits into a single 80GB GPU".
BOTH_TIMES("gpt-oss-120b on one GPU of 80 GB", [] {
  constexpr serving v{.sequence_length = 131'072, .weights = weight_format::mxfp4, .quantised = quantised_parts::routed_experts};
  deployment d = served(catalog::gpt_oss_120b, {tp{1}, dp{1}}, v);
  d.cluster.gpu = catalog::h100_sxm;
  EXPECT(serving_capacity_of(d).fits);
  d.workload.serve.weights = weight_format::bf16;
  EXPECT(!serving_capacity_of(d).weights_fit);
});

BOTH_TIMES("a model whose layers all keep states has room for sequences of any length", [] {
  model m = catalog::qwen3_next_80b_a3b;
  m.layers = 3;
  constexpr serving v{.batch = 4, .sequence_length = 1000};
  EXPECT(serving_capacity_of(served(m, {tp{1}, dp{1}}, v)).longest.unbounded);
  EXPECT(!serving_capacity_of(served(catalog::qwen3_next_80b_a3b, {tp{8}, ep{8}, dp{1}}, v)).longest.unbounded);
});

BOTH_TIMES("DP ranks hold what one holds", [] {
  constexpr serving v{.batch = 4, .sequence_length = 1000};
  EXPECT(memory(served(catalog::llama_3_1_8b, {tp{2}, dp{4}}, v), 0) ==
         memory(served(catalog::llama_3_1_8b, {tp{2}, dp{1}}, v), 0));
});

} // namespace
