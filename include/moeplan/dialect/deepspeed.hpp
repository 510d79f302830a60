#pragma once

#include <cstdint>

#include <moeplan/dialect/reading.hpp>
#include <moeplan/dialect/same.hpp>
#include <moeplan/dialect/spelling.hpp>
#include <moeplan/dialect/unsaid.hpp>
#include <moeplan/dialect/writing.hpp>

/// @file
/// DeepSpeed: its configuration, a JSON object, alone or as the value of --deepspeed_config in a launch line. Names and meaning from
/// DeepSpeed edaa7221 (deepspeed/runtime/config.py, deepspeed/runtime/tensor_parallel/config.py,
/// deepspeed/module_inject/auto_ep_config.py and auto_ep_folding.py).
///
/// EP (AutoEP) and TP (AutoTP) are folded on the ranks of a pipeline stage; sequence_parallel_size is Ulysses, context parallelism with
/// all-to-all. ZeRO-3 shards over all data-parallel ranks, or with MiCS (mics_shard_size) over so many of them, and the rest are copies.
/// (The secondary partition of ZeRO++, zero_hpz_partition_size, adds copies of weights to it: what is sharded stays sharded over all.)
/// PP, the layout, the sequence length and recompute are said by the training program, so that here the base says them; so is the
/// optimizer, where the configuration has none. Gradients have the type of the weights unless data_types.grad_accum_dtype says otherwise,
/// which takes ZeRO.

namespace moeplan::dialect {

/// What a configuration of DeepSpeed says.
struct deepspeed_words {
  optional_integer nodes{}, gpus_per_node{};
  optional_integer global_batch{}, micro_batch{}, accumulation{};
  optional_integer zero_stage{}, shard_ranks{};
  optional_integer sequence_parallel{}, tp{}, ep{}, etp{};
  bool expert_parallel = false;
  text offload_device{};
  ratio offload_share{1};
  bool bf16 = false, fp16 = false, bf16_masters = false, bf16_moments = false, fp16_masters = false;
  text gradients{}, optimizer{};
  ratio momentum{0};
};

/// One row a setting.
struct deepspeed_table {
  using row = flag<deepspeed_words>;
  using words = deepspeed_words;

