#include <moeplan/dialect/torchtitan.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/verify/check.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr deployment on(const model& m, std::int64_t gpus) { return {.model = m, .cluster = {.total = gpus}}; }

constexpr deployment read_on(std::int64_t gpus, text flags, const model& m = catalog::mixtral_8x7b) {
  return read_torchtitan(flags, on(m, gpus)).deployment;
}

template <std::size_t N>
constexpr bool deals(const dialect::detail::torchtitan_split& split, const std::int64_t (&expected)[N]) {
  for (std::size_t i = 0; i < N; ++i)
    if (split(static_cast<std::int64_t>(i)) != expected[i]) return false;
  return true;
}

} // namespace

// parallel_dims.py: dp_shard -1 is world / (dp_replicate x cp x tp x pp); EP divides dp_shard x cp x tp. Experts are cut by TP only
// without EP (models/common/moe_sharding.py).
BOTH_TIMES("what the degrees mean", [] {
  EXPECT(read_on(8, "--parallelism.tensor_parallel_degree 2 --parallelism.expert_parallel_degree 4").strategy ==
         strategy(tp{2}, pp{1}, vpp{1}, ep{4}, etp{1}, dp{4}, cp{1}, sp{2}));
  EXPECT(read_on(8, "--parallelism.tensor_parallel_degree=2").strategy ==
         strategy(tp{2}, pp{1}, vpp{1}, ep{1}, etp{2}, dp{4}, cp{1}, sp{2}));
  EXPECT(
      read_on(16, "--parallelism.data_parallel_replicate_degree 2 --parallelism.data_parallel_shard_degree 8").strategy[axis::dp] ==
      16);
  EXPECT(read_on(8, "--parallelism.tensor-parallel-degree 2 --parallelism.no-enable-sequence-parallel").strategy[axis::sp] == 1);
});

// parallel_dims.py: dp_replicate x dp_shard is DP; "expert_parallel_degree must divide dp_shard * cp * tp".
BOTH_TIMES("replicas shard nothing, and lend EP no ranks", [] {
  EXPECT(read_on(16, "--parallelism.data_parallel_replicate_degree 2 --parallelism.data_parallel_shard_degree 8")
             .workload.train.dp_replicate == 2);
  const deployment leftover = read_on(16, "--parallelism.data_parallel_replicate_degree 2");
  EXPECT(leftover.strategy[axis::dp] == 16 && leftover.workload.train.dp_replicate == 2);
  EXPECT(read_on(16, "").workload.train.dp_replicate == 1);
  deployment d = read_on(8,
                         "--parallelism.data_parallel_replicate_degree 4 --parallelism.data_parallel_shard_degree 2 "
                         "--parallelism.expert_parallel_degree 8");
  d.profile = profile::torchtitan;
  EXPECT(d.strategy[axis::dp] == 8 && d.workload.train.dp_replicate == 4);
  EXPECT(check(d).contains(rule::ep_divides_sharded_ranks));
});

// config/job_config.py until June 2026 (pytorch/torchtitan#3666): "'allgather' means to all-gather all kv shards on ranks [...],
// 'alltoall' means to all-to-all shuffle the kv shards"; models/common/attention.py:798 of today: "CP all-gathers k/v".
BOTH_TIMES("how context-parallel ranks exchange keys and values", [] {
  const auto exchange = [](text line) { return read_on(8, line).workload.train.context; };
  EXPECT(exchange("--parallelism.context_parallel_degree 2") == context_exchange::all_gather);
  EXPECT(exchange("--parallelism.context_parallel_degree 2 --parallelism.context_parallel_rotate_method allgather") ==
         context_exchange::all_gather);
  EXPECT(exchange("--parallelism.context_parallel_degree 2 --parallelism.context_parallel_rotate_method alltoall") ==
         context_exchange::ring);
  EXPECT(exchange("--parallelism.context_parallel_rotate_method allgather") == training{}.context); // nobody to exchange with
});

