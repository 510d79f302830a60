#pragma once

#include <cstdint>

#include <moeplan/dialect/reading.hpp>
#include <moeplan/dialect/same.hpp>
#include <moeplan/dialect/spelling.hpp>
#include <moeplan/dialect/writing.hpp>

/// @file
/// Megatron-LM: flags of pretrain_gpt.py. Names and defaults from Megatron-LM d98e8a64, where most flags are made from the fields of
/// dataclasses: '_' becomes '-', and a field that is true by default becomes --no-NAME.
///
/// DP is no flag: it is what the number of processes leaves. Without --expert-tensor-parallel-size the experts are cut like the dense
/// layers, ETP = TP. Optimizer states are sharded over all of DP x CP, or over each of so many parts of it (distributed optimizer
/// instances).

namespace moeplan::dialect {

/// What a launch line of Megatron-LM says.
struct megatron_words {
  optional_integer nodes{}, gpus_per_node{};
  optional_integer tp{}, pp{}, cp{}, ep{}, etp{};
  optional_integer vpp{}, layers_per_virtual_stage{};
  optional_integer first_stage_layers{}, last_stage_layers{}, mtp_layers{};
  moeplan::layout stages{};
  bool embedding_is_a_layer = false, loss_is_a_layer = false;
  bool sequence_parallel = false;
  bool pp_before_dp = false;
  text context{};
  optional_integer micro_batch{}, global_batch{}, sequence_length{}, vocabulary_multiple{};
  bool distributed_optimizer = false;
  optional_integer optimizer_instances{};
  text recompute{}, recompute_method{};
  optional_integer recompute_layers{};
  bool recompute_selected = false;
  text dispatcher{}, flex_backend{};
  bool deepep = false;
  text balancing{};
  ratio capacity_factor{0};
  bool pad_to_capacity = false, pre_softmax = false;
  bool overlap_tp = false, overlap_shared = false, overlap_ep = false, delay_gradient = false;
  // The model, which the base of a reading brings: these are only compared with it.
  optional_integer layers{}, hidden_size{}, heads{}, kv_heads{}, experts{}, top_k{}, expert_ffn{};
};

/// One row a flag: to teach a further one, add it here, a member above if it is about none of those, and what it means below.
struct megatron_table {
  using row = flag<megatron_words>;
  using words = megatron_words;

