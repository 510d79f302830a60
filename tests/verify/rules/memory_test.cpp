#include <moeplan/verify/rules/memory.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr deployment scheduled(schedule s, deployment d = trained) {
  d.workload.train.schedule = s;
  return d;
}
constexpr deployment laid_out(layout l, deployment d) {
  d.layout = l;
  return d;
}
constexpr deployment layers(std::int64_t n, deployment d) {
  d.model.layers = n;
  return d;
}
constexpr deployment recomputing(std::int64_t layers) {
  return changed(trained, [layers](auto& d) { d.workload.train.recompute_layers = layers; });
}
constexpr deployment offloaded(ratio share, deployment d = trained) {
  d.workload.train.optimizer_offload = share;
  return d;
}
constexpr deployment busiest(ratio share, deployment d = trained) {
  d.workload.train.routing.busiest_share = share;
  return d;
}
constexpr deployment block_size(std::int64_t tokens) {
  return changed(served, [tokens](auto& d) { d.workload.serve.block_size = tokens; });
}
constexpr deployment step_tokens(std::int64_t tokens) {
  return changed(served, [tokens](auto& d) { d.workload.serve.step_tokens = tokens; });
}
constexpr deployment cached(cache_format f, deployment d = served) {
  d.workload.serve.cache = f;
  return d;
}
constexpr deployment latent(deployment d) {
  d.model.attention =
      attention::latent(16, {.kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128});
  return d;
}
constexpr deployment linear(number_type state, deployment d = served) {
  d.model.linear_attention = {.key_heads = 4,
                              .value_heads = 8,
                              .key_head_dim = 64,
                              .value_head_dim = 64,
                              .convolution = 4,
                              .softmax_layers = layer_set::every_nth(4, 3)};
  d.workload.serve.linear_state = state;
  return d;
}

/// One layer on one GPU, nearly all of it experts. Attention 4 x 64 x 64, router 1024 x 64, experts 1024 x 3 x 64 x 1024, norms 2 x 64;
/// embedding and head 128 x 64 each, final norm 64: 201,425,088 parameters, in bf16 402,850,176 bytes.
constexpr deployment on_one_gpu{
    .model = {.layers = 1,
              .hidden_size = 64,
              .vocabulary_size = 128,
              .attention = attention::multi_head(1, 64),
              .experts = {.routed = 1024, .top_k = 2, .intermediate_size = 1024}},
    .cluster = {.total = 1},
    .strategy = {dp{1}},
    .workload = training{.sequence_length = 8,
                         .precision = {.gradients = number_type::none},
                         .optimizer = optimizer::none,
                         .vocabulary_multiple = 0},
};

constexpr deployment with_memory(std::uint64_t nominal, deployment d, std::uint64_t usable = 0, std::uint64_t reserve = 0) {
  d.cluster.gpu = {.memory = bytes{nominal}, .usable_memory = bytes{usable}};
  (d.workload.is_training() ? d.workload.train.reserve : d.workload.serve.reserve) = bytes{reserve};
  return d;
}

/// Megatron-LM starts with all weights twice, which without gradients and optimizer is more than it ever needs again: two layers' worth of
/// weights are 400 MB, the workspaces are 5 x (32 MiB + 1 KiB) + 2 x (8 MiB + 128 KiB) = 185 MB, a micro-batch has eight tokens.
constexpr std::uint64_t at_start = 2ULL * 402'850'176;

/// The embedding on a stage of its own, and everything else on the next one: 8,192 parameters less.
constexpr deployment on_two_gpus = changed(on_one_gpu, [](deployment& d) {
  d.cluster.total = 2;
  d.strategy.set(axis::pp, 2);
  d.layout = layout::stages({1, 0}, {1, 1});
});
constexpr std::uint64_t at_start_of_the_second = at_start - 4ULL * 8192;

/// Keys and values of a token are 2 x 64 numbers of two bytes; 100 tokens need seven blocks of sixteen: 28,672 bytes a sequence.
constexpr deployment serving_four =
    changed(on_one_gpu, [](deployment& d) { d.workload = serving{.batch = 4, .sequence_length = 100, .vocabulary_multiple = 0}; });
constexpr std::uint64_t one_sequence = 402'850'176 + 28'672;
constexpr std::uint64_t four_sequences = 402'850'176 + 4 * 28'672;