// configs.py: batches in tokens; a step is by itself one micro-batch of each rank for every pipeline micro-batch.
BOTH_TIMES("batches are counted in tokens", [] {
  const training t = read_on(8,
                             "--training.max_context_length 4096 --training.num_tokens_per_microbatch_per_dp_rank 8192 "
                             "--training.num_tokens_per_train_step 262144")
                         .workload.train;
  EXPECT(t.sequence_length == 4096 && t.micro_batch == 2 && t.global_batch == optional_integer{64});
  const training by_itself = read_on(8, "").workload.train; // 16384 tokens of 2048 on 8 ranks
  EXPECT(by_itself.sequence_length == 2048 && by_itself.micro_batch == 8 && by_itself.global_batch == optional_integer{64});
  const training piped = read_on(8, "--parallelism.pipeline_parallel_degree 4 --parallelism.num_pp_microbatches 8").workload.train;
  EXPECT(piped.global_batch == optional_integer{128});
  EXPECT(!read_torchtitan("--training.max_context_length 3000", on(catalog::mixtral_8x7b, 8)).ok());
});

BOTH_TIMES("older options", [] {
  const training t = read_on(8,
                             "--training.seq_len 4096 --training.local_batch_size 4 --training.global_batch_size 64 "
                             "--activation_checkpoint.mode full --parallelism.expert_parallel_comm_backend deepep")
                         .workload.train;
  EXPECT(t.sequence_length == 4096 && t.micro_batch == 4 && t.global_batch == optional_integer{64});
  EXPECT(t.recompute == recompute::full && t.dispatcher == token_dispatcher::deepep);
});

BOTH_TIMES("recompute is a subcommand, and by itself selective", [] {
  EXPECT(read_on(8, "").workload.train.recompute == recompute::selective);
  EXPECT(read_on(8, "activation-checkpoint:none").workload.train.recompute == recompute::none);
  EXPECT(!read_torchtitan("activation-checkpoint:memory-budget", {}).ok());
});

// pipeline_parallel.py, _generate_llm_fqn_per_model_part: its docstring's example deals out 2 + 3 + 2 layers on 2 stages.
BOTH_TIMES("how layers are dealt out", [] {
  EXPECT(deals({.layers = 3, .first_less = 2, .last_less = 2, .stages = 2}, {2, 1}));
  EXPECT(deals({.layers = 32, .first_less = 1, .last_less = 1, .stages = 4}, {8, 9, 8, 7})); // 34: 9, 9, 8, 8
  EXPECT(deals({.layers = 32, .first_less = 0, .last_less = 0, .stages = 4}, {8, 8, 8, 8}));
});

BOTH_TIMES("stages", [] {
  EXPECT(read_on(8, "--parallelism.pipeline_parallel_degree 4").layout == layout::stages({1, 8}, {1, 9}, {1, 8}, {1, 7}));
  const deployment looped =
      read_on(8, "--parallelism.pipeline_parallel_degree 4 --parallelism.pipeline_parallel_schedule Interleaved1F1B");
  EXPECT(looped.strategy[axis::vpp] == 2); // as many as a rank has by itself
  const deployment by_layers =
      read_on(8,
              "--parallelism.pipeline_parallel_degree 4 --parallelism.pipeline_parallel_layers_per_stage 2 "
              "--parallelism.pipeline_parallel_schedule Interleaved1F1B "
              "--parallelism.pipeline_parallel_first_stage_less_layers 0 "
              "--parallelism.pipeline_parallel_last_stage_less_layers 0");
  EXPECT(by_layers.strategy[axis::vpp] == 4 && by_layers.layout == layout::even());
  const reading r = read_torchtitan("--parallelism.pipeline_parallel_degree 4 --parallelism.pipeline_parallel_layers_per_stage 3",
                                    on(catalog::mixtral_8x7b, 8)); // 34 / 3 are 12 stages: 3 a rank
  EXPECT(r.ok() && r.deployment.strategy[axis::vpp] == 3);
  EXPECT(!read_torchtitan("--parallelism.pipeline_parallel_degree 4 --parallelism.pipeline_parallel_layers_per_stage 5",
                          on(catalog::mixtral_8x7b, 8))
              .ok()); // 7 stages
});

BOTH_TIMES("a launch line", [] {
  const reading r = read_torchtitan(
      "torchrun --nproc_per_node=8 --nnodes 2 --rdzv_backend c10d -m torchtitan.train --module deepseek_v3 "
      "--config deepseek_v3_16b --parallelism.expert_parallel_degree 8 --compile.enable",
      {.model = catalog::deepseek_v2_lite});
  EXPECT(r.ok());
  EXPECT(r.deployment.cluster.gpus() == 16);
  EXPECT(r.deployment.strategy[axis::dp] == 16);
  EXPECT(read_torchtitan("--parallelism.data_parallel_degree 8", {}).error.problem == "an unknown flag");
});

