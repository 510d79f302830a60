// The gate decides while this file compiles: what runs in a scheduler's hot path is the same code.
#include <moeplan/moeplan.hpp>

#include "gate.hpp"

namespace mp = moeplan;

namespace {

/// Mixtral 8x7B with TP 2, PP 2 and EP 4, and as much DP as there is room for: 16 GPUs or a multiple of 8, since DP 2 does not share
/// optimizer states among enough ranks for the memory of an H100.
constexpr mp::deployment elastic{
    .model = mp::catalog::mixtral_8x7b,
    .cluster = {.gpu = mp::catalog::h100_sxm, .gpus_per_node = 8, .nodes = 4},
    .strategy = {mp::tp{2}, mp::sp{2}, mp::pp{2}, mp::ep{4}, mp::etp{1}},
    .workload = mp::training{.global_batch = 48,
                             .micro_batch = 1,
                             .sequence_length = 4096,
                             .recompute = mp::recompute::full,
                             .sharding = mp::sharding::optimizer},
};

constexpr std::int64_t four_nodes[] = {8, 8, 4, 0};
constexpr auto first_fit = admission::decide(elastic, four_nodes, admission::policy::first_fit);

// Twenty GPUs are free, two copies of eight fit, so DP is 4: eight GPUs on the first node, eight on the second.
static_assert(first_fit.verdict == admission::verdict::admitted);
static_assert(first_fit.world == admission::world_size{.dp = 4, .gpus = 16});
static_assert(first_fit.where.placement.gpus_on(0, four_nodes[0]) == 8);
static_assert(first_fit.where.placement.gpus_on(1, four_nodes[1]) == 8);
static_assert(first_fit.where.placement.gpus_on(2, four_nodes[2]) == 0);

// Neither TP nor EP crosses nodes.
static_assert(first_fit.where.crossings[0] == admission::crossing{.groups = 8, .across_nodes = 0});
static_assert(first_fit.where.crossings[2] == admission::crossing{.groups = 4, .across_nodes = 0});

// Best fit leaves the large node to a larger job.
constexpr mp::deployment small = [] {
  mp::deployment job = elastic;
  job.model = mp::catalog::olmoe_1b_7b;
  job.strategy = {mp::tp{2}, mp::sp{2}, mp::pp{2}, mp::dp{1}};
  return job;
}();
static_assert(admission::decide(small, four_nodes, admission::policy::first_fit).where.placement.rest_node == 0);
static_assert(admission::decide(small, four_nodes, admission::policy::best_fit).where.placement.rest_node == 2);

// With DP 12 it takes 48 GPUs, more than it was planned for: refused, whatever is free.
constexpr mp::deployment too_large = [] {
  mp::deployment job = elastic;
  job.strategy = job.strategy.with(mp::dp{12});
  return job;
}();
static_assert(admission::decide(too_large, four_nodes, admission::policy::first_fit).verdict == admission::verdict::refused);

// With DP 8 it waits for 12 more, and DP 4 would fit now.
constexpr mp::deployment patient = [] {
  mp::deployment job = elastic;
  job.strategy = job.strategy.with(mp::dp{8});
  return job;
}();
constexpr auto waiting = admission::decide(patient, four_nodes, admission::policy::best_fit);
static_assert(waiting.verdict == admission::verdict::queued);
static_assert(waiting.missing == 12);
static_assert(waiting.fits_now == admission::world_size{.dp = 4, .gpus = 16});

} // namespace
