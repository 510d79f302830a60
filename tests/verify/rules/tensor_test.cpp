#include <moeplan/verify/rules/tensor.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr deployment with_sequence(std::int64_t tokens, deployment d = trained) {
  d.workload.train.sequence_length = tokens;
  return d;
}

constexpr deployment universal(deployment d) {
  d.profile = profile::universal;
  return d;
}

/// Context parallelism as Ulysses has it.
constexpr deployment by_all_to_all(deployment d) {
  d.workload.train.context = context_exchange::all_to_all;
  return d;
}

constexpr deployment unpadded(std::int64_t vocabulary) {
  return changed(trained,
                 [vocabulary](auto& d) { d.model.vocabulary_size = vocabulary, d.workload.train.vocabulary_multiple = 0; });
}

/// A micro-batch in torchtitan.
constexpr deployment micro(std::int64_t sequences, std::int64_t tokens, sp sequence_parallel) {
  deployment d = in(profile::torchtitan, with_sequence(tokens, trained_with(sequence_parallel)));
  d.workload.train.micro_batch = sequences;
  return d;
}
constexpr deployment by_deepep(deployment d) {
  d.workload.train.dispatcher = token_dispatcher::deepep;
  return d;
}

constexpr deployment with_linear_heads(std::int64_t keys, std::int64_t values) {
  return changed(trained, [=](auto& d) { d.model.linear_attention = {.key_heads = keys, .value_heads = values}; });
}
constexpr deployment sparse(deployment d) {
  d.model.attention.indexer.top_k = 2048;
  return d;
}

