#include <moeplan/cost/block_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "cost/block_sums.hpp"
#include "cost/published_models.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using moeplan_test::blocks;
using moeplan_test::group_bytes;
using moeplan_test::number_of;

using block = traffic_block;
using purpose = communication_purpose;
using pass = communication_pass;

// Korthikanti and others, arXiv 2205.05198, section 4.2.1 and table 3: four all-reduces of b s h a layer, 22B model, eight ranks.
BOTH_TIMES("tensor parallelism of a layer", [] {
  const training t{.sequence_length = 4096};
  const block_communications list = blocks(moeplan_test::gpt_22b, {tp{8}, dp{1}}, t);
  EXPECT(number_of(list, block::softmax_attention, purpose::attention, collective::all_reduce) == 2);
  EXPECT(number_of(list, block::dense_mlp, purpose::mlp, collective::all_reduce) == 2);
  const count layer =
      group_bytes(list, block::softmax_attention, purpose::attention) + group_bytes(list, block::dense_mlp, purpose::mlp);
  EXPECT(layer == 8 * 352'321'536LL);
});

// With experts whole on each rank (ETP 1) attention's two all-reduces of b s h in each direction are left.
BOTH_TIMES("tensor parallelism of a layer with experts", [] {
  const training t{.sequence_length = 4096};
  const block_communications list = blocks(catalog::mixtral_8x7b, {tp{8}, ep{8}, dp{1}}, t);
  const count attention = group_bytes(list, block::softmax_attention, purpose::attention);
  EXPECT(attention == 8 * (count{4} * 4096 * 4096 * 7 / 8) * 2);
  EXPECT(number_of(list, block::moe_mlp, purpose::mlp, collective::all_reduce) == 0);
  EXPECT(number_of(list, block::moe_mlp, purpose::expert_tensors, collective::all_gather) == 0);
});

// The same bytes as reduce-scatters and all-gathers, and the input of two layers gathered once more in the backward pass (section 4.2.2).
BOTH_TIMES("sequence parallelism of a layer", [] {
  const training t{.sequence_length = 4096};
  const block_communications list = blocks(moeplan_test::gpt_22b, {tp{8}, sp{8}, dp{1}}, t);
  const count attention = group_bytes(list, block::softmax_attention, purpose::attention);
  const count mlp = group_bytes(list, block::dense_mlp, purpose::mlp);
  const count whole = count{4096} * 6144 * 2;
  EXPECT(attention + mlp == 8 * 352'321'536LL + 2 * 7 * whole);
  EXPECT(group_bytes(list, block::softmax_attention, purpose::attention, pass::forward) == 2 * 7 * whole);
  EXPECT(group_bytes(list, block::softmax_attention, purpose::attention, pass::backward) == 3 * 7 * whole);
  EXPECT(number_of(list, block::dense_mlp, purpose::mlp, collective::all_reduce) == 0);
});

// Inputs twice and gradients of outputs, once more where rows and columns have scales of their own: four bytes for 128 numbers.
BOTH_TIMES("what linear layers multiply in FP8 is gathered in it", [] {
  training t{.sequence_length = 4096};
  const auto backward = [&](const training& run) {
    const block_communications list = blocks(moeplan_test::gpt_22b, {tp{8}, sp{8}, dp{1}}, run);
    return group_bytes(list, block::dense_mlp, purpose::mlp, pass::backward);
  };
  const count scattered = count{4096} * 6144 * 2;
  t.precision.fp8 = fp8_recipe::delayed;
  EXPECT(backward(t) == 7 * (scattered + 2 * count{4096} * 6144));
  t.precision.fp8 = fp8_recipe::blockwise;
  EXPECT(backward(t) == 7 * (scattered + 3 * count{4096} * (6144 + 4 * 48)));
  t.precision.fp8 = fp8_recipe::mxfp8;
  EXPECT(backward(t) == 7 * (scattered + 3 * count{4096} * (6144 + 192)));
});

BOTH_TIMES("latent attention gathers what is compressed", [] {
  const model& m = catalog::deepseek_v3;
  const training t{.sequence_length = 4096};
  const block_communications list = blocks(m, {tp{2}, sp{2}, ep{8}, dp{32}}, t);
  // To the rank of queries, of keys and values, and the rotary keys; the output of hidden size. Half of each goes over.
  EXPECT(group_bytes(list, block::softmax_attention, purpose::attention, pass::forward) ==
         count{4096} * 2 * (1536 + 512 + 64 + 7168));
  // Gathered again but for the rotary keys, reduced, and the gradient of the output.
  EXPECT(group_bytes(list, block::softmax_attention, purpose::attention, pass::backward) ==
         count{4096} * 2 * (2 * (1536 + 512) + 64 + 7168));
  training as_megatron_estimates = t;
  as_megatron_estimates.assumptions = assumptions::megatron_estimator();
  const block_communications shared = blocks(m, {tp{2}, sp{2}, ep{8}, dp{32}}, as_megatron_estimates);
  EXPECT(group_bytes(shared, block::softmax_attention, purpose::attention, pass::forward) ==
         count{4096} * 2 * (7168 + 1536 + 1536 + 7168 + 576 + 512 + 7168));
});

// Every rank sends its block of keys and values on until all have seen it: CP - 1 times.
BOTH_TIMES("context parallelism around a ring", [] {
  const model& m = catalog::qwen3_235b_a22b; // four heads of keys and of values of 128
  const training t{.sequence_length = 8192};
  const block_communications list = blocks(m, {cp{4}, dp{1}}, t);
  const count block_of_rank = count{8192} / 4 * 2 * 4 * 128 * 2;
  EXPECT(group_bytes(list, block::softmax_attention, purpose::context, pass::forward) == 4 * 3 * block_of_rank);
  EXPECT(group_bytes(list, block::softmax_attention, purpose::context, pass::backward) == 2 * 4 * 3 * block_of_rank);
  training gathers = t;
  gathers.context = context_exchange::all_gather;
  const block_communications gathered = blocks(m, {cp{4}, dp{1}}, gathers);
  for (const pass when : {pass::forward, pass::backward})
    EXPECT(group_bytes(gathered, block::softmax_attention, purpose::context, when) ==
           group_bytes(list, block::softmax_attention, purpose::context, when));
});

