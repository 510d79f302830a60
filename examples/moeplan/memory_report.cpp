#include "memory_report.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/memory/memory.hpp>
#include <moeplan/memory/terms.hpp>

#include "checked.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr const char* lifetime_names[] = {"run", "kept", "between_stages", "at_work"};

struct state_component {
  memory_member member;
  const char* name;
};

/// Which component a tensor of parameters' states belongs to.
state_component component_of(state_kind kind) {
  switch (kind) {
    case state_kind::none:
    case state_kind::weights:
    case state_kind::router_biases: break;
    case state_kind::quantised_weights:
    case state_kind::weight_scales: return {memory_member::weights, "fp8_weights"};
    case state_kind::gradients: return {memory_member::gradients, "gradients"};
    case state_kind::master_weights: return {memory_member::optimizer, "master_weights"};
    case state_kind::first_moments: return {memory_member::optimizer, "first_moments"};
    case state_kind::second_moments: return {memory_member::optimizer, "second_moments"};
  }
  return {memory_member::weights, "weights"};
}

const char* word_of(state_owner owner) {
  switch (owner) {
    case state_owner::none: break;
    case state_owner::dense: return "dense";
    case state_owner::experts: return "expert";
  }
  return "";
}

/// Short names for buffers that have long ones.
struct short_name {
  text tensor;
  const char* component;
};

constexpr short_name short_names[] = {
    {"cuBLAS workspace of Transformer Engine", "cublas_of_transformer_engine"},
    {"cuBLAS workspaces of grouped linear layers, one a stream", "cublas_of_grouped_linear_layers"},
    {"cuBLAS workspaces of PyTorch", "cublas_of_pytorch"},
    {"rotary embedding with its cosines and sines, one a layer", "rotary_embedding"},
    {"probabilities that the dispatchers hold, one a layer", "dispatcher_probabilities"},
    {"stand-in for the gradient of a weight", "weight_gradient_stand_ins"},
    {"weights, before they are moved into their buffer", "weights_before_their_buffer"},
};

/// "gathered_tokens" of "gathered tokens"; what follows a comma is left out.
std::string component_name(const char* words) {
  for (const short_name& s : short_names)
    if (s.tensor == text{words}) return s.component;
  std::string name;
  for (const char* c = words; *c != 0 && *c != ','; ++c)
    name += *c == ' ' || *c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  return name;
}

/// A column is one number a row.
std::vector<std::uint64_t> shape_of(const tensor& t) {
  if (t.columns == 1) return {t.rows.value()};
  return {t.rows.value(), t.columns.value()};
}

/// Collects what is alive on one stage.
class stage_collector {
public:
  explicit stage_collector(const stage_memory& memory) { report_.memory = memory; }

  void operator()(const memory_term& t) {
    if (t.bytes == 0) return;
    memory_component where = part_of(t);
    where.bytes = t.bytes.value();
    const bool state = t.owner != state_owner::none;
    add(where, {.name = state ? std::string{word_of(t.owner)} + ' ' + t.tensor.name : std::string{t.tensor.name},
                .shape = shape_of(t.tensor),
                .type = io::name_of_type(t.tensor.type),
                .times = t.times,
                .bytes = t.bytes.value(),
                .lifetime = lifetime_names[static_cast<std::size_t>(t.lifetime)],
                .block = block_name(t.block),
                .source = t.tensor.source});
  }

  void add(const memory_component& part, memory_entry entry) {
    auto& all = report_.components;
    const auto known = std::find_if(all.begin(), all.end(), [&](const memory_component& c) { return c.name == part.name; });
    if (known != all.end())
      known->bytes += part.bytes;
    else
      all.push_back(part);
    report_.entries.push_back(std::move(entry));
  }

  /// By member.
  [[nodiscard]] stage_report finished() && {
    std::stable_sort(report_.components.begin(), report_.components.end(),
                     [](const memory_component& a, const memory_component& b) { return a.member < b.member; });
    return std::move(report_);
  }

private:
  /// Without its bytes.
  [[nodiscard]] memory_component part_of(const memory_term& t) const {
    const peak_time time = report_.memory.time;
    const bool apart_from_passes = time == peak_time::start || time == peak_time::update;
    switch (t.lifetime) {
      case lifetime::kept:
        return {std::string{"kept_"} + (t.block == block::none ? "inputs_of_layers" : block_name(t.block)),
                memory_member::activations};
      case lifetime::between_stages: return {"between_stages", memory_member::workspace};
      case lifetime::at_work:
        if (!apart_from_passes) return {"at_work", memory_member::activations};
        return {component_name(t.tensor.name), memory_member::workspace};
      case lifetime::run: break;
    }
    if (t.owner != state_owner::none) {
      const state_component c = component_of(t.state);
      return {std::string{word_of(t.owner)} + '_' + c.name, c.member};
    }
    return {component_name(t.tensor.name), memory_member::workspace};
  }

