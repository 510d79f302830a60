#include <doctest/doctest.h>

#include <moeplan/io/json_reader.hpp>

#include <string>

#include <moeplan/describe/rank_order.hpp>

using namespace moeplan;
using namespace moeplan::io;

namespace {

/// What reading a text's value says; "no error" if nothing.
template <class Read>
std::string error_of(const std::string& text, Read read) {
  const json_document document = parse_json(text, "t.json");
  try {
    read(json_place{document});
  } catch (const input_error& error) { return error.what(); }
  return "no error";
}

template <class Read>
auto result_of(const std::string& text, Read read) {
  const json_document document = parse_json(text, "t.json");
  return read(json_place{document});
}

const auto as_integer = [](const json_place& place) { return place.integer(); };
const auto as_ratio = [](const json_place& place) { return place.ratio(); };

enum class colour { red, blue };
constexpr named<colour> colours[] = {{"red", colour::red}, {"blue", colour::blue}};

} // namespace

TEST_CASE("elements of an array are found by their numbers") {
  const json_document document = parse_json(R"({"list": [4, "x"]})", "t.json");
  const std::vector<json_place> items = json_object{json_place{document}}.need("list").items();
  REQUIRE(items.size() == 2);
  CHECK(items[0].integer() == 4);
  CHECK(items[0].pointer() == "/list/0");
  CHECK(items[1].string() == "x");
  CHECK(items[1].pointer() == "/list/1");
  CHECK(result_of("[]", [](const json_place& place) { return place.items().size(); }) == 0);
  CHECK(error_of("{}", [](const json_place& place) { return place.items("an array of names"); }) ==
        "t.json:1:1: found an object, expected an array of names");
}

TEST_CASE("an integer is an integer of 64 bits with sign") {
  CHECK(result_of("-4", as_integer) == -4);
  CHECK(result_of("9223372036854775807", as_integer) == 9223372036854775807);
  CHECK(error_of("9223372036854775808", as_integer) ==
        "t.json:1:1: a number out of range: found 9223372036854775808, expected an integer from -2^63 to 2^63 - 1");
  CHECK(error_of("2.5", as_integer) == "t.json:1:1: found 2.5, expected an integer");
  CHECK(error_of("4.0", as_integer) == "t.json:1:1: found 4.0, expected an integer");
  CHECK(error_of("\"4\"", as_integer) == "t.json:1:1: found \"4\" (a string), expected an integer");
  CHECK(error_of("true", as_integer) == "t.json:1:1: found true, expected an integer");
  CHECK(error_of("null", as_integer) == "t.json:1:1: found null, expected an integer");
  CHECK(error_of("[4]", as_integer) == "t.json:1:1: found an array, expected an integer");
}

TEST_CASE("a number that cannot be negative is refused where it is") {
  const auto read = [](const json_place& place) { return place.non_negative(); };
  CHECK(result_of("0", read) == 0);
  CHECK(error_of("-1", read) == "t.json:1:1: a number out of range: found -1, expected an integer from 0 to 2^63 - 1");
}

TEST_CASE("a decimal becomes an exact fraction") {
  CHECK(result_of("1.25", as_ratio) == ratio{5, 4});
  CHECK(result_of("1.0", as_ratio) == ratio{1});
  CHECK(result_of("3", as_ratio) == ratio{3});
  CHECK(result_of("0.1", as_ratio) == ratio{1, 10});
  CHECK(result_of("0.000000000000000001", as_ratio) == ratio{1, 1'000'000'000'000'000'000});
  CHECK(error_of("0.0000000000000000001", as_ratio) != "no error");
  CHECK(error_of("10.123456789012345678", as_ratio) != "no error"); // 20 digits
  CHECK(error_of("-1.5", as_ratio) != "no error");
  CHECK(error_of("-1", as_ratio) != "no error");
  CHECK(error_of("1e0", as_ratio) != "no error");
  CHECK(error_of("1.5e1", as_ratio) != "no error");
  CHECK(error_of("\"1.5\"", as_ratio) == "t.json:1:1: found \"1.5\" (a string), expected a number");
}

