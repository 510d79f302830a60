// What five published deployment analyses describe, and what they correct it to, repaired. They give degrees, numbers of experts and layers,
// batches and GPUs; where they say nothing of a model's other sizes, these have room for every degree, and memory is not judged.
#include <moeplan/search/repair.hpp>

#include <string>
#include <utility>

#include <doctest/doctest.h>

using namespace moeplan;

namespace {

/// "tp 8 ep 32 dp 4, micro-batch 8": what of a repair is not 1.
std::string words(const deployment& d, const repair& r) {
  const findings found = check(r.on(d));
  CHECK(found.ok());
  const strategy resolved = r.strategy.with(dp{found.facts.dp});
  std::string all;
  for (const axis a : {axis::tp, axis::cp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::sp, axis::dp})
    if (resolved[a] > 1) all += (all.empty() ? "" : " ") + std::string{name_of(a).data()} + ' ' + std::to_string(resolved[a]);
  if (r.micro_batch.given) all += ", micro-batch " + std::to_string(r.micro_batch.number);
  if (r.layout != repaired_layout::kept) all += ", another layout";
  if (r.idle_gpus != 0) all += ", " + std::to_string(r.idle_gpus) + " idle";
  return all;
}

/// All of them, nearest first, each on a line.
std::string repairs_in_words(const deployment& d, const repair_options& options = {}) {
  const auto found = nearest_repairs(d, options);
  CHECK(found.outcome == repair_outcome::found);
  std::string all;
  for (const repair& r : found.nearest) all += words(d, r) + '\n';
  return all;
}

/// Layers with 64 attention heads and experts of 2048.
constexpr model model_of(std::int64_t layers, std::int64_t hidden_size, std::int64_t experts) noexcept {
  model m{.layers = layers, .hidden_size = hidden_size, .vocabulary_size = 32000};
  m.attention.heads = m.attention.kv_heads = 64;
  m.experts.routed = experts;
  m.experts.top_k = 2;
  m.experts.intermediate_size = 2048;
  return m;
}

/// 000: 64 experts, 16 layers, batch 128 in micro-batches of 32, 128 GPUs.
constexpr deployment report_000(strategy s) noexcept {
  return {.model = model_of(16, 1024, 64),
          .cluster = {.total = 128},
          .strategy = s,
          .workload = training{.global_batch = 128, .micro_batch = 32, .sequence_length = 2048}};
}

/// 001: 64 experts, 16 layers, hidden size 1024, batch 128, 512 GPUs.
constexpr deployment report_001(strategy s) noexcept {
  return {.model = model_of(16, 1024, 64),
          .cluster = {.total = 512},
          .strategy = s,
          .workload = training{.global_batch = 128, .sequence_length = 2048}};
}

} // namespace

TEST_CASE("report 000, the original: EP 32 alone") {
  const deployment d = report_000({tp{8}, pp{4}, dp{4}, ep{64}});
  CHECK(check(d).contains(rule::stage_divides_by_expert_ranks));
  CHECK(repairs_in_words(d) ==
        "tp 8 pp 4 ep 32 dp 4\n"
        "tp 8 pp 2 ep 64 dp 8, micro-batch 16\n"
        "tp 8 cp 2 pp 2 ep 64 dp 4\n"
        "tp 16 pp 2 ep 64 dp 4\n");
}

TEST_CASE("report 000, the original as it was meant: a product mapping is read as folded") {
  const deployment d = report_000({tp{8}, pp{4}, dp{4}, ep{64}, mapping::product});
  CHECK(check(d).contains(rule::gpus_are_available)); // the 8,192 GPUs of the report
  const repair first = nearest_repairs<1>(d).nearest[0];
  CHECK(first.strategy == strategy{tp{8}, pp{4}, dp{4}, ep{32}});
  CHECK(first.gpus == 128);
}

TEST_CASE("report 000, the corrected one: EP 32 with DP 16, or PP 2 with DP 32") {
  const deployment d = report_000({tp{2}, pp{4}, dp{4}, ep{64}});
  CHECK(repairs_in_words(d) ==
        "tp 2 pp 4 ep 32 dp 16, micro-batch 8\n"
        "tp 2 cp 4 pp 4 ep 32 dp 4\n"
        "tp 8 pp 4 ep 32 dp 4\n"
        "tp 2 pp 2 ep 64 dp 32, micro-batch 4\n"
        "tp 2 cp 8 pp 2 ep 64 dp 4\n"
        "tp 16 pp 2 ep 64 dp 4\n"
        "tp 2 pp 4 ep 8 dp 4, 96 idle\n"
        "tp 2 pp 16 ep 8 dp 4\n");
  // Without an answer that another TP, CP or idle GPUs give, these two stand first.
  const repair_parts kept{repair_part::tp_size, repair_part::cp_size, repair_part::idle_gpus};
  const std::string two =
      "tp 2 pp 4 ep 32 dp 16, micro-batch 8\n"
      "tp 2 pp 2 ep 64 dp 32, micro-batch 4\n";
  CHECK(repairs_in_words(d, {.pinned = kept}).substr(0, two.size()) == two);
}

