// moeplan pipeline: what the ranks of a pipeline do in a training step, when, and how long they wait.
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/input_error.hpp>
#include <moeplan/io/json_writer.hpp>
#include <moeplan/io/pipeline_dot.hpp>
#include <moeplan/io/pipeline_svg.hpp>
#include <moeplan/io/pipeline_timeline.hpp>
#include <moeplan/io/pipeline_trace.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/pipeline/deadlock.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pipeline_shape.hpp>

#include "commands.hpp"
#include "deployment_input.hpp"
#include "findings_output.hpp"
#include "memory_report.hpp"
#include "output_files.hpp"
#include "pipeline_text.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// Of each kind: a step with more is not replayed.
constexpr std::uint64_t most_passes = 1'000'000;

void write(io::json_writer& json, const io::timeline_entry& e, const pipeline_shape& p) {
  const operation& o = e.operation;
  json.begin_object(io::json_lines::one);
  json.member("pass", io::name_in(io::pass_names, o.kind)).member("chunk", o.chunk);
  json.member("micro_batch", io::shown_micro_batch(p, o.chunk, o.micro_batch));
  if (o.kind == pass::forward_and_backward) {
    json.member("backward_chunk", o.backward_chunk);
    json.member("backward_micro_batch", io::shown_micro_batch(p, o.backward_chunk, o.backward_micro_batch));
  }
  json.member("start", e.start).member("end", e.end);
  json.end_object();
}

void write_order(io::json_writer& json, const io::pipeline_timeline& t) {
  std::vector<std::vector<const io::timeline_entry*>> by_rank(t.ranks.size());
  for (const io::timeline_entry& e : t.entries) by_rank[static_cast<std::size_t>(e.rank)].push_back(&e);
  json.key("order").begin_array();
  for (const auto& entries : by_rank) {
    json.begin_array();
    for (const io::timeline_entry* e : entries) write(json, *e, t.shape);
    json.end_array();
  }
  json.end_array();
}

void write(io::json_writer& json, const io::pipeline_timeline& t, bool order) {
  json.begin_object();
  json.member("schedule", io::name_in(io::schedule_names, t.shape.schedule)).member("stages", t.shape.ranks);
  json.member("chunks", chunks_of_rank(t.shape)).member("micro_batches", t.shape.micro_batches);
  json.key("times").begin_object(io::json_lines::one);
  for (const auto& kind : io::pass_names) json.member(kind.name, t.times[kind.value]);
  json.end_object();
  json.member("makespan", t.result.makespan);
  const ratio bubble = t.bubble();
  json.key("bubble_fraction").begin_object(io::json_lines::one);
  json.member("numerator", bubble.numerator.value()).member("denominator", bubble.denominator.value()).end_object();
  json.key("in_flight").begin_array(io::json_lines::one);
  for (std::int64_t rank = 0; rank < t.shape.ranks; ++rank) json.value(in_flight(t.shape, rank));
  json.end_array();
  json.key("idle").begin_array(io::json_lines::one);
  for (const auto& r : t.ranks) json.value(r.idle(t.result.makespan));
  json.end_array();
  if (order) write_order(json, t);
  json.end_object();
}

/// Why there is no answer though no finding says so; empty: there is one.
std::string problem_of(const deployment& d, const facts& f) {
  if (!d.workload.is_training())
    return "No pipeline schedule: this deployment serves, and a schedule is the order of forward and backward passes of a training "
           "step.";
  if (d.strategy.mapping == mapping::product)
    return "No pipeline of ranks: a product mapping takes each degree for a factor of the GPUs, and no framework lays out a model "
           "like that. For the pipeline of these degrees say \"mapping\": \"folded\" in the strategy, or leave \"mapping\" out.";
  if (!f.knows(known::grids | known::batch | known::training)) return "The pipeline of this deployment is not known.";
  return {};
}

std::string too_large(const pipeline_shape& p) {
  return "A step of " + micro_batches_in_words(p.micro_batches) + " through " +
         counted(p.ranks * chunks_of_rank(p), "virtual stage") +
         " is more than this command replays: " + grouped(static_cast<std::int64_t>(most_passes)) + " forward passes.";
}

/// The operations of a circle in which ranks wait for each other.
std::string circle_of(const io::pipeline_timeline& t) {
  std::string circle;
  std::int64_t last = -1;
  const array_view<const replayed_rank<operation_cursor>> ranks{t.ranks};
  visit_deadlock(t.result, ranks, [&](std::int64_t rank, const operation& o, precedence) {
    if (rank != last) circle += (circle.empty() ? "rank " : "; rank ") + std::to_string(rank) + ':';
    circle += ' ' + io::short_name(t.shape, o);
    last = rank;
  });
  return circle;
}

/// An order that cannot be followed: the schedule is not made for these numbers.
std::string cannot_follow(const io::pipeline_timeline& t) {
  if (t.result.status == replay_status::overflow) return "The times are so long that the step needs more than 64 bits.";
  std::string problem = std::string{"The schedule "} + io::name_in(io::schedule_names, t.shape.schedule) + " is not made for " +
                        micro_batches_in_words(t.shape.micro_batches) + " and " + counted(t.shape.ranks, "rank") + " of " +
                        counted(chunks_of_rank(t.shape), "virtual stage") + '.';
  if (t.result.status == replay_status::deadlock)
    problem +=
        " The ranks would wait for each other for ever: each of these comes before the next, and the last before the first. " +
        circle_of(t);
  return problem;
}

} // namespace

status pipeline(const pipeline_options& options, std::ostream& out, std::ostream& err) {
  io::pipeline_timeline timeline;
  output_files files{options.input};
  files.add("--svg", options.svg, [&](std::ostream& file) { io::write_pipeline_svg(file, timeline); });
  files.add("--trace", options.trace, [&](std::ostream& file) { io::write_pipeline_trace(file, timeline); });
  step_ending ending{gradient_clipping::global_norm};
  files.add("--dot", options.dot, [&](std::ostream& file) { io::write_pipeline_dot(file, timeline.shape, ending); });
  deployment d = deployment_from(options.input).deployment;
  const findings all = check_without_capacity(d);
  const std::string problem = all.ok() ? problem_of(d, all.facts) : std::string{};
  if (!all.ok() || !problem.empty()) return refuse(list_of(all), options.json, out, err, problem), status::wrong;
  d.strategy = d.strategy.with(dp{all.facts.dp});
  ending.tied_embeddings = d.model.tied_embeddings;
  const pipeline_shape shape = pipeline_shape_of(d);
  const count passes = count{shape.ranks} * chunks_of_rank(shape) * shape.micro_batches;
  if (passes > most_passes) return refuse({}, options.json, out, err, too_large(shape)), status::wrong;

  timeline = io::timeline_of(shape, options.times);
  if (!timeline.result.ok()) return refuse({}, options.json, out, err, cannot_follow(timeline)), status::wrong;
  files.write();
  if (options.json) {
    io::json_writer json{out};
    write(json, timeline, options.order);
  } else {
    print_pipeline(out, timeline, options.order);
  }
  return status::fine;
}

} // namespace tool
