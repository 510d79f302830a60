// examples/schema/deployment.schema.json and the reader of deployments say the same.
#include <doctest/doctest.h>

#include <moeplan/io/deployment_file.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <moeplan/io/json_writer.hpp>

#include "schema_validator.hpp"
#include "support/slow_build.hpp"

using namespace moeplan;
using namespace moeplan::io;
using moeplan_test::schema_validator;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";

const json_document& schema() {
  static const json_document document = read_json(examples + "/schema/deployment.schema.json");
  return document;
}

/// In the folder of the examples, whose config.json files it may name.
json_document parsed_there(const std::string& text) { return parse_json(text, examples + "/deployments/d.json"); }

std::string read_error(const json_document& document) {
  try {
    (void)read_deployment(document);
  } catch (const input_error& error) { return error.what(); }
  return {};
}

/// "one of "a", "b"", as input_error has it, in parts.
std::set<std::string> names_in(const std::string& list) {
  std::set<std::string> names;
  std::size_t open = list.find('"');
  while (open != std::string::npos) {
    const std::size_t close = list.find('"', open + 1);
    names.insert(list.substr(open + 1, close - open - 1));
    open = list.find('"', close + 1);
  }
  return names;
}

/// What the reader says it had expected in a text that it refuses.
std::set<std::string> expected_by_reader(const std::string& text) {
  try {
    (void)read_deployment(parsed_there(text));
  } catch (const input_error& error) {
    INFO(error.what());
    CHECK(error.problem().expected.rfind("one of ", 0) == 0);
    return names_in(error.problem().expected);
  }
  FAIL("the reader accepts ", text);
  return {};
}

std::set<std::string> properties_of(const json_value& object) {
  std::set<std::string> keys;
  const json_value* properties = object.find("properties");
  REQUIRE(properties != nullptr);
  for (const json_member& member : properties->members) keys.insert(member.key);
  return keys;
}

std::set<std::string> enumerators_of(const json_value& property) {
  std::set<std::string> values;
  const json_value* choices = property.find("enum");
  REQUIRE(choices != nullptr);
  for (const json_value& choice : choices->items) values.insert(choice.text);
  return values;
}

/// A definition of the schema, or the alternative of that number in it.
const json_value& definition(const char* name) { return *schema().root.find("$defs")->find(name); }
const json_value& alternative(const char* name, std::size_t number) { return definition(name).find("oneOf")->items.at(number); }

const json_value& property(const json_value& object, const char* key) { return *object.find("properties")->find(key); }

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), by);
}

/// Every part of a deployment, each with one key, into which tests put what does not belong there.
const std::string training_parts =
    R"({"model": "mixtral-8x7b", "cluster": {"gpu": {"memory_bytes": 1}, "gpus": 8}, "strategy": {"tp": 1},
  "layout": {"first": 4}, "training": {"sequence_length": 1, "precision": {"fp8": "mxfp8"}, "routing": {"balancing": "none"},
    "overlap": {"shared_experts": true}, "assumptions": {"router_state": "dense"},
    "kernels": {"flash_attention": true}}})";
const std::string serving_parts = R"({"model": "mixtral-8x7b", "strategy": {"tp": 1}, "serving": {"sequence_length": 1}})";

