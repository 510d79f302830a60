#pragma once

#include <cstdint>

#include <moeplan/dialect/flag.hpp>

/// @file
/// Megatron-LM's flags, those of pretrain_gpt.py. Names and defaults from Megatron-LM d98e8a64, where most flags are made from the fields
/// of dataclasses: '_' becomes '-', and a field that is true by default becomes --no-NAME.
///
/// Without --bf16 or --fp16 weights are fp32, and without flags for it dropout is 0.1.

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
  bool distributed_optimizer = false, megatron_fsdp = false, torch_fsdp = false;
  text sharding{};
  optional_integer optimizer_instances{};
  text recompute{}, recompute_method{};
  optional_integer recompute_layers{};
  std::uint32_t recompute_modules = 1; ///< core_attn
  bool recompute_selected = false;
  text dispatcher{}, flex_backend{};
  bool deepep = false;
  text balancing{};
  ratio capacity_factor{0};
  bool pad_to_capacity = false, pre_softmax = false;
  bool overlap_tp = false, overlap_shared = false, overlap_ep = false, delay_gradient = false;
  text optimizer{};
  bool precision_aware = false, offload = false;
  ratio offload_fraction{1};
  bool bf16 = false, fp16 = false, gradients_in_fp32 = false, reduce_in_bf16 = false;
  text gradients{}, master_weights{}, first_moment{}, second_moment{}, fsdp_gradients{}, fsdp_master_weights{};
  text fp8_format{}, fp8_recipe{};
  bool fp8_weights = false;
  text attention_backend{};
  bool flash_attention = false, fused_loss = false, fused_gradient = true;
  ratio attention_dropout{1, 10}, hidden_dropout{1, 10};
  // The model, which the base of a reading brings: these are only compared with it.
  optional_integer layers{}, hidden_size{}, heads{}, kv_heads{}, experts{}, top_k{}, expert_ffn{};
};

/// One row a flag: to teach a further one, add it here, a member above if it is about none of those, and in megatron.hpp what it means.
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
      row::a_switch("--use-megatron-fsdp", &words::megatron_fsdp, "training/config/common_config.py:92"),
      row::a_word("--data-parallel-sharding-strategy", &words::sharding, "no_shard optim optim_grads optim_grads_params",
                  "arguments.py:3190"),
      row::a_switch("--use-torch-fsdp2", &words::torch_fsdp, "training/config/common_config.py:95").only_read(),
      row::an_integer("--num-distributed-optimizer-instances", &words::optimizer_instances, "arguments.py:3216"),
      // Recompute
      row::a_word("--recompute-granularity", &words::recompute, "full selective", "transformer_config.py"),
      row::a_word("--recompute-method", &words::recompute_method, "uniform block", "transformer_config.py"),
      row::an_integer("--recompute-num-layers", &words::recompute_layers, "transformer_config.py"),
      row::some_words("--recompute-modules", &words::recompute_modules,
                      "core_attn mlp moe moe_act layernorm mla_up_proj shared_experts", "transformer_config.py:560"),
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
      // Optimizer
      row::a_word("--optimizer", &words::optimizer, "adam sgd muon dist_muon", "arguments.py:2913"),
      row::a_switch("--optimizer-cpu-offload", &words::offload, "arguments.py:2918"),
      row::a_decimal("--optimizer-offload-fraction", &words::offload_fraction, "arguments.py:2922"),
      // Types of numbers
      row::a_switch("--bf16", &words::bf16, "model_parallel_config.py"),
      row::a_switch("--fp16", &words::fp16, "model_parallel_config.py"),
      row::a_switch("--accumulate-allreduce-grads-in-fp32", &words::gradients_in_fp32, "arguments.py:3069"),
      row::a_switch("--grad-reduce-in-bf16", &words::reduce_in_bf16, "arguments.py:3053"),
      row::a_switch("--use-precision-aware-optimizer", &words::precision_aware, "arguments.py:3667"),
      row::a_word("--main-grads-dtype", &words::gradients, "fp32 bf16", "arguments.py:3671").only_read(),
      row::a_word("--main-params-dtype", &words::master_weights, "fp32 fp16", "arguments.py:3673"),
      row::a_word("--exp-avg-dtype", &words::first_moment, "fp32 fp16 bf16 fp8", "arguments.py:3675"),
      row::a_word("--exp-avg-sq-dtype", &words::second_moment, "fp32 fp16 bf16 fp8", "arguments.py:3680"),
      row::a_word("--megatron-fsdp-main-params-dtype", &words::fsdp_master_weights, "fp32 bf16 fp16 auto", "arguments.py:3687"),
      row::a_word("--megatron-fsdp-main-grads-dtype", &words::fsdp_gradients, "fp32 bf16 fp16 auto", "arguments.py:3691"),
      row::a_word("--fp8-format", &words::fp8_format, "e4m3 hybrid", "transformer_config.py:587"),
      row::a_word("--fp8-recipe", &words::fp8_recipe, "delayed tensorwise blockwise mxfp8", "transformer_config.py:594"),
      row::a_switch("--fp8-param-gather", &words::fp8_weights, "arguments.py:2016"),
      // Kernels
      row::a_word("--attention-backend", &words::attention_backend, "flash fused unfused local auto", "transformer/enums.py:51"),
      row::a_switch("--use-flash-attn", &words::flash_attention, "arguments.py:2910").only_read(),
      row::a_switch("--cross-entropy-loss-fusion", &words::fused_loss, "model_parallel_config.py:320"),
      row::a_switch_off("--no-gradient-accumulation-fusion", &words::fused_gradient, "arguments.py:2945"),
      row::a_decimal("--attention-dropout", &words::attention_dropout, "transformer_config.py:191"),
      row::a_decimal("--hidden-dropout", &words::hidden_dropout, "transformer_config.py:188"),
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

