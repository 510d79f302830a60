#include <moeplan/dialect/megatron.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

constexpr deployment on(const model& m, std::int64_t gpus) { return {.model = m, .cluster = {.total = gpus}}; }

constexpr strategy strategy_of(text flags, const deployment& base) { return read_megatron(flags, base).deployment.strategy; }

constexpr training training_of(text flags) { return read_megatron(flags, on(catalog::deepseek_v3, 64)).deployment.workload.train; }

/// What stands behind the flags of a training's batch and sequence.
constexpr text_buffer<512> more_flags_of(training t) {
  t.global_batch = 64;
  t.sequence_length = 8192;
  const writing w = write_megatron({.model = catalog::llama_3_1_8b, .cluster = {.total = 8}, .strategy = {dp{8}}, .workload = t});
  constexpr text batch = "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 ";
  text_buffer<512> rest;
  if (!w.complete()) return rest.append('!').append(text{w.cannot_express[0]}), rest;
  return rest.append(text{w.flags}.part(batch.size(), w.flags.size())), rest;
}

/// The flags of one training, behind those that every training has.
constexpr auto flags_of(const training& t) {
  return write_megatron({.model = catalog::llama_3_1_8b, .cluster = {.total = 8}, .strategy = {dp{8}}, .workload = t}).flags;
}

} // namespace

// Megatron-LM, examples/mixtral/train_mixtral_8x7b_distributed.sh, on 8 nodes.
constexpr text mixtral_8x7b_line =
    "torchrun --nproc_per_node 8 --nnodes 8 --node_rank 0 --master_addr localhost --master_port 29500 pretrain_gpt.py \\\n"
    "  --use-mcore-models --disable-bias-linear --seq-length 4096 --max-position-embeddings 32768 --num-layers 32 \\\n"
    "  --hidden-size 4096 --ffn-hidden-size 14336 --num-attention-heads 32 --swiglu --group-query-attention --num-query-groups 8 "
    "\\\n"
    "  --num-experts 8 --moe-router-topk 2 --moe-router-load-balancing-type aux_loss --moe-aux-loss-coeff 1e-2 --moe-grouped-gemm "
    "\\\n"
    "  --moe-token-dispatcher-type alltoall --overlap-param-gather --overlap-grad-reduce --micro-batch-size 1 \\\n"
    "  --global-batch-size 256 --lr 1e-4 --bf16 --tensor-model-parallel-size 1 --pipeline-model-parallel-size 4 \\\n"
    "  --expert-model-parallel-size 8 --use-distributed-optimizer --sequence-parallel --log-interval 1 --data-path a b \\\n"
    "  --wandb-exp-name Mixtral_8x7B";

BOTH_TIMES("a whole launch line", [] {
  const reading r = read_megatron(mixtral_8x7b_line, {.model = catalog::mixtral_8x7b});
  EXPECT(r.ok());
  const deployment& d = r.deployment;
  EXPECT(d.cluster.gpus() == 64);
  EXPECT(d.strategy == strategy(tp{1}, pp{4}, vpp{1}, ep{8}, etp{1}, dp{16}, cp{1}, sp{1}));
  EXPECT(d.layout == layout::even());
  EXPECT(d.workload.train.global_batch == optional_integer{256});
  EXPECT(d.workload.train.micro_batch == 1);
  EXPECT(d.workload.train.sequence_length == 4096);
  EXPECT(d.workload.train.dispatcher == token_dispatcher::all_to_all);
  EXPECT(d.workload.train.precision == precision{});
  EXPECT(d.workload.train.sharding == sharding::optimizer);
  EXPECT(d.workload.train.kernels.attention_dropout); // 0.1, where it is not said
  EXPECT(!r.without_meaning.empty());
  EXPECT(r.without_meaning[0] == "--node_rank");
});