TEST_CASE("report 001: legal under the folded mapping, with GPUs idle") {
  for (const auto& [s, gpus] :
       {std::pair{strategy{tp{8}, pp{4}, ep{16}, dp{4}}, 128}, std::pair{strategy{tp{4}, pp{4}, ep{8}, dp{4}}, 64},
        std::pair{strategy{tp{2}, pp{8}, ep{8}, dp{4}}, 64}}) {
    const deployment d = report_001(s);
    const auto kept = nearest_repairs(d);
    CHECK(kept.outcome == repair_outcome::legal);
    REQUIRE(kept.nearest.size() == 1);
    CHECK(kept.nearest[0].on(d) == d);
    CHECK(kept.nearest[0].changed.empty());
    CHECK(kept.nearest[0].gpus == gpus);
    CHECK(kept.nearest[0].idle_gpus == 512 - gpus);
    CHECK(check(d).contains(rule::no_gpu_is_idle));
  }
}

TEST_CASE("report 001, option 1 as it was meant") {
  const deployment d = report_001({tp{4}, pp{4}, ep{8}, dp{4}, mapping::product});
  const auto kept = nearest_repairs(d);
  CHECK(kept.outcome == repair_outcome::legal);
  CHECK(kept.nearest[0].gpus == 64);
  CHECK(kept.nearest[0].idle_gpus == 448);
}

TEST_CASE("report 002: TP 2 with EP 3 needs 6 GPUs, not 3") {
  // 63 experts on 3 GPUs. TP 1 leaves DP 3, on which EP 3 fits; TP 2 leaves one GPU idle, and EP has to be 1 on the other two.
  const deployment d{.model = model_of(8, 1024, 63),
                     .cluster = {.total = 3},
                     .strategy = {tp{2}, ep{3}},
                     .workload = training{.sequence_length = 1024},
                     .profile = profile::universal};
  CHECK(repairs_in_words(d) ==
        "ep 3 dp 3\n"
        "tp 2, 1 idle\n");
}

TEST_CASE("report 003: EP 16 multiplied with the other degrees") {
  // 16 experts and 16 layers; "GPU count: 64-128 GPUs". EP 16, TP 2 and PP 2 take 64 GPUs as a product, 4 x DP when folded.
  const model m = model_of(16, 1024, 16);
  const serving s{.sequence_length = 2048};
  const deployment product{.model = m,
                           .cluster = {.total = 64},
                           .strategy = {tp{2}, pp{2}, ep{16}, dp{1}, mapping::product},
                           .workload = s,
                           .profile = profile::universal};
  CHECK(check(product).ok());
  CHECK(repairs_in_words(product) == "tp 2 pp 2 ep 16 dp 16\n"); // nothing but DP, which is derived
  CHECK(nearest_repairs<1>(product).nearest[0].changed.empty());
  // What it is corrected to is legal: EP 16 on 16 GPUs, all other degrees 1, so that DP is 16, not 1 as it says.
  deployment corrected = product;
  corrected.cluster.total = 16;
  corrected.strategy = {ep{16}};
  CHECK(nearest_repairs(corrected).outcome == repair_outcome::legal);
  corrected.strategy = {ep{16}, dp{1}};
  CHECK(repairs_in_words(corrected) == "ep 16 dp 16\n");
}

TEST_CASE("report 004: TP 2 and PP 4 on 8 GPUs leave 2 for EP 8") {
  // 64 experts of 2048, 16 layers, 16 heads, 8 micro-batches.
  model m = model_of(16, 1024, 64);
  m.attention.heads = m.attention.kv_heads = 16;
  const deployment d{.model = m,
                     .cluster = {.total = 8},
                     .strategy = {tp{2}, pp{4}, ep{8}},
                     .workload = training{.global_batch = 8, .sequence_length = 2048}};
  CHECK(check(d).contains(rule::stage_divides_by_expert_ranks));
  CHECK(repairs_in_words(d) ==
        "tp 2 pp 4 ep 2\n"
        "tp 2 ep 8 dp 4\n");
}