// DeepSpeed-Ulysses (arXiv 2309.14509, section 3.2): 4 N h / P elements forward with as many heads of keys and values as of queries, less
// what stays.
BOTH_TIMES("context parallelism by all-to-all", [] {
  const training t{.sequence_length = 4096, .context = context_exchange::all_to_all};
  const block_communications list = blocks(moeplan_test::gpt_22b, {cp{8}, dp{1}}, t);
  const count sent_by_rank = count{4} * 4096 * 6144 / 8 * 2;
  EXPECT(group_bytes(list, block::softmax_attention, purpose::context, pass::forward) == 7 * sent_by_rank);
  EXPECT(group_bytes(list, block::softmax_attention, purpose::context, pass::backward) == 7 * sent_by_rank);
});

BOTH_TIMES("what is computed again is communicated again", [] {
  training t{.sequence_length = 4096, .recompute = recompute::full, .dispatcher = token_dispatcher::all_to_all};
  const strategy s{tp{2}, sp{2}, ep{8}, cp{2}, dp{2}};
  for (const block_communication& b : blocks(catalog::deepseek_v3, s, t))
    EXPECT(b.block != block::embedding || b.each.pass != pass::recompute);
  const block_communications full = blocks(catalog::deepseek_v3, s, t);
  for (const purpose p : {purpose::attention, purpose::context})
    EXPECT(group_bytes(full, block::softmax_attention, p, pass::recompute) ==
           group_bytes(full, block::softmax_attention, p, pass::forward));
  for (const purpose p : {purpose::dispatch, purpose::combine, purpose::probabilities, purpose::routing, purpose::shared_experts})
    EXPECT(group_bytes(full, block::moe_mlp, p, pass::recompute) == group_bytes(full, block::moe_mlp, p, pass::forward));
  EXPECT(group_bytes(full, block::head, purpose::head, pass::recompute) == 0);
  t.recompute = recompute::selective; // of core attention alone
  const block_communications some = blocks(catalog::deepseek_v3, s, t);
  EXPECT(group_bytes(some, block::softmax_attention, purpose::context, pass::recompute) ==
         group_bytes(some, block::softmax_attention, purpose::context, pass::forward));
  EXPECT(group_bytes(some, block::softmax_attention, purpose::attention, pass::recompute) == 0);
  EXPECT(group_bytes(some, block::moe_mlp, purpose::dispatch, pass::recompute) == 0);
  t.recompute_modules = {.core_attention = false, .latent_up_projection = true};
  const block_communications up = blocks(catalog::deepseek_v3, s, t);
  EXPECT(group_bytes(up, block::softmax_attention, purpose::attention, pass::recompute) == count{2048} * 2 * (1536 + 512));
});

BOTH_TIMES("shared experts in two checkpoints are passed twice more", [] {
  training t{.sequence_length = 4096, .recompute = recompute::selective, .dispatcher = token_dispatcher::all_to_all};
  t.recompute_modules = {.core_attention = false, .moe = true, .shared_experts = true};
  const block_communications list = blocks(catalog::deepseek_v3, {tp{2}, sp{2}, ep{2}, dp{1}}, t);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::shared_experts, pass::recompute) ==
         2 * group_bytes(list, block::moe_mlp, purpose::shared_experts, pass::forward));
  EXPECT(group_bytes(list, block::moe_mlp, purpose::dispatch, pass::recompute) ==
         group_bytes(list, block::moe_mlp, purpose::dispatch, pass::forward));
});

BOTH_TIMES("logits are never gathered, only what the loss needs of them", [] {
  training t{.sequence_length = 4096};
  const block_communications list = blocks(moeplan_test::gpt_22b, {tp{8}, dp{1}}, t);
  EXPECT(group_bytes(list, block::head, purpose::loss) == 3LL * 2 * 7 * 4096 * 4);
  EXPECT(number_of(list, block::head, purpose::loss, collective::all_reduce) == 3);
  t.kernels.fused_cross_entropy = true;
  const block_communications fused = blocks(moeplan_test::gpt_22b, {tp{8}, dp{1}}, t);
  EXPECT(group_bytes(fused, block::head, purpose::loss) == 3LL * 2 * 7 * 4096 * 4);
  EXPECT(number_of(fused, block::head, purpose::loss, collective::all_reduce) == 2);
});

BOTH_TIMES("one rank communicates with nobody",
           [] { EXPECT(blocks(catalog::deepseek_v3, {dp{1}}, {.sequence_length = 4096}).empty()); });

// Every switch that adds a communication, on at once.
BOTH_TIMES("the longest list fits", [] {
  model m = catalog::deepseek_v3;
  m.linear_attention = {.key_heads = 16, .value_heads = 32, .key_head_dim = 128, .value_head_dim = 128, .convolution = 4};
  training t{.sequence_length = 4096,
             .recompute = recompute::full,
             .context = context_exchange::all_to_all,
             .dispatcher = token_dispatcher::all_to_all};
  t.assumptions = assumptions::megatron_estimator();
  const block_communications list = blocks(m, {tp{2}, sp{2}, cp{2}, ep{2}, etp{2}, dp{1}}, t);
  EXPECT(list.size() <= block_communications::capacity());
  EXPECT(list.size() + 4 >= block_communications::capacity());
});

} // namespace
