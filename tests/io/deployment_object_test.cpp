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
  recompute_modules modules{};
  ratio factor{1};
  ratio share{0};
  bytes amount{5};
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
  object.read("modules", s.modules, recompute_module_names, "who says attention");
  object.read("factor", s.factor, "1: as it is", "who says one");
  object.read_share("share", s.share, "0: none", "who says zero");
  object.read("amount", s.amount, "who says five");
  deployment_object part = object.part("part", "an object with inner");
  part.read("inner", s.inner, "who says seven");
  part.refuse_unknown_keys();
  object.refuse_unknown_keys();
  return s;
}

} // namespace

TEST_CASE("what is given is read, and no default") {
  const settings s =
      read(R"({"number": 5, "maybe": 0, "flag": true, "what": "full", "modules": ["moe"], "factor": 1.5, "share": 0.5, "amount": 6,
    "part": {"inner": 8}})");
  CHECK(s.number == 5);
  CHECK(s.maybe == optional_integer{0});
  CHECK(s.flag);
  CHECK(s.what == recompute::full);
  CHECK(s.modules == recompute_modules{.core_attention = false, .moe = true});
  CHECK(s.factor == ratio{3, 2});
  CHECK(s.share == ratio{1, 2});
  CHECK(s.amount == bytes{6});
  CHECK(s.inner == 8);
  CHECK(s.defaults.empty());
}

TEST_CASE("what is not given is listed with its value and its source") {
  const settings s = read("{}");
  CHECK_FALSE(s.maybe.given);
  REQUIRE(s.defaults.size() == 9);
  CHECK(s.defaults[0].key == "/number");
  CHECK(s.defaults[0].value == "1");
  CHECK(s.defaults[0].source == "who says one");
  CHECK(s.defaults[1].value == "nothing");
  CHECK(s.defaults[2].value == "false");
  CHECK(s.defaults[3].value == "\"none\"");
  CHECK(s.defaults[4].value == "[\"core_attention\"]");
  CHECK(s.defaults[5].value == "1: as it is");
  CHECK(s.defaults[6].value == "0: none");
  CHECK(s.defaults[7].value == "5");
  CHECK(s.defaults[8].key == "/part/inner");
}

TEST_CASE("unknown keys are errors, in parts too") {
  CHECK_THROWS_AS(read(R"({"numbr": 5})"), input_error);
  CHECK_THROWS_AS(read(R"({"part": {"iner": 5}})"), input_error);
  CHECK_THROWS_WITH_AS(read(R"({"part": 5})"), "t.json:1:10: /part: found 5, expected an object with inner", input_error);
}

TEST_CASE("a share lies between 0 and 1, a ratio has no bound above") {
  CHECK(read(R"({"share": 1.0})").share == ratio{1});
  CHECK(read(R"({"factor": 2.5})").factor == ratio{5, 2});
  CHECK_THROWS_AS(read(R"({"share": 1.5})"), input_error);
  CHECK_THROWS_AS(read(R"({"share": -0.5})"), input_error);
  CHECK_THROWS_AS(read(R"({"factor": -0.5})"), input_error);
  CHECK_THROWS_AS(read(R"({"amount": -1})"), input_error);
}

TEST_CASE("a name stands once in an array of names") {
  CHECK(read(R"({"modules": []})").modules == recompute_modules{.core_attention = false});
  CHECK_THROWS_WITH_AS(read(R"({"modules": ["moe", "moe"]})"),
                       "t.json:1:21: /modules/1: given twice: found \"moe\" (a string), expected each name at most once",
                       input_error);
}
