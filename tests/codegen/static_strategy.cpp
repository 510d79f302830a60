// A strategy that is known at compile time costs nothing at run time: what depends on it alone is a constant, and what depends on a
// rank as well takes multiplications and shifts.

#include <moeplan/moeplan.hpp>

using namespace moeplan;

namespace {

constexpr strategy plan{tp{2}, cp{3}, pp{16}, vpp{2}, ep{64}, dp{128}};
constexpr strategy reordered = plan.with(rank_order{"ep-pp-dp-tp-cp"});
constexpr layout stages = layout::stages({31, 2}, {1, 0});

} // namespace

extern "C" {

// What a static mesh knows.
std::int64_t constant_world() { return static_mesh<plan>.world(); }
std::int64_t constant_dp() { return static_mesh<plan>.dense().dp; }
std::int64_t constant_ep() { return static_mesh<plan>.expert().ep; }
std::int64_t constant_edp() { return static_mesh<plan>.expert().edp; }
std::int64_t constant_rank() { return static_mesh<plan>.rank(dense_coordinates{.tp = 1, .cp = 2, .dp = 3, .pp = 4}); }
std::int64_t constant_virtual_stages() { return virtual_stages(plan, stages); }

std::uint64_t constant_gpus() { return gpus(plan).value(); }
std::uint64_t constant_stage_gpus() { return stage_gpus(plan).value(); }

std::int64_t constant_coordinate() { return static_mesh<reordered>.expert_at(4321).edp; }
std::int64_t constant_first_member() { return static_mesh<plan>.group(groups::ep, 4321).front(); }
std::int64_t constant_some_member() { return static_mesh<reordered>.group(groups::tp_dp, 4321)[77]; }
std::int64_t constant_group_size() { return static_mesh<plan>.groups(groups::dp_cp).group_size(); }
std::int64_t constant_number_of_groups() { return static_mesh<plan>.groups(groups::dp_cp).size(); }
std::int64_t constant_first_of_a_group() { return static_mesh<plan>.groups(groups::dp_cp)[5].front(); }

// Larger functions, which clang folds only where it is told that their results are constants.
std::uint64_t constant_minimum_gpus() {
  constexpr count n = minimum_gpus(plan);
  return n.value();
}
std::int64_t constant_stage_layers() {
  constexpr stage_contents held = contents(catalog::deepseek_v3, plan, stages, 30);
  return held.decoder_layers;
}
std::uint64_t constant_parameters() {
  constexpr count n = parameters(catalog::deepseek_v3).total();
  return n.value();
}

// What depends on a rank as well.
void nodivision_dense_at(std::int64_t rank, dense_coordinates* at) { *at = static_mesh<plan>.dense_at(rank); }
void nodivision_expert_at(std::int64_t rank, expert_coordinates* at) { *at = static_mesh<plan>.expert_at(rank); }
void nodivision_dense_at_reordered(std::int64_t rank, dense_coordinates* at) { *at = static_mesh<reordered>.dense_at(rank); }
void nodivision_expert_at_reordered(std::int64_t rank, expert_coordinates* at) { *at = static_mesh<reordered>.expert_at(rank); }
std::int64_t nodivision_first_of_tp(std::int64_t rank) { return static_mesh<plan>.group(groups::tp, rank).front(); }
std::int64_t nodivision_first_of_ep(std::int64_t rank) { return static_mesh<plan>.group(groups::ep, rank).front(); }
std::int64_t nodivision_first_of_join(std::int64_t rank) { return static_mesh<reordered>.group(groups::tp_dp, rank).front(); }
std::int64_t nodivision_sum_of_ep(std::int64_t rank) {
  std::int64_t sum = 0;
  for (const std::int64_t member : static_mesh<plan>.group(groups::ep, rank)) sum += member;
  return sum;
}
std::int64_t nodivision_sum_of_join(std::int64_t rank) {
  std::int64_t sum = 0;
  for (const std::int64_t member : static_mesh<reordered>.group(groups::tp_dp, rank)) sum += member;
  return sum;
}

} // extern "C"
