// How chunks, states and buffers make up a stage. What they are themselves is tested with the other headers, and whole stages against
// measurements in b200_test.cpp.
#include <moeplan/memory/training_memory.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr std::int64_t tokens = 4096;

/// Llama-3 8B: 32 layers, a hidden state of 8 KiB a token.
constexpr deployment llama(const strategy& s, std::int64_t micro_batches, schedule order = schedule::one_forward_one_backward) {
  return {.model = catalog::llama_3_1_8b,
          .strategy = s,
          .workload = training{.global_batch = micro_batches * s[axis::dp], .sequence_length = tokens, .schedule = order}};
}

constexpr std::int64_t residual = 2 * tokens * 4096;

/// The most that a rank holds of chunks that keep a million and need a thousand for gradients of weights, without buffers.
constexpr saturating_count held(const deployment& d, std::int64_t rank) {
  chunk_memory chunks[training_memory<>::most_chunks]{};
  for (chunk_memory& c : chunks) {
    c.kept = c.forward_peak = c.backward_peak = 1'000'000;
    c.for_weights = 1'000;
  }
  const training_memory memory{d};
  const auto peak = memory.peak_of(rank, chunks, memory.chunks(), false, false);
  return peak.highest - peak.buffers;
}

constexpr std::int64_t m = 1'000'000;

BOTH_TIMES("1F1B holds a micro-batch for each stage from here to the end, and no more than there are", [] {
  const deployment d = llama({pp{4}, dp{1}}, 8);
  for (std::int64_t rank = 0; rank < 4; ++rank) {
    EXPECT(held(d, rank) == (4 - rank) * m);
    EXPECT(held(llama({pp{4}, dp{1}}, 2), rank) == (rank < 3 ? 2 : 1) * m);
    EXPECT(held(llama({pp{4}, dp{1}}, 1), rank) == m);
  }
});

BOTH_TIMES("interleaved: twice the stages behind, all other chunks, and the one at work", [] {
  // 2 (PP - 1 - rank) + (VPP - 1) PP + 1.
  const deployment d = llama({pp{4}, vpp{2}, dp{1}}, 8);
  EXPECT(held(d, 0) == 11 * m);
  EXPECT(held(d, 1) == 9 * m);
  EXPECT(held(d, 2) == 7 * m);
  EXPECT(held(d, 3) == 5 * m);
  const deployment four = llama({pp{4}, vpp{4}, dp{1}}, 8);
  EXPECT(held(four, 0) == 19 * m);
  EXPECT(held(four, 3) == 13 * m);
});

BOTH_TIMES("GPipe holds all of a step", [] {
  for (std::int64_t rank = 0; rank < 4; ++rank) EXPECT(held(llama({pp{4}, dp{1}}, 8, schedule::gpipe), rank) == 8 * m);
});

