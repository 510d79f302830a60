#include <doctest/doctest.h>

#include <moeplan/io/hugging_face/qwen.hpp>

#include "config_files.hpp"

using namespace moeplan;
using namespace moeplan_test;

TEST_CASE("biases of q, k and v without a key in the second generation") {
  for (const char* name : {"Qwen2.5-72B", "Qwen1.5-MoE-A2.7B", "Qwen2-57B-A14B"}) {
    CAPTURE(name);
    CHECK(read_file(name).attention.qkv_bias);
    CHECK_FALSE(read_file(name).attention.output_bias);
    CHECK_FALSE(read_text(with(name, "qkv_bias", false)).attention.qkv_bias);
  }
}

TEST_CASE("attention_bias in the third generation is on all four projections") {
  const model m = read_text(with("Qwen3-32B", "attention_bias", true));
  CHECK(m.attention.qkv_bias);
  CHECK(m.attention.output_bias);
  CHECK(m.attention.norm == query_key_norm::per_head);
}

TEST_CASE("a shared expert has a gate without a key") {
  for (const char* name : {"Qwen1.5-MoE-A2.7B", "Qwen2-57B-A14B", "Qwen3-Next-80B-A3B"}) CHECK(read_file(name).experts.shared_gate);
  CHECK_FALSE(read_file("Qwen3-30B-A3B").experts.shared_gate);
  CHECK(mentions(error_of(with("Qwen3-30B-A3B", "shared_expert_intermediate_size", 768)), "/shared_expert_intermediate_size"));
}

TEST_CASE("layers of Qwen that hold experts") {
  const model every_second = read_text(with("Qwen3-30B-A3B", "decoder_sparse_step", 2));
  CHECK_FALSE(every_second.has_experts(0)); // (i + 1) % 2 == 0
  CHECK(every_second.has_experts(1));
  CHECK(every_second.moe_layers() == 24);
  const model some = read_text(with("Qwen3-30B-A3B", "mlp_only_layers", nlohmann::json{0, 47}));
  CHECK(some.moe_layers() == 46);
  CHECK_FALSE(some.has_experts(47));
  CHECK(error_of(with("Qwen3-30B-A3B", "mlp_only_layers", nlohmann::json{0, 256}))
            .find("/mlp_only_layers/1: a number out of range") != std::string::npos);
  CHECK(error_of(with("Qwen3-30B-A3B", "mlp_only_layers", 3)).find("expected an array") != std::string::npos);
  CHECK(error_of(with("Qwen3-30B-A3B", "decoder_sparse_step", 0)).find("/decoder_sparse_step") != std::string::npos);
  CHECK(read_text(without("Qwen3-30B-A3B", "mlp_only_layers")) == read_file("Qwen3-30B-A3B"));
}

TEST_CASE("Qwen3-Next has softmax attention in every fourth layer") {
  const model m = read_file("Qwen3-Next-80B-A3B");
  CHECK(m.softmax_layers() == 12);
  CHECK(m.has_linear_attention(0));
  CHECK_FALSE(m.has_linear_attention(3));
  CHECK(m.attention.output_gate);
  CHECK(m.mtp_layers == 0); // no key tells of the checkpoint's module
  CHECK(read_text(without("Qwen3-Next-80B-A3B", "full_attention_interval")) == m);
  CHECK(mentions(error_of(with("Qwen3-Next-80B-A3B", "full_attention_interval", 0)), "expected an integer from 1"));
  CHECK(mentions(error_of(with("Qwen3-Next-80B-A3B", "linear_num_value_heads", 0)), "expected an integer from 1"));
}

TEST_CASE("layer_types must say what full_attention_interval says") {
  nlohmann::json types = nlohmann::json::array();
  for (int i = 0; i < 48; ++i) types.push_back(i % 4 == 3 ? "full_attention" : "linear_attention");
  const auto error = [&types] { return error_of(with("Qwen3-Next-80B-A3B", "layer_types", types)); };
  CHECK(error() == "no error");
  types[5] = "full_attention";
  CHECK(mentions(error(), "/layer_types/5: not what full_attention_interval says"));
  types[5] = "sliding_attention";
  CHECK(mentions(error(), "/layer_types/5: found \"sliding_attention\""));
  types.erase(5);
  CHECK(mentions(error(), "expected an array of 48 types of layers"));
  types = 48;
  CHECK(mentions(error(), "expected an array of 48 types of layers"));
}
