#include <moeplan/cost/memory_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// Llama 3.1 8B: 8,030,261,248 parameters, of which embedding and head have 128,256 x 4,096 each.
constexpr std::int64_t all = 8'030'261'248;
constexpr std::int64_t embedding = 128'256LL * 4'096;

constexpr deployment trained(const strategy& s, const training& t) {
  return {.model = catalog::llama_3_1_8b, .strategy = s, .workload = t};
}

constexpr memory_bytes<> of_training(const deployment& d, std::int64_t stage = 0) {
  const model rank = rank_model(d.model, d.strategy);
  const stage_weights weights{d, rank};
  return training_memory_traffic(weights.of_stage(contents(d.model, d.strategy, d.layout, stage)), d.strategy, d.workload.train);
}

constexpr memory_bytes<> of_serving(const deployment& d, std::int64_t stage = 0) {
  return serving_memory_traffic{d}.of_stage(contents(d.model, d.strategy, d.layout, stage));
}

BOTH_TIMES("Adam on one GPU: three fp32 states read and written, gradients read, weights written", [] {
  const memory_bytes<> b = of_training(trained({dp{1}}, {.sequence_length = 4096}));
  EXPECT(b.update == (2 * 12 + 4 + 2) * all);
  // Weights read, the embedding's not, and gradients written.
  EXPECT(b.step == b.update + 2 * (all - embedding) + 4 * all);
});

BOTH_TIMES("what data-parallel ranks share each updates a part of", [] {
  const memory_bytes<> b = of_training(trained({dp{8}}, {.sequence_length = 4096, .sharding = sharding::optimizer}));
  EXPECT(b.update == (2 * 12 + 4 + 2) * all / 8);
  EXPECT(b.step == b.update + 2 * (all - embedding) + 4 * all);
  const memory_bytes<> two = of_training(trained({dp{8}}, {.sequence_length = 4096, .sharding = sharding::gradients}));
  EXPECT(two.step == two.update + 2 * (all - embedding) + 4 * all / 8);
});

BOTH_TIMES("other precisions", [] {
  training t{.sequence_length = 4096};
  t.precision = {.gradients = number_type::bf16, .master_weights = number_type::bf16};
  // The weights are their own master: read and written.
  EXPECT(of_training(trained({dp{1}}, t)).update == (2 * 8 + 2 + 2 * 2) * all);
  t.precision = {.fp8 = fp8_recipe::delayed};
  // 32 layers of 2 x 4,096 and the last norm, and the head, are read in bf16, the rest in FP8.
  const std::int64_t norms = 65LL * 4'096;
  const memory_bytes<> b = of_training(trained({dp{1}}, t));
  EXPECT(b.update == 30 * all);
  EXPECT(b.step == b.update + (all - 2 * embedding - norms) + 2 * (embedding + norms) + 4 * all);
  t.precision.fp8_weights = true; // written in FP8
  EXPECT(of_training(trained({dp{1}}, t)).update ==
         (2 * 12 + 4) * all + (all - 2 * embedding - norms) + 2 * (2 * embedding + norms));
  t.optimizer = optimizer::none;
  EXPECT(of_training(trained({dp{1}}, t)).update == 0);
  t = {.sequence_length = 4096, .optimizer_offload = {1, 2}};
  EXPECT(of_training(trained({dp{1}}, t)).update == (2 * 6 + 4 + 2) * all); // half of the states are elsewhere
});

BOTH_TIMES("stages add up", [] {
  const training t{.sequence_length = 4096};
  const deployment whole = trained({dp{1}}, t);
  const deployment four = trained({pp{4}, dp{1}}, t);
  memory_bytes<> sum;
  for (std::int64_t stage = 0; stage < 4; ++stage) sum += of_training(four, stage);
  EXPECT(sum == of_training(whole));
});

BOTH_TIMES("a head that is the embedding is read", [] {
  deployment d = trained({dp{1}}, {.sequence_length = 4096});
  d.model.tied_embeddings = true;
  const memory_bytes<> b = of_training(d);
  EXPECT(b.update == 30 * (all - embedding));
  EXPECT(b.step == b.update + 2 * (all - embedding) + 4 * (all - embedding));
});

