// examples/schema/report.schema.json and the reader of reports say the same.
#include <doctest/doctest.h>

#include <moeplan/io/report_file.hpp>

#include <iterator>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "schema_validator.hpp"

using namespace moeplan;
using namespace moeplan::io;
using moeplan_test::schema_validator;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";

const json_document& schema() {
  static const json_document document = read_json(examples + "/schema/report.schema.json");
  return document;
}

const json_value& definition(const char* name) { return *schema().root.find("$defs")->find(name); }

std::set<std::string> keys_of(const json_value& properties) {
  std::set<std::string> keys;
  for (const json_member& member : properties.members) keys.insert(member.key);
  return keys;
}

std::string error_of(const std::string& text) {
  try {
    (void)read_report(parse_json(text, examples + "/reports/r.json"));
  } catch (const input_error& error) { return error.what(); }
  return {};
}

/// What the reader says it had expected in a text that it refuses: the names in "one of "a", "b"".
std::set<std::string> expected_by_reader(const std::string& text) {
  std::set<std::string> names;
  try {
    (void)read_report(parse_json(text, "r.json"));
  } catch (const input_error& error) {
    const std::string& list = error.problem().expected;
    CHECK(list.rfind("one of ", 0) == 0);
    for (std::size_t open = list.find('"'); open != std::string::npos;) {
      const std::size_t close = list.find('"', open + 1);
      names.insert(list.substr(open + 1, close - open - 1));
      open = list.find('"', close + 1);
    }
  }
  return names;
}

std::string claim_with(const std::string& members) { return "{\"claims\": [{\"id\": \"a\", " + members + "}]}"; }

/// Whether reader and schema judge a text alike.
void judge(const std::string& text) {
  CAPTURE(text);
  const std::string error = error_of(text);
  CAPTURE(error);
  CHECK(schema_validator{schema()}.accepts(parse_json(text, "t").root) == error.empty());
}

constexpr const char* dimension_names[] = {"number",      "bytes",          "time",  "rate",   "token_rate",
                                           "sample_rate", "operation_rate", "share", "answer", "any"};

const char* name_of_dimension(dimension d) { return dimension_names[static_cast<std::size_t>(d)]; }

/// The quantities of one dimension, as the schema has them.
std::set<std::string> quantities_of(const std::string& dimension) {
  std::set<std::string> names;
  for (const json_value& alternative : definition("claim").find("oneOf")->items) {
    const json_value& properties = *alternative.find("properties");
    const json_value* const choices = properties.find("quantity")->find("enum");
    if (choices == nullptr || properties.find("claimed")->find("$ref")->text != "#/$defs/" + dimension) continue;
    for (const json_value& choice : choices->items) names.insert(choice.text);
  }
  return names;
}

/// A quantity whose value has that dimension.
std::string any_quantity_of(dimension d) {
  for (const claim_quantity_entry& e : claim_quantity_table)
    if (e.dimension == d) return e.name;
  return {};
}

