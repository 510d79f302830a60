#include <moeplan/pipeline/task_graph.hpp>

#include <moeplan/pipeline/schedule_order.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

struct edge {
  std::int64_t from;
  std::int64_t to;
  task_dependency why;
  friend constexpr bool operator==(const edge&, const edge&) = default;
};

/// Writes down what it sees, and whether it comes in an order in which it can be done.
struct recorded_graph {
  pipeline_task tasks[40]{};
  edge edges[80]{};
  std::int64_t task_count = 0;
  std::size_t edge_count = 0;
  bool in_order = true;

  constexpr void task(std::int64_t number, const pipeline_task& t) {
    in_order = in_order && number == task_count;
    tasks[task_count++] = t;
  }
  constexpr void dependency(std::int64_t from, std::int64_t to, task_dependency why) {
    in_order = in_order && 0 <= from && from < to && to < task_count;
    edges[edge_count++] = {from, to, why};
  }

  [[nodiscard]] constexpr bool has(std::initializer_list<pipeline_task> expected) const {
    if (task_count != static_cast<std::int64_t>(expected.size())) return false;
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (tasks[i] != expected.begin()[i]) return false;
    return true;
  }
  /// In any order.
  [[nodiscard]] constexpr bool has(std::initializer_list<edge> expected) const {
    std::size_t met = 0;
    for (std::size_t i = 0; i < edge_count; ++i)
      for (const edge& e : expected)
        if (edges[i] == e) ++met;
    return met == edge_count && edge_count == expected.size();
  }
  [[nodiscard]] constexpr std::int64_t count(task_kind kind) const {
    std::int64_t n = 0;
    for (std::int64_t i = 0; i < task_count; ++i) n += tasks[i].kind == kind ? 1 : 0;
    return n;
  }
};

template <std::size_t Ranks>
constexpr replay_result record(recorded_graph& graph, const pipeline_shape& shape, const operation_cursor (&orders)[Ranks],
                               const step_ending& ending) {
  replayed_rank<operation_cursor> ranks[2]{{orders[0]}, {orders[Ranks - 1]}};
  std::int64_t slots[64]{};
  const replay_storage<operation_cursor> storage{array_view<replayed_rank<operation_cursor>>{ranks, shape.ranks}, slots};
  return visit_task_graph(shape, storage, ending, graph);
}

constexpr pipeline_task on(std::int64_t rank, const operation& o) { return {.rank = rank, .operation = o}; }

BOTH_TIMES("one micro-batch through two ranks", [] {
  const pipeline_shape shape{.ranks = 2, .micro_batches = 1};
  recorded_graph graph;
  EXPECT(record(graph, shape, {operation_cursor{shape, 0}, operation_cursor{shape, 1}}, gradient_clipping::none).ok());
  EXPECT(graph.in_order);
  EXPECT(graph.has({on(0, {pass::forward}), on(1, {pass::forward}), on(1, {pass::backward}), on(0, {pass::backward}),
                    pipeline_task{.kind = task_kind::gradient_reduction, .stage = 0},
                    pipeline_task{.kind = task_kind::gradient_reduction, .stage = 1},
                    pipeline_task{.kind = task_kind::optimizer_step, .rank = 0},
                    pipeline_task{.kind = task_kind::optimizer_step, .rank = 1}}));
  EXPECT(graph.has({edge{0, 1, task_dependency::activation}, edge{1, 2, task_dependency::order}, edge{1, 2, task_dependency::kept},
                    edge{2, 3, task_dependency::gradient}, edge{0, 3, task_dependency::order}, edge{0, 3, task_dependency::kept},
                    edge{3, 4, task_dependency::weight_gradient}, edge{2, 5, task_dependency::weight_gradient},
                    edge{4, 6, task_dependency::reduced_gradient}, edge{5, 7, task_dependency::reduced_gradient}}));
});

// The norm needs every gradient, and every rank needs the norm.
BOTH_TIMES("clipping by the norm of all gradients", [] {
  const pipeline_shape shape{.ranks = 2, .micro_batches = 1};
  recorded_graph graph;
  EXPECT(record(graph, shape, {operation_cursor{shape, 0}, operation_cursor{shape, 1}}, gradient_clipping::global_norm).ok());
  EXPECT(graph.in_order);
  EXPECT(graph.tasks[6].kind == task_kind::gradient_norm);
  EXPECT(graph.task_count == 9);
  const edge last[] = {{4, 6, task_dependency::reduced_gradient},
                       {5, 6, task_dependency::reduced_gradient},
                       {6, 7, task_dependency::reduced_gradient},
                       {6, 8, task_dependency::reduced_gradient}};
  for (std::size_t i = 0; i < 4; ++i) EXPECT(graph.edges[graph.edge_count - 4 + i] == last[i]);
});

