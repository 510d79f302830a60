// Every byte of a stage's peak is a term: the terms add up to the peak, whatever the schedule, the recompute and the sharding.
#include <moeplan/memory/terms.hpp>

#include <moeplan/moeplan.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

struct sum_of_terms {
  saturating_count bytes{0};
  saturating_count by_lifetime[4]{};
  int without_name_or_source = 0;

  constexpr void operator()(const memory_term& t) noexcept {
    bytes += t.bytes;
    by_lifetime[static_cast<std::size_t>(t.lifetime)] += t.bytes;
    if (*t.tensor.name == 0 || *t.tensor.source == 0) ++without_name_or_source;
  }
};

constexpr sum_of_terms terms_of(const training_memory<>& memory, std::int64_t stage) noexcept {
  sum_of_terms sum;
  visit_memory_terms(memory, stage, sum);
  return sum;
}

constexpr deployment deepseek{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .sequence_length = 4096, .recompute = recompute::full},
};

BOTH_TIMES("the terms of a stage add up to its peak", [] {
  const training_memory memory{deepseek};
  for (const std::int64_t stage : {0, 1, 15}) EXPECT(terms_of(memory, stage).bytes == memory.stage(stage).peak());
});

BOTH_TIMES("terms by how long they live", [] {
  const training_memory memory{deepseek};
  const auto stage = memory.stage(1);
  const sum_of_terms sum = terms_of(memory, 1);
  const auto passing = sum.by_lifetime[static_cast<std::size_t>(lifetime::between_stages)];
  EXPECT(sum.by_lifetime[static_cast<std::size_t>(lifetime::run)] + passing ==
         stage.weights + stage.gradients + stage.optimizer + stage.workspace);
  EXPECT(sum.by_lifetime[static_cast<std::size_t>(lifetime::kept)] + sum.by_lifetime[static_cast<std::size_t>(lifetime::at_work)] ==
         stage.activations);
});

struct named_case {
  std::string name;
  deployment run{};
};

std::vector<named_case> strategies() {
  const training base{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all};
  std::vector<named_case> all;
  const auto add = [&](const char* name, const model& m, strategy s, layout l = {}) {
    all.push_back({name, {.model = m, .strategy = s, .layout = l, .workload = base}});
  };
  add("DeepSeek-V3", catalog::deepseek_v3, {ep{64}, pp{16}, dp{64}}, layout::stages({15, 4}, {1, 1}));
  add("Mixtral", catalog::mixtral_8x7b, {ep{4}, pp{4}, dp{4}});
  add("Mixtral, TP with SP", catalog::mixtral_8x7b, {tp{4}, sp{4}, ep{4}, pp{2}, dp{4}});
  add("Mixtral, virtual stages", catalog::mixtral_8x7b, {ep{4}, pp{4}, vpp{2}, dp{4}});
  add("Qwen3-Next", catalog::qwen3_next_80b_a3b, {ep{4}, pp{4}, dp{4}});
  add("Llama-3.1-70B", catalog::llama_3_1_70b, {tp{8}, sp{8}, pp{4}, dp{2}});
  add("Llama-3.1-70B, one stage, CP", catalog::llama_3_1_70b, {tp{2}, sp{2}, cp{4}, dp{2}});
  return all;
}

} // namespace

TEST_CASE("under every schedule, recompute and sharding the terms add up to the peak") {
  const schedule schedules[] = {schedule::gpipe,     schedule::one_forward_one_backward,
                                schedule::zb_h1,     schedule::zb_h2,
                                schedule::zb_v,      schedule::v_half,
                                schedule::v_min,     schedule::dualpipe,
                                schedule::dualpipe_v};
  std::set<std::uint16_t> times;
  for (const named_case& c : strategies()) {
    for (const schedule order : schedules) {
      const bool two_chunks = c.run.strategy[axis::vpp] == 2;
      const bool any_chunks = order == schedule::gpipe || order == schedule::one_forward_one_backward;
      if (!any_chunks && placed_in_a_v(order) != two_chunks) continue;
      for (int variant = 0; variant < 48; ++variant) {
        deployment run = c.run;
        training& t = run.workload.train;
        t.schedule = order;
        t.global_batch = 40 * run.strategy[axis::dp];
        t.recompute = static_cast<recompute>(variant % 3);
        t.recompute_method = variant % 2 == 0 ? recompute_method::uniform : recompute_method::block;
        t.recompute_layers = 1 + variant % 5;
        t.recompute_modules = {.mlp = variant % 2 == 0,
                               .moe = variant % 4 == 1,
                               .moe_activation = variant % 4 > 1,
                               .layer_norm = variant % 8 > 3,
                               .latent_up_projection = variant % 3 == 1,
                               .shared_experts = variant % 5 > 2};
        t.kernels.fused_cross_entropy = variant % 7 > 3;
        t.sharding = static_cast<sharding>(variant / 12);
        if (variant % 6 == 0) t.precision.gradients = number_type::bf16;
        if (variant % 6 == 1) t.precision.fp8 = fp8_recipe::blockwise;
        if (variant % 6 == 2) t.optimizer = optimizer::muon;
        if (variant % 6 == 3) t.optimizer_offload = {1, 3};
        if (variant % 6 == 4) t.dispatcher = token_dispatcher::all_gather;
        if (variant % 6 == 5) t.sequence_length = 64; // so little that the start or the update is the peak
        const training_memory memory{run};
        for (std::int64_t stage = 0; stage < memory.stages(); ++stage) {
          CAPTURE(c.name);
          CAPTURE(variant);
          CAPTURE(static_cast<int>(order));
          CAPTURE(stage);
          const auto whole = memory.stage(stage);
          times.insert(static_cast<std::uint16_t>(whole.time));
          const sum_of_terms sum = terms_of(memory, stage);
          CHECK(sum.bytes == whole.peak());
          CHECK(sum.without_name_or_source == 0);
        }
      }
    }
  }
  CHECK(times.size() == 4); // start, forward pass, backward pass, update
}
