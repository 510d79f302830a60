#include <moeplan/cost/stage_weights.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/memory/rank_model.hpp>

#include "cost/published_models.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr deployment run(const model& m, const strategy& s, const training& t = {}, const layout& l = layout::even()) {
  return {.model = m, .strategy = s, .layout = l, .workload = t};
}

constexpr stage_weight_counts<> held(const deployment& d, std::int64_t stage) {
  return stage_weights{d, rank_model(d.model, d.strategy)}.of_stage(contents(d.model, d.strategy, d.layout, stage));
}

// Two norms, two of compressed vectors, both down-projections and the router.
constexpr std::int64_t whole_of_a_moe_layer = 2 * 7168 + 1536 + 512 + 7168 * (1536 + 512 + 64) + 256 * 7168;

BOTH_TIMES("what TP ranks hold whole", [] {
  const strategy s{pp{16}, tp{2}, sp{2}, ep{8}, dp{32}};
  const layout l = layout::stages({15, 4}, {1, 1});
  const model& m = moeplan_test::deepseek_v3_without_mtp;
  EXPECT(held(run(m, s, {}, l), 3).whole == 4 * whole_of_a_moe_layer);
  EXPECT(held(run(m, s, {}, l), 15).whole == whole_of_a_moe_layer + 7168); // the final norm
  training t;
  t.assumptions = {.latent_down_projections = held::sharded, .shared_experts = held::replicated};
  EXPECT(held(run(m, s, t, l), 3).whole == 4 * (whole_of_a_moe_layer - 7168LL * (1536 + 512 + 64) + 3LL * 7168 * 2048));
  // Without sequence parallelism all of them compute the same.
  EXPECT(held(run(m, s.with(sp{1}), {}, l), 3).whole == 0);
  EXPECT(held(run(m, s.with(sp{1}).with(tp{1}), {}, l), 3).whole == 0);
});

BOTH_TIMES("norms of heads see a part of the heads each", [] {
  const model& m = catalog::qwen3_235b_a22b;
  EXPECT(held(run(m, {tp{4}, ep{4}, dp{1}}), 0).whole == saturating_count{94} * 2 * 128);
  EXPECT(held(run(m, {tp{4}, sp{4}, ep{4}, dp{1}}), 0).whole == saturating_count{94} * (2 * 128 + 2 * 4096 + 128 * 4096) + 4096);
});

BOTH_TIMES("modules for multi-token prediction have them too", [] {
  const deployment d = run(catalog::deepseek_v3, {pp{16}, tp{2}, sp{2}, ep{8}, dp{32}}, {}, layout::stages({15, 4}, {1, 1}));
  EXPECT(held(d, 15).whole == 2 * whole_of_a_moe_layer + 7168 + 3LL * 7168);
});

BOTH_TIMES("embeddings whose rows are looked up, and heads that are one", [] {
  model m = catalog::qwen3_30b_a3b;
  const std::int64_t embedding = 151'936LL * 2'048;
  const training t{.vocabulary_multiple = 0};
  EXPECT(held(run(m, {pp{4}, dp{1}}, t), 0).looked_up == embedding && held(run(m, {pp{4}, dp{1}}, t), 0).tied_heads == 0);
  EXPECT(held(run(m, {pp{4}, dp{1}}, t), 3).looked_up == 0 && held(run(m, {pp{4}, dp{1}}, t), 3).tied_heads == 0);
  m.tied_embeddings = true;
  EXPECT(held(run(m, {pp{4}, dp{1}}, t), 3).looked_up == 0 &&
         held(run(m, {pp{4}, dp{1}}, t), 3).tied_heads == 0); // a head of its own
  EXPECT(held(run(m, {tp{2}, dp{1}}, t), 0).looked_up == embedding / 2 &&
         held(run(m, {tp{2}, dp{1}}, t), 0).tied_heads == embedding / 2);
  // Where multi-token prediction is, there is a copy of the embedding.
  EXPECT(held(run(catalog::deepseek_v3, {pp{61}, dp{1}}, t), 60).looked_up == 129'280LL * 7'168);
});

BOTH_TIMES("copies of an embedding", [] {
  const auto holders = [](const deployment& d) { return stage_weights{d, rank_model(d.model, d.strategy)}.embedding_holders(); };
  const model& tied = moeplan_test::gpt_22b;
  EXPECT(tied.tied_embeddings);
  EXPECT(holders(run(tied, {pp{4}, dp{1}})) == 2);
  EXPECT(holders(run(tied, {dp{1}})) == 0);
  EXPECT(holders(run(tied, {pp{4}, vpp{2}, dp{1}}, {.schedule = schedule::zb_v})) == 0); // both ends on one rank
  EXPECT(holders(run(tied, {pp{4}, dp{1}}, {.schedule = schedule::dualpipe})) == 0);     // added up with all other weights
  EXPECT(holders(run(moeplan_test::deepseek_v3_without_mtp, {pp{2}, dp{1}}, {}, layout::balanced())) == 0);
  EXPECT(holders(run(catalog::deepseek_v3, {pp{2}, dp{1}}, {}, layout::balanced())) == 2);
  const deployment d = run(tied, {pp{4}, tp{2}, dp{1}});
  EXPECT(held(d, 0).embeddings && !held(d, 1).embeddings && !held(d, 2).embeddings && held(d, 3).embeddings);
  EXPECT(stage_weights(d, rank_model(d.model, d.strategy)).embedding() == saturating_count{51'200} / 2 * 6144);
});

BOTH_TIMES("copies where a layout puts modules for multi-token prediction", [] {
  model m = catalog::deepseek_v3;
  m.mtp_layers = 2;
  layout l = layout::stages({2, 20}, {1, 10, 1}, {1, 11, 1}, {1, 0});
  l.places_mtp = true;
  const deployment d = run(m, {pp{5}, dp{1}}, {}, l);
  const model rank = rank_model(d.model, d.strategy);
  const stage_weights weights{d, rank};
  EXPECT(weights.embedding_holders() == 3); // the first, and two with modules
  EXPECT(weights.next_holder(0) == 2 && weights.next_holder(2) == 3 && weights.next_holder(3) == 0);
});

BOTH_TIMES("weights that are gathered in FP8", [] {
  const parameter_group<saturating_count> g{.linear = 1000, .routers = 10, .others = 5, .buffers = 7};
  EXPECT(detail::gathered_weights(g, {}) == 2030);
  EXPECT(detail::gathered_weights(g, {.fp8 = fp8_recipe::blockwise}) == 2030);
  EXPECT(detail::gathered_weights(g, {.fp8 = fp8_recipe::blockwise, .fp8_weights = true}) == 1030);
});

} // namespace
