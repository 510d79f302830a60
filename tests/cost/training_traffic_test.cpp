#include <moeplan/cost/training_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>

#include "cost/published_models.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;
using namespace moeplan::literals;

namespace {

using purpose = communication_purpose;
using pass = communication_pass;

/// Communications of one purpose.
struct chosen {
  purpose what = purpose::gradients;
  saturating_count times{};
  saturating_count number{};
  ratio bytes_of_rank{};
  communication last{};

  constexpr void operator()(const communication& c) {
    if (c.purpose != what) return;
    times += c.times;
    number += 1;
    bytes_of_rank = bytes_of_rank + ratio{count{c.group_bytes().value()}, c.senders()};
    last = c;
  }
};

constexpr chosen of_stage(const deployment& d, std::int64_t stage, purpose what) {
  chosen c{.what = what};
  training_traffic{d}.visit_stage(stage, c);
  return c;
}
constexpr chosen of_stages(const deployment& d, purpose what) {
  chosen c{.what = what};
  training_traffic{d}.visit_stages(c);
  return c;
}

/// arXiv 2502.07846, table 5.
constexpr deployment zhang_and_su(sharding how) {
  return {.model = moeplan_test::deepseek_v3_without_mtp,
          .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 128},
          .strategy = {pp{16}, tp{2}, sp{2}, ep{8}, dp{32}},
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = training{.global_batch = 3840,
                               .sequence_length = 4096,
                               .dispatcher = token_dispatcher::all_to_all,
                               .sharding = how,
                               .assumptions = assumptions::memory_analysis()}};
}

