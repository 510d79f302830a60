#include <moeplan/cost/deployment_cost.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/cost/model_flops.hpp>

#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

constexpr bool near(double a, double b) {
  const double difference = a - b;
  return difference < 1e-11 * b && -difference < 1e-11 * b;
}

constexpr bool is(const known_seconds& s, double seconds) { return s.known && near(s.seconds, seconds); }

/// arXiv 2412.19437, section 4.2, with 1F1B in place of DualPipe.
constexpr deployment deepseek_v3() {
  return {.model = catalog::deepseek_v3,
          .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
          .strategy = {pp{16}, ep{64}, dp{128}},
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = training{.global_batch = 15360,
                               .sequence_length = 4096,
                               .recompute = recompute::full,
                               .dispatcher = token_dispatcher::all_to_all,
                               .sharding = sharding::optimizer}};
}

constexpr deployment llama(const strategy& s, const workload& w) {
  return {.model = catalog::llama_3_1_8b,
          .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 1},
          .strategy = s,
          .workload = w};
}

// Multiply-adds of a token with weights: attention, a dense MLP, nine experts and their router, a projection of two hidden states, a head.
constexpr double attention_weights = 187'105'280;
constexpr double dense_mlp = 3 * 7'168.0 * 18'432;
constexpr double moe_mlp = 9 * 3 * 7'168.0 * 2'048 + 7'168 * 256;
constexpr double projection = 2 * 7'168.0 * 7'168;
constexpr double head = 7'168.0 * 129'280;
constexpr double core = 4096.0 * 4097 * 128 * (192 + 128); // FLOPs of a layer

constexpr double forward(double layers, double dense, double moe) {
  return 2.0 * 4096 * (layers * attention_weights + dense * dense_mlp + moe * moe_mlp) + layers * core;
}

BOTH_TIMES("DeepSeek-V3 on 2,048 H800: compute and pipeline, by hand", [] {
  const deployment d = deepseek_v3();
  const deployment_cost c = cost(d);
  // Forward, once more, and twice backward; heads are not computed again. 15,360 sequences on 128 pipelines are 120 micro-batches each.
  const double first = 4 * forward(4, 3, 1);
  const double middle = 4 * forward(4, 0, 4);
  const double last = 4 * (forward(2, 0, 2) + 2.0 * 4096 * projection) + 3 * 2 * 2.0 * 4096 * head;
  EXPECT(last > middle && middle > first);
  EXPECT(is(c.bound.compute, 120 * last / 989.5e12));
  // No rank waits for what others compute again, a quarter of what they do.
  const double pipeline = (0.75 * first + 14 * 0.75 * middle + 120 * last) / 989.5e12;
  EXPECT(is(c.bound.pipeline, pipeline));
  EXPECT(is(cost(d, {.compute = 0.5}).estimate.pipeline, 2 * pipeline));
});

BOTH_TIMES("DeepSeek-V3 on 2,048 H800: the network, by hand", [] {
  const deployment d = deepseek_v3();
  const deployment_cost c = cost(d);
  // 120 micro-batches, four layers. Copies of tokens in bf16 to experts and back in the forward pass, there once more, and both ways
  // backward: 56 of 64 ranks are on other nodes.
  const double exchanges = 5 * 7'168 * 2 * (4096.0 * 8) * 56 / 64;
  const double transfers = 2 * 4096 * 7'168 * 2;
  // Gradients in fp32 go out to 16 nodes, and those of the experts to two; the own part of the weights in bf16 once.
  const double dense = 4 * (187'107'328.0 + 2 * 7'168 + 7'168 * 256 + 3 * 7'168 * 2'048);
  const double experts = 4 * 4 * 3 * 7'168.0 * 2'048;
  const double update = 4 * (dense * 15 / 128 + experts / 2) + 2 * (dense / 128 + experts / 2);
  EXPECT(c.network.stage == 1);
  EXPECT(near(c.network.bytes, 120 * (4 * exchanges + transfers) + update));
  EXPECT(is(c.bound.network, (120 * (4 * exchanges + transfers) + update) / 50e9));
  EXPECT(c.limit() == step_resource::network);
  EXPECT(c.bound.step() == c.bound.network);
});

/// The same in FP8, with routers, heads and core attention in bf16; in seconds.
constexpr double fp8_forward(double layers, double dense, double moe) {
  const double router = 7'168.0 * 256;
  const double linear = layers * attention_weights + dense * dense_mlp + moe * (moe_mlp - router);
  return 2.0 * 4096 * linear / 1'979e12 + (2.0 * 4096 * moe * router + layers * core) / 989.5e12;
}

