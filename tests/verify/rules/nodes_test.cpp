#include <moeplan/verify/rules/nodes.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// The example's 32 GPUs, or as many as they are then, on other nodes.
constexpr deployment on(cluster c, deployment d = trained) {
  d.cluster = c;
  return d;
}

constexpr deployment in_order(const char* order, deployment d = trained) {
  d.strategy.order = rank_order{order};
  return d;
}

/// TP, CP, DP alone, on nodes of so many GPUs.
constexpr deployment dense(std::int64_t t, std::int64_t c, std::int64_t d, std::int64_t gpus_per_node) {
  return on({.gpus_per_node = gpus_per_node, .nodes = 64}, trained_with(tp{t}, cp{c}, dp{d}, pp{1}, vpp{1}, ep{1}, sp{1}));
}

/// ETP and EP of a stage of 16 or 24 GPUs.
constexpr deployment sparse(std::int64_t t, std::int64_t e, std::int64_t stage) {
  return trained_with(etp{t}, ep{e}, tp{1}, cp{1}, dp{stage}, pp{1}, vpp{1}, sp{1});
}

constexpr rule_case cases[] = {
    {rule::nvlink_domain_is_whole_nodes, trained, on({.gpus_per_node = 8, .nodes = 4, .nvlink_domain = 12}), {12, 8}, {8, 16}},
    {rule::nvlink_domain_is_whole_nodes,
     on({.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72}),
     on({.gpus_per_node = 8, .nodes = 4, .nvlink_domain = 4}),
     {4, 8},
     {8}},
    {rule::nvlink_domain_is_whole_nodes,
     on({.gpus_per_node = 8, .nodes = 4, .nvlink_domain = 8}),
     on({.gpus_per_node = 8, .nodes = 4, .nvlink_domain = -72}),
     {-72, 8},
     {8}},
    {rule::nvlink_domain_is_whole_nodes, on({.total = 32}), on({.total = 32, .nvlink_domain = 16}), {16, 0}},
    {rule::nvlink_domain_is_whole_nodes, on({.gpus_per_node = 0, .nvlink_domain = 16}), on({.nvlink_domain = 16}), {16, 0}},

    // 0 8 16 24: four nodes in place of one. In a rack of four nodes it is no matter.
    {rule::tp_stays_together, dense(4, 1, 8, 8), in_order("dp-tp-cp-ep-pp", dense(4, 1, 8, 8)), {4, 4, 1, 8}, {12345}},
    {rule::tp_stays_together,
     on({.gpus_per_node = 8, .nodes = 4, .nvlink_domain = 32}, in_order("dp-tp-cp-ep-pp", dense(4, 1, 8, 8))),
     on({.gpus_per_node = 8, .nodes = 4, .nvlink_domain = 16}, in_order("dp-tp-cp-ep-pp", dense(4, 1, 8, 8))),
     {4, 2, 1, 16},
     {12345}},
    // CP 8 before TP 8: each TP group has a rank on each of eight nodes.
    {rule::tp_stays_together, dense(8, 8, 1, 8), in_order("cp-tp-ep-dp-pp", dense(8, 8, 1, 8)), {8, 8, 1, 8}, {12345}},
    // Of three neighbours some are on two nodes in any order.
    {rule::tp_stays_together, dense(3, 1, 8, 8), in_order("dp-tp-pp", dense(3, 1, 8, 8)), {3, 3, 2, 8}, {12345}},
    {rule::tp_stays_together,
     in(profile::universal, in_order("dp-tp-cp-ep-pp", dense(4, 1, 8, 8))),
     in_order("dp-tp-cp-ep-pp", dense(4, 1, 8, 8)),
     {4, 4, 1, 8},
     {12345}},
    {rule::tp_stays_together,
     on({.total = 32}, in_order("dp-tp-cp-ep-pp", dense(4, 1, 8, 8))),
     in_order("pp-tp-cp-ep-dp", trained_with(tp{8}, cp{1}, dp{2}, vpp{1}, sp{1}, etp{8}, ep{2})),
     {8, 2, 1, 8},
     {12345}},

    {rule::cp_stays_together, dense(2, 4, 8, 8), in_order("tp-dp-cp-ep-pp", dense(2, 4, 8, 8)), {4, 4, 1, 8}, {12345}},
    // TP is a node; CP has to leave it.
    {rule::cp_stays_together, dense(8, 2, 2, 8), in_order("tp-dp-cp-ep-pp", dense(4, 2, 2, 8)), {2, 2, 1, 8}, {12345}},
    // Both are on two nodes, 0 1 2 and 3 4 5 with 0 3, 1 4 and 2 5; CP need not be, and TP gets no worse: 0 2 4 and 1 3 5.
    {rule::cp_stays_together, in_order("cp-tp-ep-dp-pp", dense(3, 2, 1, 4)), dense(3, 2, 1, 4), {2, 2, 1, 4}, {21345}},

    {rule::etp_stays_together, sparse(2, 8, 16), in_order("ep-tp-cp-dp-pp", sparse(2, 8, 16)), {2, 2, 1, 8}, {12345}},
    {rule::etp_stays_together,
     changed(in_order("ep-tp-cp-dp-pp", sparse(2, 8, 16)), [](auto& d) { d.model.experts = {}; }),
     in_order("dp-tp-cp-ep-pp", sparse(2, 2, 32)),
     {2, 2, 1, 8},
     {12345}},

    {rule::ep_stays_together, sparse(1, 8, 16), in_order("tp-cp-dp-ep-pp", sparse(1, 8, 16)), {8, 2, 1, 8, 1}, {12345}},
    // DeepSeek-V3's way: EP over whole nodes touches no more of them than it must.
    {rule::ep_stays_together, sparse(1, 16, 32), in_order("tp-cp-dp-ep-pp", sparse(1, 16, 32)), {16, 4, 2, 8, 1}, {12345}},
    {rule::ep_stays_together, sparse(2, 8, 16), in_order("tp-dp-ep-cp-pp", sparse(2, 2, 16)), {2, 2, 1, 8, 2}, {12345}},

    {rule::experts_fill_domains,
     sparse(1, 8, 24),
     changed(sparse(1, 6, 24), [](auto& d) { d.model.experts.routed = 24; }),
     {1, 6, 6, 8},
     {4, 8}},
    {rule::experts_fill_domains,
     sparse(1, 16, 32),
     changed(sparse(1, 12, 24), [](auto& d) { d.model.experts.routed = 24; }),
     {1, 12, 12, 8},
     {8, 24}},
    // All that there are: nobody to share a node with.
    {rule::experts_fill_domains,
     changed(sparse(1, 12, 12), [](auto& d) { d.model.experts.routed = 24; }),
     changed(trained_with(tp{1}, cp{1}, dp{12}, sp{1}, ep{12}), [](auto& d) { d.model.experts.routed = 24; }),
     {1, 12, 12, 8},
     {4}},
    {rule::experts_fill_domains,
     on({.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72},
        changed(sparse(1, 36, 144), [](auto& d) { d.model.experts.routed = 144; })),
     on({.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72},
        changed(sparse(1, 16, 144), [](auto& d) { d.model.experts.routed = 144; })),
     {1, 16, 16, 72},
     {12, 18}},

    {rule::model_parallel_fills_nodes,
     in(profile::deepspeed, trained_with(tp{4}, sp{1}, cp{1})),
     in(profile::deepspeed, trained_with(tp{3}, sp{1}, cp{1}, dp{8})),
     {3, 2, 8}},
    {rule::model_parallel_fills_nodes,
     in(profile::megatron, trained_with(tp{8}, sp{1})),
     in(profile::deepspeed, trained_with(tp{8}, sp{1})),
     {8, 2, 8}},
    {rule::model_parallel_fills_nodes,
     in(profile::deepspeed, on({.total = 32}, trained_with(tp{8}, sp{1}))),
     in(profile::deepspeed, on({.gpus_per_node = 2, .nodes = 16}, trained_with(tp{2}, pp{2}, sp{1}))),
     {2, 2, 2}},
};

static_assert(meet_every_rule(cases, rules::nodes));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on nodes and NVLink domains") { judge_at_run_time(cases); }

} // namespace
