#include <moeplan/dialect/deepspeed.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr deployment on(std::int64_t gpus) { return {.model = catalog::mixtral_8x7b, .cluster = {.total = gpus}}; }

} // namespace

// auto_ep_folding.py, build_folding_spec: dp = stage / tp, edp = stage / (ep x etp).
BOTH_TIMES("a configuration", [] {
  const reading r = read_deepspeed(R"({
    "train_batch_size": 64, "train_micro_batch_size_per_gpu": 2, "zero_optimization": {"stage": 2, "overlap_comm": true},
    "bf16": {"enabled": true}, "tensor_parallel": {"autotp_size": 2, "preset_model": "mixtral"},
    "expert_parallel": {"enabled": true, "autoep_size": 4, "preset_model": "mixtral"}})",
                                   on(16));
  EXPECT(r.ok());
  EXPECT(r.deployment.strategy == strategy(tp{2}, pp{1}, vpp{1}, ep{4}, etp{1}, dp{8}, cp{1}, sp{1}));
  EXPECT(r.deployment.workload.train.global_batch == optional_integer{64});
  EXPECT(r.deployment.workload.train.micro_batch == 2);
  EXPECT(r.deployment.workload.train.sharding == sharding::gradients);
  EXPECT(r.deployment.workload.train.precision == precision{.gradients = number_type::bf16}); // those of the weights' type
  EXPECT(r.without_meaning.size() == 3);
});

// runtime/config.py:937: train_batch_size is micro-batch x accumulation x DP.
BOTH_TIMES("batches", [] {
  const auto batch_of = [](text json, const deployment& base) {
    return read_deepspeed(json, base).deployment.workload.train.global_batch;
  };
  EXPECT(batch_of(R"({"train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 4})", on(16)) == optional_integer{128});
  EXPECT(batch_of(R"({"train_micro_batch_size_per_gpu": 2})", on(16)) == optional_integer{32});
  const strategy by_batch =
      read_deepspeed(R"({"train_batch_size": 64, "train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 4})", {})
          .deployment.strategy;
  EXPECT(by_batch[axis::dp] == 8);
});

BOTH_TIMES("Ulysses is context parallelism", [] {
  const deployment d = read_deepspeed(R"({"sequence_parallel_size": 4, "train_batch_size": 4})", on(16)).deployment;
  EXPECT(d.strategy[axis::cp] == 4 && d.strategy[axis::dp] == 4);
  EXPECT(d.workload.train.context == context_exchange::all_to_all);
});

// docs/code-docs/source/zero3.rst: mics_shard_size "controls how many devices are used for partitioning the model states", and "MiCS
// assumes ZeRO stage 3". runtime/zero/mics_utils.py, _generate_mics_config: the ranks have to divide by it.
BOTH_TIMES("copies of what ZeRO shards", [] {
  const auto copies = [](text json, const deployment& base) {
    return read_deepspeed(json, base).deployment.workload.train.dp_replicate;
  };
  constexpr text mics = R"({"zero_optimization": {"stage": 3, "mics_shard_size": 8}})";
  EXPECT(copies(mics, on(16)) == 2);
  EXPECT(copies(mics, on(8)) == 1);
  EXPECT(copies(R"({"sequence_parallel_size": 4, "zero_optimization": {"stage": 3, "mics_shard_size": 4}})", on(16)) == 4);
  EXPECT(copies(R"({"zero_optimization": {"stage": 3, "mics_shard_size": -1}})", on(16)) == 1);
  EXPECT(copies(R"({"zero_optimization": {"stage": 3, "zero_hpz_partition_size": 8}})", on(16)) == 1); // weights alone
  const reading off = read_deepspeed(R"({"zero_optimization": {"stage": 2, "mics_shard_size": 8}})", on(16));
  EXPECT(off.deployment.workload.train.dp_replicate == 1 && off.without_meaning.size() == 1);
  const reading unknown = read_deepspeed(mics, {});
  EXPECT(unknown.ok() && unknown.without_meaning[0] == "zero_optimization.mics_shard_size"); // of how many GPUs?
  const flag_error e = read_deepspeed(R"({"zero_optimization": {"stage": 3, "mics_shard_size": 3}})", on(16)).error;
  EXPECT(e.found == "3" && e.position == 54);
});

