#include <doctest/doctest.h>

#include <moeplan/io/kernels_object.hpp>

#include <string>
#include <vector>

#include "member_count.hpp"
#include "object_text.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

TEST_CASE("every member has its key") {
  const auto [value, defaults] = read_text<kernels>(R"({"flash_attention": false, "fused_cross_entropy": true,
    "fused_weight_gradient": false, "attention_dropout": true, "hidden_dropout": true})");
  CHECK(value == kernels{.flash_attention = false,
                         .fused_cross_entropy = true,
                         .fused_weight_gradient = false,
                         .attention_dropout = true,
                         .hidden_dropout = true});
  CHECK(defaults.empty());
  CHECK(listed_members<kernels>() == members_of<kernels>());
}

TEST_CASE("by default flash attention, no dropout") {
  CHECK(read_text<kernels>("{}").value == kernels{});
  CHECK(defaults_of<kernels>("{}") == std::vector<std::string>{"/flash_attention true", "/fused_cross_entropy false",
                                                               "/fused_weight_gradient true", "/attention_dropout false",
                                                               "/hidden_dropout false"});
  // Megatron-LM's bare default is a dropout of 0.1.
  CHECK(read_text<kernels>("{}").defaults[4].source ==
        "Megatron-LM --hidden-dropout 0, as launch scripts of MoE models say: without it, 0.1");
}

TEST_CASE("what is no kernel") {
  CHECK(error_of<kernels>(R"({"attention_dropout": 0.1})") == "t.json:1:23: /attention_dropout: found 0.1, expected true or false");
  CHECK(error_of<kernels>(R"({"flash_atention": true})").ends_with("nearest known: \"flash_attention\""));
}