// As it was trained (arXiv 2412.19437, sections 3.2.1 and 3.3): FP8, and each rank with two stages, 60 micro-batches from either end.
BOTH_TIMES("DeepSeek-V3 in FP8 with DualPipe, by hand", [] {
  deployment d = deepseek_v3();
  d.workload.train.dispatcher = token_dispatcher::deepep;
  d.workload.train.precision.fp8 = fp8_recipe::blockwise;
  d.workload.train.recompute = recompute::none;
  d.workload.train.schedule = schedule::dualpipe;
  const deployment_cost c = cost(d);
  const double ends = fp8_forward(4, 3, 1) + fp8_forward(2, 0, 2) + 2.0 * 4096 * (projection / 1'979e12 + 2 * head / 989.5e12);
  const double middle = 2 * fp8_forward(4, 0, 4);
  EXPECT(middle > fp8_forward(4, 3, 1) && ends > middle);
  EXPECT(is(c.bound.compute, 60 * 3 * ends));
  EXPECT(c.bound.pipeline == c.bound.compute && c.limit() == step_resource::compute);
  // Of four layers alone: each token to one node of eight at least, in FP8 there and in bf16 back, in both passes.
  EXPECT(c.network.bytes > 120.0 * 4 * 2 * 4096 * (7'168 + 14'336) * 56.0 / 64);
  EXPECT(c.peak_flops == 1'979'000'000'000'000);
});

// ISCA 2025 (arXiv 2505.09343), table 4: 272.80 and 272.52 B tokens a day, 19.926 and 19.946 s a step, on two networks. What the run did
// (FP8, tokens once a node, selective recompute) is possible under each of these.
BOTH_TIMES("published steps of DeepSeek-V3 are possible", [] {
  deployment d = deepseek_v3();
  d.workload.train.dispatcher = token_dispatcher::deepep;
  for (const fp8_recipe fp8 : {fp8_recipe::none, fp8_recipe::blockwise})
    for (const recompute again : {recompute::none, recompute::full})
      for (const schedule order : {schedule::one_forward_one_backward, schedule::dualpipe}) {
        d.workload.train.precision.fp8 = fp8;
        d.workload.train.recompute = again;
        d.workload.train.schedule = order;
        const deployment_cost c = cost(d);
        EXPECT(c.bound.step().seconds < 19.926);
        EXPECT(c.tokens_per_second() * 86'400 > 272.8e9);
        EXPECT(c.tokens == 62'914'560);
      }
  // In bf16 with full recompute the pipeline limits it: 0.661 of the peak at most.
  d = deepseek_v3();
  d.workload.train.dispatcher = token_dispatcher::deepep;
  const deployment_cost c = cost(d);
  EXPECT(c.limit() == step_resource::pipeline);
  EXPECT(c.utilisation() > 0.66 && c.utilisation() < 0.662);
});

BOTH_TIMES("FLOPs of a step", [] {
  const deployment d = deepseek_v3();
  const deployment_cost c = cost(d);
  const auto once = flops_per_sequence<uint256>(d.model, 4096);
  EXPECT(c.sequences == 15360 && c.gpus == 2048);
  EXPECT(c.model_flops() == uint256{3 * 15360} * once.total());
  EXPECT(c.step_flops().core_attention == uint256{4 * 15360} * once.core_attention);
  EXPECT(c.step_flops().head == uint256{3 * 15360} * once.head);
  EXPECT(c.hardware_flops() == uint256{15360} * (uint256{4} * once.total() - once.head));
  EXPECT(c.step_flops().total() == c.hardware_flops());
});

BOTH_TIMES("decoding is limited by memory", [] {
  const deployment d = llama({dp{1}}, serving{.batch = 4, .sequence_length = 1000});
  const deployment_cost c = cost(d);
  EXPECT(is(c.bound.memory, (2.0 * (8'030'261'248 - 128'256 * 4'096LL) + 4 * 1000 * 131'072.0) / 3.35e12));
  EXPECT(c.limit() == step_resource::memory);
  EXPECT(near(c.tokens_per_second(), 4 / c.bound.memory.seconds));
  EXPECT(c.tokens == 4 && c.sequences == 4 && !c.trains);
  EXPECT(c.model_flops() == uint256{decode_flops(d.model, 999, 4).total()} && c.hardware_flops() == c.model_flops());
  EXPECT(c.bound.nvlink == known_seconds{true, 0} && c.bound.network == known_seconds{true, 0});
  // Two TP ranks read half each, and each puts out sums of 32 layers' attention and MLP.
  const deployment two = llama({tp{2}, dp{1}}, serving{.batch = 4, .sequence_length = 1000, .vocabulary_multiple = 0});
  const deployment_cost half = cost(two);
  EXPECT(near(half.nvlink.bytes, 64 * 4 * 4'096 * 2));
  EXPECT(half.bound.memory.seconds < c.bound.memory.seconds && half.bound.memory.seconds > c.bound.memory.seconds / 2);
});

BOTH_TIMES("a prompt is limited by compute, on all GPUs that share it", [] {
  const deployment d = llama({tp{2}, dp{1}}, serving{.batch = 1, .sequence_length = 8192, .step_tokens = 8192});
  const deployment_cost c = cost(d);
  EXPECT(c.limit() == step_resource::compute);
  EXPECT(near(c.bound.compute.seconds, c.model_flops().to_double() / 2 / 989.5e12));
  EXPECT(near(c.utilisation(), 1));
  EXPECT(c.tokens == 8192);
  deployment most = d;
  most.workload.serve.step_tokens = 32'768; // A scheduler's limit may be above what there is to do.
  EXPECT(cost(most) == c);
});

// While one prompt is on the second stage, the next is on the first.
BOTH_TIMES("prompts that follow each other fill a pipeline", [] {
  const deployment d = llama({pp{8}, dp{1}}, serving{.batch = 1, .sequence_length = 8192, .step_tokens = 8192});
  const deployment_cost c = cost(d);
  EXPECT(c.bound.pipeline == c.bound.compute);
  const double alone = cost(llama({dp{1}}, d.workload.serve)).bound.compute.seconds;
  EXPECT(c.bound.compute.seconds * 8 >= alone && c.bound.compute.seconds * 7 < alone);
});

BOTH_TIMES("one GPU could multiply all the time, less what is computed again", [] {
  deployment d = llama({dp{1}}, training{.global_batch = 64, .sequence_length = 4096});
  EXPECT(near(cost(d).utilisation(), 1));
  d.workload.train.recompute = recompute::full;
  const deployment_cost c = cost(d);
  EXPECT(near(c.utilisation(), c.model_flops().to_double() / c.hardware_flops().to_double()));
});

// Adam on eight GPUs of a node, a token each: seven eighths of fp32 gradients go out, and an eighth of bf16 weights, once for all; of an
// embedding of 128,256 x 4,096 few rows change.
BOTH_TIMES("weights are updated once a step", [] {
  deployment d = llama({dp{8}}, training{.sequence_length = 1, .sharding = sharding::optimizer});
  const double update = (4.0 * 7 + 2) / 8 * (8'030'261'248 - 128'256 * 4'096LL) / 450e9;
  EXPECT(is(cost(d).bound.nvlink, update));
  EXPECT(cost(d).bound.pipeline == cost(d).bound.compute); // which may go on meanwhile, layer by layer
  d.workload.train.global_batch = 80;
  EXPECT(is(cost(d).bound.nvlink, update));
});

// Eight stages in one node, whose GPUs may all send for the first one: not its own eighth of the network alone.
BOTH_TIMES("stages that share a node share its network", [] {
  const deployment d{.model = catalog::llama_3_1_8b,
                     .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 16},
                     .strategy = {pp{8}, dp{16}, rank_order{"tp-cp-ep-pp-dp"}},
                     .workload = training{.global_batch = 128, .sequence_length = 1024}};
  const deployment_cost c = cost(d);
  // All but the embedding, summed up between 16 nodes: in each direction all of it, an eighth on each GPU.
  EXPECT(near(c.network.bytes, 4.0 * (8'030'261'248 - 128'256 * 4'096LL) / 8));
});

BOTH_TIMES("what the description lacks is not known", [] {
  deployment d = deepseek_v3();
  d.cluster.gpu.memory_bandwidth = {};
  d.cluster.gpu.network_bandwidth = {};
  deployment_cost c = cost(d);
  EXPECT(!c.bound.memory.known && !c.bound.network.known && c.bound.nvlink.known && c.bound.compute.known);
  EXPECT(c.limit() == step_resource::pipeline);
  EXPECT(c.memory.bytes > 0 && c.network.bytes > 0);
  d.workload.train.precision.fp8 = fp8_recipe::blockwise;
  d.cluster.gpu.fp8_flops = 0;
  c = cost(d);
  EXPECT(!c.bound.compute.known && !c.bound.pipeline.known);
  EXPECT(c.peak_flops == 0 && c.utilisation() == 0);
  EXPECT(c.limit() == step_resource::nvlink);
  d.cluster.gpu = {};
  EXPECT(!cost(d).bound.step().known && cost(d).tokens_per_second() == 0);
  // How many GPUs a node has is not known either.
  d = deepseek_v3();
  d.cluster = {.gpu = catalog::h800_sxm, .total = 2048};
  c = cost(d);
  EXPECT(!c.bound.nvlink.known && !c.bound.network.known);
  EXPECT(c.bound.compute == cost(deepseek_v3()).bound.compute && c.bound.memory == cost(deepseek_v3()).bound.memory);
});

BOTH_TIMES("an estimate goes with the bound", [] {
  const deployment d = deepseek_v3();
  const deployment_cost plain = cost(d);
  EXPECT(plain.estimate == plain.bound);
  const deployment_cost c = cost(d, {.compute = 0.5, .memory = 0.8, .nvlink = 0.25, .network = 0.75});
  EXPECT(c.bound == plain.bound);
  EXPECT(near(c.estimate.compute.seconds, c.bound.compute.seconds / 0.5));
  EXPECT(near(c.estimate.memory.seconds, c.bound.memory.seconds / 0.8));
  EXPECT(near(c.estimate.nvlink.seconds, c.bound.nvlink.seconds / 0.25));
  EXPECT(near(c.estimate.network.seconds, c.bound.network.seconds / 0.75));
});

static_assert(
    !moeplan_test::is_constant<decltype([] { return cost(llama({dp{1}}, training{.sequence_length = 4096}), {.compute = 1.5}); })>);

TEST_CASE("an estimate with an efficiency that is none is not known") {
  const deployment_cost c = cost(deepseek_v3(), {.network = 0});
  CHECK(c.estimate == step_time{});
  CHECK(c.bound == cost(deepseek_v3()).bound);
}

BOTH_TIMES("tokens travel in FP8 where their experts multiply in it", [] {
  deployment d = deepseek_v3();
  d.workload.train.sharding = sharding::none; // no weights are gathered
  const double in_bf16 = cost(d).network.bytes;
  d.workload.train.precision.fp8 = fp8_recipe::blockwise;
  // 7,168 bytes in place of 14,336, there in the forward pass, once more, and backward.
  const double saved = 120 * 4 * 3 * 7'168 * 4096.0 * 8 * 56 / 64;
  EXPECT(near(cost(d).network.bytes, in_bf16 - saved));
});

BOTH_TIMES("a rack of NVLink keeps exchanges off the network", [] {
  deployment d = deepseek_v3();
  d.cluster = {.gpu = catalog::gb200, .gpus_per_node = 4, .nodes = 512};
  const deployment_cost nodes = cost(d);
  d.cluster.nvlink_domain = 64;
  const deployment_cost racks = cost(d);
  EXPECT(racks.network.bytes < nodes.network.bytes / 40 && racks.nvlink.bytes > nodes.nvlink.bytes);
});

// MXFP4 weights: an H100 has no rate in FP4, but decoding is limited by memory anyway.
BOTH_TIMES("a bound without the rate of a type", [] {
  const deployment d{
      .model = catalog::gpt_oss_120b,
      .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 1},
      .strategy = {ep{8}, dp{8}},
      .workload = serving{
          .batch = 16, .sequence_length = 4096, .weights = weight_format::mxfp4, .quantised = quantised_parts::routed_experts}};
  const deployment_cost c = cost(d);
  EXPECT(!c.bound.compute.known && c.limit() == step_resource::memory);
});

TEST_CASE("what does not fit saturates") {
  deployment d = deepseek_v3();
  d.workload.train.global_batch = INT64_MAX / 128 * 128;
  d.workload.train.sequence_length = INT64_MAX / 2;
  const deployment_cost c = cost(d);
  CHECK(c.tokens.overflowed());
  CHECK(c.bound.step().known);
  CHECK(c.bound.step().seconds > cost(deepseek_v3()).bound.step().seconds);
  CHECK(c.model_flops().overflowed());
}

} // namespace
