#include <doctest/doctest.h>

#include <moeplan/io/object_reader.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "object_text.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

namespace {

struct inner {
  std::int64_t number = 7;
  bool flag = false;

  friend bool operator==(const inner&, const inner&) = default;
};

struct outer {
  std::int64_t number = 1;
  optional_integer maybe{};
  recompute what = recompute::none;
  recompute_modules modules{};
  ratio share{0};
  inner plain{};
  inner named{};
};

constexpr moeplan::io::named<inner> inner_sets[] = {{"seven", {}}, {"eight", {.number = 8, .flag = true}}};

template <template <class> class Object>
void list_members(Object<inner>& object) {
  object.member("number", &inner::number, "who says seven");
  object.member("flag", &inner::flag, "who says false");
}

template <template <class> class Object>
void list_members(Object<outer>& object) {
  object.stated("number", &outer::number, "who says one");
  object.member("maybe", &outer::maybe, "nothing", "who says nothing");
  object.member("what", &outer::what, recompute_names, "who says none");
  object.member("modules", &outer::modules, recompute_module_names, "who says attention");
  object.share("share", &outer::share, "0: none", "who says zero");
  object.part("plain", &outer::plain, "an object with number and flag");
  object.part("named", &outer::named, "an object with number and flag", inner_sets);
}

} // namespace

TEST_CASE("what is given is read, and no default") {
  const auto [value, defaults] = read_text<outer>(R"({"number": 5, "maybe": 0, "what": "full", "modules": [], "share": 0.75,
    "plain": {"number": 3, "flag": true}, "named": {"number": 4, "flag": false}})");
  CHECK(value.number == 5);
  CHECK(value.maybe == optional_integer{0});
  CHECK(value.what == recompute::full);
  CHECK(value.modules == recompute_modules{.core_attention = false});
  CHECK(value.share == ratio{3, 4});
  CHECK(value.plain == inner{3, true});
  CHECK(value.named == inner{4, false});
  CHECK(defaults.empty());
}

TEST_CASE("what is not given is as by default, and listed in the order of the members") {
  CHECK(read_text<outer>("{}").value.plain == inner{});
  CHECK(defaults_of<outer>("{}") == std::vector<std::string>{"/number 1", "/maybe nothing", "/what \"none\"",
                                                             "/modules [\"core_attention\"]", "/share 0: none", "/plain/number 7",
                                                             "/plain/flag false", "/named/number 7", "/named/flag false"});
  CHECK(read_text<outer>("{}").defaults[0].source == "who says one");
}

TEST_CASE("a name stands for a whole object") {
  CHECK(read_text<outer>(R"({"named": "eight"})").value.named == inner{8, true});
  for (const std::string& line : defaults_of<outer>(R"({"named": "seven"})")) CHECK(line.rfind("/named", 0) != 0);
}

TEST_CASE("unknown keys are errors, in parts too") {
  CHECK(error_of<outer>(R"({"numbr": 5})").ends_with("nearest known: \"number\""));
  CHECK(error_of<outer>(R"({"plain": {"flg": true}})") ==
        "t.json:1:12: /plain/flg: unknown key: found \"flg\", expected one of \"number\", \"flag\"; nearest known: \"flag\"");
}

TEST_CASE("what is no such object") {
  CHECK(error_of<outer>(R"({"plain": 5})") == "t.json:1:11: /plain: found 5, expected an object with number and flag");
  CHECK(error_of<outer>(R"({"plain": "seven"})") ==
        "t.json:1:11: /plain: found \"seven\" (a string), expected an object with number and flag");
  CHECK(error_of<outer>(R"({"named": 5})") ==
        "t.json:1:11: /named: found 5, expected one of \"seven\", \"eight\", or an object with number and flag");
  CHECK(error_of<outer>(R"({"named": "eigth"})") ==
        "t.json:1:11: /named: found \"eigth\", expected one of \"seven\", \"eight\"; nearest known: \"eight\"");
}

TEST_CASE("a share is at most 1") {
  CHECK(read_text<outer>(R"({"share": 1})").value.share == ratio{1});
  CHECK(read_text<outer>(R"({"share": 0.000000000000000001})").value.share == ratio{1, 1'000'000'000'000'000'000});
  CHECK(error_of<outer>(R"({"share": 1.25})") ==
        "t.json:1:11: /share: a number out of range: found 1.25, expected a number from 0 to 1");
  CHECK(error_of<outer>(R"({"share": -0.5})").starts_with("t.json:1:11: /share: found -0.5, expected a number from 0"));
}
