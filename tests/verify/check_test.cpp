#include <moeplan/verify/check.hpp>

#include "support/both_times.hpp"
#include "verify/examples.hpp"

#include <initializer_list>

#include <moeplan/catalog/deepseek.hpp>

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// These rules, all of them and no other.
constexpr bool exactly(const findings& found, std::initializer_list<rule> expected) {
  if (found.size() != expected.size()) return false;
  for (const rule id : expected)
    if (!found.contains(id)) return false;
  return true;
}

static_assert(noexcept(check(trained)));

BOTH_TIMES("a legal deployment has no findings", [] {
  EXPECT(check(trained).empty());
  EXPECT(check(trained).ok());
  EXPECT(check(served).empty());
});

constexpr deployment deepseek_v3{
    .model = catalog::deepseek_v3,
    .cluster = {.gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};
static_assert(check(deepseek_v3).empty());

constexpr deployment seven_mistakes = changed(trained_with(ep{3}), [](auto& d) {
  d.model.layers = 7;
  d.model.experts.top_k = 17;
  d.cluster.nodes = 2;
  d.workload.train.global_batch = 60;
  d.workload.train.sequence_length = 8192;
});

BOTH_TIMES("seven violated rules are seven findings", [] {
  const findings found = check(seven_mistakes);
  EXPECT(exactly(found, {rule::stage_divides_by_expert_ranks, rule::gpus_are_available, rule::experts_divide_by_ep,
                         rule::top_k_is_within_experts, rule::layers_divide_by_pp, rule::global_batch_divides_by_dp,
                         rule::sequence_fits_positions}));
  EXPECT(found.count(severity::error) == 7);
  EXPECT(!found.ok());
});

constexpr deployment bare(strategy s) {
  return changed(trained, [&s](auto& d) { d.strategy = s, d.cluster = {}; });
}

BOTH_TIMES("degrees whose product exceeds 64 bits are a finding", [] {
  constexpr std::int64_t much = std::int64_t{1} << 40;
  EXPECT(check(bare({tp{much}, pp{much}, dp{1}})).contains(rule::overflow));
  EXPECT(check(bare({tp{much}, pp{much}})).contains(rule::overflow));
  EXPECT(check(bare({ep{much}, etp{much}, dp{1}})).contains(rule::overflow));
  constexpr std::int64_t half = INT32_MAX;
  EXPECT(check(bare({tp{half}, pp{half}, dp{half}})).contains(rule::overflow));
  EXPECT(!check(bare({tp{half}, pp{half}, dp{2}})).contains(rule::overflow));
  EXPECT(!check(bare({tp{INT64_MAX}, dp{1}})).contains(rule::overflow));
});

template <class Change>
constexpr void with_everything(std::int64_t n, Change change) {
  deployment d;
  for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::dp, axis::cp, axis::sp}) d.strategy.set(a, n);
  d.cluster = {.gpus_per_node = n, .nodes = n};
  d.model = {.layers = n,
             .hidden_size = n,
             .vocabulary_size = n,
             .intermediate_size = n,
             .attention = {.heads = n,
                           .kv_heads = n,
                           .head_dim = n,
                           .q_lora_rank = n,
                           .kv_lora_rank = n,
                           .qk_nope_head_dim = n,
                           .qk_rope_head_dim = n,
                           .v_head_dim = n},
             .experts = {.routed = n,
                         .top_k = n,
                         .intermediate_size = n,
                         .shared_intermediate_size = n,
                         .groups = n,
                         .group_top_k = n,
                         .layers = {.first = n, .every = n, .phase = n}},
             .mtp_layers = n,
             .max_positions = n};
  d.workload = training{.global_batch = n,
                        .micro_batch = n,
                        .sequence_length = n,
                        .context = context_exchange::all_to_all,
                        .dp_replicate = n,
                        .vocabulary_multiple = n};
  change(d);
  EXPECT(!check(d).ok());
  for (unsigned p = 0; p <= static_cast<unsigned>(profile::deepspeed); ++p) {
    d.profile = static_cast<profile>(p);
    EXPECT(!check(d).ok());
  }
}

constexpr void with_everything(std::int64_t n) {
  with_everything(n, [](deployment&) {});
  with_everything(n, [](deployment& d) { d.layout = layout::balanced(); });
  with_everything(n, [](deployment& d) { d.layout = layout::even_with(true, true); });
  with_everything(n, [n](deployment& d) { d.layout = layout::first_last(n, n); });
  with_everything(n, [n](deployment& d) { d.layout = layout::stages({n, n, n}, {1, n, n}), d.layout.places_mtp = true; });
  with_everything(n, [](deployment& d) { d.strategy = without(axis::dp, d).strategy; });
  with_everything(n, [](deployment& d) { d.strategy = d.strategy.with(mapping::product); });
  with_everything(n, [n](deployment& d) {
    d.workload = serving{.batch = n, .sequence_length = n, .redundant_experts = n, .decode_context = n, .vocabulary_multiple = n};
  });
}

// In constant evaluation an operation that is not defined does not compile.
BOTH_TIMES("the largest numbers are judged, not computed with", [] { with_everything(INT64_MAX); });
BOTH_TIMES("so are the smallest", [] { with_everything(INT64_MIN); });
BOTH_TIMES("so are zeros", [] { with_everything(0); });
BOTH_TIMES("a deployment that says nothing is judged", [] { EXPECT(!check(deployment{}).ok()); });

