#include <doctest/doctest.h>

#include <moeplan/io/json_value.hpp>

#include <string>

using namespace moeplan::io;

namespace {

json_value value_of(json_kind kind, std::string text = {}) {
  json_value v;
  v.kind = kind;
  v.text = std::move(text);
  return v;
}

} // namespace

TEST_CASE("members are found by their key") {
  json_value object = value_of(json_kind::object);
  object.members.push_back({"a", {1, 2}, value_of(json_kind::string, "first")});
  object.members.push_back({"b", {1, 9}, value_of(json_kind::string, "second")});
  REQUIRE(object.find("b") != nullptr);
  CHECK(object.find("b")->text == "second");
  CHECK(object.find("c") == nullptr);
  CHECK(value_of(json_kind::null).find("a") == nullptr);
}

TEST_CASE("values are shown as they stood") {
  CHECK(shown(value_of(json_kind::null)) == "null");
  CHECK(shown(value_of(json_kind::boolean)) == "false");
  CHECK(shown(value_of(json_kind::integer, "-4")) == "-4");
  CHECK(shown(value_of(json_kind::large_integer, "9223372036854775808")) == "9223372036854775808");
  CHECK(shown(value_of(json_kind::decimal, "2.50")) == "2.50");
  CHECK(shown(value_of(json_kind::string, "four")) == "\"four\" (a string)");
  CHECK(shown(value_of(json_kind::array)) == "an array");
  CHECK(shown(value_of(json_kind::object)) == "an object");
}

TEST_CASE("a long text is cut, control characters do not reach a message") {
  CHECK(shortened(std::string(60, 'x')) == std::string(60, 'x'));
  CHECK(shortened(std::string(61, 'x')) == std::string(60, 'x') + "...");
  CHECK(in_quotes("a\nb\x1b[0m\x7f") == "\"a?b?[0m?\"");
}

TEST_CASE("a UTF-8 character is not cut in two") {
  const std::string umlaut = "\xC3\xA4"; // two bytes
  CHECK(shortened(std::string(59, 'x') + umlaut) == std::string(59, 'x') + "...");
}
