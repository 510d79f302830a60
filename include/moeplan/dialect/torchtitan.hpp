#pragma once

#include <cstdint>

#include <moeplan/dialect/reading.hpp>
#include <moeplan/dialect/same.hpp>
#include <moeplan/dialect/spelling.hpp>
#include <moeplan/dialect/stage_split.hpp>
#include <moeplan/dialect/unsaid.hpp>
#include <moeplan/dialect/writing.hpp>

/// @file
/// torchtitan: --section.option of torchtitan.train. Names and meaning from torchtitan b5bcd76c (torchtitan/config/configs.py,
/// torchtitan/distributed/parallel_dims.py and pipeline_parallel.py); options of older releases are read too.
///
/// DP is dp_replicate x dp_shard, and dp_shard is by itself whatever ranks are left; there are dp_replicate copies of what the rest
/// shards, which is parameters (fully_shard, models/deepseek_v3/parallelize.py); where these are kept after a forward pass, as in a
/// pipeline by itself, whole weights are there as with sharded gradients (ZeRO-2) or optimizer states (ZeRO-1). EP borrows its
/// ranks from dp_shard x cp x tp; with EP above 1 an expert is whole (ETP 1), without EP it is cut like the dense layers (ETP =
/// TP). Batches are counted in tokens. Sequence parallelism is on unless it is switched off, selective recompute too.
/// Context-parallel ranks gather keys and values (models/common/attention.py:798); until June 2026 an option chose between that and
/// passing them on from rank to rank.
///
/// The optimizer's parameters are of training.dtype, fp32 by itself, and the forward pass reads them in training.mixed_precision_param.
/// Selective recompute chooses operations, not modules. Quantisation, the optimizer and kernels are part of a configuration in Python.

namespace moeplan::dialect {

/// What a launch line of torchtitan says.
struct torchtitan_words {
  optional_integer nodes{}, gpus_per_node{};
  optional_integer dp_replicate{}, dp_shard{}, cp{}, tp{}, pp{}, ep{}, etp{};
  bool sequence_parallel = true;
  text schedule{};
  optional_integer layers_per_stage{}, first_stage_less{}, last_stage_less{};
  optional_integer tokens_per_micro_batch{}, tokens_per_step{}, context_length{}, pipeline_micro_batches{};
  optional_integer local_batch{}, global_batch{}, pipeline_micro_batch{};
  text expert_exchange{}, rotate_method{};
  text reshard{};
  text recompute{};
  text parameters{}, forward{}, optimizer{}, optimizer_implementation{};
};

/// One row a flag.
struct torchtitan_table {
  using row = flag<torchtitan_words>;
  using words = torchtitan_words;

