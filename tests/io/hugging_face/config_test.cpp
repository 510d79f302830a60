#include <doctest/doctest.h>

#include <moeplan/io/hugging_face/config.hpp>

#include <map>
#include <string>

#include "config_files.hpp"

using namespace moeplan;
using namespace moeplan_test;

TEST_CASE("a missing key that is needed is named") {
  CHECK(error_of(without("DeepSeek-V3", "hidden_size")) == "config.json:1:1: /hidden_size: missing key: expected \"hidden_size\"");
  for (const char* key :
       {"num_hidden_layers", "vocab_size", "num_attention_heads", "kv_lora_rank", "q_lora_rank", "qk_nope_head_dim",
        "qk_rope_head_dim", "v_head_dim", "intermediate_size", "n_routed_experts", "num_experts_per_tok", "moe_intermediate_size",
        "n_shared_experts", "first_k_dense_replace", "model_type"}) {
    CHECK(error_of(without("DeepSeek-V3", key)).find("missing key: expected \"" + std::string{key} + '"') != std::string::npos);
  }
  for (const char* key : {"num_local_experts", "num_experts_per_tok", "num_key_value_heads", "intermediate_size"}) {
    CHECK(error_of(without("Mixtral-8x7B", key)).find("missing key") != std::string::npos);
  }
}

TEST_CASE("wrong types are refused") {
  CHECK(error_of(with("DeepSeek-V3", "hidden_size", "7168")).find("/hidden_size: found \"7168\" (a string), expected an integer") !=
        std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "hidden_size", 7168.5)).find("/hidden_size: found 7168.5") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "tie_word_embeddings", 1)).find("expected true or false") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "hidden_size", nullptr)).find("found null, expected an integer") != std::string::npos);
}

TEST_CASE("numbers are taken as they stand, since check judges them") {
  CHECK(read_text(with("DeepSeek-V3", "hidden_size", -4)).hidden_size == -4);
  CHECK(read_text(with("DeepSeek-V3", "moe_layer_freq", 0)).experts.layers.every == 0);
  CHECK(error_of(with("DeepSeek-V3", "n_shared_experts", 9223372036854775807)).find("a number out of range") != std::string::npos);
}

TEST_CASE("the width of a head may be absent or null") {
  CHECK(read_text(with("Llama-3.1-8B", "head_dim", nullptr)).attention.head_dim == 4096 / 32);
  CHECK(read_text(with("Llama-3.1-8B", "head_dim", 64)).attention.head_dim == 64);
  CHECK(read_text(with("Llama-3.1-8B", "num_attention_heads", 30)).attention.head_dim == 0); // which check refuses
  CHECK(read_text(with("Llama-3.1-8B", "num_attention_heads", 0)).attention.head_dim == 0);
}

TEST_CASE("heads of keys and values") {
  CHECK(read_text(without("Llama-3.1-8B", "num_key_value_heads")).attention.kv_heads == 32);
  CHECK(read_text(with("Llama-3.1-8B", "num_key_value_heads", nullptr)).attention.kv_heads == 32);
  CHECK(read_text(without("Llama-3.1-8B", "num_key_value_heads")).attention.head_dim == 128);
}

TEST_CASE("a mixture of no experts is refused") {
  const std::map<std::string, std::string> keys{
      {"Mixtral-8x7B", "num_local_experts"},    {"DeepSeek-V3", "n_routed_experts"},
      {"Qwen3-30B-A3B", "num_experts"},         {"GLM-4.5-Air", "n_routed_experts"},
      {"ERNIE-4.5-21B-A3B", "moe_num_experts"}, {"Ling-1T", "num_experts"},
      {"OLMoE-1B-7B", "num_experts"},           {"Llama-4-Scout", "/text_config/num_local_experts"},
      {"DBRX", "/ffn_config/moe_num_experts"}};
  for (const auto& entry : keys) {
    const std::string& name = entry.first;
    const std::string& key = entry.second;
    CAPTURE(name);
    CHECK(mentions(error_of(with(name, key, 0)), "a number out of range: found 0, expected an integer from 1"));
    CHECK(mentions(error_of(with(name, key, nullptr)), "expected an integer"));
  }
}

TEST_CASE("parts that nobody counts are refused") {
  CHECK(mentions(error_of(with("Mixtral-8x7B", "vision_config", nlohmann::json::object())), "/vision_config: a vision tower"));
  CHECK(mentions(error_of(with("Qwen3-32B", "audio_config", nlohmann::json::object())), "/audio_config: an audio tower"));
  CHECK(read_text(with("Qwen3-32B", "vision_config", nullptr)) == read_file("Qwen3-32B"));
  CHECK(mentions(error_of(with("Llama-3.1-8B", "mlp_bias", true)), "/mlp_bias"));
  CHECK(error_of(with("DeepSeek-V3", "mlp_bias", false)) == "no error");
}

TEST_CASE("how weights are stored changes no count") {
  CHECK(read_text(with("Mixtral-8x7B", "quantization_config", config("raw-DeepSeek-V3")["quantization_config"])) ==
        read_file("Mixtral-8x7B"));
}

TEST_CASE("a list of layers that says again what other keys say must say it") {
  const auto scout_with = [](const nlohmann::json& layers) { return with("Llama-4-Maverick", "/text_config/moe_layers", layers); };
  nlohmann::json odd = nlohmann::json::array();
  for (int i = 1; i < 48; i += 2) odd.push_back(i);
  CHECK(read_text(scout_with(odd)) == read_file("Llama-4-Maverick"));
  odd[3] = 6;
  CHECK(mentions(error_of(scout_with(odd)), "/text_config/moe_layers/3: not what interleave_moe_layer_step says: found 6"));
  odd[3] = 5;
  CHECK(mentions(error_of(scout_with(odd)), "/text_config/moe_layers/3"));
  odd.erase(3);
  CHECK(mentions(error_of(scout_with(odd)), "expected an array of 24 layers"));
  CHECK(mentions(error_of(scout_with("odd ones")), "expected an array of layers"));
}
