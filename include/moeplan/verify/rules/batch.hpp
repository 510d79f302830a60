#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on batches and sequences.

namespace moeplan::holds {

constexpr bool micro_batch_is_at_least_1(const facts& f) noexcept { return f.micro_batch >= 1; }
constexpr bool global_batch_is_at_least_1(const facts& f) noexcept { return !f.global_batch_given || f.global_batch >= 1; }
constexpr bool batch_is_at_least_1(const facts& f) noexcept { return f.batch >= 1; }
constexpr bool sequence_length_is_at_least_1(const facts& f) noexcept { return f.sequence_length >= 1; }
constexpr bool global_batch_divides_by_dp(const facts& f) noexcept {
  return !f.global_batch_given || (f.batch_unit != 0 && f.global_batch % f.batch_unit == 0);
}
constexpr bool sequence_fits_positions(const facts& f) noexcept {
  return !f.has_max_positions || f.sequence_length <= f.max_positions;
}
constexpr bool workload_is_training(const facts& f) noexcept { return f.knows(known::training); }
constexpr bool workload_is_serving(const facts& f) noexcept { return f.knows(known::serving); }

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values global_batch_is_at_least_1(const facts& f) noexcept {
  return f.batch_unit > 0 ? detail::legal_global_batch(f) : detail::only(1);
}

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry batch[] = {
    {.id = rule::micro_batch_is_at_least_1,
     .name = "micro_batch_is_at_least_1",
     .needs = known::training,
     .message = "a micro-batch has {micro_batch} sequences; it has at least 1",
     .operands = {&operands::micro_batch},
     .source = "Megatron-LM num_microbatches_calculator.py:381",
     .holds = holds::micro_batch_is_at_least_1,
     .legal = detail::one,
     .changes = "micro_batch"},
    {.id = rule::global_batch_is_at_least_1,
     .name = "global_batch_is_at_least_1",
     .needs = known::training,
     .message = "a step has {global_batch} sequences; it has at least 1",
     .operands = {&operands::global_batch},
     .source = "Megatron-LM num_microbatches_calculator.py:381",
     .holds = holds::global_batch_is_at_least_1,
     .legal = legal::global_batch_is_at_least_1,
     .changes = "global_batch"},
    {.id = rule::batch_is_at_least_1,
     .name = "batch_is_at_least_1",
     .needs = known::serving,
     .message = "{batch} sequences are in flight; that is at least 1",
     .operands = {&operands::batch},
     .source = "a count",
     .holds = holds::batch_is_at_least_1,
     .legal = detail::one,
     .changes = "batch"},
    {.id = rule::sequence_length_is_at_least_1,
     .name = "sequence_length_is_at_least_1",
     .message = "a sequence has {sequence_length} tokens; it has at least 1, and there is no default",
     .operands = {&operands::sequence_length},
     .source = "Megatron-LM arguments.py, where --seq-length is required",
     .holds = holds::sequence_length_is_at_least_1},
    {.id = rule::global_batch_divides_by_dp,
     .name = "global_batch_divides_by_dp",
     .needs = known::training | known::batch | known::dp,
     .message = "the global batch of {global_batch} sequences cannot be divided evenly into micro-batches of {micro_batch} on DP "
                "{dp} ranks",
     .operands = {&operands::global_batch, &operands::micro_batch, &operands::dp},
     .source = "Megatron-LM num_microbatches_calculator.py:381; SimuMax config.py:692; calculon llm.py:99",
     .holds = holds::global_batch_divides_by_dp,
     .legal = detail::legal_global_batch,
     .changes = "global_batch"},
    {.id = rule::sequence_fits_positions,
     .name = "sequence_fits_positions",
     .scope = scope::megatron | scope::torchtitan | scope::vllm | scope::sglang,
     .needs = known::sequence,
     .message = "a sequence of {sequence_length} tokens is longer than the {max_positions} positions that the model is made for",
     .operands = {&operands::sequence_length, &operands::max_positions},
     .source = "Megatron-LM arguments.py:1354; torchtitan decoder.py:221; vLLM and SGLang ModelConfig, context length",
     .holds = holds::sequence_fits_positions,
     .legal = detail::legal_longest_sequence,
     .changes = "sequence_length"},
    {.id = rule::workload_is_training,
     .name = "workload_is_training",
     .scope = scope::torchtitan,
     .message = "torchtitan trains; it does not serve",
     .source = "torchtitan train.py",
     .holds = holds::workload_is_training},
    {.id = rule::workload_is_serving,
     .name = "workload_is_serving",
     .scope = scope::serving,
     .message = "this framework serves; it does not train",
     .source = "vLLM, SGLang and TensorRT-LLM are inference engines",
     .holds = holds::workload_is_serving},
};

} // namespace moeplan::rules
