#include <doctest/doctest.h>

#include <moeplan/io/hugging_face/first_dense.hpp>

#include "config_files.hpp"

using namespace moeplan;
using namespace moeplan_test;

TEST_CASE("GLM-4.5") {
  CHECK(read_file("GLM-4.5").attention.norm == query_key_norm::per_head);
  const model air = read_file("GLM-4.5-Air");
  CHECK(air.attention.norm == query_key_norm::none);
  CHECK(air.attention.qkv_bias);
  CHECK_FALSE(air.attention.output_bias);
  CHECK(air.experts.selection_bias);
  CHECK(air.mtp_layers == 1);
  CHECK(read_text(with("GLM-4.5-Air", "n_shared_experts", nullptr)).experts.shared_intermediate_size == 0);
  CHECK(
      mentions(error_of(with("GLM-4.5-Air", "n_shared_experts", 9223372036854775807)), "/n_shared_experts: a number out of range"));
}

TEST_CASE("layers of ERNIE 4.5 that hold experts") {
  const char* name = "ERNIE-4.5-21B-A3B";
  const model m = read_file(name);
  CHECK(m.experts.layers == layer_set::after_first(1));
  for (const auto& last : {nlohmann::json(nullptr), nlohmann::json(-1), nlohmann::json(27), nlohmann::json(9223372036854775807)})
    CHECK(read_text(with(name, "moe_layer_end_index", last)) == m);
  const model some = read_text(with(name, "moe_layer_end_index", 20));
  CHECK(some.moe_layers() == 20);
  CHECK(some.has_experts(20));
  CHECK_FALSE(some.has_experts(21));
  const model every_second = read_text(with(name, "moe_layer_interval", 2));
  CHECK_FALSE(every_second.has_experts(2)); // (i + 1) % 2 == 0
  CHECK(every_second.has_experts(3));
  CHECK(mentions(error_of(with(name, "moe_layer_interval", 0)), "expected an integer from 1"));
  CHECK(mentions(error_of(with(name, "moe_layer_end_index", -2)), "expected an integer from -1"));
  nlohmann::json deep = config(name);
  deep["num_hidden_layers"] = 257;
  CHECK(mentions(error_of(deep.dump()), "/moe_layer_end_index: dense layers at the end"));
}

TEST_CASE("ERNIE 4.5 has tied embeddings unless a key says otherwise, and no other biases") {
  CHECK(read_text(without("ERNIE-4.5-21B-A3B", "tie_word_embeddings")).tied_embeddings);
  CHECK_FALSE(read_text(with("ERNIE-4.5-21B-A3B", "tie_word_embeddings", false)).tied_embeddings);
  CHECK(mentions(error_of(with("ERNIE-4.5-21B-A3B", "use_bias", true)), "/use_bias: biases in attention and MLP"));
}

TEST_CASE("Ling under both names of its model type") {
  const model m = read_file("Ling-1T");
  CHECK(read_text(with("Ling-1T", "model_type", "bailing_moe_v2")) == m);
  CHECK(m.attention.norm == query_key_norm::per_head);
  CHECK(m.experts.selection_bias);
  CHECK(m.experts.score == router_score::sigmoid);
  CHECK(m.experts.groups == 8);
  CHECK(m.experts.group_top_k == 4);
}

TEST_CASE("Ling's first version has neither correction bias nor groups") {
  const model m = read_text(without("Ling-1T", "moe_router_enable_expert_bias"));
  CHECK_FALSE(m.experts.selection_bias);
  CHECK(m.experts.score == router_score::softmax);
  CHECK(m.experts.groups == 1);
  CHECK(read_text(with("Ling-1T", "score_function", "softmax")).experts.score == router_score::softmax);
  CHECK(read_text(with("Ling-1T", "use_qkv_bias", true)).attention.qkv_bias);
  CHECK(read_text(without("Ling-1T", "first_k_dense_replace")).dense_layers() == 0);
}

TEST_CASE("Ling's biases") {
  CHECK(mentions(error_of(with("Ling-1T", "use_bias", true)), "/use_bias: biases in attention and MLP"));
  CHECK(mentions(error_of(without("Ling-1T", "use_bias")), "/use_bias: missing key")); // true without the key
}
