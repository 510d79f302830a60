#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on copies of what data parallelism shards: HSDP, instances of the distributed optimizer.

namespace moeplan::holds {

constexpr bool dp_replicate_is_at_least_1(const facts& f) noexcept { return f.dp_replicate >= 1; }
constexpr bool dp_divides_by_replicate(const facts& f) noexcept { return f.dp % f.dp_replicate == 0; }
constexpr bool ranks_divide_by_replicate(const facts& f) noexcept { return f.dp * f.cp % f.dp_replicate == 0; }
constexpr bool edp_divides_by_replicate(const facts& f) noexcept {
  return !ranks_divide_by_replicate(f) || f.edp % f.dp_replicate == 0;
}
constexpr bool ep_divides_sharded_ranks(const facts& f) noexcept { return f.dp_shard == 0 || f.dp_shard * f.cp * f.tp % f.ep == 0; }

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values dp_divides_by_replicate(const facts& f) noexcept { return detail::divisors(f.dp, f.dp_replicate); }
constexpr legal_values ranks_divide_by_replicate(const facts& f) noexcept {
  const bool both = f.profile == profile::megatron && f.knows(known::grids | known::experts);
  return detail::divisors(gcd(f.dp * f.cp, both ? f.edp : 0), f.dp_replicate);
}

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry sharding[] = {
    {.id = rule::dp_replicate_is_at_least_1,
     .name = "dp_replicate_is_at_least_1",
     .needs = known::training,
     .message = "{dp_replicate} copies of what data parallelism shards; there is at least 1",
     .operands = {&operands::dp_replicate},
     .source = "torchtitan parallel_dims.py:175",
     .holds = holds::dp_replicate_is_at_least_1,
     .legal = detail::one,
     .changes = "dp_replicate"},
    {.id = rule::dp_divides_by_replicate,
     .name = "dp_divides_by_replicate",
     .scope = scope::torchtitan,
     .needs = known::training | known::replicate | known::dp,
     .message = "DP {dp} is no multiple of dp_replicate {dp_replicate}: torchtitan's dp_replicate x dp_shard are its data-parallel "
                "ranks",
     .operands = {&operands::dp, &operands::dp_replicate},
     .source = "torchtitan parallel_dims.py:182",
     .holds = holds::dp_divides_by_replicate,
     .legal = legal::dp_divides_by_replicate,
     .changes = "dp_replicate"},
    {.id = rule::ranks_divide_by_replicate,
     .name = "ranks_divide_by_replicate",
     .scope = scope::megatron | scope::deepspeed,
     .needs = known::training | known::replicate | known::degrees | known::no_overflow,
     .message = "the DP {dp} x CP {cp} ranks that optimizer states are sharded over cannot be divided evenly into dp_replicate "
                "{dp_replicate} groups",
     .operands = {&operands::dp, &operands::cp, &operands::dp_replicate},
     .source = "Megatron-LM parallel_state.py:922; DeepSpeed groups.py:879",
     .holds = holds::ranks_divide_by_replicate,
     .legal = legal::ranks_divide_by_replicate,
     .changes = "dp_replicate"},
    {.id = rule::edp_divides_by_replicate,
     .name = "edp_divides_by_replicate",
     .scope = scope::megatron,
     .needs = known::training | known::replicate | known::grids | known::experts,
     .message = "the EDP {edp} ranks that experts' optimizer states are sharded over cannot be divided evenly into dp_replicate "
                "{dp_replicate} groups",
     .operands = {&operands::edp, &operands::dp_replicate},
     .source = "Megatron-LM parallel_state.py:1447",
     .holds = holds::edp_divides_by_replicate,
     .legal = legal::ranks_divide_by_replicate,
     .changes = "dp_replicate"},
    {.id = rule::ep_divides_sharded_ranks,
     .name = "ep_divides_sharded_ranks",
     .scope = scope::torchtitan,
     .needs = known::training | known::replicate | known::grids | known::experts,
     .message = "torchtitan spreads experts over dp_shard {dp_shard} x CP {cp} x TP {tp} ranks, never over dp_replicate "
                "{dp_replicate}; EP {ep} does not divide them",
     .operands = {&operands::dp_shard, &operands::cp, &operands::tp, &operands::dp_replicate, &operands::ep},
     .source = "torchtitan parallel_dims.py:187",
     .holds = holds::ep_divides_sharded_ranks,
     .legal = detail::legal_ep,
     .changes = "ep"},
};

} // namespace moeplan::rules
