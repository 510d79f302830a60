#include <doctest/doctest.h>

#include <moeplan/io/hugging_face/window.hpp>

#include <string>
#include <vector>

#include "config_files.hpp"

using namespace moeplan;
using namespace moeplan_test;

// What Hugging Face's classes do with these keys: transformers, configuration_gpt_oss.py, configuration_llama4.py,
// configuration_mistral.py, configuration_mixtral.py, configuration_phimoe.py, configuration_qwen2.py, configuration_qwen2_moe.py,
// configuration_qwen3_moe.py.

namespace {

std::vector<std::string> types(std::size_t layers, const char* windowed, std::size_t full_every) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < layers; ++i) all.emplace_back((i + 1) % full_every == 0 ? "full_attention" : windowed);
  return all;
}

/// Layers with a window, as the reader sees them.
std::vector<std::int64_t> windowed(const model& m) {
  std::vector<std::int64_t> layers;
  for (std::int64_t i = 0; i < m.layers; ++i)
    if (m.has_window(i)) layers.push_back(i);
  return layers;
}

std::string qwen(const char* name, std::int64_t max_window_layers) {
  nlohmann::json changed = config(name);
  changed["use_sliding_window"] = true;
  changed["sliding_window"] = 1024;
  changed["max_window_layers"] = max_window_layers;
  return changed.dump();
}

} // namespace

TEST_CASE("gpt-oss: 128 tokens without a key, in every other layer") {
  const model m = read_file("gpt-oss-120b");
  CHECK(m.attention.window.tokens == 128);
  CHECK(m.attention.window.kind == window_kind::sliding);
  CHECK(windowed(m).size() == 18);
  CHECK(m.has_window(0));
  CHECK(read_text(without("gpt-oss-120b", "sliding_window")) == m);
  CHECK_FALSE(read_text(with("gpt-oss-120b", "sliding_window", nullptr)).has_window());
  CHECK(read_text(with("gpt-oss-120b", "sliding_window", 256)).attention.window.tokens == 256);
}

TEST_CASE("layer_types says it again, or says something else") {
  CHECK(read_text(with("gpt-oss-120b", "layer_types", types(36, "sliding_attention", 2))) == read_file("gpt-oss-120b"));
  const model m = read_text(with("gpt-oss-120b", "layer_types", types(36, "sliding_attention", 3)));
  CHECK(windowed(m).size() == 24);
  CHECK(m.has_window(1));
  CHECK_FALSE(m.has_window(2));
  CHECK(m.windowed_layers() == 24);
  CHECK_FALSE(read_text(with("gpt-oss-120b", "layer_types", types(36, "sliding_attention", 1))).has_window());
}

TEST_CASE("layer_types that cannot be used") {
  CHECK(
      mentions(error_of(with("gpt-oss-120b", "layer_types", types(35, "sliding_attention", 2))), "an array of 36 types of layers"));
  CHECK(mentions(error_of(with("gpt-oss-120b", "layer_types", "full_attention")), "an array of 36 types of layers"));
  CHECK(mentions(error_of(with("gpt-oss-120b", "layer_types", types(36, "chunked_attention", 2))), "/layer_types/0"));
  CHECK(mentions(error_of(with("gpt-oss-120b", "sliding_window", 0)), "/sliding_window"));
  CHECK(mentions(error_of(with("gpt-oss-120b", "sliding_window", -1)), "/sliding_window"));
}

TEST_CASE("Mistral: all layers, 4096 tokens without the key") {
  const model m = read_file("Mistral-7B");
  CHECK(m.attention.window.tokens == 4096);
  CHECK(m.windowed_layers() == m.layers);
  CHECK(read_text(without("Mistral-7B", "sliding_window")) == m);
  CHECK_FALSE(read_text(with("Mistral-7B", "sliding_window", nullptr)).has_window());
}

TEST_CASE("Mixtral and Phi-3.5-MoE: all layers, none without the key") {
  CHECK_FALSE(read_file("Mixtral-8x7B").has_window());
  CHECK_FALSE(read_text(without("Mixtral-8x7B", "sliding_window")).has_window());
  CHECK(read_text(with("Mixtral-8x7B", "sliding_window", 4096)).windowed_layers() == 32);
  CHECK_FALSE(read_file("Phi-3.5-MoE").has_window());
  CHECK(read_text(with("Phi-3.5-MoE", "sliding_window", 2048)).windowed_layers() == 32);
}

