#include <doctest/doctest.h>

#include <moeplan/io/assumptions_object.hpp>

#include <string>
#include <vector>

#include "member_count.hpp"
#include "object_text.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

TEST_CASE("every member has its key") {
  const auto [value, defaults] =
      read_text<assumptions>(R"({"latent_down_projections": "sharded", "latent_rope_queries": "replicated",
    "shared_experts": "replicated", "shared_experts_state": "experts", "router_state": "experts", "dense_states": "dp_ranks"})");
  CHECK(value == assumptions{.latent_down_projections = held::sharded,
                             .latent_rope_queries = held::replicated,
                             .shared_experts = held::replicated,
                             .shared_experts_state = state_group::experts,
                             .router_state = state_group::experts,
                             .dense_states = dense_shards::dp_ranks});
  CHECK(defaults.empty());
  CHECK(listed_members<assumptions>() == members_of<assumptions>());
}

TEST_CASE("by default what Megatron-LM does, and which file says so") {
  CHECK(read_text<assumptions>("{}").value == assumptions::megatron());
  CHECK(defaults_of<assumptions>("{}") == std::vector<std::string>{"/latent_down_projections \"replicated\"",
                                                                   "/latent_rope_queries \"sharded\"",
                                                                   "/shared_experts \"sharded\"", "/shared_experts_state \"dense\"",
                                                                   "/router_state \"dense\"", "/dense_states \"dp_and_cp_ranks\""});
  for (const default_in_force& d : read_text<assumptions>("{}").defaults) {
    CHECK(d.source.starts_with("Megatron-LM "));
    CHECK(d.source.find(".py") != std::string::npos);
  }
}

TEST_CASE("the sets are those that the description names") {
  CHECK(std::string{assumption_sets[0].name} == "megatron");
  CHECK(assumption_sets[0].value == assumptions{});
  CHECK(std::string{assumption_sets[1].name} == "megatron_estimator");
  CHECK(assumption_sets[1].value == assumptions{.latent_down_projections = held::sharded, .dense_states = dense_shards::dp_ranks});
  CHECK(std::string{assumption_sets[2].name} == "memory_analysis");
  CHECK(assumption_sets[2].value == assumptions{.latent_rope_queries = held::replicated,
                                                .shared_experts = held::replicated,
                                                .shared_experts_state = state_group::experts,
                                                .router_state = state_group::experts});
}

TEST_CASE("what is no assumption") {
  CHECK(error_of<assumptions>(R"({"shared_experts": "shard"})") ==
        "t.json:1:20: /shared_experts: found \"shard\", expected one of \"sharded\", \"replicated\"; nearest known: \"sharded\"");
  CHECK(error_of<assumptions>(R"({"shared_expert": "sharded"})").ends_with("nearest known: \"shared_experts\""));
}