  static constexpr row rows[] = {
      // torchrun, docs.pytorch.org/docs/stable/elastic/run.html
      row::an_integer("--nnodes", &words::nodes, "torchrun").only_read(),
      row::an_integer("--nproc-per-node", &words::gpus_per_node, "torchrun", "--nproc_per_node").only_read(),
      // The two grids
      row::an_integer("--tensor-model-parallel-size", &words::tp, "model_parallel_config.py"),
      row::a_switch("--sequence-parallel", &words::sequence_parallel, "model_parallel_config.py"),
      row::an_integer("--pipeline-model-parallel-size", &words::pp, "model_parallel_config.py"),
      row::an_integer("--context-parallel-size", &words::cp, "model_parallel_config.py"),
      row::an_integer("--expert-model-parallel-size", &words::ep, "model_parallel_config.py"),
      row::an_integer("--expert-tensor-parallel-size", &words::etp, "model_parallel_config.py"),
      row::a_switch("--use-tp-pp-dp-mapping", &words::pp_before_dp, "megatron/training/initialize.py:395"),
      row::a_word("--cp-comm-type", &words::context, "p2p all_gather allgather a2a", "arguments.py").for_each_layer(),
      // Stages
      row::an_integer("--num-virtual-stages-per-pipeline-rank", &words::vpp, "arguments.py"),
      row::an_integer("--num-layers-per-virtual-pipeline-stage", &words::layers_per_virtual_stage, "arguments.py").only_read(),
      row::an_integer("--decoder-first-pipeline-num-layers", &words::first_stage_layers, "arguments.py"),
      row::an_integer("--decoder-last-pipeline-num-layers", &words::last_stage_layers, "arguments.py"),
      row::a_switch("--account-for-embedding-in-pipeline-split", &words::embedding_is_a_layer, "transformer_config.py"),
      row::a_switch("--account-for-loss-in-pipeline-split", &words::loss_is_a_layer, "transformer_config.py"),
      row::a_layout("--pipeline-model-parallel-layout", &words::stages, "arguments.py"),
      row::an_integer("--mtp-num-layers", &words::mtp_layers, "transformer_config.py"),
      // Batch and sequence
      row::an_integer("--micro-batch-size", &words::micro_batch, "training_config.py"),
      row::an_integer("--global-batch-size", &words::global_batch, "training_config.py"),
      row::an_integer("--seq-length", &words::sequence_length, "arguments.py"),
      row::an_integer("--make-vocab-size-divisible-by", &words::vocabulary_multiple, "arguments.py"),
      // What data parallelism shards
      row::a_switch("--use-distributed-optimizer", &words::distributed_optimizer, "arguments.py:3156"),
      row::an_integer("--num-distributed-optimizer-instances", &words::optimizer_instances, "arguments.py:3216"),
      // Recompute
      row::a_word("--recompute-granularity", &words::recompute, "full selective", "transformer_config.py"),
      row::a_word("--recompute-method", &words::recompute_method, "uniform", "transformer_config.py"),
      row::an_integer("--recompute-num-layers", &words::recompute_layers, "transformer_config.py"),
      row::a_switch("--recompute-activations", &words::recompute_selected, "arguments.py").only_read(),
      // Experts
      row::a_word("--moe-token-dispatcher-type", &words::dispatcher, "allgather alltoall flex", "transformer_config.py"),
      row::a_word("--moe-flex-dispatcher-backend", &words::flex_backend, "deepep hybridep", "transformer_config.py"),
      row::a_switch("--moe-enable-deepep", &words::deepep, "transformer_config.py").only_read(),
      row::a_word("--moe-router-load-balancing-type", &words::balancing, "aux_loss seq_aux_loss global_aux_loss sinkhorn none",
                  "arguments.py")
          .for_each_layer(),
      row::a_decimal("--moe-expert-capacity-factor", &words::capacity_factor, "transformer_config.py"),
      row::a_switch("--moe-pad-expert-input-to-capacity", &words::pad_to_capacity, "transformer_config.py"),
      row::a_switch("--moe-router-pre-softmax", &words::pre_softmax, "transformer_config.py"),
      // Overlap
      row::a_switch("--tp-comm-overlap", &words::overlap_tp, "model_parallel_config.py"),
      row::a_switch("--moe-shared-expert-overlap", &words::overlap_shared, "transformer_config.py"),
      row::a_switch("--overlap-moe-expert-parallel-comm", &words::overlap_ep, "model_parallel_config.py"),
      row::a_switch("--delay-wgrad-compute", &words::delay_gradient, "model_parallel_config.py"),
      // The model
      row::an_integer("--num-layers", &words::layers, "transformer_config.py").only_read(),
      row::an_integer("--hidden-size", &words::hidden_size, "transformer_config.py").only_read(),
      row::an_integer("--num-attention-heads", &words::heads, "transformer_config.py").only_read(),
      row::an_integer("--num-query-groups", &words::kv_heads, "transformer_config.py").only_read(),
      row::an_integer("--num-experts", &words::experts, "arguments.py").only_read(),
      row::an_integer("--moe-router-topk", &words::top_k, "transformer_config.py").only_read(),
      row::an_integer("--moe-ffn-hidden-size", &words::expert_ffn, "transformer_config.py").only_read(),
  };
};

/// Megatron-LM's launch line. What is not modelled is about the model, which the base brings, the optimizer, data, checkpoints and kernels.
inline constexpr grammar<megatron_words, sizeof megatron_table::rows / sizeof *megatron_table::rows> megatron_grammar{
    .framework = framework::megatron,
    .flags = megatron_table::rows,
    .not_modelled_switches =
        "--bf16 --fp16 --swiglu --use-mcore-models --use-flash-attn --overlap-grad-reduce "
        "--overlap-param-gather --no-overlap-p2p-communication --moe-grouped-gemm --moe-permute-fusion --moe-router-fusion "
        "--moe-router-force-load-balancing --moe-router-enable-expert-bias --moe-shared-expert-gate --moe-per-layer-logging "
        "--moe-use-legacy-grouped-gemm --multi-latent-attention --group-query-attention --qk-layernorm "
        "--use-rotary-position-embeddings "
        "--untie-embeddings-and-output-weights --disable-bias-linear --add-qkv-bias --normalize-attention-scores "
        "--no-masked-softmax-fusion --no-bias-swiglu-fusion --no-bias-dropout-fusion --no-rope-fusion --apply-layernorm-1p "
        "--no-position-embedding --attention-softmax-in-fp32 --accumulate-allreduce-grads-in-fp32 "
        "--no-gradient-accumulation-fusion "
        "--cross-entropy-loss-fusion --use-precision-aware-optimizer --optimizer-cpu-offload --fp8-param-gather "
        "--enable-experimental --use-megatron-fsdp --use-torch-fsdp2 --no-save-optim --no-save-rng --no-load-optim --no-load-rng "
        "--auto-detect-ckpt-format --dist-ckpt-strictness --log-throughput --log-timers-to-tensorboard --log-memory-to-tensorboard "
        "--log-params-norm --log-num-zeros-in-grad --log-validation-ppl-to-tensorboard --log-memory-interval "
        "--no-check-for-nan-in-loss-and-grad "
        "--check-for-nan-in-loss-and-grad --mock-data --manual-gc --no-create-attention-mask-in-dataloader "
        "--calculate-per-token-loss "
        "--sequence-packing --use-tp-comm-overlap --finetune --reset-position-ids --reset-attention-mask --eod-mask-loss "
        "--no-mmap-bin-files --use-checkpoint-args --async-save --ckpt-fully-parallel-load --ckpt-assume-constant-structure "
        "--moe-apply-probs-on-input --moe-router-padding-for-fp8 --moe-router-padding-for-quantization "
        "--distribute-saved-activations "
        "--profile --use-pytorch-profiler --disable-gloo-process-groups --deterministic-mode --te-rng-tracker",
    .not_modelled =
        "--ffn-hidden-size --vocab-size --max-position-embeddings --position-embedding-type --rotary-base --rotary-percent "
        "--rotary-scaling-factor "
        "--rotary-seq-len-interpolation-factor --normalization --norm-epsilon --kv-channels --q-lora-rank --kv-lora-rank "
        "--qk-head-dim "
        "--qk-pos-emb-head-dim --v-head-dim --mscale --mscale-all-dim --attention-dropout --hidden-dropout --attention-backend "
        "--transformer-impl --moe-layer-freq --moe-shared-expert-intermediate-size --moe-router-score-function "
        "--moe-router-num-groups "
        "--moe-router-group-topk --moe-router-topk-scaling-factor --moe-router-dtype --moe-router-bias-update-rate "
        "--moe-z-loss-coeff "
        "--moe-token-drop-policy --moe-deepep-num-sms --moe-flex-dispatcher-num-sms --mtp-loss-scaling-factor --init-method-std "
        "--microbatch-group-size-per-virtual-pipeline-stage "
        "--data-parallel-sharding-strategy "
        "--fp8-format --fp8-recipe --fp8-amax-history-len --fp8-amax-compute-algo --main-grads-dtype --main-params-dtype "
        "--exp-avg-dtype --exp-avg-sq-dtype --params-dtype --cuda-graph-impl --optimizer --lr --min-lr --lr-decay-style "
        "--lr-decay-iters "
        "--lr-decay-samples --lr-warmup-iters --lr-warmup-samples --lr-warmup-init --lr-warmup-fraction --weight-decay --clip-grad "
        "--adam-beta1 --adam-beta2 --adam-eps --train-iters --train-samples --eval-iters --eval-interval --save --save-interval "
        "--load "
        "--ckpt-format --dist-ckpt-format --exit-interval --exit-duration-in-mins --seed --split --tokenizer-type "
        "--tokenizer-model "
        "--vocab-file --merge-file --data-cache-path --num-workers --num-dataset-builder-threads --log-interval --tensorboard-dir "
        "--tensorboard-queue-size --wandb-project --wandb-exp-name --wandb-save-dir --distributed-timeout-minutes "
        "--distributed-backend --manual-gc-interval --profile-step-start --profile-step-end --tp-comm-overlap-cfg "
        "--master-addr --master-port --master_addr --master_port --node-rank --node_rank --rdzv-backend --rdzv_backend "
        "--rdzv-endpoint --rdzv_endpoint --rdzv-id --rdzv_id --max-restarts --max_restarts --role --tee -m",
    .not_modelled_lists =
        "--data-path --train-data-path --valid-data-path --test-data-path --recompute-modules --moe-aux-loss-coeff "
        "--rampup-batch-size --profile-ranks --cuda-graph-modules --cuda-graph-scope --optimizer-offload-fraction",
    .programs = "torchrun python python3 srun"};

namespace detail {

inline constexpr spelling<context_exchange> megatron_context[] = {{context_exchange::ring, "p2p"},
                                                                  {context_exchange::all_gather, "all_gather"},
                                                                  {context_exchange::all_gather, "allgather"},
                                                                  {context_exchange::all_to_all, "a2a"}};
inline constexpr spelling<recompute> megatron_recompute[] = {{recompute::full, "full"}, {recompute::selective, "selective"}};
inline constexpr spelling<load_balancing> megatron_balancing[] = {{load_balancing::auxiliary_loss, "aux_loss"},
                                                                  {load_balancing::sequence_auxiliary_loss, "seq_aux_loss"},
                                                                  {load_balancing::global_auxiliary_loss, "global_aux_loss"},
                                                                  {load_balancing::sinkhorn, "sinkhorn"},
                                                                  {load_balancing::none, "none"}};
inline constexpr spelling<token_dispatcher> megatron_dispatcher[] = {{token_dispatcher::all_gather, "allgather"},
                                                                     {token_dispatcher::all_to_all, "alltoall"},
                                                                     {token_dispatcher::deepep, "flex"},
                                                                     {token_dispatcher::flex, "flex"}};

/// A number of the model that the line says too; the base's counts, and the two must agree.
struct model_number {
  text flag{};
  optional_integer said{};
  std::int64_t described = 0;
};

constexpr bool contradicts_model(translation& t, const megatron_words& w, const model& m) noexcept {
  const model_number numbers[] = {{"--num-layers", w.layers, m.layers},
                                  {"--hidden-size", w.hidden_size, m.hidden_size},
                                  {"--num-attention-heads", w.heads, m.attention.heads},
                                  {"--num-query-groups", w.kv_heads, m.attention.kv_heads},
                                  {"--num-experts", w.experts, m.experts.routed},
                                  {"--moe-router-topk", w.top_k, m.experts.top_k},
                                  {"--mtp-num-layers", w.mtp_layers, m.mtp_layers},
                                  {"--moe-ffn-hidden-size", w.expert_ffn, m.experts.intermediate_size}};
  for (const model_number& n : numbers) {
    if (m.layers == 0 && n.said.given) t.without_meaning.push_back(n.flag); // There is no model to be compared with.
    if (m.layers == 0 || !n.said.given || n.said.number == n.described) continue;
    t.refuse("the model has another number", n.flag, "the number of the model that is described");
    return true;
  }
  return false;
}

/// Layers of a virtual stage to virtual stages of a rank. Source: arguments.py, validate_args.
constexpr bool read_virtual_stages(translation& t, const megatron_words& w, const model& m) noexcept {
  strategy& s = t.deployment.strategy;
  if (w.vpp.given) s.set(axis::vpp, w.vpp.number);
  if (!w.layers_per_virtual_stage.given) return true;
  std::int64_t slots = 0;
  if (__builtin_add_overflow(m.layers, (w.embedding_is_a_layer ? 1 : 0) + (w.loss_is_a_layer ? 1 : 0), &slots)) slots = 0;
  const std::int64_t vpp = divided(divided(slots, s[axis::pp]), w.layers_per_virtual_stage.number);
  s.set(axis::vpp, vpp);
  if (vpp != 0) return true;
  t.refuse("the layers of a stage do not divide by those of a virtual stage", "--num-layers-per-virtual-pipeline-stage",
           "a divisor of the model's layers / PP");
  return false;
}

constexpr void read_layout(deployment& d, const megatron_words& w) noexcept {
  if (w.stages.kind == layout_kind::listed)
    d.layout = w.stages;
  else if (w.first_stage_layers.given || w.last_stage_layers.given)
    d.layout = layout::first_last(w.first_stage_layers, w.last_stage_layers);
  else
    d.layout = layout::even_with(w.embedding_is_a_layer, w.loss_is_a_layer);
}

constexpr token_dispatcher megatron_dispatcher_of(const megatron_words& w) noexcept {
  if (w.deepep) return token_dispatcher::deepep;
  if (w.dispatcher == "flex") return w.flex_backend == "hybridep" ? token_dispatcher::flex : token_dispatcher::deepep;
  return value_for(megatron_dispatcher, w.dispatcher, training{}.dispatcher);
}

constexpr training megatron_training(const megatron_words& w, const training& base) noexcept {
  const training by_default{};
  training t = base;
  t.global_batch = w.global_batch;
  t.micro_batch = w.micro_batch.value_or(by_default.micro_batch);
  t.sequence_length = w.sequence_length.value_or(base.sequence_length);
  t.vocabulary_multiple = w.vocabulary_multiple.value_or(by_default.vocabulary_multiple);
  t.dp_replicate = w.optimizer_instances.value_or(by_default.dp_replicate);
  t.recompute = value_for(megatron_recompute, w.recompute, w.recompute_selected ? recompute::selective : recompute::none);
  t.context = value_for(megatron_context, w.context, by_default.context);
  t.dispatcher = megatron_dispatcher_of(w);
  t.routing = {.balancing = value_for(megatron_balancing, w.balancing, by_default.routing.balancing),
               .capacity_factor = w.capacity_factor,
               .pad_to_capacity = w.pad_to_capacity,
               .pre_softmax = w.pre_softmax};
  t.overlap = {.tensor_parallel = w.overlap_tp,
               .shared_experts = w.overlap_shared,
               .expert_parallel = w.overlap_ep,
               .delayed_weight_gradient = w.delay_gradient};
  return t;
}

constexpr void from_megatron(translation& t, const megatron_words& w) noexcept {
  deployment& d = t.deployment;
  if (contradicts_model(t, w, d.model)) return;
  if (w.distributed_optimizer && !w.optimizer_instances.given) t.without_meaning.push_back("--use-distributed-optimizer");
  read_launcher(d.cluster, w.nodes, w.gpus_per_node);
  strategy s;
  const std::int64_t tp_size = w.tp.value_or(1);
  s.set(axis::tp, tp_size);
  s.set(axis::pp, w.pp.value_or(1));
  s.set(axis::cp, w.cp.value_or(1));
  s.set(axis::ep, w.ep.value_or(1));
  s.set(axis::etp, w.etp.value_or(tp_size));
  // Without tensor parallelism Megatron-LM turns sequence parallelism off (arguments.py, validate_args).
  s.set(axis::sp, w.sequence_parallel ? tp_size : 1);
  if (w.pp_before_dp) s.order = rank_order{"tp-cp-ep-pp-dp"};
  if (d.strategy.resolved() && !d.cluster.described()) s.set(axis::dp, d.strategy[axis::dp]);
  d.strategy = s;
  if (!read_virtual_stages(t, w, d.model)) return;
  read_layout(d, w);
  d.workload = megatron_training(w, training_of(d));
  d = spelled_out(d);
}

/// Layout to flags: a string where Megatron-LM has no other words for it.
constexpr void write_layout(megatron_words& w, writing& out, const deployment& d) noexcept {
  const layout& l = d.layout;
  w.first_stage_layers = l.first;
  w.last_stage_layers = l.last;
  w.embedding_is_a_layer = l.embedding_is_a_layer;
  w.loss_is_a_layer = l.loss_is_a_layer;
  const bool as_string = l.kind == layout_kind::listed || l.kind == layout_kind::balanced;
  if (!as_string) {
    w.vpp = unless(d.strategy[axis::vpp], 1);
    return;
  }
  if (!has_countable_stages(d)) {
    out.cannot("layout: it cannot be laid out stage by stage");
    return;
  }
  const std::int64_t stages = virtual_stages(d.strategy, l);
  w.stages.kind = layout_kind::listed;
  w.stages.places_mtp = true;
  for (std::int64_t i = 0; i < stages; ++i) {
    const stage_contents c = contents(d.model, d.strategy, l, i);
    if (w.stages.append({.stages = 1, .decoder_layers = c.decoder_layers, .mtp_layers = c.mtp_layers})) continue;
    out.cannot("layout: it has more different stages than a string can hold here");
    return;
  }
}

constexpr void write_training(megatron_words& w, writing& out, const training& t) noexcept {
  const training by_default{};
  w.micro_batch = t.micro_batch;
  w.global_batch = t.global_batch;
  w.sequence_length = unless(t.sequence_length, 0);
  w.vocabulary_multiple = unless(t.vocabulary_multiple, by_default.vocabulary_multiple);
  w.optimizer_instances = unless(t.dp_replicate, by_default.dp_replicate);
  w.distributed_optimizer = w.optimizer_instances.given; // There are no instances without it (distributed_data_parallel.py:357).
  if (t.recompute != by_default.recompute) w.recompute = word_for(megatron_recompute, t.recompute);
  if (t.recompute == recompute::full) { // Full recompute wants to know which layers: every one (transformer_config.py:1901).
    w.recompute_method = "uniform";
    w.recompute_layers = 1;
  }
  if (t.context != by_default.context) w.context = word_for(megatron_context, t.context);
  if (t.dispatcher != by_default.dispatcher) w.dispatcher = word_for(megatron_dispatcher, t.dispatcher);
  if (t.dispatcher == token_dispatcher::deepep) w.flex_backend = "deepep";
  if (t.dispatcher == token_dispatcher::flex) w.flex_backend = "hybridep";
  if (t.routing.balancing != by_default.routing.balancing) w.balancing = word_for(megatron_balancing, t.routing.balancing);
  w.capacity_factor = t.routing.capacity_factor;
  if (text_buffer<64> digits; !append_decimal(digits, t.routing.capacity_factor))
    out.cannot("routing/capacity_factor: it is no finite decimal number");
  w.pad_to_capacity = t.routing.pad_to_capacity;
  w.pre_softmax = t.routing.pre_softmax;
  w.overlap_tp = t.overlap.tensor_parallel;
  w.overlap_shared = t.overlap.shared_experts;
  w.overlap_ep = t.overlap.expert_parallel;
  w.delay_gradient = t.overlap.delayed_weight_gradient;
}

} // namespace detail

/// Reads flags of Megatron-LM. The base brings the model and the cluster; torchrun's --nnodes and --nproc-per-node, where they stand in
/// the line, replace the cluster's size.
[[nodiscard]] constexpr reading read_megatron(text flags, const deployment& base) noexcept {
  return read_flags(megatron_grammar, flags, base, &detail::from_megatron);
}

/// Writes flags for Megatron-LM, which must be launched on as many processes as the deployment has GPUs.
[[nodiscard]] constexpr writing write_megatron(const deployment& described) noexcept {
  const deployment d = spelled_out(described);
  const strategy& s = d.strategy;
  writing out;
  note_what_no_flag_says(out, d, framework::megatron);
  note_derived_dp(out, d, framework::megatron);
  megatron_words w;
  w.tp = unless(s[axis::tp], 1);
  w.pp = unless(s[axis::pp], 1);
  w.cp = unless(s[axis::cp], 1);
  w.ep = unless(s[axis::ep], 1);
  w.etp = unless(s[axis::etp], s[axis::tp]);
  w.sequence_parallel = s[axis::sp] == s[axis::tp] && s[axis::tp] > 1;
  if (s[axis::sp] != 1 && s[axis::sp] != s[axis::tp])
    out.cannot("sp", s[axis::sp], "Megatron-LM's sequence parallelism is TP wide, or off");
  w.pp_before_dp = s.order == rank_order{"tp-cp-ep-pp-dp"};
  if (!w.pp_before_dp) note_order(out, d, rank_order{}, "Megatron-LM's flags choose between tp-cp-ep-dp-pp and tp-cp-ep-pp-dp");
  w.mtp_layers = unless(d.model.mtp_layers, 0);
  detail::write_layout(w, out, d);
  if (d.workload.is_training()) detail::write_training(w, out, d.workload.train);
  write_flags(out, megatron_grammar, w);
  return out;
}

} // namespace moeplan::dialect
