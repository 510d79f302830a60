// Expected bytes are sums of what is alive at a step, written out by hand from what the sources save, and totals of an independent walk
// through every allocation of a layer.
#include <moeplan/memory/tensors/mlp.hpp>

#include "memory/tensors/tables.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t tokens = 4096; // Every tensor but statistics with TP 8 takes a multiple of 512 bytes.

// Llama-3 70B. Two bytes a number; a token of each tensor.
constexpr std::int64_t hidden = 2LL * 8192;
constexpr std::int64_t width = 2LL * 28672;
constexpr std::int64_t statistic = 4;

constexpr training of_tokens() { return {.sequence_length = tokens}; }
constexpr recompute_modules mlp_alone{.core_attention = false, .mlp = true};

constexpr activation_shape llama(const strategy& s, const training& t) { return shape_of(catalog::llama_3_1_70b, s, t); }
constexpr block_memory mlp_memory(const strategy& s, const training& t) { return memory_of(block::dense_mlp, llama(s, t)); }

BOTH_TIMES("an MLP keeps its input, the normed one, the up-projection and the activation", [] {
  const block_memory m = mlp_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.kept == (hidden + hidden + statistic + 2 * width + width) * tokens);
  EXPECT(m.kept == 838'877'184);
});

BOTH_TIMES("its forward pass peaks at the sum with the residual: both terms and the result", [] {
  const block_memory m = mlp_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.forward_step == mlp_step::residual);
  EXPECT(m.forward_peak == m.kept + saturating_count{2 * hidden * tokens});
  // The walk: 1,259,373,056 with what attention keeps before.
  EXPECT(m.forward_peak + 286'278'144 == 1'259'373'056);
});

BOTH_TIMES("its backward pass peaks in SwiGLU: gradients of the residual, of the activation and of the up-projection", [] {
  const block_memory m = mlp_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.backward_step == mlp_step::activation_gradient);
  const std::int64_t still_kept = hidden + hidden + statistic + 2 * width; // The activation is gone.
  EXPECT(m.backward_peak == (still_kept + hidden + width + 2 * width) * tokens);
  EXPECT(m.backward_peak + 286'278'144 == 1'662'026'240);
});

BOTH_TIMES("steps of the backward pass, one by one", [] {
  const activation_shape s = llama({tp{1}, dp{1}}, of_tokens());
  const auto at = [&s](std::uint16_t step) { return bytes_at(step, block::dense_mlp, s); };
  const std::int64_t norm = hidden + statistic;
  EXPECT(at(mlp_step::down_projection_gradient) == (norm + hidden + 2 * width + width + hidden + width) * tokens);
  EXPECT(at(mlp_step::up_projection_gradient) == (norm + hidden + hidden + 2 * width + hidden) * tokens);
  EXPECT(at(mlp_step::norm_gradient) == (norm + hidden + 2 * width + hidden + hidden) * tokens);
});

BOTH_TIMES("with TP 8 and sequence parallelism ranks keep an eighth", [] {
  const block_memory m = mlp_memory({tp{8}, sp{8}, dp{1}}, of_tokens());
  EXPECT(m.kept * 8 == mlp_memory({tp{1}, dp{1}}, of_tokens()).kept);
  EXPECT(m.kept == 104'859'648);
  // The forward pass peaks where the result of all tokens is reduced to a rank's own.
  EXPECT(m.forward_step == mlp_step::reduction);
  EXPECT(m.forward_peak == m.kept + saturating_count{(hidden + hidden / 8) * tokens});
  // The backward pass when the up-projection's input has been gathered again: 35,785,216 bytes are attention's.
  EXPECT(m.backward_step == mlp_step::up_projection_gradient);
  const std::int64_t eighths = hidden + statistic + hidden + hidden + 2 * width + 2 * width + hidden;
  EXPECT(m.backward_peak <= (eighths / 8 + hidden + hidden) * tokens);
  EXPECT(m.backward_peak + 35'785'216 == 262'279'680);
});

BOTH_TIMES("without sequence parallelism ranks keep the residual and the norm whole", [] {
  const block_memory m = mlp_memory({tp{8}, dp{1}}, of_tokens());
  EXPECT(m.kept == (hidden + hidden + statistic + 3 * width / 8) * tokens);
});

