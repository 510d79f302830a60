#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on a model alone.

namespace moeplan::holds {

constexpr bool layers_are_at_least_1(const facts& f) noexcept { return f.layers >= 1; }
constexpr bool hidden_size_is_at_least_1(const facts& f) noexcept { return f.hidden_size >= 1; }
constexpr bool vocabulary_is_at_least_1(const facts& f) noexcept { return f.vocabulary_size >= 1; }
constexpr bool heads_are_at_least_1(const facts& f) noexcept { return f.heads >= 1; }
constexpr bool kv_heads_are_at_least_1(const facts& f) noexcept { return f.kv_heads >= 1; }
constexpr bool sizes_are_not_negative(const facts& f) noexcept { return f.smallest_size >= 0; }
constexpr bool dense_layers_have_an_mlp(const facts& f) noexcept { return f.dense_layers == 0 || f.dense_mlp >= 1; }
constexpr bool experts_have_an_mlp(const facts& f) noexcept { return f.expert_mlp >= 1; }
constexpr bool latent_attention_is_complete(const facts& f) noexcept {
  return !f.latent_attention || (f.kv_lora_rank >= 1 && f.qk_head_dim >= 1 && f.v_head_dim >= 1);
}
constexpr bool hidden_divides_by_heads(const facts& f) noexcept {
  return f.latent_attention || f.head_dim != 0 || f.hidden_size % f.heads == 0;
}
constexpr bool heads_divide_by_kv_heads(const facts& f) noexcept { return f.heads % f.kv_heads == 0; }
constexpr bool moe_layers_are_well_formed(const facts& f) noexcept { return f.knows(known::placement); }
constexpr bool top_k_is_within_experts(const facts& f) noexcept { return f.top_k >= 1 && f.top_k <= f.experts; }
constexpr bool experts_divide_by_groups(const facts& f) noexcept { return f.groups >= 1 && f.experts % f.groups == 0; }
constexpr bool group_top_k_is_within_groups(const facts& f) noexcept { return f.group_top_k >= 1 && f.group_top_k <= f.groups; }
constexpr bool top_k_fits_chosen_groups(const facts& f) noexcept {
  // Where groups or top-k are no such numbers at all, the rules above say so.
  if (f.groups < 1 || f.experts % f.groups != 0 || f.group_top_k < 1 || f.group_top_k > f.groups || f.top_k > f.experts)
    return true;
  return f.top_k <= f.experts / f.groups * f.group_top_k;
}
constexpr bool top_k_reaches_chosen_groups(const facts& f) noexcept {
  return f.group_top_k < 1 || f.group_top_k > f.groups || f.top_k < 1 || f.top_k >= f.group_top_k;
}
constexpr bool groups_hold_two_experts(const facts& f) noexcept { return f.groups <= 1 || f.groups != f.experts; }
constexpr bool softmax_layers_are_well_formed(const facts& f) noexcept {
  return f.first_softmax_layer >= 0 && f.softmax_every > 0 && f.softmax_phase >= 0 && f.softmax_phase < f.softmax_every;
}
constexpr bool windowed_layers_are_well_formed(const facts& f) noexcept {
  return f.first_full_layer >= 0 && f.full_every > 0 && f.full_phase >= 0 && f.full_phase < f.full_every;
}
constexpr bool linear_value_heads_divide_by_key_heads(const facts& f) noexcept {
  return f.linear_key_heads >= 1 && f.linear_value_heads % f.linear_key_heads == 0;
}

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values hidden_divides_by_heads(const facts& f) noexcept { return detail::divisors(f.hidden_size, f.heads); }
constexpr legal_values heads_divide_by_kv_heads(const facts& f) noexcept { return detail::divisors(f.heads, f.kv_heads); }
constexpr legal_values top_k_is_within_experts(const facts& f) noexcept { return detail::only(f.top_k < 1 ? 1 : f.experts); }
constexpr legal_values top_k_reaches_chosen_groups(const facts& f) noexcept { return detail::only(f.top_k); }

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry model[] = {
    {.id = rule::layers_are_at_least_1,
     .name = "layers_are_at_least_1",
     .message = "the model has {layers} decoder layers",
     .operands = {&operands::layers},
     .source = "a size",
     .holds = holds::layers_are_at_least_1},
    {.id = rule::hidden_size_is_at_least_1,
     .name = "hidden_size_is_at_least_1",
     .message = "the model's hidden size is {hidden_size}",
     .operands = {&operands::hidden_size},
     .source = "a size",
     .holds = holds::hidden_size_is_at_least_1},
    {.id = rule::vocabulary_is_at_least_1,
     .name = "vocabulary_is_at_least_1",
     .message = "the model's vocabulary has {vocabulary_size} tokens",
     .operands = {&operands::vocabulary_size},
     .source = "a size",
     .holds = holds::vocabulary_is_at_least_1},
    {.id = rule::heads_are_at_least_1,
     .name = "heads_are_at_least_1",
     .message = "the model has {heads} attention heads",
     .operands = {&operands::heads},
     .source = "a size",
     .holds = holds::heads_are_at_least_1},
    {.id = rule::kv_heads_are_at_least_1,
     .name = "kv_heads_are_at_least_1",
     .message = "the model has {kv_heads} heads of keys and values",
     .operands = {&operands::kv_heads},
     .source = "a size",
     .holds = holds::kv_heads_are_at_least_1},
    {.id = rule::sizes_are_not_negative,
     .name = "sizes_are_not_negative",
     .message = "a size of the model is {smallest_size}; sizes are not negative",
     .operands = {&operands::smallest_size},
     .source = "a size",
     .holds = holds::sizes_are_not_negative},
    {.id = rule::dense_layers_have_an_mlp,
     .name = "dense_layers_have_an_mlp",
     .needs = known::model,
     .message = "{dense_layers} layers of the model hold no experts, and the intermediate size of their MLP is {intermediate_size}",
     .operands = {&operands::dense_layers, &operands::intermediate_size},
     .source = "a size",
     .holds = holds::dense_layers_have_an_mlp},
    {.id = rule::experts_have_an_mlp,
     .name = "experts_have_an_mlp",
     .needs = known::model | known::experts,
     .message = "the model has {experts} routed experts, and the intermediate size of one is {expert_intermediate_size}",
     .operands = {&operands::experts, &operands::expert_intermediate_size},
     .source = "a size",
     .holds = holds::experts_have_an_mlp},
    {.id = rule::latent_attention_is_complete,
     .name = "latent_attention_is_complete",
     .needs = known::model,
     .message =
         "latent attention has a latent vector of {kv_lora_rank}, heads of {qk_head_dim} for queries and keys, and of {v_head_dim} "
         "for values; each is at least 1",
     .operands = {&operands::kv_lora_rank, &operands::qk_head_dim, &operands::v_head_dim},
     .source = "DeepSeek-V2, arXiv 2405.04434",
     .holds = holds::latent_attention_is_complete},
    {.id = rule::hidden_divides_by_heads,
     .name = "hidden_divides_by_heads",
     .needs = known::model,
     .message = "the width of a head is not given, and the hidden size {hidden_size} cannot be divided evenly over {heads} heads",
     .operands = {&operands::hidden_size, &operands::heads},
     .source = "Megatron-LM arguments.py:1332",
     .holds = holds::hidden_divides_by_heads,
     .legal = legal::hidden_divides_by_heads,
     .changes = "heads"},
    {.id = rule::heads_divide_by_kv_heads,
     .name = "heads_divide_by_kv_heads",
     .needs = known::model,
     .message = "{heads} query heads cannot share {kv_heads} heads of keys and values evenly",
     .operands = {&operands::heads, &operands::kv_heads},
     .source = "nanotron config.py:539; llm-analysis config.py:77",
     .holds = holds::heads_divide_by_kv_heads,
     .legal = legal::heads_divide_by_kv_heads,
     .changes = "kv_heads"},
    {.id = rule::moe_layers_are_well_formed,
     .name = "moe_layers_are_well_formed",
     .needs = known::experts,
     .message = "the layers with experts are every {every}-th with phase {phase} from layer {first}; the first is not negative, "
                "and the phase is "
                "from 0 to below the period",
     .operands = {&operands::first_moe_layer, &operands::every, &operands::phase},
     .source = "Megatron-LM transformer_config.py, moe_layer_freq; theoretical_memory_usage.py:36",
     .holds = holds::moe_layers_are_well_formed},
    {.id = rule::top_k_is_within_experts,
     .name = "top_k_is_within_experts",
     .needs = known::experts,
     .message = "each token visits {top_k} of {experts} experts; top-k is from 1 to the number of experts",
     .operands = {&operands::top_k, &operands::experts},
     .source = "nanotron models_config.py:52; DeepSpeed auto_ep.py:384; in Megatron-LM torch.topk throws at the first step",
     .holds = holds::top_k_is_within_experts,
     .legal = legal::top_k_is_within_experts,
     .changes = "top_k"},
    {.id = rule::experts_divide_by_groups,
     .name = "experts_divide_by_groups",
     .needs = known::experts,
     .message = "{experts} experts cannot be divided evenly into {groups} groups",
     .operands = {&operands::experts, &operands::groups},
     .source = "Megatron-LM transformer_config.py:2680",
     .holds = holds::experts_divide_by_groups,
     .legal = detail::legal_groups,
     .changes = "groups"},
    {.id = rule::group_top_k_is_within_groups,
     .name = "group_top_k_is_within_groups",
     .needs = known::experts,
     .message = "each token visits {group_top_k} of {groups} groups of experts; that is from 1 to the number of groups",
     .operands = {&operands::group_top_k, &operands::groups},
     .source = "Megatron-LM transformer_config.py:2684",
     .holds = holds::group_top_k_is_within_groups,
     .legal = detail::legal_group_top_k,
     .changes = "group_top_k"},
    {.id = rule::top_k_fits_chosen_groups,
     .name = "top_k_fits_chosen_groups",
     .needs = known::experts,
     .message = "the {group_top_k} groups that a token may visit, of {groups} with {experts} experts in all, hold fewer than its "
                "{top_k} experts",
     .operands = {&operands::group_top_k, &operands::groups, &operands::experts, &operands::top_k},
     .source = "Megatron-LM moe_utils.py:710, unchecked there",
     .holds = holds::top_k_fits_chosen_groups},
    {.id = rule::top_k_reaches_chosen_groups,
     .name = "top_k_reaches_chosen_groups",
     .needs = known::experts,
     .message = "a token's {top_k} experts cannot come from {group_top_k} different groups",
     .operands = {&operands::top_k, &operands::group_top_k},
     .source = "Megatron-LM moe_utils.py:710, which takes top-k over groups from each and gets 0",
     .holds = holds::top_k_reaches_chosen_groups,
     .legal = legal::top_k_reaches_chosen_groups,
     .changes = "group_top_k"},
    {.id = rule::groups_hold_two_experts,
     .name = "groups_hold_two_experts",
     .scope = scope::torchtitan,
     .needs = known::experts,
     .message = "{experts} experts in {groups} groups are one a group; torchtitan scores a group by its best two",
     .operands = {&operands::experts, &operands::groups},
     .source = "torchtitan moe.py:258",
     .holds = holds::groups_hold_two_experts,
     .legal = detail::legal_groups,
     .changes = "groups"},
    {.id = rule::softmax_layers_are_well_formed,
     .name = "softmax_layers_are_well_formed",
     .needs = known::linear_attention,
     .message =
         "the layers with softmax attention beside linear attention are every {every}-th with phase {phase} from layer {first}; "
         "the first is not negative, and the phase is from 0 to below the period",
     .operands = {&operands::first_softmax_layer, &operands::softmax_every, &operands::softmax_phase},
     .source = "Megatron-LM transformer_config.py, linear_attention_freq",
     .holds = holds::softmax_layers_are_well_formed},
    {.id = rule::windowed_layers_are_well_formed,
     .name = "windowed_layers_are_well_formed",
     .needs = known::window,
     .message = "the layers with full attention beside those with a window are every {every}-th with phase {phase} from layer "
                "{first}; the first is not negative, and the phase is from 0 to below the period",
     .operands = {&operands::first_full_layer, &operands::full_every, &operands::full_phase},
     .source = "Megatron-LM transformer_config.py, window_attn_skip_freq",
     .holds = holds::windowed_layers_are_well_formed},
    {.id = rule::linear_value_heads_divide_by_key_heads,
     .name = "linear_value_heads_divide_by_key_heads",
     .needs = known::linear_attention,
     .message = "the {value_heads} value heads of linear attention cannot share {key_heads} key heads evenly",
     .operands = {&operands::linear_value_heads, &operands::linear_key_heads},
     .source = "Megatron-LM transformer_config.py:1495",
     .holds = holds::linear_value_heads_divide_by_key_heads},
};

} // namespace moeplan::rules