constexpr rule_case cases[] = {
    {rule::recompute_layers_is_at_least_1, recomputing(1), recomputing(0), {0}, {1}},
    {rule::recompute_layers_is_at_least_1, served, recomputing(INT64_MIN), {INT64_MIN}, {1}},

    {rule::schedule_has_two_chunks, scheduled(schedule::zb_v), scheduled(schedule::zb_v, trained_with(vpp{1})), {1}, {2}},
    {rule::schedule_has_two_chunks, scheduled(schedule::v_half), scheduled(schedule::v_half, trained_with(vpp{4})), {4}, {2}},
    {rule::schedule_has_two_chunks, // Eight layers on eight ranks: one each.
     scheduled(schedule::v_half),
     scheduled(schedule::v_half, trained_with(pp{8}, vpp{1})),
     {1}},
    {rule::schedule_has_two_chunks, trained_with(vpp{4}), scheduled(schedule::v_min, trained_with(vpp{4})), {4}, {2}},
    // Of the layouts that are listed, the first says itself that each rank has two, and the next that they have not: VPP changes nothing.
    {rule::schedule_has_two_chunks,
     scheduled(schedule::dualpipe_v, laid_out(layout::stages({4, 2}), without(axis::vpp))),
     scheduled(schedule::dualpipe_v, laid_out(layout::stages({2, 4}), without(axis::vpp))),
     {1}},
    {rule::schedule_has_two_chunks,
     scheduled(schedule::zb_v, laid_out(layout::stages({3, 2}, {0, 2}), trained)), // Not as many on every rank.
     scheduled(schedule::zb_v, laid_out(layout::stages({6, 1}), trained)),
     {3}},
    {rule::schedule_has_one_chunk, scheduled(schedule::zb_h1, trained_with(vpp{1})), scheduled(schedule::zb_h1), {2}, {1}},
    {rule::schedule_has_one_chunk, scheduled(schedule::gpipe), scheduled(schedule::zb_h2, trained_with(vpp{4})), {4}, {1}},
    {rule::schedule_has_one_chunk,
     scheduled(schedule::dualpipe, laid_out(layout::stages({5, 2}), trained)),
     scheduled(schedule::dualpipe, laid_out(layout::stages({4, 2}), trained)),
     {2}},
    // Of the four layers of each rank at most four virtual stages can be made, of a hundred layers fifty.
    {rule::virtual_stages_are_at_most_64, trained_with(vpp{64}), trained_with(vpp{65}), {65}, {4}},
    {rule::virtual_stages_are_at_most_64, layers(128, trained_with(vpp{64})), layers(200, trained_with(vpp{100})), {100}, {50}},
    {rule::virtual_stages_are_at_most_64,
     changed(served, [](auto& d) { d.strategy.set(axis::vpp, 65); }),
     laid_out(layout::balanced(), trained_with(vpp{INT64_MAX})),
     {INT64_MAX},
     {64}},
    {rule::virtual_stages_are_at_most_64,
     laid_out(layout::stages({128, 1}), without(axis::vpp)),
     laid_out(layout::stages({130, 1}), without(axis::vpp)), // VPP changes nothing.
     {65}},
    {rule::virtual_stages_are_at_most_64, // 100, 140 and 60 layers.
     trained,
     laid_out(layout::first_last(100, 60), layers(300, trained_with(pp{3}, vpp{100}))),
     {100},
     {20}},
    // What else limits virtual stages: the schedule, no pipeline, the framework, and a stage that has to have a layer.
    {rule::virtual_stages_are_at_most_64, trained, scheduled(schedule::zb_v, trained_with(vpp{65})), {65}, {2}},
    {rule::virtual_stages_are_at_most_64, trained, scheduled(schedule::dualpipe, trained_with(vpp{65})), {65}, {1}},
    {rule::virtual_stages_are_at_most_64, trained, trained_with(pp{1}, vpp{65}), {65}, {1}},
    {rule::virtual_stages_are_at_most_64, trained, in(profile::deepspeed, trained_with(vpp{65})), {65}, {1}},
    {rule::virtual_stages_are_at_most_64,
     trained,
     in(profile::torchtitan, laid_out(layout::balanced(), layers(7, trained_with(vpp{65})))),
     {65},
     {3}},
    // Overlap needs two, and 67 layers can be cut into 67 or not at all.
    {rule::virtual_stages_are_at_most_64,
     trained,
     changed(layers(134, trained_with(vpp{67})), [](auto& d) { d.workload.train.overlap.expert_parallel = true; }),
     {67}},
    {rule::dualpipe_needs_even_pp, scheduled(schedule::dualpipe), scheduled(schedule::dualpipe, trained_with(pp{3})), {3}, {2, 4}},
    {rule::dualpipe_needs_even_pp,
     scheduled(schedule::dualpipe_v, trained_with(pp{3})),
     scheduled(schedule::dualpipe, trained_with(pp{1})), // Another schedule is meant.
     {1}},
    {rule::dualpipe_needs_even_pp,
     scheduled(schedule::gpipe, trained_with(pp{3})),
     scheduled(schedule::dualpipe, trained_with(pp{7})), // Of 6 and 8 only the latter divides eight layers.
     {7},
     {8}},
    {rule::dualpipe_needs_even_pp,
     scheduled(schedule::dualpipe, trained_with(pp{2})),
     changed(scheduled(schedule::dualpipe, trained_with(pp{3}, vpp{3})), [](auto& d) { d.layout = layout::balanced(); }),
     {3},
     {2}}, // PP 4 x VPP 3 are more stages than layers.
    {rule::offload_is_a_share, offloaded({8, 8}), offloaded({9, 8})},
    {rule::offload_is_a_share, offloaded({9, 8}, served), offloaded({INT64_MAX, 2})},
    {rule::busiest_share_is_a_share, busiest({8, 8}), busiest({129, 128})},
    {rule::block_size_is_at_least_1, block_size(1), block_size(0), {0}, {1}},
    {rule::block_size_is_at_least_1, trained, block_size(-16), {-16}, {1}},
    {rule::step_tokens_is_at_least_1, step_tokens(8192), step_tokens(0), {0}, {1}},
    {rule::step_tokens_is_at_least_1, trained, step_tokens(INT64_MIN), {INT64_MIN}, {1}},
    {rule::latent_cache_needs_latent_attention, cached(cache_format::fp8_ds_mla, latent(served)), cached(cache_format::fp8_ds_mla)},
    {rule::latent_cache_needs_latent_attention, cached(cache_format::fp8), cached(cache_format::fp8_ds_mla)},
    {rule::linear_state_has_a_type, linear(number_type::fp32), linear(number_type::none)},
    {rule::linear_state_has_a_type, changed(served, [](auto& d) { d.workload.serve.linear_state = number_type::none; }),
     linear(number_type::none)},

    {rule::stage_fits_memory,
     with_memory(at_start, on_one_gpu),
     with_memory(at_start - 1, on_one_gpu),
     {0, at_start, at_start - 1, 1, 0}},
    {rule::stage_fits_memory,
     with_memory(2 * at_start, on_one_gpu, at_start + 5, 5),
     with_memory(2 * at_start, on_one_gpu, at_start, 5),
     {0, at_start, at_start - 5, 5, 5}},
    {rule::stage_fits_memory, on_one_gpu, with_memory(1, on_one_gpu, 0, 2), {0, at_start, 0, at_start, 2}}, // Nothing is left.
    {rule::stage_fits_memory,
     with_memory(at_start_of_the_second, on_two_gpus),
     with_memory(at_start_of_the_second - 1, on_two_gpus),
     {1, at_start_of_the_second, at_start_of_the_second - 1, 1, 0}},
    {rule::stage_fits_memory,
     with_memory(four_sequences, serving_four),
     with_memory(one_sequence, serving_four),
     {0, four_sequences, one_sequence, 3LL * 28'672, 0}},
    // Not with another error, and with a warning (the second GPU is idle).
    {rule::stage_fits_memory,
     with_memory(1, changed(on_one_gpu, [](auto& d) { d.strategy.set(axis::ep, 3); })),
     with_memory(1, changed(on_one_gpu, [](auto& d) { d.cluster.total = 2; })),
     {0, at_start, 1, at_start - 1, 0}},

    {rule::one_request_fits_memory,
     with_memory(one_sequence, serving_four),
     with_memory(one_sequence - 1, serving_four),
     {100, one_sequence, one_sequence - 1, 1}},
    {rule::one_request_fits_memory,
     with_memory(one_sequence + 7, serving_four, 0, 7),
     with_memory(2 * one_sequence, serving_four, one_sequence + 7, 10),
     {100, one_sequence, one_sequence - 3, 3}},
    {rule::one_request_fits_memory,
     with_memory(1, on_one_gpu),
     with_memory(1, serving_four),
     {100, one_sequence, 1, one_sequence - 1}},
};

static_assert(meet_every_rule(cases, rules::memory));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on memory") { judge_at_run_time(cases); }

BOTH_TIMES("the sentence says how much is missing", [] {
  const findings found = check(with_memory(at_start - 1, on_one_gpu));
  EXPECT(!found.ok() && found.size() == 1);
  EXPECT(text{(*found.begin()).message()} ==
         "stage 0 needs 805700352 bytes on each of its ranks, 1 more than the 805700351 that a GPU has for it "
         "besides the 0 set aside");
  const findings request = check(with_memory(one_sequence - 1, serving_four));
  EXPECT(request.size() == 2 && request.contains(rule::stage_fits_memory));
});

} // namespace
