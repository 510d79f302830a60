#include "repair_json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moeplan/io/deployment_writer.hpp>

using namespace moeplan;

namespace tool {

namespace {

void write_changes(io::json_writer& json, const char* key, const std::vector<repair_change>& changes) {
  const auto value = [&json](const char* name, const std::string& words, const std::optional<std::int64_t>& number) {
    json.key(name);
    if (words.empty())
      json.null();
    else
      number ? json.value(*number) : json.value(std::string_view{words});
  };
  json.key(key).begin_array();
  for (const repair_change& c : changes) {
    json.begin_object(io::json_lines::one);
    json.member("part", c.part);
    value("from", c.from, c.from_number);
    value("to", c.to, c.to_number);
    json.end_object();
  }
  json.end_array();
}

void write_ratio(io::json_writer& json, const std::string& numerator, const std::string& denominator) {
  json.begin_object(io::json_lines::one);
  json.member("numerator", io::json_integer{numerator}).member("denominator", io::json_integer{denominator});
  json.end_object();
}

void write_ratio(io::json_writer& json, const char* key, const std::optional<ratio>& r) {
  json.key(key);
  if (!r || r->overflowed()) return void(json.null());
  write_ratio(json, std::to_string(r->numerator.value()), std::to_string(r->denominator.value()));
}

} // namespace

void write_differences(io::json_writer& json, const repair_entry& e) {
  io::detail::deployment_writer writer{json};
  writer.write_strategy(e.repair.strategy);
  if (e.repair.layout == repaired_layout::even)
    json.member("layout", "even");
  else if (e.repair.layout != repaired_layout::kept)
    writer.write_layout(e.deployment.layout);
  if (!e.repair.micro_batch.given) return;
  json.key("training").begin_object(io::json_lines::one);
  json.member("micro_batch", e.repair.micro_batch.number).end_object();
}

void write_entry(io::json_writer& json, const repair_entry& e) {
  json.begin_object();
  write_differences(json, e);
  write_changes(json, "changed", e.changes);
  write_changes(json, "derived", e.derived);
  const wide_ratio distance = e.repair.distance.lowest_terms();
  const bool small = !distance.numerator.to_count().overflowed() && !distance.denominator.to_count().overflowed();
  json.key("distance");
  if (small)
    write_ratio(json, std::to_string(distance.numerator.to_count().value()),
                std::to_string(distance.denominator.to_count().value()));
  else
    json.null();
  json.member("gpus", e.repair.gpus).member("idle_gpus", e.repair.idle_gpus).member("dp", e.dp);
  json.key("peak_bytes");
  e.repair.memory_is_known ? json.value(e.repair.peak.value()) : json.null();
  write_ratio(json, "bubble_fraction", e.bubble);
  json.end_object();
}

} // namespace tool
