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
  EXPECT(r.without_meaning.size() == 5);
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
  EXPECT(off.deployment.workload.train.dp_replicate == 1 && off.without_meaning.size() == 2);
  const reading unknown = read_deepspeed(mics, {});
  EXPECT(unknown.ok() && unknown.without_meaning[0] == "zero_optimization.mics_shard_size"); // of how many GPUs?
  const flag_error e = read_deepspeed(R"({"zero_optimization": {"stage": 3, "mics_shard_size": 3}})", on(16)).error;
  EXPECT(e.found == "3" && e.position == 54);
});

BOTH_TIMES("copies are written as MiCS", [] {
  deployment d = on(16);
  d.workload = training{.global_batch = 16, .dp_replicate = 2};
  const writing w = write_deepspeed(d);
  EXPECT(w.complete());
  EXPECT(text{w.flags} == R"({"train_batch_size": 16, "train_micro_batch_size_per_gpu": 1, )"
                          R"("zero_optimization": {"stage": 3, "mics_shard_size": 8}})");
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
  d.workload = training{.global_batch = 256, .micro_batch = 1};
  const writing w = write_deepspeed(d);
  EXPECT(w.complete());
  EXPECT(text{w.flags} == R"({"train_batch_size": 256, "train_micro_batch_size_per_gpu": 1, )"
                          R"("expert_parallel": {"enabled": true, "autoep_size": 8}})");
  EXPECT(same(d, read_deepspeed(text{w.flags}, on(64)).deployment));
});

// What the training program says is lost in the configuration, and found again in a base that has it.
BOTH_TIMES("there and back with the program's part as base", [] {
  const deployment d{.model = catalog::mixtral_8x22b,
                     .cluster = {.total = 128},
                     .strategy = {tp{2}, ep{8}},
                     .workload = training{.global_batch = 256, .sequence_length = 4096}};
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
  EXPECT(text{first({ep{2}}, {.dp_replicate = 2})} ==
         "dp_replicate 2: DeepSpeed's MiCS excludes AutoEP (runtime/engine.py, _validate_zero3_moe_compatibility)");
});
