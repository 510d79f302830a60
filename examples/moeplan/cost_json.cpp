#include "cost_json.hpp"

#include <moeplan/io/enumerator_names.hpp>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

using io::named;

constexpr named<collective> collective_names[] = {{"all_reduce", collective::all_reduce},
                                                  {"reduce_scatter", collective::reduce_scatter},
                                                  {"all_gather", collective::all_gather},
                                                  {"all_to_all", collective::all_to_all},
                                                  {"broadcast", collective::broadcast},
                                                  {"send", collective::send},
                                                  {"shift", collective::shift}};

constexpr named<communication_purpose> purpose_names[] = {{"embedding", communication_purpose::embedding},
                                                          {"attention", communication_purpose::attention},
                                                          {"context", communication_purpose::context},
                                                          {"mlp", communication_purpose::mlp},
                                                          {"shared_experts", communication_purpose::shared_experts},
                                                          {"routing", communication_purpose::routing},
                                                          {"dispatch", communication_purpose::dispatch},
                                                          {"probabilities", communication_purpose::probabilities},
                                                          {"combine", communication_purpose::combine},
                                                          {"expert_tensors", communication_purpose::expert_tensors},
                                                          {"experts_output", communication_purpose::experts_output},
                                                          {"multi_token_input", communication_purpose::multi_token_input},
                                                          {"head", communication_purpose::head},
                                                          {"loss", communication_purpose::loss},
                                                          {"pipeline", communication_purpose::pipeline},
                                                          {"gradients", communication_purpose::gradients},
                                                          {"weights", communication_purpose::weights},
                                                          {"tied_embedding", communication_purpose::tied_embedding},
                                                          {"whole_parameters", communication_purpose::whole_parameters}};

constexpr named<step_resource> resource_names[] = {{"compute", step_resource::compute},
                                                   {"memory", step_resource::memory},
                                                   {"nvlink", step_resource::nvlink},
                                                   {"network", step_resource::network},
                                                   {"pipeline", step_resource::pipeline}};

void write_seconds(io::json_writer& json, const char* key, const known_seconds& s) {
  json.key(key);
  s.known ? json.value(s.seconds) : json.null();
}

void write_resources(io::json_writer& json, const char* key, const step_time& time) {
  json.key(key).begin_object(io::json_lines::one);
  for (const auto& r : resource_names) write_seconds(json, r.name, time[r.value]);
  json.end_object();
}

/// A number above 0; null where it is not known.
void write_known(io::json_writer& json, const char* key, double number) {
  json.key(key);
  number > 0 ? json.value(number) : json.null();
}

void write_components(io::json_writer& json, const char* key, const cost_report& report, uint256 flops_component::*flops) {
  json.key(key).begin_object();
  for (const flops_component& c : report.components) json.member(c.name, io::json_integer{digits_of(c.*flops)});
  json.end_object();
}

/// An integer where it is one.
void write(io::json_writer& json, const char* key, const wide_ratio& number) {
  const wide_ratio lowest = number.lowest_terms();
  json.key(key);
  if (lowest.denominator == uint256{1})
    json.value(io::json_integer{digits_of(lowest.numerator)});
  else
    json.value(lowest.to_double());
}

void write(io::json_writer& json, const traffic_entry& e) {
  const communication& c = e.each;
  json.begin_object(io::json_lines::one);
  json.member("collective", io::name_in(collective_names, c.kind)).member("axes", name_of(c.group));
  json.member("ranks", c.ranks).member("purpose", io::name_in(purpose_names, c.purpose)).member("pass", name_of(c.pass));
  json.member("bytes_per_rank", e.bytes_per_rank).member("times", e.times);
  json.key("tiers");
  if (e.tiers) {
    json.begin_object().member("nvlink", e.tiers->nvlink).member("network", e.tiers->network).end_object();
    json.member("on_rail_bytes", e.tiers->on_rail);
  } else {
    json.null();
  }
  json.member("group_bytes", e.group_bytes);
  if (c.copies > 0) // How many ranks a token goes to is a matter of chance; above is the most.
    json.member("expected_bytes_per_rank", c.expected_size * static_cast<double>(c.ranks - 1) / static_cast<double>(c.ranks));
  json.key("stages").begin_array();
  for (const std::int64_t stage : e.stages) json.value(stage);
  json.end_array();
  json.member("source", c.source == nullptr ? "" : c.source);
  json.end_object();
}

} // namespace

void write(io::json_writer& json, const cost_report& report) {
  const deployment_cost& c = report.cost;
  json.begin_object();
  json.member("gpus", c.gpus.value()).member("sequences", c.sequences.value()).member("tokens", c.tokens.value());
  write_components(json, "flops", report, &flops_component::model);
  if (c.trains) write_components(json, "recomputed_flops", report, &flops_component::recomputed);
  json.member("model_flops", io::json_integer{digits_of(c.model_flops())});
  json.member("hardware_flops", io::json_integer{digits_of(c.hardware_flops())});
  write(json, "flops_per_token", report.flops_per_token());
  write_resources(json, "bound_seconds", c.bound);
  write_seconds(json, "step_seconds", c.bound.step());
  json.key("limit");
  c.bound.step().known ? json.value(io::name_in(resource_names, c.limit())) : json.null();
  write_known(json, "tokens_per_second", c.tokens_per_second());
  write_known(json, "flops_per_second", c.flops_per_second());
  write_known(json, "utilisation", c.utilisation());
  if (report.estimates) {
    write_resources(json, "estimate_seconds", c.estimate);
    write_seconds(json, "estimated_step_seconds", c.estimate.step());
  }
  json.key("traffic").begin_array();
  for (const traffic_entry& e : report.traffic) write(json, e);
  json.end_array();
  json.end_object();
}

} // namespace tool