  static constexpr row rows[] = {
      row::an_integer("--nnodes", &words::nodes, "torchrun").only_read(),
      row::an_integer("--nproc-per-node", &words::gpus_per_node, "torchrun").only_read(),
      row::an_integer("--parallelism.data_parallel_replicate_degree", &words::dp_replicate, "config/configs.py"),
      row::an_integer("--parallelism.data_parallel_shard_degree", &words::dp_shard, "config/configs.py"),
      row::an_integer("--parallelism.context_parallel_degree", &words::cp, "config/configs.py"),
      row::an_integer("--parallelism.tensor_parallel_degree", &words::tp, "config/configs.py"),
      row::a_switch("--parallelism.enable_sequence_parallel", &words::sequence_parallel, "config/configs.py").only_read(),
      row::a_switch_off("--parallelism.no_enable_sequence_parallel", &words::sequence_parallel, "config/configs.py"),
      row::an_integer("--parallelism.pipeline_parallel_degree", &words::pp, "config/configs.py"),
      row::a_word("--parallelism.pipeline_parallel_schedule", &words::schedule,
                  "1F1B GPipe Interleaved1F1B LoopedBFS InterleavedZeroBubble ZBVZeroBubble DualPipeV", "config/configs.py"),
      row::an_integer("--parallelism.pipeline_parallel_layers_per_stage", &words::layers_per_stage, "config/configs.py"),
      row::an_integer("--parallelism.pipeline_parallel_first_stage_less_layers", &words::first_stage_less, "config/configs.py"),
      row::an_integer("--parallelism.pipeline_parallel_last_stage_less_layers", &words::last_stage_less, "config/configs.py"),
      row::an_integer("--parallelism.num_pp_microbatches", &words::pipeline_micro_batches, "config/configs.py"),
      row::an_integer("--parallelism.expert_parallel_degree", &words::ep, "config/configs.py"),
      row::a_word("--parallelism.fsdp_reshard_after_forward", &words::reshard, "default always never",
                  "distributed/fsdp.py get_fsdp_reshard_after_forward_policy"),
      row::an_integer("--training.max_context_length", &words::context_length, "config/configs.py", "--training.seq_len"),
      row::an_integer("--training.num_tokens_per_microbatch_per_dp_rank", &words::tokens_per_micro_batch, "config/configs.py"),
      row::an_integer("--training.num_tokens_per_train_step", &words::tokens_per_step, "config/configs.py"),
      row::a_word("--training.dtype", &words::parameters, "float32 bfloat16", "config/configs.py"),
      row::a_word("--training.mixed_precision_param", &words::forward, "bfloat16 float32", "config/configs.py"),
      row::a_word("--optimizer.implementation", &words::optimizer_implementation, "for-loop foreach fused fused_opt_states_bf16",
                  "components/optimizer/optimizer.py"),
      // Of releases until 2026
      row::a_word("--optimizer.name", &words::optimizer, "Adam AdamW", "config/job_config.py").only_read(),
      row::an_integer("--training.local_batch_size", &words::local_batch, "config/job_config.py").only_read(),
      row::an_integer("--training.global_batch_size", &words::global_batch, "config/job_config.py").only_read(),
      row::an_integer("--parallelism.pipeline_parallel_microbatch_size", &words::pipeline_micro_batch, "config/job_config.py")
          .only_read(),
      row::an_integer("--parallelism.expert_tensor_parallel_degree", &words::etp, "config/job_config.py").only_read(),
      row::a_word("--parallelism.expert_parallel_comm_backend", &words::expert_exchange, "standard deepep", "config/job_config.py")
          .only_read(),
      row::a_word("--parallelism.context_parallel_rotate_method", &words::rotate_method, "allgather alltoall",
                  "config/job_config.py")
          .only_read(),
      // A subcommand, which must come last
      row::a_word("activation-checkpoint:", &words::recompute, "none selective full", "distributed/activation_checkpoint.py",
                  "--activation_checkpoint.mode"),
  };
};

/// torchtitan's launch line. What is not modelled is about the model, which the base brings, data and checkpoints.
inline constexpr grammar<torchtitan_words, sizeof torchtitan_table::rows / sizeof *torchtitan_table::rows> torchtitan_grammar{
    .framework = framework::torchtitan,
    .flags = torchtitan_table::rows,
    .not_modelled_switches =
        "--compile.enable --compile.enable_async_tensor_parallel --checkpoint.enable --metrics.enable_tensorboard "
        "--metrics.enable_wandb --metrics.disable_color_printing --training.enable_cpu_offload --training.disable_cuda_graphs "
        "--training.gc_debug --debug.deterministic --debug.moe_force_load_balance --parallelism.enable_fsdp_symm_mem "
        "--profiler.enable_profiling --profiler.enable_memory_snapshot --checkpoint.last_save_model_only "
        "--checkpoint.initial_load_in_hf --validator.enable",
    .not_modelled =
        "--module --config --hf_assets_path --dump_folder --training.steps --training.max_norm "
        "--training.mixed_precision_reduce --training.gc_freq --training.dataset "
        "--parallelism.spmd_backend --parallelism.context_parallel_load_balancer --parallelism.context_parallel_ptrr_mask_key "
        "--parallelism.pipeline_parallel_schedule_csv --optimizer.lr --lr_scheduler.warmup_steps --lr_scheduler.decay_ratio "
        "--lr_scheduler.decay_type --lr_scheduler.min_lr_factor --dataloader.dataset --dataloader.dataset_path "
        "--checkpoint.folder --checkpoint.interval --checkpoint.load_step --checkpoint.async_mode "
        "--checkpoint.initial_load_path --metrics.log_freq --metrics.save_tb_folder --profiler.profile_freq --compile.backend "
        "--comm.init_timeout_seconds --comm.train_timeout_seconds --comm.mode --debug.seed --model.name --model.flavor "
        "--model.hf_assets_path --job.config_file --job.dump_folder --job.description --override.imports --rdzv_backend "
        "--rdzv_endpoint --rdzv_id --local-ranks-filter --role --tee --master_addr --master_port --node_rank -m",
    .not_modelled_lists = "--compile.components",
    .programs = "torchrun python python3 torchtitan.train ./run_train.sh srun",
    .underscores_are_dashes = true};

namespace detail {

/// What is sharded while a micro-batch passes. Pipelines keep weights that were gathered until the step's end unless told
/// otherwise, and add gradients up whole until then (torch/distributed/pipelining/stage.py, set_requires_gradient_sync); without
/// one gradients are scattered as they come.
[[nodiscard]] constexpr sharding torchtitan_sharding(const torchtitan_words& w, std::int64_t stages) noexcept {
  if (w.reshard == "always" || (w.reshard != "never" && stages == 1)) return sharding::parameters;
  return stages == 1 ? sharding::gradients : sharding::optimizer;
}

inline constexpr spelling<recompute> torchtitan_recompute[] = {
    {recompute::none, "none"}, {recompute::selective, "selective"}, {recompute::full, "full"}};
/// alltoall sends each rank's keys and values on to the next one (torch/distributed/tensor/experimental/_attention.py, _AllToAllRotater).
inline constexpr spelling<context_exchange> torchtitan_context[] = {{context_exchange::all_gather, "allgather"},
                                                                    {context_exchange::ring, "alltoall"}};

/// Layers on a virtual stage: all layers and the weights of both ends are dealt out evenly, the first stages getting one more, and then
/// the ends give their weight back. Source: torchtitan, pipeline_parallel.py, _generate_llm_fqn_per_model_part.
struct torchtitan_split {
  std::int64_t layers = 0, first_less = 1, last_less = 1, stages = 1;