  stage_report report_{};
};

struct stage_list {
  std::vector<stage_memory> stages;
  void operator()(const stage_memory& s) { stages.push_back(s); }
};

bool overflowed(const stage_memory& s) { return s.peak().overflowed() || s.parameters().overflowed() || s.host.overflowed(); }

struct serving_part {
  const char* name;
  weight_bytes<> serving_weights<>::*weights;
};

constexpr serving_part serving_parts_by_name[] = {{"attention_weights", &serving_weights<>::softmax_attention},
                                                  {"linear_attention_weights", &serving_weights<>::linear_attention},
                                                  {"dense_mlp_weights", &serving_weights<>::dense_mlp},
                                                  {"routed_expert_weights", &serving_weights<>::routed_experts},
                                                  {"shared_expert_weights", &serving_weights<>::shared_experts},
                                                  {"router_weights", &serving_weights<>::router},
                                                  {"norm_weights", &serving_weights<>::norms},
                                                  {"mtp_weights", &serving_weights<>::mtp},
                                                  {"embedding_weights", &serving_weights<>::embedding},
                                                  {"final_norm_weights", &serving_weights<>::final_norm},
                                                  {"head_weights", &serving_weights<>::head}};

struct serving_cache_part {
  const char* name;
  count sequence_cache<>::*cache;
};

constexpr serving_cache_part serving_caches_by_name[] = {{"keys_and_values", &sequence_cache<>::keys_and_values},
                                                         {"keys_and_values_in_windows", &sequence_cache<>::windows},
                                                         {"indexer_keys", &sequence_cache<>::indexer_keys},
                                                         {"linear_attention_states", &sequence_cache<>::states}};

/// "attention weights" of "attention_weights".
std::string words_of(const char* name) {
  std::string words{name};
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

/// Numbers that serve, of one type.
void add_serving(stage_collector& all, const char* component, memory_member member, count size, std::uint64_t rows,
                 number_type type, const char* what, const char* source) {
  if (size == 0) return;
  const std::uint64_t elements = static_cast<std::uint64_t>(size.value() / rows * 8) / static_cast<std::uint64_t>(bits(type));
  memory_entry entry{.name = words_of(component) + what,
                     .shape = rows == 1 ? std::vector<std::uint64_t>{elements} : std::vector<std::uint64_t>{rows, elements},
                     .type = io::name_of_type(type),
                     .times = 1,
                     .bytes = size.value(),
                     .lifetime = member == memory_member::kv_cache ? "sequence" : "run",
                     .block = {},
                     .source = source};
  all.add({component, member, size.value()}, std::move(entry));
}

/// How numbers that serve are listed. What mixes types is counted in bytes, and says so.
struct serving_numbers {
  number_type type;
  const char* what; ///< after the name of the component
};

serving_numbers scales_of(weight_format format) {
  switch (format) {
    case weight_format::int4_group128: return {number_type::int8, ", bytes of scales and zero points"};
    case weight_format::nvfp4: return {number_type::int8, ", bytes of scales of blocks and of matrices"};
    case weight_format::mxfp8:
    case weight_format::mxfp4: return {number_type::int8, ", scales, exponents of a byte"};
    case weight_format::int4_group32: return {number_type::bf16, ", scales"};
    case weight_format::bf16:
    case weight_format::fp8_tensor:
    case weight_format::fp8_channel:
    case weight_format::fp8_block:
    case weight_format::int8_channel: break;
  }
  return {number_type::fp32, ", scales"};
}

/// Keys and values. Those of indexers have scales among them, and states of linear attention the inputs of convolutions.
serving_numbers cached_in(cache_format format) {
  switch (format) {
    case cache_format::bf16: return {number_type::bf16, ", a row a sequence"};
    case cache_format::fp8: return {number_type::fp8, ", a row a sequence"};
    case cache_format::fp8_ds_mla: break;
  }
  return {number_type::int8, ", bytes, a row a sequence"};
}

/// A rank of a pipeline that serves.
stage_report serving_report(const deployment& d, const serving_parts<>& parts, const stage_memory& memory) {
  const serving& v = d.workload.serve;
  const number_type quantised = sizes_of(v.weights).numbers;
  const serving_numbers scales = scales_of(v.weights);
  const serving_numbers keys_and_values = cached_in(v.cache);
  const serving_numbers mixed = cached_in(cache_format::fp8_ds_mla);
  stage_collector all{memory};
  const std::int64_t stages = virtual_stages(d.strategy, d.layout);
  for (std::int64_t stage = memory.stage; stage < stages; stage += d.strategy[axis::pp]) {
    const serving_memory<> taken = serving_memory_of(d, parts, stage);
    for (const serving_part& part : serving_parts_by_name) {
      const weight_bytes<>& w = taken.weights.*part.weights;
      const auto add = [&](count size, number_type type, const char* what) {
        add_serving(all, part.name, memory_member::weights, size, 1, type, what, "the model's config.json");
      };
      add(w.quantised, quantised, ", quantised");
      add(w.scales, scales.type, scales.what);
      add(w.plain, number_type::bf16, "");
      add(w.fp32, number_type::fp32, ", correction biases");
    }
    for (const serving_cache_part& part : serving_caches_by_name) {
      const bool of_one_kind = part.cache == &sequence_cache<>::keys_and_values || part.cache == &sequence_cache<>::windows;
      const serving_numbers& numbers = of_one_kind ? keys_and_values : mixed;
      add_serving(all, part.name, memory_member::kv_cache, taken.cache.*part.cache, static_cast<std::uint64_t>(v.batch),
                  numbers.type, numbers.what, "vLLM kv_cache_interface.py, max_memory_usage_bytes");
    }
  }
  stage_report report = std::move(all).finished();
  report.first_layer = contents(d.model, d.strategy, d.layout, memory.stage).first_layer;
  return report;
}

stage_report training_report(const training_memory<>& memory, const stage_memory& stage) {
  stage_collector all{stage};
  visit_memory_terms(memory, stage.stage, all);
  stage_report report = std::move(all).finished();
  report.first_layer = memory.contents_of(stage.stage, 0).first_layer;
  report.in_flight = in_flight(memory.pipeline(), stage.stage);
  return report;
}

} // namespace

