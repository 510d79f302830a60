#include <doctest/doctest.h>

#include <moeplan/io/input_error.hpp>

#include <string>

using namespace moeplan::io;

namespace {

std::string message(input_problem problem) { return input_error{std::move(problem)}.what(); }

} // namespace

TEST_CASE("a message says what stood where and what was expected") {
  CHECK(message({.file = "d.json",
                 .place = {4, 15},
                 .key = "/strategy/tp",
                 .problem = "a number out of range",
                 .found = "9",
                 .expected = "an integer",
                 .nearest = "pp"}) ==
        "d.json:4:15: /strategy/tp: a number out of range: found 9, expected an integer; nearest known: \"pp\"");
}

TEST_CASE("a message leaves out what is not known") {
  CHECK(message({.file = "d.json", .problem = "no such file"}) == "d.json: no such file");
  CHECK(message({.file = "d.json", .problem = "missing key", .expected = "\"tp\""}) == "d.json: missing key: expected \"tp\"");
  CHECK(message({.found = "2"}) == "found 2");
}

TEST_CASE("the parts of a message can be asked for") {
  const input_error error{{.file = "d.json", .place = {1, 2}, .key = "/a"}};
  CHECK(error.problem().file == "d.json");
  CHECK(error.problem().place == text_place{1, 2});
  CHECK(error.problem().key == "/a");
}
