#include <moeplan/verify/rules/serving.hpp>

#include "rule_cases.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// On up to four nodes of 8 GPUs; 16 experts and 8 copies.
constexpr deployment with(profile p, strategy s) {
  return changed(served, [&](auto& d) { d.profile = p, d.strategy = s; });
}

constexpr deployment vllm(strategy s) { return with(profile::vllm, s); }
constexpr deployment sglang(strategy s) { return with(profile::sglang, s); }
constexpr deployment trtllm(strategy s) { return with(profile::trtllm, s); }

constexpr deployment replicas(deployment d) {
  d.workload.serve.data_parallelism = data_parallelism::replicas;
  return d;
}
constexpr deployment elastic(deployment d) {
  d.workload.serve.elastic_ep = true;
  return d;
}
constexpr deployment sharing(std::int64_t ranks, deployment d) {
  d.workload.serve.decode_context = ranks;
  return d;
}
constexpr deployment of_kv_heads(std::int64_t kv_heads, deployment d) {
  d.model.attention.kv_heads = kv_heads;
  return d;
}
constexpr deployment latent(deployment d) {
  d.model.attention =
      attention::latent(16, {.kv_lora_rank = 256, .qk_nope_head_dim = 64, .qk_rope_head_dim = 32, .v_head_dim = 64});
  return d;
}
constexpr deployment dense(deployment d) {
  d.model.experts = {};
  return d;
}
constexpr deployment of_width(std::int64_t intermediate_size, deployment d) {
  d.model.experts.intermediate_size = intermediate_size;
  return d;
}
constexpr deployment of_512_experts(deployment d) {
  d.model.experts.routed = 512;
  return d;
}

