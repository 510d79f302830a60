#include <doctest/doctest.h>

#include "../support/both_times.hpp"
#include "jobs.hpp"

using namespace moeplan_test;
using namespace moeplan;
using admission::decision;
using admission::world_size;

namespace {

constexpr std::int64_t four_nodes[] = {8, 8, 4, 0};

constexpr decision decided(const deployment& d) { return decide(d, four_nodes, policy::first_fit); }

} // namespace

BOTH_TIMES("a job with DP takes exactly its GPUs", [] {
  const decision d = decided(mixtral(tp2_pp2_ep4.with(dp{4})));
  EXPECT(d.verdict == verdict::admitted);
  EXPECT(d.world == world_size{.dp = 4, .gpus = 16});
  EXPECT(d.where.placement.nodes == 2);
  EXPECT(d.findings.empty());
});

BOTH_TIMES("too few free GPUs: queued, with what is missing and the DP that would fit", [] {
  const decision d = decided(mixtral(tp2_pp2_ep4.with(dp{8})));
  EXPECT(d.verdict == verdict::queued);
  EXPECT(d.world == world_size{.dp = 8, .gpus = 32});
  EXPECT(d.missing == 12);
  EXPECT(d.fits_now == world_size{.dp = 4, .gpus = 16});
  EXPECT(d.where.placement.nodes == 0);
});

BOTH_TIMES("no other DP is offered that the batch cannot be divided over", [] {
  // DP 2 and 4 would fit; 40 sequences divide by 8, 4 and 2, 72 / 3 would not matter: EP 4 needs an even DP.
  EXPECT(decided(mixtral(tp2_pp2_ep4.with(dp{8}), 40)).fits_now == world_size{.dp = 4, .gpus = 16});
  EXPECT(decided(mixtral(tp2_pp2_ep4.with(dp{10}), 10)).fits_now == world_size{.dp = 2, .gpus = 8});
  EXPECT(decided(mixtral(tp2_pp2_ep4.with(pp{8}).with(dp{2}))).fits_now == world_size{});
});

BOTH_TIMES("without DP a job takes the largest legal one", [] {
  EXPECT(decided(mixtral(tp2_pp2_ep4)).world == world_size{.dp = 4, .gpus = 16});
  EXPECT(decided(mixtral(tp2_pp2_ep4, 10)).world == world_size{.dp = 2, .gpus = 8});
  EXPECT(decided(mixtral(tp2_pp2_ep4, 24)).world == world_size{.dp = 4, .gpus = 16});
});

BOTH_TIMES("without DP a job is queued only where its smallest world does not fit", [] {
  const decision d = decided(mixtral(tp2_pp2_ep4.with(pp{8})));
  EXPECT(d.verdict == verdict::queued);
  EXPECT(d.world == world_size{.dp = 2, .gpus = 32});
  EXPECT(d.missing == 12);
  EXPECT(d.fits_now == world_size{});
});

BOTH_TIMES("a batch that no DP divides is refused", [] {
  const decision d = decided(mixtral(tp2_pp2_ep4, 9));
  EXPECT(d.verdict == verdict::refused);
  EXPECT(d.findings.contains(rule::global_batch_divides_by_dp));
  EXPECT(d.world == world_size{});
});

BOTH_TIMES("the cluster in the file is the most that a job gets", [] {
  EXPECT(decided(mixtral(tp2_pp2_ep4, {}, 8)).world == world_size{.dp = 2, .gpus = 8});
  EXPECT(decided(mixtral(tp2_pp2_ep4, {}, 15)).world == world_size{.dp = 2, .gpus = 8});
  EXPECT(decided(mixtral(tp2_pp2_ep4, {}, 7)).findings.contains(rule::gpus_are_available));
  EXPECT(decided(mixtral(tp2_pp2_ep4.with(dp{4}), {}, 15)).verdict == verdict::refused);
  EXPECT(decided(mixtral(tp2_pp2_ep4.with(dp{4}), {}, 16)).verdict == verdict::admitted);
  // More than it needs is nothing to advise on: the rest of that cluster is not idle, but others'.
  EXPECT(decided(mixtral(tp2_pp2_ep4.with(dp{4}), {}, 64)).findings.empty());
});

