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
};

} // namespace moeplan::rules
