#include <moeplan/cost/training_flops.hpp>

#include <cstdint>
#include <initializer_list>
#include <ostream>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/cost/model_flops.hpp>
#include <moeplan/number/uint256.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr deployment deepseek_v3(recompute again = recompute::none) {
  return {.model = catalog::deepseek_v3,
          .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
          .strategy = {pp{16}, ep{64}, dp{128}},
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = training{.global_batch = 15360, .sequence_length = 4096, .recompute = again}};
}

constexpr deployment dense(const strategy& s, const layout& l) {
  return {.model = catalog::llama_3_1_8b, .strategy = s, .layout = l, .workload = training{.sequence_length = 64}};
}

constexpr training_flops<> sum_of_stages(const deployment& d, const flops_convention& how) {
  const run_flops<> run{d, how};
  training_flops<> sum;
  for (std::int64_t stage = 0; stage < run.stages(); ++stage) sum += run.of_stage(stage);
  return sum;
}

constexpr void expect_stages_add_up(const deployment& d) {
  for (const flops_convention& how : {flops_convention::exact(), flops_convention::megatron()}) {
    const training_flops<> whole = run_flops<>{d, how}.of_sequence();
    EXPECT(sum_of_stages(d, how) == whole);
    const training& t = d.workload.train;
    if (t.vocabulary_multiple == 0) EXPECT(whole.forward == flops_per_sequence(d.model, t.sequence_length, how));
  }
}

BOTH_TIMES("gradients of inputs and of weights make up a backward pass of twice the forward pass", [] {
  training_flops<> f;
  f.forward = {.attention_projections = 100, .core_attention = 7, .delta_rule = 3, .head = 50};
  f.recomputed = {.core_attention = 7};
  EXPECT(f.weight_gradient() == 150);
  EXPECT(f.input_gradient() == 150 + 2 * 10);
  EXPECT(f.backward() == f.input_gradient() + f.weight_gradient());
  EXPECT(f.backward() == 320);
  EXPECT(f.model() == 480);
  EXPECT(f.hardware() == 487);
  EXPECT((count{3} * f).hardware() == 3 * 487);
});

