#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <moeplan/io/pipeline_timeline.hpp>
#include <moeplan/io/schedule_title.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/task_graph.hpp>

/// @file
/// The task graph of a pipeline's step for Graphviz.

namespace moeplan::io {

namespace detail {

/// Writes a graph as it is visited.
class pipeline_dot_writer {
public:
  pipeline_dot_writer(std::ostream& out, const pipeline_shape& shape) : out_{out}, shape_{shape} {}

  void task(std::int64_t number, const pipeline_task& t) {
    ranks_.push_back(t.rank);
    switch (t.kind) {
      case task_kind::pass:
        return write_node(number, t.rank, short_name(shape_, t.operation), fills[static_cast<std::size_t>(t.operation.kind)]);
      case task_kind::optimizer_step:
        return write_node(number, chunk_place::none, "optimizer step\\nof rank " + std::to_string(t.rank), "#e0c8f0");
      case task_kind::gradient_reduction:
        return write_node(number, chunk_place::none, "reduce gradients\\nof virtual stage " + std::to_string(t.stage), "#f6d8b8");
      case task_kind::embedding_reduction:
        return write_node(number, chunk_place::none, "add up gradients\\nof the tied embedding", "#f6d8b8");
      case task_kind::gradient_norm: return write_node(number, chunk_place::none, "norm of all gradients", "#f6d8b8");
    }
  }

  void dependency(std::int64_t from, std::int64_t to, task_dependency why) {
    // Where both are of one rank its order says the same.
    const bool same_rank = rank_of(from) != chunk_place::none && rank_of(from) == rank_of(to);
    if (same_rank && why != task_dependency::order) return;
    out_ << "  t" << from << " -> t" << to;
    switch (why) {
      case task_dependency::order: out_ << " [weight=10]"; break;
      case task_dependency::activation: out_ << " [color=\"#2f6fb7\"]"; break;
      case task_dependency::gradient: out_ << " [color=\"#2f8f4f\"]"; break;
      case task_dependency::local_activation:
      case task_dependency::local_gradient:
      case task_dependency::kept:
      case task_dependency::weight_gradient:
      case task_dependency::reduced_gradient: break;
    }
    out_ << ";\n";
  }

private:
  static constexpr const char* fills[] = {"#9ec5f4", "#a8dda8", "#96d8d2", "#dee28c", "#c0d4c0"};

  [[nodiscard]] std::int64_t rank_of(std::int64_t number) const { return ranks_[static_cast<std::size_t>(number)]; }

  void write_node(std::int64_t number, std::int64_t rank, const std::string& label, const char* fill) {
    const bool on_a_rank = rank != chunk_place::none;
    // A cluster that is opened again goes on.
    if (on_a_rank)
      out_ << "  subgraph cluster_rank_" << rank << " { label=\"rank " << rank << "\"; ";
    else
      out_ << "  ";
    out_ << 't' << number << " [label=\"" << label << "\", fillcolor=\"" << fill << "\"];" << (on_a_rank ? " }\n" : "\n");
  }

  std::ostream& out_;
  const pipeline_shape& shape_;
  std::vector<std::int64_t> ranks_; ///< of each task
};

} // namespace detail

/// Writes the task graph of a built-in schedule: a cluster for each rank with its passes in their order, transfers between ranks in
/// colour, then gradients reduced by virtual stage and the optimizer steps. What a rank keeps for itself is not drawn, since its order
/// says the same.
/// The result is that of visit_task_graph; where it is an error the graph stops there. Precondition: as for visit_task_graph.
inline replay_result write_pipeline_dot(std::ostream& out, const pipeline_shape& shape, const step_ending& ending) {
  std::vector<replayed_rank<operation_cursor>> ranks;
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) ranks.push_back({operation_cursor{shape, rank}});
  std::vector<std::int64_t> slots(task_graph_slots(shape).value());
  out << "digraph pipeline {\n"
      << "  label=\"" << schedule_title(shape) << ", " << shape.ranks << " ranks, " << shape.micro_batches << " micro-batches\";\n"
      << "  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n";
  detail::pipeline_dot_writer writer{out, shape};
  const replay_result result = visit_task_graph(shape, replay_storage<operation_cursor>{ranks, slots}, ending, writer);
  out << "}\n";
  return result;
}

} // namespace moeplan::io