// parallel_state.py: DP is world / (TP x CP x PP), and absent ETP is TP (arguments.py:587). 256 / (4 * 2 * 4) is 8, as the folding
// example of megatron/core/transformer/moe/README.md has it.
BOTH_TIMES("what the degrees mean", [] {
  const deployment base = on(catalog::mixtral_8x7b, 256);
  constexpr text line = "--tensor-model-parallel-size 4 --context-parallel-size 2 --pipeline-model-parallel-size 4";
  EXPECT(strategy_of(line, base)[axis::dp] == 8);
  EXPECT(strategy_of(line, base)[axis::etp] == 4);
  EXPECT(strategy_of("--tensor-model-parallel-size 4 --expert-tensor-parallel-size 1", base)[axis::etp] == 1);
  EXPECT(strategy_of("", base)[axis::dp] == 256);
  EXPECT(!strategy_of("", {.model = catalog::mixtral_8x7b}).resolved());
  EXPECT(strategy_of("", {.model = catalog::mixtral_8x7b, .strategy = {dp{7}}})[axis::dp] == 7);
});

// Without TP, sequence parallelism is off (arguments.py:1433).
BOTH_TIMES("sequence parallelism is TP wide, or off", [] {
  const deployment base = on(catalog::mixtral_8x7b, 8);
  EXPECT(strategy_of("--sequence-parallel", base)[axis::sp] == 1);
  EXPECT(strategy_of("--sequence-parallel --tensor-model-parallel-size 2", base)[axis::sp] == 2);
  EXPECT(strategy_of("--tensor-model-parallel-size 2", base)[axis::sp] == 1);
});

// initialize.py:395
BOTH_TIMES("the two rank orders", [] {
  const deployment base = on(catalog::mixtral_8x7b, 8);
  EXPECT(strategy_of("", base).order == rank_order{"tp-cp-ep-dp-pp"});
  EXPECT(strategy_of("--use-tp-pp-dp-mapping", base).order == rank_order{"tp-cp-ep-pp-dp"});
});

BOTH_TIMES("stages", [] {
  const deployment base = on(catalog::deepseek_v3, 1024);
  const deployment uneven = read_megatron(
                                "--pipeline-model-parallel-size 8 --decoder-first-pipeline-num-layers 8 "
                                "--decoder-last-pipeline-num-layers 5 --num-virtual-stages-per-pipeline-rank 1",
                                base)
                                .deployment;
  EXPECT(uneven.layout == layout::first_last(8, 5));
  const deployment listed =
      read_megatron("--pipeline-model-parallel-size 16 --pipeline-model-parallel-layout 'Et*3|(tt|)*29,m|L'", base).deployment;
  EXPECT(listed.layout == parse_megatron_layout("Et*3|(tt|)*29,m|L").value);
  EXPECT(listed.strategy[axis::vpp] == 2); // 32 virtual stages on 16 ranks
  EXPECT(read_megatron("--account-for-embedding-in-pipeline-split --account-for-loss-in-pipeline-split", base).deployment.layout ==
         layout::even_with(true, true));
});

// arguments.py:954: layers / PP / layers of a virtual stage. 80 / 4 / 5 is 4, and (61 + 2) / 9 / 7 is 1.
BOTH_TIMES("virtual stages by their layers", [] {
  EXPECT(strategy_of("--num-layers-per-virtual-pipeline-stage 5 --pipeline-model-parallel-size 4",
                     on(catalog::llama_3_1_70b, 64))[axis::vpp] == 4);
  EXPECT(strategy_of("--num-layers-per-virtual-pipeline-stage 7 --pipeline-model-parallel-size 9 "
                     "--account-for-embedding-in-pipeline-split --account-for-loss-in-pipeline-split",
                     on(catalog::deepseek_v3, 9))[axis::vpp] == 1);
  const reading r =
      read_megatron("--num-layers-per-virtual-pipeline-stage 6 --pipeline-model-parallel-size 4", on(catalog::llama_3_1_70b, 64));
  EXPECT(!r.ok());
  EXPECT(r.error.position == 40 && r.error.found == "6");
});

