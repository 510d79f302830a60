// Expected bytes are sums over what the sources save, written out by hand for DeepSeek-V3: hidden size 7168, 129280 tokens in the
// vocabulary, one module.
#include <moeplan/memory/tensors/mtp.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/memory/block_timeline.hpp>
#include <moeplan/memory/rank_model.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr std::int64_t tokens = 4096;
constexpr std::int64_t hidden = 7168;

constexpr training of_tokens() { return {.sequence_length = tokens}; }

constexpr activation_shape shape_of(const strategy& s, const training& t) {
  const model& m = catalog::deepseek_v3;
  return activation_shape_of(m, rank_model(m, s), s, t);
}

constexpr block_memory memory_of(const strategy& s, const training& t) {
  block_timeline timeline{mtp_step::backward, mtp_step::end};
  visit_mtp_input_tensors(shape_of(s, t), timeline);
  return timeline.summary();
}

// The embedding saves 64-bit tokens; each norm its input and a statistic; eh_proj both normed ones side by side.
constexpr std::int64_t embedding_saves = 8;
constexpr std::int64_t norms_save = 2 * (2 * hidden + 4);
constexpr std::int64_t projection_saves = 2 * (2 * hidden);

BOTH_TIMES("what a module keeps before its layer is what its operations save", [] {
  EXPECT(embedding_saves + norms_save + projection_saves == 57'360);
  EXPECT(memory_of({tp{1}, dp{1}}, of_tokens()).kept == 57'360 * tokens);
});

BOTH_TIMES("tensor parallelism divides none of it, and masks tokens of other ranks", [] {
  EXPECT(memory_of({tp{8}, dp{1}}, of_tokens()).kept == (57'360 + 1) * tokens);
});

BOTH_TIMES("sequence parallelism divides what the norms and the projection keep, but the layer's input is a slice of a whole one",
           [] {
             const std::int64_t own = tokens / 8;
             const std::int64_t rest = 2 * hidden * (tokens - own);
             EXPECT(memory_of({tp{8}, sp{8}, dp{1}}, of_tokens()).kept ==
                    (embedding_saves + 1) * tokens + (norms_save + projection_saves) * own + rest);
           });

BOTH_TIMES("context parallelism divides all of it", [] {
  EXPECT(memory_of({cp{4}, dp{1}}, of_tokens()).kept == 57'360 * tokens / 4);
});

BOTH_TIMES("the forward pass holds both normed ones and their projection", [] {
  const block_memory m = memory_of({tp{1}, dp{1}}, of_tokens());
  // Of the normed ones only that of the embedding is still referred to while the projection is computed.
  EXPECT(m.forward_peak >= (57'360 + 2 * hidden + 2 * hidden) * tokens);
});

BOTH_TIMES("the backward pass ends with the gradient of the whole embedding", [] {
  const block_memory m = memory_of({tp{1}, dp{1}}, of_tokens());
  const std::int64_t weight_gradient = 2 * hidden * 129'280;
  // PyTorch sums more than 3072 rows in segments: at most a tenth of them and one for each distinct token.
  const std::int64_t segments = 4 * hidden * (tokens / 10 + tokens);
  const std::int64_t of_main_model_and_module = 2 * (2 * hidden) * tokens;
  EXPECT(m.backward_step == mtp_step::weight_gradient);
  EXPECT(m.backward_peak >= weight_gradient + segments + of_main_model_and_module + 2 * hidden * tokens);
});

BOTH_TIMES("gathered inputs and gradients are there once at a time", [] {
  const block_memory m = memory_of({tp{8}, sp{8}, dp{1}}, of_tokens());
  // In the forward pass: what is gathered of both normed ones; then the parts of the projection and the projection.
  EXPECT(m.forward_peak >= m.kept + 2 * hidden * tokens);
  EXPECT(m.forward_peak < m.kept + 2 * (3 * hidden) * tokens);
});

BOTH_TIMES("FP8 keeps the input of the projection in a byte a number, and its scales", [] {
  training t = of_tokens();
  t.precision.fp8 = fp8_recipe::mxfp8;
  const std::int64_t numbers = 2 * hidden;
  const std::int64_t saved = 2 * numbers - (numbers + numbers / 32);
  EXPECT(memory_of({tp{1}, dp{1}}, t).kept + saved * tokens == 57'360 * tokens);
});

BOTH_TIMES("dropout keeps a byte a number of the embedding", [] {
  training t = of_tokens();
  t.kernels.hidden_dropout = true;
  EXPECT(memory_of({tp{1}, dp{1}}, t).kept == (57'360 + hidden) * tokens);
});

struct well_formed {
  bool all = true;
  constexpr void operator()(const tensor& t) noexcept {
    all = all && t.name[0] != '\0' && t.source[0] != '\0' && t.from < t.until && t.until <= mtp_step::end;
  }
};

BOTH_TIMES("every tensor has a name, a source and a life", [] {
  training t = of_tokens();
  t.precision.fp8 = fp8_recipe::blockwise;
  t.kernels.hidden_dropout = true;
  well_formed seen;
  visit_mtp_input_tensors(shape_of({tp{8}, sp{8}, dp{1}}, t), seen);
  EXPECT(seen.all);
});

} // namespace