namespace {

/// On one GPU each copy has 201,425,088 parameters (tests/verify/rules/memory_test.cpp): weights and gradients are 6 bytes each, optimizer
/// states 12, which DP ranks share. With workspaces of 185 MB and next to no activations DP 3 needs 2.20 GB, DP 4 2.00 GB.
constexpr deployment sharing(optional_integer global_batch = {}, optional_integer planned = {}) {
  return {.model = {.layers = 1,
                    .hidden_size = 64,
                    .vocabulary_size = 128,
                    .attention = attention::multi_head(1, 64),
                    .experts = {.routed = 1024, .top_k = 2, .intermediate_size = 1024}},
          .cluster = {.gpu = {.memory = bytes{2'100'000'000}}, .total = planned},
          .workload = training{.global_batch = global_batch, .sequence_length = 8, .sharding = sharding::optimizer}};
}
constexpr deployment sharing_by(std::int64_t ranks) {
  deployment d = sharing();
  d.strategy = {dp{ranks}};
  return d;
}

constexpr std::int64_t five[] = {4, 1};
constexpr std::int64_t three[] = {3};

} // namespace

TEST_CASE("a job that lacks memory gets as many ranks as share what does not fit") {
  CHECK(decided(sharing()).world == world_size{.dp = 20, .gpus = 20});
  CHECK(decide(sharing(), five, policy::first_fit).world == world_size{.dp = 5, .gpus = 5});
  const decision queued = decide(sharing(), three, policy::first_fit);
  CHECK(queued.verdict == verdict::queued);
  CHECK(queued.missing == 1);
  CHECK(queued.world == world_size{.dp = 4, .gpus = 4});
  CHECK(queued.findings.ok());
  // Of the divisors of 6, the first from 4 on.
  CHECK(decide(sharing(6), five, policy::first_fit).world == world_size{.dp = 6, .gpus = 6});
  CHECK(decided(sharing(6)).verdict == verdict::admitted);
}

BOTH_TIMES("memory is compared at both times",
           [] { EXPECT(decide(sharing_by(3), three, policy::first_fit).findings.contains(rule::stage_fits_memory)); });

TEST_CASE("a job that never has enough memory is refused") {
  CHECK(decided(sharing({}, 3)).verdict == verdict::refused);
  CHECK(decided(sharing({}, 3)).findings.contains(rule::stage_fits_memory));
  CHECK(decided(sharing(3)).verdict == verdict::refused);
  CHECK(decided(sharing({}, 4)).world == world_size{.dp = 4, .gpus = 4});
  CHECK(decided(sharing_by(3)).verdict == verdict::refused);
  CHECK(decided(sharing_by(4)).verdict == verdict::admitted);
}

TEST_CASE("no DP is offered that does not fit into memory") {
  CHECK(decide(sharing_by(8), five, policy::first_fit).fits_now == world_size{.dp = 5, .gpus = 5});
  CHECK(decide(sharing_by(8), three, policy::first_fit).fits_now == world_size{});
}

// V-Min holds the more of few micro-batches: with DP 1 a rank needs 90 MB, with DP 6 (4 micro-batches) 82, with DP 8 (3) 86.
TEST_CASE("more ranks may need more memory each") {
  const deployment d{
      .model = {.layers = 24,
                .hidden_size = 64,
                .vocabulary_size = 128,
                .intermediate_size = 256,
                .attention = attention::multi_head(1, 64)},
      .cluster = {.gpu = {.memory = bytes{83'000'000}}, .total = 48},
      .strategy = {pp{6}, vpp{2}},
      .workload =
          training{.global_batch = 24, .sequence_length = 1024, .sharding = sharding::optimizer, .schedule = schedule::v_min}};
  constexpr std::int64_t free[] = {48};
  CHECK(decide(d, free, policy::first_fit).world == world_size{.dp = 6, .gpus = 36});
  deployment fixed = d;
  fixed.strategy = d.strategy.with(dp{8});
  CHECK(decide(fixed, free, policy::first_fit).findings.contains(rule::stage_fits_memory));
}

BOTH_TIMES("a cluster that contradicts itself is refused", [] {
  EXPECT(decided(mixtral(tp2_pp2_ep4, {}, 0)).findings.contains(rule::cluster_has_gpus));
  deployment d = mixtral(tp2_pp2_ep4.with(dp{2}), {}, 16);
  d.cluster.gpus_per_node = 8;
  d.cluster.nodes = 3;
  EXPECT(decided(d).findings.contains(rule::cluster_has_gpus));
  d.cluster.nodes = 2;
  EXPECT(decided(d).verdict == verdict::admitted);
});

BOTH_TIMES("every broken rule is named, whatever is free", [] {
  const decision d = decided(mixtral(strategy{tp{3}, ep{5}, etp{1}, dp{500}}));
  EXPECT(d.verdict == verdict::refused);
  EXPECT(d.findings.contains(rule::heads_divide_by_tp));
  EXPECT(d.findings.contains(rule::experts_divide_by_ep));
});

BOTH_TIMES("degrees that are none, and products beyond 64 bits", [] {
  constexpr std::int64_t large = std::int64_t{1} << 40;
  EXPECT(decided(mixtral(strategy{ep{0}})).findings.contains(rule::ep_is_at_least_1));
  EXPECT(decided(mixtral(strategy{tp{-2}})).findings.contains(rule::tp_is_at_least_1));
  EXPECT(decided(mixtral(strategy{tp{large}, cp{large}})).findings.contains(rule::overflow));
  EXPECT(decided(mixtral(strategy{tp{large}, ep{3486784401}, etp{3486784401}})).verdict == verdict::refused);
  EXPECT(decided(mixtral(strategy{tp{large}, dp{large}})).verdict == verdict::refused);
});

BOTH_TIMES("a product mapping can be checked, and not be run", [] {
  const decision d = decided(mixtral(strategy{tp{2}, ep{2}, dp{2}, mapping::product}));
  EXPECT(d.verdict == verdict::refused);
  EXPECT(d.findings.contains(rule::mapping_is_folded));
  EXPECT(d.findings.ok());
});

BOTH_TIMES("an order of ranks without dp has no room for a second copy", [] {
  const strategy s{tp{2}, pp{2}, etp{2}, rank_order{"tp-cp-ep-pp"}};
  EXPECT(decided(mixtral(s)).world == world_size{.dp = 1, .gpus = 4});
});

TEST_CASE("nothing is free") {
  CHECK(decide(mixtral(tp2_pp2_ep4), {}, policy::best_fit).missing == 8);
  CHECK(decide(mixtral(tp2_pp2_ep4), free_list{0, 0}, policy::best_fit).verdict == verdict::queued);
}

TEST_CASE("the largest divisor within a bound") {
  for (std::int64_t n = 1; n <= 400; ++n) {
    for (std::int64_t bound = 1; bound <= n + 3; ++bound) {
      std::int64_t largest = bound;
      while (n % largest != 0 || largest > n) --largest;
      REQUIRE(admission::detail::largest_divisor(n, bound) == largest);
    }
  }
  constexpr std::int64_t prime = 9223372036854775783; // the largest below 2^63
  CHECK(admission::detail::largest_divisor(prime, 4096) == 1);
  CHECK(admission::detail::largest_divisor(prime, prime) == prime);
}
