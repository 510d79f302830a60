// Expected bytes are sums of what is alive at a step, written out by hand from what the sources save, and totals of an independent walk
// through every allocation of a layer.
#include <moeplan/memory/tensors/grouped_query_attention.hpp>

#include "memory/tensors/tables.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t tokens = 4096;

// Llama-3 70B. Two bytes a number; a token of each tensor.
constexpr std::int64_t hidden = 2LL * 8192;
constexpr std::int64_t queries = 2LL * 64 * 128;
constexpr std::int64_t keys = 2LL * 8 * 128;
constexpr std::int64_t values = keys;
constexpr std::int64_t joined = queries + keys + values;
constexpr std::int64_t output = queries;
constexpr std::int64_t sums = 4LL * 64;
constexpr std::int64_t statistic = 4;
constexpr std::int64_t random_state = 512; // 16 bytes take a block

constexpr training of_tokens(std::int64_t n = tokens) { return {.sequence_length = n}; }
constexpr training exchanging(std::int64_t n) { return {.sequence_length = n, .context = context_exchange::all_to_all}; }

constexpr activation_shape llama(const strategy& s, const training& t) { return shape_of(catalog::llama_3_1_70b, s, t); }
constexpr block_memory attention_memory(const strategy& s, const training& t) {
  return memory_of(block::softmax_attention, llama(s, t));
}

constexpr std::int64_t norm = hidden + hidden + statistic;

BOTH_TIMES("attention keeps its input, the normed one, queries, keys, values, output and logarithms of sums", [] {
  const block_memory m = attention_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.kept == (norm + queries + keys + values + output + sums) * tokens + random_state);
  EXPECT(m.kept == 286'278'144);
});

BOTH_TIMES("its forward pass peaks in the output projection or at the sum: queries, keys and values are still there as one", [] {
  const block_memory m = attention_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.forward_step == grouped_query_step::output);
  EXPECT(m.forward_peak == m.kept + saturating_count{(joined + hidden) * tokens});
  EXPECT(m.forward_peak == 437'273'088);
  // At the sum the one tensor is gone, and there is a third hidden state.
  const activation_shape s = llama({tp{1}, dp{1}}, of_tokens());
  EXPECT(bytes_at(grouped_query_step::residual, block::softmax_attention, s) == m.kept + saturating_count{2 * hidden * tokens});
});

BOTH_TIMES("its backward pass peaks in core attention, with fp32 sums of the queries' gradient", [] {
  const block_memory m = attention_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.backward_step == grouped_query_step::core_gradient);
  const std::int64_t gradients = hidden + output + queries + keys + values;
  const std::int64_t at_work = 2 * queries + sums;
  EXPECT(m.backward_peak == m.kept + saturating_count{(gradients + at_work) * tokens});
  EXPECT(m.backward_peak == 639'648'256);
});

BOTH_TIMES("steps of the backward pass, one by one, are the walk's", [] {
  const activation_shape s = llama({tp{1}, dp{1}}, of_tokens());
  const auto at = [&s](std::uint16_t step) { return bytes_at(step, block::softmax_attention, s); };
  EXPECT(at(grouped_query_step::output_gradient) == 420'495'872);
  EXPECT(at(grouped_query_step::key_rotation_gradient) == (norm + hidden + queries + keys + values + keys) * tokens);
  EXPECT(at(grouped_query_step::query_rotation_gradient) == 352'337'920);
  EXPECT(at(grouped_query_step::joined_gradient) == 369'115'136);
  EXPECT(at(grouped_query_step::projection_gradient) == (norm + hidden + joined + hidden) * tokens);
  EXPECT(at(grouped_query_step::norm_gradient) == (hidden + statistic + hidden + joined + hidden + hidden) * tokens);
  EXPECT(at(grouped_query_step::norm_gradient) == 352'337'920);
});

BOTH_TIMES("with TP 8 and sequence parallelism ranks keep an eighth", [] {
  const block_memory m = attention_memory({tp{8}, sp{8}, dp{1}}, of_tokens());
  EXPECT(m.kept == (norm + queries + keys + values + output + sums) * tokens / 8 + random_state);
  EXPECT(m.kept == 35'785'216);
  EXPECT(m.forward_step == grouped_query_step::reduction);
  EXPECT(m.forward_peak == 121'768'448);
  EXPECT(m.backward_step == grouped_query_step::projection_gradient);
  EXPECT(m.backward_peak == 178'259'968);
});

BOTH_TIMES("context parallelism that exchanges keeps the output twice: of its heads and of its tokens", [] {
  const block_memory m = attention_memory({cp{8}, dp{1}}, exchanging(8 * tokens));
  const block_memory alone = attention_memory({cp{1}, dp{1}}, of_tokens());
  EXPECT(m.kept == alone.kept + saturating_count{output * tokens});
  EXPECT(m.kept == 353'387'008);
  EXPECT(m.forward_peak == 655'376'896);
  EXPECT(m.backward_peak == 772'817'408);
  // The backward pass stages gradients while the inputs are still there: one tensor sent, one received, one in order.
  const std::int64_t own = norm + queries + keys + values + sums + output;
  const std::int64_t gradients = hidden + 2 * output + queries + keys + values;
  EXPECT(m.backward_peak == (own + gradients + 3 * queries) * tokens + random_state);
});

BOTH_TIMES("TP 2 and CP 4: the walk's bytes", [] {
  const block_memory m = attention_memory({tp{2}, sp{2}, cp{4}, dp{1}}, exchanging(8 * tokens));
  EXPECT(m.kept == 353'387'008);
  EXPECT(m.forward_peak == 655'376'896);
  EXPECT(m.backward_peak == 772'817'408);
});

