#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/json_writer.hpp>
#include <moeplan/io/pipeline_timeline.hpp>
#include <moeplan/io/schedule_title.hpp>
#include <moeplan/pipeline/dependencies.hpp>

/// @file
/// A step of a pipeline as a trace that chrome://tracing and Perfetto open.

namespace moeplan::io {

inline constexpr named<pass> pass_names[] = {{"forward", pass::forward},
                                             {"backward", pass::backward},
                                             {"input_gradient", pass::input_gradient},
                                             {"weight_gradient", pass::weight_gradient},
                                             {"forward_and_backward", pass::forward_and_backward}};

namespace detail {

/// A trace that is being written.
class pipeline_trace_writer {
public:
  pipeline_trace_writer(std::ostream& out, const pipeline_timeline& timeline)
      : json_{out}, t_{timeline}, held_(timeline.ranks.size()) {}

  void write() {
    json_.begin_object();
    json_.key("traceEvents").begin_array();
    write_name("process_name", 0, std::string{"pipeline, "} + schedule_title(t_.shape));
    for (std::int64_t rank = 0; rank < t_.shape.ranks; ++rank) write_name("thread_name", rank, "rank " + std::to_string(rank));
    for (const timeline_entry& e : t_.entries) write_entry(e);
    json_.end_array();
    json_.member("displayTimeUnit", "ms");
    json_.key("otherData").begin_object(json_lines::one).member("time", "one unit of pass times is shown as one microsecond");
    json_.end_object().end_object();
  }

private:
  void write_name(const char* what, std::int64_t rank, const std::string& name) {
    json_.begin_object(json_lines::one).member("ph", "M").member("pid", 0).member("tid", rank).member("name", what);
    json_.key("args").begin_object().member("name", name).end_object().end_object();
  }

  void write_entry(const timeline_entry& e) {
    const operation& o = e.operation;
    json_.begin_object(json_lines::one).member("ph", "X").member("pid", 0).member("tid", e.rank).member("ts", e.start);
    json_.member("dur", e.end - e.start).member("name", short_name(t_.shape, o)).member("cat", name_in(pass_names, o.kind));
    json_.key("args").begin_object().member("chunk", o.chunk);
    json_.member("micro_batch", shown_micro_batch(t_.shape, o.chunk, o.micro_batch));
    if (o.kind == pass::forward_and_backward) {
      json_.member("backward_chunk", o.backward_chunk);
      json_.member("backward_micro_batch", shown_micro_batch(t_.shape, o.backward_chunk, o.backward_micro_batch));
    }
    json_.end_object().end_object();
    // What is held grows when a forward pass starts, and shrinks when the last need of a micro-batch is over.
    if (has_forward(o)) write_held(e.rank, e.start, 1);
    if (has_input_gradient(o) ? o.kind != pass::input_gradient : o.kind == pass::weight_gradient) write_held(e.rank, e.end, -1);
  }

  void write_held(std::int64_t rank, std::int64_t at, std::int64_t change) {
    std::int64_t& held = held_[static_cast<std::size_t>(rank)];
    held += change;
    json_.begin_object(json_lines::one).member("ph", "C").member("pid", 0).member("tid", rank).member("ts", at);
    json_.member("name", "in flight, rank " + std::to_string(rank));
    json_.key("args").begin_object().member("micro-batches", held).end_object().end_object();
  }

  json_writer json_;
  const pipeline_timeline& t_;
  std::vector<std::int64_t> held_; ///< micro-batches, by rank
};

} // namespace detail

/// Writes a timeline in Chrome's Trace Event Format (JSON): a thread for each rank, a complete event for each pass, a counter of the
/// micro-batches in flight for each rank.
inline void write_pipeline_trace(std::ostream& out, const pipeline_timeline& timeline) {
  detail::pipeline_trace_writer{out, timeline}.write();
}

} // namespace moeplan::io
