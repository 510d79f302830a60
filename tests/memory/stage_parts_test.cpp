#include <moeplan/memory/stage_parts.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/ernie.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr model deepseek_v3_without_mtp = [] {
  model m = catalog::deepseek_v3;
  m.mtp_layers = 0;
  return m;
}();

constexpr rank_parameters<> held(const model& m, const strategy& s, const layout& l, std::int64_t stage,
                                 const assumptions& how = {}) {
  return parameters_of_stage(parts_of_rank(m, rank_model(m, s), s, 0, how), parts_of_stage(m, contents(m, s, l, stage)));
}

constexpr layout fifteen_and_one = layout::stages({15, 4}, {1, 1});

BOTH_TIMES("DeepSeek-V3 on 16 stages, as arXiv 2502.07846 counts (section 2)", [] {
  const strategy s{pp{16}, dp{1}};
  const auto stage = [&s](std::int64_t i) { return held(deepseek_v3_without_mtp, s, fifteen_and_one, i); };
  const auto trained = [&stage](std::int64_t i) { return stage(i).dense.trained() + stage(i).experts.trained(); };
  EXPECT(trained(0) == 14'184'415'232);
  for (const std::int64_t i : {1, 7, 14}) EXPECT(trained(i) == 46'029'144'064);
  // The paper leaves out the final norm.
  EXPECT(trained(15) == 12'433'965'056 + 7168);
  // Correction biases, 256 in each layer of experts, are no parameters to it.
  EXPECT(stage(0).dense.buffers == 256);
  EXPECT(stage(1).dense.buffers == 4 * 256);
  EXPECT(stage(15).dense.buffers == 256);
  count all = 0;
  for (std::int64_t i = 0; i < 16; ++i) all += stage(i).total();
  EXPECT(all == 671'026'397'184 + 7168 + 58LL * 256);
});

BOTH_TIMES("a stage in the middle, on a rank of TP 2, EP 8 (arXiv 2502.07846, table 6)", [] {
  const strategy s{tp{2}, pp{16}, ep{8}, dp{32}};
  const auto p = held(deepseek_v3_without_mtp, s, fifteen_and_one, 7, assumptions::memory_analysis());
  EXPECT(p.dense.trained() == 429'719'552);
  EXPECT(p.experts.trained() == 5'820'645'376);
  EXPECT(p.dense.trained() + p.experts.trained() == 6'250'364'928);
});

BOTH_TIMES("parts of a stage", [] {
  const strategy s{pp{16}, dp{1}};
  const auto parts = [&s](std::int64_t i) {
    return parts_of_stage(catalog::deepseek_v3, contents(catalog::deepseek_v3, s, fifteen_and_one, i));
  };
  EXPECT(parts(0) == stage_parts{.layers = 4, .softmax_attention = 4, .dense_mlp = 3, .moe_mlp = 1, .embedding = true});
  EXPECT(parts(1) == stage_parts{.layers = 4, .softmax_attention = 4, .moe_mlp = 4});
  // Multi-token prediction has a copy of the embedding with it.
  EXPECT(parts(15) == stage_parts{.layers = 1,
                                  .softmax_attention = 1,
                                  .moe_mlp = 1,
                                  .mtp = 1,
                                  .embedding = true,
                                  .final_norm = true,
                                  .head_parameters = true});
});

BOTH_TIMES("which attention a layer has says nothing about its MLP", [] {
  // Qwen3-Next: softmax attention in every fourth layer, experts in all.
  const model& m = catalog::qwen3_next_80b_a3b;
  const strategy s{pp{8}, dp{1}};
  for (std::int64_t i = 0; i < 8; ++i) {
    const stage_parts p = parts_of_stage(m, contents(m, s, layout::even(), i));
    EXPECT(p.layers == 6 && p.moe_mlp == 6 && p.dense_mlp == 0);
    // Layers 3, 7, 11, ...: one or two in six.
    EXPECT(p.softmax_attention == (i % 2 == 0 ? 1 : 2));
    EXPECT(p.linear_attention == 6 - p.softmax_attention);
  }
  count all = 0;
  for (std::int64_t i = 0; i < 8; ++i) all += held(m, s, layout::even(), i).total();
  EXPECT(all == 79'674'391'296); // the published checkpoint
});

BOTH_TIMES("an empty stage", [] {
  const model& m = catalog::llama_3_1_8b;
  const strategy s{pp{3}, dp{1}};
  const auto l = layout::stages({1, 16}, {1, 0}, {1, 16});
  EXPECT(parts_of_stage(m, contents(m, s, l, 1)) == stage_parts{});
  EXPECT(held(m, s, l, 1) == rank_parameters<>{});
});

BOTH_TIMES("a tied matrix is held by the stages of both its uses, and once where they are one", [] {
  const model& m = catalog::ernie_4_5_21b_a3b;
  EXPECT(m.tied_embeddings);
  const count matrix = parameters(m).embedding;
  const strategy one{dp{1}};
  EXPECT(held(m, one, layout::even(), 0).total() == parameters(m).total() + parameters(m).mtp);
  const strategy two{pp{2}, dp{1}};
  const count both = held(m, two, layout::even(), 0).total() + held(m, two, layout::even(), 1).total();
  EXPECT(both == parameters(m).total() + parameters(m).mtp + matrix);
  // A copy that multi-token prediction needs is that of the head.
  model with_mtp = m;
  with_mtp.mtp_layers = 1;
  const stage_parts last = parts_of_stage(with_mtp, contents(with_mtp, two, layout::even(), 1));
  EXPECT(last.mtp == 1 && last.embedding && last.final_norm && !last.head_parameters);
});

BOTH_TIMES("a bias of the head is there even where the head is the embedding", [] {
  model m = catalog::ernie_4_5_21b_a3b;
  const count without = held(m, {dp{1}}, layout::even(), 0).total();
  m.lm_head_bias = true;
  EXPECT(held(m, {dp{1}}, layout::even(), 0).total() == without + m.vocabulary_size);
  EXPECT(held(m, {pp{2}, dp{1}}, layout::even(), 0) == held(catalog::ernie_4_5_21b_a3b, {pp{2}, dp{1}}, layout::even(), 0));
});

BOTH_TIMES("multi-token prediction on a stage of its own", [] {
  const model& m = catalog::deepseek_v3;
  const strategy s{pp{4}, dp{1}};
  auto l = layout::stages({2, 30, 0}, {1, 1, 0}, {1, 0, 1});
  l.places_mtp = true;
  const auto last = held(m, s, l, 3);
  // It, the head with the final norm, and a copy of the embedding.
  EXPECT(last.total() == parameters(m).mtp + 2 * parameters(m).embedding + 7168);
  EXPECT(held(m, s, l, 2).total() == 11'507'286'016 + 256);
});

} // namespace
