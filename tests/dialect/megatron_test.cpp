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
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192, .dp_replicate = 2})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 --use-distributed-optimizer "
         "--num-distributed-optimizer-instances 2");
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
  EXPECT(read_megatron("--recompute-method block", {}).error.expected == "uniform");
  EXPECT(read_megatron("--cp-comm-type p2p a2a", {}).error.problem == "several different values");
  EXPECT(read_megatron("--tensor-parallel-size 8", {}).error.nearest == "--tensor-model-parallel-size"); // six letters more
});

BOTH_TIMES("flags of a training run", [] {
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192");
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192, .recompute = recompute::full})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 --recompute-granularity full --recompute-method uniform "
         "--recompute-num-layers 1");
  EXPECT(text{flags_of({.global_batch = 64, .sequence_length = 8192, .dispatcher = token_dispatcher::deepep})} ==
         "--micro-batch-size 1 --global-batch-size 64 --seq-length 8192 --moe-token-dispatcher-type flex "
         "--moe-flex-dispatcher-backend deepep");
});

// arXiv 2504.14960, table 3: Mixtral 8x22B folded. ETP must be said, since it would be TP.
BOTH_TIMES("ETP is written where it is not TP", [] {
  const deployment folded{.model = catalog::mixtral_8x22b,
                          .cluster = {.total = 128},
                          .strategy = {tp{2}, sp{2}, pp{8}, ep{8}, etp{1}},
                          .workload = training{.global_batch = 256, .sequence_length = 4096}};
  EXPECT(text{write_megatron(folded).flags} ==
         "--tensor-model-parallel-size 2 --sequence-parallel --pipeline-model-parallel-size 8 --expert-model-parallel-size 8 "
         "--expert-tensor-parallel-size 1 --micro-batch-size 1 --global-batch-size 256 --seq-length 4096");
});

// A pipeline of Megatron-LM's documentation: E first, L last, and multi-token prediction before the loss.
BOTH_TIMES("listed and balanced layouts are written as a string", [] {
  const auto layout_flags = [](const layout& l) {
    return write_megatron({.model = catalog::deepseek_v3, .cluster = {.total = 16}, .strategy = {pp{16}}, .layout = l}).flags;
  };
  EXPECT(text{layout_flags(layout::stages({15, 4}, {1, 1}))} ==
         "--pipeline-model-parallel-size 16 --pipeline-model-parallel-layout 'Et*4|(t*4|)*14tmL' --mtp-num-layers 1 "
         "--micro-batch-size 1 "
         "--global-batch-size 1");
  EXPECT(text{layout_flags(layout::balanced())} ==
         "--pipeline-model-parallel-size 16 --pipeline-model-parallel-layout 'Et*4|(t*4|)*12(t*3|)*2t*3mL' --mtp-num-layers 1 "
         "--micro-batch-size 1 --global-batch-size 1");
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
