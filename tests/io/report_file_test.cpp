#include <doctest/doctest.h>

#include <moeplan/io/report_file.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

using namespace moeplan;
using namespace moeplan::io;

namespace {

const std::string examples = MOEPLAN_TEST_DATA "/../../examples";

/// In the folder of the examples, beside what they name.
report_file read(const std::string& text) { return read_report(parse_json(text, examples + "/reports/r.json")); }

/// What the reader says of a text that it refuses, after the file's name; empty if nothing.
std::string error_of(const std::string& text) {
  try {
    (void)read_report(parse_json(text, "r.json"));
  } catch (const input_error& error) { return error.what(); }
  return {};
}

const std::string whole = R"({
  "title": "T",
  "deployment": {"parameters": "30B", "layers": 16, "gpus": 128, "capacity": "64 GB"},
  "strategies": {"original": {"tp": 8, "ep": 0}, "other": {"tp": 2, "groups": {"tp": [[0, 1, 2]]}}},
  "claims": [
    {"id": "a", "lines": [7, 3], "text": "W", "quantity": "product_gpus", "claimed": "~8,192", "strategy": "original"},
    {"id": "b", "quantity": "used_memory", "relation": "less_than", "claimed": "64GB", "subject": "S", "from": {"used_memory": "5.9 GB"}},
    {"id": "c", "quantity": "layers_per_stage", "claimed": 4, "strategy": "other", "from": {"pp": 4, "layers": 32}}
  ]
})";

/// One claim, of which a part is replaced, in a report of its own.
std::string with(const std::string& part, const std::string& in_place_of) {
  std::string text = R"({"id": "a", "lines": [1], "text": "", "quantity": "experts_per_gpu", "claimed": "1", "subject": "s", )"
                     R"("from": {"experts": 64, "ep": 64}})";
  const std::size_t at = text.find(in_place_of);
  REQUIRE(at != std::string::npos);
  return "{\"claims\": [" + text.replace(at, in_place_of.size(), part) + "]}";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a deployment, its strategies and claims") {
  const report_file file = read(whole);
  CHECK(file.title == "T");
  CHECK(file.deployment == claim_inputs{{claim_input::parameters, "30B"_printed},
                                        {claim_input::layers, 16},
                                        {claim_input::gpus, 128},
                                        {claim_input::capacity, "64 GB"_printed}});
  REQUIRE(file.strategies.size() == 2);
  CHECK(file.strategies[0].name == "original");
  CHECK(file.strategies[0].degrees == claim_inputs{{claim_input::tp_size, 8}, {claim_input::ep_size, 0}});
  REQUIRE(file.strategies[1].groups.size() == 1);
  CHECK((file.strategies[1].groups[0].of == axis::tp));
  CHECK(file.strategies[1].groups[0].members == std::vector<std::vector<std::int64_t>>{{0, 1, 2}});
  REQUIRE(file.claims.size() == 3);
  const report_claim& a = file.claims[0];
  CHECK(a.id == "a");
  CHECK(a.lines == std::vector<std::int64_t>{7, 3});
  CHECK(a.words == "W");
  CHECK(a.quantity == "product_gpus");
  CHECK(a.claimed == "~8,192");
  CHECK(a.strategy == "original");
  CHECK(!a.document);
  CHECK((a.stated.quantity == claim_quantity::product_gpus));
  CHECK((a.stated.relation == claim_relation::equals));
  CHECK(a.stated.claimed == printed_value{8192});
}

TEST_CASE("a claim that names a strategy is computed from it, what is given comes before it, and others stand alone") {
  const report_file file = read(whole);
  claim_inputs first = numbers_of(file, file.strategies[0]);
  first.set(claim_input::pp_size, 1); // which the strategy does not have; what DP is, does not follow with EP 0
  CHECK(file.claims[0].stated.inputs == first);
  CHECK(first.items.size() == 7);
  CHECK(file.claims[1].stated.inputs == claim_inputs{{claim_input::used_memory, "5.9 GB"_printed}});
  const claim_inputs& c = file.claims[2].stated.inputs;
  CHECK(c[claim_input::tp_size] == printed_value{2});
  CHECK(c[claim_input::pp_size] == printed_value{4});
  CHECK(c[claim_input::layers] == printed_value{32});
}

