#include <moeplan/verify/rules/pipeline.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr deployment with_layers(std::int64_t layers, deployment d = trained) {
  d.model.layers = layers;
  return d;
}

constexpr deployment laid_out(layout l, deployment d = trained) {
  d.layout = l;
  return d;
}

constexpr deployment first_last(std::int64_t layers, optional_integer first, optional_integer last, deployment d = trained) {
  return with_layers(layers, laid_out(layout::first_last(first, last), d));
}

/// Four virtual stages of two layers, with as many multi-token prediction layers as said.
constexpr layout with_mtp(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  layout l = layout::stages({1, 2, a}, {1, 2, b}, {1, 2, c}, {1, 2, d});
  l.places_mtp = true;
  return l;
}

constexpr deployment balanced(std::int64_t layers) {
  return changed(trained, [layers](auto& d) { d.layout = layout::balanced(), d.model.layers = layers; });
}
constexpr deployment tied(deployment d) {
  d.model.tied_embeddings = true;
  return d;
}

/// One step of so many micro-batches, each of eight sequences: two on each of DP 4.
constexpr deployment micro_batches(std::int64_t n, deployment d = trained) {
  d.workload.train.global_batch = 8 * n;
  return d;
}
constexpr deployment scheduled(schedule s, deployment d) {
  d.workload.train.schedule = s;
  return d;
}
constexpr deployment without_global_batch(deployment d) {
  d.workload.train.global_batch = {};
  return d;
}
constexpr deployment titan(deployment d) { return in(profile::torchtitan, d); }

