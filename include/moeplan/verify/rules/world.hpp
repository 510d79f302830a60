#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on degrees, the number of GPUs, the two grids and the order of ranks.

namespace moeplan::detail {

/// Whether the order of ranks names every axis whose size is not 1 on both grids.
[[nodiscard]] constexpr bool orders_every_axis(const facts& f) noexcept {
  return (f.names(axis::tp) || (f.tp == 1 && f.etp == 1)) && (f.names(axis::cp) || f.cp == 1) && (f.names(axis::ep) || f.ep == 1) &&
         (f.names(axis::dp) || (f.dp == 1 && f.edp == 1)) && (f.names(axis::pp) || f.pp == 1);
}

} // namespace moeplan::detail

namespace moeplan::rules {

inline constexpr rule_entry world[] = {
    {.id = rule::tp_is_at_least_1,
     .name = "tp_is_at_least_1",
     .message = "TP is {tp}; a degree is at least 1",
     .operands = {{"tp", &facts::tp}},
     .source = "torchtitan parallel_dims.py:175; DeepSpeed auto_ep_folding.py:76",
     .holds = [](const facts& f) { return f.tp >= 1; },
     .legal = detail::one,
     .changes = "tp"},
    {.id = rule::pp_is_at_least_1,
     .name = "pp_is_at_least_1",
     .message = "PP is {pp}; a degree is at least 1",
     .operands = {{"pp", &facts::pp}},
     .source = "torchtitan parallel_dims.py:175",
     .holds = [](const facts& f) { return f.pp >= 1; },
     .legal = detail::one,
     .changes = "pp"},
    {.id = rule::vpp_is_at_least_1,
     .name = "vpp_is_at_least_1",
     .message = "VPP is {vpp}; a degree is at least 1",
     .operands = {{"vpp", &facts::vpp}},
     .source = "torchtitan parallel_dims.py:175",
     .holds = [](const facts& f) { return f.vpp >= 1; },
     .legal = detail::one,
     .changes = "vpp"},
    {.id = rule::ep_is_at_least_1,
     .name = "ep_is_at_least_1",
     .message = "EP is {ep}; a degree is at least 1",
     .operands = {{"ep", &facts::ep}},
     .source = "DeepSpeed auto_ep_folding.py:76; torchtitan parallel_dims.py:175",
     .holds = [](const facts& f) { return f.ep >= 1; },
     .legal = detail::one,
     .changes = "ep"},
    {.id = rule::etp_is_at_least_1,
     .name = "etp_is_at_least_1",
     .message = "ETP is {etp}; a degree is at least 1",
     .operands = {{"etp", &facts::etp}},
     .source = "DeepSpeed auto_ep_folding.py:76",
     .holds = [](const facts& f) { return f.etp >= 1; },
     .legal = detail::one,
     .changes = "etp"},
    {.id = rule::dp_is_at_least_1,
     .name = "dp_is_at_least_1",
     .message = "DP is {dp}; a degree is at least 1",
     .operands = {{"dp", &facts::dp}},
     .source = "torchtitan parallel_dims.py:175",
     .holds = [](const facts& f) { return !f.dp_given || f.dp >= 1; },
     .legal = detail::one,
     .changes = "dp"},
    {.id = rule::cp_is_at_least_1,
     .name = "cp_is_at_least_1",
     .message = "CP is {cp}; a degree is at least 1",
     .operands = {{"cp", &facts::cp}},
     .source = "torchtitan parallel_dims.py:175",
     .holds = [](const facts& f) { return f.cp >= 1; },
     .legal = detail::one,
     .changes = "cp"},
    {.id = rule::sp_is_at_least_1,
     .name = "sp_is_at_least_1",
     .message = "SP is {sp}; a degree is at least 1",
     .operands = {{"sp", &facts::sp}},
     .source = "DeepSpeed runtime/sequence_parallel/parallel_state_sp.py:24",
     .holds = [](const facts& f) { return f.sp >= 1; },
     .legal = detail::one,
     .changes = "sp"},
    {.id = rule::overflow,
     .name = "overflow",
     .message = "a number of ranks, stages or experts of TP {tp} x CP {cp} x DP {dp} x PP {pp} with EP {ep}, ETP {etp}, VPP {vpp}, "
                "SP {sp} does not fit into 64 bits",
     .operands = {{"tp", &facts::tp},
                  {"cp", &facts::cp},
                  {"dp", &facts::dp},
                  {"pp", &facts::pp},
                  {"ep", &facts::ep},
                  {"etp", &facts::etp},
                  {"vpp", &facts::vpp},
                  {"sp", &facts::sp}},
     .source = "ranks are signed 64-bit integers",
     .holds = [](const facts& f) { return !f.overflows; }},
    {.id = rule::cluster_has_gpus,
     .name = "cluster_has_gpus",
     .message =
         "the cluster's number of GPUs is not clear: {nodes} nodes of {gpus_per_node} GPUs, {gpus} in all (0: not given); it is "
         "from 1 to 2^63 - 1",
     .operands = {{"nodes", &facts::nodes}, {"gpus_per_node", &facts::gpus_per_node}, {"gpus", &facts::cluster_total}},
     .source = "a count of machines",
     .holds = [](const facts& f) { return !f.cluster_described || f.knows(known::cluster); }},
    {.id = rule::dp_can_be_derived,
     .name = "dp_can_be_derived",
     .message = "DP is not given, and without a cluster to derive it from the number of GPUs is unknown",
     .source = "Megatron-LM parallel_state.py:822, where DP is the world size over TP x PP x CP",
     .holds = [](const facts& f) { return f.dp_given || f.cluster_described; }},
    {.id = rule::gpus_divide_by_model_parallel,
     .name = "gpus_divide_by_model_parallel",
     .needs = known::cluster | (known::degrees & ~known::dp),
     .message =
         "{gpus} GPUs cannot be divided evenly into copies of the model of {model_parallel} GPUs each (TP x CP x PP; under a "
         "product mapping x EP x SP too)",
     .operands = {{"gpus", &facts::available}, {"model_parallel", &facts::model_parallel}},
     .source = "Megatron-LM parallel_state.py:822, arguments.py:432",
     .holds = [](const facts& f) { return f.dp_given || f.overflows || f.available % f.model_parallel == 0; },
     .legal = [](const facts& f) { return detail::multiples(f.model_parallel, f.available); },
     .changes = "gpus"},
    {.id = rule::stage_divides_by_expert_ranks,
     .name = "stage_divides_by_expert_ranks",
     .needs = known::degrees | known::no_overflow | known::folded,
     .message =
         "the experts' ETP {etp} x EP {ep} = {expert_ranks} ranks do not divide the {stage_gpus} GPUs of a stage (TP x CP x DP)",
     .operands =
         {{"etp", &facts::etp}, {"ep", &facts::ep}, {"expert_ranks", &facts::expert_ranks}, {"stage_gpus", &facts::stage_gpus}},
     .source = "Megatron-LM parallel_state.py:881; arXiv 2504.14960; DeepSpeed auto_ep_folding.py:117",
     .holds = [](const facts& f) { return f.stage_gpus % f.expert_ranks == 0; },
     .legal = detail::legal_ep_on_stage,
     .changes = "ep"},
    {.id = rule::gpus_are_available,
     .name = "gpus_are_available",
     .needs = known::degrees | known::no_overflow | known::cluster,
     .message = "the strategy takes {gpus} GPUs, the cluster has {available}",
     .operands = {{"gpus", &facts::gpus}, {"available", &facts::available}},
     .source = "vLLM ParallelConfig.__post_init__; NeMo-RL#1182",
     .holds = [](const facts& f) { return f.gpus <= f.available; },
     .legal =
         [](const facts& f) {
           return f.available >= f.model_parallel ? detail::only(f.available / f.model_parallel) : legal_values{};
         },
     .changes = "dp"},
    {.id = rule::no_gpu_is_idle,
     .name = "no_gpu_is_idle",
     .severity = severity::advice,
     .needs = known::degrees | known::no_overflow | known::cluster,
     .message = "the strategy takes {gpus} GPUs, the cluster has {available}: the rest stays idle",
     .operands = {{"gpus", &facts::gpus}, {"available", &facts::available}},
     .source = "what a cluster is for",
     .holds = [](const facts& f) { return f.gpus >= f.available; },
     .legal =
         [](const facts& f) {
           return f.available % f.model_parallel == 0 ? detail::only(f.available / f.model_parallel) : legal_values{};
         },
     .changes = "dp"},
    {.id = rule::order_names_tp,
     .name = "order_names_tp",
     .needs = known::tp | known::etp,
     .message = "the order of ranks does not name tp, but TP is {tp} and ETP {etp}",
     .operands = {{"tp", &facts::tp}, {"etp", &facts::etp}},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = [](const facts& f) { return f.names(axis::tp) || (f.tp == 1 && f.etp == 1); }},
    {.id = rule::order_names_cp,
     .name = "order_names_cp",
     .needs = known::cp,
     .message = "the order of ranks does not name cp, but CP is {cp}",
     .operands = {{"cp", &facts::cp}},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = [](const facts& f) { return f.names(axis::cp) || f.cp == 1; }},
    {.id = rule::order_names_ep,
     .name = "order_names_ep",
     .needs = known::ep,
     .message = "the order of ranks does not name ep, but EP is {ep}",
     .operands = {{"ep", &facts::ep}},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = [](const facts& f) { return f.names(axis::ep) || f.ep == 1; }},
    {.id = rule::order_names_dp,
     .name = "order_names_dp",
     .needs = known::grids,
     .message = "the order of ranks does not name dp, but DP is {dp} and EDP {edp}",
     .operands = {{"dp", &facts::dp}, {"edp", &facts::edp}},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = [](const facts& f) { return f.names(axis::dp) || (f.dp == 1 && f.edp == 1); }},
    {.id = rule::order_names_pp,
     .name = "order_names_pp",
     .needs = known::pp,
     .message = "the order of ranks does not name pp, but PP is {pp}",
     .operands = {{"pp", &facts::pp}},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = [](const facts& f) { return f.names(axis::pp) || f.pp == 1; }},
    {.id = rule::pipeline_groups_agree,
     .name = "pipeline_groups_agree",
     .needs = known::grids,
     .message = "in this order of ranks the next pipeline stage is {dense_stride} ranks away for dense layers and {expert_stride} "
                "for experts: "
                "a rank would be in two different pipelines",
     .operands = {{"dense_stride", &facts::dense_before_pp}, {"expert_stride", &facts::expert_before_pp}, {"pp", &facts::pp}},
     .source = "Megatron-LM parallel_state.py:904, in closed form",
     .holds = [](const facts& f) { return f.pp == 1 || !detail::orders_every_axis(f) || f.dense_before_pp == f.expert_before_pp; }},
    {.id = rule::order_ends_with_pp,
     .name = "order_ends_with_pp",
     .scope = scope::megatron,
     .needs = known::grids,
     .message = "the order of ranks does not end with pp, so DP {dp} and EDP {edp} must be equal",
     .operands = {{"dp", &facts::dp}, {"edp", &facts::edp}, {"pp", &facts::pp}},
     .source = "Megatron-LM parallel_state.py:898",
     .holds = [](const facts& f) { return f.order_ends_with_pp || !f.names(axis::pp) || f.pp == 1 || f.dp == f.edp; }},
    {.id = rule::etp_is_given,
     .name = "etp_is_given",
     .severity = severity::advice,
     .scope = scope::megatron,
     .needs = known::grids,
     .message = "ETP is not given and is taken as 1, which makes EDP {edp}; Megatron-LM would take TP {tp}, which makes EDP "
                "{edp_if_tp} (0: it "
                "refuses). Say which one you mean",
     .operands = {{"edp", &facts::edp}, {"tp", &facts::tp}, {"edp_if_tp", &facts::edp_if_etp_is_tp}, {"ep", &facts::ep}},
     .source = "Megatron-LM parallel_state.py:871, arguments.py:587",
     .holds = [](const facts& f) { return f.etp_given || f.tp == 1 || f.ep == 1; },
     .legal =
         [](const facts& f) {
           legal_values v = detail::only(1);
           if (f.edp_if_etp_is_tp != 0) v.push_back(f.tp);
           return v;
         },
     .changes = "etp"},
    {.id = rule::mapping_is_folded,
     .name = "mapping_is_folded",
     .severity = severity::warning,
     .message = "the degrees are multiplied as under a product mapping: such a document can be checked, but no framework lays out "
                "ranks like "
                "this, so there is no mesh, no memory and no cost",
     .source = "arXiv 2504.14960; Megatron-LM parallel_state.py",
     .holds = [](const facts& f) { return f.knows(known::folded); }},
};

} // namespace moeplan::rules
