#include <moeplan/cost/least_training_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool near(double a, double b) { return a - b <= 1e-12 * b && b - a <= 1e-12 * b; }
constexpr bool near(const both_ways& a, const both_ways& b) { return near(a.sent, b.sent) && near(a.received, b.received); }
constexpr bool near(const link_bytes& a, const link_bytes& b) { return near(a.nvlink, b.nvlink) && near(a.network, b.network); }

constexpr deployment trained(const model& m, const strategy& s, const training& t, std::int64_t domain = 8) {
  return {.model = m, .cluster = {.gpus_per_node = domain, .nodes = 1}, .strategy = s, .workload = t};
}

constexpr link_bytes once(const deployment& d, const block_passes& n) { return least_training_traffic{d}.of_blocks(n, {}); }
constexpr link_bytes again(deployment d, const block_passes& n) {
  d.workload.train.recompute = recompute::full;
  return least_training_traffic{d}.of_blocks({}, n);
}
constexpr link_bytes selected(deployment d, bool recompute_modules::*module, const block_passes& n) {
  d.workload.train.recompute = recompute::selective;
  d.workload.train.recompute_modules = {.core_attention = false};
  d.workload.train.recompute_modules.*module = true;
  return least_training_traffic{d}.of_blocks({}, n);
}

constexpr block_passes attention{.full_attention = 1};
constexpr block_passes window{.windowed_attention = 1};
constexpr block_passes linear{.linear_attention = 1};
constexpr block_passes dense{.dense_mlp = 1};
constexpr block_passes moe{.moe_mlp = 1};
constexpr block_passes head{.heads = 1};

/// Hidden states of 1,024 tokens of 4,096 numbers in bf16.
constexpr double hidden = 1024.0 * 4096 * 2;

// Inputs are gathered and outputs added up, and backward the gradients of both: each way a gather and a scatter, which together carry all
// of it in either direction.
BOTH_TIMES("TP ranks", [] {
  deployment d = trained(catalog::llama_3_1_8b, {tp{4}, sp{4}, dp{1}}, {.sequence_length = 1024});
  for (const block_passes& block : {attention, linear, dense}) {
    EXPECT(near(once(d, block), {{2 * hidden, 2 * hidden}, {}}));
    EXPECT(near(again(d, block), {{hidden / 4, hidden * 3 / 4}, {}})); // inputs alone
  }
  EXPECT(near(once(d, head), {{hidden, hidden}, {}})); // no rank needs the sum of logits
  EXPECT(again(d, head) == link_bytes{});
  d.strategy = {tp{4}, dp{1}};
  EXPECT(near(once(d, dense), {{2 * hidden, 2 * hidden}, {}}));
  EXPECT(again(d, dense) == link_bytes{}); // All have the inputs.
  d.strategy = {dp{1}};
  EXPECT(once(d, attention) == link_bytes{} && once(d, head) == link_bytes{});
});

BOTH_TIMES("what multiplies in FP8 is gathered in it", [] {
  deployment d = trained(catalog::llama_3_1_8b, {tp{4}, sp{4}, dp{1}}, {.sequence_length = 1024});
  d.workload.train.precision.fp8 = fp8_recipe::blockwise;
  EXPECT(near(once(d, dense), {{hidden / 4 + 2 * hidden * 3 / 4, hidden * 3 / 4 + 2 * hidden / 4}, {}}));
  EXPECT(near(again(d, dense), {{hidden / 8, hidden * 3 / 8}, {}}));
  EXPECT(near(once(d, head), {{hidden, hidden}, {}}));
});

// Two domains of four: between them goes what each has for the other, once; 14,336 bytes a hidden state, 4,224 a latent.
BOTH_TIMES("latents are less than hidden states", [] {
  const deployment d = trained(catalog::deepseek_v3, {tp{8}, sp{8}, dp{1}}, {.sequence_length = 1024}, 4);
  const double both = 1024.0 * (14'336 + 4'224);
  EXPECT(near(once(d, attention), {{both * 4 / 8, both * 4 / 8}, {both * 2 / 8, both * 2 / 8}}));
  EXPECT(near(again(d, attention), {{1024 * 4'224.0 / 8, 1024 * 4'224.0 * 3 / 8}, {1024 * 4'224.0 / 8, 1024 * 4'224.0 / 8}}));
});

/// 4,096 tokens of 7,168 numbers in bf16.
constexpr double token_rows = 4096.0 * 14'336;

