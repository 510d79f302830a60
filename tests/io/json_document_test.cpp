#include <doctest/doctest.h>

#include <moeplan/io/json_document.hpp>

#include <filesystem>
#include <fstream>
#include <string>

using namespace moeplan::io;

namespace {

json_value parse(const std::string& text) { return parse_json(text, "t.json").root; }

std::string error_of(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const input_error& error) { return error.what(); }
  return "no error";
}

std::string error_of_file(const std::string& path) {
  try {
    (void)read_json(path);
  } catch (const input_error& error) { return error.what(); }
  return "no error";
}

} // namespace

TEST_CASE("every value knows where it stands") {
  const json_value root = parse("{\n  \"a\": [1, {\"b\": null}],\n  \"c\": \"x\"\n}\n");
  REQUIRE(root.kind == json_kind::object);
  CHECK(root.place == text_place{1, 1});
  REQUIRE(root.members.size() == 2);
  CHECK(root.members[0].key == "a");
  CHECK(root.members[0].place == text_place{2, 3});
  const json_value& array = root.members[0].value;
  CHECK(array.place == text_place{2, 8});
  REQUIRE(array.items.size() == 2);
  CHECK(array.items[0].integer == 1);
  CHECK(array.items[1].place == text_place{2, 12});
  CHECK(array.items[1].members[0].value.place == text_place{2, 18});
  CHECK(root.members[1].value.place == text_place{3, 8});
  CHECK(root.members[1].value.text == "x");
}

TEST_CASE("no digit of a number is lost") {
  CHECK(parse("9223372036854775807").integer == 9223372036854775807);
  CHECK(parse("-9223372036854775808").integer == -9223372036854775807 - 1);
  for (const char* text : {"9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809"}) {
    CHECK(parse(text).kind == json_kind::large_integer);
    CHECK(parse(text).text == text);
  }
  CHECK(parse("2.50").kind == json_kind::decimal);
  CHECK(parse("2.50").text == "2.50");
  CHECK(parse("1e3").kind == json_kind::decimal);
  CHECK(parse("-0").integer == 0);
  CHECK(parse("true").boolean);
  CHECK_FALSE(parse("false").boolean);
}

TEST_CASE("strings are read with their escapes") {
  CHECK(parse(R"("a\n\u00e4\"")").text == "a\n\xC3\xA4\"");
  CHECK(parse(R"({"\u0061": 1})").members[0].key == "a");
}

TEST_CASE("a wrong bracket is named with the one that it does not close") {
  CHECK(error_of("{\"a\": 1]") == "t.json:1:8: syntax error: found ']', expected ',' or '}' to close the '{' of line 1, column 1");
  CHECK(error_of("{\n \"a\": {\n  \"b\": 1\n ]\n}") ==
        "t.json:4:2: syntax error: found ']', expected ',' or '}' to close the '{' of line 2, column 7");
  CHECK(error_of("[1, 2}") == "t.json:1:6: syntax error: found '}', expected ',' or ']' to close the '[' of line 1, column 1");
}

TEST_CASE("what was expected is said") {
  CHECK(error_of("{") ==
        "t.json:1:2: syntax error: found the end of the text, expected a key in quotation marks or '}' to close the '{' of line 1, "
        "column 1");
  CHECK(error_of("{\"a\" 1}") == "t.json:1:6: syntax error: found '1', expected ':' after the key");
  CHECK(error_of("{\"a\":}") == "t.json:1:6: syntax error: found '}', expected a value after ':'");
  CHECK(error_of("{\"a\":1,}") == "t.json:1:8: syntax error: found '}', expected a key in quotation marks after ','");
  CHECK(error_of("[1,]") == "t.json:1:4: syntax error: found ']', expected a value after ','");
  CHECK(error_of("[01]") == "t.json:1:3: syntax error: found '1', expected ',' or ']' to close the '[' of line 1, column 1");
  CHECK(error_of("1 2") == "t.json:1:3: syntax error: found '2', expected the end of the text");
  CHECK(error_of("{a: 1}").starts_with("t.json:1:2: syntax error, invalid literal: found 'a', expected a key in quotation marks"));
  CHECK(error_of("[nul]") ==
        "t.json:1:2: syntax error, invalid literal: found 'nul', expected a value or ']' to close the '[' of line 1, column 1");
  CHECK(error_of("[1e999]").starts_with("t.json:1:2: a number out of range: found '1e999'"));
  CHECK(error_of("\"\xff\"").starts_with("t.json:1:1: syntax error, invalid string: ill-formed UTF-8 byte"));
  CHECK(error_of("// comment").starts_with("t.json:1:1: syntax error"));
}

TEST_CASE("a key that stands twice is an error at its second place") {
  CHECK(error_of("{\"a\": 1,\n \"b\": 2, \"a\": 3}") ==
        "t.json:2:10: duplicate key \"a\": expected each key once; it stands first on line 1, column 2");
  CHECK(error_of("{\"a\": 1, \"\\u0061\": 3}").starts_with("t.json:1:10: duplicate key \"a\""));
  CHECK(error_of("[{\"a\": 1}, {\"a\": 1}]") == "no error");
  CHECK(error_of("{\"a\": {\"a\": 1}}") == "no error");
}

TEST_CASE("an empty text is an error") {
  CHECK(error_of("") == "t.json: the text is empty: expected a JSON value");
  CHECK(error_of(" \n") == "t.json: the text is empty: expected a JSON value");
}

TEST_CASE("nesting is limited") {
  const std::string deepest = std::string(deepest_json, '[') + std::string(deepest_json, ']');
  CHECK(error_of(deepest) == "no error");
  CHECK(error_of('[' + deepest + ']').starts_with("t.json:1:201: nested too deeply"));
  CHECK(error_of(std::string(100'000, '[')).starts_with("t.json:1:201: nested too deeply"));
}

TEST_CASE("files that cannot be read are said to be so") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  CHECK(error_of_file((folder / "moeplan-no-such-file.json").string()).ends_with("no such file: expected a JSON file"));
  CHECK(error_of_file(folder.string()).ends_with("this is a directory: expected a JSON file"));
}

TEST_CASE("a file is read as a text") {
  const json_document document = read_json(MOEPLAN_TEST_DATA "/models/DeepSeek-V3.json");
  CHECK(document.file == MOEPLAN_TEST_DATA "/models/DeepSeek-V3.json");
  REQUIRE(document.root.find("hidden_size") != nullptr);
  CHECK(document.root.find("hidden_size")->integer == 7168);
}