/// Every key that a deployment can have at once.
const std::string every_key = R"({"schema": 1, "model": {"config": "models/mixtral-8x22b.json"},
  "cluster": {"gpu": {"memory_bytes": 1, "usable_memory_bytes": 1, "bf16_flops": 1, "fp8_flops": 1, "fp4_flops": 1,
    "memory_bandwidth_bytes": 1, "nvlink_bandwidth_bytes": 1, "network_bandwidth_bytes": 1}, "gpus_per_node": 8, "nodes": 16, "nvlink_domain": 64},
  "strategy": {"tp": 2, "pp": 8, "vpp": 7, "cp": 1, "ep": 8, "etp": 1, "dp": 8, "sp": 2, "order": "tp-cp-ep-dp-pp", "mapping": "folded"},
  "layout": {"first": 7, "last": 7},
  "training": {"global_batch": 256, "micro_batch": 1, "sequence_length": 4096, "recompute": "selective",
    "recompute_modules": ["moe_activation", "layer_norm"], "recompute_method": "block", "recompute_layers": 2, "context": "ring",
    "precision": {"weights": "bf16", "gradients": "bf16", "master_weights": "fp16", "first_moment": "fp8", "second_moment": "int8",
      "fp8": "blockwise", "fp8_weights": true},
    "optimizer": "muon", "sharding": "gradients", "optimizer_offload": 0.5, "schedule": "dualpipe_v",
    "assumptions": {"latent_down_projections": "sharded", "latent_rope_queries": "replicated", "shared_experts": "replicated",
      "shared_experts_state": "experts", "router_state": "experts", "dense_states": "dp_ranks"},
    "dispatcher": "all_to_all", "dp_replicate": 1, "vocabulary_multiple": 128, "reserve_bytes": 1,
    "routing": {"balancing": "auxiliary_loss", "capacity_factor": 1.25, "pad_to_capacity": true, "pre_softmax": true,
      "load": "worst", "busiest_share": 0.5},
    "kernels": {"flash_attention": true, "fused_cross_entropy": true, "fused_weight_gradient": false, "attention_dropout": true,
      "hidden_dropout": false},
    "overlap": {"tensor_parallel": true, "shared_experts": false, "expert_parallel": true, "delayed_weight_gradient": true}},
  "profile": "megatron"})";

/// Others, with the keys that exclude some of those above.
const std::vector<std::string> further{
    R"({"model": "qwen3-30b-a3b", "cluster": {"gpu": "h100-sxm", "gpus": 8}, "strategy": {"ep": 8}, "layout": "balanced",
        "serving": {"batch": 8, "sequence_length": 4096, "redundant_experts": 8, "decode_context": 1,
          "data_parallelism": "attention", "elastic_ep": false, "vocabulary_multiple": 0, "weights": "mxfp4",
          "quantised": "mlps", "cache": "fp8", "block_size": 64, "windows": "window", "step_tokens": 2, "linear_state": "fp32", "drafts": true,
          "absorbed_projections": true, "reserve_bytes": 4}, "profile": "universal"})",
    R"({"model": "llama-3.1-405b", "cluster": {}, "strategy": {"pp": 16, "dp": 1, "order": "tp-dp-pp", "mapping": "product"},
        "layout": {"embedding_as_layer": true, "loss_as_layer": true}, "training": {}})",
    R"({"model": "deepseek-v3", "strategy": {"pp": 16, "vpp": 2, "dp": 8}, "layout": "Et*3|(tt|)*29,m|L",
        "training": {"sequence_length": 4096, "recompute_modules": [], "optimizer_offload": 1, "precision": {}, "routing": {},
          "overlap": {}, "assumptions": "memory_analysis"}})",
    R"({"model": "deepseek-v3", "strategy": {"dp": 8}, "training": {"assumptions": {}}})",
};

std::vector<std::string> example_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator{examples + "/deployments"})
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  return files;
}

void write(json_writer& out, const json_value& v) {
  switch (v.kind) {
    case json_kind::null: out.null(); return;
    case json_kind::boolean: out.value(v.boolean); return;
    case json_kind::integer:
    case json_kind::large_integer:
    case json_kind::decimal: out.value(json_integer{v.text}); return;
    case json_kind::string: out.value(std::string_view{v.text}); return;
    case json_kind::array:
      out.begin_array(json_lines::one);
      for (const json_value& item : v.items) write(out, item);
      out.end_array();
      return;
    case json_kind::object: break;
  }
  out.begin_object();
  for (const json_member& member : v.members) write(out.key(member.key), member.value);
  out.end_object();
}

std::string text_of(const json_value& v) {
  std::ostringstream out;
  json_writer writer{out};
  write(writer, v);
  return out.str();
}

/// Whether reader and schema judge a value alike; the number of values that they were asked about.
std::size_t judge_alike(const json_value& v) {
  const std::string text = text_of(v);
  CAPTURE(text);
  const std::string error = read_error(parsed_there(text));
  CAPTURE(error);
  CHECK(schema_validator{schema()}.accepts(v) == error.empty());
  return 1;
}