BOTH_TIMES("copies are written as MiCS", [] {
  deployment d = on(16);
  d.workload = training{.global_batch = 16, .dp_replicate = 2, .sharding = sharding::parameters};
  const writing w = write_deepspeed(d);
  EXPECT(w.complete());
  EXPECT(text{w.flags} == R"({"train_batch_size": 16, "train_micro_batch_size_per_gpu": 1, )"
                          R"("zero_optimization": {"stage": 3, "mics_shard_size": 8}, "bf16": {"enabled": true}, )"
                          R"("data_types": {"grad_accum_dtype": "fp32"}})");
  EXPECT(same(d, read_deepspeed(text{w.flags}, on(16)).deployment));
});

BOTH_TIMES("what is disabled has no degree, and the program's part is the base's", [] {
  EXPECT(read_deepspeed(R"({"expert_parallel": {"enabled": false, "autoep_size": 4}})", on(8)).deployment.strategy[axis::ep] == 1);
  EXPECT(read_deepspeed(R"({"tensor_parallel": {"autotp_size": 0}})", on(8)).deployment.strategy[axis::tp] == 1);
  deployment base = on(8);
  base.strategy = {pp{2}};
  base.workload = training{.sequence_length = 4096};
  const deployment d = read_deepspeed("{}", base).deployment;
  EXPECT(d.strategy[axis::pp] == 2 && d.strategy[axis::dp] == 4 && d.workload.train.sequence_length == 4096);
});

BOTH_TIMES("a launch line", [] {
  const reading r = read_deepspeed(
      R"(deepspeed --num_nodes 2 --num_gpus 8 train.py --deepspeed_config '{"expert_parallel": {"enabled": true, "autoep_size": 16}}')",
      {.model = catalog::deepseek_v3});
  EXPECT(r.ok());
  EXPECT(r.deployment.strategy[axis::dp] == 16 && r.deployment.strategy[axis::ep] == 16);
});

BOTH_TIMES("errors", [] {
  const flag_error e = read_deepspeed(R"({"expert_parallel": {"autoep_sise": 4}})", {}).error;
  EXPECT(e.problem == "an unknown setting" && e.found == "autoep_sise" && e.nearest == "expert_parallel.autoep_size" &&
         e.position == 22);
  EXPECT(read_deepspeed(R"({"train_batch_size": "auto"})", {}).error.problem == "not a number");
  EXPECT(read_deepspeed(R"({"train_batch_size": 4)", {}).error.problem == "not JSON");
});

BOTH_TIMES("a configuration is written as JSON", [] {
  deployment d = on(64);
  d.strategy = {ep{8}};
  d.workload = training{.global_batch = 256, .micro_batch = 1, .sharding = sharding::optimizer};
  const writing w = write_deepspeed(d);
  EXPECT(w.complete());
  EXPECT(text{w.flags} == R"({"train_batch_size": 256, "train_micro_batch_size_per_gpu": 1, )"
                          R"("zero_optimization": {"stage": 1}, "bf16": {"enabled": true}, )"
                          R"("data_types": {"grad_accum_dtype": "fp32"}, "expert_parallel": {"enabled": true, "autoep_size": 8}})");
  EXPECT(same(d, read_deepspeed(text{w.flags}, on(64)).deployment));
});

// What the training program says is lost in the configuration, and found again in a base that has it.
BOTH_TIMES("there and back with the program's part as base", [] {
  const deployment d{.model = catalog::mixtral_8x22b,
                     .cluster = {.total = 128},
                     .strategy = {tp{2}, ep{8}},
                     .workload = training{.global_batch = 256, .sequence_length = 4096, .sharding = sharding::optimizer}};
  const writing w = write_deepspeed(d);
  EXPECT(w.cannot_express.size() == 1);
  EXPECT(text{w.cannot_express[0]} == "sequence_length 4096: the training program says it, not DeepSpeed's configuration");
  const deployment base{.model = d.model, .cluster = d.cluster, .workload = training{.sequence_length = 4096}};
  EXPECT(same(d, read_deepspeed(text{w.flags}, base).deployment));
});