// Megatron-LM core/distributed/finalize_model_grads.py, finalize_model_grads: first every chunk's gradients over data-parallel copies, then
// _allreduce_embedding_grads over first and last stage; the norm is the optimizer's.
BOTH_TIMES("a tied embedding's gradients are added up after those of its stages are reduced", [] {
  const pipeline_shape shape{.ranks = 2, .micro_batches = 1};
  recorded_graph graph;
  EXPECT(record(graph, shape, {operation_cursor{shape, 0}, operation_cursor{shape, 1}}, {gradient_clipping::none, true}).ok());
  EXPECT(graph.in_order);
  EXPECT(graph.task_count == 9);
  EXPECT(graph.tasks[6] == pipeline_task{.kind = task_kind::embedding_reduction});
  const edge last[] = {{4, 6, task_dependency::reduced_gradient}, {5, 6, task_dependency::reduced_gradient},
                       {4, 7, task_dependency::reduced_gradient}, {6, 7, task_dependency::reduced_gradient},
                       {5, 8, task_dependency::reduced_gradient}, {6, 8, task_dependency::reduced_gradient}};
  for (std::size_t i = 0; i < 6; ++i) EXPECT(graph.edges[graph.edge_count - 6 + i] == last[i]);
});

BOTH_TIMES("the norm has a tied embedding's gradients too", [] {
  const pipeline_shape shape{.ranks = 2, .micro_batches = 1};
  recorded_graph graph;
  const step_ending ending{gradient_clipping::global_norm, true};
  EXPECT(record(graph, shape, {operation_cursor{shape, 0}, operation_cursor{shape, 1}}, ending).ok());
  EXPECT(graph.in_order);
  EXPECT(graph.task_count == 10);
  const edge last[] = {{4, 6, task_dependency::reduced_gradient}, {5, 6, task_dependency::reduced_gradient},
                       {4, 7, task_dependency::reduced_gradient}, {5, 7, task_dependency::reduced_gradient},
                       {6, 7, task_dependency::reduced_gradient}, {7, 8, task_dependency::reduced_gradient},
                       {7, 9, task_dependency::reduced_gradient}};
  for (std::size_t i = 0; i < 7; ++i) EXPECT(graph.edges[graph.edge_count - 7 + i] == last[i]);
});

// It is one and the same there.
BOTH_TIMES("one virtual stage has nothing to add up", [] {
  const pipeline_shape shape{.ranks = 1, .micro_batches = 1};
  recorded_graph graph;
  EXPECT(record(graph, shape, {operation_cursor{shape, 0}}, {gradient_clipping::none, true}).ok());
  EXPECT(graph.count(task_kind::embedding_reduction) == 0);
  EXPECT(graph.task_count == 4);
});

// Of two ranks in a V the second holds the turn, virtual stages 1 and 2.
BOTH_TIMES("transfers are between ranks", [] {
  const pipeline_shape shape{.schedule = schedule::zb_v, .ranks = 2, .micro_batches = 1};
  recorded_graph graph;
  EXPECT(record(graph, shape, {operation_cursor{shape, 0}, operation_cursor{shape, 1}}, {gradient_clipping::none, true}).ok());
  EXPECT(graph.count(task_kind::embedding_reduction) == 1);
  std::int64_t transfers = 0;
  std::int64_t local = 0;
  for (std::size_t i = 0; i < graph.edge_count; ++i) {
    const edge& e = graph.edges[i];
    const pipeline_task& from = graph.tasks[e.from];
    const pipeline_task& to = graph.tasks[e.to];
    if (is_transfer(e.why)) {
      ++transfers;
      EXPECT(from.rank == 1 - to.rank);
    }
    if (e.why == task_dependency::local_activation || e.why == task_dependency::local_gradient) {
      ++local;
      EXPECT(from.rank == 1);
      EXPECT(to.rank == 1);
      EXPECT(from.operation.chunk == 1 - to.operation.chunk);
    }
    // Both copies are on the first rank.
    if (from.kind == task_kind::embedding_reduction) EXPECT(to.rank == 0);
  }
  EXPECT(transfers == 4); // 0 to 1 and 2 to 3, and back
  EXPECT(local == 2);     // 1 to 2, and back
});

