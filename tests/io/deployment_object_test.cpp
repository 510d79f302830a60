#include <doctest/doctest.h>

#include <moeplan/io/deployment_object.hpp>

#include <string>
#include <vector>

using namespace moeplan;
using namespace moeplan::io;

namespace {

struct settings {
  std::int64_t number = 1;
  optional_integer maybe{};
  bool flag = false;
  recompute what = recompute::none;
  std::int64_t inner = 7;
  std::vector<default_in_force> defaults;
};

settings read(const std::string& text) {
  const json_document document = parse_json(text, "t.json");
  settings s;
  deployment_object object{json_place{document}, s.defaults};
  object.read("number", s.number, "who says one");
  object.read("maybe", s.maybe, "nothing", "who says nothing");
  object.read("flag", s.flag, "who says false");
  object.read("what", s.what, recompute_names, "who says none");
  deployment_object part = object.part("part");
  part.read("inner", s.inner, "who says seven");
  part.refuse_unknown_keys();
  object.refuse_unknown_keys();
  return s;
}

} // namespace

TEST_CASE("what is given is read, and no default") {
  const settings s = read(R"({"number": 5, "maybe": 0, "flag": true, "what": "full", "part": {"inner": 8}})");
  CHECK(s.number == 5);
  CHECK(s.maybe == optional_integer{0});
  CHECK(s.flag);
  CHECK(s.what == recompute::full);
  CHECK(s.inner == 8);
  CHECK(s.defaults.empty());
}

TEST_CASE("what is not given is listed with its value and its source") {
  const settings s = read("{}");
  CHECK_FALSE(s.maybe.given);
  REQUIRE(s.defaults.size() == 5);
  CHECK(s.defaults[0].key == "/number");
  CHECK(s.defaults[0].value == "1");
  CHECK(s.defaults[0].source == "who says one");
  CHECK(s.defaults[1].value == "nothing");
  CHECK(s.defaults[2].value == "false");
  CHECK(s.defaults[3].value == "\"none\"");
  CHECK(s.defaults[4].key == "/part/inner");
}

TEST_CASE("unknown keys are errors, in parts too") {
  CHECK_THROWS_AS(read(R"({"numbr": 5})"), input_error);
  CHECK_THROWS_AS(read(R"({"part": {"iner": 5}})"), input_error);
  CHECK_THROWS_AS(read(R"({"part": 5})"), input_error);
}