BOTH_TIMES("options", [] {
  deployment d = on(catalog::mixtral_8x7b, 64);
  d.strategy = {pp{4}, ep{8}};
  d.workload = training{
      .global_batch = 256, .sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all, .sharding = sharding::parameters};
  EXPECT(text{write_torchtitan(d).flags} ==
         "--parallelism.data_parallel_shard_degree 16 --parallelism.pipeline_parallel_degree 4 "
         "--parallelism.pipeline_parallel_first_stage_less_layers 0 --parallelism.pipeline_parallel_last_stage_less_layers 0 "
         "--parallelism.num_pp_microbatches 16 --parallelism.expert_parallel_degree 8 "
         "--parallelism.fsdp_reshard_after_forward always --training.max_context_length 4096 "
         "--training.num_tokens_per_microbatch_per_dp_rank 4096 --training.num_tokens_per_train_step 1048576 "
         "activation-checkpoint:none");
  EXPECT(write_torchtitan(d).complete());
});

// distributed/fsdp.py, get_fsdp_reshard_after_forward_policy: "default" reshards but in a pipeline, where gradients are whole until the last
// micro-batch (torch/distributed/pipelining/stage.py).
BOTH_TIMES("weights that are kept after a forward pass", [] {
  const auto sharded = [](text flags) {
    return read_torchtitan(flags, on(catalog::mixtral_8x7b, 8)).deployment.workload.train.sharding;
  };
  EXPECT(sharded("--parallelism.data_parallel_shard_degree 8") == sharding::parameters);
  EXPECT(sharded("--parallelism.pipeline_parallel_degree 4") == sharding::optimizer);
  EXPECT(sharded("--parallelism.pipeline_parallel_degree 4 --parallelism.fsdp_reshard_after_forward default") ==
         sharding::optimizer);
  EXPECT(sharded("--parallelism.pipeline_parallel_degree 4 --parallelism.fsdp_reshard_after_forward always") ==
         sharding::parameters);
  EXPECT(sharded("--parallelism.fsdp_reshard_after_forward never") == sharding::gradients);
  const auto round_trip = [](std::int64_t stages, sharding s) {
    deployment d = on(catalog::mixtral_8x7b, 8);
    d.strategy = {pp{stages}};
    d.workload = training{.global_batch = 64, .sequence_length = 4096, .sharding = s};
    const writing w = write_torchtitan(d);
    return w.complete() && same(d, read_torchtitan(text{w.flags}, on(catalog::mixtral_8x7b, 8)).deployment);
  };
  EXPECT(round_trip(1, sharding::parameters) && round_trip(1, sharding::gradients));
  EXPECT(round_trip(4, sharding::parameters) && round_trip(4, sharding::optimizer));
  EXPECT(!round_trip(1, sharding::optimizer) && !round_trip(4, sharding::gradients) && !round_trip(4, sharding::none));
});

BOTH_TIMES("copies of what data parallelism shards", [] {
  deployment d = on(catalog::mixtral_8x7b, 16);
  d.strategy = {ep{8}};
  d.workload = training{.global_batch = 16,
                        .sequence_length = 4096,
                        .dispatcher = token_dispatcher::all_to_all,
                        .dp_replicate = 2,
                        .sharding = sharding::parameters};
  const writing w = write_torchtitan(d);
  EXPECT(w.complete());
  EXPECT(text{w.flags} ==
         "--parallelism.data_parallel_replicate_degree 2 --parallelism.data_parallel_shard_degree 8 "
         "--parallelism.expert_parallel_degree 8 --training.max_context_length 4096 "
         "--training.num_tokens_per_microbatch_per_dp_rank 4096 --training.num_tokens_per_train_step 65536 "
         "activation-checkpoint:none");
  EXPECT(same(d, read_torchtitan(text{w.flags}, on(catalog::mixtral_8x7b, 16)).deployment));
});