/// Values that a report prints, and some that it cannot.
const std::vector<std::string> printed{"",
                                       "yes",
                                       "no",
                                       "Yes",
                                       "?",
                                       "1",
                                       "~1",
                                       "-1",
                                       "1.5",
                                       "1.",
                                       ".5",
                                       "8,192",
                                       "8,19",
                                       "1,234,567",
                                       "1,2345",
                                       "30B",
                                       "30 B",
                                       "15.6K",
                                       "15.6 K",
                                       "3M",
                                       "2T",
                                       "2k",
                                       "64-128",
                                       "64-",
                                       "1-2-3",
                                       "1/8",
                                       "1/0",
                                       "1/08",
                                       "1/",
                                       "27.6%",
                                       "27.6 %",
                                       "27.6  %",
                                       "64x",
                                       "64 x",
                                       "64X",
                                       "17.7GB",
                                       "~17.7 GB",
                                       "17.7 GiB",
                                       "1 kB",
                                       "1 KB",
                                       "1 KiB",
                                       "1 kiB",
                                       "12 bytes",
                                       "2 TB",
                                       "2 PB",
                                       "0.016s",
                                       "8.5 ms",
                                       "15-20ms",
                                       "3 us",
                                       "3 ns",
                                       "3 sec",
                                       "8000/s",
                                       "1 x/us",
                                       "1 x/ns",
                                       "5 GPUs",
                                       "8000 sequences/second",
                                       "12.8K tokens/sec",
                                       "12,800 tokens/ms",
                                       "1 x/minute",
                                       "8 billion tokens/s",
                                       "8billion tokens/s",
                                       "8 billion things/s",
                                       "8 zillion tokens/s",
                                       "8 Billion tokens/s",
                                       "8 billion",
                                       "8 million/ms",
                                       "8  million/ms",
                                       "5 tok/s",
                                       "5tokens/s",
                                       "5 K  tokens/s",
                                       "5K /s",
                                       "5 /s",
                                       "5B/s",
                                       "5 B/s",
                                       "5 B tokens/s",
                                       "5 things/s",
                                       "312 samples/s",
                                       "312 requests/s",
                                       "3 batches/s",
                                       "4 iterations/s",
                                       "400T FLOP/s",
                                       "400 TFLOP/s",
                                       "400T FLOPS/s",
                                       "12.8k tokens/s",
                                       "12.8ktok/s",
                                       "900 GB/s",
                                       "15–20ms",
                                       "64–128",
                                       "64—128",
                                       "4–8x",
                                       "10–20 tokens/s",
                                       "GB",
                                       "1/8 GB",
                                       "1 ",
                                       " 1"};

/// Values of each kind that JSON has.
const std::vector<std::string> values{"null",
                                      "true",
                                      "0",
                                      "-1",
                                      "1",
                                      "1.5",
                                      "999999999999999999",
                                      "1000000000000000000",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "[]",
                                      "{}",
                                      "[1]",
                                      R"("?")",
                                      R"("")"};

/// An input of each dimension, and a quantity claimed as a share that is computed from it.
const std::vector<std::pair<const char*, const char*>> inputs{{"pp", "bubble"},
                                                              {"capacity", "memory_utilisation"},
                                                              {"step_time", "communication_overhead"},
                                                              {"throughput", "scaling_efficiency"},
                                                              {"achieved_flops", "compute_utilisation"},
                                                              {"reference", "ratio_to_target"}};

/// A claim to a value of that dimension.
std::string claim_to(const std::string& value, dimension d) {
  return claim_with("\"quantity\": \"" + any_quantity_of(d) + "\", \"claimed\": " + value);
}

constexpr dimension claimed_dimensions[] = {dimension::number,     dimension::bytes, dimension::time,  dimension::sample_rate,
                                            dimension::token_rate, dimension::share, dimension::answer};

/// Texts that are nearly rates.
std::string draw_rate(std::mt19937& from) {
  const char* const parts[] = {"5",       "1.5",      "8,192",  " ",      " ",   "K",       "M",        "B",
                               "billion", "thousand", "k",      "tokens", "tok", "seqs",    "requests", "steps",
                               "FLOP",    "FLOPS",    "things", "/s",     "/ms", "/second", "GB"};
  std::string words = "5";
  for (std::size_t n = std::uniform_int_distribution<std::size_t>{0, 5}(from); n > 0; --n)
    words += parts[std::uniform_int_distribution<std::size_t>{0, std::size(parts) - 1}(from)];
  return words + (std::uniform_int_distribution<int>{0, 3}(from) == 0 ? "" : "/s");
}

} // namespace