BOTH_TIMES("context parallelism divides tokens: CP 8 with eight times the sequence is the same", [] {
  training t = of_tokens();
  t.sequence_length *= 8;
  EXPECT(mlp_memory({cp{8}, dp{1}}, t) == mlp_memory({cp{1}, dp{1}}, of_tokens()));
});

BOTH_TIMES("MLPs without a gate project once", [] {
  model m = catalog::llama_3_1_70b;
  m.gated_mlp = false;
  const block_memory b = memory_of(block::dense_mlp, shape_of(m, {tp{1}, dp{1}}, of_tokens()));
  EXPECT(b.kept == (hidden + hidden + statistic + width + width) * tokens);
});

BOTH_TIMES("recompute keeps the input alone, and the backward pass has everything again with the output besides", [] {
  const block_memory all = mlp_memory({tp{1}, dp{1}}, of_tokens());
  const block_memory m = mlp_memory({tp{1}, dp{1}}, recomputed(of_tokens(), mlp_alone));
  EXPECT(m.kept == hidden * tokens);
  EXPECT(m.forward_peak == all.forward_peak);
  EXPECT(m.backward_peak == all.backward_peak + saturating_count{hidden * tokens});
  EXPECT(m.for_weights == all.for_weights);
  EXPECT(m.backward_peak + 286'278'144 == 1'729'135'104);
});

BOTH_TIMES("with sequence parallelism the recomputed output is a rank's own tokens", [] {
  const strategy s{tp{8}, sp{8}, dp{1}};
  const block_memory all = mlp_memory(s, of_tokens());
  const block_memory m = mlp_memory(s, recomputed(of_tokens(), mlp_alone));
  EXPECT(m.kept == hidden / 8 * tokens);
  EXPECT(m.backward_peak == all.backward_peak + saturating_count{hidden / 8 * tokens});
  EXPECT(m.backward_peak + 35'785'216 == 270'668'288);
});

BOTH_TIMES("modules that an MLP does not have change nothing", [] {
  const recompute_modules others{.moe = true, .moe_activation = true, .layer_norm = true, .shared_experts = true};
  EXPECT(mlp_memory({tp{1}, dp{1}}, recomputed(of_tokens(), others)) == mlp_memory({tp{1}, dp{1}}, of_tokens()));
});

BOTH_TIMES("the gradients of weights need both layers' inputs and gradients", [] {
  const block_memory m = mlp_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.for_weights == (hidden + width + hidden + 2 * width) * tokens);
});

BOTH_TIMES("dropout keeps a byte a number of the output", [] {
  training t = of_tokens();
  t.kernels.hidden_dropout = true;
  EXPECT(mlp_memory({tp{1}, dp{1}}, t).kept == mlp_memory({tp{1}, dp{1}}, of_tokens()).kept + saturating_count{8192 * tokens});
  const strategy s{tp{8}, sp{8}, dp{1}};
  EXPECT(mlp_memory(s, t).kept == mlp_memory(s, of_tokens()).kept + saturating_count{8192 / 8 * tokens});
});

BOTH_TIMES("FP8 keeps the inputs of both layers in a byte a number, and their scales", [] {
  const block_memory bf16 = mlp_memory({tp{1}, dp{1}}, of_tokens());
  const std::int64_t numbers = 8192 + 28672;
  training t = of_tokens();
  t.precision.fp8 = fp8_recipe::tensorwise;
  EXPECT(mlp_memory({tp{1}, dp{1}}, t).kept + numbers * tokens == bf16.kept);
  t.precision.fp8 = fp8_recipe::blockwise;
  EXPECT(mlp_memory({tp{1}, dp{1}}, t).kept + (numbers - 4 * numbers / 128) * tokens == bf16.kept);
  t.precision.fp8 = fp8_recipe::mxfp8;
  EXPECT(mlp_memory({tp{1}, dp{1}}, t).kept + (numbers - numbers / 32) * tokens == bf16.kept);
});

BOTH_TIMES("every tensor has a name, a source and a life",
           [] { EXPECT(is_well_formed(block::dense_mlp, catalog::llama_3_1_70b)); });

} // namespace
