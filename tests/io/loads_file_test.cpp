#include <doctest/doctest.h>

#include <moeplan/io/loads_file.hpp>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "schema_validator.hpp"

using namespace moeplan;
using namespace moeplan::io;
using moeplan_test::schema_validator;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";

loads_file read(const std::string& text) { return read_loads(parse_json(text, "l.json")); }

std::string error_of(const std::string& text) {
  try {
    (void)read(text);
  } catch (const input_error& error) { return error.what(); }
  return {};
}

const std::string whole = R"({"loads": [[3, 4], [5, 6]], "replicas": 4, "groups": 2, "nodes": 1, "gpus": 2})";

/// The same with one part of the text in place of another.
std::string with(const std::string& part, const std::string& in_place_of) {
  std::string text = whole;
  const std::size_t at = text.find(in_place_of);
  REQUIRE(at != std::string::npos);
  return text.replace(at, in_place_of.size(), part);
}

const json_document& schema() {
  static const json_document document = read_json(examples + "/schema/loads.schema.json");
  return document;
}

} // namespace

TEST_CASE("loads and sizes") {
  const loads_file file = read(whole);
  CHECK(file.shape == placement_shape{.experts = 2, .slots = 4, .groups = 2, .nodes = 1, .gpus = 2});
  CHECK(file.loads == std::vector<std::vector<std::int64_t>>{{3, 4}, {5, 6}});
  CHECK(file.previous.empty());
  CHECK(!file.expert_bytes);
}

TEST_CASE("the placement now, and what a move takes") {
  const loads_file file = read(with(R"("previous": [[0, 1, 1, 0], [1, 1, 1, 0]], "expert_bytes": 44050944, "gpus")", "\"gpus\""));
  CHECK(file.previous == std::vector<std::vector<std::int32_t>>{{0, 1, 1, 0}, {1, 1, 1, 0}});
  CHECK(file.expert_bytes == 44050944);
}

TEST_CASE("without groups and nodes there is one of each") {
  CHECK(read(R"({"loads": [[7]], "replicas": 1, "gpus": 1})").shape == placement_shape{});
}

TEST_CASE("sizes are taken as they stand, loads to the last digit") {
  CHECK(read(with("\"replicas\": -4", "\"replicas\": 4")).shape.slots == -4);
  CHECK(read(with("\"gpus\": 0", "\"gpus\": 2")).shape.gpus == 0);
  CHECK(read(with("9223372036854775807", "6")).loads[1][1] == 9223372036854775807);
}

TEST_CASE("what cannot be used says where and why") {
  CHECK(error_of("[]") == "l.json:1:1: found an array, expected an object with loads, replicas, groups, nodes and gpus");
  CHECK(error_of(with("\"replica\"", "\"replicas\"")) ==
        "l.json:1:29: /replica: unknown key: found \"replica\", expected one of \"schema\", \"loads\", \"replicas\", \"groups\", "
        "\"nodes\", "
        "\"gpus\", \"previous\", \"expert_bytes\"; nearest known: \"replicas\"");
  CHECK(error_of(R"({"loads": [[1]], "replicas": 1})") == "l.json:1:1: /gpus: missing key: expected \"gpus\"");
  CHECK(error_of(with("[]", "[[3, 4], [5, 6]]")) == "l.json:1:11: /loads: no layers: found an array, expected one layer at least");
  CHECK(error_of(with("[], []", "[3, 4], [5, 6]")) ==
        "l.json:1:12: /loads/0: no loads: found an array, expected the load of one expert at least");
  CHECK(error_of(with("[3, 4], 5", "[3, 4], [5, 6]")) ==
        "l.json:1:20: /loads/1: found 5, expected an array with the load of every expert");
  CHECK(error_of(with("[5, 6, 7]", "[5, 6]")) ==
        "l.json:1:20: /loads/1: a layer of 3 loads: found an array, expected as many loads as /loads/0 has: 2");
  CHECK(error_of(with("-6", "6")) ==
        "l.json:1:24: /loads/1/1: a number out of range: found -6, expected an integer from 0 to 2^63 - 1");
  CHECK(error_of(with("9223372036854775808", "6")) ==
        "l.json:1:24: /loads/1/1: a number out of range: found 9223372036854775808, expected an integer from -2^63 to 2^63 - 1");
  CHECK(error_of(with("6.5", "6")) == "l.json:1:24: /loads/1/1: found 6.5, expected an integer");
  CHECK(error_of(with("\"schema\": 2, \"gpus\"", "\"gpus\"")) ==
        "l.json:1:79: /schema: found 2, expected 1, the only version there is");
  CHECK(error_of(with("\"previous\": [[0, 1, 1, 0]], \"gpus\"", "\"gpus\"")) ==
        "l.json:1:81: /previous: 1 layer: found an array, expected as many layers as /loads has: 2");
  CHECK(error_of(with("\"previous\": [[], [0, 2147483648]], \"gpus\"", "\"gpus\"")) ==
        "l.json:1:90: /previous/1/1: a number out of range: found 2147483648, expected an integer from 0 to 2147483647");
}

