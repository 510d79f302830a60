#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/layout_text.hpp>
#include <moeplan/io/catalog_names.hpp>
#include <moeplan/io/deployment_object.hpp>
#include <moeplan/io/hugging_face.hpp>
#include <moeplan/io/object_reader.hpp>
#include <moeplan/io/serving_object.hpp>
#include <moeplan/io/training_object.hpp>

/// @file
/// A deployment as a JSON file:
///
///     {"model": "deepseek-v3", "cluster": {"gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 256},
///      "strategy": {"pp": 16, "ep": 64, "dp": 128}, "layout": "4*15,1",
///      "training": {"global_batch": 15360, "sequence_length": 4096, "recompute": "full"}}
///
/// Keys are named after the members of `deployment`. Numbers are taken as they stand, EP 0 and -4 among them: whether they make a
/// deployment, `check` judges. What cannot be understood throws input_error.

namespace moeplan::io {

/// A deployment and what is known about where it comes from.
struct deployment_file {
  moeplan::deployment deployment{};
  std::string model_name;                 ///< of the catalog, the path of a config.json, or the model_type of an inline object
  std::string gpu_name;                   ///< of the catalog; empty where the GPU is described otherwise or not at all
  std::vector<default_in_force> defaults; ///< in the order of the keys
};

namespace detail {

/// Reads one deployment, part by part.
class deployment_reader {
public:
  explicit deployment_reader(const json_document& document) : document_{document} {}

  [[nodiscard]] deployment_file read();

private:
  [[nodiscard]] moeplan::model read_model(const json_place& place);
  [[nodiscard]] gpu read_gpu(const json_place& place);
  [[nodiscard]] moeplan::cluster read_cluster(const json_place& place);
  [[nodiscard]] moeplan::strategy read_strategy(const json_place& place);
  [[nodiscard]] moeplan::layout read_layout(const json_place& place);
  [[nodiscard]] moeplan::workload read_workload(json_object& top);

  /// A file named in this one: relative to this one's folder.
  [[nodiscard]] std::string beside(const std::string& path) const {
    return (std::filesystem::path{document_.file}.parent_path() / path).string();
  }

