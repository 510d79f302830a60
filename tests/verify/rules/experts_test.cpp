#include <moeplan/verify/rules/experts.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

template <class Change>
constexpr deployment with(Change change, deployment d = trained) {
  change(d.model.experts);
  return d;
}
template <class Change>
constexpr deployment when(Change change, deployment d = trained) {
  change(d.workload.train);
  return d;
}

constexpr deployment serving_with(std::int64_t redundant, ep ranks) {
  return changed(served, [=](auto& d) { d.workload.serve.redundant_experts = redundant, d.strategy = d.strategy.with(ranks); });
}

constexpr auto top_1 = [](auto& e) { e.top_k = 1, e.group_top_k = 1; };
constexpr auto biased = [](auto& e) { e.selection_bias = true, e.score = router_score::softmax; };
constexpr auto sigmoid = [](auto& e) { e.selection_bias = true, e.score = router_score::sigmoid; };
constexpr auto capacity = [](auto& t) { t.routing.capacity_factor = ratio{5, 4}; };
constexpr auto padded = [](auto& t) { t.routing.pad_to_capacity = true, t.routing.capacity_factor = ratio{5, 4}; };
constexpr auto sinkhorn = [](auto& t) { t.routing.balancing = load_balancing::sinkhorn; };
constexpr auto deepep = [](auto& t) { t.dispatcher = token_dispatcher::deepep; };
constexpr auto all_gather = [](auto& t) { t.dispatcher = token_dispatcher::all_gather; };
constexpr auto overlap = [](auto& t) { t.overlap.expert_parallel = true; };
constexpr auto shared_overlap = [](auto& t) { t.overlap.shared_experts = true; };
constexpr auto flex = [](auto& t) { t.dispatcher = token_dispatcher::flex; };
constexpr auto full_recompute = [](auto& t) { t.recompute = recompute::full; };
constexpr auto delayed = [](auto& t) { t.overlap.delayed_weight_gradient = true; };

/// 256 experts on DeepEP.
constexpr deployment wide(ep e, dp d) {
  return when(deepep, with([](auto& x) { x.routed = 256; }, trained_with(e, d)));
}