  [[nodiscard]] constexpr std::int64_t effective() const noexcept { return layers + first_less + last_less; }
  [[nodiscard]] constexpr std::int64_t operator()(std::int64_t stage) const noexcept {
    const std::int64_t dealt = effective() / stages + (stage < effective() % stages ? 1 : 0);
    return dealt - (stage == 0 ? first_less : 0) - (stage == stages - 1 ? last_less : 0);
  }
};

/// One stage a rank, or several. The interleaved zero bubble is none of the schedules that are described: those have one stage a rank.
/// Source: torch/distributed/pipelining/schedules.py.
inline constexpr spelling<schedule> torchtitan_single[] = {{schedule::one_forward_one_backward, "1F1B"},
                                                           {schedule::gpipe, "GPipe"}};
inline constexpr spelling<schedule> torchtitan_looped[] = {{schedule::one_forward_one_backward, "Interleaved1F1B"},
                                                           {schedule::gpipe, "LoopedBFS"},
                                                           {schedule::zb_v, "ZBVZeroBubble"},
                                                           {schedule::dualpipe_v, "DualPipeV"}};
inline constexpr spelling<number_type> torchtitan_numbers[] = {{number_type::fp32, "float32"}, {number_type::bf16, "bfloat16"}};

[[nodiscard]] constexpr bool has_one_stage_a_rank(text word) noexcept { return word.empty() || word == "1F1B" || word == "GPipe"; }

[[nodiscard]] constexpr schedule torchtitan_schedule(text word) noexcept {
  return value_for(torchtitan_looped, word, value_for(torchtitan_single, word, training{}.schedule));
}

[[nodiscard]] constexpr precision torchtitan_precision(const torchtitan_words& w, const precision& base) noexcept {
  precision p = base; // Quantisation is no option.
  p.master_weights = value_for(torchtitan_numbers, w.parameters, number_type::fp32);
  p.weights = value_for(torchtitan_numbers, w.forward, number_type::bf16);
  p.gradients = p.master_weights;
  p.first_moment = w.optimizer_implementation == "fused_opt_states_bf16" ? number_type::bf16 : p.master_weights;
  p.second_moment = p.first_moment;
  return p;
}

/// Virtual stages and what is on them. Source: pipeline_parallel.py, _get_pipeline_metadata.
constexpr bool read_torchtitan_stages(translation& t, const torchtitan_words& w, const model& m) noexcept {
  strategy& s = t.deployment.strategy;
  t.deployment.layout = layout::even();
  s.set(axis::vpp, 1);
  if (s[axis::pp] <= 1) return true;
  torchtitan_split split{
      .layers = m.layers, .first_less = w.first_stage_less.value_or(1), .last_less = w.last_stage_less.value_or(1)};
  constexpr std::int64_t most = 1 << 16;
  if (split.layers < 0 || split.layers > most || split.first_less < 0 || split.first_less > most || split.last_less < 0 ||
      split.last_less > most || s[axis::pp] > most)
    return true; // `check` says what of this is wrong.
  const std::int64_t vpp = has_one_stage_a_rank(w.schedule) ? 1 : 2;
  split.stages = s[axis::pp] * vpp;
  if (w.layers_per_stage.given) {
    const std::int64_t each = w.layers_per_stage.number;
    split.stages = each < 1 || split.effective() < 1 ? 0 : (split.effective() - 1) / each + 1;
    if (divided(split.stages, s[axis::pp]) == 0) {
      t.refuse("the virtual stages do not divide by the pipeline's ranks", "--parallelism.pipeline_parallel_layers_per_stage",
               "layers for which (layers + both ends) / layers, rounded up, is a multiple of PP");
      return false;
    }
  }
  s.set(axis::vpp, split.stages / s[axis::pp]);
  if (m.layers > 0 && (split(0) < 0 || split(split.stages - 1) < 0)) {
    t.refuse("an end of the pipeline weighs more than all of its stage",
             split(0) < 0 ? "--parallelism.pipeline_parallel_first_stage_less_layers"
                          : "--parallelism.pipeline_parallel_last_stage_less_layers",
             "at most the layers of a stage");
    return false;
  }
  if (m.layers > 0) t.deployment.layout = layout_of(split.stages, split);
  return true;
}

/// Tokens to sequences.
constexpr bool read_torchtitan_batch(translation& t, const torchtitan_words& w, training& run) noexcept {
  const strategy& s = t.deployment.strategy;
  run.sequence_length = w.context_length.value_or(2048);
  if (w.local_batch.given || w.global_batch.given) {
    run.micro_batch = s[axis::pp] > 1 ? w.pipeline_micro_batch.value_or(1) : w.local_batch.value_or(1);
    run.global_batch = w.global_batch;
    std::int64_t all = 0;
    if (!w.global_batch.given && s.resolved() && !__builtin_mul_overflow(w.local_batch.number, s[axis::dp], &all))
      run.global_batch = all;
    return true;
  }
  const auto refuse = [&t](text flag) {
    t.refuse("no whole number of sequences", flag, "a multiple of training.max_context_length");
    return false;
  };
  run.micro_batch = divided(w.tokens_per_micro_batch.value_or(16384), run.sequence_length);
  if (run.micro_batch == 0) return refuse("--training.num_tokens_per_microbatch_per_dp_rank");
  const bool by_itself = w.tokens_per_step.value_or(-1) == -1;
  if (by_itself) {
    const std::int64_t micro_batches = s[axis::pp] > 1 ? w.pipeline_micro_batches.value_or(1) : 1;
    const std::int64_t all = s.resolved() ? ranks(run.micro_batch, micro_batches, s[axis::dp]) : 0;
    run.global_batch = all == 0 ? optional_integer{} : optional_integer{all};
    return true;
  }
  run.global_batch = divided(w.tokens_per_step.number, run.sequence_length);
  return run.global_batch.number != 0 || refuse("--training.num_tokens_per_train_step");
}

constexpr void from_torchtitan(translation& t, const torchtitan_words& w) noexcept {
  deployment& d = t.deployment;
  read_launcher(d.cluster, w.nodes, w.gpus_per_node);
  const std::int64_t tp_size = w.tp.value_or(1);
  const std::int64_t ep_size = w.ep.value_or(1);
  const std::int64_t replicas = w.dp_replicate.value_or(1);
  strategy s;
  s.set(axis::tp, tp_size);
  s.set(axis::cp, w.cp.value_or(1));
  s.set(axis::pp, w.pp.value_or(1));
  s.set(axis::ep, ep_size);
  s.set(axis::etp, w.etp.value_or(ep_size == 1 && d.model.has_experts() ? tp_size : 1));
  s.set(axis::sp, w.sequence_parallel ? tp_size : 1);
  const std::int64_t shards = w.dp_shard.value_or(-1);
  if (shards != -1) {
    std::int64_t dp_size = 0;
    s.set(axis::dp, __builtin_mul_overflow(replicas, shards, &dp_size) ? shards : dp_size);
  } else if (d.strategy.resolved() && !d.cluster.described()) {
    s.set(axis::dp, d.strategy[axis::dp]);
  }
  d.strategy = s;
  if (w.schedule == "InterleavedZeroBubble")
    return t.refuse("a schedule that is not described here", "--parallelism.pipeline_parallel_schedule",
                    "1F1B GPipe Interleaved1F1B LoopedBFS ZBVZeroBubble DualPipeV");
  if (!read_torchtitan_stages(t, w, d.model)) return;
  d = spelled_out(d);
  training run = training_of(d);
  if (!read_torchtitan_batch(t, w, run)) return;
  run.dp_replicate = replicas;
  run.recompute = value_for(torchtitan_recompute, w.recompute, recompute::selective);
  run.sharding = torchtitan_sharding(w, s[axis::pp]);
  run.schedule = torchtitan_schedule(w.schedule);
  run.precision = torchtitan_precision(w, run.precision);
  if (!w.optimizer.empty()) run.optimizer = optimizer::adam;
  run.context = s[axis::cp] > 1 ? value_for(torchtitan_context, w.rotate_method, context_exchange::all_gather) : training{}.context;
  run.dispatcher = w.expert_exchange == "deepep" ? token_dispatcher::deepep
                   : ep_size > 1                 ? token_dispatcher::all_to_all
                                                 : training{}.dispatcher;
  d.workload = run;
  d = spelled_out(d);
}

/// Whether the deployment's layers lie as the split deals them.
[[nodiscard]] constexpr bool lies_as(const deployment& d, const torchtitan_split& split) noexcept {
  for (std::int64_t i = 0; i < split.stages; ++i)
    if (contents(d.model, d.strategy, d.layout, i).decoder_layers != split(i)) return false;
  return true;
}

/// Weights of both ends that put layers where the deployment has them: the default of one layer each, or the smallest.
[[nodiscard]] constexpr bool find_split(const deployment& d, torchtitan_split& split) noexcept {
  constexpr std::int64_t heaviest = 8;
  if (lies_as(d, split)) return true;
  for (split.first_less = 0; split.first_less <= heaviest; ++split.first_less)
    for (split.last_less = 0; split.last_less <= heaviest; ++split.last_less)
      if (lies_as(d, split)) return true;
  return false;
}

constexpr void write_torchtitan_stages(torchtitan_words& w, writing& out, const deployment& d) noexcept {
  const strategy& s = d.strategy;
  const std::int64_t vpp = s[axis::vpp];
  const schedule order = d.workload.train.schedule;
  const bool looped = vpp != 1 || placed_in_a_v(order);
  if (looped || order != schedule::one_forward_one_backward)
    w.schedule = looped ? word_for(torchtitan_looped, order) : word_for(torchtitan_single, order);
  if (looped && w.schedule.empty()) out.cannot("schedule: torchtitan has none such with several stages a rank");
  if (!looped && order != schedule::one_forward_one_backward && w.schedule.empty())
    out.cannot("schedule: torchtitan has none such with one stage a rank");
  if (s[axis::pp] == 1 && vpp == 1) return;
  if (!has_countable_stages(d)) {
    out.cannot("layout: it cannot be laid out stage by stage");
    return;
  }
  torchtitan_split split{.layers = d.model.layers, .first_less = 1, .last_less = 1, .stages = virtual_stages(s, d.layout)};
  if (s[axis::pp] == 1) {
    out.cannot("vpp", vpp, "torchtitan has virtual stages only in a pipeline");
    return;
  }
  if (!find_split(d, split)) {
    out.cannot(
        "layout: torchtitan's options deal layers out evenly but for both ends; others are listed in a configuration "
        "(module_fqns_per_model_part)");
    return;
  }
  if (d.layout.places_mtp && contents(d.model, s, d.layout, split.stages - 1).mtp_layers != d.model.mtp_layers)
    out.cannot("layout: multi-token prediction is on the last stage in torchtitan");
  w.first_stage_less = unless(split.first_less, 1);
  w.last_stage_less = unless(split.last_less, 1);
  if (vpp == 1) return;
  if (vpp == 2) return; // as many as a rank has by itself
  const std::int64_t each = (split.effective() - 1) / split.stages + 1;
  w.layers_per_stage = each;
  if ((split.effective() - 1) / each + 1 != split.stages)
    out.cannot("vpp", vpp, "no number of layers for each stage makes as many stages in torchtitan");
}

/// DP is what shards times its copies.
constexpr void write_torchtitan_dp(torchtitan_words& w, writing& out, const deployment& d) noexcept {
  const std::int64_t dp_size = d.strategy[axis::dp];
  const std::int64_t replicas = training_of(d).dp_replicate;
  w.dp_replicate = unless(replicas, 1);
  if (!d.strategy.resolved()) return; // What is left shards.
  w.dp_shard = replicas == 1 ? dp_size : divided(dp_size, replicas);
  if (w.dp_shard.number == 0)
    out.cannot("dp_replicate", replicas, "in torchtitan dp_replicate x dp_shard are the data-parallel ranks, ").append(dp_size);
}

/// The parameters that the optimizer updates are torchtitan's master weights.
constexpr void write_torchtitan_precision(torchtitan_words& w, writing& out, const training& t) noexcept {
  const precision& p = t.precision;
  const text parameters = word_for(torchtitan_numbers, p.master_weights);
  const text forward = word_for(torchtitan_numbers, p.weights);
  constexpr text why = "torchtitan has fp32 or bf16";
  if (parameters.empty()) out.cannot("precision/master_weights: ").append(why);
  if (forward.empty()) out.cannot("precision/weights: ").append(why);
  if (p.master_weights != number_type::fp32) w.parameters = parameters;
  if (p.weights != number_type::bf16) w.forward = forward;
  note_unless(out, p.gradients, p.master_weights, "precision/gradients", "in torchtitan they have the type of the master weights");
  const bool both = p.first_moment == p.second_moment;
  if (both && p.first_moment == p.master_weights) return;
  w.optimizer_implementation = "fused_opt_states_bf16";
  constexpr text moments = "in torchtitan both moments have the type of the master weights, or bf16";
  note_unless(out, p.first_moment, number_type::bf16, "precision/first_moment", moments);
  note_unless(out, p.second_moment, number_type::bf16, "precision/second_moment", moments);
}

constexpr void write_torchtitan_sharding(torchtitan_words& w, writing& out, const deployment& d) noexcept {
  const sharding sharded = d.workload.train.sharding;
  const std::int64_t stages = d.strategy[axis::pp];
  for (const text policy : {text{}, text{"always"}, text{"never"}}) {
    w.reshard = policy;
    if (torchtitan_sharding(w, stages) == sharded) return;
  }
  w.reshard = {};
  out.cannot(stages > 1
                 ? text{"sharding: in a pipeline torchtitan keeps whole weights and gradients for a step, or parameters sharded"}
                 : text{"sharding: without a pipeline torchtitan shards parameters, or keeps them whole for a step"});
}

constexpr void write_torchtitan_training(torchtitan_words& w, writing& out, const deployment& d) noexcept {
  const training& t = d.workload.train;
  const strategy& s = d.strategy;
  w.context_length = t.sequence_length;
  w.tokens_per_micro_batch = ranks(t.micro_batch, t.sequence_length);
  w.tokens_per_step = ranks(t.global_batch.number, t.sequence_length);
  if (w.tokens_per_micro_batch.number == 0 || w.tokens_per_step.number == 0)
    out.cannot("sequence_length", t.sequence_length, "torchtitan counts batches in tokens, which these are no number of");
  const std::int64_t micro_batches = divided(t.global_batch.number, ranks(t.micro_batch, s[axis::dp]));
  if (s[axis::pp] > 1 && micro_batches > 1) w.pipeline_micro_batches = micro_batches;
  w.recompute = word_for(torchtitan_recompute, t.recompute);
  if (t.context != (s[axis::cp] > 1 ? context_exchange::all_gather : training{}.context))
    out.cannot("context: torchtitan gathers keys and values, and no option says otherwise");
  if (t.dispatcher != (s[axis::ep] > 1 ? token_dispatcher::all_to_all : training{}.dispatcher))
    out.cannot("dispatcher: it is part of torchtitan's model configuration, by itself all_to_all with EP, and none without");
  note_overlap(out, d, "torchtitan has no such option");
  note_routing(out, d, "it is part of torchtitan's model configuration");
  note_vocabulary_multiple(out, d, "torchtitan does not pad the vocabulary");
  write_torchtitan_precision(w, out, t);
  constexpr text configured = "it is part of torchtitan's configuration in Python, and no option";
  note_fp8(out, t, configured);
  note_unless(out, t.optimizer, optimizer::adam, "optimizer", configured);
  write_torchtitan_sharding(w, out, d);
  note_unless(out, t.optimizer_offload, ratio{0}, "optimizer_offload",
              "torchtitan offloads parameters and gradients too (training.enable_cpu_offload), or nothing");
  note_recomputed(out, t, "torchtitan's recompute takes whole layers one by one, or operations of its own choice");
  note_kernels(out, t, "kernels are part of torchtitan's model configuration");
  note_what_is_not_launched(out, t);
}

} // namespace detail

/// Reads options of torchtitan. The base brings the model and the cluster; torchrun's --nnodes and --nproc-per-node, where they stand in
/// the line, replace the cluster's size.
[[nodiscard]] constexpr reading read_torchtitan(text flags, const deployment& base) noexcept {
  return read_flags(torchtitan_grammar, flags, base, &detail::from_torchtitan);
}

/// Writes options for torchtitan, which must be launched on as many processes as the deployment has GPUs.
[[nodiscard]] constexpr writing write_torchtitan(const deployment& described) noexcept {
  const deployment d = spelled_out(described);
  const strategy& s = d.strategy;
  writing out;
  note_what_no_flag_says(out, d, framework::torchtitan);
  torchtitan_words w;
  detail::write_torchtitan_dp(w, out, d);
  w.cp = unless(s[axis::cp], 1);
  w.tp = unless(s[axis::tp], 1);
  w.pp = unless(s[axis::pp], 1);
  w.ep = unless(s[axis::ep], 1);
  const std::int64_t etp_size = s[axis::ep] == 1 && d.model.has_experts() ? s[axis::tp] : 1;
  if (s[axis::etp] != etp_size)
    out.cannot("etp", s[axis::etp],
               s[axis::ep] == 1 ? text{"without EP torchtitan cuts experts as it cuts dense layers, TP"}
                                : text{"with EP torchtitan does not cut experts"});
  w.sequence_parallel = s[axis::sp] == s[axis::tp];
  if (s[axis::sp] != 1 && s[axis::sp] != s[axis::tp])
    out.cannot("sp", s[axis::sp], "torchtitan's sequence parallelism is TP wide, or off");
  note_order(out, d, rank_order{}, "torchtitan's ranks have no order to choose");
  detail::write_torchtitan_stages(w, out, d);
  if (d.workload.is_training()) detail::write_torchtitan_training(w, out, d);
  write_flags(out, torchtitan_grammar, w);
  return out;
}

} // namespace moeplan::dialect
