// Ranks and groups, each next to a plain baseline. Everything is read through pointers that the optimiser cannot see through, so that
// nothing is computed beforehand. Budgets: rank to coordinates 10 ns, a group's first member 5 ns, each further member 5 ns.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <moeplan/mesh/mesh.hpp>
#include <vector>

using namespace moeplan;

namespace {

/// Something that the optimiser believes to be unknown.
template <class T>
T* hidden(T& value) {
  T* pointer = &value;
  benchmark::DoNotOptimize(pointer);
  benchmark::ClobberMemory();
  return pointer;
}

strategy example() {
  return {tp{2}, cp{3}, pp{16}, ep{64}, dp{128}, etp{1}, rank_order{"tp-cp-pp-ep-dp"}}; // 12288 ranks, neither grid a power of two
}

/// Ranks in an order that no predictor learns.
std::vector<std::int64_t> some_ranks(std::int64_t world) {
  std::vector<std::int64_t> ranks;
  std::uint64_t state = 1;
  for (int i = 0; i < 1024; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    ranks.push_back(static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(world)));
  }
  return ranks;
}

/// Calls `query(rank)` once an iteration, with another rank each time.
template <class Query>
void each_rank(benchmark::State& state, std::int64_t world, Query query) {
  const auto ranks = some_ranks(world);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(query(ranks[i]));
    i = (i + 1) % 1024;
  }
}

// --- Rank to coordinates ---------------------------------------------------------------------------------------------------------

/// The baseline: sizes from the fastest axis to the slowest, divided off one after the other.
struct plain_grid {
  std::int64_t sizes[4];
  std::uint16_t places[4];
};

void baseline_coordinates(benchmark::State& state) {
  plain_grid plain{{2, 3, 16, 128}, {0, 1, 3, 2}};
  const plain_grid* const grid = hidden(plain);
  each_rank(state, 12288, [grid](std::int64_t rank) {
    std::int64_t at[4];
    for (int i = 0; i < 4; ++i) {
      at[grid->places[i]] = rank % grid->sizes[i];
      rank /= grid->sizes[i];
    }
    return dense_coordinates{at[0], at[1], at[2], at[3]};
  });
}
BENCHMARK(baseline_coordinates);

void dense_coordinates_of_a_rank(benchmark::State& state) {
  mesh local{example()};
  const mesh* const m = hidden(local);
  each_rank(state, m->world(), [m](std::int64_t rank) { return m->dense_at(rank); });
}
BENCHMARK(dense_coordinates_of_a_rank);

void expert_coordinates_of_a_rank(benchmark::State& state) {
  mesh local{example()};
  const mesh* const m = hidden(local);
  each_rank(state, m->world(), [m](std::int64_t rank) { return m->expert_at(rank); });
}
BENCHMARK(expert_coordinates_of_a_rank);

void static_coordinates_of_a_rank(benchmark::State& state) {
  static constexpr strategy s{tp{2}, cp{3}, pp{16}, ep{64}, dp{128}, rank_order{"tp-cp-pp-ep-dp"}};
  each_rank(state, static_mesh<s>.world(), [](std::int64_t rank) { return static_mesh<s>.dense_at(rank); });
}
BENCHMARK(static_coordinates_of_a_rank);

void coordinates_to_rank(benchmark::State& state) {
  mesh local{example()};
  const mesh* const m = hidden(local);
  each_rank(state, 128, [m](std::int64_t n) { return m->rank(dense_coordinates{.tp = 1, .cp = 2, .dp = n, .pp = 3}); });
}
BENCHMARK(coordinates_to_rank);

// --- A group's first member ------------------------------------------------------------------------------------------------------

/// The baseline: the coordinate on one axis by plain division.
void baseline_first_member(benchmark::State& state) {
  struct plain_axis {
    std::int64_t size, stride;
  } plain{128, 96};
  const plain_axis* const axis = hidden(plain);
  each_rank(state, 12288, [axis](std::int64_t rank) { return rank - rank / axis->stride % axis->size * axis->stride; });
}
BENCHMARK(baseline_first_member);

