// Expected bytes are sums of what is alive at a step, written out by hand from what the sources save, and totals of an independent walk
// through every allocation of a layer. That walk has no workspace of fused attention, of which the library counts what is known: fp32
// sums of the queries' gradient, and a sum a head.
#include <moeplan/memory/tensors/latent_attention.hpp>

#include "memory/tensors/tables.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t tokens = 4096;

// DeepSeek-V3. Two bytes a number; a token of each tensor.
constexpr std::int64_t hidden = 2LL * 7168;
constexpr std::int64_t compressed_queries = 2LL * 1536;
constexpr std::int64_t compressed_kv = 2LL * 512;
constexpr std::int64_t rotary = 2LL * 64;
constexpr std::int64_t queries = 2LL * 128 * (128 + 64);
constexpr std::int64_t keys = queries;
constexpr std::int64_t values = 2LL * 128 * 128;
constexpr std::int64_t keys_and_values = 2LL * 128 * (128 + 128);
constexpr std::int64_t output = values;
constexpr std::int64_t sums = 4LL * 128;
constexpr std::int64_t statistic = 4;
constexpr std::int64_t random_state = 512;

constexpr std::int64_t norm = hidden + hidden + statistic;
constexpr std::int64_t query_input = compressed_queries + compressed_queries + statistic;
constexpr std::int64_t kv_input = compressed_kv + compressed_kv + statistic;
constexpr std::int64_t attended = queries + keys + values;

constexpr training of_tokens(std::int64_t n = tokens) { return {.sequence_length = n}; }
constexpr training recomputing(recompute_modules modules) { return recomputed(of_tokens(), modules); }

constexpr activation_shape v3(const strategy& s, const training& t) { return shape_of(catalog::deepseek_v3, s, t); }
constexpr block_memory attention_memory(const strategy& s, const training& t) {
  return memory_of(block::softmax_attention, v3(s, t));
}
constexpr strategy one_gpu{tp{1}, dp{1}};
constexpr strategy eight_ways{tp{8}, sp{8}, dp{1}};

BOTH_TIMES("latent attention keeps compressed vectors before and after their norms, queries, keys, values and output", [] {
  const block_memory m = attention_memory(one_gpu, of_tokens());
  EXPECT(m.kept == (norm + query_input + kv_input + attended + output + sums) * tokens + random_state);
  EXPECT(m.kept == 824'230'400);
  // DeepSeek-V2 has a smaller hidden state and the same heads.
  const block_memory v2 = memory_of(block::softmax_attention, shape_of(catalog::deepseek_v2, one_gpu, of_tokens()));
  EXPECT(v2.kept + saturating_count{4LL * (7168 - 5120) * tokens} == m.kept);
  EXPECT(v2.kept == 790'675'968);
});

BOTH_TIMES("its forward pass peaks where keys and values become tensors of their own", [] {
  const block_memory m = attention_memory(one_gpu, of_tokens());
  EXPECT(m.forward_step == latent_step::rotation);
  const std::int64_t so_far = norm + query_input + kv_input + attended;
  EXPECT(m.forward_peak == (so_far + compressed_kv + rotary + keys_and_values) * tokens);
  EXPECT(m.forward_peak == 961'069'056);
  EXPECT(memory_of(block::softmax_attention, shape_of(catalog::deepseek_v2, one_gpu, of_tokens())).forward_peak == 927'514'624);
});

BOTH_TIMES("steps of the forward pass are the walk's", [] {
  const activation_shape s = v3(one_gpu, of_tokens());
  const auto at = [&s](std::uint16_t step) { return bytes_at(step, block::softmax_attention, s); };
  EXPECT(at(latent_step::up_projection) == 625'524'736);
  EXPECT(at(latent_step::core) == 824'230'400);
  EXPECT(at(latent_step::residual) == 941'670'912);
});

