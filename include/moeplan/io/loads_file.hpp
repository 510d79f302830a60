#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <moeplan/balance/placement_shape.hpp>
#include <moeplan/io/json_reader.hpp>

/// @file
/// Loads of experts, and the slots to place them in, as a JSON file:
///
///     {"loads": [[90, 132, 40, 61], [20, 107, 104, 64]], "replicas": 8, "groups": 2, "nodes": 1, "gpus": 4}
///
/// Keys are named after the arguments of EPLB's rebalance_experts. Sizes are taken as they stand, 0 GPUs and -4 replicas among them:
/// whether they belong together, check_shape judges. What cannot be understood throws input_error.

namespace moeplan::io {

/// What is to be placed. Every layer has as many loads as the shape has experts, and there is a layer and an expert at least.
struct loads_file {
  placement_shape shape{};
  std::vector<std::vector<std::int64_t>> loads;    ///< of each layer's experts, none below zero
  std::vector<std::vector<std::int32_t>> previous; ///< the expert in each slot of each layer as they are now; empty where not given
  std::optional<std::int64_t> expert_bytes;        ///< what has to be copied to move an expert of one layer
};

namespace detail {

/// An array of integers from 0 to the largest of its type.
template <class Integer>
[[nodiscard]] std::vector<Integer> read_numbers(const json_place& place, const char* what) {
  constexpr std::int64_t largest = std::numeric_limits<Integer>::max();
  if (!place.is(json_kind::array)) place.refuse(what);
  std::vector<Integer> numbers;
  numbers.reserve(place.value().items.size());
  for (const json_value& item : place.value().items) {
    // A place is made for what is wrong alone: there may be a hundred thousand numbers.
    const auto here = [&] { return json_place{place, std::to_string(numbers.size()), item}; };
    const std::int64_t n = item.kind == json_kind::integer && item.integer >= 0 ? item.integer : here().non_negative();
    if (n > largest) here().refuse("an integer from 0 to " + std::to_string(largest), "a number out of range");
    numbers.push_back(static_cast<Integer>(n));
  }
  return numbers;
}

[[nodiscard]] inline std::string counted(std::size_t number, const char* singular) {
  return std::to_string(number) + ' ' + singular + (number == 1 ? "" : "s");
}

[[nodiscard]] inline std::vector<std::vector<std::int64_t>> read_layers(const json_place& place) {
  constexpr const char* what = "an array of layers, each an array with the load of every expert";
  std::vector<std::vector<std::int64_t>> layers;
  for (const json_place& layer : place.items(what)) {
    layers.push_back(read_numbers<std::int64_t>(layer, "an array with the load of every expert"));
    const std::size_t experts = layers.front().size();
    const std::size_t here = layers.back().size();
    if (experts == 0) layer.refuse("the load of one expert at least", "no loads");
    if (here != experts)
      layer.refuse("as many loads as /loads/0 has: " + std::to_string(experts), "a layer of " + counted(here, "load"));
  }
  if (layers.empty()) place.refuse("one layer at least", "no layers");
  return layers;
}

[[nodiscard]] inline std::vector<std::vector<std::int32_t>> read_previous(const json_place& place, std::size_t layers) {
  std::vector<std::vector<std::int32_t>> previous;
  for (const json_place& layer : place.items("an array of layers, each an array with the expert in every slot"))
    previous.push_back(read_numbers<std::int32_t>(layer, "an array with the expert in every slot"));
  if (previous.size() != layers)
    place.refuse("as many layers as /loads has: " + std::to_string(layers), counted(previous.size(), "layer"));
  return previous;
}

} // namespace detail

/// Reads loads from a document. Throws input_error.
[[nodiscard]] inline loads_file read_loads(const json_document& document) {
  json_object top{json_place{document}, "an object with loads, replicas, groups, nodes and gpus"};
  top.allow_only({"schema", "loads", "replicas", "groups", "nodes", "gpus", "previous", "expert_bytes"});
  if (const auto schema = top.find("schema"); schema && schema->integer() != 1) schema->refuse("1, the only version there is");
  loads_file file;
  file.loads = detail::read_layers(top.need("loads"));
  file.shape.experts = static_cast<std::int64_t>(file.loads.front().size());
  file.shape.slots = top.need("replicas").integer();
  file.shape.gpus = top.need("gpus").integer();
  if (const auto groups = top.find("groups")) file.shape.groups = groups->integer();
  if (const auto nodes = top.find("nodes")) file.shape.nodes = nodes->integer();
  if (const auto previous = top.find("previous")) file.previous = detail::read_previous(*previous, file.loads.size());
  if (const auto bytes = top.find("expert_bytes")) file.expert_bytes = bytes->non_negative();
  return file;
}

/// Reads a file of loads. Throws input_error.
[[nodiscard]] inline loads_file read_loads(const std::string& path) { return read_loads(read_json(path)); }

} // namespace moeplan::io