BOTH_TIMES("warnings and advice are no errors", [] {
  const findings warned = check(trained_with(sp{1}));
  EXPECT(exactly(warned, {rule::sp_accompanies_tp_and_ep}));
  EXPECT(warned.count(severity::warning) == 1);
  EXPECT(warned.ok());
  const findings advised = check(changed(without(axis::etp), [](auto& d) { d.cluster.nodes = 8; }));
  EXPECT(exactly(advised, {rule::no_gpu_is_idle, rule::etp_is_given}));
  EXPECT(advised.count(severity::advice) == 2);
  EXPECT(advised.ok());
});

BOTH_TIMES("the universal profile leaves out what is Megatron-LM's policy", [] {
  deployment d = trained_with(tp{16}, sp{1}, cp{1}, pp{2}, rank_order{"tp-cp-ep-pp-dp"});
  d.cluster = {};
  d.model.attention = attention::grouped_query(16, 3, 32);
  d.model.attention.heads = 48;
  d.model.experts.top_k = 1;
  d.model.experts.group_top_k = 1;
  d.model.experts.selection_bias = true;
  d.workload.train.sequence_length = 8192;
  d.workload.train.overlap = {true, true, true, true};
  d.workload.train.dispatcher = token_dispatcher::all_gather;
  const findings megatron = check(d);
  EXPECT(megatron.contains(rule::kv_heads_fit_tp));
  EXPECT(megatron.contains(rule::top_1_needs_pre_softmax));
  EXPECT(megatron.contains(rule::sequence_fits_positions));
  EXPECT(megatron.contains(rule::tensor_overlap_needs_sp));
  d.profile = profile::universal;
  for (const finding f : check(d)) EXPECT(rules::entry(f.id()).scope == scope::arithmetic);
  for (const finding f : megatron) EXPECT(rules::entry(f.id()).scope != scope::arithmetic || check(d).contains(f.id()));
});

BOTH_TIMES("arithmetic binds under both profiles", [] {
  deployment d = seven_mistakes;
  d.profile = profile::universal;
  EXPECT(exactly(check(d), {rule::stage_divides_by_expert_ranks, rule::gpus_are_available, rule::experts_divide_by_ep,
                            rule::top_k_is_within_experts, rule::layers_divide_by_pp, rule::global_batch_divides_by_dp}));
});

BOTH_TIMES("a product mapping is checked without grids", [] {
  deployment d = trained_with(mapping::product, sp{1}, rank_order{"tp-pp-cp-ep-dp"});
  d.cluster = {.total = 256}; // TP 2 x CP 2 x DP 4 x PP 2 x EP 8
  EXPECT(exactly(check(d), {rule::mapping_is_folded, rule::sp_accompanies_tp_and_ep}));
  EXPECT(check(d).ok());
  d.cluster = {.total = 32};
  EXPECT(exactly(check(d), {rule::gpus_are_available, rule::mapping_is_folded, rule::sp_accompanies_tp_and_ep}));
  d.strategy = d.strategy.with(ep{3}).with(etp{1});
  EXPECT(check(d).contains(rule::experts_divide_by_ep));
  EXPECT(!check(d).contains(rule::stage_divides_by_expert_ranks));
});

BOTH_TIMES("one mistake is one finding", [] {
  // The sequence does not divide by CP: nothing about halves or TP shares of a CP rank's part.
  EXPECT(
      exactly(check(changed(trained, [](auto& d) { d.workload.train.sequence_length = 1023; })), {rule::sequence_divides_by_cp}));
  // EP without experts: nothing about dividing them.
  EXPECT(exactly(check(changed(trained, [](auto& d) { d.model.experts = {}; })), {rule::ep_needs_experts}));
  // A degree of 0: nothing about numbers of GPUs.
  EXPECT(exactly(check(trained_with(tp{0}, sp{1})), {rule::tp_is_at_least_1}));
});

BOTH_TIMES("every framework has rules that the others do not have", [] {
  for (unsigned p = 1; p <= static_cast<unsigned>(profile::deepspeed); ++p) {
    bool own = false;
    for (std::size_t i = 0; i < rule_count; ++i)
      own = own || rules::entry(static_cast<rule>(i)).scope == scope::of(static_cast<profile>(p));
    EXPECT(own);
  }
});

BOTH_TIMES("a layout that one framework runs and another does not", [] {
  // TP 2 x DP 4 on one node, each expert on two of the eight ranks.
  constexpr auto under = [](profile p) {
    return check(changed(in(p, served), [](auto& d) {
      d.strategy = {tp{2}, dp{4}, ep{4}}, d.cluster = {.gpus_per_node = 8, .nodes = 1};
    }));
  };
  EXPECT(under(profile::universal).empty());
  EXPECT(exactly(under(profile::megatron), {rule::etp_is_given}));
  EXPECT(exactly(under(profile::vllm), {rule::experts_use_every_rank}));
  EXPECT(exactly(under(profile::sglang), {rule::moe_dp_is_1_or_cp}));
  EXPECT(exactly(under(profile::trtllm), {rule::attention_dp_excludes_tp}));
  EXPECT(exactly(under(profile::torchtitan), {rule::workload_is_training}));
});

} // namespace