BOTH_TIMES("training", [] {
  EXPECT(training_of("--recompute-granularity full --recompute-method uniform --recompute-num-layers 1").recompute ==
         recompute::full);
  EXPECT(training_of("--recompute-activations").recompute == recompute::selective);
  EXPECT(training_of("--cp-comm-type a2a a2a").context == context_exchange::all_to_all);
  EXPECT(training_of("--cp-comm-type allgather").context == context_exchange::all_gather);
  EXPECT(training_of("--make-vocab-size-divisible-by 64").vocabulary_multiple == 64);
  EXPECT(training_of("--global-batch-size 128 --micro-batch-size 2").global_batch == optional_integer{128});
  EXPECT(training_of("").global_batch == optional_integer{64}); // micro-batch x DP (arguments.py:703)
});

// arguments.py:3216, "Number of Distributed Optimizer copies across Data Parallel domain"; not without the distributed optimizer
// (distributed_data_parallel.py:357).
BOTH_TIMES("copies of what data parallelism shards", [] {
  EXPECT(training_of("--use-distributed-optimizer --num-distributed-optimizer-instances 2").dp_replicate == 2);
  EXPECT(training_of("--use-distributed-optimizer").dp_replicate == 1);
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192, .dp_replicate = 2, .sharding = sharding::optimizer})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 --use-distributed-optimizer "
         "--num-distributed-optimizer-instances 2 --bf16 --attention-dropout 0 --hidden-dropout 0");
});

// transformer_config.py:898: the flexible dispatcher runs on DeepEP unless told otherwise.
BOTH_TIMES("dispatchers", [] {
  EXPECT(training_of("").dispatcher == token_dispatcher::all_gather);
  EXPECT(training_of("--moe-token-dispatcher-type flex").dispatcher == token_dispatcher::deepep);
  EXPECT(training_of("--moe-token-dispatcher-type flex --moe-enable-deepep").dispatcher == token_dispatcher::deepep);
  EXPECT(training_of("--moe-token-dispatcher-type flex --moe-flex-dispatcher-backend hybridep").dispatcher ==
         token_dispatcher::flex);
});

BOTH_TIMES("router and overlap", [] {
  const training t = training_of(
      "--moe-router-load-balancing-type seq_aux_loss --moe-expert-capacity-factor 1.5 "
      "--moe-pad-expert-input-to-capacity --moe-router-pre-softmax --tp-comm-overlap "
      "--moe-shared-expert-overlap --overlap-moe-expert-parallel-comm --delay-wgrad-compute");
  EXPECT(t.routing == routing{.balancing = load_balancing::sequence_auxiliary_loss,
                              .capacity_factor = {3, 2},
                              .pad_to_capacity = true,
                              .pre_softmax = true});
  EXPECT(t.overlap ==
         overlap{.tensor_parallel = true, .shared_experts = true, .expert_parallel = true, .delayed_weight_gradient = true});
});

BOTH_TIMES("numbers of the model must be the model's", [] {
  const deployment base = on(catalog::deepseek_v3, 64);
  EXPECT(read_megatron("--num-layers 61 --num-experts 256 --moe-router-topk 8 --mtp-num-layers 1", base).ok());
  const reading r = read_megatron("--num-experts 160", base);
  EXPECT(r.error.problem == "the model has another number" && r.error.found == "160" && r.error.position == 14);
  const reading without_model = read_megatron("--num-experts 160", {});
  EXPECT(without_model.ok());
  EXPECT(without_model.without_meaning[0] == "--num-experts");
});

BOTH_TIMES("illegal degrees are read, for check to judge", [] {
  const reading r = read_megatron("--expert-model-parallel-size 0 --tensor-model-parallel-size -4", on(catalog::deepseek_v3, 64));
  EXPECT(r.ok());
  EXPECT(r.deployment.strategy[axis::ep] == 0);
  EXPECT(r.deployment.strategy[axis::tp] == -4);
});

BOTH_TIMES("what is not described is refused", [] {
  EXPECT(read_megatron("--recompute-method middle", {}).error.expected == "uniform block");
  EXPECT(read_megatron("--recompute-modules core_attn mhc", {}).error.position == 30);
  EXPECT(read_megatron("--optimizer lion", {}).error.found == "lion");
  EXPECT(read_megatron("--bf16 --fp16", {}).error.problem == "weights of two types");
  EXPECT(read_megatron("--cp-comm-type p2p a2a", {}).error.problem == "several different values");
  EXPECT(read_megatron("--tensor-parallel-size 8", {}).error.nearest == "--tensor-model-parallel-size"); // six letters more
});

