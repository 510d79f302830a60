#include <doctest/doctest.h>

#include <moeplan/io/hugging_face/llama.hpp>

#include "config_files.hpp"

using namespace moeplan;
using namespace moeplan_test;

TEST_CASE("biases of attention") {
  const model m = read_text(with("Llama-3.1-8B", "attention_bias", true));
  CHECK(m.attention.qkv_bias);
  CHECK(m.attention.output_bias);
  CHECK(read_text(with("Llama-4-Scout", "/text_config/attention_bias", true)).attention.output_bias);
}

TEST_CASE("Mistral's dense models are read as Llama's, but for the window") {
  model m = read_file("Mistral-7B");
  m.attention.window = {};
  CHECK(read_text(with("Mistral-7B", "model_type", "llama")) == m);
}

TEST_CASE("Llama 4 is its text model") {
  const model m = read_file("Llama-4-Scout");
  CHECK(read_text(config("Llama-4-Scout")["text_config"].dump()) == m);
  CHECK(read_text(with("Llama-4-Scout", "vision_config", config("Llama-4-Scout"))) == m); // no part of a model
  CHECK(m.experts.shared_intermediate_size == m.experts.intermediate_size);
  CHECK(m.dense_layers() == 0);
  CHECK(m.attention.norm == query_key_norm::none); // use_qk_norm has no weights
  CHECK_FALSE(m.tied_embeddings);
  CHECK(read_text(with("Llama-4-Scout", "tie_word_embeddings", true)).tied_embeddings);
  CHECK(mentions(error_of(without("Llama-4-Scout", "text_config")), "/text_config: missing key"));
}

TEST_CASE("every other layer of Llama 4 Maverick holds experts") {
  const model m = read_file("Llama-4-Maverick");
  CHECK_FALSE(m.has_experts(0)); // (i + 1) % 2 == 0
  CHECK(m.has_experts(1));
  CHECK(m.intermediate_size == 16384);
  CHECK(mentions(error_of(with("Llama-4-Maverick", "/text_config/interleave_moe_layer_step", 0)), "expected an integer from 1"));
}