BOTH_TIMES("what torchtitan cannot express", [] {
  const auto first = [](const strategy& s, const training& t) {
    return write_torchtitan({.model = catalog::mixtral_8x7b, .cluster = {.total = 8}, .strategy = s, .workload = t})
        .cannot_express[0];
  };
  const training t{.global_batch = 8, .sequence_length = 4096};
  EXPECT(text{first({tp{2}, ep{2}, etp{2}}, t)} == "etp 2: with EP torchtitan does not cut experts");
  EXPECT(text{first({tp{2}, etp{1}}, t)} == "etp 1: without EP torchtitan cuts experts as it cuts dense layers, TP");
  EXPECT(text{first({}, {.global_batch = 8, .sequence_length = 4096, .dp_replicate = 3})} ==
         "dp_replicate 3: in torchtitan dp_replicate x dp_shard are the data-parallel ranks, 8");
  EXPECT(text{first({cp{2}}, t)} == "context: torchtitan gathers keys and values, and no option says otherwise");
  EXPECT(text{first({ep{8}}, t)} ==
         "dispatcher: it is part of torchtitan's model configuration, by itself all_to_all with EP, and none without");
  EXPECT(text{first({}, {.global_batch = 8})} ==
         "sequence_length 0: torchtitan counts batches in tokens, which these are no number of");
  EXPECT(text{first({rank_order{"tp-cp-ep-pp-dp"}}, t)} == "order tp-cp-ep-pp-dp: torchtitan's ranks have no order to choose");
  EXPECT(text{first({}, {.global_batch = 8, .sequence_length = 4096, .routing = {.pre_softmax = true}})} ==
         "routing/pre_softmax true: it is part of torchtitan's model configuration");
});

// pipeline_parallel.py and torch/distributed/pipelining/schedules.py
BOTH_TIMES("schedules", [] {
  const auto order = [](text name) {
    text_buffer<128> line;
    line.append(text{"--parallelism.pipeline_parallel_degree 4 --parallelism.pipeline_parallel_schedule "}).append(name);
    const deployment d = read_torchtitan(text{line}, on(catalog::mixtral_8x7b, 8)).deployment;
    return d.strategy[axis::vpp] * 100 + static_cast<std::int64_t>(d.workload.train.schedule);
  };
  const auto is = [](std::int64_t vpp, schedule s) { return vpp * 100 + static_cast<std::int64_t>(s); };
  EXPECT(order("1F1B") == is(1, schedule::one_forward_one_backward));
  EXPECT(order("Interleaved1F1B") == is(2, schedule::one_forward_one_backward));
  EXPECT(order("GPipe") == is(1, schedule::gpipe));
  EXPECT(order("LoopedBFS") == is(2, schedule::gpipe));
  EXPECT(order("ZBVZeroBubble") == is(2, schedule::zb_v));
  EXPECT(order("DualPipeV") == is(2, schedule::dualpipe_v));
  // With several stages a rank it is none of those that are described.
  const reading zero_bubble = read_torchtitan("--parallelism.pipeline_parallel_schedule InterleavedZeroBubble", {});
  EXPECT(zero_bubble.error.found == "InterleavedZeroBubble" && zero_bubble.error.position == 41);
});

BOTH_TIMES("schedules are written", [] {
  const auto written = [](std::int64_t stages, schedule s) {
    deployment d = on(catalog::mixtral_8x7b, 8);
    d.strategy = {pp{4}, vpp{stages}};
    d.workload = training{.global_batch = 8, .sequence_length = 4096, .sharding = sharding::parameters, .schedule = s};
    const writing w = write_torchtitan(d);
    text_buffer<128> result;
    if (!w.complete()) return result.append(text{w.cannot_express[0]}), result;
    constexpr text flag = "--parallelism.pipeline_parallel_schedule ";
    const text all{w.flags};
    for (std::size_t i = 0; i + flag.size() < all.size(); ++i)
      if (all.part(i, flag.size()) == flag)
        result.append(all.part(i + flag.size(), all.find(' ', i + flag.size()) - i - flag.size()));
    return result;
  };
  EXPECT(text{written(1, schedule::one_forward_one_backward)}.empty());
  EXPECT(text{written(2, schedule::one_forward_one_backward)} == "Interleaved1F1B");
  EXPECT(text{written(1, schedule::gpipe)} == "GPipe");
  EXPECT(text{written(2, schedule::gpipe)} == "LoopedBFS");
  EXPECT(text{written(2, schedule::zb_v)} == "ZBVZeroBubble");
  EXPECT(text{written(2, schedule::dualpipe_v)} == "DualPipeV");
  EXPECT(text{written(1, schedule::zb_h1)} == "schedule: torchtitan has none such with one stage a rank");
  EXPECT(text{written(1, schedule::dualpipe)} == "schedule: torchtitan has none such with one stage a rank");
  EXPECT(text{written(2, schedule::v_half)} == "schedule: torchtitan has none such with several stages a rank");
});