const char* block_name(block b) {
  switch (b) {
    case block::none: break;
    case block::embedding: return "embedding";
    case block::softmax_attention: return "attention";
    case block::linear_attention: return "linear_attention";
    case block::dense_mlp: return "dense_mlp";
    case block::moe_mlp: return "moe_mlp";
    case block::mtp_input: return "mtp_input";
    case block::head: return "head";
    case block::checkpoint: return "checkpoint";
  }
  return "";
}

std::uint64_t bytes_of(const stage_memory& memory, memory_member member) {
  switch (member) {
    case memory_member::weights: return memory.weights.value();
    case memory_member::gradients: return memory.gradients.value();
    case memory_member::optimizer: return memory.optimizer.value();
    case memory_member::activations: return memory.activations.value();
    case memory_member::kv_cache: return memory.kv_cache.value();
    case memory_member::workspace: break;
  }
  return memory.workspace.value();
}

findings check_without_capacity(deployment d) {
  constexpr bytes plenty{std::numeric_limits<std::int64_t>::max()};
  d.cluster.gpu.memory = plenty;
  d.cluster.gpu.usable_memory = plenty;
  (d.workload.is_training() ? d.workload.train.reserve : d.workload.serve.reserve) = {};
  return checked(d);
}

std::optional<memory_report> report_memory(const deployment& d) {
  const auto all_stages = memory(d);
  stage_list list;
  all_stages.visit_stages(list);
  if (std::any_of(list.stages.begin(), list.stages.end(), overflowed)) return {};
  memory_report report;
  const gpu& g = d.cluster.gpu;
  if (g.memory > bytes{} || g.usable_memory > bytes{}) report.capacity = all_stages.capacity().value();
  report.reserve = (d.workload.is_training() ? d.workload.train.reserve : d.workload.serve.reserve).value();
  if (d.workload.is_training()) {
    const training_memory<> all{d};
    for (const stage_memory& s : list.stages) report.stages.push_back(training_report(all, s));
  } else {
    const serving_parts<> parts = serving_parts_of(d);
    for (const stage_memory& s : list.stages) report.stages.push_back(serving_report(d, parts, s));
    if (report.capacity) report.room = serving_capacity_of(d);
  }
  if (report.capacity) report.limits = limits_of(d);
  for (std::size_t i = 1; i < report.stages.size(); ++i)
    if (report.stages[i].memory.peak() > report.stages[report.fullest].memory.peak()) report.fullest = i;
  return report;
}

} // namespace tool
