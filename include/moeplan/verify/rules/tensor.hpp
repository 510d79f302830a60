#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on tensor, sequence and context parallelism.

namespace moeplan::holds {

constexpr bool heads_divide_by_tp(const facts& f) noexcept { return f.heads % f.tp == 0; }
constexpr bool kv_heads_fit_tp(const facts& f) noexcept { return f.kv_heads % f.tp == 0 || f.tp % f.kv_heads == 0; }
constexpr bool hidden_divides_by_tp(const facts& f) noexcept { return f.hidden_size % f.tp == 0; }
constexpr bool dense_mlp_divides_by_tp(const facts& f) noexcept { return f.dense_mlp % f.tp == 0; }
constexpr bool shared_experts_divide_by_tp(const facts& f) noexcept { return f.shared_mlp % f.tp == 0; }
constexpr bool expert_mlp_divides_by_etp(const facts& f) noexcept { return f.expert_mlp % f.etp == 0; }
constexpr bool vocabulary_divides_by_tp(const facts& f) noexcept {
  return f.vocabulary_multiple != 0 || f.vocabulary_size % f.tp == 0;
}
constexpr bool vocabulary_multiple_is_not_negative(const facts& f) noexcept { return f.vocabulary_multiple >= 0; }
constexpr bool sp_is_1_or_tp(const facts& f) noexcept { return f.sp == 1 || f.sp == f.tp; }
constexpr bool sequence_divides_by_cp(const facts& f) noexcept { return f.sequence_length % f.cp == 0; }
constexpr bool sequence_divides_by_twice_cp(const facts& f) noexcept {
  return f.cp == 1 || f.sequence_length % f.cp != 0 || f.sequence_length / f.cp % 2 == 0;
}
constexpr bool sequence_divides_by_cp_and_tp(const facts& f) noexcept {
  return f.sp == 1 || f.sequence_length % f.cp != 0 || f.sequence_length / f.cp % f.tp == 0;
}
constexpr bool heads_divide_by_cp(const facts& f) noexcept {
  return f.context != context_exchange::all_to_all || f.heads % f.tp != 0 || f.heads / f.tp % f.cp == 0;
}
constexpr bool kv_heads_divide_by_cp(const facts& f) noexcept {
  if (f.context != context_exchange::all_to_all) return true;
  if (f.kv_heads % f.tp == 0) return f.kv_heads / f.tp % f.cp == 0;
  return f.cp == 1 || f.tp % f.kv_heads != 0; // Copied heads are one a rank.
}
constexpr bool sp_accompanies_tp_and_ep(const facts& f) noexcept { return f.tp == 1 || f.ep == 1 || f.sp != 1; }
constexpr bool tensor_overlap_needs_sp(const facts& f) noexcept { return !f.overlap.tensor_parallel || f.sp != 1; }
constexpr bool kv_heads_divide_by_tp(const facts& f) noexcept { return f.kv_heads % f.tp == 0; }
constexpr bool context_is_all_to_all(const facts& f) noexcept { return f.cp == 1 || f.context == context_exchange::all_to_all; }
constexpr bool kv_heads_fit_cp(const facts& f) noexcept {
  return f.context != context_exchange::all_to_all || f.kv_heads % f.cp == 0 || f.cp % f.kv_heads == 0;
}
/// Where the parts of one sequence are no integers, the rules above say so.
constexpr bool tokens_divide_by_twice_cp(const facts& f) noexcept {
  if (f.cp == 1 || f.sequence_length % f.cp != 0) return true;
  const std::int64_t tokens = f.micro_batch_tokens / f.cp;
  if (f.sp == 1) return tokens % 2 == 0;
  return f.sequence_length / f.cp % f.tp != 0 || tokens / f.tp % 2 == 0;
}
constexpr bool dispatched_tokens_divide_by_tp(const facts& f) noexcept {
  if (f.dispatcher != token_dispatcher::deepep || f.sp != 1 || f.sequence_length % f.cp != 0) return true;
  return f.micro_batch_tokens / f.cp % f.tp == 0;
}
constexpr bool linear_heads_divide_by_tp_and_cp(const facts& f) noexcept {
  return f.linear_key_heads % f.tp == 0 && f.linear_key_heads / f.tp % f.cp == 0 && f.linear_value_heads % f.tp == 0 &&
         f.linear_value_heads / f.tp % f.cp == 0;
}
constexpr bool sparse_attention_needs_all_gather(const facts& f) noexcept {
  return f.attended_tokens < 1 || f.cp == 1 || f.context == context_exchange::all_gather;
}

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values vocabulary_multiple_is_not_negative(const facts&) noexcept { return detail::only(128); }
constexpr legal_values sp_accompanies_tp_and_ep(const facts& f) noexcept { return detail::only(f.tp); }
constexpr legal_values tensor_overlap_needs_sp(const facts& f) noexcept { return f.tp == 1 ? legal_values{} : detail::only(f.tp); }

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry tensor[] = {
    {.id = rule::heads_divide_by_tp,
     .name = "heads_divide_by_tp",
     .needs = known::model | known::tp,
     .message = "{heads} attention heads cannot be divided evenly over TP {tp}",
     .operands = {&operands::heads, &operands::tp},
     .source = "Megatron-LM transformer_config.py:1446; torchtitan decoder.py:190; vLLM ModelConfig.verify_with_parallel_config",
     .holds = holds::heads_divide_by_tp,
     .legal = detail::legal_tp,
     .changes = "tp"},
    {.id = rule::kv_heads_fit_tp,
     .name = "kv_heads_fit_tp",
     .scope = scope::megatron | scope::vllm | scope::sglang,
     .needs = known::model | known::tp,
     .message = "{kv_heads} heads of keys and values and TP {tp}: neither divides the other, so heads can be neither split nor "
                "copied evenly",
     .operands = {&operands::kv_heads, &operands::tp},
     .source = "Megatron-LM transformer_config.py:1461; vLLM and SGLang models' attention, num_kv_heads",
     .holds = holds::kv_heads_fit_tp,
     .legal = detail::legal_tp,
     .changes = "tp"},
    {.id = rule::hidden_divides_by_tp,
     .name = "hidden_divides_by_tp",
     .needs = known::model | known::tp,
     .message = "the hidden size {hidden_size} cannot be divided evenly over TP {tp}",
     .operands = {&operands::hidden_size, &operands::tp},
     .source = "Megatron-LM tensor_parallel/layers.py:1038, utils.py:592; calculon llm.py:644",
     .holds = holds::hidden_divides_by_tp,
     .legal = detail::legal_tp,
     .changes = "tp"},
    {.id = rule::dense_mlp_divides_by_tp,
     .name = "dense_mlp_divides_by_tp",
     .needs = known::model | known::tp,
     .message = "the intermediate size {intermediate_size} of dense layers cannot be divided evenly over TP {tp}",
     .operands = {&operands::intermediate_size, &operands::tp},
     .source = "Megatron-LM tensor_parallel/layers.py:1408; calculon llm.py:648",
     .holds = holds::dense_mlp_divides_by_tp,
     .legal = detail::legal_tp,
     .changes = "tp"},
    {.id = rule::shared_experts_divide_by_tp,
     .name = "shared_experts_divide_by_tp",
     .needs = known::model | known::tp,
     .message = "the intermediate size {shared_intermediate_size} of the shared experts cannot be divided evenly over TP {tp}",
     .operands = {&operands::shared_intermediate_size, &operands::tp},
     .source = "Megatron-LM transformer/moe/shared_experts.py, whose linear layers are tensor parallel",
     .holds = holds::shared_experts_divide_by_tp,
     .legal = detail::legal_tp,
     .changes = "tp"},
    {.id = rule::expert_mlp_divides_by_etp,
     .name = "expert_mlp_divides_by_etp",
     .needs = known::model | known::experts | known::etp,
     .message = "the intermediate size {expert_intermediate_size} of an expert cannot be divided evenly over ETP {etp}",
     .operands = {&operands::expert_intermediate_size, &operands::etp},
     .source = "Megatron-LM extensions/transformer_engine.py:2470",
     .holds = holds::expert_mlp_divides_by_etp,
     .legal = detail::legal_etp,
     .changes = "etp"},
    {.id = rule::vocabulary_divides_by_tp,
     .name = "vocabulary_divides_by_tp",
     .needs = known::model | known::tp,
     .message = "the vocabulary of {vocabulary_size} tokens is not padded and cannot be divided evenly over TP {tp}",
     .operands = {&operands::vocabulary_size, &operands::tp},
     .source = "Megatron-LM tensor_parallel/layers.py, VocabParallelEmbedding; training/vocab_utils.py:58 pads",
     .holds = holds::vocabulary_divides_by_tp,
     .legal = detail::legal_tp,
     .changes = "tp"},
    {.id = rule::vocabulary_multiple_is_not_negative,
     .name = "vocabulary_multiple_is_not_negative",
     .message = "the vocabulary is to be padded to a multiple of {vocabulary_multiple} x TP; a multiple is at least 1, and 0 means "
                "no padding",
     .operands = {&operands::vocabulary_multiple},
     .source = "Megatron-LM training/vocab_utils.py:58",
     .holds = holds::vocabulary_multiple_is_not_negative,
     .legal = legal::vocabulary_multiple_is_not_negative,
     .changes = "vocabulary_multiple"},
    {.id = rule::sp_is_1_or_tp,
     .name = "sp_is_1_or_tp",
     .needs = known::sp | known::tp,
     .message =
         "SP is {sp}: Megatron's sequence parallelism is off (1) or uses the TP {tp} ranks. Sequence parallelism over further GPUs "
         "(Ulysses, ring attention) is CP",
     .operands = {&operands::sp, &operands::tp},
     .source = "Megatron-LM model_parallel_config.py:502; llm-analysis analysis.py:166",
     .holds = holds::sp_is_1_or_tp,
     .legal = detail::legal_sp,
     .changes = "sp"},
    {.id = rule::sequence_divides_by_cp,
     .name = "sequence_divides_by_cp",
     .needs = known::training | known::sequence | known::cp,
     .message = "a sequence of {sequence_length} tokens cannot be divided evenly over CP {cp}",
     .operands = {&operands::sequence_length, &operands::cp},
     .source = "SimuMax config.py:604",
     .holds = holds::sequence_divides_by_cp,
     .legal = detail::legal_sequence,
     .changes = "sequence_length"},
    {.id = rule::sequence_divides_by_twice_cp,
     .name = "sequence_divides_by_twice_cp",
     .scope = scope::megatron,
     .needs = known::training | known::sequence | known::cp,
     .message = "a sequence of {sequence_length} tokens cannot be cut into 2 x CP {cp} equal chunks, two a rank to balance the "
                "causal mask",
     .operands = {&operands::sequence_length, &operands::cp},
     .source = "Megatron-LM arguments.py:1335",
     .holds = holds::sequence_divides_by_twice_cp,
     .legal = detail::legal_sequence,
     .changes = "sequence_length"},
    {.id = rule::sequence_divides_by_cp_and_tp,
     .name = "sequence_divides_by_cp_and_tp",
     .needs = known::training | known::sequence | known::cp | known::tp | known::sp,
     .message =
         "with sequence parallelism the {sequence_length} tokens of a sequence over CP {cp} cannot be divided evenly over TP {tp}",
     .operands = {&operands::sequence_length, &operands::cp, &operands::tp},
     .source = "Megatron-LM tensor_parallel/mappings.py:72; torchtitan trainer.py:298",
     .holds = holds::sequence_divides_by_cp_and_tp,
     .legal = detail::legal_sequence,
     .changes = "sequence_length"},
    {.id = rule::heads_divide_by_cp,
     .name = "heads_divide_by_cp",
     .scope = scope::megatron | scope::deepspeed,
     .needs = known::training | known::model | known::cp | known::tp,
     .message = "context parallelism by all-to-all cannot divide the {heads} heads over TP {tp} x CP {cp} evenly",
     .operands = {&operands::heads, &operands::tp, &operands::cp},
     .source = "DeepSpeed ulysses_sp.py:145; SimuMax perf_llm.py:1417",
     .holds = holds::heads_divide_by_cp,
     .legal = detail::legal_cp_for_heads,
     .changes = "cp"},
    {.id = rule::kv_heads_divide_by_cp,
     .name = "kv_heads_divide_by_cp",
     .scope = scope::megatron,
     .needs = known::training | known::model | known::cp | known::tp,
     .message =
         "context parallelism by all-to-all cannot divide the {kv_heads} heads of keys and values over TP {tp} x CP {cp} evenly",
     .operands = {&operands::kv_heads, &operands::tp, &operands::cp},
     .source = "SimuMax perf_llm.py:1421; Transformer Engine context_parallel.py",
     .holds = holds::kv_heads_divide_by_cp,
     .legal = detail::legal_cp_for_heads,
     .changes = "cp"},
    {.id = rule::sp_accompanies_tp_and_ep,
     .name = "sp_accompanies_tp_and_ep",
     .severity = severity::warning,
     .scope = scope::megatron,
     .needs = known::training | known::tp | known::ep | known::sp,
     .message = "TP {tp} with EP {ep} trains slowly without sequence parallelism (SP {sp})",
     .operands = {&operands::tp, &operands::ep, &operands::sp},
     .source = "Megatron-LM model_parallel_config.py:560, a hard error in older releases",
     .holds = holds::sp_accompanies_tp_and_ep,
     .legal = legal::sp_accompanies_tp_and_ep,
     .changes = "sp"},
    {.id = rule::tensor_overlap_needs_sp,
     .name = "tensor_overlap_needs_sp",
     .scope = scope::megatron,
     .needs = known::training | known::tp | known::sp,
     .message = "overlapping tensor-parallel communication needs sequence parallelism; SP is {sp}, TP {tp}",
     .operands = {&operands::sp, &operands::tp},
     .source = "Megatron-LM arguments.py:1441",
     .holds = holds::tensor_overlap_needs_sp,
     .legal = legal::tensor_overlap_needs_sp,
     .changes = "sp"},
    {.id = rule::kv_heads_divide_by_tp,
     .name = "kv_heads_divide_by_tp",
     .scope = scope::torchtitan,
     .needs = known::model | known::tp,
     .message = "torchtitan does not copy heads of keys and values: TP {tp} has to divide {kv_heads}",
     .operands = {&operands::kv_heads, &operands::tp},
     .source = "torchtitan decoder.py:195",
     .holds = holds::kv_heads_divide_by_tp,
     .legal = detail::legal_tp,
     .changes = "tp"},
    {.id = rule::context_is_all_to_all,
     .name = "context_is_all_to_all",
     .scope = scope::deepspeed,
     .needs = known::training | known::cp,
     .message = "DeepSpeed's parallelism over the sequence is Ulysses: CP {cp} needs all_to_all",
     .operands = {&operands::cp},
     .source = "DeepSpeed runtime/sequence_parallel/ulysses_sp.py",
     .holds = holds::context_is_all_to_all,
     .legal = detail::one,
     .changes = "cp"},
    {.id = rule::kv_heads_fit_cp,
     .name = "kv_heads_fit_cp",
     .scope = scope::deepspeed,
     .needs = known::training | known::model | known::cp,
     .message = "{kv_heads} heads of keys and values and CP {cp}: neither divides the other, so Ulysses can neither split nor copy "
                "them evenly",
     .operands = {&operands::kv_heads, &operands::cp},
     .source = "DeepSpeed ulysses_sp.py:147",
     .holds = holds::kv_heads_fit_cp,
     .legal = detail::legal_cp_for_heads,
     .changes = "cp"},
    {.id = rule::tokens_divide_by_twice_cp,
     .name = "tokens_divide_by_twice_cp",
     .scope = scope::torchtitan,
     .needs = known::training | known::sequence | known::tp | known::cp | known::sp,
     .message =
         "a micro-batch of {tokens} tokens cannot be cut into 2 x CP {cp} equal chunks, two a rank to balance the causal mask; "
         "with sequence parallelism (SP {sp}) each divides over TP too",
     .operands = {&operands::tokens, &operands::cp, &operands::sp},
     .source = "torchtitan trainer.py:298",
     .holds = holds::tokens_divide_by_twice_cp,
     .legal = detail::legal_sequence,
     .changes = "sequence_length"},
    {.id = rule::dispatched_tokens_divide_by_tp,
     .name = "dispatched_tokens_divide_by_tp",
     .scope = scope::torchtitan,
     .needs = known::training | known::experts | known::sequence | known::tp | known::cp | known::sp,
     .message =
         "DeepEP takes the {tokens} tokens of a micro-batch in equal parts from CP {cp} x TP {tp} ranks, sequence parallel or "
         "not",
     .operands = {&operands::tokens, &operands::cp, &operands::tp},
     .source = "torchtitan token_dispatcher.py:1225",
     .holds = holds::dispatched_tokens_divide_by_tp,
     .legal = detail::legal_sequence,
     .changes = "sequence_length"},
    {.id = rule::linear_heads_divide_by_tp_and_cp,
     .name = "linear_heads_divide_by_tp_and_cp",
     .scope = scope::megatron,
     .needs = known::training | known::linear_attention | known::tp | known::cp,
     .message =
         "the {key_heads} key heads and {value_heads} value heads of linear attention cannot both be divided evenly over TP {tp} x "
         "CP {cp}",
     .operands = {&operands::linear_key_heads, &operands::linear_value_heads, &operands::tp, &operands::cp},
     .source = "Megatron-LM transformer_config.py:1500",
     .holds = holds::linear_heads_divide_by_tp_and_cp},
    {.id = rule::sparse_attention_needs_all_gather,
     .name = "sparse_attention_needs_all_gather",
     .scope = scope::megatron,
     .needs = known::training | known::cp,
     .message = "attention to the {attended_tokens} tokens that an indexer chooses exchanges keys and values by all_gather alone "
                "on CP {cp}",
     .operands = {&operands::attended_tokens, &operands::cp},
     .source = "Megatron-LM transformer_config.py:3162",
     .holds = holds::sparse_attention_needs_all_gather,
     .legal = detail::one,
     .changes = "cp"},
};

} // namespace moeplan::rules