constexpr rule_case cases[] = {
    {rule::ep_needs_experts, with([](auto& e) { e = {}; }, trained_with(ep{1})), with([](auto& e) { e = {}; }), {8, 0}, {1}},

    // 16 GPUs a stage: what is suggested divides them, too.
    {rule::ep_is_at_most_experts, trained_with(ep{16}), trained_with(ep{32}), {32, 16}, {16}},
    {rule::ep_is_at_most_experts, serving_with(16, ep{32}), with([](auto& e) { e.routed = 6; }), {8, 6}, {2}},
    {rule::experts_divide_by_ep, trained_with(ep{4}), trained_with(ep{3}), {16, 3}, {2, 4}},
    {rule::experts_divide_by_ep,
     with([](auto& e) { e.routed = 24; }),
     with([](auto& e) { e.routed = 24; }, trained_with(ep{16})),
     {24, 16},
     {8}},
    {rule::experts_divide_by_ep, serving_with(8, ep{8}), serving_with(9, ep{8}), {25, 8}, {1}},
    // ETP 3 does not divide the stage at all: then only the experts count.
    {rule::experts_divide_by_ep, trained, trained_with(ep{5}, etp{3}), {16, 5}, {4, 8}},

    {rule::redundant_experts_are_not_negative, served, serving_with(-8, ep{8}), {-8}, {0}},
    {rule::redundant_experts_need_ep, serving_with(0, ep{1}), serving_with(8, ep{1}), {8, 1}, {0}},
    // Two ranks can hold a second copy of each of the 16 experts, and no third.
    {rule::redundant_experts_fit_ranks, serving_with(16, ep{2}), serving_with(18, ep{2}), {18, 16, 2}},
    {rule::redundant_experts_fit_ranks, serving_with(112, ep{8}), serving_with(120, ep{8}), {120, 16, 8}},

    {rule::top_1_needs_pre_softmax, trained, with(top_1), {1}},
    {rule::top_1_needs_pre_softmax, with(top_1, when([](auto& t) { t.routing.pre_softmax = true; })), with(top_1), {1}},
    {rule::top_1_needs_pre_softmax, with(top_1, when(sinkhorn)), with(top_1), {1}},
    {rule::top_1_needs_pre_softmax, with(top_1, with(sigmoid)), with(top_1), {1}},
    {rule::selection_bias_needs_sigmoid, with(sigmoid), with(biased), {16}},
    {rule::capacity_needs_other_balancing, when(capacity), when(capacity, when(sinkhorn)), {16}},
    {rule::capacity_needs_other_balancing, when(sinkhorn), when(capacity, when(sinkhorn)), {16}},
    {rule::padding_needs_capacity, when(padded), when([](auto& t) { t.routing.pad_to_capacity = true; }), {16}},
    {rule::padding_excludes_deepep, when(padded), when(padded, when(deepep)), {16}},
    {rule::padding_excludes_deepep, when(deepep), when(padded, when(deepep)), {16}},
    {rule::deepep_needs_expert_ranks, when(deepep), when(deepep, trained_with(ep{1})), {1, 1}},
    {rule::deepep_needs_expert_ranks, when(deepep, trained_with(ep{1}, etp{2})), when(deepep, trained_with(ep{1})), {1, 1}},
    {rule::deepep_needs_expert_ranks,
     in(profile::universal, when(deepep, trained_with(ep{1}))),
     in(profile::torchtitan, when(deepep, trained_with(ep{1}))),
     {1, 1}},
    {rule::shared_overlap_needs_all_to_all, when(shared_overlap), when(shared_overlap, when(all_gather)), {128}},
    {rule::shared_overlap_needs_all_to_all,
     when(shared_overlap, when(all_gather, with([](auto& e) { e.shared_intermediate_size = 0; }))),
     when(shared_overlap, when(all_gather)),
     {128}},

    {rule::expert_overlap_needs_ep, when(overlap), when(overlap, trained_with(ep{1})), {1}},
    {rule::expert_overlap_needs_vpp, when(overlap), when(overlap, trained_with(vpp{1})), {2, 1}},
    {rule::expert_overlap_needs_vpp, when(overlap, trained_with(pp{1}, vpp{1})), when(overlap, without(axis::vpp)), {2, 1}},
    // A listed layout says how many virtual stages there are.
    {rule::expert_overlap_needs_vpp,
     changed(when(overlap, without(axis::vpp)),
             [](auto& d) {
               d.layout = layout::stages({4, 2});
             }),
     changed(when(overlap, without(axis::vpp)),
             [](auto& d) {
               d.layout = layout::stages({2, 4});
             }),
     {2, 1}},
    {rule::expert_overlap_needs_all_to_all, when(overlap, when(flex)), when(overlap, when(all_gather)), {8}},
    {rule::expert_overlap_excludes_full_recompute, when(overlap), when(overlap, when(full_recompute)), {8}},
    {rule::expert_overlap_excludes_shared_overlap, when(overlap), when(overlap, when(shared_overlap)), {8}},
    {rule::expert_overlap_allows_one_mtp_layer,
     when(overlap),
     changed(when(overlap), [](auto& d) { d.model.mtp_layers = 2; }),
     {2}},
    {rule::delayed_gradient_needs_expert_overlap, when(delayed, when(overlap)), when(delayed), {8}},
    // 16 GPUs a stage, then 512.
    {rule::deepep_reaches_160_ranks, wide(ep{128}, dp{128}), wide(ep{256}, dp{4}), {1, 256}, {16}},
    {rule::deepep_reaches_160_ranks,
     in(profile::torchtitan, wide(ep{128}, dp{128})),
     in(profile::torchtitan, wide(ep{256}, dp{128})),
     {1, 256},
     {128}},
    {rule::deepep_reaches_160_ranks,
     in(profile::universal, wide(ep{256}, dp{128})),
     changed(wide(ep{128}, dp{128}), [](auto& d) { d.strategy.set(axis::etp, 2); }),
     {2, 128},
     {64}},
    {rule::deepep_reaches_160_ranks,
     when(flex, wide(ep{256}, dp{128})),
     changed(wide(ep{1}, dp{128}), [](auto& d) { d.strategy.set(axis::etp, 256); }),
     {256, 1}},

    {rule::tp_excludes_pp, in(profile::deepspeed, trained_with(pp{1})), in(profile::deepspeed), {2, 2}, {1}},
    {rule::tp_excludes_pp, trained, in(profile::deepspeed, trained_with(tp{4}, pp{8})), {4, 8}, {1}},
    {rule::tp_excludes_cp, in(profile::deepspeed, trained_with(cp{1})), in(profile::deepspeed), {2, 2}, {1}},
    {rule::tp_excludes_cp, trained, in(profile::deepspeed, trained_with(tp{4}, cp{8})), {4, 8}, {1}},
    {rule::tp_needs_ep, in(profile::deepspeed), in(profile::deepspeed, trained_with(ep{1})), {1, 2}, {1}},
    {rule::tp_needs_ep,
     in(profile::deepspeed, with([](auto& e) { e = {}; }, trained_with(ep{1}))), // Without experts nothing is folded.
     in(profile::deepspeed, trained_with(ep{1}, tp{4})),
     {1, 4},
     {1}},
    {rule::ep_divides_dp, in(profile::deepspeed), in(profile::deepspeed, trained_with(ep{16})), {16, 4, 2}, {8}},
};

static_assert(meet_every_rule(cases, rules::experts));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on experts, their router and the dispatch of tokens") { judge_at_run_time(cases); }

} // namespace