BOTH_TIMES("flags of a training run", [] {
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 --bf16 --attention-dropout 0 --hidden-dropout 0");
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192, .recompute = recompute::full})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 --recompute-granularity full --recompute-method uniform "
         "--recompute-num-layers 1 --bf16 --attention-dropout 0 --hidden-dropout 0");
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192, .dispatcher = token_dispatcher::deepep})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 --moe-token-dispatcher-type flex "
         "--moe-flex-dispatcher-backend deepep --bf16 --attention-dropout 0 --hidden-dropout 0");
});

// arXiv 2504.14960, table 3: Mixtral 8x22B folded. ETP must be said, since it would be TP.
BOTH_TIMES("ETP is written where it is not TP", [] {
  const deployment folded{.model = catalog::mixtral_8x22b,
                          .cluster = {.total = 128},
                          .strategy = {tp{2}, sp{2}, pp{8}, ep{8}, etp{1}},
                          .workload = training{.global_batch = 256, .sequence_length = 4096}};
  EXPECT(text{write_megatron(folded).flags} ==
         "--tensor-model-parallel-size 2 --sequence-parallel --pipeline-model-parallel-size 8 --expert-model-parallel-size 8 "
         "--expert-tensor-parallel-size 1 --micro-batch-size 1 --global-batch-size 256 --seq-length 4096 --bf16 "
         "--attention-dropout 0 --hidden-dropout 0");
});

// A pipeline of Megatron-LM's documentation: E first, L last, and multi-token prediction before the loss.
BOTH_TIMES("listed and balanced layouts are written as a string", [] {
  const auto layout_flags = [](const layout& l) {
    return write_megatron({.model = catalog::deepseek_v3, .cluster = {.total = 16}, .strategy = {pp{16}}, .layout = l}).flags;
  };
  EXPECT(text{layout_flags(layout::stages({15, 4}, {1, 1}))} ==
         "--pipeline-model-parallel-size 16 --pipeline-model-parallel-layout 'Et*4|(t*4|)*14tmL' --mtp-num-layers 1 "
         "--micro-batch-size 1 "
         "--global-batch-size 1 --bf16 --attention-dropout 0 --hidden-dropout 0");
  EXPECT(text{layout_flags(layout::balanced())} ==
         "--pipeline-model-parallel-size 16 --pipeline-model-parallel-layout 'Et*4|(t*4|)*12(t*3|)*2t*3mL' --mtp-num-layers 1 "
         "--micro-batch-size 1 --global-batch-size 1 --bf16 --attention-dropout 0 --hidden-dropout 0");
});

BOTH_TIMES("what Megatron-LM cannot express", [] {
  const auto only_sentence = [](const deployment& d) {
    const writing w = write_megatron(d);
    EXPECT(w.cannot_express.size() == 1);
    return w.cannot_express[0];
  };
  deployment d = on(catalog::llama_3_1_8b, 8);
  d.strategy = {dp{4}};
  EXPECT(text{only_sentence(d)} ==
         "dp 4: Megatron-LM has no flag for it, and runs on every GPU it is launched on; here that must be 4");
  d.strategy = {dp{8}, rank_order{"pp-dp-ep-cp-tp"}};
  EXPECT(text{only_sentence(d)} == "order pp-dp-ep-cp-tp: Megatron-LM's flags choose between tp-cp-ep-dp-pp and tp-cp-ep-pp-dp");
  d.strategy = {dp{2}, tp{4}, sp{2}};
  EXPECT(text{only_sentence(d)} == "sp 2: Megatron-LM's sequence parallelism is TP wide, or off");
  d.strategy = {dp{8}};
  d.workload = training{.routing = {.capacity_factor = {4, 3}}};
  EXPECT(text{only_sentence(d)} == "routing/capacity_factor: it is no finite decimal number");
  d.workload = serving{};
  EXPECT(text{only_sentence(d)} == "serving: Megatron-LM trains");
});