constexpr rule_case cases[] = {
    // What TP must divide: 16 heads, hidden size 512, 1024 in dense layers, 128 in the shared experts; in common 16.
    {rule::heads_divide_by_tp, trained_with(tp{16}), trained_with(tp{3}), {16, 3}, {2, 4}},
    {rule::heads_divide_by_tp, trained_with(tp{1}), trained_with(tp{32}), {16, 32}, {16}},
    {rule::kv_heads_fit_tp, trained_with(tp{16}), trained_with(tp{3}), {8, 3}, {2, 4}},
    {rule::kv_heads_fit_tp, universal(trained_with(tp{3})), trained_with(tp{12}), {8, 12}, {8, 16}},
    {rule::kv_heads_fit_tp,
     in(profile::torchtitan, trained_with(tp{12})),
     in(profile::vllm, trained_with(tp{12})),
     {8, 12},
     {8, 16}},
    {rule::kv_heads_fit_tp, in(profile::trtllm, trained_with(tp{12})), in(profile::sglang, trained_with(tp{12})), {8, 12}, {8, 16}},
    {rule::hidden_divides_by_tp, trained_with(tp{512}), trained_with(tp{6}), {512, 6}, {4, 8}},
    {rule::dense_mlp_divides_by_tp, trained, changed(trained, [](auto& d) { d.model.intermediate_size = 1023; }), {1023, 2}, {1}},
    {rule::dense_mlp_divides_by_tp,
     changed(trained, [](auto& d) { d.model.intermediate_size = 1023, d.model.experts.layers = layer_set::all(); }),
     changed(trained, [](auto& d) { d.model.intermediate_size = 1023, d.model.experts.layers = layer_set::every_nth(2, 0); }),
     {1023, 2},
     {1}},
    {rule::dense_mlp_divides_by_tp,
     changed(trained_with(ep{1}), [](auto& d) { d.model.experts = {}; }),
     changed(trained_with(ep{1}), [](auto& d) { d.model.intermediate_size = 1023, d.model.experts = {}; }),
     {1023, 2},
     {1}},
    {rule::shared_experts_divide_by_tp,
     changed(trained, [](auto& d) { d.model.experts.shared_intermediate_size = 0; }),
     changed(trained, [](auto& d) { d.model.experts.shared_intermediate_size = 127; }),
     {127, 2},
     {1}},
    {rule::expert_mlp_divides_by_etp, trained_with(etp{256}), trained_with(etp{3}), {256, 3}, {2, 4}},
    {rule::vocabulary_divides_by_tp, unpadded(1000), unpadded(1001), {1001, 2}, {1}}, // 7 divides 1001, but no heads.
    {rule::vocabulary_divides_by_tp,
     changed(trained, [](auto& d) { d.model.vocabulary_size = 1001; }),
     unpadded(999),
     {999, 2},
     {1}},
    {rule::vocabulary_multiple_is_not_negative,
     unpadded(1000),
     changed(trained, [](auto& d) { d.workload.train.vocabulary_multiple = -1; }),
     {-1},
     {128}},
    {rule::vocabulary_multiple_is_not_negative,
     served,
     changed(served, [](auto& d) { d.workload.serve.vocabulary_multiple = INT64_MIN; }),
     {INT64_MIN},
     {128}},
    {rule::sp_is_1_or_tp, trained_with(sp{1}), trained_with(sp{4}), {4, 2}, {1, 2}},
    {rule::sp_is_1_or_tp, trained, trained_with(tp{1}, sp{2}), {2, 1}, {1}},

    // Each CP rank has two chunks of equal length, and their tokens are divided over TP 2: 3 x 2 and 3 x 2 divide a multiple of 6.
    {rule::sequence_divides_by_cp, trained, trained_with(cp{3}), {1024, 3}, {1020, 1026}},
    {rule::sequence_divides_by_cp,
     with_sequence(1026, trained_with(cp{3})),
     universal(trained_with(cp{3}, sp{1})),
     {1024, 3},
     {1023, 1026}},
    {rule::sequence_divides_by_twice_cp, with_sequence(1020), with_sequence(1022), {1022, 2}, {1020, 1024}},
    {rule::sequence_divides_by_twice_cp, universal(with_sequence(1022)), with_sequence(2), {2, 2}, {4}},
    {rule::sequence_divides_by_twice_cp,
     with_sequence(1023, trained_with(cp{1})),
     with_sequence(1022, trained_with(sp{1})),
     {1022, 2},
     {1020, 1024}},
    // 1020 over CP 2 x TP 4: 127.5 tokens.
    {rule::sequence_divides_by_cp_and_tp,
     with_sequence(1024, trained_with(tp{4}, sp{4})),
     with_sequence(1020, trained_with(tp{4}, sp{4})),
     {1020, 2, 4},
     {1016, 1024}},
    {rule::sequence_divides_by_cp_and_tp,
     with_sequence(1020, trained_with(tp{4}, sp{1})),
     universal(with_sequence(1022)),
     {1022, 2, 2},
     {1020, 1024}},

    // 16 heads on TP 2 are 8 a rank; 8 of keys and values are 4.
    {rule::heads_divide_by_cp, by_all_to_all(trained_with(cp{8})), by_all_to_all(trained_with(cp{3})), {16, 2, 3}, {2, 4}},
    {rule::heads_divide_by_cp,
     trained_with(cp{16}),
     by_all_to_all(trained_with(cp{16})),
     {16, 2, 16},
     {4}}, // 8 query heads a TP rank, but 4 of keys and values.
    {rule::heads_divide_by_cp,
     in(profile::torchtitan, by_all_to_all(trained_with(cp{16}))),
     in(profile::deepspeed, by_all_to_all(trained_with(cp{16}))),
     {16, 2, 16},
     {8}},
    {rule::kv_heads_divide_by_cp, by_all_to_all(trained_with(cp{4})), by_all_to_all(trained_with(cp{3})), {8, 2, 3}, {2, 4}},
    {rule::kv_heads_divide_by_cp, trained_with(cp{8}), by_all_to_all(trained_with(cp{8})), {8, 2, 8}, {4}},
    // On TP 16 each rank has a copy of one head of keys and values, which cannot be divided.
    {rule::kv_heads_divide_by_cp,
     by_all_to_all(trained_with(tp{16}, cp{1})),
     by_all_to_all(trained_with(tp{16}, cp{2})),
     {8, 16, 2},
     {1}},

    {rule::sp_accompanies_tp_and_ep, trained, trained_with(sp{1}), {2, 8, 1}, {2}},
    {rule::sp_accompanies_tp_and_ep, trained_with(tp{1}, sp{1}), trained_with(tp{4}, ep{2}, sp{1}), {4, 2, 1}, {4}},
    {rule::tensor_overlap_needs_sp,
     changed(trained, [](auto& d) { d.workload.train.overlap.tensor_parallel = true; }),
     changed(trained_with(sp{1}), [](auto& d) { d.workload.train.overlap.tensor_parallel = true; }),
     {1, 2},
     {2}},
    {rule::tensor_overlap_needs_sp,
     trained_with(tp{1}, sp{1}),
     changed(trained_with(tp{1}, sp{1}), [](auto& d) { d.workload.train.overlap.tensor_parallel = true; }),
     {1, 1}},
    {rule::kv_heads_divide_by_tp,
     in(profile::torchtitan, trained_with(tp{8})),
     in(profile::torchtitan, trained_with(tp{16})),
     {8, 16},
     {8}},
    {rule::kv_heads_divide_by_tp, trained_with(tp{16}), in(profile::torchtitan, trained_with(tp{3})), {8, 3}, {2, 4}},

    {rule::context_is_all_to_all, in(profile::deepspeed, by_all_to_all(trained)), in(profile::deepspeed), {2}, {1}},
    {rule::context_is_all_to_all,
     in(profile::deepspeed, trained_with(cp{1})),
     in(profile::deepspeed, trained_with(cp{4})),
     {4},
     {1}},
    // With CP 16 each of 8 heads is copied once.
    {rule::kv_heads_fit_cp,
     in(profile::deepspeed, by_all_to_all(trained_with(cp{16}))),
     in(profile::deepspeed, by_all_to_all(trained_with(cp{3}))),
     {8, 3},
     {2, 4}},
    {rule::kv_heads_fit_cp,
     in(profile::deepspeed, trained_with(cp{12})),
     in(profile::deepspeed, by_all_to_all(trained_with(cp{12}))),
     {8, 12},
     {8}},

    // 1022 are four times 255.5; of two such sequences each chunk has 511. With SP they divide over TP 2 as well.
    {rule::tokens_divide_by_twice_cp, micro(2, 1022, sp{1}), micro(1, 1022, sp{1}), {1022, 2, 1}, {1020, 1024}},
    {rule::tokens_divide_by_twice_cp, micro(2, 1020, sp{2}), micro(1, 1020, sp{2}), {1020, 2, 2}, {1016, 1024}},
    {rule::tokens_divide_by_twice_cp,
     micro(1, 1021, sp{1}),
     micro(3, 1022, sp{1}),
     {3066, 2, 1},
     {1020, 1024}}, // 1021: by CP first
    {rule::tokens_divide_by_twice_cp,
     changed(micro(1, 1023, sp{1}), [](auto& d) { d.strategy.set(axis::cp, 1); }),
     micro(1, 2, sp{1}),
     {2, 2, 1},
     {4}},

    {rule::dispatched_tokens_divide_by_tp,
     by_deepep(micro(2, 1022, sp{1})),
     by_deepep(micro(1, 1022, sp{1})),
     {1022, 2, 2},
     {1016, 1024}},
    {rule::dispatched_tokens_divide_by_tp,
     micro(1, 1022, sp{1}),
     by_deepep(changed(micro(1, 1023, sp{1}), [](auto& d) { d.strategy.set(axis::cp, 1); })),
     {1023, 1, 2},
     {1022, 1024}},
    {rule::dispatched_tokens_divide_by_tp,
     by_deepep(micro(1, 1022, sp{2})), // sequence_divides_by_cp_and_tp
     by_deepep(micro(1, 6, sp{1})),
     {6, 2, 2},
     {8}},
    // TP 2 x CP 2.
    {rule::linear_heads_divide_by_tp_and_cp, with_linear_heads(16, 32), with_linear_heads(6, 12), {6, 12, 2, 2}},
    {rule::linear_heads_divide_by_tp_and_cp, universal(with_linear_heads(6, 12)), with_linear_heads(4, 6), {4, 6, 2, 2}},
    {rule::sparse_attention_needs_all_gather,
     sparse(changed(trained, [](auto& d) { d.workload.train.context = context_exchange::all_gather; })),
     sparse(trained),
     {2048, 2},
     {1}},
    {rule::sparse_attention_needs_all_gather,
     sparse(trained_with(cp{1})),
     sparse(by_all_to_all(trained_with(cp{4}))),
     {2048, 4},
     {1}},
};

static_assert(meet_every_rule(cases, rules::tensor));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on tensor, sequence and context parallelism") { judge_at_run_time(cases); }

} // namespace