// configs.py, TrainingConfig.dtype: "put all parameters, gradients, and optimizer states in bfloat16"; optimizer.py, implementation.
BOTH_TIMES("types of numbers, and what is sharded", [] {
  const auto types = [](text line) { return read_on(8, line).workload.train.precision; };
  using enum number_type;
  EXPECT(types("") == precision{});
  EXPECT(types("--training.mixed_precision_param float32") == precision{.weights = fp32});
  EXPECT(types("--training.dtype bfloat16") ==
         precision{.gradients = bf16, .master_weights = bf16, .first_moment = bf16, .second_moment = bf16});
  EXPECT(types("--optimizer.implementation fused_opt_states_bf16") == precision{.first_moment = bf16, .second_moment = bf16});
  EXPECT(read_on(8, "--optimizer.name AdamW").workload.train.sharding == sharding::parameters);
  EXPECT(!read_torchtitan("--optimizer.name Muon", {}).ok());
});

BOTH_TIMES("types of numbers are written", [] {
  using enum number_type;
  const auto with = [](const precision& p) {
    deployment d = on(catalog::mixtral_8x7b, 8);
    d.workload = training{.global_batch = 8, .sequence_length = 4096, .precision = p, .sharding = sharding::parameters};
    return write_torchtitan(d);
  };
  const auto more = [with](const precision& p) {
    constexpr text before =
        "--parallelism.data_parallel_shard_degree 8 --training.max_context_length 4096 "
        "--training.num_tokens_per_microbatch_per_dp_rank 4096 --training.num_tokens_per_train_step 32768 ";
    const writing w = with(p);
    EXPECT(w.complete());
    text_buffer<256> rest;
    return rest.append(text{w.flags}.part(before.size(), w.flags.size())), rest;
  };
  EXPECT(text{more({})} == "activation-checkpoint:none");
  EXPECT(text{more({.weights = fp32})} == "--training.mixed_precision_param float32 activation-checkpoint:none");
  EXPECT(text{more({.gradients = bf16, .master_weights = bf16, .first_moment = bf16, .second_moment = bf16})} ==
         "--training.dtype bfloat16 activation-checkpoint:none");
  EXPECT(text{more({.first_moment = bf16, .second_moment = bf16})} ==
         "--optimizer.implementation fused_opt_states_bf16 activation-checkpoint:none");
  const auto first = [with](const precision& p) { return with(p).cannot_express[0]; };
  EXPECT(text{first({.weights = fp16})} == "precision/weights: torchtitan has fp32 or bf16");
  EXPECT(text{first({.gradients = bf16})} == "precision/gradients: in torchtitan they have the type of the master weights");
  EXPECT(text{first({.second_moment = fp8})} ==
         "precision/first_moment: in torchtitan both moments have the type of the master weights, or bf16");
  EXPECT(text{first({.fp8 = fp8_recipe::mxfp8})} ==
         "precision/fp8: it is part of torchtitan's configuration in Python, and no option");
});

BOTH_TIMES("what else of a training torchtitan cannot express", [] {
  const auto first = [](training t) {
    t.global_batch = 8;
    t.sequence_length = 4096;
    if (t.sharding == sharding::none) t.sharding = sharding::parameters;
    return write_torchtitan({.model = catalog::mixtral_8x7b, .cluster = {.total = 8}, .workload = t}).cannot_express[0];
  };
  EXPECT(text{first({.optimizer = optimizer::muon})} ==
         "optimizer: it is part of torchtitan's configuration in Python, and no option");
  EXPECT(text{first({.sharding = sharding::optimizer})} ==
         "sharding: without a pipeline torchtitan shards parameters, or keeps them whole for a step");
  EXPECT(text{first({.optimizer_offload = ratio{1}})} ==
         "optimizer_offload: torchtitan offloads parameters and gradients too (training.enable_cpu_offload), or nothing");
  EXPECT(text{first({.recompute_modules = {.mlp = true}})} ==
         "recompute_modules: torchtitan's recompute takes whole layers one by one, or operations of its own choice");
  EXPECT(text{first({.kernels = {.hidden_dropout = true}})} ==
         "kernels/hidden_dropout: kernels are part of torchtitan's model configuration");
  EXPECT(text{first({.assumptions = assumptions::memory_analysis()})} ==
         "assumptions: it is what memory is reckoned for, and launches nothing");
});
