#include <doctest/doctest.h>

#include <moeplan/io/object_writer.hpp>

#include <cstdint>

#include "object_text.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

namespace {

struct inner {
  bool flag = true;
  std::int64_t number = 7;

  friend bool operator==(const inner&, const inner&) = default;
};

struct outer {
  std::int64_t number = 1;
  optional_integer maybe{};
  recompute what = recompute::none;
  recompute_modules modules{};
  ratio share{0};
  ratio factor{1};
  bytes amount{};
  inner plain{};
  inner named{};

  friend bool operator==(const outer&, const outer&) = default;
};

constexpr moeplan::io::named<inner> inner_sets[] = {{"seven", {}}, {"eight", {.flag = false, .number = 8}}};

template <template <class> class Object>
void list_members(Object<inner>& object) {
  object.member("flag", &inner::flag, "");
  object.member("number", &inner::number, "");
}

template <template <class> class Object>
void list_members(Object<outer>& object) {
  object.stated("number", &outer::number, "");
  object.member("maybe", &outer::maybe, "", "");
  object.member("what", &outer::what, recompute_names, "");
  object.member("modules", &outer::modules, recompute_module_names, "");
  object.share("share", &outer::share, "", "");
  object.member("factor", &outer::factor, "", "");
  object.member("amount", &outer::amount, "");
  object.part("plain", &outer::plain, "");
  object.part("named", &outer::named, "", inner_sets);
}

} // namespace

TEST_CASE("what is as by default is left out, unless it is to be stated") {
  CHECK(written(outer{}) == "{\"number\": 1}\n");
  CHECK(written(inner{}) == "{}\n");
}

TEST_CASE("what is not as by default is written") {
  CHECK(written(outer{.number = 2, .maybe = 0, .what = recompute::full}) == "{\"number\": 2, \"maybe\": 0, \"what\": \"full\"}\n");
  CHECK(written(outer{.modules = {.core_attention = false, .moe = true, .shared_experts = true}}) ==
        "{\"number\": 1, \"modules\": [\"moe\", \"shared_experts\"]}\n");
  CHECK(written(outer{.modules = {.core_attention = false}}) == "{\"number\": 1, \"modules\": []}\n");
  CHECK(written(outer{.amount = bytes{9'223'372'036'854'775'807}}) == "{\"number\": 1, \"amount\": 9223372036854775807}\n");
  CHECK(written(outer{.plain = {.flag = false}}) == "{\"number\": 1, \"plain\": {\"flag\": false}}\n");
}

TEST_CASE("a ratio is written with a point") {
  CHECK(written(outer{.factor = {5, 4}}) == "{\"number\": 1, \"factor\": 1.25}\n");
  CHECK(written(outer{.factor = {0}}) == "{\"number\": 1, \"factor\": 0}\n");
  CHECK(written(outer{.share = {1, 1'000'000'000'000'000'000}}) == "{\"number\": 1, \"share\": 0.000000000000000001}\n");
  // 18 digits, and the most that there can be before them.
  CHECK(written(outer{.factor = {9'223'372'036'854'775'807, 1'000'000'000'000'000'000}}) ==
        "{\"number\": 1, \"factor\": 9.223372036854775807}\n");
}

TEST_CASE("a part that has a name is written by its name") {
  CHECK(written(outer{.named = {.flag = false, .number = 8}}) == "{\"number\": 1, \"named\": \"eight\"}\n");
  CHECK(written(outer{.named = {.number = 8}}) == "{\"number\": 1, \"named\": {\"number\": 8}}\n");
}

TEST_CASE("an object is read as it was written") {
  const outer o{.number = -3,
                .maybe = 4,
                .what = recompute::selective,
                .modules = {.core_attention = false, .mlp = true},
                .share = {1, 8},
                .factor = {123'456'789'012'345'679, 1'000'000'000'000'000'000},
                .amount = bytes{12},
                .plain = {.number = 9},
                .named = {.flag = false}};
  CHECK(read_again(o) == o);
}

TEST_CASE("lines: one, or as many as there are members") {
  std::ostringstream out;
  json_writer json{out};
  write_object(json, outer{.plain = {.flag = false, .number = 8}});
  CHECK(out.str() == "{\n  \"number\": 1,\n  \"plain\": {\"flag\": false, \"number\": 8}\n}\n");
}
