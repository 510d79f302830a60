#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on a model alone.

namespace moeplan::rules {

inline constexpr rule_entry model[] = {
    {.id = rule::layers_are_at_least_1,
     .name = "layers_are_at_least_1",
     .message = "the model has {layers} decoder layers",
     .operands = {{"layers", &facts::layers}},
     .source = "a size",
     .holds = [](const facts& f) { return f.layers >= 1; }},
    {.id = rule::hidden_size_is_at_least_1,
     .name = "hidden_size_is_at_least_1",
     .message = "the model's hidden size is {hidden_size}",
     .operands = {{"hidden_size", &facts::hidden_size}},
     .source = "a size",
     .holds = [](const facts& f) { return f.hidden_size >= 1; }},
    {.id = rule::vocabulary_is_at_least_1,
     .name = "vocabulary_is_at_least_1",
     .message = "the model's vocabulary has {vocabulary_size} tokens",
     .operands = {{"vocabulary_size", &facts::vocabulary_size}},
     .source = "a size",
     .holds = [](const facts& f) { return f.vocabulary_size >= 1; }},
    {.id = rule::heads_are_at_least_1,
     .name = "heads_are_at_least_1",
     .message = "the model has {heads} attention heads",
     .operands = {{"heads", &facts::heads}},
     .source = "a size",
     .holds = [](const facts& f) { return f.heads >= 1; }},
    {.id = rule::kv_heads_are_at_least_1,
     .name = "kv_heads_are_at_least_1",
     .message = "the model has {kv_heads} heads of keys and values",
     .operands = {{"kv_heads", &facts::kv_heads}},
     .source = "a size",
     .holds = [](const facts& f) { return f.kv_heads >= 1; }},
    {.id = rule::sizes_are_not_negative,
     .name = "sizes_are_not_negative",
     .message = "a size of the model is {smallest_size}; sizes are not negative",
     .operands = {{"smallest_size", &facts::smallest_size}},
     .source = "a size",
     .holds = [](const facts& f) { return f.smallest_size >= 0; }},
    {.id = rule::hidden_divides_by_heads,
     .name = "hidden_divides_by_heads",
     .needs = known::model,
     .message = "the width of a head is not given, and the hidden size {hidden_size} cannot be divided evenly over {heads} heads",
     .operands = {{"hidden_size", &facts::hidden_size}, {"heads", &facts::heads}},
     .source = "Megatron-LM arguments.py:1332",
     .holds = [](const facts& f) { return f.latent_attention || f.head_dim != 0 || f.hidden_size % f.heads == 0; },
     .legal = [](const facts& f) { return detail::divisors(f.hidden_size, f.heads); },
     .changes = "heads"},
    {.id = rule::heads_divide_by_kv_heads,
     .name = "heads_divide_by_kv_heads",
     .needs = known::model,
     .message = "{heads} query heads cannot share {kv_heads} heads of keys and values evenly",
     .operands = {{"heads", &facts::heads}, {"kv_heads", &facts::kv_heads}},
     .source = "nanotron config.py:539; llm-analysis config.py:77",
     .holds = [](const facts& f) { return f.heads % f.kv_heads == 0; },
     .legal = [](const facts& f) { return detail::divisors(f.heads, f.kv_heads); },
     .changes = "kv_heads"},
    {.id = rule::moe_layers_are_well_formed,
     .name = "moe_layers_are_well_formed",
     .needs = known::experts,
     .message = "the layers with experts are every {every}-th with phase {phase} from layer {first}; the first is not negative, "
                "and the phase is "
                "from 0 to below the period",
     .operands = {{"first", &facts::first_moe_layer}, {"every", &facts::moe_every}, {"phase", &facts::moe_phase}},
     .source = "Megatron-LM transformer_config.py, moe_layer_freq; theoretical_memory_usage.py:36",
     .holds = [](const facts& f) { return f.knows(known::placement); }},
    {.id = rule::top_k_is_within_experts,
     .name = "top_k_is_within_experts",
     .needs = known::experts,
     .message = "each token visits {top_k} of {experts} experts; top-k is from 1 to the number of experts",
     .operands = {{"top_k", &facts::top_k}, {"experts", &facts::experts}},
     .source = "nanotron models_config.py:52; DeepSpeed auto_ep.py:384; in Megatron-LM torch.topk throws at the first step",
     .holds = [](const facts& f) { return f.top_k >= 1 && f.top_k <= f.experts; },
     .legal = [](const facts& f) { return detail::only(f.top_k < 1 ? 1 : f.experts); },
     .changes = "top_k"},
    {.id = rule::experts_divide_by_groups,
     .name = "experts_divide_by_groups",
     .needs = known::experts,
     .message = "{experts} experts cannot be divided evenly into {groups} groups",
     .operands = {{"experts", &facts::experts}, {"groups", &facts::groups}},
     .source = "Megatron-LM transformer_config.py:2680",
     .holds = [](const facts& f) { return f.groups >= 1 && f.experts % f.groups == 0; },
     .legal = [](const facts& f) { return f.groups < 1 ? detail::only(1) : detail::divisors(f.experts, f.groups); },
     .changes = "groups"},
    {.id = rule::group_top_k_is_within_groups,
     .name = "group_top_k_is_within_groups",
     .needs = known::experts,
     .message = "each token visits {group_top_k} of {groups} groups of experts; that is from 1 to the number of groups",
     .operands = {{"group_top_k", &facts::group_top_k}, {"groups", &facts::groups}},
     .source = "Megatron-LM transformer_config.py:2684",
     .holds = [](const facts& f) { return f.group_top_k >= 1 && f.group_top_k <= f.groups; },
     .legal = [](const facts& f) { return f.groups < 1 ? legal_values{} : detail::only(f.group_top_k < 1 ? 1 : f.groups); },
     .changes = "group_top_k"},
    {.id = rule::top_k_fits_chosen_groups,
     .name = "top_k_fits_chosen_groups",
     .needs = known::experts,
     .message = "the {group_top_k} groups that a token may visit, of {groups} with {experts} experts in all, hold fewer than its "
                "{top_k} experts",
     .operands =
         {{"group_top_k", &facts::group_top_k}, {"groups", &facts::groups}, {"experts", &facts::experts}, {"top_k", &facts::top_k}},
     .source = "Megatron-LM moe_utils.py:710, unchecked there",
     .holds =
         [](const facts& f) {
           // Where groups or top-k are no such numbers at all, the rules above say so.
           if (f.groups < 1 || f.experts % f.groups != 0 || f.group_top_k < 1 || f.group_top_k > f.groups || f.top_k > f.experts)
             return true;
           return f.top_k <= f.experts / f.groups * f.group_top_k;
         }},
    {.id = rule::top_k_reaches_chosen_groups,
     .name = "top_k_reaches_chosen_groups",
     .needs = known::experts,
     .message = "a token's {top_k} experts cannot come from {group_top_k} different groups",
     .operands = {{"top_k", &facts::top_k}, {"group_top_k", &facts::group_top_k}},
     .source = "Megatron-LM moe_utils.py:710, which takes top-k over groups from each and gets 0",
     .holds =
         [](const facts& f) { return f.group_top_k < 1 || f.group_top_k > f.groups || f.top_k < 1 || f.top_k >= f.group_top_k; },
     .legal = [](const facts& f) { return detail::only(f.top_k); },
     .changes = "group_top_k"},
};

} // namespace moeplan::rules