// auto_ep_folding.py, validate_folding_global
BOTH_TIMES("what DeepSpeed cannot express", [] {
  const auto first = [](const strategy& s, const training& t = {}) {
    return write_deepspeed({.model = catalog::mixtral_8x7b, .cluster = {.total = 64}, .strategy = s, .workload = t})
        .cannot_express[0];
  };
  EXPECT(text{first({tp{2}, ep{2}, etp{2}})} == "etp 2: DeepSpeed does not cut experts: expert_tensor_parallel_size must be 1");
  EXPECT(text{first({tp{2}, ep{2}, pp{2}})} == "tp 2: DeepSpeed folds TP with EP only without PP");
  EXPECT(text{first({pp{2}})} == "pp 2: the training program says it, not DeepSpeed's configuration");
  EXPECT(text{first({tp{2}, cp{2}})} == "cp 2: DeepSpeed's TP and Ulysses exclude each other");
  EXPECT(text{first({cp{2}})} == "context: DeepSpeed's sequence parallelism is Ulysses, all_to_all");
  EXPECT(text{first({tp{2}, sp{2}})} == "sp 2: DeepSpeed has no sequence parallelism over the ranks of TP");
  EXPECT(text{first({}, {.recompute = recompute::full})} ==
         "recompute: the training program says it, not DeepSpeed's configuration");
  EXPECT(text{first({}, {.dp_replicate = 3})} == "dp_replicate 3: DeepSpeed's MiCS divides the data-parallel ranks evenly");
  EXPECT(text{first({tp{2}}, {.dp_replicate = 2})} ==
         "dp_replicate 2: DeepSpeed's MiCS shards over neighbours among all ranks, which excludes TP and PP");
  EXPECT(text{first({}, {.dp_replicate = 2})} == "dp_replicate 2: DeepSpeed's MiCS makes copies of sharded parameters");
  EXPECT(text{first({ep{2}}, {.dp_replicate = 2})} ==
         "dp_replicate 2: DeepSpeed's MiCS excludes AutoEP (runtime/engine.py, _validate_zero3_moe_compatibility)");
});

// runtime/precision_config.py; runtime/engine.py, get_data_types: gradients have the type of the weights by themselves.
BOTH_TIMES("types of numbers", [] {
  const auto types = [](text json) { return read_deepspeed(json, on(16)).deployment.workload.train.precision; };
  using enum number_type;
  EXPECT(types("{}") == precision{.weights = fp32});
  EXPECT(types(R"({"fp16": {"enabled": true, "loss_scale": 0}})") == precision{.weights = fp16, .gradients = fp16});
  EXPECT(types(R"({"bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "fp32"}})") == precision{});
  EXPECT(types(R"({"bf16": {"enabled": true, "bf16_master_weights_and_grads": true, "bf16_optimizer_states": true}})") ==
         precision{.gradients = bf16, .master_weights = bf16, .first_moment = bf16, .second_moment = bf16});
  EXPECT(types(R"({"fp16": {"enabled": true, "fp16_master_weights_and_grads": true}})").master_weights == fp16);
  EXPECT(!read_deepspeed(R"({"bf16": {"enabled": true}, "fp16": {"enabled": true}})", {}).ok());
});