BOTH_TIMES("ZB-H1 holds what 1F1B holds, and what the weights of so many more need as there are stages before", [] {
  const deployment d = llama({pp{4}, dp{1}}, 8, schedule::zb_h1);
  for (std::int64_t rank = 0; rank < 4; ++rank) EXPECT(held(d, rank) == (4 - rank) * m + rank * 1'000);
  const deployment twice = llama({pp{4}, dp{1}}, 16, schedule::zb_h2);
  for (std::int64_t rank = 0; rank < 4; ++rank) EXPECT(held(twice, rank) == (7 - 2 * rank) * m + 2 * rank * 1'000);
});

BOTH_TIMES("DualPipe holds PP + 1 on every rank", [] {
  const deployment d = llama({pp{4}, dp{1}}, 20, schedule::dualpipe);
  for (std::int64_t rank = 0; rank < 4; ++rank) EXPECT(held(d, rank) == 5 * m);
});

BOTH_TIMES("peaks count for the chunk at work, and there the higher of both passes", [] {
  const deployment d = llama({pp{4}, dp{1}}, 8);
  const training_memory memory{d};
  chunk_memory c{.kept = 10 * m, .for_weights = 0, .forward_peak = 13 * m, .backward_peak = 12 * m};
  const auto forward = memory.peak_of(1, &c, 1, false, false);
  EXPECT(forward.highest - forward.buffers == (2 * 10 + 13) * m);
  EXPECT(!forward.in_backward_pass());
  c.backward_peak = 14 * m;
  const auto backward = memory.peak_of(1, &c, 1, false, false);
  EXPECT(backward.highest - backward.buffers == (2 * 10 + 14) * m);
  EXPECT(backward.in_backward_pass());
});

BOTH_TIMES("DualPipe adds a forward pass of one chunk and a backward pass of the other", [] {
  const deployment d = llama({pp{4}, dp{1}}, 20, schedule::dualpipe);
  const training_memory memory{d};
  const chunk_memory chunks[] = {{.kept = 10 * m, .forward_peak = 13 * m, .backward_peak = 11 * m},
                                 {.kept = 100 * m, .forward_peak = 120 * m, .backward_peak = 150 * m}};
  // Rank 1 holds three of its own stage and two of the other direction's: (2 x 10 + 13) + (1 x 100 + 150).
  const auto peak = memory.peak_of(1, chunks, 2, false, false);
  EXPECT(peak.highest - peak.buffers == 283 * m);
});

BOTH_TIMES("what passes between stages: a gradient received, a gradient sent, an input of the micro-batch before", [] {
  const deployment d = llama({pp{4}, dp{1}}, 8);
  const training_memory memory{d};
  const chunk_memory in_forward{.kept = m, .forward_peak = 1000 * m, .backward_peak = m};
  const chunk_memory in_backward{.kept = m, .forward_peak = m, .backward_peak = 1000 * m};
  EXPECT(memory.peak_of(0, &in_forward, 1, true, false).buffers == residual);
  EXPECT(memory.peak_of(0, &in_backward, 1, true, false).buffers == residual);
  EXPECT(memory.peak_of(1, &in_forward, 1, false, false).buffers == 2 * residual);
  EXPECT(memory.peak_of(1, &in_backward, 1, false, false).buffers == 2 * residual);
  EXPECT(memory.peak_of(3, &in_forward, 1, false, true).buffers == 2 * residual);
  EXPECT(memory.peak_of(3, &in_backward, 1, false, true).buffers == residual);
});

BOTH_TIMES("there was none before the first of a single one; one stage alone passes nothing", [] {
  const chunk_memory c{.kept = m, .forward_peak = m, .backward_peak = m};
  const deployment single = llama({pp{4}, dp{1}}, 1);
  const training_memory one{single};
  EXPECT(one.peak_of(0, &c, 1, true, false).buffers == residual);
  EXPECT(one.peak_of(1, &c, 1, false, false).buffers == residual);
  EXPECT(one.peak_of(3, &c, 1, false, true).buffers == 0);
  const deployment alone = llama({pp{1}, dp{1}}, 8);
  EXPECT(training_memory{alone}.peak_of(0, &c, 1, true, true).buffers == 0);
});

BOTH_TIMES("a stage adds up its chunk for each micro-batch in flight", [] {
  const deployment d = llama({pp{4}, dp{1}}, 8);
  const training_memory memory{d};
  for (std::int64_t rank = 0; rank < 4; ++rank) {
    const stage_contents held_there = memory.contents_of(rank, 0);
    const chunk_memory c =
        chunk_memory_of(d.model, memory.blocks(), d.workload.train, held_there, parts_of_stage(d.model, held_there));
    const auto s = memory.stage(rank);
    const saturating_count peak = s.time == peak_time::backward_pass ? c.backward_peak : c.forward_peak;
    EXPECT(s.activations == c.kept * (4 - rank) - c.kept + peak);
    EXPECT(s.place == (s.time == peak_time::backward_pass ? c.backward_at : c.forward_at));
    EXPECT(s.kv_cache == 0);
  }
});

/// Every stage by itself, without what the one before left behind.
struct each_alone {
  const training_memory<>* memory;
  std::int64_t rank = 0;
  bool same = true;
  std::int64_t layers = 0;
  constexpr void operator()(const training_memory<>::stage_bytes& s) noexcept {
    same = same && s == memory->stage(rank) && s.stage == rank;
    layers += s.layers;
    ++rank;
  }
};

constexpr bool same_alone(const deployment& d, std::int64_t times = 1) {
  const training_memory memory{d};
  each_alone each{.memory = &memory};
  memory.visit_stages(each);
  return each.same && each.rank == memory.stages() && each.layers == times * d.model.layers;
}

constexpr deployment v3(schedule order = schedule::one_forward_one_backward, recompute how = recompute::none) {
  return {.model = catalog::deepseek_v3,
          .strategy = {pp{16}, ep{64}, dp{128}},
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = training{.global_batch = 15360,
                               .sequence_length = tokens,
                               .recompute = how,
                               .dispatcher = token_dispatcher::all_to_all,
                               .sharding = sharding::optimizer,
                               .schedule = order}};
}

BOTH_TIMES("stages that hold the same are computed once, with the same result: DeepSeek-V3", [] { EXPECT(same_alone(v3())); });

BOTH_TIMES("and with full recompute", [] { EXPECT(same_alone(v3(schedule::one_forward_one_backward, recompute::full))); });

BOTH_TIMES("and Llama-3", [] {
  EXPECT(same_alone(llama({pp{8}, dp{1}}, 16)));
  EXPECT(same_alone(llama({pp{4}, vpp{2}, dp{1}}, 16)));
  EXPECT(same_alone(llama({pp{4}, dp{1}}, 16, schedule::zb_h1)));
  // Every rank of DualPipe holds two stages.
  EXPECT(same_alone(llama({pp{4}, dp{1}}, 16, schedule::dualpipe), 2));
});

BOTH_TIMES("and Qwen3-Next, whose layers differ in their attention", [] {
  deployment d = llama({pp{8}, ep{2}, dp{2}}, 16);
  d.model = catalog::qwen3_next_80b_a3b;
  d.layout = layout::balanced();
  EXPECT(same_alone(d));
});

BOTH_TIMES("stages that hold as many of each kind of layer in another order are not the same", [] {
  deployment d = llama({pp{6}, ep{2}, dp{2}}, 16);
  d.model = catalog::deepseek_v2_lite;
  d.model.layers = 24;
  d.model.experts.layers = layer_set::every_nth(5, 4); // of four layers the first, on the next stage the second, and so on
  d.workload.train.dispatcher = token_dispatcher::all_to_all;
  EXPECT(same_alone(d));
  const training_memory memory{d};
  EXPECT(memory.stage(3).parameters() == memory.stage(4).parameters());
  EXPECT(memory.stage(4).place.block == block::moe_mlp && memory.stage(4).place.layer == 19);
  EXPECT(memory.stage(3).place.layer != 15 || memory.stage(3).place.block != block::moe_mlp);
});

BOTH_TIMES("the layer at work is named by its number in the model, stage by stage", [] {
  const deployment d = v3();
  const training_memory memory{d};
  for (const std::int64_t rank : {1, 2, 7, 14}) EXPECT(memory.stage(rank).place.layer == 4 * rank + 3);
});

BOTH_TIMES("stages hold all parameters of a model, once", [] {
  deployment d = llama({pp{8}, dp{1}}, 8);
  d.workload.train.vocabulary_multiple = 0;
  const training_memory memory{d};
  saturating_count all;
  for (std::int64_t rank = 0; rank < 8; ++rank) all += memory.stage(rank).parameters();
  EXPECT(all == 8'030'261'248); // of Llama-3.1-8B's checkpoint
});

BOTH_TIMES("DualPipe's ranks hold their stage and its mirror image", [] {
  const deployment d = v3(schedule::dualpipe);
  const deployment one_way = v3();
  const training_memory both{d};
  const training_memory single{one_way};
  for (const std::int64_t rank : {0, 5, 15}) {
    EXPECT(both.stage(rank).parameters() == single.stage(rank).parameters() + single.stage(15 - rank).parameters());
    EXPECT(both.stage(rank).weights == both.stage(15 - rank).weights);
  }
});

BOTH_TIMES("first dense layers, middle and last stage with head and multi-token prediction differ", [] {
  const deployment d = v3();
  const training_memory memory{d};
  EXPECT(memory.stage(0).expert_parameters * 4 == memory.stage(1).expert_parameters);
  EXPECT(memory.stage(0).layers == 4 && memory.stage(15).layers == 1);
  EXPECT(memory.stage(15).place.block == block::head);
  // The last stage has a layer and multi-token prediction's: half the experts of a middle stage.
  EXPECT(memory.stage(15).expert_parameters * 2 == memory.stage(1).expert_parameters);
});

BOTH_TIMES("states are shared by DP x CP ranks, those of experts by EDP ranks", [] {
  const deployment d = v3();
  const auto s = training_memory{d}.stage(1);
  // 128 ranks share the dense states, two those of experts; four layers have correction biases, which have no states.
  const saturating_count trained = s.dense_parameters - saturating_count{4} * 256;
  EXPECT(s.weights == (trained + s.expert_parameters) * 2 + saturating_count{4} * 256 * 4);
  EXPECT(s.gradients == (trained + s.expert_parameters) * 4);
  EXPECT(s.optimizer == (trained + 127) / 128 * 12 + s.expert_parameters / 2 * 12);
  EXPECT(training_memory{d}.ranks().dense == 128 && training_memory{d}.ranks().experts == 2);
});

BOTH_TIMES("copies of what is sharded share nothing", [] {
  deployment d = v3();
  d.workload.train.dp_replicate = 2;
  EXPECT(training_memory{d}.ranks().dense == 64 && training_memory{d}.ranks().experts == 1);
  d.workload.train.dp_replicate = 4;
  EXPECT(training_memory{d}.ranks().dense == 32 && training_memory{d}.ranks().experts == 1);
});

BOTH_TIMES("CP ranks share dense states too, unless an assumption says otherwise", [] {
  deployment d = llama({cp{4}, dp{2}}, 4);
  EXPECT(training_memory{d}.ranks().dense == 8);
  d.workload.train.assumptions = assumptions::megatron_estimator();
  EXPECT(training_memory{d}.ranks().dense == 2);
});

BOTH_TIMES("DP that is not given is what the cluster leaves", [] {
  deployment d = llama({tp{2}, pp{4}, dp{1}}, 8);
  d.strategy = {tp{2}, pp{4}};
  d.cluster.total = 64;
  EXPECT(training_memory{d}.strategy()[axis::dp] == 8);
  deployment given = d;
  given.strategy = d.strategy.with(dp{8});
  EXPECT(training_memory{d}.stage(0) == training_memory{given}.stage(0));
});

/// Next to no activations.
constexpr deployment short_sequence(const strategy& s) {
  deployment d = llama(s, 1);
  d.workload.train.sequence_length = 8;
  d.workload.train.sharding = sharding::optimizer;
  return d;
}

BOTH_TIMES("the start of a run may be its peak: weights twice, and gradients", [] {
  const deployment d = short_sequence({dp{64}});
  const auto s = training_memory{d}.stage(0);
  EXPECT(s.time == peak_time::start);
  EXPECT(s.peak() == s.parameters() * 8);
  EXPECT(s.activations == 0 && s.optimizer == 0);
  EXPECT(s.place == work_place{});
  // Only Megatron-LM has one buffer for them, and only many ranks have so few states.
  deployment other = d;
  other.profile = profile::universal;
  EXPECT(training_memory{other}.stage(0).time != peak_time::start);
  const deployment few = short_sequence({dp{2}});
  EXPECT(training_memory{few}.stage(0).time != peak_time::start);
});

BOTH_TIMES("so may the update: fp32 copies of bf16 gradients", [] {
  deployment d = short_sequence({dp{2}});
  d.profile = profile::universal;
  d.workload.train.sharding = sharding::none;
  d.workload.train.precision.gradients = number_type::bf16;
  const auto s = training_memory{d}.stage(0);
  EXPECT(s.time == peak_time::update);
  EXPECT(s.peak() == s.parameters() * 20); // 2 + 2 + 12 + 4
  EXPECT(s.workspace == s.parameters() * 4 && s.activations == 0);
  // A shard is copied, where there are shards.
  d.workload.train.sharding = sharding::optimizer;
  const auto sharded = training_memory{d}.stage(0);
  EXPECT(sharded.peak() == sharded.parameters() * (4 + 8));
  // Optimizers whose moments are not fp32 take gradients as they are.
  d.workload.train.precision.first_moment = number_type::bf16;
  EXPECT(training_memory{d}.stage(0).time != peak_time::update);
});

BOTH_TIMES("what is in the host's memory is in no peak", [] {
  deployment d = llama({pp{4}, dp{1}}, 8);
  const auto before = training_memory{d}.stage(1);
  d.workload.train.optimizer_offload = ratio{1, 2};
  const auto s = training_memory{d}.stage(1);
  EXPECT(s.host * 2 == before.optimizer);
  EXPECT(s.peak() + s.host == before.peak());
});

BOTH_TIMES("workspaces are Megatron-LM's under its profile, and those of sharding under any", [] {
  deployment d = llama({pp{4}, dp{2}}, 8);
  d.profile = profile::universal;
  const auto s = training_memory{d}.stage(1);
  EXPECT(s.workspace == 2 * residual);
  d.workload.train.sharding = sharding::gradients;
  EXPECT(training_memory{d}.stage(1).workspace > s.workspace);
  d.workload.train.sharding = sharding::none;
  d.profile = profile::megatron;
  EXPECT(training_memory{d}.stage(1).workspace > s.workspace);
});

BOTH_TIMES("interleaved stages: states of all chunks of a rank, and peaks of the one at work", [] {
  const deployment d = llama({pp{4}, vpp{2}, dp{1}}, 8);
  const deployment plain = llama({pp{4}, dp{1}}, 8);
  const training_memory memory{d};
  const training_memory without{plain};
  for (std::int64_t rank = 0; rank < 4; ++rank) {
    EXPECT(memory.stage(rank).parameters() == without.stage(rank).parameters());
    EXPECT(memory.stage(rank).layers == 8);
  }
  EXPECT(memory.stage(1).activations > without.stage(1).activations);
  EXPECT(memory.stage(3).chunk == 1 && memory.stage(3).place.block == block::head);
});

BOTH_TIMES("a run that says nothing of its batch has one micro-batch a step", [] {
  deployment d = llama({pp{4}, dp{1}}, 1);
  const auto s = training_memory{d}.stage(0);
  d.workload.train.global_batch = {};
  EXPECT(training_memory{d}.stage(0) == s);
});

} // namespace