TEST_CASE("a degree that a strategy does not have is 1, and DP is what the GPUs leave under the claim's mapping") {
  const auto inputs_of = [](const std::string& quantity, const std::string& strategy, const std::string& from) {
    return read(R"({"deployment": {"gpus": 1024, "layers": 16, "expert_intermediate_size": 2048}, "strategies": {"s": )" +
                strategy + R"(}, "claims": [{"id": "a", "quantity": ")" + quantity +
                R"(", "claimed": 8, "strategy": "s", "from": )" + from + "}]}")
        .claims[0]
        .stated.inputs;
  };
  const claim_inputs multiplied = inputs_of("product_gpus", R"({"pp": 4, "ep": 64, "dp": 4})", "{}");
  CHECK(multiplied[claim_input::tp_size] == printed_value{1});
  CHECK(multiplied[claim_input::dp_size] == printed_value{4});
  const std::string open = R"({"tp": 2, "pp": 4, "ep": 64})";
  CHECK(inputs_of("product_gpus", open, "{}")[claim_input::dp_size] == printed_value{2}); // 1,024 / (2 x 4 x 64)
  CHECK(inputs_of("over_capacity", open, "{}")[claim_input::dp_size] == printed_value{2});
  CHECK(inputs_of("folded_gpus", open, "{}")[claim_input::dp_size] == printed_value{128}); // 1,024 / (2 x 4)
  CHECK(inputs_of("folded_gpus", open, R"({"cp": 2})")[claim_input::dp_size] == printed_value{64});
  CHECK(inputs_of("folded_gpus", open, R"({"dp": 3})")[claim_input::dp_size] == printed_value{3});
  CHECK(!inputs_of("folded_gpus", R"({"tp": 3})", "{}").gives(claim_input::dp_size)); // which does not divide 1,024
  CHECK(inputs_of("experts_per_gpu", R"({"tp": 2})", R"({"experts": 8})")[claim_input::ep_size] == printed_value{1});
  CHECK(!inputs_of("layers_per_stage", R"({"pp": 4})", "{}").gives(claim_input::tp_size));
  CHECK(!inputs_of("expert_hidden_per_gpu", R"({"tp": 2})", "{}").gives(claim_input::etp_size));
}

TEST_CASE("all of a deployment, all degrees, and what a claim adds are not too many numbers") {
  const std::string all =
      R"({"deployment": {"parameters": "30B", "bytes_per_parameter": 2, "layers": 16, "experts": 64, "hidden_size": 1024,
          "heads": 16, "expert_intermediate_size": 2048, "sequence_length": 4096, "global_batch": 128, "micro_batch": 1,
          "micro_batches": 8, "batch": 128, "gpus": 128, "capacity": "64 GB"},
          "strategies": {"s": {"tp": 8, "pp": 4, "vpp": 1, "cp": 1, "ep": 8, "etp": 1, "dp": 4, "sp": 1}},
          "claims": [{"id": "a", "quantity": "total_memory", "claimed": "4 GB", "strategy": "s", "from": {"parameter_memory": "1 GB",
          "gradient_memory": "1 GB", "optimizer_memory": "1 GB", "activation_memory": "1 GB"}}]})";
  CHECK(error_of(all).empty());
  CHECK(read(all).claims[0].stated.inputs.items.size() == 26);
  for (const claim_quantity_entry& e : claim_quantity_table) {
    std::size_t numbers = std::size(moeplan::io::detail::described_numbers) + std::size(moeplan::io::detail::described_degrees);
    const std::size_t described = numbers;
    for (const claim_input_entry& i : claim_input_table) {
      const auto is_i = [&i](claim_input described_number) { return described_number == i.id; };
      const bool is_described = std::ranges::any_of(moeplan::io::detail::described_numbers, is_i) ||
                                std::ranges::any_of(moeplan::io::detail::described_degrees, is_i);
      numbers += !is_described && moeplan::io::detail::can_be_from(e.id, i.id) ? 1 : 0;
    }
    CHECK_MESSAGE(numbers <= claim_inputs::capacity, e.name);
    CHECK(numbers >= described);
  }
}

