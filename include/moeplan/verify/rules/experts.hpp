#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on expert parallelism, the router's options and the dispatch of tokens.

namespace moeplan::detail {

/// Dispatchers that exchange tokens all-to-all.
[[nodiscard]] constexpr bool exchanges_all_to_all(const facts& f) noexcept { return f.dispatcher != token_dispatcher::all_gather; }

} // namespace moeplan::detail

namespace moeplan::holds {

constexpr bool ep_needs_experts(const facts& f) noexcept { return f.ep == 1 || f.experts > 0; }
constexpr bool ep_is_at_most_experts(const facts& f) noexcept { return f.ep <= f.physical_experts || f.physical_experts == 0; }
constexpr bool experts_divide_by_ep(const facts& f) noexcept { return f.ep > f.physical_experts || f.physical_experts % f.ep == 0; }
constexpr bool redundant_experts_are_not_negative(const facts& f) noexcept { return f.redundant_experts >= 0; }
constexpr bool redundant_experts_need_ep(const facts& f) noexcept { return f.redundant_experts <= 0 || f.ep > 1; }
constexpr bool redundant_experts_fit_ranks(const facts& f) noexcept {
  return f.redundant_experts <= 0 || f.ep == 1 || f.redundant_experts / f.experts < f.ep - 1 ||
         f.redundant_experts == f.experts * (f.ep - 1);
}
constexpr bool top_1_needs_pre_softmax(const facts& f) noexcept {
  return f.top_k != 1 || f.sigmoid_router || f.pre_softmax || f.balancing == load_balancing::sinkhorn;
}
constexpr bool selection_bias_needs_sigmoid(const facts& f) noexcept { return !f.selection_bias || f.sigmoid_router; }
constexpr bool capacity_needs_other_balancing(const facts& f) noexcept {
  return !f.has_capacity || f.balancing != load_balancing::sinkhorn;
}
constexpr bool padding_needs_capacity(const facts& f) noexcept { return !f.pad_to_capacity || f.has_capacity; }
constexpr bool padding_excludes_deepep(const facts& f) noexcept {
  return !f.pad_to_capacity || f.dispatcher != token_dispatcher::deepep;
}
constexpr bool deepep_needs_expert_ranks(const facts& f) noexcept {
  return f.dispatcher != token_dispatcher::deepep || f.etp > 1 || f.ep > 1;
}
constexpr bool shared_overlap_needs_all_to_all(const facts& f) noexcept {
  return !f.overlap.shared_experts || f.shared_mlp <= 0 || detail::exchanges_all_to_all(f);
}
constexpr bool expert_overlap_needs_ep(const facts& f) noexcept { return !f.overlap.expert_parallel || f.ep > 1; }
constexpr bool expert_overlap_needs_vpp(const facts& f) noexcept { return !f.overlap.expert_parallel || f.pp == 1 || f.vpp > 1; }
constexpr bool expert_overlap_needs_all_to_all(const facts& f) noexcept {
  return !f.overlap.expert_parallel || detail::exchanges_all_to_all(f);
}
constexpr bool expert_overlap_excludes_full_recompute(const facts& f) noexcept {
  return !f.overlap.expert_parallel || f.recompute != recompute::full;
}
constexpr bool expert_overlap_excludes_shared_overlap(const facts& f) noexcept {
  return !f.overlap.expert_parallel || !f.overlap.shared_experts;
}
constexpr bool expert_overlap_allows_one_mtp_layer(const facts& f) noexcept {
  return !f.overlap.expert_parallel || f.mtp_layers <= 1;
}
constexpr bool delayed_gradient_needs_expert_overlap(const facts& f) noexcept {
  return !f.overlap.delayed_weight_gradient || f.overlap.expert_parallel;
}
constexpr bool deepep_reaches_160_ranks(const facts& f) noexcept {
  return f.dispatcher != token_dispatcher::deepep || (f.etp <= 160 && f.ep <= 160 / f.etp);
}
constexpr bool tp_excludes_pp(const facts& f) noexcept { return f.tp == 1 || f.pp == 1; }
constexpr bool tp_excludes_cp(const facts& f) noexcept { return f.tp == 1 || f.cp == 1; }
constexpr bool tp_needs_ep(const facts& f) noexcept { return f.tp == 1 || f.ep > 1; }
constexpr bool ep_divides_dp(const facts& f) noexcept { return f.dp * f.cp % f.ep == 0; }

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values redundant_experts_are_not_negative(const facts&) noexcept { return detail::only(0); }
constexpr legal_values redundant_experts_need_ep(const facts&) noexcept { return detail::only(0); }
constexpr legal_values ep_divides_dp(const facts& f) noexcept {
  legal_values v;
  for (const std::int64_t ep : detail::divisors(gcd(f.dp * f.cp, f.physical_experts), f.ep))
    if (detail::allows_ep(f, ep)) v.push_back(ep);
  return v;
}

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry experts[] = {
    {.id = rule::ep_needs_experts,
     .name = "ep_needs_experts",
     .needs = known::ep,
     .message = "EP is {ep}, but the model has {experts} routed experts",
     .operands = {&operands::ep, &operands::experts},
     .source = "Megatron-LM arguments.py:1656, transformer_config.py:1595; vLLM _verify_with_expert_parallelism",
     .holds = holds::ep_needs_experts,
     .legal = detail::one,
     .changes = "ep"},
    {.id = rule::ep_is_at_most_experts,
     .name = "ep_is_at_most_experts",
     .needs = known::experts | known::ep,
     .message = "EP {ep} is more than the {experts} experts there are",
     .operands = {&operands::ep, &operands::physical_experts},
     .source = "DeepSpeed auto_ep_config.py:275; aiconfigurator models/moe.py:119",
     .holds = holds::ep_is_at_most_experts,
     .legal = detail::legal_ep,
     .changes = "ep"},
    {.id = rule::experts_divide_by_ep,
     .name = "experts_divide_by_ep",
     .needs = known::experts | known::ep,
     .message = "{experts} experts (redundant copies included) cannot be divided evenly over EP {ep}",
     .operands = {&operands::physical_experts, &operands::ep},
     .source = "Megatron-LM arguments.py:1657, moe_layer.py:186; DeepSpeed moe/layer.py:59; vLLM#52435",
     .holds = holds::experts_divide_by_ep,
     .legal = detail::legal_ep,
     .changes = "ep"},
    {.id = rule::redundant_experts_are_not_negative,
     .name = "redundant_experts_are_not_negative",
     .message = "{redundant_experts} redundant experts; a number of copies is not negative",
     .operands = {&operands::redundant_experts},
     .source = "vLLM ParallelConfig._validate_parallel_config",
     .holds = holds::redundant_experts_are_not_negative,
     .legal = legal::redundant_experts_are_not_negative,
     .changes = "redundant_experts"},
    {.id = rule::redundant_experts_need_ep,
     .name = "redundant_experts_need_ep",
     .needs = known::ep | known::serving,
     .message = "{redundant_experts} redundant experts balance the load between EP ranks, but EP is {ep}",
     .operands = {&operands::redundant_experts, &operands::ep},
     .source = "vLLM ParallelConfig._validate_parallel_config",
     .holds = holds::redundant_experts_need_ep,
     .legal = legal::redundant_experts_need_ep,
     .changes = "redundant_experts"},
    {.id = rule::redundant_experts_fit_ranks,
     .name = "redundant_experts_fit_ranks",
     .needs = known::experts | known::ep | known::serving,
     .message = "{redundant_experts} redundant experts beside {experts} cannot be placed on EP {ep} ranks without two copies of "
                "one expert on one rank",
     .operands = {&operands::redundant_experts, &operands::experts, &operands::ep},
     .source = "vLLM#18343: what EPLB does not check",
     .holds = holds::redundant_experts_fit_ranks},
    {.id = rule::top_1_needs_pre_softmax,
     .name = "top_1_needs_pre_softmax",
     .scope = scope::megatron,
     .needs = known::experts | known::training,
     .message = "with top-k {top_k} a softmax over the chosen expert alone has no gradient: pre_softmax is needed",
     .operands = {&operands::top_k},
     .source = "Megatron-LM transformer_config.py:2661",
     .holds = holds::top_1_needs_pre_softmax},
    {.id = rule::selection_bias_needs_sigmoid,
     .name = "selection_bias_needs_sigmoid",
     .scope = scope::megatron,
     .needs = known::experts | known::training,
     .message = "the router's selection bias for {experts} experts works with sigmoid scores, not with softmax",
     .operands = {&operands::experts},
     .source = "Megatron-LM transformer_config.py:2617",
     .holds = holds::selection_bias_needs_sigmoid},
    {.id = rule::capacity_needs_other_balancing,
     .name = "capacity_needs_other_balancing",
     .scope = scope::megatron,
     .needs = known::experts | known::training,
     .message = "a capacity factor does not work with sinkhorn balancing over {experts} experts",
     .operands = {&operands::experts},
     .source = "Megatron-LM transformer_config.py:1836",
     .holds = holds::capacity_needs_other_balancing},
    {.id = rule::padding_needs_capacity,
     .name = "padding_needs_capacity",
     .scope = scope::megatron,
     .needs = known::experts | known::training,
     .message = "each of {experts} experts is to be padded to its capacity, but no capacity factor is given",
     .operands = {&operands::experts},
     .source = "Megatron-LM transformer_config.py:1862",
     .holds = holds::padding_needs_capacity},
    {.id = rule::padding_excludes_deepep,
     .name = "padding_excludes_deepep",
     .scope = scope::megatron,
     .needs = known::experts | known::training,
     .message = "DeepEP cannot pad each of {experts} experts to its capacity",
     .operands = {&operands::experts},
     .source = "Megatron-LM transformer_config.py:1754",
     .holds = holds::padding_excludes_deepep},
    {.id = rule::deepep_needs_expert_ranks,
     .name = "deepep_needs_expert_ranks",
     .scope = scope::megatron | scope::torchtitan,
     .needs = known::experts | known::training | known::ep | known::etp,
     .message = "DeepEP needs more than one rank, but ETP {etp} x EP {ep} is one",
     .operands = {&operands::etp, &operands::ep},
     .source = "Megatron-LM token_dispatcher.py:1836; torchtitan token_dispatcher.py:1239",
     .holds = holds::deepep_needs_expert_ranks},
    {.id = rule::shared_overlap_needs_all_to_all,
     .name = "shared_overlap_needs_all_to_all",
     .scope = scope::megatron,
     .needs = known::experts | known::training,
     .message = "shared experts can overlap only with an all_to_all or flex dispatcher, not with all_gather (shared intermediate "
                "size {shared})",
     .operands = {&operands::shared},
     .source = "Megatron-LM transformer_config.py:1820",
     .holds = holds::shared_overlap_needs_all_to_all},
    {.id = rule::expert_overlap_needs_ep,
     .name = "expert_overlap_needs_ep",
     .scope = scope::megatron,
     .needs = known::training | known::ep,
     .message = "overlapping expert-parallel communication needs EP above 1; EP is {ep}",
     .operands = {&operands::ep},
     .source = "Megatron-LM transformer_config.py:3015",
     .holds = holds::expert_overlap_needs_ep},
    {.id = rule::expert_overlap_needs_vpp,
     .name = "expert_overlap_needs_vpp",
     .scope = scope::megatron,
     .needs = known::training | known::pp | known::vpp,
     .message = "overlapping expert-parallel communication on PP {pp} needs virtual stages; VPP is {vpp}",
     .operands = {&operands::pp, &operands::vpp},
     .source = "Megatron-LM transformer_config.py:3009",
     .holds = holds::expert_overlap_needs_vpp},
    {.id = rule::expert_overlap_needs_all_to_all,
     .name = "expert_overlap_needs_all_to_all",
     .scope = scope::megatron,
     .needs = known::training | known::ep,
     .message = "overlapping expert-parallel communication over EP {ep} needs an all_to_all or flex dispatcher, not all_gather",
     .operands = {&operands::ep},
     .source = "Megatron-LM transformer_config.py:3018",
     .holds = holds::expert_overlap_needs_all_to_all},
    {.id = rule::expert_overlap_excludes_full_recompute,
     .name = "expert_overlap_excludes_full_recompute",
     .scope = scope::megatron,
     .needs = known::training | known::ep,
     .message = "overlapping expert-parallel communication over EP {ep} excludes full recompute",
     .operands = {&operands::ep},
     .source = "Megatron-LM transformer_config.py:3023",
     .holds = holds::expert_overlap_excludes_full_recompute},
    {.id = rule::expert_overlap_excludes_shared_overlap,
     .name = "expert_overlap_excludes_shared_overlap",
     .scope = scope::megatron,
     .needs = known::training | known::ep,
     .message = "overlapping expert-parallel communication over EP {ep} excludes overlapping the shared experts",
     .operands = {&operands::ep},
     .source = "Megatron-LM transformer_config.py:3040",
     .holds = holds::expert_overlap_excludes_shared_overlap},
    {.id = rule::expert_overlap_allows_one_mtp_layer,
     .name = "expert_overlap_allows_one_mtp_layer",
     .scope = scope::megatron,
     .needs = known::training | known::model,
     .message = "overlapping expert-parallel communication allows one multi-token prediction layer; the model has {mtp_layers}",
     .operands = {&operands::mtp_layers},
     .source = "Megatron-LM transformer_config.py:3043",
     .holds = holds::expert_overlap_allows_one_mtp_layer},
    {.id = rule::delayed_gradient_needs_expert_overlap,
     .name = "delayed_gradient_needs_expert_overlap",
     .scope = scope::megatron,
     .needs = known::training | known::ep,
     .message = "delaying weight gradients needs overlapped expert-parallel communication (EP {ep})",
     .operands = {&operands::ep},
     .source = "Megatron-LM transformer_config.py:3074",
     .holds = holds::delayed_gradient_needs_expert_overlap},
    {.id = rule::deepep_reaches_160_ranks,
     .name = "deepep_reaches_160_ranks",
     .scope = scope::megatron | scope::torchtitan,
     .needs = known::experts | known::training | known::ep | known::etp,
     .message = "DeepEP's kernels for training reach 160 ranks, 8 on each of 20 nodes; ETP {etp} x EP {ep} is more",
     .operands = {&operands::etp, &operands::ep},
     .source = "DeepEP#464; NUM_MAX_NVL_PEERS x NUM_MAX_RDMA_PEERS",
     .holds = holds::deepep_reaches_160_ranks,
     .legal = detail::legal_ep,
     .changes = "ep"},
    {.id = rule::tp_excludes_pp,
     .name = "tp_excludes_pp",
     .scope = scope::deepspeed,
     .needs = known::experts | known::training | known::tp | known::pp,
     .message = "DeepSpeed folds experts into TP {tp} only without a pipeline; PP is {pp}",
     .operands = {&operands::tp, &operands::pp},
     .source = "DeepSpeed auto_ep_folding.py:206",
     .holds = holds::tp_excludes_pp,
     .legal = detail::one,
     .changes = "pp"},
    {.id = rule::tp_excludes_cp,
     .name = "tp_excludes_cp",
     .scope = scope::deepspeed,
     .needs = known::experts | known::training | known::tp | known::cp,
     .message = "DeepSpeed folds experts into TP {tp} only without Ulysses; CP is {cp}",
     .operands = {&operands::tp, &operands::cp},
     .source = "DeepSpeed auto_ep_folding.py:210",
     .holds = holds::tp_excludes_cp,
     .legal = detail::one,
     .changes = "cp"},
    {.id = rule::tp_needs_ep,
     .name = "tp_needs_ep",
     .scope = scope::deepspeed,
     .needs = known::experts | known::training | known::tp | known::ep,
     .message = "without expert parallelism (EP {ep}) DeepSpeed would count the gradients of experts on TP {tp} ranks repeatedly",
     .operands = {&operands::ep, &operands::tp},
     .source = "DeepSpeed auto_ep_folding.py:240",
     .holds = holds::tp_needs_ep,
     .legal = detail::one,
     .changes = "tp"},
    {.id = rule::ep_divides_dp,
     .name = "ep_divides_dp",
     .severity = severity::advice,
     .scope = scope::deepspeed,
     .needs = known::experts | known::training | known::grids,
     .message = "EP {ep} does not divide the DP {dp} x CP {cp} data-parallel ranks: DeepSpeed's AutoEP can fold experts into TP "
                "like this, "
                "its older MoE layer cannot",
     .operands = {&operands::ep, &operands::dp, &operands::cp},
     .source = "DeepSpeed utils/groups.py:499, auto_ep_folding.py:117",
     .holds = holds::ep_divides_dp,
     .legal = legal::ep_divides_dp,
     .changes = "ep"},
};

} // namespace moeplan::rules
