#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on batches and sequences.

namespace moeplan::rules {

inline constexpr rule_entry batch[] = {
    {.id = rule::micro_batch_is_at_least_1,
     .name = "micro_batch_is_at_least_1",
     .needs = known::training,
     .message = "a micro-batch has {micro_batch} sequences; it has at least 1",
     .operands = {{"micro_batch", &facts::micro_batch}},
     .source = "Megatron-LM num_microbatches_calculator.py:381",
     .holds = [](const facts& f) { return f.micro_batch >= 1; },
     .legal = detail::one,
     .changes = "micro_batch"},
    {.id = rule::global_batch_is_at_least_1,
     .name = "global_batch_is_at_least_1",
     .needs = known::training,
     .message = "a step has {global_batch} sequences; it has at least 1",
     .operands = {{"global_batch", &facts::global_batch}},
     .source = "Megatron-LM num_microbatches_calculator.py:381",
     .holds = [](const facts& f) { return !f.global_batch_given || f.global_batch >= 1; },
     .legal = [](const facts& f) { return detail::only(f.batch_unit > 0 ? f.batch_unit : 1); },
     .changes = "global_batch"},
    {.id = rule::batch_is_at_least_1,
     .name = "batch_is_at_least_1",
     .needs = known::serving,
     .message = "{batch} sequences are in flight; that is at least 1",
     .operands = {{"batch", &facts::batch}},
     .source = "a count",
     .holds = [](const facts& f) { return f.batch >= 1; },
     .legal = detail::one,
     .changes = "batch"},
    {.id = rule::sequence_length_is_at_least_1,
     .name = "sequence_length_is_at_least_1",
     .message = "a sequence has {sequence_length} tokens; it has at least 1, and there is no default",
     .operands = {{"sequence_length", &facts::sequence_length}},
     .source = "Megatron-LM arguments.py, where --seq-length is required",
     .holds = [](const facts& f) { return f.sequence_length >= 1; }},
    {.id = rule::global_batch_divides_by_dp,
     .name = "global_batch_divides_by_dp",
     .needs = known::training | known::batch | known::dp,
     .message = "the global batch of {global_batch} sequences cannot be divided evenly into micro-batches of {micro_batch} on DP "
                "{dp} ranks",
     .operands = {{"global_batch", &facts::global_batch}, {"micro_batch", &facts::micro_batch}, {"dp", &facts::dp}},
     .source = "Megatron-LM num_microbatches_calculator.py:381; SimuMax config.py:692; calculon llm.py:99",
     .holds = [](const facts& f) { return !f.global_batch_given || (f.batch_unit != 0 && f.global_batch % f.batch_unit == 0); },
     .legal = [](const facts& f) { return detail::multiples(f.batch_unit, f.global_batch); },
     .changes = "global_batch"},
    {.id = rule::sequence_fits_positions,
     .name = "sequence_fits_positions",
     .scope = scope::megatron,
     .needs = known::sequence,
     .message = "a sequence of {sequence_length} tokens is longer than the {max_positions} positions that the model is made for",
     .operands = {{"sequence_length", &facts::sequence_length}, {"max_positions", &facts::max_positions}},
     .source = "Megatron-LM arguments.py:1354; torchtitan decoder.py:221",
     .holds = [](const facts& f) { return !f.has_max_positions || f.sequence_length <= f.max_positions; },
     .legal = detail::legal_longest_sequence,
     .changes = "sequence_length"},
};

} // namespace moeplan::rules