// 429,719,552 dense parameters on 32 ranks and 5,820,645,376 of experts on 8, gradients in fp32: 22,037,422,080 bytes.
BOTH_TIMES("gradients and weights of DeepSeek-V3 with ZeRO-1", [] {
  const deployment d = zhang_and_su(sharding::optimizer);
  const chosen gradients = of_stage(d, 3, purpose::gradients);
  EXPECT(gradients.number == 2);
  EXPECT(gradients.bytes_of_rank == ratio{22'037'422'080});
  EXPECT(gradients.last.kind == collective::reduce_scatter && gradients.last.group == groups::edp && gradients.last.ranks == 8);
  EXPECT(of_stage(d, 3, purpose::weights).bytes_of_rank == ratio{22'037'422'080 / 2});
});

// ZeRO (arXiv 1910.02054, section 7): as much as an all-reduce up to gradients, half as much again with parameters.
BOTH_TIMES("what each step of ZeRO communicates", [] {
  deployment d = zhang_and_su(sharding::none);
  d.workload.train.global_batch = 32; // one micro-batch
  d.workload.train.precision.gradients = number_type::bf16;
  const auto all = [&](sharding how) {
    d.workload.train.sharding = how;
    return of_stage(d, 3, purpose::gradients).bytes_of_rank + of_stage(d, 3, purpose::weights).bytes_of_rank;
  };
  const ratio plain = all(sharding::none);
  EXPECT(of_stage(zhang_and_su(sharding::none), 3, purpose::weights).number == 0);
  EXPECT(all(sharding::optimizer) == plain);
  EXPECT(all(sharding::gradients) == plain);
  EXPECT(all(sharding::parameters) * ratio{2} == plain * ratio{3});
});

BOTH_TIMES("gradients that are sharded are reduced in every micro-batch", [] {
  EXPECT(of_stage(zhang_and_su(sharding::optimizer), 3, purpose::gradients).times == 2);
  EXPECT(of_stage(zhang_and_su(sharding::gradients), 3, purpose::gradients).times == 2 * 120);
  EXPECT(of_stage(zhang_and_su(sharding::gradients), 3, purpose::weights).times == 2);
  EXPECT(of_stage(zhang_and_su(sharding::parameters), 3, purpose::weights).times == 2 * 2 * 120);
});

// 8 billion parameters of 4 bytes on 16 ranks: shards on four, copies on four.
BOTH_TIMES("copies of shards", [] {
  training t{.sequence_length = 4096, .dp_replicate = 4, .sharding = sharding::optimizer};
  const deployment d{.model = catalog::llama_3_1_8b, .strategy = {dp{16}}, .workload = t};
  struct both {
    communication scatter{}, reduce{}, gather{};
    constexpr void operator()(const communication& c) {
      (c.kind == collective::reduce_scatter ? scatter : c.kind == collective::all_reduce ? reduce : gather) = c;
    }
  } found;
  training_traffic{d}.visit_stage(0, found);
  EXPECT(found.scatter.ranks == 4 && found.scatter.part == group_part::neighbours && found.scatter.size == 4 * 8'030'261'248);
  EXPECT(found.reduce.ranks == 4 && found.reduce.part == group_part::spread && found.reduce.size == 8'030'261'248);
  EXPECT(found.gather.ranks == 4 && found.gather.part == group_part::neighbours && found.gather.size == 2 * 8'030'261'248);
  // Copies alone: nothing is sharded.
  training copies = t;
  copies.dp_replicate = 16;
  const deployment whole{.model = catalog::llama_3_1_8b, .strategy = {dp{16}}, .workload = copies};
  both only;
  training_traffic{whole}.visit_stage(0, only);
  EXPECT(only.reduce.ranks == 16 && only.reduce.part == group_part::all && only.reduce.size == 4 * 8'030'261'248);
  EXPECT(only.scatter.ranks == 0 && only.gather.ranks == 0);
});

// 58 MoE layers: 116 all-to-alls forward, as many backward.
BOTH_TIMES("all-to-alls of DeepSeek-V3", [] {
  deployment d = zhang_and_su(sharding::optimizer);
  d.workload.train.global_batch = 32;
  EXPECT(of_stages(d, purpose::dispatch).times + of_stages(d, purpose::combine).times == 232);
  d.workload.train.recompute = recompute::full;
  EXPECT(of_stages(d, purpose::dispatch).times + of_stages(d, purpose::combine).times == 348);
});

BOTH_TIMES("transfers between stages", [] {
  const deployment d = zhang_and_su(sharding::optimizer);
  const chosen first = of_stage(d, 0, purpose::pipeline);
  EXPECT(first.number == 1 && first.times == 120 && first.last.size == 4096 / 2 * 7168 * 2);
  EXPECT(first.last.kind == collective::send && first.last.pass == pass::forward && first.last.to_stage == 1);
  const chosen middle = of_stage(d, 7, purpose::pipeline);
  EXPECT(middle.number == 2 && middle.times == 240);
  const chosen last = of_stage(d, 15, purpose::pipeline);
  EXPECT(last.number == 1 && last.last.pass == pass::backward && last.last.to_stage == 14);
  deployment whole = d; // without sequence parallelism every TP rank sends all tokens
  whole.strategy = whole.strategy.with(sp{1});
  EXPECT(of_stage(whole, 0, purpose::pipeline).last.size == 4096 * 7168 * 2);
});

constexpr deployment sixteen_layers(const strategy& s, schedule order = schedule::one_forward_one_backward) {
  model m = moeplan_test::gpt_22b;
  m.layers = 16;
  return {.model = m, .strategy = s, .workload = training{.global_batch = 8, .sequence_length = 1024, .schedule = order}};
}

// Narayanan and others, arXiv 2104.04473, section 4.1: as often as there are chunks; the last rank goes on at the first.
BOTH_TIMES("interleaving sends so many times as much", [] {
  const deployment d = sixteen_layers({pp{4}, vpp{2}, dp{1}});
  EXPECT(of_stage(d, 0, purpose::pipeline).times == (1 + 2) * 8); // chunk 0 forward, chunk 1 both ways
  EXPECT(of_stage(d, 1, purpose::pipeline).times == 4 * 8);
  EXPECT(of_stage(d, 3, purpose::pipeline).times == (2 + 1) * 8);
  EXPECT(of_stages(d, purpose::pipeline).times == 2 * 7 * 8);
});

BOTH_TIMES("the turn of a V sends nothing", [] {
  const deployment d = sixteen_layers({pp{4}, vpp{2}, dp{1}}, schedule::zb_v);
  EXPECT(of_stages(d, purpose::pipeline).times == 2 * 6 * 8);
  EXPECT(of_stage(d, 0, purpose::pipeline).times == 2 * 8);
  const chosen turn = of_stage(d, 3, purpose::pipeline);
  EXPECT(turn.times == 2 * 8 && turn.last.to_stage == 2);
  EXPECT(of_stages(d, purpose::tied_embedding).number == 0);
});

BOTH_TIMES("both directions of DualPipe", [] {
  const deployment d = sixteen_layers({pp{4}, dp{2}}, schedule::dualpipe); // four micro-batches
  EXPECT(of_stages(d, purpose::pipeline).times == 2 * 3 * 4);
  EXPECT(of_stage(d, 1, purpose::pipeline).times == 2 * 2 * 2);
  // Two stages of a rank, each reduced among its two DP ranks and with the rank at the other end.
  const chosen gradients = of_stage(d, 1, purpose::gradients);
  EXPECT(gradients.number == 2);
  EXPECT(gradients.last.group == groups::pp && gradients.last.ranks == 2 && gradients.last.to_stage == 2);
});

BOTH_TIMES("a tied embedding is reduced between first and last stage", [] {
  const deployment d = sixteen_layers({pp{4}, tp{2}, dp{1}});
  const chosen all = of_stages(d, purpose::tied_embedding);
  EXPECT(all.number == 2 && all.last.from_stage == 3 && all.last.to_stage == 0);
  EXPECT(all.last.ranks == 2 && all.last.size == 51'200 / 2 * 6144 * 4);
  EXPECT(of_stage(d, 1, purpose::tied_embedding).number == 0);
});

BOTH_TIMES("parameters that TP ranks hold whole", [] {
  const chosen whole = of_stage(zhang_and_su(sharding::optimizer), 3, purpose::whole_parameters);
  EXPECT(whole.number == 1 && whole.last.group == groups::tp && whole.last.kind == collective::all_reduce);
});

BOTH_TIMES("stages alike", [] {
  const deployment d = zhang_and_su(sharding::optimizer);
  const training_traffic traffic{d};
  EXPECT(traffic.stages_alike(0) == 1);
  EXPECT(traffic.stages_alike(1) == 14);
  EXPECT(traffic.stages_alike(15) == 1);
});

BOTH_TIMES("a run of one GPU communicates nothing", [] {
  struct any {
    bool called = false;
    constexpr void operator()(const communication&) { called = true; }
  } visited;
  const deployment d = sixteen_layers({dp{1}});
  training_traffic{d}.visit_stages(visited);
  EXPECT(!visited.called);
});

constexpr deployment resolved = sixteen_layers({pp{2}, dp{2}});
constexpr deployment unresolved = sixteen_layers({pp{2}});
static_assert(moeplan_test::is_constant<decltype([] { return training_traffic{resolved}.stages(); })>);
static_assert(!moeplan_test::is_constant<decltype([] { return training_traffic{unresolved}.stages(); })>);

BOTH_TIMES("what does not fit says so", [] {
  deployment d = sixteen_layers({pp{2}, dp{2}});
  d.workload.train.global_batch = INT64_MAX - 1;
  struct last_of_all {
    saturating_count bytes{};
    constexpr void operator()(const communication& c) {
      if (c.purpose == purpose::pipeline) bytes = c.group_bytes();
    }
  } last;
  training_traffic{d}.visit_stage(0, last);
  EXPECT(last.bytes.overflowed());
});

} // namespace
