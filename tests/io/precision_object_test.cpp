#include <doctest/doctest.h>

#include <moeplan/io/precision_object.hpp>

#include <string>
#include <vector>

#include "member_count.hpp"
#include "object_text.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

TEST_CASE("every member has its key") {
  const auto [value, defaults] = read_text<precision>(R"({"weights": "fp16", "gradients": "bf16", "master_weights": "none",
    "first_moment": "fp8", "second_moment": "int8", "fp8": "mxfp8", "fp8_weights": true})");
  CHECK(value == precision{.weights = number_type::fp16,
                           .gradients = number_type::bf16,
                           .master_weights = number_type::none,
                           .first_moment = number_type::fp8,
                           .second_moment = number_type::int8,
                           .fp8 = fp8_recipe::mxfp8,
                           .fp8_weights = true});
  CHECK(defaults.empty());
  CHECK(listed_members<precision>() == members_of<precision>());
}

TEST_CASE("by default what --bf16 means to Megatron-LM") {
  CHECK(read_text<precision>("{}").value == precision{});
  CHECK(defaults_of<precision>("{}") == std::vector<std::string>{"/weights \"bf16\"", "/gradients \"fp32\"",
                                                                 "/master_weights \"fp32\"", "/first_moment \"fp32\"",
                                                                 "/second_moment \"fp32\"", "/fp8 \"none\"", "/fp8_weights false"});
  // Which is not what Megatron-LM does when nothing is said.
  const std::string source = read_text<precision>("{}").defaults[0].source;
  CHECK(source == "Megatron-LM --bf16, as every published launch script says: without it, fp32");
}

TEST_CASE("every type of numbers and every recipe") {
  const auto weights = [](const char* name) {
    return read_text<precision>(R"({"weights": ")" + std::string{name} + R"("})").value.weights;
  };
  CHECK(weights("none") == number_type::none);
  CHECK(weights("fp32") == number_type::fp32);
  CHECK(weights("bf16") == number_type::bf16);
  CHECK(weights("fp16") == number_type::fp16);
  CHECK(weights("fp8") == number_type::fp8);
  CHECK(weights("int8") == number_type::int8);
  CHECK(weights("fp4") == number_type::fp4);
  CHECK(weights("int4") == number_type::int4);
  const auto recipe = [](const char* name) { return read_text<precision>(R"({"fp8": ")" + std::string{name} + R"("})").value.fp8; };
  CHECK(recipe("none") == fp8_recipe::none);
  CHECK(recipe("delayed") == fp8_recipe::delayed);
  CHECK(recipe("tensorwise") == fp8_recipe::tensorwise);
  CHECK(recipe("blockwise") == fp8_recipe::blockwise);
  CHECK(recipe("mxfp8") == fp8_recipe::mxfp8);
}

TEST_CASE("what is no precision") {
  CHECK(
      error_of<precision>(R"({"weights": "bf61"})") ==
      "t.json:1:13: /weights: found \"bf61\", expected one of \"none\", \"fp32\", \"bf16\", \"fp16\", \"fp8\", \"int8\", \"fp4\", "
      "\"int4\"; nearest known: \"bf16\"");
  CHECK(error_of<precision>(R"({"weights": 16})").starts_with("t.json:1:13: /weights: found 16, expected one of \"none\""));
  CHECK(error_of<precision>(R"({"fp8": true})").starts_with("t.json:1:9: /fp8: found true, expected one of \"none\", \"delayed\""));
  CHECK(error_of<precision>(R"({"master_weight": "fp32"})").ends_with("nearest known: \"master_weights\""));
}
