// Pipelines: the operations of a schedule one by one, replays of a whole step, and the task graph.
#include <benchmark/benchmark.h>

#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/task_graph.hpp>

#include <cstdint>
#include <vector>

#include "baseline.hpp"

using namespace moeplan;
using namespace moeplan_bench;

namespace {

BENCHMARK(baseline_1180_multiplications_and_additions);

// Orders, operation by operation.

/// All operations of all ranks of a step.
void orders_of(benchmark::State& state, pipeline_shape shape) {
  std::int64_t operations = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(shape);
    operations = 0;
    std::int64_t micro_batches = 0;
    for (std::int64_t rank = 0; rank < shape.ranks; ++rank) {
      operation_cursor cursor{shape, rank};
      for (operation o; cursor.next(o); ++operations) micro_batches += o.micro_batch + o.chunk;
    }
    benchmark::DoNotOptimize(micro_batches);
  }
  state.counters["per_operation"] = benchmark::Counter(static_cast<double>(operations),
                                                       benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void bubble_of_a_shape(benchmark::State& state) {
  pipeline_shape shape{.schedule = schedule::dualpipe, .ranks = 16, .micro_batches = 120};
  pass_times times;
  for (auto _ : state) {
    benchmark::DoNotOptimize(shape);
    benchmark::DoNotOptimize(times);
    bubble closed = bubble_of(shape, times);
    benchmark::DoNotOptimize(closed);
  }
}

// 16 ranks, 128 micro-batches.
constexpr pipeline_shape step_of(schedule order, std::int64_t chunks = 1) {
  return {.schedule = order, .ranks = 16, .chunks = chunks, .micro_batches = 128};
}

BENCHMARK_CAPTURE(orders_of, one_forward_one_backward, step_of(schedule::one_forward_one_backward));
BENCHMARK_CAPTURE(orders_of, interleaved, step_of(schedule::one_forward_one_backward, 4));
BENCHMARK_CAPTURE(orders_of, zb_h1, step_of(schedule::zb_h1));
BENCHMARK_CAPTURE(orders_of, zb_v, step_of(schedule::zb_v));
BENCHMARK_CAPTURE(orders_of, v_half, step_of(schedule::v_half));
BENCHMARK_CAPTURE(orders_of, v_min, step_of(schedule::v_min));
BENCHMARK_CAPTURE(orders_of, dualpipe, step_of(schedule::dualpipe));
BENCHMARK(bubble_of_a_shape);

// Replay and task graph.

/// What a caller keeps from replay to replay.
struct replay_room {
  std::vector<replayed_rank<operation_cursor>> ranks;
  std::vector<std::int64_t> slots;

  explicit replay_room(const pipeline_shape& shape) : slots(task_graph_slots(shape).value()) {
    for (std::int64_t rank = 0; rank < shape.ranks; ++rank) ranks.push_back({operation_cursor{shape, rank}});
  }

  replay_storage<operation_cursor> of(const pipeline_shape& shape) {
    for (std::int64_t rank = 0; rank < shape.ranks; ++rank)
      ranks[static_cast<std::size_t>(rank)].order = operation_cursor{shape, rank};
    return {ranks, slots};
  }
};

void report_operations(benchmark::State& state, const replay_room& room) {
  std::int64_t operations = 0;
  for (const auto& r : room.ranks) operations += r.operations;
  state.counters["per_operation"] = benchmark::Counter(static_cast<double>(operations),
                                                       benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// Peaks, idle times and makespan.
void replay_of(benchmark::State& state, pipeline_shape shape) {
  replay_room room{shape};
  equal_times times;
  for (auto _ : state) {
    benchmark::DoNotOptimize(shape);
    benchmark::DoNotOptimize(times);
    replay_result result = replay(shape, times, room.of(shape));
    benchmark::DoNotOptimize(result);
    benchmark::ClobberMemory();
  }
  report_operations(state, room);
}

struct moment {
  std::int64_t start;
  std::int64_t end;
};

/// The same, and start and end of every operation written down, with times of each stage.
void timeline_of(benchmark::State& state, pipeline_shape shape) {
  replay_room room{shape};
  std::vector<pass_times> by_stage(
      static_cast<std::size_t>(shape.ranks * chunks_of_rank(shape)),
      {.forward = 40, .backward = 85, .input_gradient = 43, .weight_gradient = 42, .forward_and_backward = 110});
  by_stage.back().forward = 55; // the head
  stage_times times{shape, by_stage, 3};
  std::vector<moment> timeline;
  for (auto _ : state) {
    benchmark::DoNotOptimize(shape);
    timeline.clear();
    replay_result result =
        replay(shape, times, room.of(shape), [&](std::int64_t, const operation&, std::int64_t start, std::int64_t end) {
          timeline.push_back({start, end});
        });
    benchmark::DoNotOptimize(result);
    benchmark::DoNotOptimize(timeline.data());
    benchmark::ClobberMemory();
  }
  report_operations(state, room);
}

struct count_dependencies {
  std::int64_t tasks = 0;
  std::int64_t dependencies = 0;
  void task(std::int64_t, const pipeline_task&) { ++tasks; }
  void dependency(std::int64_t, std::int64_t, task_dependency) { ++dependencies; }
};

void task_graph_of(benchmark::State& state, pipeline_shape shape) {
  replay_room room{shape};
  for (auto _ : state) {
    benchmark::DoNotOptimize(shape);
    count_dependencies all;
    replay_result result = visit_task_graph(shape, room.of(shape), gradient_clipping::global_norm, all);
    benchmark::DoNotOptimize(result);
    benchmark::DoNotOptimize(all);
  }
  report_operations(state, room);
}

constexpr pipeline_shape sixteen_stages{.ranks = 16, .micro_batches = 128};

// DeepSeek-V3's step on 2048 GPUs: 15360 sequences over DP 128 are 120 micro-batches of each pipeline of 16 ranks.
constexpr pipeline_shape deepseek_v3_in_turn{.ranks = 16, .micro_batches = 120};
constexpr pipeline_shape deepseek_v3_from_both_ends{.schedule = schedule::dualpipe, .ranks = 16, .micro_batches = 120};

BENCHMARK_CAPTURE(replay_of, sixteen_stages_128_micro_batches, sixteen_stages);
BENCHMARK_CAPTURE(timeline_of, deepseek_v3_1f1b, deepseek_v3_in_turn);
BENCHMARK_CAPTURE(timeline_of, deepseek_v3_dualpipe, deepseek_v3_from_both_ends);
BENCHMARK_CAPTURE(task_graph_of, deepseek_v3_dualpipe, deepseek_v3_from_both_ends);

} // namespace
