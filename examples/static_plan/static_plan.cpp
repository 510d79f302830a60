// Published deployments of mixture-of-experts models, checked by the compiler: there is nothing to run. It reads as a tour of what
// the library knows, from a number of GPUs to single ranks.

#include <moeplan/moeplan.hpp>
#include <moeplan/search/search.hpp>
#include <moeplan/verify/claims.hpp>

namespace mp = moeplan;

namespace {

// ---------------------------------------------------------------------------------------------------------------------------------
// 1. DeepSeek-V3's training run: 2048 H800 GPUs, 16 pipeline stages, 64-way expert parallelism (arXiv 2412.19437, section 3.2).
// ---------------------------------------------------------------------------------------------------------------------------------

// A deployment is a plain value: a model on a cluster under a strategy.
constexpr mp::deployment deepseek_v3{
    .model = mp::catalog::deepseek_v3,
    .cluster = {.gpu = mp::catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
    .strategy = {mp::pp{16}, mp::ep{64}, mp::dp{128}},
    .layout = mp::layout::stages({15, 4}, {1, 1}), // fifteen stages of four layers, one of one (arXiv 2502.07846)
    .workload = mp::training{.global_batch = 15360,
                             .micro_batch = 1,
                             .sequence_length = 4096,
                             .recompute = mp::recompute::full,
                             .dispatcher = mp::token_dispatcher::deepep,
                             .sharding = mp::sharding::optimizer},
};

// A plan that breaks a rule does not compile: the compiler names each violated rule and its operands.
MOEPLAN_REQUIRE(deepseek_v3);

// EP is no factor of the number of GPUs: experts lie on the same GPUs as everything else.
static_assert(mp::gpus(deepseek_v3.strategy) == 2048);
static_assert(mp::gpus(deepseek_v3.strategy) == deepseek_v3.cluster.gpus());

// Whoever knows the GPUs and not DP has it derived.
static_assert(mp::resolve({mp::pp{16}, mp::ep{64}}, 2048).strategy == deepseek_v3.strategy);

// Every rank has a place on two grids. Dense layers see TP x CP x DP x PP, experts ETP x EP x EDP x PP. A static_mesh answers at
// compile time, a mesh does the same at run time.
constexpr const mp::mesh& ranks = mp::static_mesh<deepseek_v3.strategy>;
static_assert(ranks.dense() == mp::dense_coordinates{.tp = 1, .cp = 1, .dp = 128, .pp = 16});
static_assert(ranks.expert() == mp::expert_coordinates{.etp = 1, .ep = 64, .edp = 2, .pp = 16});

// The ranks that exchange tokens with rank 200: 64 neighbours, on 8 nodes, as the report says.
constexpr mp::rank_group partners = ranks.group(mp::groups::ep, 200);
static_assert(partners.size() == 64);
static_assert(partners.front() == 192);
static_assert(partners[63] == 255);
static_assert(partners[63] / 8 - partners.front() / 8 + 1 == 8);

// The other rank with the same experts, which shares their gradients and optimizer states.
static_assert(ranks.group(mp::groups::edp, 200)[0] == 136);
static_assert(ranks.group(mp::groups::edp, 200)[1] == 200);

// 256 routed experts in a layer: four on each GPU.
static_assert(deepseek_v3.model.experts.routed / deepseek_v3.strategy[mp::axis::ep] == 4);

// It fits, as it must. Of a stage of four MoE layers each rank holds the dense part once among 128 ranks' optimizers, and its 16 experts
// of 44,040,192 parameters once among two: 12 bytes a parameter, a half of them here.
constexpr mp::stage_memory seventh = mp::memory(deepseek_v3).stage(7);
static_assert(mp::memory(deepseek_v3).fits());
static_assert(seventh.expert_parameters == 16 * 44'040'192);
static_assert(seventh.optimizer.value() >= 16LL * 44'040'192 * 6);
static_assert(seventh.peak() == seventh.weights + seventh.gradients + seventh.optimizer + seventh.activations + seventh.workspace);

// 671 billion parameters, 37 billion of them active: the published checkpoint's, to the digit.
static_assert(mp::parameters(deepseek_v3.model).total() == 671'026'419'200);
static_assert(mp::parameters(deepseek_v3.model).active() == 37'552'297'472);

// The last stage holds one decoder layer, the module for multi-token prediction, and the loss.
constexpr mp::stage_contents last_stage = mp::contents(deepseek_v3.model, deepseek_v3.strategy, deepseek_v3.layout, 15);
static_assert(last_stage.first_layer == 60);
static_assert(last_stage.decoder_layers == 1);
static_assert(last_stage.mtp_layers == 1);
static_assert(last_stage.loss);

// ---------------------------------------------------------------------------------------------------------------------------------
// 2. Folding: EP beyond DP (Megatron-LM, megatron/core/transformer/moe/README.md; arXiv 2504.14960).
// ---------------------------------------------------------------------------------------------------------------------------------

// "Traditional" EP had to fit into DP = 8 here. Folded, the experts of a stage spread over all its TP x CP x DP = 64 GPUs.
constexpr mp::strategy folded{mp::tp{4}, mp::cp{2}, mp::pp{4}, mp::ep{64}, mp::dp{8}};
static_assert(mp::gpus(folded) == 256);
static_assert(mp::mesh{folded}.expert().edp == 1);

// CP 8 and EP 8 need 8 GPUs, not 64: the smallest world is PP x lcm(TP x CP, ETP x EP).
static_assert(mp::minimum_gpus({mp::cp{8}, mp::ep{8}}) == 8);

// Figure 9 of the paper: TP2 CP2 DP2 for attention, EP8 for experts. And its accuracy run, at least 16 GPUs.
static_assert(mp::gpus({mp::tp{2}, mp::cp{2}, mp::ep{8}, mp::dp{2}}) == 8);
static_assert(mp::minimum_gpus({mp::tp{2}, mp::cp{2}, mp::pp{2}, mp::ep{8}}) == 16);

// Table 3, the best configurations with folding. Sizes of the expert grid follow from the rest.
constexpr mp::strategy mixtral_8x22b{mp::tp{2}, mp::pp{8}, mp::ep{8}, mp::etp{1}, mp::dp{8}};
constexpr mp::strategy qwen2_57b{mp::tp{2}, mp::pp{4}, mp::ep{4}, mp::etp{1}, mp::dp{8}};
constexpr mp::strategy mixtral_g8t8{mp::tp{4}, mp::pp{8}, mp::ep{8}, mp::etp{1}, mp::dp{4}};
constexpr mp::strategy llama3_8x70b{mp::tp{8}, mp::pp{16}, mp::ep{8}, mp::etp{1}, mp::dp{2}};
static_assert(mp::gpus(mixtral_8x22b) == 128 && mp::mesh{mixtral_8x22b}.expert().edp == 2);
static_assert(mp::gpus(qwen2_57b) == 64 && mp::mesh{qwen2_57b}.expert().edp == 4);
static_assert(mp::gpus(mixtral_g8t8) == 128 && mp::mesh{mixtral_g8t8}.expert().edp == 2);
static_assert(mp::gpus(llama3_8x70b) == 256 && mp::mesh{llama3_8x70b}.expert().edp == 2);

// Without folding ETP is TP.
static_assert(mp::mesh{mixtral_8x22b.with(mp::ep{4}).with(mp::etp{2})}.expert().edp == 2);

// Table 5: more context on more GPUs, with as many tokens a step.
static_assert(mp::gpus({mp::cp{4}, mp::tp{2}, mp::pp{8}, mp::ep{8}, mp::dp{2}}) == 128);
static_assert(mp::gpus({mp::cp{8}, mp::tp{2}, mp::pp{8}, mp::ep{8}, mp::dp{2}}) == 256);
static_assert(mp::gpus({mp::cp{8}, mp::tp{4}, mp::pp{8}, mp::ep{8}, mp::dp{2}}) == 512);
static_assert(mp::gpus({mp::cp{8}, mp::tp{8}, mp::pp{8}, mp::ep{8}, mp::dp{2}}) == 1024);
static_assert(mp::count{16'384} * 1024 == mp::count{131'072} * 128);

// ---------------------------------------------------------------------------------------------------------------------------------
// 3. The mistake in many deployment documents: multiplying all degrees.
// ---------------------------------------------------------------------------------------------------------------------------------

// Megatron-LM's guide gives "TP x PP x CP x EP x DP" and, on the same page, DeepSeek-V3 on 1024 GPUs with TP2 PP16 EP64. Those three
// degrees alone make 2048. Folded, DP is 32.
constexpr mp::strategy guide{mp::tp{2}, mp::pp{16}, mp::ep{64}, mp::dp{32}};
static_assert(mp::gpus(guide) == 1024);
static_assert(mp::mesh{guide}.expert().edp == 1);

// A document that does multiply can be read all the same.
static_assert(mp::gpus(guide.with(mp::mapping::product)) == 65'536);

// More of the guide: Mixtral 8x7B, Mixtral 8x22B, LLaMA-3 8B, 70B and 405B.
static_assert(mp::gpus({mp::pp{4}, mp::ep{8}, mp::dp{16}}) == 64);
static_assert(mp::mesh{mp::strategy{mp::pp{4}, mp::ep{8}, mp::dp{16}}}.expert().edp == 2);
static_assert(mp::gpus({mp::tp{4}, mp::pp{4}, mp::ep{8}, mp::dp{16}}) == 256);
static_assert(mp::gpus({mp::cp{2}, mp::dp{4}}) == 8);
static_assert(mp::gpus({mp::tp{4}, mp::pp{4}, mp::cp{2}, mp::dp{2}}) == 64);
static_assert(mp::gpus({mp::tp{8}, mp::pp{8}, mp::cp{2}, mp::dp{8}}) == 1024);

// ---------------------------------------------------------------------------------------------------------------------------------
// 4. Others' worlds.
// ---------------------------------------------------------------------------------------------------------------------------------

// Kimi K2 trains on any multiple of 32 nodes of 8 GPUs.
static_assert(mp::minimum_gpus({mp::pp{16}, mp::ep{16}}) == 32 * 8);

// DeepSeek-V3 as analysed in arXiv 2502.07846: experts are shared 8 ways, dense layers 32 ways.
constexpr mp::strategy analysed{mp::tp{2}, mp::pp{16}, mp::ep{8}, mp::etp{1}, mp::dp{32}};
static_assert(mp::gpus(analysed) == 1024);
static_assert(mp::mesh{analysed}.expert().edp == 8);

// Megatron Core on H100 and on GB200 (arXiv 2603.07685).
static_assert(mp::gpus({mp::tp{2}, mp::pp{8}, mp::ep{64}, mp::dp{64}}) == 1024);
static_assert(mp::gpus({mp::pp{4}, mp::ep{64}, mp::dp{64}}) == 256);

// GLM-4.5 and GLM-4.5-Air (Megatron-Bridge, recipes).
static_assert(mp::gpus({mp::tp{2}, mp::pp{8}, mp::ep{16}, mp::dp{16}}) == 256);
static_assert(mp::gpus({mp::pp{4}, mp::ep{8}, mp::dp{8}}) == 32);

// ---------------------------------------------------------------------------------------------------------------------------------
// 5. Serving DeepSeek-V3 (arXiv 2412.19437, section 3.4): copies of popular experts.
// ---------------------------------------------------------------------------------------------------------------------------------

constexpr mp::strategy prefill{mp::tp{4}, mp::sp{4}, mp::ep{32}, mp::dp{8}};
constexpr mp::strategy decode{mp::tp{4}, mp::sp{4}, mp::ep{320}, mp::dp{80}};
static_assert(mp::gpus(prefill) == 32); // four nodes
static_assert(mp::gpus(decode) == 320); // forty nodes

// Prefill: 32 copies, nine experts on each GPU. Decoding: one on each, 64 GPUs being left for copies and the shared expert.
constexpr std::int64_t routed = mp::catalog::deepseek_v3.experts.routed;
static_assert((routed + 32) / prefill[mp::axis::ep] == 9 && (routed + 32) % prefill[mp::axis::ep] == 0);
static_assert((routed + 64) / decode[mp::axis::ep] == 1 && (routed + 64) % decode[mp::axis::ep] == 0);

// The public service decodes with EP 144 on 18 nodes: two experts on each GPU.
static_assert(mp::gpus({mp::ep{144}, mp::dp{144}}) == 18 * 8);
static_assert((routed + 32) / 144 == 2 && (routed + 32) % 144 == 0);

// ---------------------------------------------------------------------------------------------------------------------------------
// 6. Laying 61 layers over a pipeline.
// ---------------------------------------------------------------------------------------------------------------------------------

constexpr std::int64_t layers_on(const mp::strategy& s, const mp::layout& l, std::int64_t stage) {
  return mp::contents(mp::catalog::deepseek_v3, s, l, stage).decoder_layers;
}

// Megatron-MoE-ModelZoo: first and last stage are given, the others are even: 8 + 6 x 8 + 5.
constexpr mp::strategy eight_stages{mp::tp{2}, mp::pp{8}, mp::ep{64}};
static_assert(layers_on(eight_stages, mp::layout::first_last(8, 5), 0) == 8);
static_assert(layers_on(eight_stages, mp::layout::first_last(8, 5), 3) == 8);
static_assert(layers_on(eight_stages, mp::layout::first_last(8, 5), 7) == 5);

// And 16 + 16 + 16 + 13.
constexpr mp::strategy four_stages{mp::pp{4}, mp::ep{64}};
static_assert(layers_on(four_stages, mp::layout::first_last(16, 13), 2) == 16);
static_assert(layers_on(four_stages, mp::layout::first_last(16, 13), 3) == 13);

// Megatron-LM's own notation, here for two virtual stages on each of 16 pipeline ranks: embedding and three layers, twenty-nine
// stages of two, one for multi-token prediction, one for the loss.
constexpr auto interleaved = mp::parse_layout("Et*3|(tt|)*29,m|L");
constexpr mp::strategy sixteen_stages{mp::pp{16}, mp::vpp{2}};
static_assert(interleaved.ok());
static_assert(mp::virtual_stages(sixteen_stages, interleaved.value) == 32);
static_assert(layers_on(sixteen_stages, interleaved.value, 0) == 3);
static_assert(layers_on(sixteen_stages, interleaved.value, 29) == 2);
static_assert(mp::contents(mp::catalog::deepseek_v3, sixteen_stages, interleaved.value, 30).mtp_layers == 1);

// What cannot be read says where.
static_assert(mp::parse_layout("Et*3]").error.position == 4);

// ---------------------------------------------------------------------------------------------------------------------------------
// 7. Micro-batches of a step: global batch / (micro-batch x DP) (Megatron-Bridge, performance summaries).
// ---------------------------------------------------------------------------------------------------------------------------------

constexpr mp::ratio micro_batches(std::int64_t global_batch, std::int64_t micro_batch, const mp::strategy& s) {
  return {global_batch, mp::count{micro_batch} * s[mp::axis::dp]};
}

// DeepSeek-V3 on 256 GPUs of three kinds; a ratio compares exactly.
constexpr mp::strategy gb300{mp::pp{2}, mp::vpp{4}, mp::ep{32}, mp::dp{128}};
constexpr mp::strategy gb200{mp::pp{4}, mp::vpp{4}, mp::ep{64}, mp::dp{64}};
constexpr mp::strategy gb200_mxfp8{mp::pp{8}, mp::vpp{4}, mp::ep{32}, mp::dp{32}};
constexpr mp::strategy b200{mp::pp{16}, mp::ep{8}, mp::dp{16}};
static_assert(mp::gpus(gb300) == 256 && micro_batches(4096, 1, gb300) == mp::ratio{32});
static_assert(mp::gpus(gb200) == 256 && micro_batches(4096, 1, gb200) == mp::ratio{64});
static_assert(mp::gpus(gb200_mxfp8) == 256 && micro_batches(4096, 1, gb200_mxfp8) == mp::ratio{128});
static_assert(mp::gpus(b200) == 256 && micro_batches(2048, 1, b200) == mp::ratio{128});

// GPT-OSS 120B on 64 GB300, two sequences a micro-batch.
static_assert(micro_batches(1280, 2, {mp::ep{64}, mp::dp{64}}) == mp::ratio{10});

// DeepSeek-V3's own run: 120 micro-batches for each of 16 stages, 63 million tokens a step.
static_assert(micro_batches(15360, 1, deepseek_v3.strategy) == mp::ratio{120});
static_assert(mp::count{15360} * 4096 == 62'914'560);

// ---------------------------------------------------------------------------------------------------------------------------------
// 8. The best strategy, found by the compiler: Mixtral-8x7B on 64 H100.
// ---------------------------------------------------------------------------------------------------------------------------------

// Tensor parallelism within a node, eight experts on as many GPUs or on one, and whatever pipeline and data parallelism is legal.
constexpr mp::search_space mixtral_on_64 = [] {
  mp::search_space space;
  space.base = {.model = mp::catalog::mixtral_8x7b,
                .cluster = {.gpu = mp::catalog::h100_sxm, .gpus_per_node = 8, .nodes = 8},
                .workload = mp::training{.global_batch = 256, .sequence_length = 4096, .sharding = mp::sharding::optimizer}};
  space.tp = {1, 2, 4};
  space.cp = 1;
  space.ep = {1, 8};
  space.etp = 1;
  space.vpp = 1;
  space.sp = 1;
  space.dp = {8, 16, 32, 64};
  return space;
}();

// What is best, whoever asks says: here all GPUs at work, as small a bubble as there is, and then as much memory to spare as possible. How
// fast a step is these do not say; criterion::throughput does, at run time.
constexpr mp::search_answer plan = mp::best_strategy(
    mixtral_on_64, mp::ranking::in_order(mp::criterion::idle_gpus, mp::criterion::bubble, mp::criterion::headroom));
static_assert(plan.found);
static_assert(plan.best.strategy[mp::axis::tp] == 4 && plan.best.strategy[mp::axis::pp] == 1);
static_assert(plan.best.strategy[mp::axis::ep] == 8 && plan.best.strategy[mp::axis::dp] == 16);
static_assert(plan.best.bubble.idle == 0 && plan.best.headroom_bytes() > 0);

// Half the tensor parallelism would be legal too, and would leave less to spare.
constexpr mp::deployment with_less_tp = [] {
  mp::deployment d = mp::deployment_of(mixtral_on_64, plan.best);
  d.strategy = d.strategy.with(mp::tp{2}).with(mp::dp{32});
  return d;
}();
static_assert(mp::check(with_less_tp).ok());
static_assert(mp::memory(with_less_tp).peak() > mp::bytes{plan.best.peak_bytes});

MOEPLAN_REQUIRE(mp::deployment_of(mixtral_on_64, plan.best));

// ---------------------------------------------------------------------------------------------------------------------------------
// 9. Somebody else's report, audited: 30 billion parameters, 64 experts, 16 layers, a hidden size of 1024, a batch of 128 on 512 GPUs
//    of 64 GB. What it prints stands here as it prints it; whether that holds, the compiler says.
// ---------------------------------------------------------------------------------------------------------------------------------

using namespace mp::literals;
using in = mp::claim_input;
using quantity = mp::claim_quantity;

constexpr mp::claim_verdict judged(quantity what, mp::printed_value claimed, const mp::claim_inputs& of) {
  return mp::judge({.quantity = what, .claimed = claimed, .inputs = of});
}

// "Current parallel strategy requires 2048 GPUs (8 x 4 x 16 x 4) but only 512 are available", and two options that take 512.
constexpr mp::claim_inputs too_large{{in::tp_size, 8}, {in::pp_size, 4}, {in::ep_size, 16}, {in::dp_size, 4}};
constexpr mp::claim_inputs option_1{{in::tp_size, 4}, {in::pp_size, 4}, {in::ep_size, 8}, {in::dp_size, 4}};
constexpr mp::claim_inputs option_2{{in::tp_size, 2}, {in::pp_size, 8}, {in::ep_size, 8}, {in::dp_size, 4}};
static_assert(judged(quantity::product_gpus, 2048, too_large).holds());
static_assert(judged(quantity::over_capacity, 4, {{in::needed_gpus, 2048}, {in::gpus, 512}}).holds());
static_assert(judged(quantity::product_gpus, 512, option_1).holds());
static_assert(judged(quantity::product_gpus, 512, option_2).holds());

// True of the product alone. Experts lie on the GPUs of everything else, and these strategies take 128 and 64.
static_assert(judged(quantity::folded_gpus, 128, too_large).holds());
static_assert(judged(quantity::folded_gpus, 512, option_1).fails());
static_assert(judged(quantity::folded_gpus, 64, option_1).holds());

// "256 hidden dimensions instead of 128", "8 experts instead of 4", 4 layers a stage, 32 sequences.
static_assert(judged(quantity::hidden_per_gpu, 128, {{in::hidden_size, 1024}, {in::tp_size, 8}}).holds());
static_assert(judged(quantity::hidden_per_gpu, 256, {{in::hidden_size, 1024}, {in::tp_size, 4}}).holds());
static_assert(judged(quantity::experts_per_gpu, 4, {{in::experts, 64}, {in::ep_size, 16}}).holds());
static_assert(judged(quantity::experts_per_gpu, 8, {{in::experts, 64}, {in::ep_size, 8}}).holds());
static_assert(judged(quantity::layers_per_stage, 4, {{in::layers, 16}, {in::pp_size, 4}}).holds());
static_assert(judged(quantity::sequences_per_gpu, 32, {{in::global_batch, 128}, {in::dp_size, 4}}).holds());
// "All parallel dimensions maintain perfect load balancing": of the number of experts, whatever tokens choose.
static_assert(judged(quantity::variance, 0, {{in::items, 64}, {in::parts, 8}}).holds());

// "Parameters: 223.52 MB (30B / 512 x 2)". Two bytes make it half of that; four make 223.52 MiB.
constexpr mp::claim_verdict two_bytes = judged(quantity::parameter_memory, "223.52 MB"_printed,
                                               {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::ways, 512}});
static_assert(two_bytes.fails());
static_assert(two_bytes.value == mp::interval{117'187'500});
constexpr mp::claim_verdict four_bytes = judged(quantity::parameter_memory, "223.52 MB"_printed,
                                                {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 4}, {in::ways, 512}});
static_assert(four_bytes.holds() && four_bytes.reading == mp::byte_reading::binary);

// "Gradients: 223.52 MB. Optimizer: 447.04 MB. Activations: 256 MB. Total: ~1.15 GB (1.8% of GPU memory)", elsewhere "~1.38 GB".
constexpr auto parameters = "223.52 MB"_printed;
constexpr mp::claim_inputs parts{{in::parameter_memory, parameters},
                                 {in::gradient_memory, "223.52 MB"_printed},
                                 {in::optimizer_memory, "447.04 MB"_printed},
                                 {in::activation_memory, "256 MB"_printed}};
static_assert(judged(quantity::gradient_memory, "223.52 MB"_printed, {{in::times, 1}, {in::parameter_memory, parameters}}).holds());
static_assert(
    judged(quantity::optimizer_memory, "447.04 MB"_printed, {{in::times, 2}, {in::parameter_memory, parameters}}).holds());
static_assert(judged(quantity::total_memory, "1.15 GB"_printed, parts).holds());
static_assert(judged(quantity::total_memory, "1.38 GB"_printed, parts).fails());
static_assert(judged(quantity::total_memory, "1.15 GB"_printed, parts).value == mp::interval{1'150'080'000});
constexpr mp::claim_inputs share{{in::used_memory, "1.15 GB"_printed}, {in::capacity, "64 GB"_printed}};
static_assert(judged(quantity::memory_utilisation, "1.8%"_printed, share).holds());
static_assert(judged(quantity::memory_utilisation, "0.77%"_printed, {{in::capacity, "64 GB"_printed}}).is_undecided());

// "Still < 64GB limit" both are. But they are said of the same GPU, and the sum decides which of them holds.
static_assert(mp::judge({.quantity = quantity::used_memory,
                         .relation = mp::claim_relation::less_than,
                         .claimed = "64 GB"_printed,
                         .inputs = {{in::used_memory, "1.38 GB"_printed}}})
                  .holds());
constexpr bool second_total_contradicts_first() {
  const mp::claim totals[] = {
      {.quantity = quantity::total_memory,
       .claimed = "1.38 GB"_printed,
       .inputs = {{in::capacity, "64 GB"_printed}},
       .subject = "each GPU under option 1"},
      {.quantity = quantity::total_memory, .claimed = "1.15 GB"_printed, .inputs = parts, .subject = "each GPU under option 1"}};
  mp::audited_claim audited[2]{};
  mp::audit(totals, audited);
  return audited[0].verdict.fails() && audited[0].contradicts == mp::optional_integer{1} && audited[1].verdict.holds();
}
static_assert(second_total_contradicts_first());

// "8000 sequences/second" at a latency of "0.016s" are the whole batch in flight (Little's law).
static_assert(judged(quantity::batch_in_flight, 128,
                     {{in::throughput, "8000 sequences/second"_printed}, {in::latency, "0.016s"_printed}})
                  .holds());
static_assert(
    judged(quantity::throughput, "8000 sequences/second"_printed, {{in::batch, 128}, {in::latency, "0.016s"_printed}}).holds());
static_assert(
    judged(quantity::latency, "0.016s"_printed, {{in::batch, 128}, {in::throughput, "8000 sequences/second"_printed}}).holds());

} // namespace

int main() {}
