// moeplan search: every legal strategy of a space, the best ones, and those that none is better than.
#include <string>

#include <moeplan/io/deployment_writer.hpp>
#include <moeplan/io/search_file.hpp>

#include "commands.hpp"
#include "findings_output.hpp"
#include "search_report.hpp"
#include "search_text.hpp"

using namespace moeplan;

namespace tool {

namespace {

void write(io::json_writer& json, const char* key, saturating_count n) {
  if (n.overflowed())
    json.key(key).null();
  else
    json.member(key, n.bits);
}

void write(io::json_writer& json, const char* key, count numerator, count denominator) {
  json.key(key).begin_object(io::json_lines::one);
  json.member("numerator", numerator.value()).member("denominator", denominator.value()).end_object();
}

void write_recompute(io::json_writer& json, const recompute_choice& r) {
  json.member("recompute", io::name_in(io::recompute_names, r.recompute));
  if (r.recompute == recompute::selective) {
    json.key("recompute_modules").begin_array();
    for (const auto& m : io::recompute_module_names)
      if (r.modules.*m.value) json.value(std::string_view{m.name});
    json.end_array();
  }
  if (r.recompute == recompute::full)
    json.member("recompute_method", io::name_in(io::recompute_method_names, r.method)).member("recompute_layers", r.layers);
}

/// What of a training run was searched.
void write_training(io::json_writer& json, const search_space& s, const search_candidate& c) {
  const bool micro_batch = s.micro_batch.what != search_values::kind::described;
  const bool recomputes = !s.recomputes.empty() || s.smallest_recompute;
  if (!s.base.workload.is_training() || !(micro_batch || recomputes || !s.schedules.empty() || !s.shardings.empty())) return;
  json.key("training").begin_object(io::json_lines::one);
  if (micro_batch) json.member("micro_batch", c.micro_batch);
  if (recomputes) write_recompute(json, c.recompute);
  if (!s.schedules.empty()) json.member("schedule", io::name_in(io::schedule_names, c.schedule));
  if (!s.shardings.empty()) json.member("sharding", io::name_in(io::sharding_names, c.sharding));
  json.end_object();
}

/// What nobody asked for is not there.
void write_measures(io::json_writer& json, const ranking& by, const search_candidate& c) {
  if (by.compares(criterion::network_traffic)) {
    json.key("network_bytes");
    c.network_bytes.given ? json.value(c.network_bytes.number) : json.null();
  }
  if (by.compares(criterion::step_time)) {
    json.key("step_seconds");
    c.step_bound.known ? json.value(c.step_bound.seconds) : json.null();
    json.key("utilisation");
    c.most_utilisation > 0 ? json.value(c.most_utilisation) : json.null();
  }
  if (by.compares(criterion::throughput)) {
    json.key("step_in_turn_seconds");
    c.step_in_turn.known ? json.value(c.step_in_turn.seconds) : json.null();
    json.key("tokens_in_turn_per_second");
    c.tokens_in_turn > 0 ? json.value(c.tokens_in_turn) : json.null();
  }
}

void write(io::json_writer& json, const search_space& s, const ranking& by, const search_candidate& c) {
  json.begin_object();
  io::detail::deployment_writer writer{json};
  writer.write_strategy(c.strategy);
  if (c.layout == search_layout::even) json.member("layout", "even");
  if (c.layout != search_layout::described) writer.write_layout(detail::layout_of(c.layout, s.base.layout));
  write_training(json, s, c);
  json.member("gpus", c.gpus);
  if (c.memory_known)
    json.member("peak_bytes", c.peak_bytes).member("headroom_bytes", c.headroom_bytes());
  else
    json.key("peak_bytes").null().key("headroom_bytes").null();
  if (c.bubble.known) {
    const ratio idle = c.bubble.worst_idle_share();
    write(json, "bubble_fraction", idle.numerator, idle.denominator);
  } else {
    json.key("bubble_fraction").null();
  }
  write(json, "layer_balance", c.layer_balance.numerator, c.layer_balance.denominator);
  write_measures(json, by, c);
  json.end_object();
}

void write(io::json_writer& json, const search_space& s, const search_report& report, const ranking& by) {
  json.begin_object();
  json.key("by").begin_array(io::json_lines::one);
  for (const ranking::entry& e : by.criteria) {
    json.begin_object().member("criterion", io::name_in(criterion_names, e.by));
    if (by.weighted) json.member("weight", e.weight);
    json.end_object();
  }
  json.end_array();
  write(json, "considered", report.counts.considered);
  json.member("legal", report.counts.legal);
  json.key("rejected").begin_object();
  for (const auto& [id, n] : report.rejected) write(json, rules::entry(id).name, n);
  json.end_object();
  if (report.fewest_gpus != 0) json.member("fewest_gpus", report.fewest_gpus);
  json.key("candidates").begin_array();
  for (const search_candidate& c : report.candidates) write(json, s, by, c);
  json.end_array();
  json.key("front").begin_array(io::json_lines::one);
  for (const std::size_t i : report.front) json.value(i);
  json.end_array();
  json.member("front_is_complete", report.front_is_complete);
  json.end_object();
}

} // namespace

status search(const search_options& options, std::ostream& out, std::ostream& err) {
  const ranking by = read_ranking(options.by);
  const io::search_file file = io::read_search(options.input);
  if (file.space.base.strategy.mapping == mapping::product) {
    refuse({}, options.json, out, err,
           "No search under a product mapping: no framework lays out a model like that. Say \"mapping\": \"folded\" in the "
           "strategy, or "
           "leave \"mapping\" out.");
    return status::wrong;
  }
  search_progress progress{err, errors_go_to_a_terminal()};
  const search_report report = report_on(file.space, by, options.top, progress);
  if (options.json) {
    io::json_writer json{out};
    write(json, file.space, report, by);
  } else {
    print_search(out, file, report, by);
  }
  return report.counts.legal == 0 ? status::wrong : status::fine;
}

} // namespace tool