// arguments.py:1194: fp32 without --bf16 or --fp16; for bf16 gradients are added up in fp32 unless said otherwise (arguments.py:1213).
BOTH_TIMES("types of numbers", [] {
  const auto types = [](text line) { return training_of(line).precision; };
  using enum number_type;
  EXPECT(types("--bf16") == precision{});
  EXPECT(types("") == precision{.weights = fp32});
  EXPECT(types("--fp16") == precision{.weights = fp16, .gradients = fp16});
  EXPECT(types("--fp16 --accumulate-allreduce-grads-in-fp32") == precision{.weights = fp16});
  EXPECT(types("--bf16 --grad-reduce-in-bf16") == precision{.gradients = bf16});
  EXPECT(types("--bf16 --use-precision-aware-optimizer --main-grads-dtype bf16 --main-params-dtype fp16 --exp-avg-dtype bf16 "
               "--exp-avg-sq-dtype fp8") ==
         precision{.gradients = bf16, .master_weights = fp16, .first_moment = bf16, .second_moment = fp8});
  EXPECT(types("--bf16 --fp8-format hybrid").fp8 == fp8_recipe::delayed);
  EXPECT(types("--bf16 --fp8-format e4m3 --fp8-recipe blockwise --fp8-param-gather") ==
         precision{.fp8 = fp8_recipe::blockwise, .fp8_weights = true});
  // Without what they depend on they say nothing.
  const reading idle = read_megatron("--exp-avg-dtype bf16 --fp8-recipe mxfp8 --megatron-fsdp-main-grads-dtype fp32", {});
  EXPECT(idle.deployment.workload.train.precision == precision{.weights = fp32});
  EXPECT(idle.without_meaning.size() == 3);
});

// param_and_grad_buffer.py:2317: "auto" is the type of the weights.
BOTH_TIMES("types of numbers under Megatron-FSDP", [] {
  const auto types = [](text line) { return training_of(line).precision; };
  using enum number_type;
  EXPECT(types("--bf16 --use-megatron-fsdp") == precision{.gradients = bf16});
  EXPECT(types("--bf16 --use-megatron-fsdp --megatron-fsdp-main-grads-dtype fp32 --megatron-fsdp-main-params-dtype auto") ==
         precision{.master_weights = bf16});
  EXPECT(text{more_flags_of({.sharding = sharding::parameters})} ==
         "--use-megatron-fsdp --data-parallel-sharding-strategy optim_grads_params --bf16 --megatron-fsdp-main-grads-dtype fp32 "
         "--attention-dropout 0 --hidden-dropout 0");
  EXPECT(text{more_flags_of({.precision = {.gradients = fp8}, .sharding = sharding::gradients})} ==
         "!precision/gradients: Megatron-FSDP has fp32, bf16 or fp16");
});

BOTH_TIMES("types of numbers are written", [] {
  using enum number_type;
  constexpr auto sharded = [](const precision& p) {
    return more_flags_of(
        {.precision = p, .sharding = sharding::optimizer, .kernels = {.attention_dropout = true, .hidden_dropout = true}});
  };
  EXPECT(text{sharded({.weights = fp32})} == "--use-distributed-optimizer");
  EXPECT(text{sharded({.weights = fp16, .gradients = fp16})} == "--use-distributed-optimizer --fp16");
  EXPECT(text{sharded({.weights = fp16})} == "--use-distributed-optimizer --fp16 --accumulate-allreduce-grads-in-fp32");
  EXPECT(text{sharded({.gradients = bf16, .first_moment = bf16, .second_moment = fp8})} ==
         "--use-distributed-optimizer --bf16 --grad-reduce-in-bf16 --use-precision-aware-optimizer --exp-avg-dtype bf16 "
         "--exp-avg-sq-dtype fp8");
  EXPECT(text{sharded({.master_weights = fp16})} ==
         "--use-distributed-optimizer --bf16 --use-precision-aware-optimizer --main-params-dtype fp16");
  EXPECT(text{sharded({.fp8 = fp8_recipe::mxfp8, .fp8_weights = true})} ==
         "--use-distributed-optimizer --bf16 --fp8-format e4m3 --fp8-recipe mxfp8 --fp8-param-gather");
  EXPECT(text{sharded({.fp8 = fp8_recipe::delayed})} ==
         "--use-distributed-optimizer --bf16 --fp8-format hybrid --fp8-recipe delayed");
});

