#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/layout_text.hpp>
#include <moeplan/io/catalog_names.hpp>
#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/json_value.hpp>
#include <moeplan/io/json_writer.hpp>
#include <moeplan/io/object_writer.hpp>
#include <moeplan/io/serving_object.hpp>
#include <moeplan/io/training_object.hpp>

/// @file
/// Writes a deployment as deployment_file.hpp reads it: reading it back gives the same deployment.

namespace moeplan::io {

/// Writes a JSON value as it was read.
inline void write(json_writer& json, const json_value& value) {
  switch (value.kind) {
    case json_kind::null: json.null(); return;
    case json_kind::boolean: json.value(value.boolean); return;
    case json_kind::integer:
    case json_kind::large_integer:
    case json_kind::decimal: json.value(json_integer{value.text}); return;
    case json_kind::string: json.value(std::string_view{value.text}); return;
    case json_kind::array:
      json.begin_array();
      for (const json_value& item : value.items) write(json, item);
      json.end_array();
      return;
    case json_kind::object: break;
  }
  json.begin_object();
  for (const json_member& member : value.members) {
    json.key(member.key);
    write(json, member.value);
  }
  json.end_object();
}

namespace detail {

/// Writes one deployment, part by part. Members that have the default of a deployment file are left out.
class deployment_writer {
public:
  explicit deployment_writer(json_writer& json) : json_{&json} {}

  void write_cluster(const cluster& c) {
    if (c == cluster{}) return;
    json_->key("cluster").begin_object(json_lines::one);
    if (c.gpu != gpu{}) write_gpu(c.gpu);
    if (c.total.given) json_->member("gpus", c.total.number);
    if (c.gpus_per_node.given) json_->member("gpus_per_node", c.gpus_per_node.number);
    if (c.nodes.given) json_->member("nodes", c.nodes.number);
    if (c.nvlink_domain.given) json_->member("nvlink_domain", c.nvlink_domain.number);
    json_->end_object();
  }

  void write_strategy(const strategy& s) {
    json_->key("strategy").begin_object(json_lines::one);
    for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::cp, axis::ep, axis::etp, axis::dp, axis::sp})
      if (s.gives(a)) json_->member(name_of(a).data(), s[a]);
    if (s.order != rank_order{}) json_->member("order", order_text(s.order));
    if (s.mapping != mapping::folded) json_->member("mapping", name_in(mapping_names, s.mapping));
    json_->end_object();
  }

  void write_layout(const layout& l) {
    if (l == layout::even()) return;
    json_->key("layout");
    switch (l.kind) {
      case layout_kind::even:
        json_->begin_object(json_lines::one);
        if (l.embedding_is_a_layer) json_->member("embedding_as_layer", true);
        if (l.loss_is_a_layer) json_->member("loss_as_layer", true);
        json_->end_object();
        return;
      case layout_kind::first_last:
        json_->begin_object(json_lines::one);
        if (l.first.given) json_->member("first", l.first.number);
        if (l.last.given) json_->member("last", l.last.number);
        json_->end_object();
        return;
      case layout_kind::balanced: json_->value(std::string_view{"balanced"}); return;
      case layout_kind::listed: break;
    }
    text_buffer<8192> spelled;
    l.places_mtp ? append_megatron_layout(spelled, l) : append_layer_list(spelled, l);
    json_->value(std::string_view{spelled.data(), spelled.size()});
  }

  void write_workload(const workload& w) {
    json_->key(w.is_training() ? "training" : "serving");
    w.is_training() ? write_object(*json_, w.train) : write_object(*json_, w.serve);
  }

private:
  void write_gpu(const gpu& g) {
    if (const std::string_view name = name_in(catalog_gpus, g); !name.empty()) {
      json_->member("gpu", name);
      return;
    }
    json_->key("gpu").begin_object(json_lines::one);
    json_->member("memory_bytes", g.memory.value()).member("usable_memory_bytes", g.usable_memory.value());
    json_->member("bf16_flops", g.bf16_flops).member("fp8_flops", g.fp8_flops).member("fp4_flops", g.fp4_flops);
    json_->member("memory_bandwidth_bytes", g.memory_bandwidth.value());
    json_->member("nvlink_bandwidth_bytes", g.nvlink_bandwidth.value());
    json_->member("network_bandwidth_bytes", g.network_bandwidth.value());
    json_->end_object();
  }

  [[nodiscard]] static std::string order_text(const rank_order& order) {
    std::string result;
    for (const axis a : order.axes) {
      if (!result.empty()) result += '-';
      result += name_of(a).data();
    }
    return result;
  }

  json_writer* json_;
};

} // namespace detail

/// A model by its name in the catalog, as a deployment file gives it.
[[nodiscard]] inline json_value model_named(std::string_view name) {
  json_value value;
  value.kind = json_kind::string;
  value.text = name;
  return value;
}

/// A model by the path of its config.json, relative to where the deployment is to be read from.
[[nodiscard]] inline json_value model_at(std::string_view path) {
  json_value value;
  value.kind = json_kind::object;
  value.members.push_back({"config", {}, model_named(path)});
  return value;
}

/// Writes a deployment as an object. `model` is the deployment's model as a deployment file gives it: model_named(), model_at(), or what
/// stood in such a file; null where there is none, and then the object is no deployment file yet.
/// Precondition: numbers of a listed layout are not negative, and it has at least one stage; GPUs are counted in one way.
inline void write_deployment(json_writer& json, const deployment& d, const json_value& model) {
  json.begin_object();
  if (model.kind != json_kind::null) {
    json.key("model");
    write(json, model);
  }
  detail::deployment_writer writer{json};
  writer.write_cluster(d.cluster);
  writer.write_strategy(d.strategy);
  writer.write_layout(d.layout);
  writer.write_workload(d.workload);
  json.member("profile", name_in(profile_names, d.profile));
  json.end_object();
}

} // namespace moeplan::io
