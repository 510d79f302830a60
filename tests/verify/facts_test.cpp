#include <moeplan/verify/facts.hpp>

#include "support/both_times.hpp"
#include "verify/examples.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

BOTH_TIMES("both grids of a legal deployment", [] {
  const facts f = facts_of(trained);
  EXPECT(f.knows(known::grids | known::cluster | known::model | known::experts | known::placement | known::layout));
  EXPECT(f.knows(known::training | known::batch | known::sequence) && !f.knows(known::serving));
  EXPECT(f.gpus == 32 && f.available == 32 && f.stage_gpus == 16 && f.model_parallel == 8);
  EXPECT(f.expert_ranks == 8 && f.edp == 2);
  EXPECT(f.edp_if_etp_is_tp == 1);
  EXPECT(f.dense_before_pp == 16 && f.expert_before_pp == 16);
  EXPECT(f.batch_unit == 8);
});

BOTH_TIMES("what is not known", [] {
  EXPECT(!facts_of(trained_with(tp{0})).knows(known::tp));
  EXPECT(!facts_of(trained_with(tp{0})).knows(known::no_overflow));
  EXPECT(!facts_of(without(axis::dp, changed(trained, [](auto& d) { d.cluster = {}; }))).knows(known::dp));
  EXPECT(!facts_of(trained_with(mapping::product)).knows(known::folded));
  EXPECT(!facts_of(trained_with(ep{3})).knows(known::experts_fit));
  EXPECT(facts_of(trained_with(ep{3})).edp == 0);
  EXPECT(!facts_of(changed(trained, [](auto& d) { d.model.hidden_size = 0; })).knows(known::model));
  EXPECT(!facts_of(changed(trained, [](auto& d) { d.model.mtp_layers = -1; })).knows(known::model));
  EXPECT(!facts_of(changed(trained, [](auto& d) { d.cluster.nodes = -4; })).knows(known::cluster));
  EXPECT(!facts_of(deployment{}).knows(known::experts));
});

BOTH_TIMES("how far NVLink reaches", [] {
  const auto on = [](cluster c) { return facts_of(changed(trained, [&c](auto& d) { d.cluster = c; })); };
  EXPECT(on({.gpus_per_node = 8, .nodes = 4}).nvlink_gpus == 8);
  EXPECT(on({.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72}).nvlink_gpus == 72);
  EXPECT(on({.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72}).knows(known::nodes | known::spread));
  EXPECT(!on({.total = 32}).knows(known::nodes));
  EXPECT(!on({.gpus_per_node = 8, .nodes = 4, .nvlink_domain = 12}).knows(known::nodes));
  EXPECT(on({.gpus_per_node = 4096, .nodes = 1}).knows(known::nodes));
  EXPECT(!on({.gpus_per_node = 4097, .nodes = 1}).knows(known::nodes));
});

BOTH_TIMES("on how many NVLink domains groups lie", [] {
  const auto in_order = [](const char* order) { return facts_of(trained_with(rank_order{order})); };
  EXPECT(in_order("tp-cp-ep-dp-pp").best_order == 0); // Nothing had to be computed.
  // DP 4 and EDP 2 first: of TP 2, CP 2 and EP 8 two, two and four ranks are on a node.
  const facts apart = in_order("dp-tp-cp-ep-pp");
  EXPECT(apart.tp_domains == 1 && apart.cp_domains == 2 && apart.etp_domains == 1 && apart.ep_domains == 2);
  EXPECT(apart.fewest_tp_domains == 1 && apart.fewest_cp_domains == 1 && apart.fewest_ep_domains == 1);
  EXPECT(apart.best_order == 12345);
  EXPECT(!in_order("dp-cp-ep-pp").knows(known::spread));
  EXPECT(!facts_of(in(profile::vllm, trained)).knows(known::spread));
});

BOTH_TIMES("an absent DP is derived", [] {
  const facts f = facts_of(without(axis::dp));
  EXPECT(f.dp == 4 && !f.dp_given && f.knows(known::dp));
  EXPECT(f.gpus == 32);
});

BOTH_TIMES("absent virtual stages come from a listed layout", [] {
  const deployment d = changed(without(axis::vpp), [](auto& e) { e.layout = layout::stages({6, 1}, {2, 1}); });
  EXPECT(facts_of(d).vpp == 4);
  EXPECT(facts_of(d).listed_stages == 8 && facts_of(d).listed_layers == 8 && facts_of(d).last_chunk == 6);
  EXPECT(facts_of(changed(d, [](auto& e) { e.strategy.set(axis::vpp, 2); })).vpp == 2);
  EXPECT(facts_of(changed(d, [](auto& e) { e.layout = layout::stages({7, 1}); })).vpp == 1);
});

BOTH_TIMES("the intermediate size counts where a layer is dense", [] {
  const auto dense_mlp = [](layer_set moe) {
    return facts_of(changed(trained, [&](auto& d) { d.model.experts.layers = moe; })).dense_mlp;
  };
  EXPECT(dense_mlp(layer_set::after_first(1)) == 1024);
  EXPECT(dense_mlp(layer_set::all()) == 0);
  EXPECT(dense_mlp(layer_set::every_nth(2, 0)) == 1024);
  EXPECT(dense_mlp(layer_set::after_first(-1)) == 0); // Not well-formed: not known.
  EXPECT(facts_of(changed(trained, [](auto& d) { d.model.experts = {}; })).dense_mlp == 1024);
});