/// The same of every tenth value that it is asked about, where the sanitizers make each take long.
std::size_t judge_in_turn(const json_value& v) {
  static int turn = 0;
  return ++turn % (10 / moeplan_test::cases_for_build(10)) == 0 ? judge_alike(v) : 0;
}

/// Asks about the root with one value in it replaced, one key removed and one added, at `part` and everywhere below.
std::size_t vary(const json_value& root, json_value& part) {
  static const json_document others = parse_json(
      R"([null, true, 0, -1, 1, 9223372036854775807, 9223372036854775808, -9223372036854775809, 1.5, "?", [], {}, [1]])", "others");
  std::size_t asked = 0;
  const json_value before = part;
  for (const json_value& other : others.root.items) {
    part = other;
    asked += judge_in_turn(root);
  }
  part = before;
  for (std::size_t i = 0; i < before.items.size(); ++i) {
    asked += vary(root, part.items[i]);
    part.items.push_back(before.items[i]);
    asked += judge_in_turn(root);
    part = before;
  }
  if (part.kind != json_kind::object) return asked;
  part.members.push_back({"no_such_key", {}, others.root.items[1]});
  asked += judge_in_turn(root);
  part = before;
  for (std::size_t i = 0; i < before.members.size(); ++i) {
    part.members.erase(part.members.begin() + static_cast<std::ptrdiff_t>(i));
    asked += judge_in_turn(root);
    part = before;
    // Which file there is, no schema knows.
    if (before.members[i].key != "config") asked += vary(root, part.members[i].value);
  }
  return asked;
}

} // namespace

TEST_CASE("the schema has the reader's keys, and the reader the schema's") {
  const auto with = [](const std::string& text, const std::string& object) {
    return expected_by_reader(replaced(text, object, object + R"("no_such_key": 0, )"));
  };
  CHECK(with(training_parts, "{") == properties_of(schema().root));
  CHECK(with(training_parts, R"("cluster": {)") == properties_of(definition("cluster")));
  CHECK(with(training_parts, R"("gpu": {)") == properties_of(alternative("gpu", 1)));
  CHECK(with(training_parts, R"("strategy": {)") == properties_of(definition("strategy")));
  CHECK(with(training_parts, R"("training": {)") == properties_of(definition("training")));
  CHECK(with(training_parts, R"("routing": {)") == properties_of(definition("routing")));
  CHECK(with(training_parts, R"("overlap": {)") == properties_of(definition("overlap")));
  CHECK(with(training_parts, R"("kernels": {)") == properties_of(definition("kernels")));
  CHECK(with(training_parts, R"("precision": {)") == properties_of(definition("precision")));
  CHECK(with(training_parts, R"("assumptions": {)") == properties_of(alternative("assumptions", 1)));
  CHECK(with(serving_parts, R"("serving": {)") == properties_of(definition("serving")));
  std::set<std::string> layouts = properties_of(alternative("layout", 1));
  layouts.merge(properties_of(alternative("layout", 2)));
  CHECK(with(training_parts, R"("layout": {)") == layouts);
  CHECK(expected_by_reader(replaced(training_parts, R"("mixtral-8x7b")", R"({"config": "d.json", "no_such_key": 0})")) ==
        properties_of(alternative("model", 1)));
}