BOTH_TIMES("context parallelism by ring or gathering keeps nothing more", [] {
  const block_memory alone = attention_memory({cp{1}, dp{1}}, of_tokens());
  for (const context_exchange how : {context_exchange::ring, context_exchange::all_gather}) {
    training t = of_tokens(8 * tokens);
    t.context = how;
    EXPECT(attention_memory({cp{8}, dp{1}}, t).kept == alone.kept);
  }
});

BOTH_TIMES("a rank with one group of heads needs no copy of the queries", [] {
  const activation_shape one = llama({tp{8}, sp{8}, dp{1}}, of_tokens());
  const activation_shape two = llama({tp{4}, sp{4}, dp{1}}, of_tokens());
  EXPECT(named("copy of the queries", block::softmax_attention, one).found == 0);
  EXPECT(named("copy of the queries", block::softmax_attention, two).bytes == queries / 4 * tokens);
});

BOTH_TIMES("recompute of core attention keeps more than it drops, where attention is fused", [] {
  const block_memory all = attention_memory({tp{1}, dp{1}}, of_tokens());
  const block_memory m = attention_memory({tp{1}, dp{1}}, recomputed(of_tokens(), {}));
  // It drops logarithms of sums, and the copy of the values for the view that keeps queries, keys and values.
  EXPECT(m.kept + (sums + values) * tokens + random_state == all.kept + saturating_count{joined * tokens});
  EXPECT(m.kept == 360'726'528);
  EXPECT(attention_memory({tp{8}, sp{8}, dp{1}}, recomputed(of_tokens(), {})).kept == 45'090'816);
});

BOTH_TIMES("where it is not, it drops the probabilities, which grow with the square of the sequence", [] {
  training t = of_tokens();
  t.kernels.flash_attention = false;
  const std::int64_t probabilities = 2LL * 64 * tokens; // a token
  const block_memory all = attention_memory({tp{1}, dp{1}}, t);
  EXPECT(all.kept == (norm + queries + keys + values + output + probabilities) * tokens);
  const block_memory m = attention_memory({tp{1}, dp{1}}, recomputed(t, {}));
  EXPECT(m.kept + (probabilities + values) * tokens == all.kept + saturating_count{joined * tokens});
});

BOTH_TIMES("other modules change nothing: norms are part of the projections", [] {
  const recompute_modules others{
      .core_attention = false, .mlp = true, .moe = true, .layer_norm = true, .latent_up_projection = true};
  EXPECT(attention_memory({tp{1}, dp{1}}, recomputed(of_tokens(), others)) == attention_memory({tp{1}, dp{1}}, of_tokens()));
});

BOTH_TIMES("norms of queries and keys keep what they norm and a statistic a head", [] {
  model m = catalog::llama_3_1_70b;
  m.attention.norm = query_key_norm::per_head;
  const block_memory b = memory_of(block::softmax_attention, shape_of(m, {tp{1}, dp{1}}, of_tokens()));
  EXPECT(b.kept ==
         attention_memory({tp{1}, dp{1}}, of_tokens()).kept + saturating_count{(queries + keys + 4LL * (64 + 8)) * tokens});
});

BOTH_TIMES("a gate keeps the output before it", [] {
  model m = catalog::llama_3_1_70b;
  m.attention.output_gate = true;
  const block_memory b = memory_of(block::softmax_attention, shape_of(m, {tp{1}, dp{1}}, of_tokens()));
  EXPECT(b.kept >= attention_memory({tp{1}, dp{1}}, of_tokens()).kept + saturating_count{output * tokens});
});

BOTH_TIMES("dropout keeps a byte a number of the output, and attention's own two tensors of probabilities", [] {
  training t = of_tokens();
  t.kernels.hidden_dropout = true;
  EXPECT(attention_memory({tp{1}, dp{1}}, t).kept ==
         attention_memory({tp{1}, dp{1}}, of_tokens()).kept + saturating_count{8192 * tokens});
  training unfused = of_tokens();
  unfused.kernels.flash_attention = false;
  const saturating_count before = attention_memory({tp{1}, dp{1}}, unfused).kept;
  unfused.kernels.attention_dropout = true;
  EXPECT(attention_memory({tp{1}, dp{1}}, unfused).kept == before + saturating_count{(1LL + 2) * 64 * tokens * tokens});
});

BOTH_TIMES("FP8 keeps the inputs of both projections in a byte a number, besides the output that attention keeps", [] {
  training t = of_tokens();
  t.precision.fp8 = fp8_recipe::mxfp8;
  const block_memory all = attention_memory({tp{1}, dp{1}}, of_tokens());
  const std::int64_t scales = (8192 + 8192) / 32;
  EXPECT(attention_memory({tp{1}, dp{1}}, t).kept == all.kept - saturating_count{8192 * tokens} + (8192 + scales) * tokens);
});

BOTH_TIMES("FP8 without fused attention keeps the output in a byte a number alone", [] {
  training t = of_tokens();
  t.kernels.flash_attention = false;
  const saturating_count all = attention_memory({tp{1}, dp{1}}, t).kept;
  t.precision.fp8 = fp8_recipe::tensorwise;
  EXPECT(attention_memory({tp{1}, dp{1}}, t).kept + (8192 + 8192) * tokens == all);
});

BOTH_TIMES("the gradients of weights need both projections' inputs and gradients", [] {
  const block_memory m = attention_memory({tp{1}, dp{1}}, of_tokens());
  EXPECT(m.for_weights == (hidden + joined + hidden) * tokens);
});

BOTH_TIMES("every tensor has a name, a source and a life",
           [] { EXPECT(is_well_formed(block::softmax_attention, catalog::llama_3_1_70b)); });

} // namespace