TEST_CASE("a choice knows the nearest name") {
  const auto read = [](const json_place& place) { return place.choice(colours); };
  CHECK(result_of("\"blue\"", read) == colour::blue);
  CHECK(error_of("\"bleu\"", read) == "t.json:1:1: found \"bleu\", expected one of \"red\", \"blue\"; nearest known: \"blue\"");
  CHECK(error_of("\"Blue\"", read) != "no error");
  CHECK(error_of("1", read) == "t.json:1:1: found 1, expected one of \"red\", \"blue\"");
}

TEST_CASE("flags and strings") {
  CHECK(result_of("true", [](const json_place& place) { return place.boolean(); }));
  CHECK(error_of("1", [](const json_place& place) { return place.boolean(); }) == "t.json:1:1: found 1, expected true or false");
  CHECK(result_of("\"x\"", [](const json_place& place) { return place.string(); }) == "x");
  CHECK(error_of("1", [](const json_place& place) { return place.string(); }) == "t.json:1:1: found 1, expected a string");
}

TEST_CASE("a reader of the core says where in a string it stopped") {
  const auto read = [](const json_place& place) { return place.parse(&rank_order::parse); };
  CHECK(result_of("\"tp-dp\"", read) == rank_order{"tp-dp"});
  CHECK(error_of("\"tp-xp\"", read) ==
        "t.json:1:1: not an axis of a rank order: found \"xp\" at character 4, expected each of tp, cp, ep, "
        "dp and pp at most once, joined by '-'");
}

TEST_CASE("an object's members are found by name, and errors carry their path") {
  const auto read = [](const json_place& place) {
    json_object object{place};
    return json_object{object.need("a")}.need("b/c~d").integer();
  };
  CHECK(result_of(R"({"a": {"b/c~d": 7}})", read) == 7);
  CHECK(error_of(R"({"a": {"b/c~d": "x"}})", read) == "t.json:1:17: /a/b~1c~0d: found \"x\" (a string), expected an integer");
  CHECK(error_of(R"({"a": 3})", read) == "t.json:1:7: /a: found 3, expected an object");
}

TEST_CASE("a missing key is named, with the one that may be it") {
  const auto read = [](const json_place& place) { (void)json_object{place}.need("hidden_size"); };
  CHECK(error_of("{}", read) == "t.json:1:1: /hidden_size: missing key: expected \"hidden_size\"");
  CHECK(error_of(R"({"hiden_size": 1})", read) ==
        "t.json:1:1: /hidden_size: missing key: found \"hiden_size\", expected \"hidden_size\"");
}

TEST_CASE("an unknown key is refused, with the nearest known one") {
  const auto read = [](const json_place& place) {
    json_object object{place};
    (void)object.find("tp");
    (void)object.find("dp");
    object.refuse_unknown_keys();
  };
  CHECK(error_of(R"({"dp": 1, "tp": 2})", read) == "no error");
  CHECK(error_of(R"({"dp": 1, "tpp": 2})", read) ==
        "t.json:1:11: /tpp: unknown key: found \"tpp\", expected one of \"tp\", \"dp\"; nearest known: \"tp\"");
  const auto allow = [](const json_place& place) { json_object{place}.allow_only({"tp"}); };
  CHECK(error_of(R"({"dp": 1})", allow) ==
        "t.json:1:2: /dp: unknown key: found \"dp\", expected one of \"tp\"; nearest known: \"tp\"");
}

TEST_CASE("null counts as absent only where that is asked for") {
  const json_document document = parse_json(R"({"a": null})", "t.json");
  json_object object{json_place{document}};
  CHECK(object.find("a").has_value());
  CHECK_FALSE(object.find_unless_null("a").has_value());
}
