// Expected bytes are sums of what is alive at a step, written out by hand from what the sources save, and totals of an independent walk
// through every allocation of a layer.
#include <moeplan/memory/tensors/moe.hpp>

#include "memory/measured_runs.hpp"
#include "memory/tensors/tables.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t tokens = 4096;

// DeepSeek-V3. Two bytes a number; a token of each tensor, or a row of what is sent to experts.
constexpr std::int64_t hidden = 2LL * 7168;
constexpr std::int64_t experts_of_layer = 256;
constexpr std::int64_t top_k = 8;
constexpr std::int64_t width = 2LL * 2048;
constexpr std::int64_t shared_width = 2LL * 2048;
constexpr std::int64_t statistic = 4;
constexpr std::int64_t rows = tokens * top_k; // with capacity factor 1 too: 128 for each of 256 experts

constexpr std::int64_t norm = hidden + hidden + statistic;
/// Softmax and the balancing loss' in fp32, masks of groups and of chosen experts, indices of those.
constexpr std::int64_t router = 4 * experts_of_layer + 4 * experts_of_layer + experts_of_layer + experts_of_layer + 8 * top_k;
constexpr std::int64_t row_map = 4 * (2 * experts_of_layer + 1);
constexpr std::int64_t shared = 2 * shared_width + shared_width;
constexpr std::int64_t probability = 2;
/// The experts' input, up-projection, activation, probabilities.
constexpr std::int64_t a_row = hidden + 2 * width + width + probability;

// The walk counts attention's bytes too, and the probabilities that a dispatcher holds, which are in the workspace here.
constexpr std::int64_t attention_keeps = 824'230'400;
constexpr std::int64_t dispatcher_holds = 2 * experts_of_layer * tokens;

constexpr model v3 = shortened_deepseek(catalog::deepseek_v3, 4, 8);
constexpr training measured = measured_training(tokens, 32);
constexpr strategy ep8{ep{8}, dp{8}};

constexpr training dropless() {
  training t = measured;
  t.routing.capacity_factor = ratio{0};
  t.routing.pad_to_capacity = false;
  return t;
}

constexpr block_memory moe_memory(const strategy& s, const training& t) { return memory_of(block::moe_mlp, shape_of(v3, s, t)); }
constexpr saturating_count at(std::uint16_t step, const training& t = measured) {
  return bytes_at(step, block::moe_mlp, shape_of(v3, ep8, t));
}