// runtime/zero/config.py, ZeroStageEnum; runtime/zero/offload_config.py: a part of the states only with stage 3.
BOTH_TIMES("ZeRO and the optimizer", [] {
  const auto run = [](text json) { return read_deepspeed(json, on(16)).deployment.workload.train; };
  EXPECT(run("{}").sharding == sharding::none);
  EXPECT(run(R"({"zero_optimization": {"stage": 1}})").sharding == sharding::optimizer);
  EXPECT(run(R"({"zero_optimization": {"stage": 3}})").sharding == sharding::parameters);
  EXPECT(!read_deepspeed(R"({"zero_optimization": {"stage": 4}})", {}).ok());
  EXPECT(
      run(R"({"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu", "pin_memory": true}}})").optimizer_offload ==
      ratio{1});
  EXPECT(run(R"({"zero_optimization": {"stage": 3, "offload_optimizer": {"device": "cpu", "ratio": 0.5}}})").optimizer_offload ==
         ratio{1, 2});
  EXPECT(run(R"({"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu", "ratio": 0.5}}})").optimizer_offload ==
         ratio{1});
  EXPECT(!read_deepspeed(R"({"zero_optimization": {"stage": 3, "offload_optimizer": {"device": "nvme"}}})", {}).ok());
  EXPECT(run(R"({"optimizer": {"type": "AdamW", "params": {"lr": 0.001}}})").optimizer == optimizer::adam);
  EXPECT(run(R"({"optimizer": {"type": "Muon"}})").optimizer == optimizer::muon);
  EXPECT(run(R"({"optimizer": {"type": "SGD", "params": {"momentum": 0.9}}})").optimizer == optimizer::sgd_momentum);
  EXPECT(read_deepspeed(R"({"optimizer": {"type": "SGD"}})", {}).error.found == "SGD"); // no momentum, no state
  deployment base = on(16);
  base.workload = training{.optimizer = optimizer::muon};
  EXPECT(read_deepspeed("{}", base).deployment.workload.train.optimizer == optimizer::muon); // the program's
});

BOTH_TIMES("ZeRO and the optimizer are written", [] {
  const auto with = [](const training& t) {
    return write_deepspeed({.model = catalog::mixtral_8x7b, .cluster = {.total = 16}, .workload = t});
  };
  const training t{.global_batch = 16,
                   .precision = {.gradients = number_type::bf16,
                                 .master_weights = number_type::bf16,
                                 .first_moment = number_type::bf16,
                                 .second_moment = number_type::bf16},
                   .optimizer = optimizer::sgd_momentum,
                   .sharding = sharding::parameters,
                   .optimizer_offload = {1, 2}};
  const writing w = with(t);
  EXPECT(w.complete());
  EXPECT(text{w.flags} == R"({"train_batch_size": 16, "train_micro_batch_size_per_gpu": 1, "zero_optimization": {"stage": 3, )"
                          R"("offload_optimizer": {"device": "cpu", "ratio": 0.5}}, "bf16": {"enabled": true, )"
                          R"("bf16_master_weights_and_grads": true, "bf16_optimizer_states": true}, )"
                          R"("optimizer": {"type": "SGD", "params": {"momentum": 0.9}}})");
  EXPECT(read_deepspeed(text{w.flags}, on(16)).deployment.workload.train == t);
  const auto first = [with](const training& run) { return with(run).cannot_express[0]; };
  EXPECT(text{first({})} == "precision/gradients: without ZeRO DeepSpeed adds them up in the type of the weights");
  constexpr sharding states = sharding::optimizer;
  EXPECT(text{first({.sharding = states, .optimizer_offload = {1, 2}})} ==
         "optimizer_offload: DeepSpeed offloads a part of the states only with ZeRO-3, or all of them");
  EXPECT(text{first({.precision = {.master_weights = number_type::bf16}, .sharding = states})} ==
         "precision/master_weights: DeepSpeed has fp32, bf16 with bf16 gradients and ZeRO, or offloaded fp16");
  EXPECT(text{first({.precision = {.first_moment = number_type::bf16}, .sharding = states})} ==
         "precision/first_moment: DeepSpeed has fp32, or bf16 for both moments and master weights");
  EXPECT(text{first({.precision = {.fp8 = fp8_recipe::delayed}, .sharding = states})} ==
         "precision/fp8: the training program says it, not DeepSpeed's configuration");
  EXPECT(text{first({.optimizer = optimizer::none, .sharding = states})} ==
         "optimizer none: DeepSpeed has no training without one");
  EXPECT(text{first({.schedule = schedule::gpipe})} == "schedule: DeepSpeed's pipeline is 1F1B");
  EXPECT(text{first({.kernels = {.fused_cross_entropy = true}})} ==
         "kernels/fused_cross_entropy: the training program says it, not DeepSpeed's configuration");
  EXPECT(text{first({.recompute_layers = 2})} == "recompute_layers 2: the training program says it, not DeepSpeed's configuration");
});
