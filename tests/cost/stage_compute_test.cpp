#include <moeplan/cost/stage_compute.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool near(double a, double b) {
  const double difference = a - b;
  return difference < 1e-12 * b && -difference < 1e-12 * b;
}

constexpr deployment deepseek_v3() {
  return {.model = catalog::deepseek_v3,
          .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
          .strategy = {pp{16}, ep{64}, dp{128}},
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = training{.global_batch = 15360, .sequence_length = 4096}};
}

// One MoE layer of DeepSeek-V3 and one sequence of 4,096 tokens (arXiv 2412.19437, section 4.2): 187,105,280 weights of attention,
// a router of 7,168 x 256, nine experts of 3 x 7,168 x 2,048; 128 heads of 192 and 128 for each of 4,096 x 4,097 / 2 pairs.
constexpr double weights_of_layer = 2.0 * 4096 * (187'105'280.0 + 7'168 * 256 + 9 * 3 * 7'168.0 * 2'048);
constexpr double core_of_layer = 4096.0 * 4097 * 128 * (192 + 128);

BOTH_TIMES("four MoE layers of DeepSeek-V3 at the peak", [] {
  const deployment d = deepseek_v3();
  const stage_work<double> w = training_compute{d}(5);
  EXPECT(near(w.forward, 4 * (weights_of_layer + core_of_layer) / 989.5e12));
  EXPECT(near(w.input_gradient, 4 * (weights_of_layer + 2 * core_of_layer) / 989.5e12));
  EXPECT(near(w.weight_gradient, 4 * weights_of_layer / 989.5e12));
});

BOTH_TIMES("what is computed again is part of the backward pass", [] {
  deployment d = deepseek_v3();
  const stage_work<double> once = training_compute{d}(5);
  d.workload.train.recompute = recompute::full;
  const stage_work<double> again = training_compute{d}(5);
  EXPECT(again.forward == once.forward && again.weight_gradient == once.weight_gradient);
  EXPECT(near(again.input_gradient, once.input_gradient + once.forward));
});

BOTH_TIMES("in FP8 core attention and the router stay in bf16", [] {
  deployment d = deepseek_v3();
  d.workload.train.precision.fp8 = fp8_recipe::blockwise;
  const double router = 2.0 * 4096 * 7'168 * 256;
  const double seconds = (weights_of_layer - router) / 1'979e12 + (router + core_of_layer) / 989.5e12;
  EXPECT(near(training_compute{d}(5).forward, 4 * seconds));
});

BOTH_TIMES("TP and CP ranks divide a micro-batch", [] {
  deployment d{.model = catalog::llama_3_1_8b,
               .cluster = {.gpu = catalog::h100_sxm},
               .strategy = {dp{1}},
               .workload = training{.sequence_length = 4096, .vocabulary_multiple = 0}};
  const double whole = training_compute{d}(0).total();
  d.strategy = {tp{4}, cp{2}, dp{1}};
  d.workload.train.micro_batch = 3;
  EXPECT(near(training_compute{d}(0).total(), whole * 3 / 8));
});

BOTH_TIMES("capacity below one drops tokens of evenly loaded experts", [] {
  deployment d = deepseek_v3();
  const double whole = training_compute{d}(5).forward;
  d.workload.train.routing.capacity_factor = ratio{3, 4};
  const double routed = 2.0 * 4096 * 8 * 3 * 7'168 * 2'048;
  EXPECT(near(training_compute{d}(5).forward, whole - 4 * routed / 4 / 989.5e12));
  d.workload.train.routing.capacity_factor = ratio{5, 4};
  EXPECT(training_compute{d}(5).forward == whole);
});

BOTH_TIMES("a rate that is not known", [] {
  deployment d = deepseek_v3();
  EXPECT(training_compute{d}.known());
  d.cluster.gpu.fp8_flops = 0; // nobody asks for it
  EXPECT(training_compute{d}.known());
  d.workload.train.precision.fp8 = fp8_recipe::delayed;
  EXPECT(!training_compute{d}.known());
  d.workload = serving{.batch = 1, .sequence_length = 1};
  EXPECT(serving_compute{d}.known());
  d.cluster.gpu = {};
  EXPECT(!serving_compute{d}.known());
});

// Absorbed 576 + 512 multiply-adds a head and pair; expanded 192 + 128, and up-projections of all 4,096 tokens (arXiv 2405.04434, 2.1.2).
BOTH_TIMES("latent attention takes the faster form", [] {
  deployment d{.model = catalog::deepseek_v3,
               .cluster = {.gpu = catalog::h800_sxm},
               .strategy = {dp{1}},
               .workload = serving{.batch = 8, .sequence_length = 4096}};
  EXPECT(serving_compute{d}.of_sequence().forward.core_attention == 2LL * 61 * 4096 * 128 * (576 + 512));
  d.workload.serve.step_tokens = 4096;
  EXPECT(serving_compute{d}.of_sequence().forward.core_attention == 61 * 4096LL * 4097 * 128 * (192 + 128));
});

BOTH_TIMES("a step of serving goes forward alone", [] {
  deployment d{.model = catalog::llama_3_1_8b,
               .cluster = {.gpu = catalog::h100_sxm},
               .strategy = {tp{2}, dp{1}},
               .workload = serving{.batch = 8, .sequence_length = 1000}};
  const serving_compute compute{d};
  const stage_work<double> w = compute(0);
  EXPECT(w.input_gradient == 0 && w.weight_gradient == 0);
  // 7,504,658,432 weights of matrices but the embedding's; 32 layers of 32 heads of 128, for 1,000 keys and values.
  const double flops = 2.0 * (8'030'261'248 - 128'256 * 4'096LL - 65 * 4'096LL) + 2.0 * 32 * 32 * 2 * 128 * 1000;
  EXPECT(near(w.forward, flops / 2 / 989.5e12));
  EXPECT(near(static_cast<double>(compute.of_sequence().forward.total().value()), flops));
});

} // namespace
