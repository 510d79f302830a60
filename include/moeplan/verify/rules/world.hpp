#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on degrees, the number of GPUs, the two grids and the order of ranks.

namespace moeplan::holds {

constexpr bool tp_is_at_least_1(const facts& f) noexcept { return f.tp >= 1; }
constexpr bool pp_is_at_least_1(const facts& f) noexcept { return f.pp >= 1; }
constexpr bool vpp_is_at_least_1(const facts& f) noexcept { return f.vpp >= 1; }
constexpr bool ep_is_at_least_1(const facts& f) noexcept { return f.ep >= 1; }
constexpr bool etp_is_at_least_1(const facts& f) noexcept { return f.etp >= 1; }
constexpr bool dp_is_at_least_1(const facts& f) noexcept { return !f.dp_given || f.dp >= 1; }
constexpr bool cp_is_at_least_1(const facts& f) noexcept { return f.cp >= 1; }
constexpr bool sp_is_at_least_1(const facts& f) noexcept { return f.sp >= 1; }
constexpr bool overflow(const facts& f) noexcept { return !f.overflows; }
constexpr bool cluster_has_gpus(const facts& f) noexcept { return !f.cluster_described || f.knows(known::cluster); }
constexpr bool dp_can_be_derived(const facts& f) noexcept { return f.dp_given || f.cluster_described; }
constexpr bool gpus_divide_by_model_parallel(const facts& f) noexcept {
  return f.dp_given || f.overflows || f.available % f.model_parallel == 0;
}
constexpr bool stage_divides_by_expert_ranks(const facts& f) noexcept { return f.stage_gpus % f.expert_ranks == 0; }
constexpr bool gpus_are_available(const facts& f) noexcept { return f.gpus <= f.available; }
constexpr bool no_gpu_is_idle(const facts& f) noexcept { return f.gpus >= f.available; }
constexpr bool order_names_tp(const facts& f) noexcept { return f.names(axis::tp) || (f.tp == 1 && f.etp == 1); }
constexpr bool order_names_cp(const facts& f) noexcept { return f.names(axis::cp) || f.cp == 1; }
constexpr bool order_names_ep(const facts& f) noexcept { return f.names(axis::ep) || f.ep == 1; }
constexpr bool order_names_dp(const facts& f) noexcept { return f.names(axis::dp) || (f.dp == 1 && f.edp == 1); }
constexpr bool order_names_pp(const facts& f) noexcept { return f.names(axis::pp) || f.pp == 1; }
constexpr bool pipeline_groups_agree(const facts& f) noexcept {
  return f.pp == 1 || !detail::orders_every_axis(f) || f.dense_before_pp == f.expert_before_pp;
}
constexpr bool order_ends_with_pp(const facts& f) noexcept {
  return f.order_ends_with_pp || !f.names(axis::pp) || f.pp == 1 || f.dp == f.edp;
}
constexpr bool etp_is_given(const facts& f) noexcept { return f.etp_given || f.tp == 1 || f.ep == 1; }
constexpr bool mapping_is_folded(const facts& f) noexcept { return f.knows(known::folded); }
constexpr bool etp_is_1(const facts& f) noexcept { return f.etp == 1; }
constexpr bool order_is_fixed(const facts& f) noexcept { return f.order_is_default; }
constexpr bool gpus_divide_over_nodes(const facts& f) noexcept {
  if (f.nodes < 1 || f.gpus_per_node < 1 || f.gpus_per_node > 4096 || f.gpus > f.available) return true;
  for (std::int64_t each = f.gpus_per_node; each > 0; --each)
    if (f.gpus % each == 0) return f.gpus / each <= f.nodes;
  return false;
}

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values etp_is_given(const facts& f) noexcept {
  legal_values v = detail::only(1);
  if (f.edp_if_etp_is_tp != 0 && f.expert_mlp % f.tp == 0) v.push_back(f.tp);
  return v;
}

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry world[] = {
    {.id = rule::tp_is_at_least_1,
     .name = "tp_is_at_least_1",
     .message = "TP is {tp}; a degree is at least 1",
     .operands = {&operands::tp},
     .source = "torchtitan parallel_dims.py:175; DeepSpeed auto_ep_folding.py:76",
     .holds = holds::tp_is_at_least_1,
     .legal = detail::one,
     .changes = "tp"},
    {.id = rule::pp_is_at_least_1,
     .name = "pp_is_at_least_1",
     .message = "PP is {pp}; a degree is at least 1",
     .operands = {&operands::pp},
     .source = "torchtitan parallel_dims.py:175",
     .holds = holds::pp_is_at_least_1,
     .legal = detail::one,
     .changes = "pp"},
    {.id = rule::vpp_is_at_least_1,
     .name = "vpp_is_at_least_1",
     .message = "VPP is {vpp}; a degree is at least 1",
     .operands = {&operands::vpp},
     .source = "torchtitan parallel_dims.py:175",
     .holds = holds::vpp_is_at_least_1,
     .legal = detail::one,
     .changes = "vpp"},
    {.id = rule::ep_is_at_least_1,
     .name = "ep_is_at_least_1",
     .message = "EP is {ep}; a degree is at least 1",
     .operands = {&operands::ep},
     .source = "DeepSpeed auto_ep_folding.py:76; torchtitan parallel_dims.py:175",
     .holds = holds::ep_is_at_least_1,
     .legal = detail::one,
     .changes = "ep"},
    {.id = rule::etp_is_at_least_1,
     .name = "etp_is_at_least_1",
     .message = "ETP is {etp}; a degree is at least 1",
     .operands = {&operands::etp},
     .source = "DeepSpeed auto_ep_folding.py:76",
     .holds = holds::etp_is_at_least_1,
     .legal = detail::one,
     .changes = "etp"},
    {.id = rule::dp_is_at_least_1,
     .name = "dp_is_at_least_1",
     .message = "DP is {dp}; a degree is at least 1",
     .operands = {&operands::dp},
     .source = "torchtitan parallel_dims.py:175",
     .holds = holds::dp_is_at_least_1,
     .legal = detail::one,
     .changes = "dp"},
    {.id = rule::cp_is_at_least_1,
     .name = "cp_is_at_least_1",
     .message = "CP is {cp}; a degree is at least 1",
     .operands = {&operands::cp},
     .source = "torchtitan parallel_dims.py:175",
     .holds = holds::cp_is_at_least_1,
     .legal = detail::one,
     .changes = "cp"},
    {.id = rule::sp_is_at_least_1,
     .name = "sp_is_at_least_1",
     .message = "SP is {sp}; a degree is at least 1",
     .operands = {&operands::sp},
     .source = "DeepSpeed runtime/sequence_parallel/parallel_state_sp.py:24",
     .holds = holds::sp_is_at_least_1,
     .legal = detail::one,
     .changes = "sp"},
    {.id = rule::overflow,
     .name = "overflow",
     .message = "a number of ranks, stages or experts of TP {tp} x CP {cp} x DP {dp} x PP {pp} with EP {ep}, ETP {etp}, VPP {vpp}, "
                "SP {sp} does not fit into 64 bits",
     .operands = {&operands::tp, &operands::cp, &operands::dp, &operands::pp, &operands::ep, &operands::etp, &operands::vpp,
                  &operands::sp},
     .source = "ranks are signed 64-bit integers",
     .holds = holds::overflow},
    {.id = rule::cluster_has_gpus,
     .name = "cluster_has_gpus",
     .message =
         "the cluster's number of GPUs is not clear: {nodes} nodes of {gpus_per_node} GPUs, {gpus} in all (0: not given); it is "
         "from 1 to 2^63 - 1",
     .operands = {&operands::nodes, &operands::gpus_per_node, &operands::cluster_total},
     .source = "a count of machines",
     .holds = holds::cluster_has_gpus},
    {.id = rule::dp_can_be_derived,
     .name = "dp_can_be_derived",
     .message = "DP is not given, and without a cluster to derive it from the number of GPUs is unknown",
     .source = "Megatron-LM parallel_state.py:822, where DP is the world size over TP x PP x CP",
     .holds = holds::dp_can_be_derived},
    {.id = rule::gpus_divide_by_model_parallel,
     .name = "gpus_divide_by_model_parallel",
     .needs = known::cluster | (known::degrees & ~known::dp),
     .message =
         "{gpus} GPUs cannot be divided evenly into copies of the model of {model_parallel} GPUs each (TP x CP x PP; under a "
         "product mapping x EP x SP too)",
     .operands = {&operands::available_gpus, &operands::model_parallel},
     .source = "Megatron-LM parallel_state.py:822, arguments.py:432",
     .holds = holds::gpus_divide_by_model_parallel,
     .legal = detail::legal_gpus,
     .changes = "gpus"},
    {.id = rule::stage_divides_by_expert_ranks,
     .name = "stage_divides_by_expert_ranks",
     .needs = known::degrees | known::no_overflow | known::folded,
     .message =
         "the experts' ETP {etp} x EP {ep} = {expert_ranks} ranks do not divide the {stage_gpus} GPUs of a stage (TP x CP x DP)",
     .operands = {&operands::etp, &operands::ep, &operands::expert_ranks, &operands::stage_gpus},
     .source = "Megatron-LM parallel_state.py:881; arXiv 2504.14960; DeepSpeed auto_ep_folding.py:117",
     .holds = holds::stage_divides_by_expert_ranks,
     .legal = detail::legal_ep_on_stage,
     .changes = "ep"},
    {.id = rule::gpus_are_available,
     .name = "gpus_are_available",
     .needs = known::degrees | known::no_overflow | known::cluster,
     .message = "the strategy takes {gpus} GPUs, the cluster has {available}",
     .operands = {&operands::gpus, &operands::available},
     .source = "vLLM ParallelConfig.__post_init__; NeMo-RL#1182",
     .holds = holds::gpus_are_available,
     .legal = detail::legal_dp,
     .changes = "dp"},
    {.id = rule::no_gpu_is_idle,
     .name = "no_gpu_is_idle",
     .severity = severity::advice,
     .needs = known::degrees | known::no_overflow | known::cluster,
     .message = "the strategy takes {gpus} GPUs, the cluster has {available}: the rest stays idle",
     .operands = {&operands::gpus, &operands::available},
     .source = "what a cluster is for",
     .holds = holds::no_gpu_is_idle,
     .legal = detail::legal_dp_for_all,
     .changes = "dp"},
    {.id = rule::order_names_tp,
     .name = "order_names_tp",
     .needs = known::tp | known::etp,
     .message = "the order of ranks does not name tp, but TP is {tp} and ETP {etp}",
     .operands = {&operands::tp, &operands::etp},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = holds::order_names_tp},
    {.id = rule::order_names_cp,
     .name = "order_names_cp",
     .needs = known::cp,
     .message = "the order of ranks does not name cp, but CP is {cp}",
     .operands = {&operands::cp},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = holds::order_names_cp},
    {.id = rule::order_names_ep,
     .name = "order_names_ep",
     .needs = known::ep,
     .message = "the order of ranks does not name ep, but EP is {ep}",
     .operands = {&operands::ep},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = holds::order_names_ep},
    {.id = rule::order_names_dp,
     .name = "order_names_dp",
     .needs = known::grids,
     .message = "the order of ranks does not name dp, but DP is {dp} and EDP {edp}",
     .operands = {&operands::dp, &operands::edp},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = holds::order_names_dp},
    {.id = rule::order_names_pp,
     .name = "order_names_pp",
     .needs = known::pp,
     .message = "the order of ranks does not name pp, but PP is {pp}",
     .operands = {&operands::pp},
     .source = "Megatron-LM parallel_state.py:504",
     .holds = holds::order_names_pp},
    {.id = rule::pipeline_groups_agree,
     .name = "pipeline_groups_agree",
     .needs = known::grids,
     .message = "in this order of ranks the next pipeline stage is {dense_stride} ranks away for dense layers and {expert_stride} "
                "for experts: "
                "a rank would be in two different pipelines",
     .operands = {&operands::dense_stride, &operands::expert_stride, &operands::pp},
     .source = "Megatron-LM parallel_state.py:904, in closed form",
     .holds = holds::pipeline_groups_agree},
    {.id = rule::order_ends_with_pp,
     .name = "order_ends_with_pp",
     .scope = scope::megatron,
     .needs = known::grids,
     .message = "the order of ranks does not end with pp, so DP {dp} and EDP {edp} must be equal",
     .operands = {&operands::dp, &operands::edp, &operands::pp},
     .source = "Megatron-LM parallel_state.py:898",
     .holds = holds::order_ends_with_pp},
    {.id = rule::etp_is_given,
     .name = "etp_is_given",
     .severity = severity::advice,
     .scope = scope::megatron,
     .needs = known::grids,
     .message = "ETP is not given and is taken as 1, which makes EDP {edp}; Megatron-LM would take TP {tp}, which makes EDP "
                "{edp_if_tp} (0: it "
                "refuses). Say which one you mean",
     .operands = {&operands::edp, &operands::tp, &operands::edp_if_tp, &operands::ep},
     .source = "Megatron-LM parallel_state.py:871, arguments.py:587",
     .holds = holds::etp_is_given,
     .legal = legal::etp_is_given,
     .changes = "etp"},
    {.id = rule::mapping_is_folded,
     .name = "mapping_is_folded",
     .severity = severity::warning,
     .message = "the degrees are multiplied as under a product mapping: such a document can be checked, but no framework lays out "
                "ranks like "
                "this, so there is no mesh, no memory and no cost",
     .source = "arXiv 2504.14960; Megatron-LM parallel_state.py",
     .holds = holds::mapping_is_folded},
    {.id = rule::etp_is_1,
     .name = "etp_is_1",
     .scope = scope::torchtitan | scope::deepspeed,
     .needs = known::experts | known::etp,
     .message = "neither torchtitan nor DeepSpeed cuts an expert over several ranks: ETP is 1, not {etp}",
     .operands = {&operands::etp},
     .source = "torchtitan parallel_dims.py, where EP alone takes experts' ranks; DeepSpeed auto_ep_folding.py:214",
     .holds = holds::etp_is_1,
     .legal = detail::one,
     .changes = "etp"},
    {.id = rule::order_is_fixed,
     .name = "order_is_fixed",
     .severity = severity::warning,
     .scope = scope::torchtitan | scope::serving | scope::deepspeed,
     .message = "the order of ranks is an option of Megatron-LM alone; this framework numbers them in an order of its own",
     .source = "torchtitan parallel_dims.py, build_mesh; vLLM, SGLang parallel_state.py, initialize_model_parallel; TensorRT-LLM "
               "mapping.py; DeepSpeed auto_ep_folding.py",
     .holds = holds::order_is_fixed},
    {.id = rule::gpus_divide_over_nodes,
     .name = "gpus_divide_over_nodes",
     .scope = scope::vllm | scope::sglang,
     .needs = known::degrees | known::no_overflow | known::cluster,
     .message = "{gpus} GPUs cannot be taken from up to {nodes} nodes of {gpus_per_node}, as many from each",
     .operands = {&operands::gpus, &operands::nodes, &operands::gpus_per_node},
     .source = "vLLM EngineArgs.create_engine_config, vllm#55111; SGLang validation_hook.py, check_server_args",
     .holds = holds::gpus_divide_over_nodes},
};

} // namespace moeplan::rules
