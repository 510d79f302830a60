#include <doctest/doctest.h>

#include <moeplan/io/report_numbers.hpp>

#include <algorithm>
#include <iterator>
#include <string>

using namespace moeplan;
using namespace moeplan::io;

namespace {

printed_value read(const std::string& json, dimension d) {
  const json_document document = parse_json(json, "r.json");
  return read_printed(json_place{document}, d);
}

/// What a reader says of a text that it refuses; empty if nothing.
template <class Reader>
std::string error_of(const std::string& json, Reader reader) {
  try {
    const json_document document = parse_json(json, "r.json");
    (void)reader(json_place{document});
  } catch (const input_error& error) { return error.what(); }
  return {};
}

std::string error_of(const std::string& json, dimension d) {
  return error_of(json, [d](const json_place& place) { return read_printed(place, d); });
}

claim_inputs inputs(const std::string& json) {
  const json_document document = parse_json(json, "r.json");
  return read_claim_inputs(json_place{document});
}

} // namespace

TEST_CASE("numbers are integers, or strings as they are printed") {
  CHECK(read("8192", dimension::number) == "8,192"_printed);
  CHECK(read("\"8,192\"", dimension::number) == printed_value{8192});
  CHECK(read("\"~17.7GB\"", dimension::bytes) == "17.7 GB"_printed);
  CHECK(read("\"27.6%\"", dimension::share) == "27.6%"_printed);
  CHECK(read("2", dimension::share) == printed_value{2});
  CHECK(read("\"8.5ms\"", dimension::time) == "8.5 ms"_printed);
  CHECK(read("\"12.8K tokens/sec\"", dimension::rate) == "12.8K tokens/s"_printed);
  CHECK(read("\"no\"", dimension::answer) == "no"_printed);
  CHECK(read("\"64-128\"", dimension::any).is_range());
  CHECK(read("999999999999999999", dimension::number).first.digits == 999'999'999'999'999'999);
  CHECK(read("0", dimension::number) == printed_value{0});
}

TEST_CASE("what is no such number says what would be") {
  CHECK(error_of("\"17.7 GB\"", dimension::number) == "r.json:1:1: found \"17.7 GB\" (a string), expected a number without a unit");
  CHECK(error_of("64", dimension::bytes) == "r.json:1:1: found 64, expected a number of bytes, such as 17.7 GB");
  CHECK(error_of("1", dimension::answer) == "r.json:1:1: found 1, expected yes or no");
  CHECK(error_of("17.7", dimension::bytes) ==
        "r.json:1:1: found 17.7, expected a number of bytes, such as 17.7 GB, as an integer or in a string as it is printed");
  CHECK(error_of("[]", dimension::number) ==
        "r.json:1:1: found an array, expected a number without a unit, as an integer or in a string as it is printed");
  for (const char* beyond : {"-1", "1000000000000000000", "9223372036854775808"}) {
    CAPTURE(beyond);
    CHECK(error_of(beyond, dimension::number) ==
          std::string{"r.json:1:1: a number out of range: found "} + beyond + ", expected an integer from 0 to 10^18 - 1");
  }
  CHECK(error_of("\"about 3\"", dimension::number).find("found \"a\" at character 1") != std::string::npos);
}

TEST_CASE("an exact integer is no string") {
  const auto exact = [](const std::string& json) { return error_of(json, &read_printed_integer); };
  CHECK(exact("64").empty());
  CHECK(exact("\"64\"") == "r.json:1:1: found \"64\" (a string), expected an integer");
  CHECK(exact("1.0") == "r.json:1:1: found 1.0, expected an integer");
  CHECK(exact("-4") == "r.json:1:1: a number out of range: found -4, expected an integer from 0 to 10^18 - 1");
}

TEST_CASE("what a claim is computed from, each with its own unit") {
  const claim_inputs given = inputs(R"({"capacity": "64 GB", "layers": 16, "utilisation": "66.1%"})");
  CHECK(given == claim_inputs{{claim_input::layers, 16},
                              {claim_input::capacity, "64 GB"_printed},
                              {claim_input::utilisation, "66.1%"_printed}});
  CHECK(inputs("{}") == claim_inputs{});
  const auto error = [](const std::string& json) { return error_of(json, &read_claim_inputs); };
  CHECK(error(R"({"layers": "16 GB"})") == "r.json:1:12: /layers: found \"16 GB\" (a string), expected a number without a unit");
  CHECK(error(R"({"layer": 16})").find("/layer: unknown key: found \"layer\", expected one of \"tp\", \"pp\"") !=
        std::string::npos);
  CHECK(error(R"({"layer": 16})").ends_with("nearest known: \"layers\""));
  CHECK(error("[]") == "r.json:1:1: found an array, expected an object with the numbers that the claim is computed from");
}

TEST_CASE("more numbers than there is room for are refused, not dropped") {
  std::string json;
  std::size_t written = 0;
  for (const claim_input_entry& e : claim_input_table) {
    const bool is_bytes = e.dimension == dimension::bytes;
    if ((e.dimension != dimension::number && !is_bytes) || written > claim_inputs::capacity) continue;
    json += (json.empty() ? "{\"" : ", \"") + std::string{e.name} + (is_bytes ? "\": \"1 GB\"" : "\": 1");
    ++written;
  }
  REQUIRE(written == claim_inputs::capacity + 1);
  CHECK(error_of(json + '}', &read_claim_inputs) ==
        "r.json:1:1: too many numbers: found an object, expected at most " + std::to_string(claim_inputs::capacity) + " numbers");
}

TEST_CASE("which numbers a quantity is computed with") {
  CHECK(is_computed_with(claim_quantity::layers_per_stage, claim_input::layers));
  CHECK(is_computed_with(claim_quantity::layers_per_stage, claim_input::pp_size));
  CHECK(!is_computed_with(claim_quantity::layers_per_stage, claim_input::tp_size));
  CHECK(is_computed_with(claim_quantity::product_gpus, claim_input::cp_size)); // where it is given
  CHECK(!is_computed_with(claim_quantity::product_gpus, claim_input::etp_size));
}

TEST_CASE("every quantity is computed with some number, and every number is of use to some quantity") {
  const auto count_if = [](const auto& table, auto is_one) { return std::count_if(std::begin(table), std::end(table), is_one); };
  for (const claim_quantity_entry& q : claim_quantity_table) {
    CAPTURE(q.name);
    CHECK(count_if(claim_input_table, [&](const claim_input_entry& i) { return is_computed_with(q.id, i.id); }) > 0);
  }
  for (const claim_input_entry& i : claim_input_table) {
    CAPTURE(i.name);
    CHECK(count_if(claim_quantity_table, [&](const claim_quantity_entry& q) { return is_computed_with(q.id, i.id); }) > 0);
  }
}
