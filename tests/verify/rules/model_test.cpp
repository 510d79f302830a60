#include <moeplan/verify/rules/model.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

template <class Change>
constexpr deployment with(Change change) {
  return changed(trained, [&change](deployment& d) { change(d.model); });
}

template <class Change>
constexpr deployment experts_with(Change change) {
  return changed(trained, [&change](deployment& d) { change(d.model.experts); });
}

constexpr attention latent_heads =
    attention::latent(16, {.kv_lora_rank = 256, .qk_nope_head_dim = 64, .qk_rope_head_dim = 32, .v_head_dim = 64});

constexpr deployment windowed(layer_set full, std::int64_t tokens = 128) {
  return with([&](model& m) { m.attention.window = {.tokens = tokens, .full_layers = full}; });
}

constexpr rule_case cases[] = {
    {rule::layers_are_at_least_1, with([](model& m) { m.layers = 1; }), with([](model& m) { m.layers = 0; }), {0}},
    {rule::hidden_size_is_at_least_1,
     with([](model& m) { m.hidden_size = 1; }),
     with([](model& m) { m.hidden_size = -512; }),
     {-512}},
    {rule::vocabulary_is_at_least_1,
     with([](model& m) { m.vocabulary_size = 1; }),
     with([](model& m) { m.vocabulary_size = 0; }),
     {0}},
    {rule::heads_are_at_least_1, with([](model& m) { m.attention.heads = 1; }), with([](model& m) { m.attention.heads = 0; }), {0}},
    {rule::kv_heads_are_at_least_1,
     with([](model& m) { m.attention.kv_heads = 1; }),
     with([](model& m) { m.attention.kv_heads = -1; }),
     {-1}},

    {rule::sizes_are_not_negative,
     with([](model& m) { m.intermediate_size = 0; }),
     with([](model& m) { m.intermediate_size = -1024; }),
     {-1024}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.head_dim = -1; }), {-1}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.q_lora_rank = -2; }), {-2}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.kv_lora_rank = -3; }), {-3}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.qk_nope_head_dim = -4; }), {-4}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.qk_rope_head_dim = -5; }), {-5}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.v_head_dim = -6; }), {-6}},
    {rule::sizes_are_not_negative, with([](model& m) { m.experts = {}; }), with([](model& m) { m.experts.routed = -7; }), {-7}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.experts.intermediate_size = -8; }), {-8}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.experts.shared_intermediate_size = -9; }), {-9}},
    {rule::sizes_are_not_negative,
     with([](model& m) { m.mtp_layers = 0; }),
     with([](model& m) { m.mtp_layers = INT64_MIN; }),
     {INT64_MIN}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.linear_attention.key_heads = -1; }), {-1}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.linear_attention.value_heads = -2; }), {-2}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.linear_attention.key_head_dim = -3; }), {-3}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.linear_attention.value_head_dim = -4; }), {-4}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.linear_attention.convolution = -5; }), {-5}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.indexer.heads = -6; }), {-6}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.indexer.head_dim = -7; }), {-7}},
    {rule::sizes_are_not_negative, trained, with([](model& m) { m.attention.indexer.top_k = -8; }), {-8}},
    // The least of several.
    {rule::sizes_are_not_negative,
     trained,
     with([](model& m) { m.mtp_layers = -1, m.intermediate_size = -3, m.attention.head_dim = -2; }),
     {-3}},

    {rule::dense_layers_have_an_mlp,
     with([](model& m) { m.intermediate_size = 0, m.experts.layers = layer_set::all(); }),
     with([](model& m) { m.intermediate_size = 0; }),
     {1, 0}},
    {rule::dense_layers_have_an_mlp, trained, with([](model& m) { m.intermediate_size = 0, m.experts = {}; }), {8, 0}},
    {rule::experts_have_an_mlp,
     experts_with([](auto& e) { e.intermediate_size = 1; }),
     experts_with([](auto& e) { e.intermediate_size = 0; }),
     {16, 0}},
    {rule::experts_have_an_mlp,
     with([](model& m) { m.experts = {}; }),
     experts_with([](auto& e) { e.intermediate_size = 0; }),
     {16, 0}},
    {rule::latent_attention_is_complete,
     with([](model& m) { m.attention = latent_heads; }),
     with([](model& m) { m.attention = latent_heads, m.attention.kv_lora_rank = 0; }),
     {0, 96, 64}},
    {rule::latent_attention_is_complete,
     trained,
     with([](model& m) { m.attention = latent_heads, m.attention.qk_nope_head_dim = 0, m.attention.qk_rope_head_dim = 0; }),
     {256, 0, 64}},
    {rule::latent_attention_is_complete,
     trained,
     with([](model& m) { m.attention = latent_heads, m.attention.v_head_dim = 0; }),
     {256, 96, 0}},

    // 520 = 2 x 2 x 2 x 5 x 13, and no divisor lies between 13 and 20.
    {rule::hidden_divides_by_heads,
     with([](model& m) { m.hidden_size = 520, m.attention.head_dim = 32; }),
     with([](model& m) { m.hidden_size = 520; }),
     {520, 16},
     {13, 20}},
    {rule::hidden_divides_by_heads,
     with([](model& m) { m.hidden_size = 520, m.attention = attention::latent(16, {}); }),
     with([](model& m) { m.hidden_size = 521; }),
     {521, 16},
     {1, 521}},

    {rule::heads_divide_by_kv_heads,
     with([](model& m) { m.attention.kv_heads = 16; }),
     with([](model& m) { m.attention.kv_heads = 6; }),
     {16, 6},
     {4, 8}},
    {rule::heads_divide_by_kv_heads,
     with([](model& m) { m.attention.kv_heads = 1; }),
     with([](model& m) { m.attention.kv_heads = 32; }),
     {16, 32},
     {16}},

    {rule::moe_layers_are_well_formed,
     experts_with([](auto& e) { e.layers = layer_set::every_nth(2, 1); }),
     experts_with([](auto& e) { e.layers = layer_set::every_nth(2, 2); }),
     {0, 2, 2}},
    {rule::moe_layers_are_well_formed, trained, experts_with([](auto& e) { e.layers = layer_set::every_nth(0, 0); }), {0, 0, 0}},
    {rule::moe_layers_are_well_formed, trained, experts_with([](auto& e) { e.layers.first = -1; }), {-1, 1, 0}},

    {rule::top_k_is_within_experts,
     experts_with([](auto& e) { e.top_k = 16; }),
     experts_with([](auto& e) { e.top_k = 17; }),
     {17, 16},
     {16}},
    {rule::top_k_is_within_experts,
     experts_with([](auto& e) { e.top_k = 1; }),
     experts_with([](auto& e) { e.top_k = 0; }),
     {0, 16},
     {1}},
    {rule::experts_divide_by_groups,
     experts_with([](auto& e) { e.groups = 16; }),
     experts_with([](auto& e) { e.groups = 3; }),
     {16, 3},
     {2, 4}},
    {rule::experts_divide_by_groups,
     experts_with([](auto& e) { e.groups = 1; }),
     experts_with([](auto& e) { e.groups = 0; }),
     {16, 0},
     {1}},
    {rule::group_top_k_is_within_groups,
     experts_with([](auto& e) { e.group_top_k = 4; }),
     experts_with([](auto& e) { e.group_top_k = 5; }),
     {5, 4},
     {2}},
    {rule::group_top_k_is_within_groups, trained, experts_with([](auto& e) { e.group_top_k = 0; }), {0, 4}, {1}},
    // Two groups of four experts.
    {rule::top_k_fits_chosen_groups,
     experts_with([](auto& e) { e.top_k = 8; }),
     experts_with([](auto& e) { e.top_k = 9; }),
     {2, 4, 16, 9}},
    {rule::top_k_reaches_chosen_groups, trained, experts_with([](auto& e) { e.group_top_k = 3; }), {2, 3}, {2}},
    {rule::groups_hold_two_experts,
     in(profile::torchtitan, experts_with([](auto& e) { e.groups = 8; })),
     in(profile::torchtitan, experts_with([](auto& e) { e.groups = 16; })),
     {16, 16},
     {8}},
    {rule::groups_hold_two_experts,
     experts_with([](auto& e) { e.groups = 16; }),
     in(profile::torchtitan, experts_with([](auto& e) { e.routed = 7, e.groups = 7; })),
     {7, 7},
     {1}},
    {rule::groups_hold_two_experts,
     in(profile::torchtitan, experts_with([](auto& e) { e.routed = 1, e.groups = 1; })),
     in(profile::torchtitan, experts_with([](auto& e) { e.routed = 2, e.groups = 2; })),
     {2, 2},
     {1}},
    {rule::softmax_layers_are_well_formed,
     with([](model& m) { m.linear_attention = {.key_heads = 2, .value_heads = 4, .softmax_layers = layer_set::every_nth(4, 3)}; }),
     with([](model& m) { m.linear_attention = {.key_heads = 2, .value_heads = 4, .softmax_layers = layer_set::every_nth(4, 4)}; }),
     {0, 4, 4}},
    {rule::softmax_layers_are_well_formed,
     with([](model& m) { m.linear_attention.softmax_layers.every = 0; }), // no linear attention
     with([](model& m) { m.linear_attention = {.key_heads = 2, .value_heads = 4, .softmax_layers = {.first = -1}}; }),
     {-1, 1, 0}},
    {rule::windowed_layers_are_well_formed, windowed(layer_set::every_nth(2, 1)), windowed(layer_set::every_nth(2, 2)), {0, 2, 2}},
    {rule::windowed_layers_are_well_formed,
     windowed(layer_set::every_nth(0, 0), 0), // no window
     windowed(layer_set::every_nth(0, 0)),
     {0, 0, 0}},
    {rule::windowed_layers_are_well_formed, windowed(attention_window::no_layers()), windowed({.first = -1}), {-1, 1, 0}},
    {rule::windowed_layers_are_well_formed, windowed({}), windowed({.every = 2, .phase = -1}), {0, 2, -1}},
    {rule::linear_value_heads_divide_by_key_heads,
     with([](model& m) { m.linear_attention = {.key_heads = 16, .value_heads = 32}; }),
     with([](model& m) { m.linear_attention = {.key_heads = 16, .value_heads = 24}; }),
     {24, 16}},
    {rule::linear_value_heads_divide_by_key_heads,
     with([](model& m) { m.linear_attention = {.key_heads = 16}; }),
     with([](model& m) { m.linear_attention = {.value_heads = 24}; }),
     {24, 0}},
};

static_assert(meet_every_rule(cases, rules::model));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on a model alone") { judge_at_run_time(cases); }

} // namespace