/// Megatron-LM's launch line. What is not modelled is about the model, which the base brings, data, checkpoints and the schedule of learning.
inline constexpr grammar<megatron_words, sizeof megatron_table::rows / sizeof *megatron_table::rows> megatron_grammar{
    .framework = framework::megatron,
    .flags = megatron_table::rows,
    .not_modelled_switches =
        "--swiglu --use-mcore-models --overlap-grad-reduce --overlap-param-gather --no-overlap-p2p-communication "
        "--moe-grouped-gemm --moe-permute-fusion --moe-router-fusion --moe-router-force-load-balancing "
        "--moe-router-enable-expert-bias --moe-shared-expert-gate --moe-per-layer-logging --moe-use-legacy-grouped-gemm "
        "--multi-latent-attention --group-query-attention --qk-layernorm --use-rotary-position-embeddings "
        "--untie-embeddings-and-output-weights --disable-bias-linear --add-qkv-bias --normalize-attention-scores "
        "--no-masked-softmax-fusion --no-bias-swiglu-fusion --no-bias-dropout-fusion --no-rope-fusion --apply-layernorm-1p "
        "--no-position-embedding --attention-softmax-in-fp32 --enable-experimental --no-save-optim --no-save-rng "
        "--no-load-optim --no-load-rng --auto-detect-ckpt-format --dist-ckpt-strictness --log-throughput "
        "--log-timers-to-tensorboard --log-memory-to-tensorboard --log-params-norm --log-num-zeros-in-grad "
        "--log-validation-ppl-to-tensorboard --log-memory-interval --no-check-for-nan-in-loss-and-grad "
        "--check-for-nan-in-loss-and-grad --mock-data --manual-gc --no-create-attention-mask-in-dataloader "
        "--calculate-per-token-loss --sequence-packing --use-tp-comm-overlap --finetune --reset-position-ids "
        "--reset-attention-mask --eod-mask-loss --no-mmap-bin-files --use-checkpoint-args --async-save "
        "--ckpt-fully-parallel-load --ckpt-assume-constant-structure --moe-apply-probs-on-input --moe-router-padding-for-fp8 "
        "--moe-router-padding-for-quantization --distribute-saved-activations --profile --use-pytorch-profiler "
        "--disable-gloo-process-groups --deterministic-mode --te-rng-tracker",
    .not_modelled =
        "--ffn-hidden-size --vocab-size --max-position-embeddings --position-embedding-type --rotary-base --rotary-percent "
        "--rotary-scaling-factor --rotary-seq-len-interpolation-factor --normalization --norm-epsilon --kv-channels "
        "--q-lora-rank --kv-lora-rank --qk-head-dim --qk-pos-emb-head-dim --v-head-dim --mscale --mscale-all-dim "
        "--transformer-impl --moe-layer-freq --moe-shared-expert-intermediate-size --moe-router-score-function "
        "--moe-router-num-groups --moe-router-group-topk --moe-router-topk-scaling-factor --moe-router-dtype "
        "--moe-router-bias-update-rate --moe-z-loss-coeff --moe-token-drop-policy --moe-deepep-num-sms "
        "--moe-flex-dispatcher-num-sms --mtp-loss-scaling-factor --init-method-std "
        "--microbatch-group-size-per-virtual-pipeline-stage --fp8-amax-history-len --fp8-amax-compute-algo --params-dtype "
        "--cuda-graph-impl --lr --min-lr --lr-decay-style --lr-decay-iters --lr-decay-samples --lr-warmup-iters "
        "--lr-warmup-samples --lr-warmup-init --lr-warmup-fraction --weight-decay --clip-grad --adam-beta1 --adam-beta2 "
        "--adam-eps --train-iters --train-samples --eval-iters --eval-interval --save --save-interval --load --ckpt-format "
        "--dist-ckpt-format --exit-interval --exit-duration-in-mins --seed --split --tokenizer-type --tokenizer-model "
        "--vocab-file --merge-file --data-cache-path --num-workers --num-dataset-builder-threads --log-interval "
        "--tensorboard-dir --tensorboard-queue-size --wandb-project --wandb-exp-name --wandb-save-dir "
        "--distributed-timeout-minutes --distributed-backend --manual-gc-interval --profile-step-start --profile-step-end "
        "--tp-comm-overlap-cfg --master-addr --master-port --master_addr --master_port --node-rank --node_rank --rdzv-backend "
        "--rdzv_backend --rdzv-endpoint --rdzv_endpoint --rdzv-id --rdzv_id --max-restarts --max_restarts --role --tee -m",
    .not_modelled_lists =
        "--data-path --train-data-path --valid-data-path --test-data-path --moe-aux-loss-coeff --rampup-batch-size "
        "--profile-ranks --cuda-graph-modules --cuda-graph-scope",
    .programs = "torchrun python python3 srun"};

} // namespace moeplan::dialect