  const json_document& document_;
  deployment_file result_;
};

inline moeplan::model deployment_reader::read_model(const json_place& place) {
  if (place.is(json_kind::string)) {
    result_.model_name = place.string();
    if (const moeplan::model* m = find_in(catalog_models, place.string())) return *m;
    place.refuse_name(names_of(catalog_models), "no model of the catalog");
  }
  json_object object{place, "a name of the catalog, {\"config\": \"path/to/config.json\"} or an object with Hugging Face's keys"};
  const auto config = object.find("config");
  if (!config) {
    if (!object.find("model_type"))
      throw input_error{{.file = document_.file,
                         .place = place.value().place,
                         .key = place.pointer() + "/model_type",
                         .problem = "missing key",
                         .expected = "\"model_type\" among Hugging Face's keys, or \"config\" with the path of a config.json"}};
    moeplan::model m = read_hugging_face(place);
    result_.model_name = object.need("model_type").string();
    return m;
  }
  object.refuse_unknown_keys();
  result_.model_name = config->string();
  const std::string path = beside(config->string());
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    config->refuse("the path of a config.json, relative to this file", "no such file");
  return read_hugging_face(path);
}

inline gpu deployment_reader::read_gpu(const json_place& place) {
  if (place.is(json_kind::string)) {
    result_.gpu_name = place.string();
    if (const gpu* known = find_in(catalog_gpus, place.string())) return *known;
    place.refuse_name(names_of(catalog_gpus), "no GPU of the catalog");
  }
  gpu g;
  json_object object{place, "a name of the catalog or an object with memory_bytes and more"};
  const auto amount = [&object](const char* key, bytes& target) {
    if (const auto member = object.find(key)) target = bytes{member->non_negative()};
  };
  const auto rate = [&object](const char* key, std::int64_t& target) {
    if (const auto member = object.find(key)) target = member->non_negative();
  };
  amount("memory_bytes", g.memory);
  amount("usable_memory_bytes", g.usable_memory);
  rate("bf16_flops", g.bf16_flops);
  rate("fp8_flops", g.fp8_flops);
  rate("fp4_flops", g.fp4_flops);
  amount("memory_bandwidth_bytes", g.memory_bandwidth);
  amount("nvlink_bandwidth_bytes", g.nvlink_bandwidth);
  amount("network_bandwidth_bytes", g.network_bandwidth);
  object.refuse_unknown_keys();
  return g;
}

inline moeplan::cluster deployment_reader::read_cluster(const json_place& place) {
  moeplan::cluster c;
  json_object object{place, "an object with gpus_per_node and nodes, or gpus"};
  if (const auto member = object.find("gpu"))
    c.gpu = read_gpu(*member);
  else
    result_.defaults.push_back({place.pointer() + "/gpu", "unknown", "nothing is assumed: memory and rates are not looked at"});
  const auto per_node = object.find("gpus_per_node");
  const auto nodes = object.find("nodes");
  const auto gpus = object.find("gpus");
  const auto domain = object.find("nvlink_domain");
  object.refuse_unknown_keys();
  if (gpus && (per_node || nodes)) gpus->refuse("either gpus, or gpus_per_node and nodes", "gpus given twice over");
  if (gpus) c.total = gpus->integer();
  if (per_node) c.gpus_per_node = per_node->integer();
  if (nodes) c.nodes = nodes->integer();
  if (domain)
    c.nvlink_domain = domain->integer();
  else if (per_node)
    result_.defaults.push_back({place.pointer() + "/nvlink_domain", "a node", "moeplan's own: where NVLink ends on HGX and DGX"});
  if (per_node && !nodes) (void)object.need("nodes");
  if ((nodes || domain) && !per_node) (void)object.need("gpus_per_node");
  return c;
}

inline moeplan::strategy deployment_reader::read_strategy(const json_place& place) {
  struct degree_key {
    axis which;
    const char* absent;
    const char* source;
  };
  constexpr degree_key keys[] = {
      {axis::tp, "1", "Megatron-LM --tensor-model-parallel-size"},
      {axis::pp, "1", "Megatron-LM --pipeline-model-parallel-size"},
      {axis::vpp, "1, or what the layout says", "Megatron-LM: no interleaving unless asked for"},
      {axis::cp, "1", "Megatron-LM --context-parallel-size"},
      {axis::ep, "1", "Megatron-LM --expert-model-parallel-size"},
      {axis::etp, "1", "moeplan's own: Megatron-LM would take TP"},
      {axis::dp, "derived: GPUs / GPUs of one copy of the model", "Megatron-LM parallel_state.py"},
      {axis::sp, "1 (off)", "Megatron-LM: off without --sequence-parallel"},
  };
  deployment_object object{place, result_.defaults, "an object with degrees such as {\"pp\": 16, \"ep\": 64}"};
  moeplan::strategy s;
  for (const degree_key& k : keys) {
    const char* name = name_of(k.which).data();
    if (const auto member = object.keys().find(name))
      s.set(k.which, member->integer());
    else
      object.note_default(name, k.absent, k.source);
  }
  if (const auto member = object.keys().find("order"))
    s.order = member->parse(&rank_order::parse);
  else
    object.note_default("order", "\"tp-cp-ep-dp-pp\"", "Megatron-LM parallel_state.py");
  object.read("mapping", s.mapping, mapping_names, "Megatron-LM parallel_state.py; arXiv 2504.14960");
  object.refuse_unknown_keys();
  return s;
}

inline moeplan::layout deployment_reader::read_layout(const json_place& place) {
  if (place.is(json_kind::string)) return place.parse(&parse_layout);
  json_object object{place,
                     "a string, {\"first\": LAYERS, \"last\": LAYERS} or {\"embedding_as_layer\": true, \"loss_as_layer\": true}"};
  const auto first = object.find("first");
  const auto last = object.find("last");
  const auto embedding = object.find("embedding_as_layer");
  const auto loss = object.find("loss_as_layer");
  object.refuse_unknown_keys();
  const bool uneven = first || last;
  if (uneven == (embedding || loss)) place.refuse("first, last or both, or else embedding_as_layer, loss_as_layer or both");
  if (!uneven) return layout::even_with(embedding && embedding->boolean(), loss && loss->boolean());
  return layout::first_last(first ? optional_integer{first->integer()} : optional_integer{},
                            last ? optional_integer{last->integer()} : optional_integer{});
}

inline moeplan::workload deployment_reader::read_workload(json_object& top) {
  const auto training = top.find("training");
  const auto serving = top.find("serving");
  if (training && serving) serving->refuse("either training or serving", "both training and serving are given");
  if (!training && !serving) (void)top.need("training"); // which names the key
  const auto object = [this](const json_place& place, const char* what) {
    return deployment_object{place, result_.defaults, what};
  };
  if (training) return read_object<moeplan::training>(object(*training, "an object with sequence_length, global_batch and more"));
  return read_object<moeplan::serving>(object(*serving, "an object with sequence_length, batch and more"));
}

inline deployment_file deployment_reader::read() {
  json_object top{json_place{document_}, "an object with model, cluster, strategy and training or serving"};
  top.allow_only({"schema", "model", "cluster", "strategy", "layout", "training", "serving", "profile"});
  if (const auto schema = top.find("schema"); schema && schema->integer() != 1) schema->refuse("1, the only version there is");
  deployment& d = result_.deployment;
  d.model = read_model(top.need("model"));
  if (const auto cluster = top.find("cluster"))
    d.cluster = read_cluster(*cluster);
  else
    result_.defaults.push_back({"/cluster", "unknown", "nothing is assumed: DP must be given"});
  d.strategy = read_strategy(top.need("strategy"));
  if (const auto layout = top.find("layout"))
    d.layout = read_layout(*layout);
  else
    result_.defaults.push_back({"/layout", "\"even\"", "Megatron-LM: as many layers on each stage"});
  d.workload = read_workload(top);
  if (const auto profile = top.find("profile"))
    d.profile = profile->choice(profile_names);
  else
    result_.defaults.push_back({"/profile", "\"megatron\"", "moeplan's own: arithmetic and Megatron-LM's policies"});
  return std::move(result_);
}

} // namespace detail

/// Reads a deployment from a document. Throws input_error.
[[nodiscard]] inline deployment_file read_deployment(const json_document& document) {
  return detail::deployment_reader{document}.read();
}

/// Reads a deployment file and the config.json that it may name. Throws input_error.
[[nodiscard]] inline deployment_file read_deployment(const std::string& path) { return read_deployment(read_json(path)); }

} // namespace moeplan::io