BOTH_TIMES("optimizer, what is sharded, and what the host holds", [] {
  EXPECT(training_of("--optimizer sgd").optimizer == optimizer::sgd_momentum);
  const training muon = training_of("--optimizer dist_muon"); // "muon with the distributed optimizer" (arguments.py:1727)
  EXPECT(muon.optimizer == optimizer::muon && muon.sharding == sharding::optimizer);
  EXPECT(training_of("").sharding == sharding::none);
  EXPECT(training_of("--use-megatron-fsdp").sharding == sharding::parameters);
  EXPECT(training_of("--use-megatron-fsdp --data-parallel-sharding-strategy optim_grads").sharding == sharding::gradients);
  EXPECT(training_of("--use-torch-fsdp2").sharding == sharding::parameters);
  EXPECT(training_of("--use-precision-aware-optimizer --optimizer-cpu-offload").optimizer_offload == ratio{1});
  EXPECT(training_of("--optimizer-cpu-offload --optimizer-offload-fraction 0.25").optimizer_offload == ratio{1, 4});
  EXPECT(training_of("--optimizer-offload-fraction 0.25").optimizer_offload == ratio{0});
  EXPECT(text{more_flags_of({.optimizer = optimizer::muon, .sharding = sharding::optimizer, .optimizer_offload = ratio{0}})} ==
         "--use-distributed-optimizer --optimizer muon --bf16 --attention-dropout 0 --hidden-dropout 0");
  EXPECT(text{more_flags_of({.sharding = sharding::optimizer, .optimizer_offload = {1, 4}})} ==
         "--use-distributed-optimizer --optimizer-cpu-offload --optimizer-offload-fraction 0.25 --bf16 "
         "--use-precision-aware-optimizer --attention-dropout 0 --hidden-dropout 0");
});

// transformer_config.py:560 and 1901
BOTH_TIMES("which layers and modules are computed again", [] {
  const training block = training_of("--recompute-granularity full --recompute-method block --recompute-num-layers 3");
  EXPECT(block.recompute_method == recompute_method::block && block.recompute_layers == 3);
  EXPECT(training_of("--recompute-granularity selective --recompute-modules moe_act layernorm --bf16").recompute_modules ==
         recompute_modules{.core_attention = false, .moe_activation = true, .layer_norm = true});
  EXPECT(training_of("--recompute-activations").recompute_modules == recompute_modules{});
  EXPECT(text{more_flags_of({.recompute = recompute::full, .recompute_method = recompute_method::block, .recompute_layers = 3})} ==
         "--recompute-granularity full --recompute-method block --recompute-num-layers 3 --bf16 --attention-dropout 0 "
         "--hidden-dropout 0");
  EXPECT(text{more_flags_of({.recompute = recompute::selective, .recompute_modules = {.mlp = true, .shared_experts = true}})} ==
         "--recompute-granularity selective --recompute-modules core_attn mlp shared_experts --bf16 --attention-dropout 0 "
         "--hidden-dropout 0");
});

BOTH_TIMES("kernels", [] {
  const kernels by_itself = training_of("").kernels;
  EXPECT(by_itself == kernels{.attention_dropout = true, .hidden_dropout = true});
  EXPECT(training_of("--attention-dropout 0.0 --hidden-dropout 0").kernels == kernels{});
  EXPECT(!training_of("--attention-backend unfused").kernels.flash_attention);
  EXPECT(!training_of("--attention-backend local").kernels.flash_attention);
  EXPECT(training_of("--attention-backend fused").kernels.flash_attention &&
         training_of("--use-flash-attn").kernels.flash_attention);
  EXPECT(training_of("--cross-entropy-loss-fusion").kernels.fused_cross_entropy);
  EXPECT(!training_of("--no-gradient-accumulation-fusion").kernels.fused_weight_gradient);
  EXPECT(text{more_flags_of({.kernels = {.flash_attention = false,
                                         .fused_cross_entropy = true,
                                         .fused_weight_gradient = false,
                                         .attention_dropout = true,
                                         .hidden_dropout = true}})} ==
         "--bf16 --attention-backend unfused --cross-entropy-loss-fusion --no-gradient-accumulation-fusion");
});

