#include <doctest/doctest.h>

#include <moeplan/io/hugging_face/deepseek.hpp>

#include "config_files.hpp"

using namespace moeplan;
using namespace moeplan_test;

TEST_CASE("Kimi K2 is read as DeepSeek-V3 is") {
  CHECK(read_text(with("Kimi-K2", "model_type", "deepseek_v3")) == read_file("Kimi-K2"));
}

TEST_CASE("DeepSeek-V3.2 is DeepSeek-V3 with an indexer") {
  model m = read_file("DeepSeek-V3.2");
  CHECK(m.attention.indexer == sparse_indexer{.heads = 64, .head_dim = 128, .top_k = 2048});
  m.attention.indexer = {};
  CHECK(m == read_file("DeepSeek-V3"));
}

TEST_CASE("an indexer needs its sizes and compressed queries") {
  for (const char* key : {"index_n_heads", "index_head_dim", "index_topk"}) {
    CHECK(mentions(error_of(without("DeepSeek-V3.2", key)), "missing key"));
    CHECK(mentions(error_of(with("DeepSeek-V3.2", key, -1)), "expected an integer from 1"));
  }
  CHECK(mentions(error_of(with("DeepSeek-V3.2", "q_lora_rank", nullptr)), "/q_lora_rank: found null, expected an integer"));
}

TEST_CASE("what DeepSeek's model types take when keys are absent") {
  CHECK(read_text(without("DeepSeek-V3", "topk_method")).experts.selection_bias);
  CHECK(read_text(without("DeepSeek-V3", "scoring_func")).experts.score == router_score::sigmoid);
  CHECK_FALSE(read_text(without("DeepSeek-V2", "topk_method")).experts.selection_bias);
  CHECK(read_text(without("DeepSeek-V2", "scoring_func")).experts.score == router_score::softmax);
  CHECK(read_text(with("DeepSeek-V3", "q_lora_rank", nullptr)).attention.q_lora_rank == 0);
  CHECK(read_text(with("DeepSeek-V3", "n_shared_experts", nullptr)).experts.shared_intermediate_size == 0);
  CHECK(read_text(with("DeepSeek-V3", "moe_layer_freq", 2)).moe_layers() == 29); // layers 4, 6, ..., 60
}

TEST_CASE("what would be miscounted is refused") {
  CHECK(mentions(error_of(with("DeepSeek-V3", "attention_bias", true)), "/attention_bias: biases in latent attention"));
  CHECK(mentions(error_of(with("DeepSeek-V3", "topk_method", "greedy")), "/topk_method"));
  CHECK(mentions(error_of(with("DeepSeek-V2", "scoring_func", "tanh")), "/scoring_func"));
  CHECK(mentions(error_of(with("DeepSeek-V3", "moe_layer_freq", nlohmann::json{0, 1})), "/moe_layer_freq: found an array"));
}