TEST_CASE("a window that no sequence outgrows is none") {
  CHECK_FALSE(read_text(with("Phi-3.5-MoE", "sliding_window", 131072)).has_window());
  CHECK(read_text(with("Phi-3.5-MoE", "sliding_window", 131071)).has_window());
}

TEST_CASE("Llama 4: chunks of 8192 tokens in layers with rotary embedding, without keys") {
  const model m = read_file("Llama-4-Scout");
  CHECK(m.attention.window.tokens == 8192);
  CHECK(m.attention.window.kind == window_kind::chunked);
  CHECK(windowed(m).size() == 36);
  CHECK_FALSE(m.has_window(3));
  CHECK_FALSE(m.has_window(47));
  CHECK(read_file("Llama-4-Maverick").attention.window == m.attention.window);
  CHECK_FALSE(read_text(with("Llama-4-Scout", "/text_config/attention_chunk_size", nullptr)).has_window());
}

TEST_CASE("Llama 4: layers without rotary embedding") {
  const model m = read_file("Llama-4-Scout");
  std::vector<int> rotary(48, 1);
  for (std::size_t i = 3; i < 48; i += 4) rotary[i] = 0;
  CHECK(read_text(with("Llama-4-Scout", "/text_config/no_rope_layers", rotary)) == m);
  CHECK(read_text(with("Llama-4-Scout", "/text_config/no_rope_layers", std::vector<int>{})) == m);
  rotary[0] = 0;
  CHECK(windowed(read_text(with("Llama-4-Scout", "/text_config/no_rope_layers", rotary))).size() == 35);
  CHECK(windowed(read_text(with("Llama-4-Scout", "/text_config/no_rope_layer_interval", 2))).size() == 24);
  CHECK(read_text(with("Llama-4-Scout", "/text_config/layer_types", types(48, "chunked_attention", 4))) == m);
  CHECK(mentions(error_of(with("Llama-4-Scout", "/text_config/no_rope_layers", std::vector<int>{1, 0})), "an array of 48 numbers"));
  CHECK(mentions(error_of(with("Llama-4-Scout", "/text_config/no_rope_layers", 4)), "an array of 48 numbers"));
}

TEST_CASE("Qwen: no window unless use_sliding_window is true") {
  CHECK_FALSE(read_file("Qwen2-57B-A14B").has_window());
  CHECK_FALSE(read_text(with("Qwen2-57B-A14B", "sliding_window", 1024)).has_window());
  CHECK_FALSE(read_file("Qwen3-32B").has_window());
  CHECK_FALSE(read_text(with("Qwen3-235B-A22B", "sliding_window", 1024)).has_window());
}

TEST_CASE("Qwen: which layers have the window") {
  // The dense models' from max_window_layers on; those of Qwen3-MoE all; those of Qwen2-MoE every other below max_window_layers.
  const model dense = read_text(qwen("Qwen3-32B", 60));
  CHECK(dense.attention.window.tokens == 1024);
  CHECK(windowed(dense) == std::vector<std::int64_t>{60, 61, 62, 63});
  CHECK_FALSE(read_text(qwen("Qwen3-32B", 64)).has_window());
  CHECK(windowed(read_text(qwen("Qwen2.5-72B", 78))) == std::vector<std::int64_t>{78, 79});
  CHECK(read_text(qwen("Qwen3-235B-A22B", 2)).windowed_layers() == 94);
  CHECK(windowed(read_text(qwen("Qwen2-57B-A14B", 5))) == std::vector<std::int64_t>{0, 2, 4});
}

TEST_CASE("Qwen: 4096 tokens from layer 28 on, without keys") {
  nlohmann::json changed = config("Qwen3-32B");
  changed["use_sliding_window"] = true;
  changed.erase("sliding_window");
  changed.erase("max_window_layers");
  const model m = read_text(changed.dump());
  CHECK(m.attention.window.tokens == 4096);
  CHECK(m.windowed_layers() == 36);
  CHECK(m.has_window(28));
  CHECK_FALSE(m.has_window(27));
  changed["num_hidden_layers"] = 300;
  CHECK(mentions(error_of(changed.dump()), "/use_sliding_window"));
}