BOTH_TIMES("what of a training Megatron-LM cannot express", [] {
  using enum number_type;
  EXPECT(text{more_flags_of({.precision = {.weights = fp8}})} == "!precision/weights: Megatron-LM trains in bf16, fp16 or fp32");
  EXPECT(text{more_flags_of({.precision = {.gradients = fp16}})} ==
         "!precision/gradients: Megatron-LM adds them up in fp32 or in the type of the weights");
  EXPECT(text{more_flags_of({.precision = {.master_weights = bf16}, .sharding = sharding::optimizer})} ==
         "!precision/master_weights: Megatron-LM has fp32, or for weights of 16 bits fp16");
  EXPECT(text{more_flags_of({.precision = {.first_moment = int8}})} ==
         "!precision/first_moment: Megatron-LM has fp32, fp16, bf16 or fp8");
  EXPECT(text{more_flags_of({.precision = {.second_moment = bf16}})} ==
         "!precision: Megatron-LM's precision-aware optimizer, which it needs, is Adam and shards its states");
  EXPECT(text{more_flags_of({.optimizer = optimizer::muon, .sharding = sharding::optimizer, .optimizer_offload = ratio{1}})} ==
         "!optimizer_offload: Megatron-LM's precision-aware optimizer, which it needs, is Adam and shards its states");
  EXPECT(text{more_flags_of({.precision = {.fp8_weights = true}, .sharding = sharding::optimizer})} ==
         "!precision/fp8_weights true: Megatron-LM has it only with FP8 and sharded optimizer states");
  EXPECT(text{more_flags_of({.optimizer = optimizer::none})} == "!optimizer none: Megatron-LM has no training without one");
  EXPECT(text{more_flags_of({.optimizer = optimizer::muon, .sharding = sharding::parameters})} ==
         "!sharding: Megatron-FSDP has no Muon (arguments.py, validate_args)");
  EXPECT(text{more_flags_of({.sharding = sharding::optimizer, .optimizer_offload = {1, 3}})} ==
         "!optimizer_offload: it is no finite decimal number");
  EXPECT(text{more_flags_of({.dp_replicate = 2})} ==
         "!dp_replicate 2: in Megatron-LM there are copies only of what is sharded (distributed_data_parallel.py)");
  EXPECT(text{more_flags_of({.recompute = recompute::selective, .recompute_layers = 2})} ==
         "!recompute_layers 2: only full recompute has it in Megatron-LM");
  EXPECT(text{more_flags_of({.recompute = recompute::selective, .recompute_modules = {.core_attention = false}})} ==
         "!recompute_modules: Megatron-LM takes at least one");
  EXPECT(text{more_flags_of({.schedule = schedule::zb_h1})} ==
         "!schedule: Megatron-LM's is 1F1B, interleaved where there are virtual stages");
  EXPECT(text{more_flags_of({.reserve = bytes{5}})} == "!reserve_bytes 5: it is set aside by whoever reckons, not launched");
});

BOTH_TIMES("what no flag is about the base brings", [] {
  deployment base = on(catalog::deepseek_v3, 64);
  base.workload = training{.routing = {.load = routing_load::worst, .busiest_share = {1, 2}},
                           .assumptions = assumptions::megatron_estimator(),
                           .reserve = bytes{7}};
  const training t = read_megatron("--bf16", base).deployment.workload.train;
  EXPECT(t.routing == base.workload.train.routing);
  EXPECT(t.assumptions == assumptions::megatron_estimator() && t.reserve == bytes{7});
});