  static constexpr row rows[] = {
      row::an_integer("--num_nodes", &words::nodes, "launcher/runner.py").only_read(),
      row::an_integer("--num_gpus", &words::gpus_per_node, "launcher/runner.py").only_read(),
      row::an_object("--deepspeed_config", {}, "runtime/config.py", "--deepspeed"),
      row::an_integer("train_batch_size", &words::global_batch, "runtime/constants.py"),
      row::an_integer("train_micro_batch_size_per_gpu", &words::micro_batch, "runtime/constants.py"),
      row::an_integer("gradient_accumulation_steps", &words::accumulation, "runtime/constants.py").only_read(),
      row::an_integer("zero_optimization.stage", &words::zero_stage, "runtime/zero/config.py"),
      row::an_integer("zero_optimization.mics_shard_size", &words::shard_ranks, "runtime/zero/config.py:341"),
      row::a_word("zero_optimization.offload_optimizer.device", &words::offload_device, "none cpu",
                  "runtime/zero/offload_config.py"),
      row::a_decimal("zero_optimization.offload_optimizer.ratio", &words::offload_share, "runtime/zero/offload_config.py"),
      row::a_truth("bf16.enabled", &words::bf16, "runtime/precision_config.py", "bfloat16.enabled"),
      row::a_truth("bf16.bf16_master_weights_and_grads", &words::bf16_masters, "runtime/precision_config.py"),
      row::a_truth("bf16.bf16_optimizer_states", &words::bf16_moments, "runtime/precision_config.py"),
      row::a_truth("fp16.enabled", &words::fp16, "runtime/precision_config.py"),
      row::a_truth("fp16.fp16_master_weights_and_grads", &words::fp16_masters, "runtime/precision_config.py"),
      row::a_word("data_types.grad_accum_dtype", &words::gradients, "fp32 bf16 fp16", "runtime/constants.py:485"),
      row::a_word("optimizer.type", &words::optimizer, {}, "runtime/config.py:444"),
      row::a_decimal("optimizer.params.momentum", &words::momentum, "torch.optim.SGD"),
      row::an_integer("sequence_parallel_size", &words::sequence_parallel, "runtime/config.py"),
      row::an_integer("tensor_parallel.autotp_size", &words::tp, "runtime/tensor_parallel/config.py"),
      row::a_truth("expert_parallel.enabled", &words::expert_parallel, "module_inject/auto_ep_config.py"),
      row::an_integer("expert_parallel.autoep_size", &words::ep, "module_inject/auto_ep_config.py"),
      row::an_integer("expert_parallel.expert_tensor_parallel_size", &words::etp, "module_inject/auto_ep_config.py"),
  };
};

/// DeepSpeed's configuration. A section that is listed covers all its settings.
inline constexpr grammar<deepspeed_words, sizeof deepspeed_table::rows / sizeof *deepspeed_table::rows> deepspeed_grammar{
    .framework = framework::deepspeed,
    .flags = deepspeed_table::rows,
    .not_modelled_switches = "--no_local_rank --no_python --module --force_multi",
    .not_modelled =
        "zero_optimization optimizer scheduler bf16 fp16 amp zero_allow_untested_optimizer gradient_clipping prescale_gradients "
        "gradient_predivide_factor communication_data_type data_types activation_checkpointing pipeline flops_profiler "
        "wall_clock_breakdown dump_state steps_per_print tensorboard wandb csv_monitor comms_logger checkpoint aio compile "
        "elasticity autotuning data_efficiency curriculum_learning compression_training sparse_gradients "
        "use_data_before_expert_parallelism tensor_parallel.preset_model tensor_parallel.partition_config tensor_parallel.dtype "
        "tensor_parallel.tp_overlap_comm expert_parallel.preset_model expert_parallel.use_grouped_mm "
        "expert_parallel.validate_folding_routing expert_parallel.moe_layer_pattern expert_parallel.expert_pattern "
        "expert_parallel.router_pattern expert_parallel.score_func expert_parallel.top_k expert_parallel.load_balance_coeff "
        "--hostfile -H --include -i --exclude -e --master_addr --master_port --node_rank --launcher --launcher_args --ssh_port "
        "--local_rank",
    .programs = "deepspeed python python3"};

namespace detail {

/// Copies of what ZeRO shards. Source: runtime/zero/mics_utils.py, _generate_mics_config.
constexpr void read_mics(translation& t, const deepspeed_words& w) noexcept {
  training& run = t.deployment.workload.train;
  const strategy& s = t.deployment.strategy;
  run.dp_replicate = 1;
  const bool is_on = w.zero_stage.value_or(0) == 3 && w.shard_ranks.value_or(-1) > 0;
  if (!w.shard_ranks.given) return;
  if (!is_on || !s.resolved()) // How many copies there are, the number of GPUs says.
    return void(t.without_meaning.push_back("zero_optimization.mics_shard_size"));
  const std::int64_t all = ranks(s[axis::cp], s[axis::dp]);
  if (all == 0) return; // `check` says what of this is wrong.
  run.dp_replicate = divided(all, w.shard_ranks.number);
  if (run.dp_replicate == 0)
    t.refuse("MiCS cannot divide the data-parallel ranks evenly", "zero_optimization.mics_shard_size", "a divisor of DP x CP");
}

inline constexpr spelling<number_type> deepspeed_numbers[] = {
    {number_type::fp32, "fp32"}, {number_type::bf16, "bf16"}, {number_type::fp16, "fp16"}};

/// Source: runtime/engine.py, get_data_types and _do_optimizer_sanity_check.
[[nodiscard]] constexpr precision deepspeed_precision(const deepspeed_words& w, const precision& base) noexcept {
  precision p = base; // FP8 is the program's.
  p.weights = w.bf16 ? number_type::bf16 : w.fp16 ? number_type::fp16 : number_type::fp32;
  p.gradients = value_for(deepspeed_numbers, w.gradients, p.weights);
  p.master_weights = w.bf16 && w.bf16_masters   ? number_type::bf16
                     : w.fp16 && w.fp16_masters ? number_type::fp16
                                                : number_type::fp32;
  p.first_moment = w.bf16 && w.bf16_masters && w.bf16_moments ? number_type::bf16 : number_type::fp32;
  p.second_moment = p.first_moment;
  return p;
}

/// Without a type the program brings the optimizer. (runtime/engine.py, _configure_basic_optimizer: DeepSpeed's own names in any letters,
/// then those of torch.optim.)
constexpr bool read_deepspeed_optimizer(translation& t, const deepspeed_words& w, training& run) noexcept {
  if (w.optimizer.empty()) return true;
  if (same_letters(w.optimizer, "adam") || same_letters(w.optimizer, "adamw")) {
    run.optimizer = optimizer::adam;
  } else if (same_letters(w.optimizer, "muon")) {
    run.optimizer = optimizer::muon;
  } else if (w.optimizer == "SGD" && w.momentum != ratio{0}) {
    run.optimizer = optimizer::sgd_momentum;
  } else {
    t.refuse("an optimizer that is not described here", "optimizer.type", "Adam AdamW Muon, or SGD with params.momentum");
    return false;
  }
  return true;
}

/// ZeRO: what is sharded, and which part of the states the host holds.
constexpr bool read_zero(translation& t, const deepspeed_words& w, training& run) noexcept {
  const std::int64_t stage = w.zero_stage.value_or(0);
  if (stage < 0 || stage > 3) {
    t.refuse("no stage of ZeRO", "zero_optimization.stage", "0 to 3");
    return false;
  }
  run.sharding = static_cast<sharding>(stage);
  run.optimizer_offload = w.offload_device == "cpu" ? (stage == 3 ? w.offload_share : ratio{1}) : ratio{0};
  if (w.offload_share != ratio{1} && (stage != 3 || !(w.offload_device == "cpu")))
    t.without_meaning.push_back("zero_optimization.offload_optimizer.ratio");
  return true;
}

constexpr void from_deepspeed(translation& t, const deepspeed_words& w) noexcept {
  deployment& d = t.deployment;
  read_launcher(d.cluster, w.nodes, w.gpus_per_node);
  training run = training_of(d);
  if (w.bf16 && w.fp16) return t.refuse("weights of two types", "fp16.enabled", "bf16 or fp16, not both");
  if (!read_zero(t, w, run) || !read_deepspeed_optimizer(t, w, run)) return;
  run.precision = deepspeed_precision(w, run.precision);
  run.micro_batch = w.micro_batch.value_or(run.micro_batch);
  run.global_batch = w.global_batch;
  strategy s = d.strategy; // PP, VPP and the order are the program's.
  const std::int64_t tp_size = w.tp.value_or(0);
  s.set(axis::tp, tp_size == 0 ? 1 : tp_size); // 0: no automatic tensor parallelism
  s.set(axis::cp, w.sequence_parallel.value_or(1));
  s.set(axis::ep, w.expert_parallel ? w.ep.value_or(1) : 1);
  s.set(axis::etp, w.expert_parallel ? w.etp.value_or(1) : 1);
  s.set(axis::sp, 1);
  // The batch decides DP where nothing is known of the GPUs: train_batch_size is micro-batch x accumulation x DP (runtime/config.py).
  const std::int64_t by_batch = divided(w.global_batch.number, ranks(w.micro_batch.number, w.accumulation.number));
  const bool known_world = d.cluster.described();
  if (known_world) {
    s.given = static_cast<std::uint16_t>(s.given & ~(1U << static_cast<unsigned>(axis::dp)));
    s.degrees[static_cast<std::size_t>(axis::dp)] = 0;
  } else if (by_batch != 0) {
    s.set(axis::dp, by_batch);
  }
  if (s[axis::cp] > 1) run.context = context_exchange::all_to_all;
  d.strategy = s;
  d.workload = run;
  d = spelled_out(d);
  if (!w.global_batch.given && w.accumulation.given && d.strategy.resolved()) {
    const std::int64_t all = ranks(run.micro_batch, w.accumulation.number, d.strategy[axis::dp]);
    if (all != 0) d.workload.train.global_batch = all;
  }
  read_mics(t, w);
}

constexpr void write_mics(deepspeed_words& w, writing& out, const deployment& d) noexcept {
  const strategy& s = d.strategy;
  const std::int64_t copies = d.workload.train.dp_replicate;
  if (copies == 1) return;
  const std::int64_t shard_ranks = divided(ranks(s[axis::cp], s[axis::dp]), copies);
  text why_not{};
  if (w.expert_parallel)
    why_not = "DeepSpeed's MiCS excludes AutoEP (runtime/engine.py, _validate_zero3_moe_compatibility)";
  else if (s[axis::tp] > 1 || s[axis::pp] > 1)
    why_not = "DeepSpeed's MiCS shards over neighbours among all ranks, which excludes TP and PP";
  else if (shard_ranks == 0)
    why_not = "DeepSpeed's MiCS divides the data-parallel ranks evenly";
  else if (d.workload.train.sharding != sharding::parameters)
    why_not = "DeepSpeed's MiCS makes copies of sharded parameters";
  if (!why_not.empty()) return void(out.cannot("dp_replicate", copies, why_not));
  w.shard_ranks = shard_ranks;
}

constexpr void write_zero(deepspeed_words& w, writing& out, const training& t) noexcept {
  w.zero_stage = unless(static_cast<std::int64_t>(t.sharding), 0);
  if (t.optimizer_offload == ratio{0}) return;
  w.offload_device = "cpu";
  if (t.sharding == sharding::none) out.cannot("optimizer_offload: DeepSpeed has it only with ZeRO");
  w.offload_share = t.optimizer_offload;
  if (text_buffer<64> digits; !append_decimal(digits, t.optimizer_offload))
    out.cannot("optimizer_offload: it is no finite decimal number");
  if (t.optimizer_offload != ratio{1} && t.sharding != sharding::parameters)
    out.cannot("optimizer_offload: DeepSpeed offloads a part of the states only with ZeRO-3, or all of them");
}

constexpr void write_deepspeed_precision(deepspeed_words& w, writing& out, const training& t) noexcept {
  const precision& p = t.precision;
  w.bf16 = p.weights == number_type::bf16;
  w.fp16 = p.weights == number_type::fp16;
  if (!w.bf16 && !w.fp16 && p.weights != number_type::fp32) out.cannot("precision/weights: DeepSpeed trains in bf16, fp16 or fp32");
  if (p.gradients != p.weights) w.gradients = word_for(deepspeed_numbers, p.gradients);
  if (word_for(deepspeed_numbers, p.gradients).empty())
    out.cannot("precision/gradients: DeepSpeed has fp32, bf16 or fp16");
  else if (p.gradients != p.weights && t.sharding == sharding::none)
    out.cannot("precision/gradients: without ZeRO DeepSpeed adds them up in the type of the weights");
  w.bf16_masters = w.bf16 && p.master_weights == number_type::bf16;
  w.fp16_masters = w.fp16 && p.master_weights == number_type::fp16;
  const bool offloaded = t.optimizer_offload != ratio{0};
  const bool known = p.master_weights == number_type::fp32 ||
                     (w.bf16_masters && t.sharding != sharding::none && p.gradients == p.weights) || (w.fp16_masters && offloaded);
  if (!known) out.cannot("precision/master_weights: DeepSpeed has fp32, bf16 with bf16 gradients and ZeRO, or offloaded fp16");
  const bool both = p.first_moment == p.second_moment;
  w.bf16_moments = w.bf16_masters && both && p.first_moment == number_type::bf16;
  constexpr text why = "DeepSpeed has fp32, or bf16 for both moments and master weights";
  if (w.bf16_moments) return;
  note_unless(out, p.first_moment, number_type::fp32, "precision/first_moment", why);
  note_unless(out, p.second_moment, number_type::fp32, "precision/second_moment", why);
}

/// Adam is left to the program, which brings its optimizer where the configuration has none.
constexpr void write_deepspeed_optimizer(deepspeed_words& w, writing& out, const training& t) noexcept {
  if (t.optimizer == optimizer::muon) w.optimizer = "Muon";
  if (t.optimizer == optimizer::sgd_momentum) {
    w.optimizer = "SGD";
    w.momentum = {9, 10}; // How much says nothing of memory.
  }
  if (t.optimizer == optimizer::none) out.cannot("optimizer none: DeepSpeed has no training without one");
}

/// What only the training program says, where it is not what a deployment takes by itself.
constexpr void note_program(writing& out, const deployment& d) noexcept {
  constexpr text why = "the training program says it, not DeepSpeed's configuration";
  const training by_default{};
  const training& t = d.workload.train;
  const strategy& s = d.strategy;
  if (s[axis::pp] != 1) out.cannot("pp", s[axis::pp], why);
  if (s[axis::vpp] != 1) out.cannot("vpp", s[axis::vpp], "DeepSpeed gives each pipeline rank one stage");
  if (!(d.layout == layout::even())) out.cannot("layout: ").append(why);
  if (!d.workload.is_training()) return;
  if (t.sequence_length != by_default.sequence_length) out.cannot("sequence_length", t.sequence_length, why);
  if (t.recompute != by_default.recompute) out.cannot("recompute: ").append(why);
  if (t.dispatcher != by_default.dispatcher) out.cannot("dispatcher: DeepSpeed has one of its own");
  if (t.context != (s[axis::cp] > 1 ? context_exchange::all_to_all : by_default.context))
    out.cannot("context: DeepSpeed's sequence parallelism is Ulysses, all_to_all");
  note_overlap(out, d, "DeepSpeed has no such setting");
  note_routing(out, d, "it is part of DeepSpeed's MoE layer");
  note_vocabulary_multiple(out, d, why);
  note_recomputed(out, t, why);
  note_unless(out, t.schedule, by_default.schedule, "schedule", "DeepSpeed's pipeline is 1F1B");
  note_kernels(out, t, why);
  note_fp8(out, t, why);
  note_what_is_not_launched(out, t);
}

} // namespace detail

/// Reads a configuration of DeepSpeed: a JSON object, or a launch line with --deepspeed_config '{...}'. The base brings the model, the
/// cluster and what the training program says; --num_nodes and --num_gpus, where they stand in the line, replace the cluster's size.
[[nodiscard]] constexpr reading read_deepspeed(text flags, const deployment& base) noexcept {
  return read_flags(deepspeed_grammar, flags, base, &detail::from_deepspeed);
}

/// Writes a configuration for DeepSpeed, which must be launched on as many processes as the deployment has GPUs.
[[nodiscard]] constexpr writing write_deepspeed(const deployment& described) noexcept {
  const deployment d = spelled_out(described);
  const strategy& s = d.strategy;
  writing out;
  note_what_no_flag_says(out, d, framework::deepspeed);
  note_derived_dp(out, d, framework::deepspeed);
  deepspeed_words w;
  w.tp = unless(s[axis::tp], 1);
  w.sequence_parallel = unless(s[axis::cp], 1);
  w.expert_parallel = s[axis::ep] > 1 || s[axis::etp] > 1;
  if (w.expert_parallel) w.ep = s[axis::ep];
  note_uncut_experts(out, d, "DeepSpeed does not cut experts: expert_tensor_parallel_size must be 1");
  note_experts_of_a_dense_model(out, d);
  if (s[axis::tp] > 1 && s[axis::cp] > 1) out.cannot("cp", s[axis::cp], "DeepSpeed's TP and Ulysses exclude each other");
  if (s[axis::tp] > 1 && s[axis::ep] > 1 && s[axis::pp] > 1)
    out.cannot("tp", s[axis::tp], "DeepSpeed folds TP with EP only without PP");
  if (s[axis::sp] != 1) out.cannot("sp", s[axis::sp], "DeepSpeed has no sequence parallelism over the ranks of TP");
  note_order(out, d, rank_order{}, "DeepSpeed's ranks have no order to choose");
  detail::note_program(out, d);
  if (d.workload.is_training()) {
    w.global_batch = d.workload.train.global_batch;
    w.micro_batch = d.workload.train.micro_batch;
    detail::write_mics(w, out, d);
    detail::write_zero(w, out, d.workload.train);
    detail::write_deepspeed_precision(w, out, d.workload.train);
    detail::write_deepspeed_optimizer(w, out, d.workload.train);
  }
  write_flags(out, deepspeed_grammar, w, flag_style::json);
  return out;
}

} // namespace moeplan::dialect