BOTH_TIMES("decoding reads weights and cache once", [] {
  const deployment d{.model = catalog::llama_3_1_8b, .strategy = {dp{1}}, .workload = serving{.batch = 4, .sequence_length = 1000}};
  EXPECT(of_serving(d).step == 2 * (all - embedding) + 4LL * 1000 * 131'072);
  EXPECT(of_serving(d).update == 0);
  // Blocks of the paged cache are not read where they are empty; a prompt writes what decoding reads.
  deployment paged = d;
  paged.workload.serve.block_size = 256;
  paged.workload.serve.step_tokens = 1000;
  EXPECT(of_serving(paged) == of_serving(d));
});

constexpr bool near(double a, double b) { return a - b < 1e-12 * b && b - a < 1e-12 * b; }

// One token chooses 8 of 256 experts, two choose 256 (1 - (31/32)^2) = 15.75 on average, three 256 (1 - (31/32)^3) = 23.2578125.
BOTH_TIMES("experts that tokens choose on average", [] {
  const experts& e = catalog::deepseek_v3.experts;
  EXPECT(detail::chosen_experts(e, 0) == 0 && detail::chosen_experts(e, 1) == 8);
  EXPECT(detail::chosen_experts(e, 2) == 15.75 && detail::chosen_experts(e, 3) == 23.2578125);
  EXPECT(detail::chosen_experts(e, 64) > 222.4 && detail::chosen_experts(e, 64) < 222.5); // 256 (1 - e^-2.0318)
  EXPECT(detail::chosen_experts(e, 100'000) == 256 && detail::chosen_experts(e, INT64_MAX) == 256);
  EXPECT(detail::chosen_experts({.routed = 8, .top_k = 8}, 1) == 8);
});

// Experts of 3 x 7,168 x 2,048 in bf16; everything else is read whatever tokens choose.
BOTH_TIMES("no more experts are read than tokens choose", [] {
  deployment d{.model = catalog::deepseek_v3, .strategy = {dp{1}}, .workload = serving{.batch = 1, .sequence_length = 100}};
  const double expert = 2.0 * 3 * 7'168 * 2'048;
  const memory_bytes<> one = of_serving(d);
  EXPECT(one.experts == 58 * 8 * expert);
  d.workload.serve.batch = 2;
  EXPECT(of_serving(d).experts == 58 * 15.75 * expert);
  EXPECT(of_serving(d).step - one.step == 100LL * 70'272); // the cache
  // A module for multi-token prediction has experts of its own.
  deployment drafts = d;
  drafts.workload.serve.drafts = true;
  EXPECT(of_serving(drafts).experts == 59 * 15.75 * expert);
  // EP ranks with attention of their own choose together.
  deployment shared = d;
  shared.workload.serve.batch = 1;
  shared.strategy = {ep{8}, dp{8}};
  EXPECT(near(of_serving(shared).experts, 58 * detail::chosen_experts(d.model.experts, 8) / 8 * expert));
  shared.workload.serve.data_parallelism = data_parallelism::replicas;
  shared.strategy = {tp{8}, ep{8}, dp{1}};
  EXPECT(of_serving(shared).experts == 58 * expert); // 8 of 256, on eight ranks
  const deployment alone = shared;
  shared.workload.serve.redundant_experts = 64; // further copies need not be read
  EXPECT(of_serving(shared) == of_serving(alone));
});

BOTH_TIMES("attention reads what it looks at", [] {
  // gpt-oss-20b: 12 of 24 layers have a window of 128; 8 heads of 64.
  deployment d{.model = catalog::gpt_oss_20b, .strategy = {dp{1}}, .workload = serving{.batch = 1, .sequence_length = 1000}};
  const std::int64_t token = 2LL * 8 * 64 * 2;
  const saturating_count long_one = of_serving(d).step;
  d.workload.serve.sequence_length = 128;
  EXPECT(long_one - of_serving(d).step == 12LL * (1000 - 128) * token);
  d.workload.serve.windows = windowed_cache::all; // kept, but not looked at
  d.workload.serve.sequence_length = 1000;
  EXPECT(of_serving(d).step == long_one);
  // DeepSeek-V3.2 scores all tokens by keys of 132 bytes and reads 2,048 of them.
  deployment sparse{.model = catalog::deepseek_v3_2, .strategy = {dp{1}}, .workload = serving{.batch = 1, .sequence_length = 2048}};
  const saturating_count dense = of_serving(sparse).step;
  sparse.workload.serve.sequence_length = 10'048;
  EXPECT(of_serving(sparse).step - dense == 61 * 8'000 * 132);
  // Llama 4: the token after a chunk of 8,192 looks at itself alone in 36 of 48 layers.
  deployment chunked{
      .model = catalog::llama_4_scout, .strategy = {dp{1}}, .workload = serving{.batch = 1, .sequence_length = 8'193}};
  const saturating_count fresh = of_serving(chunked).step;
  chunked.workload.serve.sequence_length = 8'192;
  EXPECT(of_serving(chunked).step - fresh == (36LL * 8'191 - 12) * 2 * 8 * 128 * 2);
  // Two tokens on either side of its beginning look at both chunks.
  chunked.workload.serve.sequence_length = 8'193;
  chunked.workload.serve.step_tokens = 2;
  EXPECT(of_serving(chunked).step > fresh + 36LL * 8'191 * 2 * 8 * 128 * 2);
});

BOTH_TIMES("states of linear attention are read and written", [] {
  deployment d{.model = catalog::qwen3_next_80b_a3b, .strategy = {dp{1}}, .workload = serving{.batch = 1, .sequence_length = 1}};
  const saturating_count one = of_serving(d).step;
  d.workload.serve.batch = 101;
  d.model.experts.routed = 512;
  const std::int64_t state = (8192LL * 3 + 32LL * 128 * 128) * 2; // inputs of the convolution, and the recurrent state
  EXPECT(of_serving(d).step - one == 100 * (36LL * 2 * state + 12LL * 2 * 2 * 256 * 2));
});

} // namespace
