#include <moeplan/search/repair.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// Two layers on eight GPUs, EP 4.
constexpr deployment small() noexcept {
  deployment d{
      .cluster = {.total = 8}, .strategy = {ep{4}}, .workload = training{.sequence_length = 64}, .profile = profile::universal};
  d.model = {.layers = 2, .hidden_size = 64, .vocabulary_size = 1024};
  d.model.attention.heads = d.model.attention.kv_heads = 4;
  d.model.experts.routed = 8;
  d.model.experts.top_k = 2;
  d.model.experts.intermediate_size = 32;
  return d;
}

constexpr repair first(const deployment& d, const repair_options& options = {}) noexcept {
  return nearest_repairs<1>(d, options).nearest[0];
}

/// The training run of the DeepSeek-V3 report, arXiv 2412.19437, section 3.2.
constexpr deployment deepseek_v3(std::int64_t nodes, strategy s, layout l) noexcept {
  return {.model = catalog::deepseek_v3,
          .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = nodes},
          .strategy = s,
          .layout = l,
          .workload = training{.global_batch = 15360, .sequence_length = 4096, .recompute = recompute::full}};
}

constexpr layout published = layout::stages({15, 4}, {1, 1});

} // namespace

BOTH_TIMES("a legal deployment comes back as it is", [] {
  deployment d = small();
  d.strategy = {ep{4}, dp{4}};
  const auto kept = nearest_repairs<2>(d);
  EXPECT(kept.outcome == repair_outcome::legal);
  EXPECT(kept.nearest.size() == 1);
  EXPECT(kept.nearest[0].on(d) == d);
  EXPECT(kept.nearest[0].changed.empty());
  EXPECT(kept.nearest[0].distance == wide_ratio{1});
  EXPECT(kept.nearest[0].gpus == 4);
  EXPECT(kept.nearest[0].idle_gpus == 4);
  EXPECT(kept.considered == 1);
});

BOTH_TIMES("one number, the nearest value that is legal", [] {
  deployment d = small();
  d.strategy = {ep{3}};
  const auto repaired = nearest_repairs<1>(d);
  EXPECT(repaired.outcome == repair_outcome::found);
  EXPECT(repaired.nearest[0].strategy == strategy{ep{4}});
  EXPECT(repaired.nearest[0].changed == repair_parts{repair_part::ep_size});
  EXPECT(repaired.nearest[0].distance == (wide_ratio{4, 3}));
  EXPECT(repaired.rejected[static_cast<std::size_t>(rule::experts_divide_by_ep)] > 0);
});

BOTH_TIMES("of two values equally far the smaller", [] {
  deployment d = small();
  d.model.experts.routed = 72;
  d.strategy = {ep{16}}; // 8 and 32 are equally far, but only 8 GPUs are there
  EXPECT(first(d).strategy == strategy{ep{8}});
  d.cluster.total = 72;
  d.strategy = {ep{16}}; // 12 and 18 and 24
  EXPECT(first(d).strategy == strategy{ep{18}});
});

BOTH_TIMES("a degree below 1 counts as 1", [] {
  deployment d = small();
  d.strategy = {ep{-5}};
  const repair r = first(d);
  EXPECT(r.strategy == strategy{ep{1}});
  EXPECT(r.distance == wide_ratio{1});
});

// Too much for constant evaluation within default limits.
TEST_CASE("repairs of more changes than the nearest are looked for as far as is asked for") {
  // 64 GPUs hold no whole number of copies of 8 x 3, and 32 layers no 3 equal stages: PP 4; or the embedding as a layer, and 16 idle.
  const deployment d{.model = catalog::mixtral_8x7b,
                     .cluster = {.gpu = catalog::h100_sxm, .gpus_per_node = 8, .nodes = 8},
                     .strategy = {tp{8}, pp{3}, ep{8}},
                     .workload = training{.global_batch = 256, .sequence_length = 4096, .sharding = sharding::optimizer}};
  const auto nearest = nearest_repairs<8>(d, {.further_changes = 0});
  const auto further = nearest_repairs<8>(d, {.further_changes = 1});
  CHECK((nearest.nearest[0].changed == repair_parts{repair_part::pp_size}));
  CHECK((further.nearest[1].changed == repair_parts{repair_part::layout, repair_part::idle_gpus}));
  CHECK(nearest.nearest.size() < further.nearest.size());
  CHECK(nearest.considered < further.considered);
  for (std::size_t i = 0; i < nearest.nearest.size(); ++i) {
    CHECK(nearest.nearest[i].changed.size() == nearest.nearest[0].changed.size());
    CHECK((nearest.nearest[i].changed == further.nearest[i].changed));
  }
}

