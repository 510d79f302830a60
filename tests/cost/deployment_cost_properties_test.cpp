// What holds for the cost of every deployment.
#include <moeplan/cost/deployment_cost.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "cost/random_deployments.hpp"
#include "support/slow_build.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

bool no_longer(const known_seconds& a, const known_seconds& b) { return a.known == b.known && a.seconds <= b.seconds; }

bool no_longer(const step_time& a, const step_time& b) {
  return no_longer(a.compute, b.compute) && no_longer(a.memory, b.memory) && no_longer(a.nvlink, b.nvlink) &&
         no_longer(a.network, b.network) && no_longer(a.pipeline, b.pipeline) && no_longer(a.step(), b.step());
}

TEST_CASE("the bound is the longest of its parts, and a GPU is never used more than all the time") {
  deployment_draws draw{1};
  int limited_by[step_resources]{};
  for (int i = 0; i < cases_for_build(3000); ++i) {
    const deployment d = draw.next();
    const deployment_cost c = cost(d);
    REQUIRE(c.bound.step().known);
    for (std::int64_t r = 0; r < step_resources; ++r) {
      CHECK(c.bound[static_cast<step_resource>(r)].known);
      CHECK(c.bound[static_cast<step_resource>(r)].seconds <= c.bound.step().seconds);
    }
    CHECK(c.bound.pipeline.seconds >= c.bound.compute.seconds);
    CHECK(c.estimate == c.bound);
    const auto fastest = static_cast<double>(d.cluster.gpu.fp4_flops);
    CHECK(c.flops_per_second() < fastest);
    ++limited_by[static_cast<std::size_t>(c.limit())];
  }
  for (const int n : limited_by) CHECK(n > 0);
}

TEST_CASE("faster parts never make a step longer") {
  deployment_draws draw{2};
  for (int i = 0; i < cases_for_build(2000); ++i) {
    const deployment d = draw.next();
    const step_time before = cost(d).bound;
    deployment faster = d;
    gpu& g = faster.cluster.gpu;
    const auto more = [&draw](auto& rate) { rate = rate + 1 + draw.below(100'000); };
    switch (draw.below(6)) {
      case 0: more(g.bf16_flops); break;
      case 1: more(g.fp8_flops); break;
      case 2: more(g.fp4_flops); break;
      case 3: g.memory_bandwidth += bytes{draw.below(100'000)}; break;
      case 4: g.nvlink_bandwidth += bytes{draw.below(100'000)}; break;
      default: g.network_bandwidth += bytes{draw.below(100'000)};
    }
    CHECK(no_longer(cost(faster).bound, before));
  }
}

TEST_CASE("more work never makes a step shorter") {
  deployment_draws draw{3};
  for (int i = 0; i < cases_for_build(2000); ++i) {
    const deployment d = draw.next();
    const step_time before = cost(d).bound;
    deployment more = d;
    if (d.workload.is_training()) {
      training& t = more.workload.train;
      switch (draw.below(3)) {
        case 0: t.global_batch.number *= 2 + draw.below(3); break;
        case 1: t.sequence_length *= 2; break;
        default: more.model.experts.intermediate_size *= 2;
      }
    } else {
      serving& v = more.workload.serve;
      switch (draw.below(3)) {
        case 0: v.batch *= 2 + draw.below(3); break;
        case 1: // as many new ones
          v.sequence_length += 64;
          if (d.model.attention.window.kind == window_kind::chunked) continue; // A token may begin a new chunk.
          break;
        default: more.model.experts.intermediate_size *= 2;
      }
    }
    CAPTURE(i);
    CHECK(no_longer(before, cost(more).bound));
  }
}

TEST_CASE("an estimate is never less than the bound, and falls as efficiencies rise") {
  deployment_draws draw{4};
  for (int i = 0; i < cases_for_build(2000); ++i) {
    const deployment d = draw.next();
    const efficiencies low{.compute = draw.share(), .memory = draw.share(), .nvlink = draw.share(), .network = draw.share()};
    const deployment_cost c = cost(d, low);
    CHECK(c.bound == cost(d).bound);
    CHECK(no_longer(c.bound, c.estimate));
    efficiencies high = low;
    double& one = draw.below(2) == 0 ? (draw.coin() ? high.compute : high.memory) : (draw.coin() ? high.nvlink : high.network);
    one += (1 - one) * draw.share();
    CHECK(no_longer(cost(d, high).estimate, c.estimate));
  }
}

TEST_CASE("a deployment on one node sends nothing over the network, and one GPU nothing at all") {
  deployment_draws draw{5};
  int alone = 0;
  for (int i = 0; i < cases_for_build(1000); ++i) {
    deployment d = draw.next();
    deployment one = d;
    one.strategy = {dp{1}};
    if (i % 3 == 0 && check(one).ok()) d = one;
    const auto world = static_cast<std::int64_t>(gpus<count>(d.strategy).value());
    d.cluster.gpus_per_node = world;
    d.cluster.nodes = 1;
    d.cluster.nvlink_domain = {};
    const deployment_cost c = cost(d);
    CHECK(c.network.bytes == 0);
    CHECK(c.bound.network == known_seconds{true, 0});
    if (world > 1) continue;
    CHECK(c.nvlink.bytes == 0);
    ++alone;
  }
  CHECK(alone > 10);
}

} // namespace
