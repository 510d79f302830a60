#include <doctest/doctest.h>

#include <moeplan/io/serving_object.hpp>

#include <string>

#include "member_count.hpp"
#include "object_text.hpp"
#include "verify/random_deployment.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

namespace {

constexpr serving none_by_default{.batch = 3,
                                  .sequence_length = 4,
                                  .redundant_experts = 5,
                                  .decode_context = 7,
                                  .data_parallelism = data_parallelism::replicas,
                                  .elastic_ep = true,
                                  .vocabulary_multiple = 6,
                                  .weights = weight_format::fp8_block,
                                  .quantised = quantised_parts::routed_experts,
                                  .cache = cache_format::fp8_ds_mla,
                                  .block_size = 64,
                                  .windows = windowed_cache::all,
                                  .step_tokens = 2048,
                                  .linear_state = number_type::fp32,
                                  .drafts = true,
                                  .absorbed_projections = true,
                                  .reserve = bytes{4'000'000'000}};

} // namespace

TEST_CASE("every member has its key") {
  const auto [value, defaults] = read_text<serving>(R"({"batch": 3, "sequence_length": 4, "redundant_experts": 5,
    "decode_context": 7, "data_parallelism": "replicas", "elastic_ep": true, "vocabulary_multiple": 6,
    "weights": "fp8_block", "quantised": "routed_experts", "cache": "fp8_ds_mla", "block_size": 64, "windows": "all",
    "step_tokens": 2048,
    "linear_state": "fp32", "drafts": true, "absorbed_projections": true, "reserve_bytes": 4000000000})");
  CHECK(value == none_by_default);
  CHECK(defaults.empty());
  CHECK(listed_members<serving>() == members_of<serving>());
}

TEST_CASE("every member is written") {
  CHECK(
      written(none_by_default) ==
      "{\"batch\": 3, \"sequence_length\": 4, \"redundant_experts\": 5, \"decode_context\": 7, "
      "\"data_parallelism\": \"replicas\", \"elastic_ep\": true, \"vocabulary_multiple\": 6, "
      "\"weights\": \"fp8_block\", \"quantised\": \"routed_experts\", \"cache\": \"fp8_ds_mla\", \"block_size\": 64, "
      "\"windows\": \"all\", \"step_tokens\": 2048, \"linear_state\": \"fp32\", \"drafts\": true, \"absorbed_projections\": true, "
      "\"reserve_bytes\": 4000000000}\n");
  CHECK(written(serving{}) == "{\"batch\": 1, \"sequence_length\": 0}\n");
  CHECK(read_again(none_by_default) == none_by_default);
}

TEST_CASE("what cannot be read") {
  CHECK(error_of<serving>(R"({"weights": "fp8"})")
            .starts_with("t.json:1:13: /weights: found \"fp8\", expected one of \"bf16\", \"fp8_tensor\""));
  CHECK(error_of<serving>(R"({"reserve_bytes": -1})") ==
        "t.json:1:19: /reserve_bytes: a number out of range: found -1, expected an integer from 0 to 2^63 - 1");
  CHECK(error_of<serving>(R"({"reserve": 1})").ends_with("nearest known: \"reserve_bytes\""));
}

TEST_CASE("a serving deployment is read as it was written") {
  random_deployments random{20250302};
  int seen = 0;
  while (seen < 1000) {
    const deployment d = random.next();
    if (!d.workload.is_serving()) continue;
    ++seen;
    const serving& s = d.workload.serve;
    REQUIRE_MESSAGE(read_again(s) == s, written(s));
  }
}

TEST_CASE("defaults are those of the description") {
  CHECK(read_text<serving>("{}").value == serving{});
  CHECK(defaults_of<serving>("{}").size() == members_of<serving>());
}