BOTH_TIMES("a virtual stage for each chunk", [] {
  const pipeline_shape shape{.ranks = 1, .chunks = 2, .micro_batches = 2};
  recorded_graph graph;
  EXPECT(record(graph, shape, {operation_cursor{shape, 0}}, gradient_clipping::none).ok());
  EXPECT(graph.in_order);
  EXPECT(graph.count(task_kind::pass) == 8);
  EXPECT(graph.count(task_kind::gradient_reduction) == 2);
  EXPECT(graph.count(task_kind::optimizer_step) == 1);
  // The last backward pass of each chunk; each optimizer step waits for both reductions.
  std::int64_t weight_gradients = 0;
  std::int64_t reduced = 0;
  for (std::size_t i = 0; i < graph.edge_count; ++i) {
    const edge& e = graph.edges[i];
    if (e.why == task_dependency::reduced_gradient) ++reduced;
    if (e.why != task_dependency::weight_gradient) continue;
    ++weight_gradients;
    EXPECT(graph.tasks[e.from].operation == operation{pass::backward, graph.tasks[e.to].stage, 1});
  }
  EXPECT(weight_gradients == 2);
  EXPECT(reduced == 2);
});

BOTH_TIMES("an order that cannot be followed has no end", [] {
  const pipeline_shape shape{.ranks = 1, .micro_batches = 1};
  const operation order[] = {{pass::forward, 0, 0}, {pass::weight_gradient, 0, 0}, {pass::input_gradient, 0, 0}};
  replayed_rank<listed_operations> ranks[]{{listed_operations{order}}};
  std::int64_t slots[8]{};
  recorded_graph graph;
  const replay_result result =
      visit_task_graph(shape, replay_storage<listed_operations>{ranks, slots}, gradient_clipping::none, graph);
  EXPECT(task_graph_slots(shape) == 7);
  EXPECT(result.status == replay_status::deadlock);
  EXPECT(graph.task_count == 1);
  EXPECT(graph.edge_count == 0);
});

// The halves of a backward pass, and both copies of each stage of DualPipe. deepseek-ai/DualPipe, dualpipe.py: two ranks, two
// micro-batches each way.
BOTH_TIMES("reductions over both ends", [] {
  const pipeline_shape shape{.schedule = schedule::dualpipe, .ranks = 2, .micro_batches = 4};
  operation orders[2][8]{};
  for (std::int64_t own = 0; own < 2; ++own) {
    const std::int64_t other = 1 - own;
    const operation all[] = {{pass::forward, own, 0},
                             {pass::forward, other, 0},
                             {pass::forward, own, 1},
                             {pass::backward, other, 0},
                             {pass::forward_and_backward, other, 1, own, 0},
                             {pass::backward, other, 1},
                             {pass::input_gradient, own, 1},
                             {pass::weight_gradient, own, 1}};
    for (std::size_t i = 0; i < 8; ++i) orders[own][i] = all[i];
  }
  replayed_rank<listed_operations> ranks[]{{listed_operations{orders[0]}}, {listed_operations{orders[1]}}};
  std::int64_t slots[64]{};
  recorded_graph graph;
  EXPECT(visit_task_graph(shape, replay_storage<listed_operations>{ranks, slots}, gradient_clipping::none, graph).ok());
  EXPECT(graph.in_order);
  EXPECT(graph.task_count == 16 + 2 + 2);
  EXPECT(graph.count(task_kind::gradient_reduction) == 2);
  std::int64_t into[2]{};
  std::int64_t kept_for_weights = 0;
  for (std::size_t i = 0; i < graph.edge_count; ++i) {
    const edge& e = graph.edges[i];
    const pipeline_task& from = graph.tasks[e.from];
    if (e.why == task_dependency::weight_gradient) ++into[graph.tasks[e.to].stage];
    if (graph.tasks[e.to].operation.kind != pass::weight_gradient || e.why != task_dependency::kept) continue;
    ++kept_for_weights;
    EXPECT(from.operation.kind == pass::input_gradient);
    EXPECT(from.rank == graph.tasks[e.to].rank);
  }
  EXPECT(into[0] == 2);
  EXPECT(into[1] == 2);
  EXPECT(kept_for_weights == 2);
});

} // namespace
