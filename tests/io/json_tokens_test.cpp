#include <doctest/doctest.h>

#include <moeplan/io/json_tokens.hpp>

using namespace moeplan::io;

TEST_CASE("tokens are found behind blanks and separators") {
  json_tokens tokens{"{\n  \"a\" : [1.5e3,true]}"};
  CHECK(tokens.begin() == text_place{1, 1});
  tokens.skip(1);
  CHECK(tokens.begin() == text_place{2, 3});
  tokens.skip_string();
  CHECK(tokens.begin() == text_place{2, 9});
  tokens.skip(1);
  CHECK(tokens.begin() == text_place{2, 10});
  CHECK(tokens.skip_number() == "1.5e3");
  CHECK(tokens.begin() == text_place{2, 16});
}

TEST_CASE("a number ends where JSON's grammar ends it") {
  const auto number = [](const char* text) { return json_tokens{text}.skip_number(); };
  CHECK(number("01") == "0");
  CHECK(number("-0.50,") == "-0.50");
  CHECK(number("12]") == "12");
  CHECK(number("1E+9}") == "1E+9");
}

TEST_CASE("a string ends at the quotation mark that is not escaped") {
  json_tokens tokens{R"("a\"b\\" x)"};
  tokens.skip_string();
  CHECK(tokens.begin() == text_place{1, 10});
}

TEST_CASE("columns count characters, not bytes") {
  json_tokens tokens{"\"\xC3\xA4\" 1"};
  tokens.skip_string();
  CHECK(tokens.begin() == text_place{1, 5});
}

TEST_CASE("a byte order mark is no character of the text") {
  json_tokens tokens{"\xEF\xBB\xBF 1"};
  CHECK(tokens.begin() == text_place{1, 2});
}

TEST_CASE("a word for a message ends at the next blank or bracket") {
  CHECK(json_tokens{"nul}"}.word() == "nul");
  CHECK(json_tokens{"}}"}.word() == "}");
  CHECK(json_tokens{"\"a b\"]"}.word() == "\"a b\"");
  CHECK(json_tokens{""}.word().empty());
  CHECK(json_tokens{""}.at_end());
}