void first_member(benchmark::State& state, group_axes along) {
  mesh local{example()};
  const mesh* const m = hidden(local);
  const group_axes* const axes = hidden(along);
  each_rank(state, m->world(), [m, axes](std::int64_t rank) { return m->group(*axes, rank).front(); });
}
BENCHMARK_CAPTURE(first_member, one_axis, groups::dp);
BENCHMARK_CAPTURE(first_member, join, groups::tp_dp);
BENCHMARK_CAPTURE(first_member, expert_join, groups::etp_ep_pp);

void whole_group_view(benchmark::State& state, group_axes along) {
  mesh local{example()};
  const mesh* const m = hidden(local);
  const group_axes* const axes = hidden(along);
  each_rank(state, m->world(), [m, axes](std::int64_t rank) { return m->group(*axes, rank); });
}
BENCHMARK_CAPTURE(whole_group_view, one_axis, groups::dp);
BENCHMARK_CAPTURE(whole_group_view, join, groups::tp_dp);

// --- Each further member ---------------------------------------------------------------------------------------------------------

benchmark::Counter per_member(std::int64_t members) {
  return {static_cast<double>(members), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert};
}

template <class Members>
void walk(benchmark::State& state, const Members& members, std::int64_t size) {
  for (auto _ : state)
    for (const std::int64_t rank : members) benchmark::DoNotOptimize(rank);
  state.counters["per_member"] = per_member(size);
}

void baseline_members_from_an_array(benchmark::State& state) {
  mesh local{example()};
  const auto group = local.group(groups::tp_dp, 4321);
  std::vector<std::int64_t> stored{group.begin(), group.end()};
  walk(state, *hidden(stored), group.size());
}
BENCHMARK(baseline_members_from_an_array);

void further_members(benchmark::State& state, group_axes along) {
  mesh local{example()};
  rank_group group = local.group(along, 4321);
  walk(state, *hidden(group), group.size());
}
BENCHMARK_CAPTURE(further_members, one_axis, groups::dp);
BENCHMARK_CAPTURE(further_members, join, groups::tp_dp);
BENCHMARK_CAPTURE(further_members, join_of_three, groups::etp_ep_pp);

void members_by_index(benchmark::State& state, group_axes along) {
  mesh local{example()};
  rank_group group = local.group(along, 4321);
  const rank_group* const g = hidden(group);
  for (auto _ : state)
    // NOLINTNEXTLINE(modernize-loop-convert): access by index is what is measured
    for (std::int64_t i = 0; i < g->size(); ++i) benchmark::DoNotOptimize((*g)[i]);
  state.counters["per_member"] = per_member(g->size());
}
BENCHMARK_CAPTURE(members_by_index, one_axis, groups::dp);
BENCHMARK_CAPTURE(members_by_index, join, groups::tp_dp);

// --- Construction ----------------------------------------------------------------------------------------------------------------

void mesh_of_a_strategy(benchmark::State& state) {
  strategy local = example();
  const strategy* const s = hidden(local);
  for (auto _ : state) {
    benchmark::DoNotOptimize(mesh{*s});
    benchmark::ClobberMemory();
  }
}
BENCHMARK(mesh_of_a_strategy);

void gpus_of_a_strategy(benchmark::State& state) {
  strategy local = example();
  const strategy* const s = hidden(local);
  for (auto _ : state) {
    benchmark::DoNotOptimize(gpus(*s));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(gpus_of_a_strategy);

void minimum_gpus_of_a_strategy(benchmark::State& state) {
  strategy local = example();
  const strategy* const s = hidden(local);
  for (auto _ : state) {
    benchmark::DoNotOptimize(minimum_gpus(*s));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(minimum_gpus_of_a_strategy);

} // namespace