BOTH_TIMES("DP is derived, and no change unless it is pinned", [] {
  deployment d = small();
  d.strategy = {ep{4}, dp{3}};
  const repair r = first(d);
  EXPECT(r.changed.empty());
  EXPECT(r.strategy == strategy{ep{4}, dp{8}});
  const repair kept = first(d, {.pinned = {repair_part::dp_size}});
  // EP 3 does not divide 8 experts; CP 4 makes 12 GPUs of 8. So EP is 1, and five GPUs stay idle; or TP 4.
  EXPECT(kept.strategy == strategy{ep{1}, dp{3}});
  EXPECT(kept.changed == repair_parts{repair_part::idle_gpus, repair_part::ep_size});
  EXPECT(kept.distance == (wide_ratio{8 * 4, 3}));
  EXPECT(kept.idle_gpus == 5);
});

BOTH_TIMES("SP that is on follows TP, which is no change", [] {
  deployment d = small();
  d.strategy = {tp{3}, sp{3}};
  d.cluster.total = 4;
  const repair r = first(d);
  EXPECT(r.strategy == strategy{tp{4}, sp{4}});
  EXPECT(r.changed == repair_parts{repair_part::tp_size});
  d.strategy = {tp{4}, sp{2}};
  EXPECT(first(d).changed == repair_parts{repair_part::sp_size});
  EXPECT(first(d).strategy == strategy{tp{4}, sp{1}});
});

BOTH_TIMES("the order of ranks can be the one thing to change", [] {
  deployment d = small();
  d.strategy = {ep{4}, rank_order::parse("tp-cp-dp-pp").value};
  const repair r = first(d);
  EXPECT(r.changed == repair_parts{repair_part::order});
  EXPECT(r.strategy == strategy{ep{4}});
});

BOTH_TIMES("a micro-batch that the global batch is no multiple of", [] {
  deployment d = small();
  d.workload.train.global_batch = 16;
  d.workload.train.micro_batch = 8;
  const repair r = first(d);
  EXPECT(r.changed == repair_parts{repair_part::micro_batch});
  EXPECT(r.micro_batch == optional_integer{2});
  EXPECT(r.on(d).workload.train.micro_batch == 2);
  EXPECT(r.distance == wide_ratio{4});
});

BOTH_TIMES("layers that do not divide: another layout", [] {
  deployment d = small();
  d.model.layers = 3;
  d.strategy = {pp{2}};
  const repair r = first(d);
  EXPECT(r.changed == repair_parts{repair_part::layout});
  EXPECT(r.layout == repaired_layout::even_with_embedding);
  EXPECT(r.on(d).layout == layout::even_with(true, false));
  EXPECT(first(d, {.pinned = {repair_part::layout}}).strategy == strategy{pp{1}});
});

BOTH_TIMES("what no part has to do with has no repair, whatever the parts, and the rule says why", [] {
  deployment d = small();
  d.model.experts.top_k = 9;
  const auto none = nearest_repairs<1>(d, {.most_changes = 1});
  EXPECT(none.outcome == repair_outcome::none);
  EXPECT(!none.found());
  EXPECT(none.exhausted == counted_repair_parts.size() + 1);
  EXPECT(none.considered == 1);
  EXPECT(none.rejected[static_cast<std::size_t>(rule::top_k_is_within_experts)] == 1);
});