// 64 ranks with four of 256 experts each, on eight domains: a token's eight experts are on two ranks and in one domain at least.
BOTH_TIMES("experts", [] {
  deployment d = trained(catalog::deepseek_v3, {ep{64}, dp{64}}, {.sequence_length = 4096});
  training& t = d.workload.train;
  t.dispatcher = token_dispatcher::deepep;
  // There and back, forward and backward: within the domain sent once and received on two ranks, or the other way round.
  const double each = 4 * token_rows;
  EXPECT(near(once(d, moe), {{1.5 * each * 7 / 64, 1.5 * each * 7 / 64}, {each * 56 / 64, each * 56 / 64}}));
  EXPECT(near(again(d, moe), {{token_rows * 7 / 64, 2 * token_rows * 7 / 64}, {token_rows * 56 / 64, token_rows * 56 / 64}}));
  t.routing.capacity_factor = ratio{1, 4}; // On average two of eight, which half of a rank has.
  EXPECT(near(once(d, moe).nvlink, {2 * 2 * token_rows * 0.5 * 7 / 64, 2 * 2 * token_rows * 0.5 * 7 / 64}));
  t.routing.capacity_factor = ratio{0};
  t.dispatcher = token_dispatcher::all_to_all;
  EXPECT(near(once(d, moe), {{8 * each * 7 / 64, 8 * each * 7 / 64}, {8 * each * 56 / 64, 8 * each * 56 / 64}}));
  t.routing.capacity_factor = ratio{3, 4};
  EXPECT(near(once(d, moe), {{6 * each * 7 / 64, 6 * each * 7 / 64}, {6 * each * 56 / 64, 6 * each * 56 / 64}}));
  t.routing.capacity_factor = ratio{5, 4}; // What is padded need not travel.
  EXPECT(near(once(d, moe).network.sent, 8 * each * 56 / 64));
  t.precision.fp8 = fp8_recipe::blockwise; // there in half
  EXPECT(near(once(d, moe).network.sent, 8 * each * 3 / 4 * 56 / 64));
  EXPECT(near(again(d, moe).network.sent, 8 * each / 8 * 56 / 64));
  t = {.sequence_length = 4096, .dispatcher = token_dispatcher::all_gather};
  EXPECT(near(once(d, moe).network, {2 * token_rows * 64 * (1.0 / 64 + 7.0 / 64), 2 * token_rows * 64 * (1.0 / 64 + 7.0 / 64)}));
});

// Of two TP ranks that have the same tokens one sends each, with sequence parallelism or without.
BOTH_TIMES("no token is sent twice", [] {
  deployment d = trained(catalog::mixtral_8x7b, {tp{2}, ep{8}, dp{4}}, {.sequence_length = 1024}, 1);
  d.workload.train.dispatcher = token_dispatcher::all_to_all;
  EXPECT(near(once(d, moe).network, {4 * 2 * hidden / 2 * 7 / 8, 4 * 2 * hidden / 2 * 7 / 8}));
  const link_bytes without = once(d, moe);
  d.strategy = {tp{2}, sp{2}, ep{8}, dp{4}};
  EXPECT(once(d, moe) == without);
});

// 1,024 tokens on each of four ranks, with keys and values of 2,048 numbers together: a rank has two others' before its own on
// average, counting half of its own.
BOTH_TIMES("CP ranks", [] {
  deployment d = trained(catalog::llama_3_1_8b, {cp{4}, dp{1}}, {.sequence_length = 4096});
  const double before = 2 * 1024 * 2048.0 * 2;
  EXPECT(near(once(d, attention), {{before, before}, {}})); // and their gradients back
  EXPECT(near(again(d, attention), {{before / 4, before * 3 / 4}, {}}));
  EXPECT(once(d, dense) == link_bytes{});
  d.workload.train.context = context_exchange::all_gather;
  EXPECT(near(once(d, attention), {{before, before}, {}}));
  // Queries, keys and values of 6,144 numbers, three quarters to others; but all follow from hidden states of 4,096, sent once to all.
  d.workload.train.context = context_exchange::all_to_all;
  const double heads = 1024 * 6144.0 * 2 * 3 / 4;
  const double states = 1024 * 4096.0 * 2;
  const double outputs = 2 * states * 3 / 4;
  EXPECT(near(once(d, attention), {{states + heads + outputs, heads + states + outputs}, {}}));
  EXPECT(near(again(d, attention), {{states, heads}, {}}));
});