TEST_CASE("the schema has the reader's keys, and accepts what it accepts") {
  std::set<std::string> keys;
  for (const json_member& member : schema().root.find("properties")->members) keys.insert('"' + member.key + '"');
  const std::string error = error_of(with("\"no_such_key\": 0, \"gpus\"", "\"gpus\""));
  std::size_t found = 0;
  for (const std::string& key : keys) found += error.find(key) != std::string::npos ? 1 : 0;
  CHECK(found == keys.size());
  CHECK(keys.size() == 8);

  const std::string all =
      R"({"schema": 1, "loads": [[3]], "replicas": 1, "groups": 1, "nodes": 1, "gpus": 1, "previous": [[0]], "expert_bytes": 0})";
  const json_document root = parse_json(all, "all");
  std::size_t alike = 0;
  for (const json_member& member : root.root.members) {
    for (const char* value : {"null",
                              "true",
                              "0",
                              "-1",
                              "1",
                              "2147483647",
                              "2147483648",
                              "9223372036854775807",
                              "9223372036854775808",
                              "1.5",
                              "\"?\"",
                              "{}",
                              "[]",
                              "[[]]",
                              "[[0]]",
                              "[[-1]]",
                              "[[1.5]]",
                              "[[2147483648]]",
                              "[[\"?\"]]",
                              "[0]"}) {
      std::string text = "{";
      for (const json_member& other : root.root.members) {
        const bool replaced = other.key == member.key;
        const bool array = other.key == "loads" || other.key == "previous";
        text += (text.size() > 1 ? ", \"" : "\"") + other.key + "\": " + (replaced ? value : array ? "[[0]]" : "1");
      }
      text += '}';
      CAPTURE(text);
      // That both have as many layers, no schema can say.
      if (member.key == "previous" && std::string{value} == "[]") continue;
      CHECK(schema_validator{schema()}.accepts(parse_json(text, "t").root) == error_of(text).empty());
      ++alike;
    }
    std::string text = "{";
    for (const json_member& other : root.root.members)
      if (other.key != member.key)
        text += (text.size() > 1 ? ", \"" : "\"") + other.key +
                "\": " + (other.key == "loads" || other.key == "previous" ? "[[0]]" : "1");
    text += '}';
    CAPTURE(text);
    CHECK(schema_validator{schema()}.accepts(parse_json(text, "t").root) == error_of(text).empty());
  }
  CHECK(alike == 159);
}

TEST_CASE("every example is valid, and read") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{examples + "/loads"}) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().string());
    const json_document document = read_json(entry.path().string());
    CHECK(schema_validator{schema()}.accepts(document.root));
    CHECK(!read_loads(document).loads.empty());
    ++files;
  }
  CHECK(files >= 2);
}