TEST_CASE("the schema has the reader's names, and the reader the schema's") {
  const auto in_place_of = [](const std::string& value, const std::string& other) {
    return expected_by_reader(replaced(training_parts, value, other));
  };
  CHECK(in_place_of(R"("mixtral-8x7b")", R"("?")") == enumerators_of(alternative("model", 0)));
  CHECK(in_place_of(R"("mixtral-8x7b")", R"({"model_type": "?"})") ==
        enumerators_of(property(alternative("model", 2), "model_type")));
  CHECK(in_place_of(R"({"memory_bytes": 1})", R"("?")") == enumerators_of(alternative("gpu", 0)));
  CHECK(in_place_of(R"("tp": 1)", R"("mapping": "?")") == enumerators_of(property(definition("strategy"), "mapping")));
  for (const char* key : {"recompute", "recompute_method", "optimizer", "sharding", "schedule", "context", "dispatcher"}) {
    CAPTURE(key);
    CHECK(in_place_of(R"("sequence_length": 1)", '"' + std::string{key} + R"(": "?")") ==
          enumerators_of(property(definition("training"), key)));
  }
  for (const char* key : {"data_parallelism", "weights", "quantised", "cache", "windows", "linear_state"}) {
    CAPTURE(key);
    const json_value& described = property(definition("serving"), key);
    CHECK(expected_by_reader(replaced(serving_parts, R"("sequence_length": 1)", '"' + std::string{key} + R"(": "?")")) ==
          enumerators_of(described.find("$ref") == nullptr ? described : definition("number_type")));
  }
  CHECK(in_place_of(R"("balancing": "none")", R"("load": "?")") == enumerators_of(property(definition("routing"), "load")));
  CHECK(in_place_of(R"("sequence_length": 1)", R"("recompute_modules": ["?"])") ==
        enumerators_of(*property(definition("training"), "recompute_modules").find("items")));
  for (const char* key : {"weights", "gradients", "master_weights", "first_moment", "second_moment"}) {
    CAPTURE(key);
    CHECK(in_place_of(R"("fp8": "mxfp8")", '"' + std::string{key} + R"(": "?")") == enumerators_of(definition("number_type")));
  }
  CHECK(in_place_of(R"("mxfp8")", R"("?")") == enumerators_of(property(definition("precision"), "fp8")));
  CHECK(in_place_of(R"({"router_state": "dense"})", R"("?")") == enumerators_of(alternative("assumptions", 0)));
  for (const char* key : {"latent_down_projections", "latent_rope_queries", "shared_experts"}) {
    CAPTURE(key);
    CHECK(in_place_of(R"("router_state": "dense")", '"' + std::string{key} + R"(": "?")") == enumerators_of(definition("held")));
  }
  for (const char* key : {"shared_experts_state", "router_state"}) {
    CAPTURE(key);
    CHECK(in_place_of(R"("router_state": "dense")", '"' + std::string{key} + R"(": "?")") ==
          enumerators_of(definition("state_group")));
  }
  CHECK(in_place_of(R"("router_state": "dense")", R"("dense_states": "?")") ==
        enumerators_of(property(alternative("assumptions", 1), "dense_states")));
  CHECK(in_place_of(R"("none")", R"("?")") == enumerators_of(property(definition("routing"), "balancing")));
  CHECK(in_place_of(R"("layout")", R"("profile": "?", "layout")") == enumerators_of(property(schema().root, "profile")));
}

TEST_CASE("the schema has the reader's defaults") {
  const schema_validator rules{schema()};
  std::size_t compared = 0;
  for (const char* workload : {"training", "serving"}) {
    const std::string text = R"({"model": "mixtral-8x7b", "strategy": {}, "cluster": {}, ")" + std::string{workload} + R"(": {}})";
    for (const default_in_force& in_force : read_deployment(parsed_there(text)).defaults) {
      CAPTURE(in_force.key);
      CAPTURE(in_force.value);
      const json_value* here = &schema().root;
      for (std::size_t at = 0; at < in_force.key.size();) {
        const std::size_t next = std::min(in_force.key.find('/', at + 1), in_force.key.size());
        here = rules.property(*here, in_force.key.substr(at + 1, next - at - 1));
        REQUIRE(here != nullptr);
        at = next;
      }
      const json_value& described = here->find("default") == nullptr ? rules.resolved(*here) : *here;
      const json_value* value = described.find("default");
      if (value == nullptr) {
        // Only what is derived or not known has none.
        const char first = in_force.value.front();
        CHECK((first >= 'a' && first <= 'z' && in_force.value != "true" && in_force.value != "false"));
        continue;
      }
      ++compared;
      std::string written = text_of(*value);
      while (!written.empty() && written.back() == '\n') written.pop_back();
      CHECK(in_force.value.rfind(written, 0) == 0); // "1 (off)" is 1
    }
  }
  CHECK(compared > 60);
  // A GPU's numbers are not known where they are not given.
  const std::string text = R"({"model": "mixtral-8x7b", "strategy": {}, "cluster": {"gpu": {}}, "training": {}})";
  CHECK(read_deployment(parsed_there(text)).deployment.cluster.gpu == gpu{});
  for (const json_member& member : alternative("gpu", 1).find("properties")->members) {
    CAPTURE(member.key);
    const json_value* value = member.value.find("default");
    CHECK((value != nullptr && value->text == "0"));
  }
}

TEST_CASE("every example is valid, and read") {
  const std::vector<std::string> files = example_files();
  CHECK(files.size() >= 5);
  for (const std::string& file : files) {
    CAPTURE(file);
    const json_document document = read_json(file);
    CHECK(schema_validator{schema()}.accepts(document.root));
    CHECK(read_error(document) == "");
  }
}

TEST_CASE("reader and schema refuse the same variations") {
  std::vector<json_document> documents;
  for (const std::string& file : example_files()) documents.push_back(read_json(file));
  documents.push_back(parsed_there(every_key));
  for (const std::string& text : further) documents.push_back(parsed_there(text));
  std::size_t asked = 0;
  for (json_document& document : documents) {
    REQUIRE(schema_validator{schema()}.accepts(document.root));
    REQUIRE(read_error(document) == "");
    json_value root = document.root;
    asked += vary(root, root);
  }
  CHECK(asked > moeplan_test::cases_for_build(2000));
}

TEST_CASE("reader and schema agree on what excludes what") {
  const auto judge = [](const std::string& text) { judge_alike(parsed_there(text).root); };
  judge(R"({"model": "grok-1", "strategy": {}, "training": {}, "serving": {}})");
  judge(R"({"model": "grok-1", "strategy": {}, "cluster": {"gpus": 8, "nodes": 1, "gpus_per_node": 8}, "training": {}})");
  judge(R"({"model": "grok-1", "strategy": {}, "cluster": {"gpus": 8, "nodes": 1}, "training": {}})");
  judge(R"({"model": "grok-1", "strategy": {}, "cluster": {"gpus_per_node": 8}, "training": {}})");
  judge(R"({"model": "grok-1", "strategy": {}, "cluster": {"nvlink_domain": 8}, "training": {}})");
  judge(R"({"model": "grok-1", "strategy": {}, "cluster": {"gpus": 8, "nvlink_domain": 8}, "training": {}})");
  judge(R"({"model": "grok-1", "strategy": {}, "layout": {"first": 1, "loss_as_layer": true}, "training": {}})");
  judge(R"({"model": {"config": "models/deepseek-v3.json", "model_type": "deepseek_v3"}, "strategy": {}, "training": {}})");
  judge(R"({"model": {"num_hidden_layers": 2}, "strategy": {}, "training": {}})");
  for (const char* modules : {R"([])", R"(["mlp"])", R"(["mlp", "moe", "mlp"])", R"(["mlp", 1])", R"("mlp")"})
    judge(R"({"model": "grok-1", "strategy": {}, "training": {"recompute_modules": )" + std::string{modules} + "}}");
  for (const char* share : {"0", "1", "0.0", "1.0", "1.000000000000000000", "0.000000000000000001", "1.25", "-0.5", "2"})
    judge(R"({"model": "grok-1", "strategy": {}, "training": {"optimizer_offload": )" + std::string{share} + "}}");
  for (const char* order : {"tp", "pp-dp-ep-cp-tp", "TP-CP", "", "-", "tp-", "tp-sp", "tp-cp-ep-dp-pp-"})
    judge(R"({"model": "grok-1", "strategy": {"order": ")" + std::string{order} + R"("}, "training": {}})");
  for (const char* layout : {"even", "balanced", "4*15,1", "4", "EtL", "Et|tL", "", "Even", "even ", "4 * 15", "x"})
    judge(R"({"model": "grok-1", "strategy": {}, "layout": ")" + std::string{layout} + R"(", "training": {}})");
}