BOTH_TIMES("degrees that are pinned wrong leave no repair, and the rules say why", [] {
  deployment d = small();
  d.strategy = {ep{3}};
  const auto none = nearest_repairs<1>(d, {.pinned = {repair_part::ep_size}, .most_changes = 1});
  EXPECT(none.outcome == repair_outcome::none);
  EXPECT(none.exhausted == 2); // no change, and one
  EXPECT(none.rejected[static_cast<std::size_t>(rule::experts_divide_by_ep)] == none.considered);
});

BOTH_TIMES("a search that is stopped says so", [] {
  deployment d = small();
  d.strategy = {ep{3}, tp{3}};
  const auto stopped = nearest_repairs<1>(d, {.most_considered = 5});
  EXPECT(stopped.outcome == repair_outcome::too_many);
  EXPECT(stopped.considered == 5);
  EXPECT(stopped.exhausted == 1); // no change is not enough
});

BOTH_TIMES("without a cluster DP stays, and GPUs are not counted", [] {
  deployment d = small();
  d.cluster = {};
  d.strategy = {ep{8}, dp{4}};
  const repair r = first(d);
  EXPECT(r.strategy == strategy{ep{4}, dp{4}});
  EXPECT(r.idle_gpus == 0);
});

TEST_CASE("DeepSeek-V3 on 2048 GPUs with EP 48") {
  const deployment d = deepseek_v3(256, {pp{16}, ep{48}, dp{128}}, published);
  const auto repaired = nearest_repairs(d);
  CHECK(repaired.outcome == repair_outcome::found);
  CHECK(repaired.nearest[0].strategy == strategy{pp{16}, ep{64}, dp{128}}); // as published
  CHECK(repaired.nearest[0].memory_is_known);
  const deployment first_of_all = repaired.nearest[0].on(d);
  CHECK(repaired.nearest[0].peak == memory(first_of_all).peak());
}

TEST_CASE("DeepSeek-V3's 61 layers on 16 stages: a balanced layout") {
  const deployment d = deepseek_v3(256, {pp{16}, ep{64}, dp{128}}, layout::even());
  const auto repaired = nearest_repairs(d);
  CHECK(repaired.nearest[0].changed == repair_parts{repair_part::layout});
  CHECK(repaired.nearest[0].layout == repaired_layout::balanced);
}

TEST_CASE("DeepSeek-V3 without recomputation: what takes less memory") {
  deployment d = deepseek_v3(256, {pp{16}, ep{64}, dp{128}}, published);
  d.workload.train.recompute = recompute::none;
  REQUIRE(check(d).contains(rule::stage_fits_memory));
  const auto repaired = nearest_repairs(d);
  CHECK(repaired.found());
  for (const repair& r : repaired.nearest) CHECK(check(r.on(d)).ok());
  CHECK(repaired.rejected[static_cast<std::size_t>(rule::stage_fits_memory)] > 0);
}

// 16 bytes a parameter and 671 billion of them on 64 GPUs of 80 GB: twice what there is. On 256 GPUs it is half.
TEST_CASE("a model that is far too large is known to be so at once; one that is not quite is looked at") {
  deployment d = deepseek_v3(8, {ep{8}}, layout::even());
  d.workload.train.precision.gradients = number_type::bf16;
  const auto none = nearest_repairs(d);
  CHECK(none.outcome == repair_outcome::none);
  CHECK(none.considered == 1);
  CHECK(none.rejected[static_cast<std::size_t>(rule::stage_fits_memory)] == 1);
  d.cluster.nodes = 32;
  const auto some = nearest_repairs(d);
  CHECK(some.considered > 1000);
  CHECK(some.found());
  for (const repair& r : some.nearest) CHECK(check(r.on(d)).ok());
}

TEST_CASE("numbers beyond all measure") {
  deployment d = small();
  const std::int64_t most = INT64_MAX;
  d.strategy = {tp{most}, cp{most}, pp{most}, ep{most}, etp{most}, vpp{most}, sp{most}, dp{most}};
  const auto repaired = nearest_repairs<1>(d);
  REQUIRE(repaired.found());
  CHECK(repaired.nearest[0].distance.overflowed()); // of six numbers of 63 bits
  CHECK(check(repaired.nearest[0].on(d)).ok());
}