constexpr rule_case cases[] = {
    {rule::layout_is_not_negative, laid_out(layout::stages({4, 2})), laid_out(layout::stages({4, -2})), {8}},
    {rule::layout_is_not_negative, laid_out(layout::stages({4, 0})), laid_out(layout::stages({-4, 2})), {8}},
    {rule::layout_is_not_negative, laid_out(layout::stages({4, 2, 1})), laid_out(layout::stages({4, 2, -1})), {8}},
    {rule::layout_is_not_negative, laid_out(layout::stages({INT64_MAX, 1})), laid_out(layout::stages({INT64_MAX, 2})), {8}},
    {rule::layout_is_not_negative,
     with_layers(INT64_MAX),
     with_layers(INT64_MAX, laid_out(layout::even_with(true, false))),
     {INT64_MAX}},

    {rule::vpp_needs_pp, trained_with(pp{1}, vpp{1}), trained_with(pp{1}), {2, 1}, {1}},

    {rule::layers_divide_by_pp, with_layers(6), with_layers(7), {7, 2}, {1, 7}},
    {rule::layers_divide_by_pp,
     with_layers(7, laid_out(layout::even_with(true, false))),
     with_layers(8, laid_out(layout::even_with(true, false))),
     {9, 2},
     {1, 3}},
    {rule::layers_divide_by_pp,
     with_layers(7, laid_out(layout::balanced())),
     with_layers(7, laid_out(layout::even_with(true, true))),
     {9, 2},
     {1, 3}},
    {rule::stage_layers_divide_by_vpp, trained_with(vpp{4}), with_layers(6), {6, 2, 2}, {1, 3}},
    {rule::stage_layers_divide_by_vpp,
     with_layers(7, laid_out(layout::even_with(false, true))),
     trained_with(vpp{3}),
     {8, 2, 3},
     {2, 4}},
    // Of 130 layers neither 65 virtual stages, of which memory is not computed.
    {rule::stage_layers_divide_by_vpp, trained_with(vpp{4}), with_layers(260, trained_with(vpp{63})), {260, 2, 63}, {26}},

    {rule::first_stage_has_layers, first_last(8, 2, 6), first_last(8, 0, 6), {0}, {2}},
    {rule::last_stage_has_layers, first_last(8, 6, 2), first_last(8, 6, -2), {-2}, {2}}, // One on each of the two virtual stages.
    {rule::first_stage_divides_by_vpp, first_last(8, 2, 6), first_last(8, 3, {}), {3, 2}, {2, 4}},
    {rule::first_stage_divides_by_vpp, first_last(8, {}, 6), first_last(8, 1, {}), {1, 2}, {2}},
    {rule::last_stage_divides_by_vpp, first_last(8, 6, 2), first_last(8, {}, 5), {5, 2}, {4, 6}},

    // PP 2 has no stage between first and last, PP 4 has two.
    {rule::middle_layers_divide_by_stages, first_last(8, 2, 6), first_last(8, 2, 2), {4, 0}},
    {rule::middle_layers_divide_by_stages,
     first_last(10, 2, 4, trained_with(pp{4})),
     first_last(9, 2, 2, trained_with(pp{4})),
     {5, 2}},
    {rule::middle_layers_divide_by_stages, first_last(8, 2, {}), first_last(8, 8, {}), {0, 1}},
    {rule::middle_layers_divide_by_stages, first_last(8, {}, {}), first_last(8, 4, 4, trained_with(pp{1})), {0, -1}},
    {rule::middle_layers_divide_by_stages,
     first_last(8, 8, {}, trained_with(pp{1})),
     first_last(8, 6, 6, trained_with(pp{4})),
     {-4, 2}},
    {rule::middle_stage_divides_by_vpp,
     first_last(12, 2, 2, trained_with(pp{4})),
     first_last(10, 2, 2, trained_with(pp{4})),
     {6, 2, 2},
     {1, 3}},

    {rule::layout_divides_by_pp, laid_out(layout::stages({4, 2})), laid_out(layout::stages({3, 2})), {3, 2}, {1, 3}},
    {rule::layout_divides_by_pp, trained, laid_out(layout{.kind = layout_kind::listed}), {0, 2}},
    {rule::layout_matches_vpp, laid_out(layout::stages({4, 2})), laid_out(layout::stages({6, 1}, {0, 0})), {6, 2, 2}, {3}},
    {rule::layout_matches_vpp,
     laid_out(layout::stages({6, 1}), without(axis::vpp)),
     laid_out(layout::stages({2, 4})),
     {2, 2, 2},
     {1}},
    {rule::layout_holds_every_layer, laid_out(layout::stages({3, 1}, {1, 5})), laid_out(layout::stages({3, 2}, {1, 1})), {7, 8}},

    {rule::layout_holds_every_mtp_layer, laid_out(with_mtp(0, 0, 0, 1)), laid_out(with_mtp(0, 0, 0, 2)), {2, 1}},
    {rule::layout_holds_every_mtp_layer, laid_out(layout::stages({4, 2})), laid_out(with_mtp(0, 0, 0, 0)), {0, 1}},
    {rule::mtp_is_on_one_stage, laid_out(with_mtp(0, 0, 0, 2)), laid_out(with_mtp(0, 0, 1, 1)), {2}},
    // Virtual stages 0 and 1 are the first chunk, 2 and 3 the last.
    {rule::mtp_is_in_last_chunk, laid_out(with_mtp(0, 0, 1, 0)), laid_out(with_mtp(0, 1, 0, 0)), {1, 2}},
    {rule::mtp_is_in_last_chunk, laid_out(with_mtp(0, 0, 0, 0)), laid_out(with_mtp(1, 0, 0, 1)), {0, 2}},
    {rule::decoder_layers_precede_mtp, laid_out(with_mtp(0, 0, 0, 1)), laid_out(with_mtp(0, 0, 1, 0)), {2, 2}},
    {rule::decoder_layers_precede_mtp,
     laid_out(
         [] {
           layout l = layout::stages({2, 4}, {1, 0, 1}, {1, 0});
           l.places_mtp = true;
           return l;
         }()),
     laid_out([] {
       layout l = layout::stages({4, 2, 1});
       l.places_mtp = true;
       return l;
     }()),
     {6, 0}},
    {rule::vpp_is_1, in(profile::vllm, trained_with(vpp{1})), in(profile::vllm, served), {2}, {1}},
    {rule::vpp_is_1, in(profile::torchtitan), in(profile::sglang, served), {2}, {1}},
    {rule::vpp_is_1, trained, in(profile::trtllm, served), {2}, {1}},
    {rule::vpp_is_1, in(profile::universal), in(profile::deepspeed), {2}, {1}},
    {rule::stages_are_at_most_layers, in(profile::torchtitan, balanced(4)), in(profile::torchtitan, balanced(3)), {2, 2, 3}, {1}},
    {rule::stages_are_at_most_layers, balanced(3), in(profile::trtllm, balanced(1)), {2, 2, 1}},
    {rule::stages_are_at_most_layers,
     in(profile::trtllm, changed(balanced(3), [](auto& d) { d.layout = {}; })),
     in(profile::trtllm, changed(balanced(3), [](auto& d) { d.strategy = d.strategy.with(pp{8}).with(vpp{1}); })),
     {8, 1, 3},
     {3}},
    {rule::tied_embeddings_exclude_pp, in(profile::torchtitan), in(profile::torchtitan, tied(trained)), {2}, {1}},
    {rule::tied_embeddings_exclude_pp,
     in(profile::torchtitan, tied(trained_with(pp{1}))),
     in(profile::torchtitan, tied(trained_with(pp{4}))),
     {4},
     {1}},
    {rule::tied_embeddings_exclude_pp, tied(trained), in(profile::torchtitan, tied(trained)), {2}, {1}},

    // PP 2 x VPP 2, unless something else is said.
    {rule::micro_batches_fill_a_group, micro_batches(2), micro_batches(1), {1, 2, 2}, {16}},
    {rule::micro_batches_fill_a_group,
     micro_batches(1, trained_with(vpp{1})),
     micro_batches(3, trained_with(pp{4})),
     {3, 2, 4},
     {32}},
    {rule::micro_batches_fill_a_group,
     titan(micro_batches(1)),
     micro_batches(1, laid_out(layout::stages({6, 1}, {0, 0}), without(axis::vpp))),
     {1, 3, 2},
     {16}},
    {rule::micro_batches_fill_a_group, // How many there are is not said.
     without_global_batch(trained),
     micro_batches(INT64_MAX / 32, trained_with(pp{INT64_MAX / 16})),
     {INT64_MAX / 32, 2, INT64_MAX / 16},
     {INT64_MAX / 16 * 8}},
    {rule::micro_batches_fill_a_group, // So many sequences cannot be counted.
     scheduled(schedule::gpipe, micro_batches(1)),
     micro_batches(1, trained_with(pp{INT64_MAX / 4})),
     {1, 2, INT64_MAX / 4}},
    {rule::micro_batches_divide_by_pp, micro_batches(6), micro_batches(3), {3, 2, 2}, {16, 32}},
    {rule::micro_batches_divide_by_pp, // Fewer than a group: another rule says so.
     micro_batches(3, trained_with(pp{4})),
     micro_batches(6, trained_with(pp{4})),
     {6, 4, 2},
     {32, 64}},
    {rule::micro_batches_divide_by_pp,
     scheduled(schedule::gpipe, micro_batches(3)),
     micro_batches(INT64_MAX / 8),
     {INT64_MAX / 8, 2, 2},
     {INT64_MAX / 16 * 16}},
    {rule::micro_batches_divide_by_pp, in(profile::universal, micro_batches(3)), micro_batches(3), {3, 2, 2}, {16, 32}},
    {rule::stages_have_micro_batches,
     titan(micro_batches(2, trained_with(vpp{1}))),
     titan(micro_batches(1, trained_with(vpp{1}))),
     {1, 2},
     {16}},
    {rule::stages_have_micro_batches,
     micro_batches(1, trained_with(vpp{1})),
     titan(micro_batches(3, trained_with(pp{4}, vpp{1}))),
     {3, 4},
     {32}},
    {rule::stages_have_micro_batches,
     titan(scheduled(schedule::gpipe, micro_batches(1, trained_with(vpp{1})))),
     titan(micro_batches(1, trained_with(vpp{1}))),
     {1, 2},
     {16}},
    // PyTorch's own examples: ten on PP 4 are two rounds of five, three are one round.
    {rule::micro_batches_divide_into_rounds,
     titan(micro_batches(10, trained_with(pp{4}))),
     titan(micro_batches(9, trained_with(pp{4}))),
     {9, 2, 4},
     {64, 80}},
    {rule::micro_batches_divide_into_rounds,
     titan(micro_batches(3, trained_with(pp{4}))),
     titan(micro_batches(13, trained_with(pp{4}))), // Three rounds; 14 are none the better, 15 are.
     {13, 3, 4},
     {96, 120}},
    {rule::micro_batches_divide_into_rounds, micro_batches(5), titan(micro_batches(5)), {5, 2, 2}, {32, 48}},
    {rule::micro_batches_divide_into_rounds,
     titan(micro_batches(5, trained_with(vpp{1}))),
     titan(micro_batches(5)),
     {5, 2, 2},
     {32, 48}},
    {rule::micro_batches_cover_stages, titan(micro_batches(4)), titan(micro_batches(3)), {3, 2, 2}},
    {rule::micro_batches_cover_stages,
     titan(scheduled(schedule::gpipe, micro_batches(1, trained_with(pp{1}, vpp{1})))),
     titan(scheduled(schedule::gpipe, micro_batches(1, trained_with(vpp{1})))),
     {1, 2, 1}},
    {rule::micro_batches_cover_stages, // Other rules say so.
     titan(scheduled(schedule::dualpipe_v, micro_batches(1))),
     titan(scheduled(schedule::zb_v, micro_batches(3))),
     {3, 2, 2}},
    {rule::micro_batches_cover_stages, titan(micro_batches(1, trained_with(vpp{1}))), titan(micro_batches(1)), {1, 2, 2}},
    {rule::dualpipe_halves_micro_batches,
     scheduled(schedule::dualpipe, micro_batches(6, trained_with(vpp{1}))),
     scheduled(schedule::dualpipe, micro_batches(5, trained_with(vpp{1}))),
     {5},
     {32, 48}},
    {rule::dualpipe_halves_micro_batches,
     scheduled(schedule::dualpipe_v, micro_batches(5)),
     scheduled(schedule::dualpipe, micro_batches(1, trained_with(vpp{1}))),
     {1},
     {32}},
    {rule::dualpipe_needs_twice_pp_micro_batches,
     scheduled(schedule::dualpipe, micro_batches(4, trained_with(vpp{1}))),
     scheduled(schedule::dualpipe, micro_batches(2, trained_with(vpp{1}))),
     {2, 2},
     {32}},
    {rule::dualpipe_needs_twice_pp_micro_batches,
     scheduled(schedule::dualpipe_v, micro_batches(8, trained_with(pp{4}))),
     scheduled(schedule::dualpipe_v, micro_batches(7, trained_with(pp{4}))),
     {7, 4},
     {64}},
    {rule::dualpipe_needs_twice_pp_micro_batches,
     scheduled(schedule::zb_v, micro_batches(1)),
     in(profile::universal, scheduled(schedule::dualpipe_v, micro_batches(3))),
     {3, 2},
     {32}},
};

static_assert(meet_every_rule(cases, rules::pipeline));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on stages and what passes through them") { judge_at_run_time(cases); }

} // namespace
