#include <doctest/doctest.h>

#include <moeplan/io/json_writer.hpp>

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

using namespace moeplan::io;

namespace {

template <class Write>
std::string written(Write write) {
  std::ostringstream out;
  json_writer json{out};
  write(json);
  return out.str();
}

} // namespace

TEST_CASE("objects and arrays take a line an element, or one for all") {
  const std::string text = written([](json_writer& json) {
    json.begin_object();
    json.member("a", 1);
    json.key("b").begin_array();
    json.begin_array(json_lines::one).value(1).value(2).end_array();
    json.begin_array(json_lines::one).end_array();
    json.end_array();
    json.key("c").begin_object(json_lines::one).member("d", true).key("e").begin_array().value(1).value(2).end_array().end_object();
    json.key("f").begin_array().end_array();
    json.key("g").null();
    json.end_object();
  });
  CHECK(text == R"({
  "a": 1,
  "b": [
    [1, 2],
    []
  ],
  "c": {"d": true, "e": [1, 2]},
  "f": [],
  "g": null
}
)");
}

TEST_CASE("integers keep every digit") {
  const std::string text = written([](json_writer& json) {
    json.begin_array(json_lines::one);
    json.value(std::int64_t{-9223372036854775807} - 1).value(std::uint64_t{18446744073709551615U});
    json.value(json_integer{"19342813113834066795298816"});
    json.end_array();
  });
  CHECK(text == "[-9223372036854775808, 18446744073709551615, 19342813113834066795298816]\n");
}

TEST_CASE("strings are escaped") {
  const std::string text = written([](json_writer& json) {
    json.begin_array(json_lines::one).value("a\"b\\c\nd\x01").value(std::string{"\xC3\xA4"}).value("\xff").end_array();
  });
  CHECK(text == "[\"a\\\"b\\\\c\\nd\\u0001\", \"\xC3\xA4\", \"\xEF\xBF\xBD\"]\n");
}

TEST_CASE("a key may hold anything") {
  CHECK(written([](json_writer& json) { json.begin_object(json_lines::one).member("a\"b", "x").end_object(); }) ==
        "{\"a\\\"b\": \"x\"}\n");
}

TEST_CASE("doubles are read back as they were, and are no integers") {
  const std::string text = written([](json_writer& json) {
    json.begin_array(json_lines::one);
    json.value(1.0).value(0.1).value(1.2081316553727008).value(-2.5).value(1e300).value(5e-324).value(0.0);
    json.value(std::numeric_limits<double>::infinity()).value(std::numeric_limits<double>::quiet_NaN());
    json.end_array();
  });
  CHECK(text == "[1.0, 0.1, 1.2081316553727008, -2.5, 1e+300, 5e-324, 0.0, null, null]\n");
}
