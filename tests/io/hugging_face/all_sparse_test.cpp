#include <doctest/doctest.h>

#include <moeplan/io/hugging_face/all_sparse.hpp>

#include "config_files.hpp"

using namespace moeplan;
using namespace moeplan_test;

TEST_CASE("Phi-3.5-MoE has LayerNorms with biases and biases in attention and head") {
  const model m = read_file("Phi-3.5-MoE");
  CHECK(m.norm_bias);
  CHECK(m.lm_head_bias);
  CHECK(m.attention.output_bias);
  CHECK_FALSE(read_text(without("Phi-3.5-MoE", "lm_head_bias")).lm_head_bias);
  CHECK_FALSE(read_text(without("Phi-3.5-MoE", "attention_bias")).attention.qkv_bias);
}

TEST_CASE("OLMoE has norms of queries and keys without a key") {
  CHECK(read_file("OLMoE-1B-7B").attention.norm == query_key_norm::full_width);
  CHECK(read_text(with("OLMoE-1B-7B", "attention_bias", true)).attention.output_bias);
}

TEST_CASE("gpt-oss has sinks and biases everywhere without keys") {
  const model m = read_text(without("gpt-oss-120b", "attention_bias"));
  CHECK(m == read_file("gpt-oss-120b"));
  CHECK(m.attention.sinks);
  CHECK(m.attention.qkv_bias);
  CHECK(m.attention.output_bias);
  CHECK(m.experts.bias);
  CHECK(m.experts.router_bias);
  CHECK_FALSE(m.experts.selection_bias);
}

TEST_CASE("MiniMax-M2") {
  const char* name = "MiniMax-M2.5";
  const model m = read_file(name);
  CHECK(m.mtp_layers == 0); // declared, and in no checkpoint
  CHECK(m.attention.norm == query_key_norm::full_width);
  CHECK(read_text(with(name, "qk_norm_type", "per_head")).attention.norm == query_key_norm::per_head);
  CHECK(read_text(with(name, "use_qk_norm", false)).attention.norm == query_key_norm::none);
  CHECK_FALSE(read_text(with(name, "use_routing_bias", false)).experts.selection_bias);
  CHECK(read_text(with(name, "scoring_func", "softmax")).experts.score == router_score::softmax);
  CHECK(read_text(with(name, "attn_type_list", nlohmann::json{1, 1, 1})) == m);
}

TEST_CASE("what MiniMax-M2 does not have is refused") {
  const char* name = "MiniMax-M2.5";
  CHECK(mentions(error_of(with(name, "qk_norm_type", "per_token")), "/qk_norm_type"));
  CHECK(mentions(error_of(with(name, "shared_intermediate_size", 1536)), "/shared_intermediate_size: a shared expert"));
  CHECK(mentions(error_of(with(name, "attn_type_list", nlohmann::json{1, 0})), "/attn_type_list/1: linear attention"));
  CHECK(mentions(error_of(with(name, "attn_type_list", 1)), "expected an array"));
}

TEST_CASE("Grok-1 has four norms a layer and one matrix for embedding and head") {
  const model m = read_file("Grok-1");
  CHECK(m.norms_per_layer == 4);
  CHECK(read_text(without("Grok-1", "tie_word_embeddings")) == m);
  nlohmann::json other_name = config("Grok-1");
  other_name["num_experts"] = other_name["num_local_experts"];
  other_name.erase("num_local_experts");
  CHECK(read_text(other_name.dump()) == m);
}

TEST_CASE("DBRX has names of its own") {
  const model m = read_file("DBRX");
  CHECK(m.attention == attention::grouped_query(48, 8, 128));
  CHECK(m.max_positions == 32768);
  CHECK(mentions(error_of(without("DBRX", "ffn_config")), "/ffn_config: missing key"));
  CHECK(mentions(error_of(with("DBRX", "/attn_config/kv_n_heads", "8")), "/attn_config/kv_n_heads: found \"8\""));
}