constexpr rule_case cases[] = {
    // Replicas of two GPUs, a stage of eight.
    {rule::replicas_hold_experts, replicas(sglang({tp{2}, dp{4}, ep{2}})), replicas(sglang({tp{2}, dp{4}, ep{4}})), {2, 1, 4}, {2}},
    {rule::replicas_hold_experts,
     sglang({tp{2}, dp{4}, ep{4}}),
     replicas(with(profile::universal, {tp{2}, dp{4}, etp{4}})),
     {2, 4, 1}},
    {rule::decode_context_is_at_least_1, served, sharing(0, served), {0}, {1}},
    {rule::decode_context_is_at_least_1, trained, sharing(-8, served), {-8}, {1}},

    {rule::expert_share_fills_blocks, vllm({tp{4}, etp{2}}), vllm({tp{4}, etp{4}}), {4, 64, 256}, {2}},
    {rule::expert_share_fills_blocks, of_width(96, sglang({tp{2}})), of_width(96, sglang({tp{2}, etp{2}})), {2, 48, 96}, {1}},
    {rule::expert_share_fills_blocks, with(profile::universal, {tp{4}, etp{4}}), trtllm({tp{4}, etp{4}}), {4, 64, 256}, {2}},

    {rule::elastic_ep_excludes_pp, elastic(vllm({dp{8}, ep{8}})), elastic(vllm({dp{8}, ep{8}, pp{2}})), {2}, {1}},
    {rule::elastic_ep_excludes_pp, sglang({pp{2}, ep{8}, dp{8}}), elastic(sglang({pp{2}, ep{8}, dp{8}})), {2}, {1}},
    {rule::elastic_ep_excludes_pp, elastic(trtllm({dp{1}, pp{2}})), elastic(sglang({dp{1}, pp{4}})), {4}, {1}},

    {rule::dp_needs_experts, vllm({dp{4}}), dense(vllm({dp{4}})), {4}, {1}},
    {rule::dp_needs_experts, replicas(dense(vllm({dp{4}}))), dense(vllm({dp{2}})), {2}, {1}},
    {rule::elastic_ep_needs_ep, elastic(vllm({dp{8}, ep{8}})), elastic(vllm({dp{8}})), {1}},
    {rule::elastic_ep_needs_ep, elastic(sglang({dp{8}})), elastic(vllm({dp{1}})), {1}},
    {rule::cp_excludes_dp, vllm({cp{2}, dp{1}}), vllm({cp{2}, dp{4}}), {2, 4}, {1}},
    {rule::cp_excludes_dp, replicas(vllm({cp{2}, dp{4}})), vllm({cp{4}, dp{2}}), {4, 2}, {1}},

    // 16 query heads; 2 of keys and values are copied to four ranks each.
    {rule::tp_divides_by_decode_context,
     of_kv_heads(2, sharing(8, vllm({tp{8}, dp{1}}))),
     of_kv_heads(2, sharing(3, vllm({tp{8}, dp{1}}))),
     {3, 8},
     {2, 4}},
    {rule::tp_divides_by_decode_context, sharing(1, sglang({tp{8}, dp{1}})), sharing(3, vllm({tp{8}, dp{1}})), {3, 8}, {1}},
    {rule::tp_divides_by_decode_context,
     in(profile::trtllm, sharing(3, sglang({tp{8}, dp{1}}))),
     in(profile::megatron, sharing(3, sglang({tp{8}, dp{1}}))),
     {3, 8},
     {2, 4}},
    {rule::tp_divides_by_decode_context,
     in(profile::universal, sharing(4, sglang({tp{8}, dp{1}}))),
     in(profile::universal, sharing(16, sglang({tp{8}, dp{1}}))),
     {16, 8},
     {8}},
    {rule::tp_divides_by_decode_context, sharing(2, vllm({cp{2}, dp{1}})), latent(sharing(16, vllm({tp{8}, dp{1}}))), {16, 8}, {8}},
    {rule::decode_context_covers_cp,
     sharing(16, vllm({tp{4}, cp{4}, dp{1}})),
     sharing(2, vllm({tp{4}, cp{4}, dp{1}})),
     {4, 4, 2},
     {1, 4}},
    {rule::decode_context_covers_cp,
     sharing(4, vllm({tp{4}, cp{4}, dp{1}})),
     sharing(8, vllm({tp{4}, cp{4}, dp{1}})),
     {4, 4, 8},
     {4, 16}},
    {rule::decode_context_covers_cp,
     sharing(1, vllm({tp{4}, cp{4}, dp{1}})),
     sharing(32, vllm({tp{4}, cp{4}, dp{1}})),
     {4, 4, 32},
     {4, 16}},
    {rule::decode_context_covers_cp, sharing(8, vllm({tp{8}, dp{1}})), sharing(8, vllm({cp{4}, dp{1}})), {4, 1, 8}, {4}},

    {rule::decode_context_fits_kv_heads,
     of_kv_heads(2, sharing(4, vllm({tp{8}, dp{1}}))),
     of_kv_heads(2, sharing(8, vllm({tp{8}, dp{1}}))),
     {8, 8, 2, 16},
     {4}},
    {rule::decode_context_fits_kv_heads,
     latent(sharing(8, vllm({tp{8}, dp{1}}))),
     sharing(2, vllm({tp{4}, dp{1}})),
     {2, 4, 8, 16},
     {1}},
    {rule::decode_context_fits_kv_heads,
     sharing(1, vllm({tp{4}, dp{1}})),
     of_kv_heads(2, changed(sharing(2, vllm({tp{8}, dp{1}})), [](auto& d) { d.model.attention.heads = 6; })),
     {2, 8, 2, 6},
     {1}},
    {rule::experts_are_cut_or_spread, vllm({tp{4}, dp{1}, etp{4}}), vllm({tp{4}, dp{1}, etp{2}, ep{2}}), {2, 2}, {1}},
    {rule::experts_are_cut_or_spread, sglang({tp{4}, dp{1}, etp{2}, ep{2}}), vllm({tp{8}, dp{1}, etp{4}, ep{2}}), {2, 4}, {1}},
    // TP 2 x DP 4: with --enable-expert-parallel EP is 8.
    {rule::experts_use_every_rank, vllm({tp{2}, dp{4}, ep{8}}), vllm({tp{2}, dp{4}, ep{4}}), {8, 1, 4, 2}, {8}},
    {rule::experts_use_every_rank, vllm({tp{2}, dp{4}, etp{8}}), vllm({tp{2}, dp{4}, etp{2}}), {8, 2, 1, 4}},
    {rule::experts_use_every_rank, replicas(vllm({tp{2}, dp{4}, ep{2}})), replicas(vllm({tp{2}, dp{4}})), {2, 1, 1, 2}, {2}},
    {rule::experts_use_every_rank, vllm({dp{1}, pp{2}}), vllm({tp{2}, cp{2}, dp{1}, pp{2}, ep{2}}), {4, 1, 2, 2}, {4}},

    // SGLang's --tp-size is 8: TP 2 x DP 4.
    {rule::moe_dp_excludes_etp, sglang({tp{2}, dp{4}, etp{2}, ep{4}}), sglang({tp{2}, dp{4}, etp{2}, ep{2}}), {2, 2, 8, 2}, {1}},
    {rule::moe_dp_excludes_etp, sglang({tp{2}, dp{4}, etp{2}}), sglang({tp{2}, dp{8}, etp{4}, ep{2}}), {2, 2, 16, 4}, {1}},
    {rule::moe_dp_excludes_pp, sglang({tp{2}, dp{4}, ep{4}}), sglang({tp{2}, dp{4}, pp{2}, ep{4}}), {2, 2}, {1}},
    {rule::moe_dp_excludes_pp, sglang({tp{2}, dp{4}, pp{2}, ep{8}}), sglang({dp{4}, pp{3}}), {4, 3}, {1}},
    {rule::moe_dp_excludes_pp,
     replicas(sglang({tp{2}, dp{4}, pp{2}, ep{2}})),
     replicas(sglang({tp{2}, dp{4}, pp{2}})),
     {2, 2},
     {1}},
    {rule::moe_dp_is_1_or_cp, sglang({tp{2}, cp{2}, dp{2}, ep{4}}), sglang({tp{2}, cp{2}, dp{2}, ep{2}}), {8, 1, 2, 4, 2}, {4}},
    {rule::moe_dp_is_1_or_cp, sglang({tp{2}, dp{4}, ep{8}}), sglang({tp{2}, dp{4}, ep{4}}), {8, 1, 4, 2, 1}, {8}},
    // CP 3 does not divide the four ranks that ETP 3 leaves of twelve.
    {rule::moe_dp_is_1_or_cp,
     sglang({tp{4}, cp{3}, dp{1}, ep{4}}),
     sglang({tp{4}, cp{3}, dp{1}, etp{3}, ep{1}}),
     {12, 3, 1, 4, 3},
     {4}},

    {rule::replicas_are_on_one_node,
     replicas(sglang({tp{2}, dp{4}, ep{2}})),
     replicas(sglang({tp{2}, dp{8}, ep{2}})),
     {8, 8, 16},
     {4}},
    {rule::replicas_are_on_one_node, sglang({tp{2}, dp{8}, ep{2}}), replicas(sglang({tp{16}, dp{2}, ep{16}})), {2, 8, 32}},
    {rule::replicas_are_on_one_node, replicas(sglang({tp{16}, dp{1}, ep{16}})), replicas(sglang({pp{2}, dp{8}})), {8, 8, 16}, {4}},
    {rule::replicas_are_on_one_node,
     changed(replicas(sglang({tp{2}, dp{8}, ep{2}})), [](auto& d) { d.cluster = {.total = 16}; }),
     replicas(sglang({dp{16}})),
     {16, 8, 16},
     {8}},

    {rule::attention_dp_excludes_tp, trtllm({dp{8}, ep{8}}), trtllm({tp{2}, dp{4}, ep{8}}), {2, 4}, {1}},
    {rule::attention_dp_excludes_tp, trtllm({tp{8}, dp{1}, ep{8}}), trtllm({tp{4}, dp{2}}), {4, 2}, {1}},
    {rule::attention_dp_excludes_tp, replicas(trtllm({tp{2}, dp{4}})), trtllm({tp{2}, dp{4}}), {2, 4}, {1}},
    {rule::decode_context_is_1_or_cp, sharing(4, trtllm({cp{4}, dp{1}})), sharing(2, trtllm({cp{4}, dp{1}})), {4, 2}, {1, 4}},
    {rule::decode_context_is_1_or_cp, sharing(1, trtllm({cp{4}, dp{1}})), sharing(2, trtllm({tp{2}, dp{1}})), {1, 2}, {1}},
    {rule::ep_excludes_cp, sharing(2, trtllm({tp{4}, cp{2}, dp{1}, ep{2}})), trtllm({tp{4}, cp{2}, dp{1}, ep{2}}), {1, 2, 2}},
    {rule::ep_excludes_cp,
     trtllm({tp{4}, cp{2}, dp{1}, etp{4}}),
     trtllm({tp{4}, cp{2}, dp{1}, etp{4}, ep{2}}),
     {1, 2, 2},
     {1}}, // ETP 4 then is all of TP.
    {rule::ep_excludes_cp, trtllm({tp{4}, cp{2}, dp{1}}), sharing(8, trtllm({tp{4}, cp{4}, dp{1}, ep{4}})), {8, 4, 4}},

    {rule::experts_fill_tp, trtllm({tp{8}, dp{1}, etp{2}, ep{4}}), trtllm({tp{8}, dp{1}, ep{4}}), {8, 1, 1, 1, 4}, {8}},
    {rule::experts_fill_tp, trtllm({dp{8}, ep{8}}), trtllm({dp{8}, etp{2}, ep{2}}), {1, 8, 1, 2, 2}, {4}},
    // Helix has all of TP 2 x CP 4 for the experts, CP otherwise only TP.
    {rule::experts_fill_tp,
     sharing(4, trtllm({tp{2}, cp{4}, dp{1}, ep{8}})),
     sharing(4, trtllm({tp{2}, cp{4}, dp{1}, ep{4}})),
     {2, 1, 4, 1, 4},
     {8}},
    {rule::experts_fill_tp, trtllm({tp{4}, cp{2}, dp{1}, etp{4}}), trtllm({tp{4}, cp{2}, dp{1}, etp{2}}), {4, 1, 2, 2, 1}},
    {rule::heads_divide_by_tp_and_cp, trtllm({tp{2}, cp{8}, dp{1}}), trtllm({tp{2}, cp{3}, dp{1}}), {16, 2, 3}, {2, 4}},
    {rule::heads_divide_by_tp_and_cp, vllm({tp{2}, cp{3}, dp{1}}), trtllm({tp{16}, cp{2}, dp{1}}), {16, 16, 2}, {1}},
    {rule::ep_is_at_most_256,
     of_512_experts(trtllm({dp{512}, ep{256}})),
     changed(of_512_experts(trtllm({dp{512}, ep{512}})), [](auto& d) { d.workload.serve.redundant_experts = 0; }),
     {512}},
};

static_assert(meet_every_rule(cases, rules::serving));
static_assert(judged_in_constant_evaluation<cases>);

TEST_CASE("every rule on serving") { judge_at_run_time(cases); }

} // namespace
