#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on serving: what vLLM, SGLang and TensorRT-LLM make of the two grids. Their words: vLLM derives EP from the rest; SGLang's tp is
/// all of a stage (TP x CP x DP here), TensorRT-LLM's is TP x DP.

namespace moeplan::holds {

constexpr bool replicas_hold_experts(const facts& f) noexcept { return f.sharing_gpus % f.expert_ranks == 0; }
constexpr bool decode_context_is_at_least_1(const facts& f) noexcept { return f.decode_context >= 1; }
constexpr bool expert_share_fills_blocks(const facts& f) noexcept { return f.etp == 1 || f.expert_share % 128 == 0; }
constexpr bool elastic_ep_excludes_pp(const facts& f) noexcept { return !f.elastic_ep || f.pp == 1; }
constexpr bool dp_needs_experts(const facts& f) noexcept { return f.dp == 1 || f.experts > 0 || f.replicas; }
constexpr bool elastic_ep_needs_ep(const facts& f) noexcept { return !f.elastic_ep || f.ep > 1; }
constexpr bool cp_excludes_dp(const facts& f) noexcept { return f.cp == 1 || f.dp == 1 || f.replicas; }
constexpr bool tp_divides_by_decode_context(const facts& f) noexcept { return f.cp > 1 || f.tp % f.decode_context == 0; }
constexpr bool decode_context_covers_cp(const facts& f) noexcept {
  if (f.cp == 1 || f.decode_context == 1 || f.decode_context == f.cp) return true;
  return f.decode_context % f.cp == 0 && f.decode_context / f.cp == f.tp;
}
constexpr bool decode_context_fits_kv_heads(const facts& f) noexcept {
  if (f.decode_context == 1 || f.latent_attention || f.cp > 1 || f.tp % f.decode_context != 0) return true;
  return f.tp > f.kv_heads && f.decode_context <= f.tp / f.kv_heads && f.heads / f.kv_heads % f.decode_context == 0;
}
constexpr bool experts_are_cut_or_spread(const facts& f) noexcept { return f.ep == 1 || f.etp == 1; }
constexpr bool experts_use_every_rank(const facts& f) noexcept { return f.moe_dp == 1; }
constexpr bool moe_dp_excludes_etp(const facts& f) noexcept { return f.moe_dp == 1 || f.ep == 1 || f.etp == 1; }
constexpr bool moe_dp_excludes_pp(const facts& f) noexcept { return f.moe_dp == 1 || f.pp == 1; }
constexpr bool moe_dp_is_1_or_cp(const facts& f) noexcept { return f.moe_dp == 1 || f.moe_dp == f.cp; }
constexpr bool replicas_are_on_one_node(const facts& f) noexcept {
  return !f.replicas || f.dp == 1 || f.gpus_per_node < 1 || f.nodes < 1 || f.gpus <= f.gpus_per_node;
}
constexpr bool attention_dp_excludes_tp(const facts& f) noexcept { return detail::is_attention_of_one_kind(f); }
constexpr bool decode_context_is_1_or_cp(const facts& f) noexcept { return f.decode_context == 1 || f.decode_context == f.cp; }
constexpr bool ep_excludes_cp(const facts& f) noexcept { return f.ep == 1 || f.cp == 1 || detail::is_helix(f); }
constexpr bool experts_fill_tp(const facts& f) noexcept {
  return !detail::is_attention_of_one_kind(f) || f.expert_ranks == detail::trtllm_expert_ranks(f);
}
constexpr bool heads_divide_by_tp_and_cp(const facts& f) noexcept { return f.heads % f.tp != 0 || f.heads / f.tp % f.cp == 0; }
constexpr bool ep_is_at_most_256(const facts& f) noexcept { return f.ep <= 256; }

} // namespace moeplan::holds

