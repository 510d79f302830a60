// Expected bytes are sums over what the sources save, written out by hand for Qwen3-Next-80B-A3B: hidden size 2048, 16 heads of
// queries and keys and 32 of values, all 128 wide.
#include <moeplan/memory/tensors/linear_attention.hpp>

#include <moeplan/catalog/qwen.hpp>
#include <moeplan/memory/block_timeline.hpp>
#include <moeplan/memory/rank_model.hpp>

#include "support/both_times.hpp"

#include <string_view>

using namespace moeplan;

namespace {

constexpr std::int64_t tokens = 4096; // Every tensor takes a multiple of 512 bytes.
constexpr std::int64_t key_heads = 16;
constexpr std::int64_t heads = 32;
constexpr std::int64_t width = 128;
constexpr std::int64_t qk = key_heads * width;
constexpr std::int64_t v = heads * width;
constexpr std::int64_t hidden = 2048;

constexpr training of_tokens() { return {.sequence_length = tokens}; }

constexpr activation_shape shape_of(const strategy& s, const training& t) {
  const model& m = catalog::qwen3_next_80b_a3b;
  return activation_shape_of(m, rank_model(m, s), s, t);
}

constexpr block_memory memory_of(const strategy& s, const training& t) {
  block_timeline timeline{linear_step::backward, linear_step::end};
  visit_linear_attention_tensors(shape_of(s, t), timeline);
  return timeline.summary();
}

// The input norm and projection (Transformer Engine): its input, the normed one, a statistic.
constexpr std::int64_t projection_saves = 2 * hidden + 2 * hidden + 4;
// The convolution: its input. The norms of queries and keys: their outputs, and a statistic a head.
constexpr std::int64_t convolution_saves = 2 * (2 * qk + v);
constexpr std::int64_t norms_save = 2 * (2 * qk) + 4 * (2 * key_heads);
// Softplus: its input. The multiplication by exp(A_log): softplus' output. Both in fp32. Sigmoid: its output.
constexpr std::int64_t gates_save = 4 * heads + 4 * heads + 2 * heads;
// chunk_gated_delta_rule: q and k for each head of values, v, the sums of decays in fp32, beta (sigmoid's), 64 numbers a head of A.
constexpr std::int64_t delta_rule_saves = 2 * (heads * width) * 2 + 2 * v + 4 * heads + 2 * (64 * heads);
// The output norm: its input and a statistic a head. The gate: the normed output and the gate. The output projection: its input.
constexpr std::int64_t output_saves = 2 * v + 4 * heads + 2 * v + 2 * v + 2 * v;

BOTH_TIMES("what a linear attention block keeps is what its operations save", [] {
  const std::int64_t a_token = projection_saves + convolution_saves + norms_save + gates_save + delta_rule_saves + output_saves;
  EXPECT(a_token == 94'916);
  EXPECT(memory_of({tp{1}, dp{1}}, of_tokens()).kept == a_token * tokens);
});

BOTH_TIMES("tensor parallelism divides heads, sequence parallelism the tokens between", [] {
  const std::int64_t of_heads = convolution_saves + norms_save + gates_save + delta_rule_saves + output_saves;
  EXPECT(memory_of({tp{4}, dp{1}}, of_tokens()).kept == (projection_saves + of_heads / 4) * tokens);
  EXPECT(memory_of({tp{4}, sp{4}, dp{1}}, of_tokens()).kept == (projection_saves + of_heads) / 4 * tokens);
});

BOTH_TIMES("context parallelism divides tokens and then heads: the same", [] {
  const block_memory alone = memory_of({tp{1}, dp{1}}, of_tokens());
  const block_memory two = memory_of({tp{1}, cp{2}, dp{1}}, of_tokens());
  EXPECT(two.kept * 2 == alone.kept);
  EXPECT(two.backward_peak * 2 >= alone.backward_peak);
});

BOTH_TIMES("the forward pass peaks in the delta rule", [] {
  // Gone after it: what is projected and convolved, the gates' inputs, and what the chunks make.
  const std::int64_t kept_so_far =
      projection_saves + convolution_saves + norms_save + gates_save + delta_rule_saves + 2 * v /* gate */ + 2 * v /* output */;
  const std::int64_t projected = 2 * (2 * qk + v) + 2 * v + 2 * (2 * heads);
  const std::int64_t convolved = 2 * (2 * qk + v);
  const std::int64_t w_u_and_new_values = 2 * (3 * v);
  const std::int64_t states = 2 * heads * width * width / 64;
  const block_memory m = memory_of({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.forward_step == linear_step::core);
  EXPECT(m.forward_peak >= (kept_so_far + projected + convolved + w_u_and_new_values + states) * tokens);
});

BOTH_TIMES("so does the backward pass", [] {
  const std::int64_t still_kept = projection_saves + convolution_saves + norms_save + gates_save + delta_rule_saves;
  const std::int64_t gradients_around = 2 * hidden + 2 * v /* of the gate */ + 2 * v /* of the output */;
  const std::int64_t made_again = 2 * (3 * v) + 2 * heads * width * width / 64;
  const std::int64_t states = 2 * heads * width * width / 64;
  // dq, dk and dw of chunk_bwd_dqkwg, dk and dv of prepare_wy_repr_bwd, dv of chunk_gated_delta_rule_bwd_dhu.
  const std::int64_t gradients = 2 * (6 * v);
  const block_memory m = memory_of({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.backward_step == linear_step::core_gradient);
  EXPECT(m.backward_peak >= (still_kept + gradients_around + made_again + states + gradients) * tokens);
});

BOTH_TIMES("queries and keys that are not repeated are the normed ones", [] {
  model m = catalog::qwen3_next_80b_a3b;
  m.linear_attention.key_heads = 32;
  const strategy s{tp{1}, dp{1}};
  block_timeline timeline{linear_step::backward, linear_step::end};
  visit_linear_attention_tensors(activation_shape_of(m, rank_model(m, s), s, of_tokens()), timeline);
  const std::int64_t one_copy = 2 * (2 * v) + 4 * (2 * heads);
  const std::int64_t others = projection_saves + 2 * (3 * v) + gates_save + delta_rule_saves - 2 * (2 * v) + output_saves;
  EXPECT(timeline.summary().kept == (one_copy + others) * tokens);
});

BOTH_TIMES("selective recompute drops nothing", [] {
  training t = of_tokens();
  t.recompute = recompute::selective;
  t.recompute_modules = {.mlp = true, .moe = true, .layer_norm = true, .shared_experts = true};
  EXPECT(memory_of({tp{1}, dp{1}}, t) == memory_of({tp{1}, dp{1}}, of_tokens()));
});

BOTH_TIMES("FP8 keeps the inputs of both projections in a byte a number, and their scales", [] {
  training t = of_tokens();
  t.precision.fp8 = fp8_recipe::blockwise;
  const std::int64_t numbers = hidden + v;
  const std::int64_t saved = 2 * numbers - (numbers + 4 * numbers / 128);
  EXPECT(memory_of({tp{1}, dp{1}}, t).kept + saved * tokens == memory_of({tp{1}, dp{1}}, of_tokens()).kept);
});

BOTH_TIMES("dropout keeps a byte a number of the output until the backward pass", [] {
  training t = of_tokens();
  t.kernels.hidden_dropout = true;
  EXPECT(memory_of({tp{1}, dp{1}}, t).kept == memory_of({tp{1}, dp{1}}, of_tokens()).kept + hidden * tokens);
});

struct states_of_chunks {
  saturating_count elements;
  constexpr void operator()(const tensor& t) noexcept {
    if (std::string_view{t.name} == "states") elements = t.elements();
  }
};

BOTH_TIMES("a short chunk has a state too, in each sequence", [] {
  states_of_chunks seen;
  visit_linear_attention_tensors(shape_of({tp{2}, dp{1}}, {.micro_batch = 3, .sequence_length = 130}), seen);
  EXPECT(seen.elements == (heads / 2) * width * width * 3 * 3);
});

struct well_formed {
  bool all = true;
  constexpr void operator()(const tensor& t) noexcept {
    all = all && t.name[0] != '\0' && t.source[0] != '\0' && t.from < t.until && t.until <= linear_step::end;
  }
};

BOTH_TIMES("every tensor has a name, a source and a life", [] {
  training t{.micro_batch = 2, .sequence_length = tokens};
  t.precision.fp8 = fp8_recipe::mxfp8;
  t.kernels.hidden_dropout = true;
  well_formed seen;
  visit_linear_attention_tensors(shape_of({tp{4}, sp{4}, cp{2}, dp{1}}, t), seen);
  EXPECT(seen.all);
});

} // namespace