// gpt-oss-20b: keys and values of 1,024 numbers, a window of 128.
BOTH_TIMES("CP ranks need a window's tokens alone", [] {
  deployment d = trained(catalog::gpt_oss_20b, {cp{4}, dp{1}}, {.sequence_length = 4096});
  EXPECT(near(once(d, window), {{127 * 1024.0 * 2, 127 * 1024.0 * 2}, {}}));
  EXPECT(near(once(d, attention).nvlink.sent, 2 * 1024 * 1024.0 * 2));
  d.workload.train.sequence_length = 256; // 64 on each
  EXPECT(near(once(d, window).nvlink.sent, 64 * 1024.0 * 2));
  const deployment chunks = trained(catalog::llama_4_scout, {cp{4}, dp{1}}, {.sequence_length = 65'536});
  EXPECT(once(chunks, window) == link_bytes{}); // of 8,192, each on one rank
});

// DeepSeek-V3: latents of 576 numbers, or 1,536 for queries; 128 heads of 192, 192 and 128.
BOTH_TIMES("CP ranks send latents where these are less", [] {
  deployment d = trained(catalog::deepseek_v3, {cp{4}, dp{1}}, {.sequence_length = 4096});
  EXPECT(near(once(d, attention).nvlink.sent, 2 * 1024 * 576.0 * 2));
  d.workload.train.context = context_exchange::all_to_all;
  // Latents are sent once to all, and received from three; backward the other way round. Gradients of outputs come as hidden states.
  EXPECT(near(once(d, attention).nvlink.sent, 1024 * 2 * (4 * (1536 + 576) + 16'384.0 * 3 / 4 + 7168)));
  d = trained(catalog::deepseek_v3_2, {cp{4}, dp{1}}, {.sequence_length = 4096});
  EXPECT(once(d, attention) == link_bytes{});
});

BOTH_TIMES("stages", [] {
  deployment d = trained(catalog::llama_3_1_8b, {pp{4}, dp{8}}, {.sequence_length = 1024});
  least_training_traffic first{d};
  EXPECT(near(first.of_transfers(0, 10), {{}, {10 * hidden, 10 * hidden}})); // activations there, gradients back
  first.begin(1);
  EXPECT(near(first.of_transfers(0, 10), {{}, {20 * hidden, 20 * hidden}}));
  d.strategy = {tp{2}, pp{4}, dp{1}}; // of two TP ranks each sends half, to the same node
  least_training_traffic near_by{d};
  near_by.begin(3);
  EXPECT(near(near_by.of_transfers(0, 10), {{10 * hidden / 2, 10 * hidden / 2}, {}}));
  // A V turns on the last rank, and comes back to the first.
  d = trained(catalog::llama_3_1_8b, {pp{4}, vpp{2}, dp{8}}, {.sequence_length = 1024, .schedule = schedule::v_half});
  least_training_traffic v{d};
  EXPECT(near(v.of_transfers(0, 1).network.sent, hidden) && near(v.of_transfers(1, 1).network.sent, hidden));
  v.begin(3);
  EXPECT(near(v.of_transfers(0, 1).network.sent, hidden) && near(v.of_transfers(1, 1).network.sent, hidden));
});

/// 1,024 parameters on each rank.
constexpr stage_weight_counts<double> held{.parameters = {.dense = {.linear = 1000, .others = 24}}};

constexpr link_bytes update(const deployment& d) { return least_training_traffic{d}.of_update(held); }

// Eight ranks on two domains: 4,096 bytes of gradients, 2,048 of weights.
BOTH_TIMES("gradients once a step, and sharded weights once", [] {
  deployment d = trained(catalog::llama_3_1_8b, {dp{8}}, {.global_batch = 64, .sequence_length = 1024}, 4);
  training& t = d.workload.train;
  EXPECT(near(update(d), {{4096 * 4.0 / 8, 4096 * 4.0 / 8}, {4096 * 2.0 / 8, 4096 * 2.0 / 8}}));
  const link_bytes sharded{{4096 * 3.0 / 8 + 2048 / 8.0, 4096 / 8.0 + 2048 * 3.0 / 8},
                           {4096 / 8.0 + 2048 / 8.0, 4096 / 8.0 + 2048 / 8.0}};
  for (const sharding s : {sharding::optimizer, sharding::gradients, sharding::parameters}) {
    t.sharding = s; // however often a framework does it
    EXPECT(near(update(d), sharded));
  }
  // Sharded over the four ranks of a domain, and added up between the two.
  t.dp_replicate = 2;
  EXPECT(near(update(d), {{4096 * 3.0 / 4 + 2048 / 4.0, 2048 * 3.0 / 4}, {1024, 1024}}));
  t.precision.gradients = number_type::bf16;
  EXPECT(near(update(d).network.sent, 512));
  d.strategy = {dp{1}};
  EXPECT(update(d) == link_bytes{});
});

// Each rank has the stages of the one that lies opposite too: each does half of the work, and they exchange no less than the eighth of 4,096
// bytes of gradients that each has added up.
BOTH_TIMES("DualPipe adds up the two copies of a stage", [] {
  deployment d = trained(catalog::llama_3_1_8b, {pp{4}, dp{8}}, {.global_batch = 64, .sequence_length = 1024});
  const link_bytes one = update(d);
  d.workload.train.schedule = schedule::dualpipe;
  EXPECT(near(update(d), 0.5 * one + link_bytes{{}, {4096 / 8.0, 4096 / 8.0}}));
});

BOTH_TIMES("few rows of an embedding change", [] {
  const deployment d = trained(catalog::llama_3_1_8b, {dp{8}}, {.global_batch = 64, .sequence_length = 1024});
  stage_weight_counts<double> with = held;
  with.parameters.dense.others += 500;
  with.looked_up = 500;
  EXPECT(least_training_traffic{d}.of_update(with) == update(d));
  with.tied_heads = 500; // A head that is the embedding changes whole.
  EXPECT(near(least_training_traffic{d}.of_update(with), 1524.0 / 1024 * update(d)));
});

// Three TP ranks a stage on domains of four: the first stage lies in one, the second in two.
BOTH_TIMES("stages that lie otherwise", [] {
  const deployment d = trained(catalog::llama_3_1_8b, {tp{3}, pp{4}, dp{1}}, {.sequence_length = 1024}, 4);
  least_training_traffic t{d};
  EXPECT(!t.stages_lie_alike());
  EXPECT(t.of_blocks(dense, {}).network == both_ways{});
  t.begin(1);
  EXPECT(near(t.of_blocks(dense, {}).network.sent,
              2 * hidden * 2 / 3)); // each of the two domains puts out its sum, and its part of it
  t.begin(3);
  EXPECT(t.of_blocks(dense, {}).network == both_ways{});
});

BOTH_TIMES("selective recompute brings what its modules need", [] {
  using modules = recompute_modules;
  deployment d = trained(catalog::deepseek_v3, {tp{4}, sp{4}, cp{2}, ep{8}, dp{4}}, {.sequence_length = 2048});
  d.workload.train.dispatcher = token_dispatcher::deepep;
  const link_bytes none{};
  EXPECT(selected(d, &modules::moe_activation, attention) == none && selected(d, &modules::moe_activation, moe) == none);
  EXPECT(
      near(selected(d, &modules::core_attention, attention).nvlink.received, 512 / 2 * 576.0 * 2 / 2)); // a quarter on each TP rank
  EXPECT(selected(d, &modules::core_attention, moe) == none);
  const double latents = 1024 * (1536 + 512) * 2.0;
  EXPECT(near(selected(d, &modules::latent_up_projection, attention), {{latents / 4, latents * 3 / 4}, {}}));
  const double hidden_states = 1024 * 7168 * 2.0;
  EXPECT(near(selected(d, &modules::mlp, dense), {{hidden_states / 4, hidden_states * 3 / 4}, {}}));
  EXPECT(selected(d, &modules::mlp, moe) == none);
  EXPECT(near(selected(d, &modules::shared_experts, moe), {{hidden_states / 4, hidden_states * 3 / 4}, {}}));
  EXPECT(selected(d, &modules::moe, moe) == again(d, moe));
});

// Eight ranks with 32 experts each: a token's eight are on one of them at least, and shared experts on four TP ranks, which their tokens
// come to anyway.
BOTH_TIMES("tokens for shared experts may travel with those for routed ones", [] {
  deployment d = trained(catalog::deepseek_v3, {tp{4}, sp{4}, ep{8}, dp{2}}, {.sequence_length = 1024});
  d.workload.train.dispatcher = token_dispatcher::deepep;
  const double hidden_states = 1024 * 7168 * 2.0;
  EXPECT(near(once(d, moe),
              {{2 * hidden_states, 2 * hidden_states}, {}})); // as those of a dense block; routed: 4 x 7 / 8 of a quarter
  d.model.experts.shared_intermediate_size = 0;
  EXPECT(near(once(d, moe).nvlink.sent, 4 * hidden_states / 4 * 7 / 8));
});

BOTH_TIMES("a TP rank close to the next stage passes on what all have", [] {
  deployment d = trained(catalog::llama_3_1_8b, {tp{4}, pp{2}, dp{1}}, {.sequence_length = 1024}, 2);
  EXPECT(least_training_traffic{d}.of_transfers(0, 1) == link_bytes{});
  d.strategy = {tp{4}, sp{4}, pp{2}, dp{1}}; // Each has a part.
  EXPECT(near(least_training_traffic{d}.of_transfers(0, 1).network.sent, hidden / 4));
});

} // namespace