namespace moeplan::legal {

/// Decode contexts on TP ranks; vLLM wants them to hold no head of keys and values twice.
constexpr bool allows_decode_context(const facts& f, std::int64_t ranks) noexcept {
  if (f.tp % ranks != 0) return false;
  if (!detail::under(f, scope::vllm) || ranks == 1 || f.latent_attention || !f.knows(known::model)) return true;
  return f.tp > f.kv_heads && ranks <= f.tp / f.kv_heads && f.heads / f.kv_heads % ranks == 0;
}
constexpr legal_values decode_context_on_tp(const facts& f) noexcept {
  return detail::nearest_allowed(f, f.decode_context, f.tp, allows_decode_context);
}
constexpr legal_values decode_context_covers_cp(const facts& f) noexcept {
  const auto all = saturating_count{f.tp} * f.cp;
  legal_values v = detail::only(f.decode_context < f.cp ? 1 : f.cp);
  if (f.decode_context < f.cp)
    v.push_back(f.cp);
  else if (f.tp > 1 && detail::fits(all)) // Beyond CP there is TP x CP alone, on whichever side.
    v.push_back(detail::or_zero(all));
  return v;
}
constexpr legal_values replicas_are_on_one_node(const facts& f) noexcept {
  return f.gpus_per_node >= f.model_parallel ? detail::only(f.gpus_per_node / f.model_parallel) : legal_values{};
}
constexpr legal_values decode_context_is_1_or_cp(const facts& f) noexcept {
  legal_values v = detail::only(1);
  if (f.cp > 1) v.push_back(f.cp);
  return v;
}
constexpr legal_values ep_excludes_cp(const facts& f) noexcept {
  return detail::allows_ep(f, 1) ? detail::only(1) : legal_values{};
}
constexpr legal_values expert_share_fills_blocks(const facts& f) noexcept {
  if (f.expert_mlp % 128 != 0) return detail::only(1);
  legal_values v;
  for (const std::int64_t etp : detail::divisors(f.expert_mlp / 128, f.etp))
    if (detail::allows_etp(f, etp)) v.push_back(etp);
  return v;
}
constexpr legal_values heads_divide_by_tp_and_cp(const facts& f) noexcept { return detail::divisors(f.heads / f.tp, f.cp); }

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry serving[] = {
    {.id = rule::replicas_hold_experts,
     .name = "replicas_hold_experts",
     .needs = known::serving | known::experts | known::grids,
     .message =
         "DP ranks are replicas of TP x CP = {gpus} GPUs a stage, which the experts' ETP {etp} x EP {ep} ranks do not divide; "
         "ranks that share experts are data-parallel attention",
     .operands = {&operands::sharing_gpus, &operands::etp, &operands::ep},
     .source = "SGLang parallel_state.py, initialize_model_parallel, with dp_size replicas",
     .holds = holds::replicas_hold_experts,
     .legal = detail::legal_ep,
     .changes = "ep"},
    {.id = rule::decode_context_is_at_least_1,
     .name = "decode_context_is_at_least_1",
     .needs = known::serving,
     .message = "{decode_context} ranks share the keys and values of a sequence; that is at least 1",
     .operands = {&operands::decode_context},
     .source = "vLLM ParallelConfig.decode_context_parallel_size",
     .holds = holds::decode_context_is_at_least_1,
     .legal = detail::one,
     .changes = "decode_context"},
    {.id = rule::expert_share_fills_blocks,
     .name = "expert_share_fills_blocks",
     .severity = severity::advice,
     .scope = scope::serving,
     .needs = known::serving | known::model | known::experts | known::etp,
     .message =
         "ETP {etp} leaves {share} of an expert's intermediate size {expert_intermediate_size} on a rank, no multiple of 128: "
         "weights that are quantised in blocks of 128 x 128 cannot be cut there",
     .operands = {&operands::etp, &operands::share, &operands::expert_intermediate_size},
     .source = "vLLM fp8.py, Fp8MoEMethod.create_weights; SGLang moe_ep_setup.py, sglang#31159; TensorRT-LLM FP8 block scales",
     .holds = holds::expert_share_fills_blocks,
     .legal = legal::expert_share_fills_blocks,
     .changes = "etp"},
    {.id = rule::elastic_ep_excludes_pp,
     .name = "elastic_ep_excludes_pp",
     .scope = scope::vllm | scope::sglang,
     .needs = known::serving | known::pp,
     .message = "elastic expert parallelism excludes pipeline parallelism; PP is {pp}",
     .operands = {&operands::pp},
     .source = "vLLM ParallelConfig.__post_init__; SGLang parallel_hook.py, handle_elastic_ep",
     .holds = holds::elastic_ep_excludes_pp,
     .legal = detail::one,
     .changes = "pp"},
    {.id = rule::dp_needs_experts,
     .name = "dp_needs_experts",
     .severity = severity::advice,
     .scope = scope::vllm,
     .needs = known::serving | known::dp,
     .message =
         "a model without experts has nothing that DP {dp} ranks could share: vLLM's advice is independent instances, replicas",
     .operands = {&operands::dp},
     .source = "vLLM ParallelConfig.__post_init__, where the offline mode refuses it",
     .holds = holds::dp_needs_experts,
     .legal = detail::one,
     .changes = "dp"},
    {.id = rule::elastic_ep_needs_ep,
     .name = "elastic_ep_needs_ep",
     .scope = scope::vllm,
     .needs = known::serving | known::ep,
     .message = "elastic expert parallelism rebalances experts over EP ranks, but EP is {ep}",
     .operands = {&operands::ep},
     .source = "vLLM ParallelConfig.__post_init__ with _validate_parallel_config",
     .holds = holds::elastic_ep_needs_ep},
    {.id = rule::cp_excludes_dp,
     .name = "cp_excludes_dp",
     .scope = scope::vllm,
     .needs = known::serving | known::cp | known::dp,
     .message = "vLLM's prefill context parallelism does not work with data parallelism yet: CP {cp}, DP {dp}",
     .operands = {&operands::cp, &operands::dp},
     .source = "vLLM ParallelConfig._validate_parallel_config",
     .holds = holds::cp_excludes_dp,
     .legal = detail::one,
     .changes = "cp"},
    {.id = rule::tp_divides_by_decode_context,
     .name = "tp_divides_by_decode_context",
     .scope = scope::arithmetic & ~scope::trtllm, // whose decode context is 1 or CP
     .needs = known::serving | known::tp | known::cp | known::decode_context,
     .message = "the ranks that share the keys and values of a sequence are TP ranks, and {decode_context} does not divide TP {tp}",
     .operands = {&operands::decode_context, &operands::tp},
     .source = "vLLM ParallelConfig._validate_parallel_config",
     .holds = holds::tp_divides_by_decode_context,
     .legal = legal::decode_context_on_tp,
     .changes = "decode_context"},
    {.id = rule::decode_context_covers_cp,
     .name = "decode_context_covers_cp",
     .scope = scope::vllm,
     .needs = known::serving | known::tp | known::cp | known::decode_context,
     .message = "beside prefill context parallelism vLLM's decode context parallelism is 1, CP {cp} or TP {tp} x CP, not "
                "{decode_context}",
     .operands = {&operands::cp, &operands::tp, &operands::decode_context},
     .source = "vLLM ParallelConfig._validate_parallel_config",
     .holds = holds::decode_context_covers_cp,
     .legal = legal::decode_context_covers_cp,
     .changes = "decode_context"},
    {.id = rule::decode_context_fits_kv_heads,
     .name = "decode_context_fits_kv_heads",
     .scope = scope::vllm,
     .needs = known::serving | known::model | known::tp | known::cp | known::decode_context,
     .message = "vLLM's decode context parallelism takes the place of copied heads of keys and values: {decode_context} is more "
                "than TP {tp} "
                "/ {kv_heads}, or does not divide the query heads of one, {heads} / {kv_heads}",
     .operands = {&operands::decode_context, &operands::tp, &operands::kv_heads, &operands::heads},
     .source = "vLLM ModelConfig.verify_with_parallel_config",
     .holds = holds::decode_context_fits_kv_heads,
     .legal = legal::decode_context_on_tp,
     .changes = "decode_context"},
    {.id = rule::experts_are_cut_or_spread,
     .name = "experts_are_cut_or_spread",
     .scope = scope::vllm,
     .needs = known::serving | known::experts | known::ep | known::etp,
     .message =
         "vLLM either spreads whole experts over its ranks (ETP 1) or cuts each over all of them (EP 1); EP {ep} with ETP {etp} "
         "is neither",
     .operands = {&operands::ep, &operands::etp},
     .source = "vLLM fused_moe/config.py, FusedMoEParallelConfig.make",
     .holds = holds::experts_are_cut_or_spread,
     .legal = detail::one,
     .changes = "etp"},
    {.id = rule::experts_use_every_rank,
     .name = "experts_use_every_rank",
     .scope = scope::vllm,
     .needs = known::serving | known::experts | known::whole_sets,
     .message =
         "vLLM takes no EP: it is all {ranks} ranks of a stage with --enable-expert-parallel, and else ETP is. ETP {etp} x EP {ep} "
         "would leave {copies} copies of each expert",
     .operands = {&operands::ranks, &operands::etp, &operands::ep, &operands::copies},
     .source = "vLLM fused_moe/config.py, FusedMoEParallelConfig.make",
     .holds = holds::experts_use_every_rank,
     .legal = detail::legal_ep,
     .changes = "ep"},
    {.id = rule::moe_dp_excludes_etp,
     .name = "moe_dp_excludes_etp",
     .scope = scope::sglang,
     .needs = known::serving | known::experts | known::whole_sets,
     .message =
         "with more than one copy of each expert (moe_dp_size {moe_dp}) and EP {ep}, SGLang's ep_size x moe_dp_size is its tp_size "
         "{ranks}; ETP {etp} leaves a factor over",
     .operands = {&operands::moe_dp, &operands::ep, &operands::ranks, &operands::etp},
     .source = "SGLang parallel_hook.py, handle_context_parallelism",
     .holds = holds::moe_dp_excludes_etp,
     .legal = detail::one,
     .changes = "etp"},
    {.id = rule::moe_dp_excludes_pp,
     .name = "moe_dp_excludes_pp",
     .scope = scope::sglang,
     .needs = known::serving | known::experts | known::whole_sets,
     .message = "more than one copy of each expert (SGLang's moe_dp_size {moe_dp}) excludes pipeline parallelism; PP is {pp}",
     .operands = {&operands::moe_dp, &operands::pp},
     .source = "SGLang parallel_hook.py, handle_context_parallelism",
     .holds = holds::moe_dp_excludes_pp,
     .legal = detail::one,
     .changes = "pp"},
    {.id = rule::moe_dp_is_1_or_cp,
     .name = "moe_dp_is_1_or_cp",
     .scope = scope::sglang,
     .needs = known::serving | known::experts | known::whole_sets,
     .message =
         "SGLang's tp_size {ranks} (TP x CP x DP here) over ETP {etp} x EP {ep} makes moe_dp_size {moe_dp}, the copies of each "
         "expert; it is 1 or CP {cp}",
     .operands = {&operands::ranks, &operands::etp, &operands::ep, &operands::moe_dp, &operands::cp},
     .source = "SGLang parallel_hook.py, handle_context_parallelism",
     .holds = holds::moe_dp_is_1_or_cp,
     .legal = detail::legal_ep,
     .changes = "ep"},
    {.id = rule::replicas_are_on_one_node,
     .name = "replicas_are_on_one_node",
     .scope = scope::sglang,
     .needs = known::serving | known::degrees | known::no_overflow | known::folded | known::cluster,
     .message =
         "SGLang keeps the DP {dp} replicas of one server on one node of {gpus_per_node} GPUs, and they need {gpus}; across nodes "
         "there is data-parallel attention",
     .operands = {&operands::dp, &operands::gpus_per_node, &operands::gpus},
     .source = "SGLang validation_hook.py, check_server_args",
     .holds = holds::replicas_are_on_one_node,
     .legal = legal::replicas_are_on_one_node,
     .changes = "dp"},
    {.id = rule::attention_dp_excludes_tp,
     .name = "attention_dp_excludes_tp",
     .scope = scope::trtllm,
     .needs = known::serving | known::tp | known::dp,
     .message =
         "TensorRT-LLM's attention is tensor parallel or, with enable_attention_dp, data parallel over its whole tp_size; TP {tp} "
         "with DP {dp} is both",
     .operands = {&operands::tp, &operands::dp},
     .source = "TensorRT-LLM mapping.py, where dp_size is tp_size or 1",
     .holds = holds::attention_dp_excludes_tp,
     .legal = detail::one,
     .changes = "tp"},
    {.id = rule::decode_context_is_1_or_cp,
     .name = "decode_context_is_1_or_cp",
     .scope = scope::trtllm,
     .needs = known::serving | known::cp | known::decode_context,
     .message =
         "in TensorRT-LLM the CP {cp} ranks share keys and values while decoding (Helix), or none do (1), not {decode_context}",
     .operands = {&operands::cp, &operands::decode_context},
     .source = "TensorRT-LLM mapping.py, CpType",
     .holds = holds::decode_context_is_1_or_cp,
     .legal = legal::decode_context_is_1_or_cp,
     .changes = "decode_context"},
    {.id = rule::ep_excludes_cp,
     .name = "ep_excludes_cp",
     .scope = scope::trtllm,
     .needs = known::serving | known::experts | known::cp | known::ep | known::decode_context,
     .message = "in TensorRT-LLM only Helix (decode context {decode_context} = CP) combines CP {cp} with EP {ep}",
     .operands = {&operands::decode_context, &operands::cp, &operands::ep},
     .source = "TensorRT-LLM mapping.py, MappingBase.__init__",
     .holds = holds::ep_excludes_cp,
     .legal = legal::ep_excludes_cp,
     .changes = "ep"},
    {.id = rule::experts_fill_tp,
     .name = "experts_fill_tp",
     .scope = scope::trtllm,
     .needs = known::serving | known::experts | known::whole_sets | known::decode_context,
     .message =
         "TensorRT-LLM's moe_tp x moe_ep is its tp_size (TP {tp} x DP {dp} here), with Helix times CP {cp}; ETP {etp} x EP {ep} is "
         "not",
     .operands = {&operands::tp, &operands::dp, &operands::cp, &operands::etp, &operands::ep},
     .source = "TensorRT-LLM mapping.py, MappingBase.__init__",
     .holds = holds::experts_fill_tp,
     .legal = detail::legal_ep,
     .changes = "ep"},
    {.id = rule::heads_divide_by_tp_and_cp,
     .name = "heads_divide_by_tp_and_cp",
     .scope = scope::trtllm,
     .needs = known::serving | known::model | known::tp | known::cp,
     .message = "TensorRT-LLM divides the {heads} attention heads over TP {tp} x CP {cp} ranks, and not evenly",
     .operands = {&operands::heads, &operands::tp, &operands::cp},
     .source = "TensorRT-LLM mapping.py, attn_tp_size; _torch/modules/attention.py",
     .holds = holds::heads_divide_by_tp_and_cp,
     .legal = legal::heads_divide_by_tp_and_cp,
     .changes = "cp"},
    {.id = rule::ep_is_at_most_256,
     .name = "ep_is_at_most_256",
     .severity = severity::warning,
     .scope = scope::trtllm,
     .needs = known::serving | known::experts | known::ep,
     .message = "TensorRT-LLM's one-sided exchange over NVLink reaches 256 ranks, not EP {ep}",
     .operands = {&operands::ep},
     .source = "TensorRT-LLM#18800; 128 in older releases",
     .holds = holds::ep_is_at_most_256},
};

} // namespace moeplan::rules
