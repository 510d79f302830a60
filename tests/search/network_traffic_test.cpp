#include <moeplan/search/network_traffic.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/cost/traffic.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/verify/check.hpp>

#include <doctest/doctest.h>

#include <algorithm>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// A dense model of two layers, whose vocabulary needs no padding.
constexpr model small() {
  model m{.layers = 2, .hidden_size = 64, .vocabulary_size = 1024, .intermediate_size = 256};
  m.attention.heads = m.attention.kv_heads = 4;
  return m;
}

constexpr deployment on_nodes(std::int64_t gpus_per_node, std::int64_t nodes, strategy s) {
  return {.model = small(),
          .cluster = {.gpus_per_node = gpus_per_node, .nodes = nodes},
          .strategy = s,
          .workload = training{.global_batch = 12, .micro_batch = 3, .sequence_length = 32}};
}

} // namespace

// Two copies of the model add up 4 bytes a parameter, and a ring of two sends the whole array from each.
BOTH_TIMES("gradients of two copies on a node each", [] {
  const std::uint64_t all = 4 * parameters(small()).total().value();
  EXPECT(network_traffic(on_nodes(1, 2, {dp{2}})) == optional_integer{static_cast<std::int64_t>(all)});
  EXPECT(network_traffic(on_nodes(2, 1, {dp{2}})) == optional_integer{0});
});

// 12 sequences of 32 tokens and 64 numbers of 2 bytes, to the next stage or back.
BOTH_TIMES("activations between two stages on a node each", [] {
  EXPECT(network_traffic(on_nodes(1, 2, {pp{2}, dp{1}})) == optional_integer{std::int64_t{12} * 32 * 64 * 2});
  EXPECT(network_traffic(on_nodes(2, 1, {pp{2}, dp{1}})) == optional_integer{0});
});

BOTH_TIMES("an NVLink domain of several nodes is one to the network", [] {
  deployment d = on_nodes(1, 2, {dp{2}});
  d.cluster.nvlink_domain = 2;
  EXPECT(network_traffic(d) == optional_integer{0});
});

BOTH_TIMES("not known without nodes", [] {
  deployment d = on_nodes(1, 2, {dp{2}});
  d.cluster = {.total = 2};
  EXPECT(!network_traffic(d).given);
});

BOTH_TIMES("tokens that go to each node once are fewer than those that go to each expert", [] {
  deployment d{.model = catalog::deepseek_v3,
               .cluster = {.gpus_per_node = 8, .nodes = 16},
               .strategy = {ep{64}, dp{128}},
               .workload = training{.global_batch = 128, .sequence_length = 4096, .sharding = sharding::optimizer}};
  d.workload.train.dispatcher = token_dispatcher::all_to_all;
  const std::int64_t to_each_expert = network_traffic(d).number;
  d.workload.train.dispatcher = token_dispatcher::deepep;
  // 8 experts on at most 4 nodes, of which one may be the token's own.
  EXPECT(network_traffic(d).number < to_each_expert);
  EXPECT(network_traffic(d).number > to_each_expert / 4);
});

TEST_CASE("it is what the topology says of each communication, added up and rounded up") {
  // Of the last one's stages, which all do the same, few send over the network.
  const strategy strategies[] = {{tp{2}, sp{2}, ep{8}, pp{4}, dp{16}},
                                 {tp{8}, sp{8}, cp{2}, ep{8}, dp{8}},
                                 {ep{4}, pp{8}, dp{16}},
                                 {tp{2}, ep{2}, pp{32}, dp{1}}};
  int compared = 0;
  for (const strategy& s : strategies)
    for (const std::int64_t node : {2, 3, 8})
      for (const sharding shards : {sharding::none, sharding::optimizer, sharding::parameters})
        for (const token_dispatcher how : {token_dispatcher::all_gather, token_dispatcher::all_to_all}) {
          deployment d{.model = catalog::mixtral_8x7b,
                       .cluster = {.gpus_per_node = node, .nodes = 128},
                       .strategy = s,
                       .workload = training{.global_batch = 256, .sequence_length = 4096, .dispatcher = how, .sharding = shards},
                       .profile = profile::universal};
          REQUIRE(check(d).ok());
          const topology links{d};
          double most = 0;
          double most_within = 0;
          double parts = 0;
          const training_traffic traffic{d};
          for (std::int64_t rank = 0; rank < traffic.stages(); ++rank) {
            double sum = 0;
            double within = 0;
            double n = 0;
            const auto add = [&](const communication& c) {
              const bytes_by_tier sent = links.bytes_of(c);
              sum += sent.between_nodes.to_double();
              within += sent.within_node.to_double();
              ++n;
            };
            traffic.visit_stage(rank, add);
            most = std::max(most, sum);
            most_within = std::max(most_within, within);
            parts = std::max(parts, n);
          }
          const auto found = static_cast<double>(network_traffic(d).number);
          CHECK(found >= most * (1 - 1e-12));
          CHECK(found <= most * (1 + 1e-12) + parts);
          const sent_bytes sent = sent_traffic(d);
          CHECK(sent.network == doctest::Approx(most).epsilon(1e-12));
          CHECK(sent.nvlink == doctest::Approx(most_within).epsilon(1e-12));
          compared += most > 0;
        }
  CHECK(compared == 72);
}

// vLLM sends hidden states and residual, six tokens of 4,096 numbers of 2 bytes each, of which every tensor-parallel rank sends its part.
TEST_CASE("serving too") {
  const deployment d{.model = catalog::mixtral_8x7b,
                     .cluster = {.gpus_per_node = 8, .nodes = 2},
                     .strategy = {tp{8}, pp{2}, ep{8}, dp{1}},
                     .workload = serving{.batch = 6, .sequence_length = 128},
                     .profile = profile::vllm};
  REQUIRE(check(d).ok());
  CHECK(network_traffic(d).number == std::int64_t{2} * 6 * 4096 * 2 / 8);
}