TEST_CASE("what is in flight is a rate of sequences, scaling is of anything") {
  const auto claim = [](const char* quantity, const char* claimed, const char* from) {
    return error_of(R"({"claims": [{"id": "a", "quantity": ")" + std::string{quantity} + R"(", "claimed": ")" + claimed +
                    R"(", "from": {)" + from + "}}]}");
  };
  CHECK(claim("batch_in_flight", "128", R"("throughput": "8000 samples/s", "latency": "0.016 s")").empty());
  CHECK(claim("batch_in_flight", "128", R"("throughput": "8000 tokens/s", "latency": "0.016 s")")
            .ends_with("/claims/0/from/throughput: found \"8000 tokens/s\" (a string), expected a rate of samples, sequences or "
                       "requests, such as 312 samples/s"));
  CHECK(contains(claim("throughput", "8000 tokens/s", R"("batch": 128, "latency": "0.016 s")"), "/claims/0/claimed: found"));
  CHECK(claim("scaling_efficiency", "95%", R"("throughput": "8 tokens/s", "base_throughput": "2 tokens/s")").empty());
}

TEST_CASE("an answer is yes or no, and the same or not") {
  const auto deployable = [](const char* claimed, const char* relation) {
    return error_of(R"({"claims": [{"id": "a", "quantity": "deployable", "claimed": )" + std::string{claimed} +
                    R"(, "relation": ")" + relation + "\"}]}");
  };
  CHECK(deployable(R"("yes")", "differs").empty());
  CHECK(deployable(R"("Yes")", "equals") == "r.json:1:62: /claims/0/claimed: found \"Yes\" (a string), expected yes or no");
  CHECK(deployable("1", "equals") == "r.json:1:62: /claims/0/claimed: found 1, expected yes or no");
  CHECK(contains(deployable(R"("yes")", "less_than"), "/claims/0/relation: "));
  CHECK(contains(deployable(R"("yes")", "less_than"), "expected one of \"equals\", \"differs\""));
}

TEST_CASE("a claim in the words of the core") {
  const report_file file = read(whole);
  const claim b = stated_in(file.claims[1]);
  CHECK(b.id == text{"b"});
  CHECK(b.subject == text{"S"});
  CHECK((b.relation == claim_relation::less_than));
  CHECK(b.claimed == "64 GB"_printed);
  CHECK(file.find("other") == &file.strategies[1]);
  CHECK(file.find("another") == nullptr);
}

TEST_CASE("a text that is JSON, and one that is not") {
  const auto about = [](const char* path) {
    return R"({"claims": [{"id": "a", "quantity": "valid_json", "claimed": "no", "document": ")" + std::string{path} + "\"}]}";
  };
  const report_file broken = read(about("000-broken.json"));
  REQUIRE(broken.claims[0].document);
  CHECK(broken.claims[0].document->path == "000-broken.json");
  CHECK(broken.claims[0].document->problem ==
        "000-broken.json:14:5: syntax error: found ']', expected ',' or '}' to close the '{' of line 12, column 25");
  CHECK(broken.claims[0].claimed == "no");
  CHECK(read(about("000.json")).claims[0].document->problem.empty());
  CHECK(error_of(about("none.json")) ==
        "r.json:1:80: /claims/0/document: no such file: found \"none.json\" (a string), expected the path "
        "of a text, relative to this file");
}