TEST_CASE("the schema has the reader's keys, and the reader the schema's") {
  CHECK(expected_by_reader(R"({"no_such_key": 0})") == keys_of(*schema().root.find("properties")));
  CHECK(expected_by_reader(R"({"deployment": {"no_such_key": 0}})") == keys_of(*definition("deployment").find("properties")));
  const json_value& strategy = *definition("strategy").find("properties");
  CHECK(expected_by_reader(R"({"strategies": {"s": {"no_such_key": 0}}})") == keys_of(strategy));
  CHECK(expected_by_reader(R"({"strategies": {"s": {"groups": {"no_such_key": 0}}}})") ==
        keys_of(*strategy.find("groups")->find("properties")));
  CHECK(expected_by_reader(claim_with(R"("no_such_key": 0)")) == keys_of(*definition("claim").find("properties")));
  CHECK(expected_by_reader(claim_with(R"("quantity": "variance", "claimed": 0, "from": {"no_such_key": 0})")) ==
        keys_of(*definition("numbers").find("properties")));
}

TEST_CASE("the schema has the reader's names, and the reader the schema's") {
  std::set<std::string> quantities{valid_json};
  for (const dimension claimed : claimed_dimensions) {
    const auto d = static_cast<std::size_t>(claimed);
    std::set<std::string> of_dimension;
    for (const claim_quantity_entry& e : claim_quantity_table)
      if (static_cast<std::size_t>(e.dimension) == d) of_dimension.insert(e.name);
    CAPTURE(dimension_names[d]);
    CHECK(quantities_of(dimension_names[d]) == of_dimension);
    CHECK(!of_dimension.empty());
    quantities.merge(of_dimension);
  }
  CHECK(expected_by_reader(claim_with(R"("quantity": "?", "claimed": 0)")) == quantities);
  std::set<std::string> relations;
  for (const json_value& relation : definition("claim").find("properties")->find("relation")->find("enum")->items)
    relations.insert(relation.text);
  CHECK(expected_by_reader(claim_with(R"("quantity": "variance", "claimed": 0, "relation": "?")")) == relations);
}

TEST_CASE("every input of a claim has the schema's unit") {
  const json_value& properties = *definition("numbers").find("properties");
  for (const claim_input_entry& e : claim_input_table) {
    CAPTURE(e.name);
    CHECK(properties.find(e.name)->find("$ref")->text == std::string{"#/$defs/"} + name_of_dimension(e.dimension));
  }
}

TEST_CASE("the schema accepts the numbers that the reader accepts") {
  for (const std::string& words : printed) {
    const std::string value = '"' + words + '"';
    for (const dimension d : claimed_dimensions) judge(claim_to(value, d));
    judge(R"({"claims": [], "deployment": {"layers": )" + value + "}}");
  }
  for (const std::string& words : printed) {
    judge(claim_with(R"("quantity": "token_throughput", "claimed": "5/s", "from": {"samples": ")" + words + "\"}"));
    judge(claim_with(R"("quantity": "compute_utilisation", "claimed": "5%", "from": {"peak_flops": ")" + words + "\"}"));
  }
  for (const char* value : {"0", "\"30B\"", "\"1 s\"", "\"yes\"", "\"1 PB\"", "null"})
    judge(claim_with(std::string{R"("quantity": "ratio_to_target", "claimed": "1x", "from": {"value": )"} + value + "}"));
}