BOTH_TIMES("a sequence through DeepSeek-V3", [] {
  const deployment d = deepseek_v3();
  const training_flops<> f = run_flops<>{d, flops_convention::megatron()}.of_sequence();
  EXPECT(f.model() == count{4096} * 259'992'950'784);
  EXPECT(f.hardware() == f.model());
  EXPECT(run_flops<>{d}.of_sequence().forward == flops_per_sequence(catalog::deepseek_v3, 4096));
});

BOTH_TIMES("full recompute does everything again but the heads", [] {
  const deployment d = deepseek_v3(recompute::full);
  const training_flops<> f = run_flops<>{d}.of_sequence();
  EXPECT(f.recomputed.head == 0);
  EXPECT(f.recomputed.total() == f.forward.total() - f.forward.head);
  EXPECT(f.hardware() == 4 * f.forward.total() - f.forward.head);
});

BOTH_TIMES("a step of DeepSeek-V3 with recompute needs more than 64 bits", [] {
  const deployment d = deepseek_v3(recompute::full);
  const training_flops<uint256> step = run_flops<uint256>{d, flops_convention::megatron()}.of_step();
  EXPECT(step.model() == uint256{count{259'992'950'784}} * 15360 * 4096);
  EXPECT(step.hardware().to_double() > 2.1e19);
  EXPECT(step.hardware() < step.model() * 4 / 3);
});

TEST_CASE("a count says that the step does not fit") {
  const deployment d = deepseek_v3(recompute::full);
  const training_flops<> step = run_flops<>{d}.of_step();
  CHECK(!step.model().overflowed());
  CHECK(step.hardware().overflowed());
}

BOTH_TIMES("virtual stages add up to the model, however they are laid out", [] {
  expect_stages_add_up(deepseek_v3());
  expect_stages_add_up(deepseek_v3(recompute::full));
  expect_stages_add_up(deepseek_v3(recompute::selective));
  for (const layout& l : {layout::even(), layout::balanced(), layout::first_last(8, 8)}) {
    expect_stages_add_up(dense({pp{4}, dp{1}}, l));
    deployment d = dense({tp{8}, pp{4}, vpp{2}, dp{1}}, l);
    d.workload.train.vocabulary_multiple = 0;
    expect_stages_add_up(d);
  }
});

BOTH_TIMES("by block, the first layers of each virtual stage are recomputed", [] {
  deployment d = deepseek_v3(recompute::full);
  d.workload.train.recompute_method = recompute_method::block;
  d.workload.train.recompute_layers = 3;
  expect_stages_add_up(d);
  const run_flops<> run{d};
  const training_flops<> first = run.of_stage(0);
  EXPECT(first.recomputed.dense_mlp == first.forward.dense_mlp);
  EXPECT(first.recomputed.routed_experts == 0); // in its fourth layer
  EXPECT(count{4} * run.of_stage(5).recomputed == count{3} * run.of_stage(5).forward);
  // Of the last one's layers the decoder's, and not that of multi-token prediction.
  EXPECT(2 * run.of_stage(15).recomputed.core_attention == run.of_stage(15).forward.core_attention);
  EXPECT(run.of_stage(15).recomputed.mtp_projections == 0);
  d.workload.train.recompute_method = recompute_method::uniform;
  EXPECT(run_flops<>{d}.of_stage(15).recomputed.mtp_projections == run.of_stage(15).forward.mtp_projections);
});

BOTH_TIMES("stages are as uneven as their layers", [] {
  const deployment d = deepseek_v3();
  const run_flops<> run{d};
  EXPECT(run.stages() == 16);
  EXPECT(run.of_stage(1) == run.of_stage(14));
  EXPECT(run.of_stage(1).forward.head == 0);
  EXPECT(run.of_stage(15).forward.head == 2LL * 2 * 4096 * 7168 * 129280);
  EXPECT(run.of_stage(0).forward.dense_mlp == 3LL * 2 * 4096 * 3 * 7168 * 18432);
  // Four layers of experts against three dense ones, each as wide as nine experts, and one with a router beside.
  EXPECT(run.of_stage(1).forward.total() - run.of_stage(0).forward.total() == 3LL * 2 * 4096 * 7168 * 256);
});

BOTH_TIMES("modules for multi-token prediction on several stages go on with the pattern", [] {
  deployment d{.model = catalog::qwen3_next_80b_a3b,
               .strategy = {pp{3}, dp{1}},
               .layout = layout::stages({1, 48, 2}, {1, 0, 2}, {1, 0, 1}),
               .workload = training{.sequence_length = 256}};
  d.model.mtp_layers = 5; // layers 48 to 52, of which 51 has softmax attention
  d.layout.places_mtp = true;
  expect_stages_add_up(d);
  const run_flops<> run{d, flops_convention::megatron()};
  EXPECT(run.of_stage(1).forward.core_attention > 0 && run.of_stage(1).forward.delta_rule > 0);
  EXPECT(run.of_stage(2).forward.core_attention == 0 && run.of_stage(2).forward.delta_rule > 0);
});

BOTH_TIMES("the vocabulary is padded as the deployment says", [] {
  deployment d = dense({tp{8}, dp{1}}, layout::even());
  const auto head = [&d] { return run_flops<>{d}.of_sequence().forward.head; };
  EXPECT(head() == 2LL * 64 * 4096 * 129'024); // 126 x 128 x 8, for 128,256
  d.workload.train.vocabulary_multiple = 0;
  EXPECT(head() == 2LL * 64 * 4096 * 128'256);
  d.workload.train.vocabulary_multiple = 1000;
  EXPECT(head() == 2LL * 64 * 4096 * 136'000);
});

BOTH_TIMES("without a global batch a step is one micro-batch a rank", [] {
  deployment d = dense({pp{2}, dp{6}}, layout::even());
  d.workload.train.micro_batch = 4;
  EXPECT(run_flops<>{d}.of_step() == count{24} * run_flops<>{d}.of_sequence());
  d.workload.train.global_batch = 96;
  EXPECT(run_flops<>{d}.of_step() == count{96} * run_flops<>{d}.of_sequence());
});

} // namespace
