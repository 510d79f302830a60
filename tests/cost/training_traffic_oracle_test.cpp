#include <moeplan/cost/training_traffic.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/verify/check.hpp>

#include "cost/slow_traffic.hpp"
#include "support/random_numbers.hpp"
#include "support/slow_build.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

model small_model(random_numbers& draw) {
  model m{.layers = 4 + 4 * draw.below(3),
          .hidden_size = 64,
          .vocabulary_size = 1000,
          .intermediate_size = 192,
          .attention = attention::grouped_query(16, 4, 8)};
  switch (draw.below(4)) {
    case 0: break;
    case 1: m.attention = attention::latent(16, {48, 32, 16, 8, 16}); break;
    case 2: m.attention = attention::latent(16, {0, 32, 16, 8, 24}); break;
    default:
      m.linear_attention = {.key_heads = 8, .value_heads = 16, .key_head_dim = 4, .value_head_dim = 4, .convolution = 4};
      m.linear_attention.softmax_layers = layer_set::every_nth(2, 1);
  }
  const std::int64_t dense = draw.below(3);
  if (draw.below(4) > 0) {
    m.experts = {.routed = 16, .top_k = 1 + draw.below(4), .intermediate_size = 32, .layers = layer_set::after_first(dense)};
    m.experts.shared_intermediate_size = draw.coin() ? 64 : 0;
    if (draw.coin()) m.experts.groups = 4, m.experts.group_top_k = 2;
  }
  m.mtp_layers = draw.below(3);
  m.tied_embeddings = draw.coin();
  return m;
}

deployment small_deployment(random_numbers& draw) {
  deployment d;
  d.profile = profile::universal;
  d.model = small_model(draw);
  d.strategy.set(axis::tp, draw.power(2));
  d.strategy.set(axis::cp, draw.power(2));
  d.strategy.set(axis::dp, draw.power(2));
  d.strategy.set(axis::pp, draw.power(2));
  d.strategy.set(axis::ep, draw.power(3));
  d.strategy.set(axis::etp, draw.power(1));
  d.strategy.set(axis::sp, draw.coin() ? d.strategy[axis::tp] : 1);
  training t{.micro_batch = 1 + draw.below(2), .sequence_length = 64};
  const std::int64_t batches = 2 * (1 + draw.below(3));
  t.global_batch = t.micro_batch * d.strategy[axis::dp] * batches;
  t.recompute = draw.any<recompute>(3);
  t.recompute_method = draw.any<recompute_method>(2);
  t.recompute_layers = 1 + draw.below(4);
  t.recompute_modules = {.core_attention = draw.coin(), .mlp = draw.coin()};
  t.recompute_modules.moe = draw.coin();
  t.recompute_modules.latent_up_projection = draw.coin();
  t.recompute_modules.shared_experts = draw.coin();
  t.context = draw.any<context_exchange>(3);
  t.dispatcher = draw.any<token_dispatcher>(4);
  t.sharding = draw.any<sharding>(4);
  t.schedule = draw.any<schedule>(9);
  t.precision.gradients = draw.coin() ? number_type::fp32 : number_type::bf16;
  t.precision.weights = draw.below(4) == 0 ? number_type::fp32 : number_type::bf16;
  if (draw.coin()) t.precision.fp8 = draw.any<fp8_recipe>(5);
  t.assumptions.latent_down_projections = draw.any<held>(2);
  t.assumptions.shared_experts = draw.any<held>(2);
  if (draw.below(3) == 0) t.routing.capacity_factor = ratio{3, 2};
  if (t.routing.capacity_factor.numerator != 0) t.routing.pad_to_capacity = draw.coin();
  if (t.schedule == schedule::gpipe || t.schedule == schedule::one_forward_one_backward)
    d.strategy.set(axis::vpp, draw.below(3) == 0 && d.strategy[axis::pp] > 1 ? 2 : 1);
  else if (placed_in_a_v(t.schedule))
    d.strategy.set(axis::vpp, 2);
  d.layout = draw.below(3) == 0 ? layout::balanced() : layout::even();
  d.workload = t;
  d.cluster.total = static_cast<std::int64_t>(gpus<saturating_count>(d.strategy).value());
  return d;
}

struct listed {
  std::vector<communication> all;
  void operator()(communication c) {
    c.to_stage -= c.from_stage;
    if (c.kind != collective::send) c.to_stage = 0; // DualPipe's other copy is at the other end.
    c.from_stage = 0;
    all.push_back(c);
  }
};

TEST_CASE("stages that are alike communicate alike") {
  random_numbers draw{20250505};
  int legal = 0;
  int several = 0;
  int apart = 0;
  while (legal < cases_for_build(400)) {
    const deployment d = small_deployment(draw);
    if (!check(d).ok()) continue;
    ++legal;
    const training_traffic traffic{d};
    for (std::int64_t stage = 0; stage < traffic.stages();) {
      const std::int64_t alike = traffic.stages_alike(stage);
      listed first;
      traffic.visit_stage(stage, first);
      for (std::int64_t other = stage + 1; other < stage + alike; ++other) {
        listed second;
        traffic.visit_stage(other, second);
        CHECK(first.all == second.all);
        ++several;
      }
      stage += alike;
      if (stage < traffic.stages()) ++apart;
    }
  }
  CHECK(several > cases_for_build(10));
  CHECK(apart > 10);
}

TEST_CASE("traffic, rank by rank, layer by layer and micro-batch by micro-batch") {
  random_numbers draw{20241226};
  int legal = 0;
  int by_schedule[9]{};
  int by_context[3]{};
  int by_dispatcher[4]{};
  while (legal < cases_for_build(400)) {
    const deployment d = small_deployment(draw);
    if (!check(d).ok()) continue;
    ++legal;
    const training& t = d.workload.train;
    ++by_schedule[static_cast<int>(t.schedule)];
    if (d.strategy[axis::cp] > 1) ++by_context[static_cast<int>(t.context)];
    if (d.model.has_experts() && d.strategy[axis::ep] > 1) ++by_dispatcher[static_cast<int>(t.dispatcher)];
    const slow_traffic slow{d};
    visited_traffic fast;
    fast.stage_gpus = d.strategy[axis::tp] * d.strategy[axis::cp] * d.strategy[axis::dp];
    training_traffic{d}.visit_stages(fast);
    INFO(legal);
    for (const auto& entry : slow.table) {
      INFO(name_of(entry.first.first), " ", name_of(entry.first.second));
      CHECK(fast.table[entry.first] == entry.second);
    }
    for (const auto& entry : fast.table)
      if (entry.second != 0) CHECK(slow.table.count(entry.first) == 1);
  }
  if (legal < 400) return; // too few for all of these
  for (const int n : by_schedule) CHECK(n > 0);
  for (const int n : by_context) CHECK(n > 10);
  for (const int n : by_dispatcher) CHECK(n > 10);
}

} // namespace