TEST_CASE("the schema accepts the relations that the reader accepts") {
  for (const char* relation : {"equals", "at_most", "less_than", "at_least", "more_than", "differs", "?"}) {
    judge(claim_with(R"("quantity": "deployable", "claimed": "yes", "relation": ")" + std::string{relation} + '"'));
    judge(claim_with(R"("quantity": "variance", "claimed": 0, "relation": ")" + std::string{relation} + '"'));
  }
}

TEST_CASE("the schema accepts the rates that the reader accepts") {
  std::mt19937 from{1};
  int accepted = 0;
  for (int i = 0; i < 2'000; ++i) {
    const std::string rate = '"' + draw_rate(from) + '"';
    const std::string of_anything =
        claim_with(R"("quantity": "scaling_efficiency", "claimed": "95%", "from": {"throughput": )" + rate + '}');
    const std::string claim =
        i % 3 == 0 ? of_anything : claim_to(rate, i % 3 == 1 ? dimension::sample_rate : dimension::token_rate);
    judge(claim);
    accepted += error_of(claim).empty() ? 1 : 0;
  }
  CHECK(accepted > 100);
}

TEST_CASE("the schema accepts what the reader accepts, value by value") {
  for (const std::string& value : values) {
    for (const dimension d : claimed_dimensions) judge(claim_to(value, d));
    for (const auto& [input, quantity] : inputs)
      judge(claim_with(std::string{R"("claimed": "1x", "quantity": ")"} + quantity + R"(", "from": {")" + input + "\": " + value +
                       "}"));
    for (const char* key : {"parameters", "bytes_per_parameter", "layers", "capacity"})
      judge(std::string{R"({"claims": [], "deployment": {")"} + key + "\": " + value + "}}");
    judge(R"({"claims": [], "strategies": {"s": {"tp": )" + value + "}}}");
    judge(R"({"claims": [], "strategies": {"s": {"groups": {"tp": )" + value + "}}}}");
    judge(R"({"claims": [], "strategies": {"s": {"groups": {"tp": [)" + value + "]}}}}");
    judge(R"({"claims": [], "strategies": {"s": {"groups": {"tp": [[)" + value + "]]}}}}");
    for (const char* key : {"lines", "text", "relation", "subject", "from"})
      judge(claim_with(std::string{R"("quantity": "variance", "claimed": 0, ")"} + key + "\": " + value));
    judge(claim_with(R"("quantity": "variance", "claimed": 0, "lines": [)" + value + "]"));
    judge(claim_with("\"claimed\": 0, \"quantity\": " + value));
    judge(R"({"claims": [{"quantity": "variance", "claimed": 0, "id": )" + value + "}]}");
    judge(R"({"claims": [)" + value + "]}");
    judge(R"({"claims": )" + value + "}");
    for (const char* key : {"schema", "title", "deployment", "strategies"})
      judge(std::string{R"({"claims": [], ")"} + key + "\": " + value + "}");
    judge(value);
  }
}

TEST_CASE("the schema asks for what the reader asks for") {
  const std::string about_a_text = R"("quantity": "valid_json", "claimed": "no", "document": "000.json")";
  judge(claim_with(about_a_text));
  judge(claim_with(R"("quantity": "valid_json", "claimed": "no")"));
  judge(claim_with(R"("quantity": "valid_json", "claimed": "64 GB", "document": "000.json")"));
  judge(claim_with(R"("quantity": "valid_json", "document": "000.json")"));
  judge(claim_with(R"("quantity": "valid_json", "claimed": "no", "document": 1)"));
  for (const char* more : {R"("relation": "differs")", R"("subject": "s")", R"("strategy": "s")", R"("from": {})",
                           R"("lines": [3])", R"("text": "t")"})
    judge(claim_with(about_a_text + ", " + more));
  judge(claim_with(R"("quantity": "variance", "claimed": 0, "document": "000.json")"));
  judge(claim_with(R"("claimed": 0)"));
  judge(claim_with(R"("quantity": "variance")"));
  judge(R"({"claims": [{"quantity": "variance", "claimed": 0}]})");
  judge("{}");
  judge(R"({"claims": [], "strategies": {"s": {"tp": 2, "no_such_key": 0}}})");
  for (const char* relation : {"equals", "at_most", "less_than", "at_least", "more_than", "differs"})
    judge(claim_with(std::string{R"("quantity": "variance", "claimed": 0, "relation": ")"} + relation + '"'));
  // Which strategies a report has no schema can say, nor whether an id is another claim's.
  CHECK(error_of(claim_with(R"("quantity": "variance", "claimed": 0, "strategy": "s")")) != "");
}
