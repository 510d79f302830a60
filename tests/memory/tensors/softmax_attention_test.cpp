// The tensors of attention itself, apart from the block that they belong to: its steps are made up here.
#include <moeplan/memory/tensors/softmax_attention.hpp>

#include <moeplan/memory/block_timeline.hpp>

#include "support/both_times.hpp"

#include <string_view>

using namespace moeplan;

namespace {

constexpr std::int64_t tokens = 1024;
constexpr std::int64_t heads = 4;
constexpr std::int64_t sequence = 4096;

enum : std::uint16_t { project, exchange, core, output, backward, output_gradient = backward, core_gradient, after, end };

constexpr core_attention_steps steps{.queries = project,
                                     .keys = project,
                                     .exchange = exchange,
                                     .core = core,
                                     .output = output,
                                     .backward = backward,
                                     .output_gradient = output_gradient,
                                     .core_gradient = core_gradient,
                                     .after_gradient = after};

/// Four heads of 64, two of keys and values, on a rank with a quarter of the tokens.
constexpr activation_shape shape() {
  activation_shape s;
  s.tokens = tokens;
  s.sequence = sequence;
  s.queries = heads * 64;
  s.keys = heads / 2 * 64;
  s.values = heads / 2 * 64;
  s.outputs = heads * 64;
  s.rank.attention.heads = heads;
  s.context_ranks = 4;
  return s;
}

constexpr std::int64_t a_query = 2 * heads * 64;
constexpr std::int64_t a_key_and_value = 2 * heads * 64;
constexpr std::int64_t random_state = 512;

constexpr block_memory memory_of(const activation_shape& s, const core_attention_steps& at = steps) {
  block_timeline timeline{backward, end};
  visit_core_attention_tensors(s, timeline, at);
  return timeline.summary();
}

constexpr activation_shape dropping(activation_shape s) {
  s.train.recompute = recompute::selective;
  return s;
}

BOTH_TIMES("fused attention keeps queries, keys, values, output, a logarithm a head, and the state of random numbers",
           [] { EXPECT(memory_of(shape()).kept == (2 * a_query + a_key_and_value + 4 * heads) * tokens + random_state); });

BOTH_TIMES("its backward pass has gradients of output and queries, and the latter's sums in fp32", [] {
  // Gradients of queries, keys and values live on after attention: they are the block's to count.
  const block_memory m = memory_of(shape());
  EXPECT(m.backward_step == core_gradient);
  EXPECT(m.backward_peak == m.kept + saturating_count{(a_query + 2 * a_query + 4 * heads) * tokens});
});

BOTH_TIMES("attention that is not fused keeps a probability for each pair of tokens", [] {
  activation_shape s = shape();
  s.train.kernels.flash_attention = false;
  const block_memory m = memory_of(s);
  const std::int64_t pairs = tokens * heads * sequence;
  EXPECT(m.kept == (2 * a_query + a_key_and_value) * tokens + 2 * pairs);
  EXPECT(m.forward_step == core);
  EXPECT(m.forward_peak == m.kept + saturating_count{2 * pairs});
  // Gradients of scores and of probabilities; the output is the projection's, which is done with it.
  EXPECT(m.backward_peak == m.kept + saturating_count{2LL * 2 * pairs});
  s.train.kernels.attention_dropout = true;
  EXPECT(memory_of(s).kept == m.kept + saturating_count{(1 + 2) * pairs});
});

BOTH_TIMES("dropout of probabilities changes nothing where attention is fused: the random numbers are made again", [] {
  activation_shape s = shape();
  s.train.kernels.attention_dropout = true;
  EXPECT(memory_of(s) == memory_of(shape()));
});

BOTH_TIMES("recompute drops what comes after queries, keys and values", [] {
  EXPECT(memory_of(dropping(shape())).kept + 4 * heads * tokens + random_state == memory_of(shape()).kept);
  activation_shape unfused = shape();
  unfused.train.kernels.flash_attention = false;
  unfused.train.kernels.attention_dropout = true;
  EXPECT(memory_of(dropping(unfused)).kept == (2 * a_query + a_key_and_value) * tokens);
  EXPECT(memory_of(dropping(unfused)).backward_peak == memory_of(unfused).backward_peak + saturating_count{a_query * tokens});
});

BOTH_TIMES("values that are copies of a view are dropped too, since the block keeps the view", [] {
  core_attention_steps copies = steps;
  copies.values_are_copies = true;
  EXPECT(memory_of(dropping(shape()), copies).kept + a_key_and_value / 2 * tokens == memory_of(dropping(shape())).kept);
  EXPECT(memory_of(shape(), copies) == memory_of(shape()));
});

BOTH_TIMES("inputs that are computed again come back for the gradient of attention", [] {
  core_attention_steps again = steps;
  again.inputs_dropped = true;
  EXPECT(memory_of(shape(), again).kept + (a_query + a_key_and_value) * tokens == memory_of(shape()).kept);
  EXPECT(memory_of(shape(), again).backward_peak == memory_of(shape()).backward_peak);
});

BOTH_TIMES("exchanging context parallelism keeps the output before the exchange, and copies what it sends", [] {
  activation_shape s = shape();
  s.train.context = context_exchange::all_to_all;
  const block_memory m = memory_of(s);
  EXPECT(m.kept == memory_of(shape()).kept + saturating_count{a_query * tokens});
  // In core attention: queries, keys and values before and after the exchange; the output staged, received and in order.
  const std::int64_t both = 2 * (a_query + a_key_and_value);
  EXPECT(m.forward_step == core);
  EXPECT(m.forward_peak == (both + 4 * a_query + 4 * heads) * tokens + random_state);
  // Without other ranks there is nothing to exchange.
  s.context_ranks = 1;
  EXPECT(memory_of(s) == memory_of(shape()));
});

BOTH_TIMES("in FP8 the output projection keeps the output quantised, and fused attention as it is", [] {
  activation_shape s = shape();
  s.train.precision.fp8 = fp8_recipe::tensorwise;
  EXPECT(memory_of(s).kept == memory_of(shape()).kept + saturating_count{a_query / 2 * tokens});
});

} // namespace
