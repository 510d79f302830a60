#include <moeplan/verify/rules/world.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t much = std::int64_t{1} << 40;
constexpr std::int64_t most = INT64_MAX;

constexpr deployment on(cluster c) {
  return changed(trained, [&c](auto& d) { d.cluster = c; });
}

constexpr deployment in_order(const char* order) { return trained_with(rank_order{order}); }

constexpr deployment product_on(std::int64_t gpus) {
  return changed(trained_with(mapping::product), [gpus](auto& d) { d.cluster = {.total = gpus}; });
}

/// So many GPUs, all of them DP.
constexpr deployment alone(std::int64_t gpus) { return trained_with(tp{1}, cp{1}, pp{1}, vpp{1}, sp{1}, ep{1}, dp{gpus}); }

constexpr rule_case cases[] = {
    {rule::tp_is_at_least_1, trained_with(tp{1}), trained_with(tp{0}), {0}, {1}},
    {rule::tp_is_at_least_1, trained_with(tp{most}), trained_with(tp{INT64_MIN}), {INT64_MIN}, {1}},
    {rule::pp_is_at_least_1, trained_with(pp{1}), trained_with(pp{-1}), {-1}, {1}},
    {rule::vpp_is_at_least_1, trained_with(vpp{1}), trained_with(vpp{0}), {0}, {1}},
    {rule::ep_is_at_least_1, trained_with(ep{1}), trained_with(ep{0}), {0}, {1}},
    {rule::etp_is_at_least_1, without(axis::etp), trained_with(etp{-3}), {-3}, {1}},
    {rule::dp_is_at_least_1, trained_with(dp{1}), trained_with(dp{0}), {0}, {1}},
    {rule::dp_is_at_least_1, without(axis::dp), trained_with(dp{-4}), {-4}, {1}},
    {rule::cp_is_at_least_1, trained_with(cp{1}), trained_with(cp{0}), {0}, {1}},
    {rule::sp_is_at_least_1, trained_with(sp{1}), trained_with(sp{-2}), {-2}, {1}},

    // The world itself; without DP; the experts' ranks; virtual stages; experts with their copies; a product mapping's EP and SP.
    {rule::overflow, trained_with(tp{much}, cp{2}), trained_with(tp{much}, cp{much}), {much, much, 4, 2, 8, 1, 2, 2}},
    {rule::overflow,
     trained_with(tp{most}, cp{1}, dp{1}, pp{1}),
     trained_with(tp{most / 2 + 1}, cp{2}, dp{1}, pp{1}),
     {most / 2 + 1, 2, 1, 1, 8, 1, 2, 2}},
    {rule::overflow, without(axis::dp), without(axis::dp, trained_with(tp{much}, pp{much})), {much, 2, 0, much, 8, 1, 2, 2}},
    {rule::overflow, trained_with(ep{most}), trained_with(ep{most}, etp{2}), {2, 2, 4, 2, most, 2, 2, 2}},
    {rule::overflow, trained_with(vpp{much}), trained_with(vpp{most}), {2, 2, 4, 2, 8, 1, most, 2}},
    {rule::overflow, served, changed(served, [](auto& d) { d.workload.serve.redundant_experts = most; }), {2, 2, 4, 2, 8, 1, 2, 2}},
    {rule::overflow,
     trained_with(ep{much}, sp{much}),
     trained_with(ep{much}, sp{much}, mapping::product),
     {2, 2, 4, 2, much, 1, 2, much}},

    {rule::cluster_has_gpus, on({}), on({.gpus_per_node = 8, .nodes = 0}), {0, 8, 0}},
    {rule::cluster_has_gpus, on({.total = 32}), on({.total = 0}), {0, 0, 0}},
    {rule::cluster_has_gpus, on({.total = most}), on({.total = -32}), {0, 0, -32}},
    {rule::cluster_has_gpus, trained, on({.gpus_per_node = -8, .nodes = -4}), {-4, -8, 0}},
    {rule::cluster_has_gpus, on({.gpus_per_node = 1, .nodes = most}), on({.gpus_per_node = much, .nodes = much}), {much, much, 0}},
    {rule::cluster_has_gpus, trained, on({.nodes = 4}), {4, 0, 0}},
    {rule::cluster_has_gpus, trained, on({.gpus_per_node = 8}), {0, 8, 0}},
    {rule::cluster_has_gpus,
     on({.gpus_per_node = 8, .nodes = 4, .total = 32}),
     on({.gpus_per_node = 8, .nodes = 4, .total = 30}),
     {4, 8, 30}},

    {rule::dp_can_be_derived, without(axis::dp), without(axis::dp, on({})), {}},
    {rule::dp_can_be_derived, on({}), without(axis::dp, on({})), {}},

    {rule::gpus_divide_by_model_parallel,
     without(axis::dp, on({.total = 40})),
     without(axis::dp, on({.total = 33})),
     {33, 8},
     {32, 48}}, // Multiples of PP x lcm(TP x CP, ETP x EP).
    {rule::gpus_divide_by_model_parallel, on({.total = 33}), without(axis::dp, on({.total = 7})), {7, 8}, {16}},
    {rule::gpus_divide_by_model_parallel, without(axis::dp, product_on(256)), without(axis::dp, product_on(32)), {32, 128}, {128}},

    // 16 GPUs a stage: an EP that the GPUs can carry, but not the experts, is not suggested.
    {rule::stage_divides_by_expert_ranks, trained_with(ep{16}), trained_with(ep{32}), {1, 32, 32, 16}, {16}},
    {rule::stage_divides_by_expert_ranks, trained_with(ep{8}, etp{2}), trained_with(ep{6}, etp{2}), {2, 6, 12, 16}, {4, 8}},
    {rule::stage_divides_by_expert_ranks, trained, trained_with(ep{1}, etp{3}), {3, 1, 3, 16}},
    {rule::stage_divides_by_expert_ranks,
     trained_with(mapping::product, ep{32}),
     changed(trained_with(ep{16}, etp{2}), [](auto& d) { d.model.experts.routed = 12; }),
     {2, 16, 32, 16},
     {4}},

    {rule::gpus_are_available, trained, on({.gpus_per_node = 8, .nodes = 2}), {32, 16}, {2}},
    {rule::gpus_are_available, on({.total = 33}), on({.total = 31}), {32, 31}, {2}}, // DP 3 would leave 12 GPUs a stage to EP 8.
    {rule::gpus_are_available, product_on(512), product_on(32), {512, 32}},

    {rule::no_gpu_is_idle, trained, on({.gpus_per_node = 8, .nodes = 8}), {32, 64}, {8}},
    {rule::no_gpu_is_idle, on({.total = 31}), on({.total = 33}), {32, 33}},

    {rule::order_names_tp, in_order("tp-cp-ep-dp-pp"), in_order("cp-ep-dp-pp"), {2, 1}},
    {rule::order_names_tp,
     changed(in_order("cp-ep-dp-pp"), [](auto& d) { d.strategy.set(axis::tp, 1); }),
     changed(in_order("cp-ep-dp-pp"), [](auto& d) { d.strategy.set(axis::tp, 1), d.strategy.set(axis::etp, 2); }),
     {1, 2}},
    {rule::order_names_cp, trained_with(rank_order{"tp-ep-dp-pp"}, cp{1}), in_order("tp-ep-dp-pp"), {2}},
    {rule::order_names_ep, trained_with(rank_order{"tp-cp-dp-pp"}, ep{1}), in_order("tp-cp-dp-pp"), {8}},
    {rule::order_names_dp, trained_with(rank_order{"tp-cp-ep-pp"}, dp{1}, ep{4}), in_order("tp-cp-ep-pp"), {4, 2}},
    {rule::order_names_dp,
     trained_with(rank_order{"tp-cp-ep-pp"}, dp{1}, ep{4}),
     trained_with(rank_order{"tp-cp-ep-pp"}, dp{1}, ep{2}),
     {1, 2}},
    {rule::order_names_pp, trained_with(rank_order{"tp-cp-ep-dp"}, pp{1}), in_order("tp-cp-ep-dp"), {2}},

    // TP 2 comes before PP on the dense grid, ETP 1 on the experts'.
    {rule::pipeline_groups_agree, trained, in_order("tp-pp-cp-ep-dp"), {2, 1, 2}},
    {rule::pipeline_groups_agree, trained_with(rank_order{"tp-pp-cp-ep-dp"}, etp{2}), in_order("cp-tp-ep-pp-dp"), {4, 8, 2}},
    {rule::pipeline_groups_agree, trained_with(rank_order{"tp-pp-cp-ep-dp"}, pp{1}), in_order("cp-dp-pp-ep-tp"), {8, 2, 2}},
    {rule::pipeline_groups_agree, in_order("cp-tp-ep-dp"), in_order("ep-pp-tp-cp-dp"), {1, 8, 2}},

    {rule::order_ends_with_pp, trained, in_order("tp-cp-ep-pp-dp"), {4, 2, 2}},
    {rule::order_ends_with_pp, trained_with(rank_order{"tp-cp-ep-pp-dp"}, ep{4}), in_order("tp-cp-ep-pp-dp"), {4, 2, 2}},
    {rule::order_ends_with_pp, trained_with(rank_order{"tp-cp-ep-pp-dp"}, pp{1}), in_order("pp-tp-cp-ep-dp"), {4, 2, 2}},

    {rule::etp_is_given, trained, without(axis::etp), {2, 2, 1, 8}, {1, 2}},
    {rule::etp_is_given, without(axis::etp, trained_with(tp{1})), without(axis::etp, trained_with(ep{16})), {1, 2, 0, 16}, {1}},
    {rule::etp_is_given, without(axis::etp, trained_with(ep{1})), without(axis::etp, trained_with(ep{2})), {8, 2, 4, 2}, {1, 2}},

    {rule::mapping_is_folded, trained, trained_with(mapping::product), {}},
    {rule::etp_is_1, in(profile::torchtitan), in(profile::torchtitan, trained_with(etp{2})), {2}, {1}},
    {rule::etp_is_1, trained_with(etp{2}), in(profile::deepspeed, trained_with(etp{8}, ep{2})), {8}, {1}},
    {rule::etp_is_1,
     in(profile::deepspeed, changed(trained_with(etp{2}), [](auto& d) { d.model.experts = {}; })),
     in(profile::deepspeed, trained_with(etp{2})),
     {2},
     {1}},

    {rule::order_is_fixed, in(profile::torchtitan), in(profile::torchtitan, in_order("tp-cp-ep-pp-dp")), {}},
    {rule::order_is_fixed, in(profile::vllm, served), in(profile::vllm, in_order("tp-cp-ep-pp-dp")), {}},
    {rule::order_is_fixed, in(profile::sglang, served), in(profile::sglang, in_order("tp-cp-ep-dp")), {}},
    {rule::order_is_fixed, in(profile::trtllm, served), in(profile::trtllm, in_order("cp-tp-ep-dp-pp")), {}},
    {rule::order_is_fixed, in_order("cp-tp-ep-dp-pp"), in(profile::deepspeed, in_order("cp-tp-ep-dp-pp")), {}},
    {rule::order_is_fixed, in(profile::universal, in_order("dp-pp")), in(profile::deepspeed, in_order("dp-pp")), {}},

    // 12 are 6 and 6, and 11 only 11 times 1; 28 are 4 times 7, and 30 are 5 times 6.
    {rule::gpus_divide_over_nodes, in(profile::vllm, alone(12)), in(profile::vllm, alone(11)), {11, 4, 8}},
    {rule::gpus_divide_over_nodes, in(profile::sglang, alone(28)), in(profile::sglang, alone(30)), {30, 4, 8}},
    {rule::gpus_divide_over_nodes, in(profile::trtllm, alone(11)), in(profile::sglang, alone(11)), {11, 4, 8}},
    {rule::gpus_divide_over_nodes,
     in(profile::vllm, changed(alone(11), [](auto& d) { d.cluster = {.total = 11}; })),
     in(profile::vllm, changed(alone(17), [](auto& d) { d.cluster.nodes = 16; })),
     {17, 16, 8}},
    {rule::gpus_divide_over_nodes,
     in(profile::vllm, changed(alone(11), [](auto& d) { d.cluster.nodes = 1; })), // There are other findings then.
     in(profile::vllm, changed(alone(11), [](auto& d) { d.cluster.nodes = 10; })),
     {11, 10, 8}},
};

static_assert(meet_every_rule(cases, rules::world));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on GPUs, grids and the order of ranks") { judge_at_run_time(cases); }

} // namespace