BOTH_TIMES("the stages between first and last", [] {
  const auto between = [](std::int64_t stages, optional_integer first, optional_integer last) {
    return facts_of(changed(trained_with(pp{stages}), [&](auto& d) { d.layout = layout::first_last(first, last); }));
  };
  EXPECT(between(4, 1, 3).middle_layers == 4 && between(4, 1, 3).middle_stages == 2);
  EXPECT(between(4, {}, 3).middle_layers == 5 && between(4, {}, 3).middle_stages == 3);
  EXPECT(between(4, 9, 3).middle_layers == -4);
  EXPECT(between(4, INT64_MAX, INT64_MAX).middle_layers == INT64_MIN);
  EXPECT(between(4, 0, 3).middle_layers == 0);
  EXPECT(between(INT64_MIN, 1, 1).middle_stages == 0);
});

BOTH_TIMES("where multi-token prediction stands in a listed layout", [] {
  const auto facts_with = [](layout l, bool places) {
    l.places_mtp = places;
    return facts_of(changed(trained, [&](auto& d) { d.layout = l; }));
  };
  const layout l = layout::stages({2, 2}, {1, 1, 1}, {3, 1});
  EXPECT(facts_with(l, true).mtp_stages == 1 && facts_with(l, true).mtp_stage == 2);
  EXPECT(facts_with(l, true).layers_after_mtp == 3);
  EXPECT(facts_with(l, true).listed_mtp == 1);
  EXPECT(facts_with(l, false).mtp_stages == 0 && facts_with(l, false).layers_after_mtp == 0);
});

BOTH_TIMES("redundant copies are experts too", [] {
  EXPECT(facts_of(served).physical_experts == 24);
  EXPECT(facts_of(trained).physical_experts == 16);
  EXPECT(facts_of(changed(served, [](auto& d) { d.workload.serve.redundant_experts = -8; })).physical_experts == 16);
  EXPECT(facts_of(changed(served, [](auto& d) { d.workload.serve.redundant_experts = INT64_MAX; })).physical_experts == 0);
});

BOTH_TIMES("the GPUs of a stage that share experts", [] {
  EXPECT(facts_of(served).sharing_gpus == 16 && facts_of(served).moe_dp == 2 && facts_of(served).knows(known::whole_sets));
  constexpr deployment replicas = changed(served, [](auto& d) { d.workload.serve.data_parallelism = data_parallelism::replicas; });
  EXPECT(facts_of(replicas).sharing_gpus == 4 && facts_of(replicas).moe_dp == 0 && !facts_of(replicas).knows(known::whole_sets));
  EXPECT(facts_of(changed(replicas, [](auto& d) { d.strategy.set(axis::ep, 2); })).moe_dp == 2);
  EXPECT(facts_of(trained).sharing_gpus == 0 && !facts_of(trained).knows(known::whole_sets)); // a question of serving
});

BOTH_TIMES("what is shared, and how often", [] {
  const auto copies = [](std::int64_t n) {
    return facts_of(changed(trained, [n](auto& d) { d.workload.train.dp_replicate = n; }));
  };
  EXPECT(copies(2).dp_shard == 2 && copies(2).knows(known::replicate));
  EXPECT(copies(3).dp_shard == 0 && copies(3).knows(known::replicate));
  EXPECT(copies(0).dp_shard == 0 && !copies(0).knows(known::replicate));
  EXPECT(facts_of(trained).micro_batch_tokens == 2048);
  EXPECT(facts_of(changed(trained, [](auto& d) { d.workload.train.micro_batch = INT64_MAX; })).micro_batch_tokens == 0);
  EXPECT(facts_of(changed(served, [](auto& d) { d.strategy.set(axis::etp, 2); })).expert_share == 128);
  EXPECT(facts_of(changed(served, [](auto& d) { d.strategy.set(axis::etp, 3); })).expert_share == 0);
  EXPECT(facts_of(trained).order_is_default && !facts_of(trained_with(rank_order{"tp-cp-ep-pp-dp"})).order_is_default);
});

BOTH_TIMES("micro-batches of a step, where it is said how many sequences that has", [] {
  const auto with_batch = [](optional_integer sequences, std::int64_t pipeline = 2) {
    return facts_of(changed(trained_with(pp{pipeline}), [&](auto& d) { d.workload.train.global_batch = sequences; }));
  };
  EXPECT(with_batch(64).micro_batches == 8 && with_batch(64).knows(known::micro_batches)); // of two sequences, on DP 4
  EXPECT(with_batch(64).rounds == 4 && with_batch(64, 3).rounds == 2 && with_batch(64, 9).rounds == 0);
  EXPECT(with_batch(64, 0).rounds == 0 && with_batch(64, 0).micro_batches == 8);
  for (const optional_integer none : {optional_integer{}, optional_integer{60}, optional_integer{0}, optional_integer{-8}})
    EXPECT(with_batch(none).micro_batches == 0 && !with_batch(none).knows(known::micro_batches));
  EXPECT(!facts_of(served).knows(known::micro_batches));
  EXPECT(!facts_of(changed(trained, [](auto& d) { d.workload.train.micro_batch = INT64_MAX; })).knows(known::micro_batches));
});

} // namespace