TEST_CASE("the path of a text is relative to the report, or absolute, and names a file") {
  const auto about = [](const std::string& path) {
    return R"({"claims": [{"id": "a", "quantity": "valid_json", "claimed": "yes", "document": ")" + path + "\"}]}";
  };
  const std::string absolute = std::filesystem::absolute(examples + "/reports/000.json").string();
  CHECK(read(about(absolute)).claims[0].document->problem.empty());
  CHECK(read(about(absolute)).claims[0].document->path == absolute);
  CHECK(read(about("../reports/000.json")).claims[0].document->problem.empty());
  for (const std::string path : {"", ".", "..", "/", "/none.json", "000.json/", "000.json\\u0000", "\\u0000", "~/000.json"}) {
    CAPTURE(path);
    std::string message;
    try {
      (void)read(about(path));
    } catch (const input_error& error) { message = error.what(); }
    CHECK(contains(message, "/claims/0/document: no such file"));
  }
  CHECK(contains(error_of(about(std::string(10'000, 'a'))), "/claims/0/document: no such file"));
}

TEST_CASE("a bracket that closes nothing is refused with its place and what closes what") {
  std::string message;
  try {
    (void)read_report(examples + "/reports/000-broken.json");
  } catch (const input_error& error) { message = error.what(); }
  CHECK(message.ends_with(
      "000-broken.json:14:5: syntax error: found ']', expected ',' or '}' to close the '{' of line 12, column 25"));
}

TEST_CASE("what cannot be used says where and why") {
  CHECK(error_of("[]") == "r.json:1:1: found an array, expected an object with deployment, strategies and claims");
  CHECK(error_of("{}") == "r.json:1:1: /claims: missing key: expected \"claims\"");
  CHECK(error_of(R"({"claim": []})") ==
        "r.json:1:2: /claim: unknown key: found \"claim\", expected one of \"schema\", \"title\", \"deployment\", \"strategies\", "
        "\"claims\"; nearest known: \"claims\"");
  CHECK(error_of(R"({"schema": 2, "claims": []})") == "r.json:1:12: /schema: found 2, expected 1, the only version there is");
  CHECK(error_of(R"({"claims": {}})") == "r.json:1:12: /claims: found an object, expected an array of claims");
  CHECK(error_of(R"({"deployment": {"layers": "16"}, "claims": []})") ==
        "r.json:1:27: /deployment/layers: found \"16\" (a string), expected an integer");
  CHECK(contains(error_of(R"({"deployment": {"expert": 16}, "claims": []})"), "/deployment/expert: unknown key"));
  CHECK(contains(error_of(R"({"deployment": {"used_memory": "1 GB"}, "claims": []})"), "/deployment/used_memory: unknown key"));
  CHECK(error_of(R"({"strategies": {"s": {"tp": -4}}, "claims": []})") ==
        "r.json:1:29: /strategies/s/tp: a number out of range: found -4, expected an integer from 0 to 10^18 - 1");
  CHECK(contains(error_of(R"({"strategies": {"s": {"tpp": 4}}, "claims": []})"), "nearest known: \"tp\""));
  CHECK(error_of(R"({"strategies": {"s": {"groups": {"tp": [0]}}}, "claims": []})") ==
        "r.json:1:41: /strategies/s/groups/tp/0: found 0, expected an array of ranks");
  CHECK(contains(error_of(R"({"strategies": {"s": {"groups": {"sp": [[0]]}}}, "claims": []})"),
                 "/strategies/s/groups/sp: unknown key"));
  CHECK(error_of(R"({"strategies": {"s": {"groups": {"tp": [[-1]]}}}, "claims": []})") ==
        "r.json:1:42: /strategies/s/groups/tp/0/0: a number out of range: found -1, expected an integer from 0 to 2^63 - 1");
}

TEST_CASE("a claim that cannot be used says where and why") {
  CHECK(error_of(with("1", "1")).empty());
  CHECK(contains(error_of(with("\"quantities\"", "\"quantity\"")),
                 "/claims/0/quantities: unknown key: found \"quantities\", expected one of \"id\""));
  CHECK(error_of(with(R"("lines": [1])", R"("id": "a", "lines": [1])")) ==
        "r.json:1:13: /claims/0/id: missing key: expected \"id\"");
  CHECK(contains(error_of(with("experts_per_gpus", "experts_per_gpu")),
                 "/claims/0/quantity: no quantity: found \"experts_per_gpus\", expected one of \"folded_gpus\""));
  CHECK(contains(error_of(with("experts_per_gpus", "experts_per_gpu")), "\"valid_json\"; nearest known: \"experts_per_gpu\""));
  CHECK(error_of(with(R"("1 GB")", R"("1")")) ==
        "r.json:1:93: /claims/0/claimed: found \"1 GB\" (a string), expected a number without a unit");
  CHECK(error_of(with("\"id\": \"\"", "\"id\": \"a\"")) ==
        "r.json:1:20: /claims/0/id: found \"\" (a string), expected a string that is not empty");
  CHECK(contains(error_of(with("\"subject\": \"\"", "\"subject\": \"s\"")), "/claims/0/subject: found \"\" (a string)"));
  CHECK(contains(error_of(with("[0]", "[1]")), "/claims/0/lines/0: a number out of range: found 0, expected an integer from 1"));
  CHECK(contains(error_of(with("\"relation\": \"less\", \"from\"", "\"from\"")), "nearest known: \"less_than\""));
  CHECK(contains(error_of(with("\"strategy\": \"s\", \"from\"", "\"from\"")),
                 "/claims/0/strategy: no strategy of this report: found \"s\""));
  CHECK(contains(error_of(with("\"document\": \"s\", \"from\"", "\"from\"")),
                 "/claims/0/document: a document of another quantity: found \"s\" (a string), expected a document for the quantity "
                 "valid_json alone"));
  CHECK(contains(error_of(with("valid_json", "experts_per_gpu")), "/claims/0/subject: a key that says nothing here"));
  const std::string twice = R"({"id": "a", "quantity": "variance", "claimed": 0})";
  CHECK(error_of("{\"claims\": [" + twice + ", " + twice + "]}") ==
        "r.json:1:71: /claims/1/id: given twice: found \"a\" (a string), expected an id that no other claim has");
  CHECK(
      error_of(
          R"({"claims": [{"id": "a", "quantity": "ratio_to_target", "claimed": "1x", "from": {"value": "1%", "reference": "1 s"}}]})") ==
      "r.json:1:81: /claims/0/from: two units: found an object, expected value and reference in the same unit, rates of the same "
      "thing");
  CHECK(error_of(R"({"claims": [{"id": "a", "quantity": "scaling_efficiency", "claimed": "95%", )"
                 R"("from": {"throughput": "5 tokens/s", "base_throughput": "5 seq/s"}}]})")
            .ends_with("/claims/0/from: two units: found an object, expected throughput and base_throughput of the same thing"));
  CHECK(
      error_of(with("\"token_throughput\", \"claimed\": \"8 billion things/s\"", "\"experts_per_gpu\", \"claimed\": \"1\"")) ==
      "r.json:1:94: /claims/0/claimed: no thing that a rate counts: found \"things\" at character 11, expected tokens, sequences, "
      "samples, requests, batches, steps, FLOP, or nothing, after K, M, B, T or thousand to trillion if any");
  CHECK(error_of(with("\"token_throughput\", \"claimed\": \"5 samples/s\"", "\"experts_per_gpu\", \"claimed\": \"1\""))
            .ends_with("found \"5 samples/s\" (a string), expected a rate of tokens, such as 12.8K tokens/s"));
}

TEST_CASE("a number that nothing is computed from is refused, with those that the quantity takes") {
  CHECK(error_of(with(R"("heads": 16, "ep")", R"("ep")")) ==
        "r.json:1:147: /claims/0/from/heads: a number that nothing is computed from here: found 16, expected for experts_per_gpu "
        "some of "
        "\"ep\", \"experts\"");
  const auto claim = [](const char* quantity, const char* claimed, const char* from) {
    return error_of(R"({"claims": [{"id": "a", "quantity": ")" + std::string{quantity} + R"(", "claimed": ")" + claimed +
                    R"(", "from": {)" + from + "}}]}");
  };
  CHECK(claim("bubble", "27%", R"("pp": 4, "micro_batches": 8, "vpp": 2)").empty()); // VPP may be given
  CHECK(contains(claim("bubble", "27%", R"("pp": 4, "tp": 2)"), "/claims/0/from/tp: a number that nothing is computed from here"));
  CHECK(claim("deployable", "yes", R"("tp": 2, "heads": 16, "gpus": 8)").empty());
  CHECK(contains(claim("deployable", "yes", R"("throughput": "8 seq/s")"), "/claims/0/from/throughput"));
}

TEST_CASE("a strategy's name that is not known gets the nearest one") {
  std::string text = whole;
  text.replace(text.find("\"strategy\": \"other\""), 19, "\"strategy\": \"orther\"");
  CHECK(
      error_of(text).ends_with("/claims/2/strategy: no strategy of this report: found \"orther\", expected one of \"original\", "
                               "\"other\"; nearest known: \"other\""));
}
