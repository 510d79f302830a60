#include <moeplan/memory/activation_shape.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr activation_shape shape(const model& m, const strategy& s, const training& t) {
  return activation_shape_of(m, rank_model(m, s), s, t);
}

constexpr training run{.micro_batch = 2, .sequence_length = 4096};

BOTH_TIMES("grouped queries: a rank's heads of queries, keys and values", [] {
  const activation_shape s = shape(catalog::llama_3_1_70b, {tp{4}, cp{2}, dp{1}}, run);
  EXPECT(s.tokens == 4096);
  EXPECT(s.spread_tokens == 4096);
  EXPECT(s.sequence == 4096);
  EXPECT(s.hidden == 8192);
  EXPECT(s.queries == 16 * 128);
  EXPECT(s.keys == 2 * 128 && s.values == 2 * 128);
  EXPECT(s.outputs == s.queries);
  EXPECT(s.tensor_ranks == 4 && s.context_ranks == 2);
  EXPECT(s.expert_ranks == 1 && s.experts == 0);
  EXPECT(s.rows == routed_rows{});
});

BOTH_TIMES("latent attention: keys and values are as many as heads after the up-projection", [] {
  const activation_shape s = shape(catalog::deepseek_v3, {tp{2}, ep{8}, dp{8}}, run);
  EXPECT(s.queries == 64 * (128 + 64));
  EXPECT(s.keys == s.queries);
  EXPECT(s.values == 64 * 128);
  EXPECT(s.outputs == s.values);
  EXPECT(s.experts == 256);
  EXPECT(s.rank.experts.routed == 256 / 8);
});

BOTH_TIMES("sequence parallelism divides the tokens between tensor-parallel regions, and by them an MoE layer's rows", [] {
  const activation_shape s = shape(catalog::deepseek_v3, {tp{4}, sp{4}, cp{2}, ep{8}, dp{2}}, run);
  EXPECT(s.sequence_parallel);
  EXPECT(s.tokens == 4096);
  EXPECT(s.spread_tokens == 1024);
  EXPECT(s.rows.sent == 8 * 1024);
  const activation_shape without = shape(catalog::deepseek_v3, {tp{4}, cp{2}, ep{8}, dp{2}}, run);
  EXPECT(!without.sequence_parallel);
  EXPECT(without.rows.sent == 8 * 4096);
});

BOTH_TIMES("the vocabulary is padded and shared by TP ranks", [] {
  EXPECT(shape(catalog::deepseek_v3, {tp{1}, dp{1}}, run).vocabulary == 129280);
  EXPECT(shape(catalog::deepseek_v3, {tp{8}, dp{1}}, run).vocabulary == 130048 / 8);
});

BOTH_TIMES("activations have the type of the weights, and inputs of linear layers another where they are quantised", [] {
  training t = run;
  EXPECT(shape(catalog::llama_3_1_8b, {dp{1}}, t).type == number_type::bf16);
  EXPECT(!shape(catalog::llama_3_1_8b, {dp{1}}, t).keeps_fp8());
  t.precision.weights = number_type::fp32;
  t.precision.fp8 = fp8_recipe::blockwise;
  EXPECT(shape(catalog::llama_3_1_8b, {dp{1}}, t).type == number_type::fp32);
  EXPECT(shape(catalog::llama_3_1_8b, {dp{1}}, t).keeps_fp8());
});

BOTH_TIMES("sizes that do not fit say so", [] {
  training t = run;
  t.micro_batch = std::int64_t{1} << 62;
  EXPECT(shape(catalog::llama_3_1_8b, {cp{2}, dp{1}}, t).tokens.overflowed());
  EXPECT(shape(catalog::deepseek_v3, {cp{2}, dp{1}}, t).rows.sent.overflowed());
});

} // namespace
