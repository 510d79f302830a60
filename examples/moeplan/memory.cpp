// moeplan memory: what each rank of each stage needs at its peak, and whether a GPU has it.
#include <moeplan/io/json_writer.hpp>

#include "commands.hpp"
#include "deployment_input.hpp"
#include "findings_output.hpp"
#include "laid_out.hpp"
#include "memory_report.hpp"
#include "memory_text.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr const char* time_names[] = {"start", "forward_pass", "backward_pass", "update", "serving"};

void write(io::json_writer& json, const memory_entry& e) {
  json.begin_object(io::json_lines::one);
  json.member("name", e.name);
  json.key("shape").begin_array();
  for (const std::uint64_t n : e.shape) json.value(n);
  json.end_array();
  json.member("type", e.type).member("times", e.times).member("bytes", e.bytes).member("lifetime", e.lifetime);
  json.key("block");
  e.block.empty() ? json.null() : json.value(e.block);
  json.member("source", e.source);
  json.end_object();
}

void write_peak_at(io::json_writer& json, const stage_memory& s) {
  const auto number = [&json](const char* key, bool known, std::int64_t n) {
    json.key(key);
    known ? json.value(n) : json.null();
  };
  json.key("peak_at").begin_object(io::json_lines::one);
  json.member("time", time_names[static_cast<std::size_t>(s.time)]);
  const bool in_a_pass = s.place.block != block::none;
  number("chunk", in_a_pass, s.chunk);
  json.key("block");
  in_a_pass ? json.value(block_name(s.place.block)) : json.null();
  number("layer", s.place.layer >= 0, s.place.layer);
  json.member("again", s.place.again);
  json.end_object();
}

void write(io::json_writer& json, const stage_report& s, bool terms) {
  const stage_memory& m = s.memory;
  json.begin_object();
  json.member("stage", m.stage).member("layers", m.layers);
  json.member("parameters", m.parameters().value());
  json.member("dense_parameters", m.dense_parameters.value()).member("expert_parameters", m.expert_parameters.value());
  json.member("weights_bytes", m.weights.value()).member("gradients_bytes", m.gradients.value());
  json.member("optimizer_bytes", m.optimizer.value()).member("activations_bytes", m.activations.value());
  json.member("kv_cache_bytes", m.kv_cache.value()).member("workspace_bytes", m.workspace.value());
  json.member("peak_bytes", m.peak().value()).member("host_bytes", m.host.value());
  json.member("in_flight", s.in_flight);
  write_peak_at(json, m);
  json.key("components").begin_object();
  for (const memory_component& c : s.components) json.member(c.name + "_bytes", c.bytes);
  json.end_object();
  if (terms) {
    json.key("terms").begin_array();
    for (const memory_entry& e : s.entries) write(json, e);
    json.end_array();
  }
  json.end_object();
}

void write(io::json_writer& json, const char* key, const capacity<>& c) {
  json.key(key);
  c.unbounded ? json.null() : json.value(c.amount.value());
}

void write(io::json_writer& json, const memory_limits& limits) {
  const auto number = [&json](const char* key, const std::optional<std::int64_t>& n) {
    json.key(key);
    n ? json.value(*n) : json.null();
  };
  json.key("limits").begin_object();
  number("largest_micro_batch", limits.micro_batch);
  number("longest_sequence", limits.sequence_length);
  number("fewest_gpus", limits.gpus);
  json.end_object();
}

void write(io::json_writer& json, const memory_report& report, bool terms) {
  json.begin_object();
  json.member("peak_bytes", report.peak());
  json.key("capacity_bytes");
  report.capacity ? json.value(*report.capacity) : json.null();
  json.key("fits");
  report.capacity ? json.value(report.fits()) : json.null();
  json.member("reserve_bytes", report.reserve);
  json.member("fullest_stage", report.stages[report.fullest].memory.stage);
  if (report.room) {
    json.key("room").begin_object();
    write(json, "sequences", report.room->sequences);
    write(json, "longest_sequence", report.room->longest);
    json.end_object();
  }
  if (report.capacity) write(json, report.limits);
  json.key("stages").begin_array();
  for (const stage_report& s : report.stages) write(json, s, terms);
  json.end_array();
  json.end_object();
}

} // namespace

status memory(const memory_options& options, std::ostream& out, std::ostream& err) {
  const std::optional<deployment> d = laid_out(deployment_from(options.input).deployment, "memory", options.json, out, err);
  if (!d) return status::wrong;
  const std::optional<memory_report> report = report_memory(*d);
  if (!report) {
    refuse({}, options.json, out, err, "The memory of this deployment needs more than 64 bits to be counted in bytes.");
    return status::wrong;
  }
  if (options.json) {
    io::json_writer json{out};
    write(json, *report, options.terms);
  } else {
    print_memory(out, *d, *report, options.terms);
  }
  return report->fits() ? status::fine : status::wrong;
}

} // namespace tool