BOTH_TIMES("an MoE layer keeps the router's scores, the map of rows, and the experts' inputs and activations", [] {
  const block_memory m = moe_memory(ep8, measured);
  EXPECT(m.kept == (norm + router + row_map + shared) * tokens + a_row * rows);
  EXPECT(m.kept + attention_keeps == 1'883'652'608);
});

// torch.topk returns int64, Transformer Engine's row_id_map is int32.
BOTH_TIMES("indices are integers, as many as there are", [] {
  const activation_shape s = shape_of(v3, ep8, measured);
  const tensor chosen = named("chosen experts", block::moe_mlp, s).last;
  EXPECT(chosen.rows == tokens && chosen.columns == top_k && chosen.type == number_type::int64);
  const tensor map = named("map of rows", block::moe_mlp, s).last;
  EXPECT(map.rows == tokens && map.columns == 2 * experts_of_layer + 1 && map.type == number_type::int32);
});

BOTH_TIMES("DeepSeek-V2: a capacity of 154 for each of 160 experts, 64 rows more than are chosen", [] {
  const activation_shape s = shape_of(shortened_deepseek(catalog::deepseek_v2, 4, 8), ep8, measured);
  EXPECT(s.rows.sent == 24640);
  const std::int64_t narrow = 2 * (2 * 5120) + 4;
  const std::int64_t choice = (4 + 4 + 1 + 1) * 160 + 8 * 6 + 4 * (2 * 160 + 1);
  const std::int64_t one_row = 2 * 5120 + 2 * (2 * 1536) + 2 * 1536 + 2;
  const std::int64_t beside = 3LL * (2LL * 3072);
  // 24,640 probabilities of two bytes are 96 blocks and a quarter.
  EXPECT(memory_of(block::moe_mlp, s).kept == (narrow + choice + beside) * tokens + one_row * 24640 + 384);
  EXPECT(memory_of(block::moe_mlp, s).kept == 650'854'912);
});

BOTH_TIMES("its forward pass peaks at unpermutation: tokens permuted, dispatched, returned and combined are all there", [] {
  const block_memory m = moe_memory(ep8, measured);
  EXPECT(m.forward_step == moe_step::unpermutation);
  EXPECT(m.forward_peak == m.kept + saturating_count{4 * hidden * rows + probability * rows +
                                                     2 * hidden * tokens /* of routed, of shared experts */});
  EXPECT(m.forward_peak + attention_keeps + dispatcher_holds == 3'882'304'000);
});

BOTH_TIMES("steps of the forward pass are the walk's", [] {
  const auto walked = [](std::uint16_t step) { return at(step) + attention_keeps + dispatcher_holds; };
  EXPECT(walked(moe_step::up_projection) == 2'749'841'920);
  EXPECT(walked(moe_step::activation) == 2'884'059'648);
  EXPECT(walked(moe_step::down_projection) == 3'353'821'696);
  EXPECT(walked(moe_step::unsorting) == 3'823'583'744);
  EXPECT(walked(moe_step::combine) == 3'823'583'744);
  EXPECT(walked(moe_step::residual) == 2'003'190'272);
});

BOTH_TIMES("so are those of the backward pass", [] {
  const auto walked = [](std::uint16_t step) { return at(step) + attention_keeps; };
  EXPECT(walked(moe_step::unpermutation_gradient) == 2'412'134'912);
  EXPECT(walked(moe_step::combine_gradient) == 2'881'896'960);
  EXPECT(walked(moe_step::unsorting_gradient) == 2'881'896'960);
  EXPECT(walked(moe_step::down_projection_gradient) == 2'546'352'640);
  EXPECT(walked(moe_step::activation_gradient) == 2'210'808'320);
  EXPECT(walked(moe_step::up_projection_gradient) == 2'277'851'648);
  EXPECT(walked(moe_step::sorting_gradient) == 2'009'416'192);
  EXPECT(walked(moe_step::dispatch_gradient) == 2'017'804'800);
  const block_memory m = moe_memory(ep8, measured);
  EXPECT(m.backward_step == moe_step::combine_gradient);
  EXPECT(m.backward_peak == m.kept + saturating_count{hidden * tokens + 2 * hidden * rows});
});

BOTH_TIMES("without capacity a layer sorts rows, with two maps; here as many rows",
           [] { EXPECT(moe_memory(ep8, dropless()).kept == moe_memory(ep8, measured).kept + saturating_count{8 * rows}); });

BOTH_TIMES("dropping without padding keeps what is left of the chosen rows", [] {
  training t = dropless();
  t.routing.capacity_factor = ratio{1, 2}; // 64 for each expert
  EXPECT(moe_memory(ep8, t).kept == (norm + router + row_map + shared) * tokens + (a_row + 8) * rows / 2);
  t.routing.capacity_factor = ratio{2}; // no effect on a balanced load
  EXPECT(moe_memory(ep8, t).kept == moe_memory(ep8, dropless()).kept);
  t.routing.pad_to_capacity = true; // twice the rows, half of them padding
  EXPECT(moe_memory(ep8, t).kept == (norm + router + row_map + shared) * tokens + 2 * a_row * rows);
});

BOTH_TIMES("EP cancels out of a balanced load", [] {
  for (const std::int64_t ranks : {2, 4, 8, 16, 64, 128})
    for (const training& t : {measured, dropless()}) EXPECT(moe_memory({ep{ranks}, dp{256}}, t) == moe_memory(ep8, t));
});

BOTH_TIMES("a rank with one expert sorts nothing: dispatched tokens are the expert's input, its output is sent back as it is", [] {
  const strategy one_expert{ep{256}, dp{256}};
  const block_memory m = moe_memory(one_expert, measured);
  EXPECT(m.kept == moe_memory(ep8, measured).kept);
  EXPECT(moe_memory(one_expert, dropless()) == m);
  EXPECT(m.forward_step == moe_step::unpermutation);
  EXPECT(m.forward_peak + hidden * rows == moe_memory(ep8, measured).forward_peak);
});

BOTH_TIMES("without EP nothing is exchanged: there is one buffer of tokens and one of outputs less", [] {
  const block_memory m = moe_memory({ep{1}, dp{8}}, dropless());
  EXPECT(m.kept == moe_memory(ep8, dropless()).kept);
  // Permuted and sorted tokens, outputs as sorted and as permuted.
  EXPECT(m.forward_step == moe_step::unsorting);
  EXPECT(m.forward_peak == m.kept + saturating_count{(hidden + probability) * rows + 2 * hidden * rows + hidden * tokens});
  // With padding there is nothing to sort either.
  const activation_shape padded = shape_of(v3, {ep{1}, dp{8}}, measured);
  EXPECT(named("permuted tokens", block::moe_mlp, padded).found == 0);
  EXPECT(named("outputs in order of arrival", block::moe_mlp, padded).found == 0);
  const block_memory p = memory_of(block::moe_mlp, padded);
  EXPECT(p.forward_step == moe_step::sum);
  EXPECT(p.forward_peak == p.kept + saturating_count{(hidden + probability) * rows + 3 * hidden * tokens});
});

BOTH_TIMES("the worst load: every token of every rank, as often as one rank has experts to choose", [] {
  training t = dropless();
  t.routing.load = routing_load::worst;
  const activation_shape s = shape_of(v3, ep8, t);
  EXPECT(s.rows.sent == rows);
  EXPECT(s.rows.received == 8 * rows);
  EXPECT(memory_of(block::moe_mlp, s).kept == (norm + router + row_map + shared) * tokens + 8 * (a_row + 8) * rows);
  // What a rank sends is not more for that.
  EXPECT(named("permuted tokens", block::moe_mlp, s).bytes == hidden * rows);
  EXPECT(named("dispatched tokens", block::moe_mlp, s).bytes == 8 * hidden * rows);
  EXPECT(named("combined outputs", block::moe_mlp, s).bytes == hidden * rows);
});

BOTH_TIMES("a measured load: a quarter of all rows on one of eight ranks is twice the average", [] {
  training t = dropless();
  t.routing.busiest_share = ratio{1, 4};
  EXPECT(moe_memory(ep8, t).kept == (norm + router + row_map + shared) * tokens + 2 * (a_row + 8) * rows);
});

BOTH_TIMES("expert tensor parallelism gathers rows and divides the experts' width", [] {
  const strategy divided{tp{2}, sp{2}, ep{4}, etp{2}, dp{4}};
  const block_memory m = moe_memory(divided, dropless());
  // Half the tokens, of which ETP ranks gather each other's; half the width.
  const std::int64_t halves = norm + router + row_map;
  const std::int64_t gathered_row = hidden + 3 * width / 2 + probability + 8;
  EXPECT(m.kept == halves * tokens / 2 + shared * tokens / 2 + gathered_row * rows);
  EXPECT(named("tokens gathered over ETP", block::moe_mlp, shape_of(v3, divided, dropless())).bytes == hidden * rows);
});

BOTH_TIMES("TP with sequence parallelism divides tokens, and by them rows", [] {
  const strategy s{tp{8}, sp{8}, ep{8}, dp{1}};
  EXPECT(moe_memory(s, dropless()).kept * 8 == moe_memory(ep8, dropless()).kept);
  const activation_shape shape = shape_of(v3, s, dropless());
  EXPECT(named("gathered input of shared experts", block::moe_mlp, shape).bytes == hidden * tokens);
});

BOTH_TIMES("CP divides tokens, and by them rows", [] {
  training t = dropless();
  t.sequence_length *= 8;
  EXPECT(moe_memory({cp{8}, ep{8}, dp{1}}, t) == moe_memory(ep8, dropless()));
});

BOTH_TIMES("the router keeps less without a balancing loss, without groups and where the choice comes before the scores", [] {
  const auto kept = [](const model& m, const training& t) { return memory_of(block::moe_mlp, shape_of(m, ep8, t)).kept; };
  const saturating_count all = kept(v3, measured);
  training t = measured;
  t.routing.balancing = load_balancing::none;
  EXPECT(kept(v3, t) + 4 * experts_of_layer * tokens == all);
  t.routing.balancing = load_balancing::sinkhorn;
  EXPECT(kept(v3, t) + 4 * experts_of_layer * tokens == all);
  t.routing.balancing = load_balancing::auxiliary_loss;
  EXPECT(kept(v3, t) == all);
  model m = v3;
  m.experts.groups = 1;
  EXPECT(kept(m, measured) + experts_of_layer * tokens == all);
  t = measured;
  t.routing.pre_softmax = false;
  EXPECT(kept(v3, t) + 4 * (experts_of_layer - top_k) * tokens == all);
  m = v3;
  m.experts.score = router_score::sigmoid;
  EXPECT(kept(m, t) == all);
});

BOTH_TIMES("without shared experts neither they nor their output are there", [] {
  model m = v3;
  m.experts.shared_intermediate_size = 0;
  const block_memory b = memory_of(block::moe_mlp, shape_of(m, ep8, measured));
  const block_memory all = moe_memory(ep8, measured);
  EXPECT(b.kept + shared * tokens == all.kept);
  EXPECT(b.forward_peak + (shared + hidden) * tokens == all.forward_peak);
});

constexpr training recomputing(recompute_modules modules) {
  modules.core_attention = false;
  return recomputed(measured, modules);
}

BOTH_TIMES("recompute of norms drops the normed input", [] {
  const block_memory m = moe_memory(ep8, recomputing({.layer_norm = true}));
  EXPECT(m.kept + hidden * tokens == moe_memory(ep8, measured).kept);
  EXPECT(m.backward_peak == moe_memory(ep8, measured).backward_peak);
  EXPECT(m.forward_peak == moe_memory(ep8, measured).forward_peak);
});

BOTH_TIMES("recompute of the experts' activation drops it until their second layer's backward pass", [] {
  const training t = recomputing({.moe_activation = true});
  const block_memory all = moe_memory(ep8, measured);
  const block_memory m = moe_memory(ep8, t);
  EXPECT(m.kept + width * rows == all.kept);
  EXPECT(at(moe_step::combine_gradient, t) + width * rows == at(moe_step::combine_gradient));
  EXPECT(at(moe_step::down_projection_gradient, t) == at(moe_step::down_projection_gradient));
  EXPECT(m.for_weights == all.for_weights);
});

BOTH_TIMES("recompute of shared experts drops their up-projection and activation", [] {
  const training t = recomputing({.shared_experts = true});
  const block_memory m = moe_memory(ep8, t);
  EXPECT(m.kept + shared * tokens == moe_memory(ep8, measured).kept);
  EXPECT(at(moe_step::combine_gradient, t) + shared * tokens == at(moe_step::combine_gradient));
  EXPECT(at(moe_step::shared_experts_gradient, t) == at(moe_step::shared_experts_gradient));
});

BOTH_TIMES("recompute of the whole layer keeps its input, the normed one and a statistic", [] {
  const training t = recomputing({.moe = true});
  EXPECT(moe_memory(ep8, t).kept == norm * tokens);
  EXPECT(moe_memory(ep8, recomputing({.moe = true, .layer_norm = true})).kept == (hidden + statistic) * tokens);
  EXPECT(moe_memory(ep8, t).for_weights == moe_memory(ep8, measured).for_weights);
  // Then the forward pass' peak is the backward pass' too: see block_memories.
  EXPECT(moe_memory(ep8, t).forward_peak == moe_memory(ep8, measured).forward_peak);
});

BOTH_TIMES("modules of other blocks change nothing",
           [] { EXPECT(moe_memory(ep8, recomputing({.mlp = true, .latent_up_projection = true})) == moe_memory(ep8, measured)); });

BOTH_TIMES("the gradients of weights need inputs and gradients of both layers of experts, routed and shared", [] {
  const std::int64_t of_rows = (hidden + width) + (hidden + 2 * width);
  const std::int64_t of_tokens = (hidden + shared_width) + (hidden + 2 * shared_width);
  EXPECT(moe_memory(ep8, measured).for_weights == of_rows * rows + of_tokens * tokens);
  model m = v3;
  m.experts.shared_intermediate_size = 0;
  EXPECT(memory_of(block::moe_mlp, shape_of(m, ep8, measured)).for_weights == of_rows * rows);
});

BOTH_TIMES("FP8: the experts' inputs in a byte a number; the normed input stays as it is, and shared experts have their own", [] {
  training t = measured;
  t.precision.fp8 = fp8_recipe::mxfp8;
  const std::int64_t of_rows = (hidden + width) / 2;
  const std::int64_t of_tokens = shared_width / 2;
  const std::int64_t scales = of_rows / 32 * rows + (of_tokens + hidden / 2) / 32 * tokens;
  EXPECT(moe_memory(ep8, t).kept + of_rows * rows + of_tokens * tokens ==
         moe_memory(ep8, measured).kept + saturating_count{scales + hidden / 2 * tokens});
});

BOTH_TIMES("dropout keeps a byte a number of the output", [] {
  training t = measured;
  t.kernels.hidden_dropout = true;
  EXPECT(moe_memory(ep8, t).kept == moe_memory(ep8, measured).kept + saturating_count{7168 * tokens});
});

BOTH_TIMES("the all-gather dispatcher: every rank has the routing of all tokens, and rows for its own experts", [] {
  training t = dropless();
  t.dispatcher = token_dispatcher::all_gather;
  const block_memory m = moe_memory(ep8, t);
  const std::int64_t all = 8 * tokens;
  const std::int64_t local = experts_of_layer / 8;
  // A map of all experts, and of its own experts probabilities and rows.
  const std::int64_t of_all = experts_of_layer + 2 * local + 4 * (2 * local + 1);
  EXPECT(m.kept == (norm + router + shared) * tokens + of_all * all + (hidden + 2 * width + width) * rows);
  // The experts' outputs and those of all tokens are there together.
  EXPECT(m.forward_step == moe_step::unsorting);
  EXPECT(m.forward_peak == m.kept + saturating_count{hidden * rows + (hidden + 2 * experts_of_layer) * all + hidden * tokens});
});

BOTH_TIMES("the flexible dispatchers are counted as all-to-all", [] {
  training t = measured;
  for (const token_dispatcher d : {token_dispatcher::flex, token_dispatcher::deepep}) {
    t.dispatcher = d;
    EXPECT(moe_memory(ep8, t) == moe_memory(ep8, measured));
  }
});

BOTH_TIMES("experts without a gate project once", [] {
  model m = v3;
  m.gated_mlp = false;
  EXPECT(memory_of(block::moe_mlp, shape_of(m, ep8, measured)).kept + shared_width * tokens + width * rows ==
         moe_memory(ep8, measured).kept);
});

BOTH_TIMES("every tensor has a name, a source and a life", [] {
  EXPECT(is_well_formed(block::moe_mlp, v3));
  EXPECT(is_well_formed(block::moe_mlp, shortened_deepseek(catalog::deepseek_v2, 4, 4)));
});

} // namespace
