// Expected bytes are sums of what is alive at a step, written out by hand from what the sources save.
#include <moeplan/memory/tensors/ends.hpp>

#include "memory/tensors/tables.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t tokens = 4096;

// Llama-3 70B.
constexpr std::int64_t hidden = 2LL * 8192;
constexpr std::int64_t vocabulary = 128256;    // a multiple of 128: one GPU pads nothing
constexpr std::int64_t padded_for_8 = 129'024; // 126 x 128 x 8
constexpr std::int64_t statistic = 4;
constexpr std::int64_t mask = 4;

constexpr training of_tokens() { return {.sequence_length = tokens}; }
constexpr training fused() { return {.sequence_length = tokens, .kernels = {.fused_cross_entropy = true}}; }

constexpr activation_shape llama(const strategy& s, const training& t) { return shape_of(catalog::llama_3_1_70b, s, t); }

BOTH_TIMES("the embedding keeps the tokens' numbers, and with TP which of them are of other ranks", [] {
  EXPECT(memory_of(block::embedding, llama({tp{1}, dp{1}}, of_tokens())).kept == 8 * tokens);
  EXPECT(memory_of(block::embedding, llama({tp{8}, sp{8}, dp{1}}, of_tokens())).kept == (8 + 1) * tokens);
  EXPECT(memory_of(block::embedding, llama({tp{8}, dp{1}}, of_tokens())).kept == (8 + 1) * tokens);
});

BOTH_TIMES("its backward pass makes a whole gradient of the embedding, and sums of segments in fp32", [] {
  const block_memory m = memory_of(block::embedding, llama({tp{1}, dp{1}}, of_tokens()));
  // PyTorch EmbeddingBackwardKernel.cu: for more than 3072 tokens, a segment a token, and one for each ten of them.
  const std::int64_t segments = (tokens / 10 + tokens) * 8192 * 4;
  EXPECT(m.backward_step == embedding_step::weight_gradient);
  EXPECT(m.backward_peak == 8 * tokens + hidden * tokens + 2 * vocabulary * 8192 + segments);
});

BOTH_TIMES("a short sequence needs no segments", [] {
  const block_memory m = memory_of(block::embedding, llama({tp{1}, dp{1}}, {.sequence_length = 3072}));
  EXPECT(m.backward_peak == (8 + hidden) * 3072 + 2 * vocabulary * 8192);
});

BOTH_TIMES("TP ranks share the vocabulary; the gradient is gathered from their tokens", [] {
  const block_memory m = memory_of(block::embedding, llama({tp{8}, sp{8}, dp{1}}, of_tokens()));
  const std::int64_t segments = (tokens / 10 + tokens) * 8192 * 4;
  EXPECT(m.backward_peak == (8 + 1 + hidden) * tokens + 2 * padded_for_8 / 8 * 8192 + segments);
  // In the forward pass the embedded tokens are all there before a rank gets its own.
  EXPECT(m.forward_step == embedding_step::reduction);
  EXPECT(m.forward_peak == (8 + 1 + hidden + hidden / 8) * tokens);
});

BOTH_TIMES("more tokens than the vocabulary has make no more segments than that", [] {
  model m = catalog::llama_3_1_70b;
  m.vocabulary_size = 1024;
  const block_memory b = memory_of(block::embedding, shape_of(m, {tp{1}, dp{1}}, of_tokens()));
  EXPECT(b.backward_peak == (8 + hidden) * tokens + 2LL * 1024 * 8192 + (tokens / 10 + 1024) * 8192 * 4);
});

BOTH_TIMES("dropout of the embedded tokens keeps a byte a number", [] {
  training t = of_tokens();
  t.kernels.hidden_dropout = true;
  EXPECT(memory_of(block::embedding, llama({tp{1}, dp{1}}, t)).kept == (8 + 8192) * tokens);
  EXPECT(memory_of(block::embedding, llama({tp{8}, sp{8}, dp{1}}, t)).kept == (8 + 1 + 8192 / 8) * tokens);
});

BOTH_TIMES("with the fused loss the head keeps bf16 logits, which become their own gradient", [] {
  const block_memory m = memory_of(block::head, llama({tp{1}, dp{1}}, fused()));
  EXPECT(m.kept == (hidden + hidden + statistic + mask + 2 * vocabulary) * tokens);
  // Three numbers a token while the loss is computed.
  EXPECT(m.forward_step == head_step::loss);
  EXPECT(m.forward_peak == m.kept + saturating_count{3LL * 4 * tokens});
  EXPECT(m.backward_step == head_step::output_gradient);
  EXPECT(m.backward_peak == m.kept + saturating_count{hidden * tokens});
});

BOTH_TIMES("without it there is an fp32 copy, and at the loss both", [] {
  const block_memory m = memory_of(block::head, llama({tp{1}, dp{1}}, of_tokens()));
  EXPECT(m.kept == (hidden + hidden + statistic + mask + 4 * vocabulary) * tokens);
  EXPECT(m.forward_step == head_step::loss);
  EXPECT(m.forward_peak == m.kept + saturating_count{2 * vocabulary * tokens});
  EXPECT(m.backward_step == head_step::loss_gradient);
  EXPECT(m.backward_peak == m.forward_peak);
});

BOTH_TIMES("TP 8: an eighth of the vocabulary, padded; the norm's gradient is made of all tokens and reduced", [] {
  const block_memory m = memory_of(block::head, llama({tp{8}, sp{8}, dp{1}}, fused()));
  EXPECT(m.kept == (hidden + hidden + statistic) * tokens / 8 + (mask + 2 * padded_for_8 / 8) * tokens);
  EXPECT(m.backward_peak == m.kept + saturating_count{(hidden + hidden / 8) * tokens});
  // The loss gathers three numbers a token from each of eight ranks.
  EXPECT(m.forward_peak == m.kept + saturating_count{3LL * 4 * (1 + 8) * tokens});
});

BOTH_TIMES("what the vocabulary is padded to is the run's choice", [] {
  training t = fused();
  t.vocabulary_multiple = 0;
  const activation_shape s = llama({tp{1}, dp{1}}, t);
  EXPECT(s.vocabulary == 128256);
  t.vocabulary_multiple = 1000;
  EXPECT(llama({tp{2}, dp{1}}, t).vocabulary == 130'000 / 2);
});

BOTH_TIMES("neither end is divided into passes for inputs and for weights", [] {
  EXPECT(memory_of(block::head, llama({tp{1}, dp{1}}, of_tokens())).for_weights == 0);
  EXPECT(memory_of(block::embedding, llama({tp{1}, dp{1}}, of_tokens())).for_weights == 0);
});

BOTH_TIMES("every tensor has a name, a source and a life", [] {
  EXPECT(is_well_formed(block::embedding, catalog::llama_3_1_70b));
  EXPECT(is_well_formed(block::head, catalog::llama_3_1_70b));
});

} // namespace
