#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on how groups of ranks lie on nodes and NVLink domains.

namespace moeplan::detail {

/// Whether the experts' ETP x EP ranks are whole NVLink domains or an equal part of one, or are all ranks that there are.
[[nodiscard]] constexpr bool fills_domains(const facts& f, std::int64_t expert_ranks) noexcept {
  return f.nvlink_gpus % expert_ranks == 0 || expert_ranks % f.nvlink_gpus == 0 || expert_ranks == f.gpus;
}

[[nodiscard]] constexpr bool fills_domains_with_ep(const facts& f, std::int64_t ep) noexcept {
  return allows_ep(f, ep) && fills_domains(f, f.etp * ep);
}

} // namespace moeplan::detail

namespace moeplan::holds {

constexpr bool nvlink_domain_is_whole_nodes(const facts& f) noexcept {
  if (!f.nvlink_domain_given || (f.cluster_described && !f.knows(known::cluster))) return true;
  return f.gpus_per_node > 0 && f.nvlink_domain > 0 && f.nvlink_domain % f.gpus_per_node == 0;
}
constexpr bool tp_stays_together(const facts& f) noexcept { return f.tp_domains <= f.fewest_tp_domains; }
constexpr bool cp_stays_together(const facts& f) noexcept { return f.cp_domains <= f.fewest_cp_domains; }
constexpr bool etp_stays_together(const facts& f) noexcept { return f.etp_domains <= f.fewest_etp_domains; }
constexpr bool ep_stays_together(const facts& f) noexcept { return f.ep_domains <= f.fewest_ep_domains; }
constexpr bool experts_fill_domains(const facts& f) noexcept { return detail::fills_domains(f, f.expert_ranks); }
constexpr bool model_parallel_fills_nodes(const facts& f) noexcept { return f.gpus_per_node % (f.tp * f.pp) == 0; }

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values nvlink_domain(const facts& f) noexcept {
  return detail::multiples(f.gpus_per_node, f.nvlink_domain > 0 ? f.nvlink_domain : 0);
}
constexpr legal_values best_order(const facts& f) noexcept { return detail::only(f.best_order); }
constexpr legal_values ep_that_fills_domains(const facts& f) noexcept {
  return detail::nearest_allowed(f, f.ep, gcd(detail::ranks_for_ep(f), f.physical_experts), detail::fills_domains_with_ep);
}

} // namespace moeplan::legal

namespace moeplan::rules {

// ETP x EP ranks together have no rule of their own: of domains that hold whole groups, or are held by them, they touch no more than they
// must where ETP and EP groups do not either.
inline constexpr rule_entry nodes[] = {
    {.id = rule::nvlink_domain_is_whole_nodes,
     .name = "nvlink_domain_is_whole_nodes",
     .message = "an NVLink domain of {nvlink_domain} GPUs is not made of whole nodes of {gpus_per_node} (0: not given)",
     .operands = {&operands::nvlink_domain, &operands::gpus_per_node},
     .source = "what an NVLink domain is: a node, or the nodes of a rack",
     .holds = holds::nvlink_domain_is_whole_nodes,
     .legal = legal::nvlink_domain,
     .changes = "nvlink_domain"},
    {.id = rule::tp_stays_together,
     .name = "tp_stays_together",
     .severity = severity::advice,
     .scope = scope::megatron,
     .needs = known::spread,
     .message =
         "in this order of ranks a TP group of {tp} lies on up to {touched} NVLink domains (nodes or racks) of {nvlink_gpus} "
         "GPUs, in another on {fewest}",
     .operands = {&operands::tp, &operands::tp_domains, &operands::fewest_tp_domains, &operands::nvlink_gpus},
     .source = "Megatron-LM moe/README.md, Keep EP and TP Communication Within NVLink Domain; calculon llm.py:1095",
     .holds = holds::tp_stays_together,
     .legal = legal::best_order,
     .changes = "order"},
    {.id = rule::cp_stays_together,
     .name = "cp_stays_together",
     .severity = severity::advice,
     .scope = scope::megatron,
     .needs = known::spread,
     .message =
         "in this order of ranks a CP group of {cp} lies on up to {touched} NVLink domains (nodes or racks) of {nvlink_gpus} "
         "GPUs, in another on {fewest}, which parts no TP group more",
     .operands = {&operands::cp, &operands::cp_domains, &operands::fewest_cp_domains, &operands::nvlink_gpus},
     .source = "Megatron-LM moe/README.md, Keeps High-Bandwidth Communication in NVLink Domain",
     .holds = holds::cp_stays_together,
     .legal = legal::best_order,
     .changes = "order"},
    {.id = rule::etp_stays_together,
     .name = "etp_stays_together",
     .severity = severity::advice,
     .scope = scope::megatron,
     .needs = known::spread | known::experts,
     .message =
         "in this order of ranks an ETP group of {etp} lies on up to {touched} NVLink domains (nodes or racks) of {nvlink_gpus} "
         "GPUs, in another on {fewest}",
     .operands = {&operands::etp, &operands::etp_domains, &operands::fewest_etp_domains, &operands::nvlink_gpus},
     .source = "Megatron-LM moe/README.md, Keep EP and TP Communication Within NVLink Domain",
     .holds = holds::etp_stays_together,
     .legal = legal::best_order,
     .changes = "order"},
    {.id = rule::ep_stays_together,
     .name = "ep_stays_together",
     .severity = severity::advice,
     .scope = scope::megatron,
     .needs = known::spread | known::experts,
     .message =
         "in this order of ranks an EP group of {ep} lies on up to {touched} NVLink domains (nodes or racks) of {nvlink_gpus} "
         "GPUs, in another on {fewest}, which parts no ETP group of {etp} more",
     .operands = {&operands::ep, &operands::ep_domains, &operands::fewest_ep_domains, &operands::nvlink_gpus, &operands::etp},
     .source = "Megatron-LM moe/README.md, Keep EP and TP Communication Within NVLink Domain; NeMo-RL#2986",
     .holds = holds::ep_stays_together,
     .legal = legal::best_order,
     .changes = "order"},
    {.id = rule::experts_fill_domains,
     .name = "experts_fill_domains",
     .severity = severity::advice,
     .scope = scope::megatron,
     .needs = known::grids | known::nodes | known::experts,
     .message =
         "the experts' ETP {etp} x EP {ep} = {expert_ranks} ranks are neither whole NVLink domains of {nvlink_gpus} GPUs nor an "
         "equal part of one, so some of these groups share a domain with another and reach into a second",
     .operands = {&operands::etp, &operands::ep, &operands::expert_ranks, &operands::nvlink_gpus},
     .source = "dlrover#1740, dlrover#1741",
     .holds = holds::experts_fill_domains,
     .legal = legal::ep_that_fills_domains,
     .changes = "ep"},
    {.id = rule::model_parallel_fills_nodes,
     .name = "model_parallel_fills_nodes",
     .severity = severity::advice,
     .scope = scope::deepspeed,
     .needs = known::grids | known::nodes | known::training,
     .message =
         "TP {tp} x PP {pp} does not divide the {gpus_per_node} GPUs of a node: elastic training, which adds and removes whole "
         "nodes, refuses it",
     .operands = {&operands::tp, &operands::pp, &operands::gpus_per_node},
     .source = "DeepSpeed elasticity.py:145, _get_compatible_gpus_v02",
     .holds = holds::model_parallel_fills_nodes},
};

} // namespace moeplan::rules