BOTH_TIMES("its backward pass peaks in core attention", [] {
  const block_memory m = attention_memory(one_gpu, of_tokens());
  EXPECT(m.backward_step == latent_step::core_gradient);
  const std::int64_t gradients = hidden + output + attended;
  const std::int64_t at_work = 2 * queries + sums;
  EXPECT(m.backward_peak == m.kept + saturating_count{(gradients + at_work) * tokens});
  EXPECT(m.backward_peak == 1'554'039'296 + at_work * tokens);
});

BOTH_TIMES("steps of the backward pass are the walk's", [] {
  const activation_shape s = v3(one_gpu, of_tokens());
  const auto at = [&s](std::uint16_t step) { return bytes_at(step, block::softmax_attention, s); };
  EXPECT(at(latent_step::output_gradient) == 1'017'168'384);
  EXPECT(at(latent_step::rotation_gradient) == 1'015'595'008);
  // Then queries' and keys' and values' up-projections, whose order does not matter: at most the walk's.
  EXPECT(at(latent_step::up_projection_gradient) == 688'439'296);
  EXPECT(at(latent_step::query_up_projection_gradient) == 432'570'368);
  // The walk does one down-projection after the other, and the first one's gradients are gone by then.
  EXPECT(at(latent_step::down_projection_gradient) == 306'200'576 + 2 * (compressed_kv + rotary) * tokens);
  EXPECT(at(latent_step::norm_gradient) == (hidden + statistic + hidden + 2 * hidden + hidden) * tokens);
});

BOTH_TIMES("TP divides heads and not what is compressed; sequence parallelism divides that", [] {
  const std::int64_t of_heads = attended + output + sums;
  EXPECT(attention_memory({tp{8}, dp{1}}, of_tokens()).kept ==
         (norm + query_input + kv_input + of_heads / 8) * tokens + random_state);
  EXPECT(attention_memory(eight_ways, of_tokens()).kept == (norm + query_input + kv_input + of_heads) * tokens / 8 + random_state);
});

BOTH_TIMES("with sequence parallelism compressed vectors are gathered for the up-projections, twice", [] {
  const activation_shape s = v3(eight_ways, of_tokens());
  EXPECT(named("gathered norm of compressed queries", block::softmax_attention, s).found == 2);
  EXPECT(named("gathered norm of compressed queries", block::softmax_attention, s).bytes == 2 * compressed_queries * tokens);
  EXPECT(named("gathered norm of compressed keys and values", block::softmax_attention, s).bytes == 2 * compressed_kv * tokens);
  EXPECT(named("gathered norm of compressed queries", block::softmax_attention, v3(one_gpu, of_tokens())).found == 0);
});

BOTH_TIMES("context parallelism: an eighth of the tokens of eight times the sequence", [] {
  EXPECT(attention_memory({cp{8}, dp{1}}, of_tokens(8 * tokens)).kept == attention_memory(one_gpu, of_tokens()).kept);
  training exchanging = of_tokens(8 * tokens);
  exchanging.context = context_exchange::all_to_all;
  EXPECT(attention_memory({cp{8}, dp{1}}, exchanging).kept ==
         attention_memory(one_gpu, of_tokens()).kept + saturating_count{output * tokens});
});

BOTH_TIMES("queries that are not compressed have no up-projection of their own", [] {
  const block_memory m = memory_of(block::softmax_attention, shape_of(catalog::deepseek_v2_lite, one_gpu, of_tokens()));
  const std::int64_t narrow_norm = 2LL * 2048 * 2 + statistic;
  const std::int64_t heads = 2 * 16 * (192 + 192 + 128 + 128) + 4 * 16;
  EXPECT(m.kept == (narrow_norm + kv_input + heads) * tokens + random_state);
});

constexpr recompute_modules nothing{.core_attention = false};
constexpr recompute_modules norms{.core_attention = false, .layer_norm = true};
constexpr recompute_modules up_projections{.core_attention = false, .latent_up_projection = true};

BOTH_TIMES("recompute of nothing is no recompute",
           [] { EXPECT(attention_memory(one_gpu, recomputing(nothing)) == attention_memory(one_gpu, of_tokens())); });

BOTH_TIMES("recompute of norms drops the normed input", [] {
  const block_memory m = attention_memory(one_gpu, recomputing(norms));
  EXPECT(m.kept + hidden * tokens == attention_memory(one_gpu, of_tokens()).kept);
  EXPECT(m.backward_peak == attention_memory(one_gpu, of_tokens()).backward_peak);
  EXPECT(m.for_weights == attention_memory(one_gpu, of_tokens()).for_weights);
});

BOTH_TIMES("recompute of up-projections drops queries, keys and values, and keeps what they are made from", [] {
  const block_memory all = attention_memory(one_gpu, of_tokens());
  const block_memory m = attention_memory(one_gpu, recomputing(up_projections));
  EXPECT(m.kept == (norm + compressed_queries + compressed_kv + rotary + output + sums) * tokens + random_state);
  EXPECT(m.forward_peak == all.forward_peak);
  // The backward pass has everything again where core attention needs it, and the compressed vectors a second time.
  EXPECT(m.backward_peak == all.backward_peak + saturating_count{(compressed_kv + rotary) * tokens});
  EXPECT(m.backward_step == latent_step::core_gradient);
  // The output projection's gradient comes before that.
  EXPECT(bytes_at(latent_step::output_gradient, block::softmax_attention, v3(one_gpu, recomputing(up_projections))) ==
         m.kept + saturating_count{(hidden + output) * tokens});
});

BOTH_TIMES("recompute of core attention drops logarithms of sums alone", [] {
  const block_memory all = attention_memory(one_gpu, of_tokens());
  const block_memory m = attention_memory(one_gpu, recomputing({}));
  EXPECT(m.kept + sums * tokens + random_state == all.kept);
  // The first output is gone when the output projection is done; the second takes its place.
  EXPECT(m.backward_peak == all.backward_peak);
});

BOTH_TIMES("and the probabilities, where attention is not fused", [] {
  training t = of_tokens();
  t.kernels.flash_attention = false;
  const saturating_count all = attention_memory(one_gpu, t).kept;
  EXPECT(attention_memory(one_gpu, recomputed(t, {})).kept + 2LL * 128 * tokens * tokens == all);
});

BOTH_TIMES("FP8: five inputs in a byte a number, of which one is also kept as it is", [] {
  training t = of_tokens();
  t.precision.fp8 = fp8_recipe::blockwise;
  const std::int64_t numbers = (hidden + compressed_queries + compressed_kv + output) / 2;
  const std::int64_t scales = 4 * numbers / 128;
  const std::int64_t no_longer = hidden + compressed_queries + compressed_kv;
  EXPECT(attention_memory(one_gpu, t).kept + no_longer * tokens ==
         attention_memory(one_gpu, of_tokens()).kept + saturating_count{(numbers + scales) * tokens});
});

BOTH_TIMES("dropout keeps a byte a number of the output", [] {
  training t = of_tokens();
  t.kernels.hidden_dropout = true;
  EXPECT(attention_memory(one_gpu, t).kept == attention_memory(one_gpu, of_tokens()).kept + saturating_count{7168 * tokens});
});

BOTH_TIMES("the gradients of weights need inputs and gradients of all projections", [] {
  const std::int64_t inputs = hidden + compressed_queries + compressed_kv;
  const std::int64_t gradients = hidden + queries + keys_and_values + compressed_kv + rotary;
  EXPECT(attention_memory(one_gpu, of_tokens()).for_weights == (inputs + gradients) * tokens);
});

BOTH_TIMES("every tensor has a name, a source and a life", [] {
  EXPECT(is_well_formed(block::softmax_attention, catalog::deepseek_v3));
  EXPECT(is_well_formed(block::softmax_attention, catalog::deepseek_v2_lite));
});

} // namespace
