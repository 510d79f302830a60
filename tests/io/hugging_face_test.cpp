#include <doctest/doctest.h>

#include <moeplan/io/hugging_face.hpp>

#include <string>

#include <nlohmann/json.hpp>

#include <moeplan/io/catalog_names.hpp>

using namespace moeplan;
using namespace moeplan::io;

namespace {

model read_file(const std::string& name) { return read_hugging_face(MOEPLAN_TEST_DATA "/models/" + name + ".json"); }

model read_text(const std::string& text) {
  const json_document document = parse_json(text, "config.json");
  return read_hugging_face(json_place{document});
}

std::string error_of(const std::string& text) {
  try {
    (void)read_text(text);
  } catch (const input_error& error) { return error.what(); }
  return "no error";
}

nlohmann::json config(const std::string& name) {
  const json_document document = read_json(MOEPLAN_TEST_DATA "/models/" + name + ".json");
  nlohmann::json result;
  for (const json_member& member : document.root.members) {
    const json_value& v = member.value;
    if (v.kind == json_kind::integer) result[member.key] = v.integer;
    if (v.kind == json_kind::string) result[member.key] = v.text;
    if (v.kind == json_kind::boolean) result[member.key] = v.boolean;
    if (v.kind == json_kind::null) result[member.key] = nullptr;
    if (v.kind == json_kind::array) result[member.key] = nlohmann::json::array();
  }
  return result;
}

/// A published configuration with one key changed.
template <class T>
std::string with(const std::string& name, const char* key, T value) {
  nlohmann::json changed = config(name);
  changed[key] = value;
  return changed.dump();
}

std::string without(const std::string& name, const char* key) {
  nlohmann::json changed = config(name);
  changed.erase(key);
  return changed.dump();
}

} // namespace

TEST_CASE("published configurations are the models of the catalog") {
  CHECK(read_file("DeepSeek-V2-Lite") == catalog::deepseek_v2_lite);
  CHECK(read_file("DeepSeek-V2") == catalog::deepseek_v2);
  CHECK(read_file("DeepSeek-V3") == catalog::deepseek_v3);
  CHECK(read_file("raw-DeepSeek-V3") == catalog::deepseek_v3);
  CHECK(read_file("Llama-3.1-8B") == catalog::llama_3_1_8b);
  CHECK(read_file("Llama-3.1-70B") == catalog::llama_3_1_70b);
  CHECK(read_file("Mixtral-8x7B") == catalog::mixtral_8x7b);
  CHECK(read_file("raw-Mixtral-8x7B") == catalog::mixtral_8x7b);
  CHECK(read_file("Mixtral-8x22B") == catalog::mixtral_8x22b);
  CHECK(read_file("Qwen3-30B-A3B") == catalog::qwen3_30b_a3b);
  CHECK(read_file("Qwen3-235B-A22B") == catalog::qwen3_235b_a22b);
  CHECK(read_file("Qwen3-32B") == catalog::qwen3_32b);
}

TEST_CASE("Kimi K2 is read as DeepSeek-V3 is") {
  const model m = read_file("Kimi-K2");
  CHECK(m.layers == 61);
  CHECK(m.attention.heads == 64);
  CHECK(m.experts.routed == 384);
  CHECK(m.experts.layers == layer_set::after_first(1));
  CHECK(m.experts.selection_bias);
  CHECK(m.mtp_layers == 0);
}

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

TEST_CASE("unknown keys are ignored") { CHECK(read_text(with("DeepSeek-V3", "something_new", 1)) == catalog::deepseek_v3); }

TEST_CASE("an unknown model_type is refused with the nearest known one") {
  const std::string error = error_of(with("DeepSeek-V3", "model_type", "deepseek_v33"));
  CHECK(error.find("/model_type: a model_type that cannot be read: found \"deepseek_v33\"") != std::string::npos);
  CHECK(error.ends_with("nearest known: \"deepseek_v3\""));
  CHECK(error_of(R"({"model_type": 3})").find("expected a string") != std::string::npos);
  CHECK(error_of("[]").find("found an array, expected an object") != std::string::npos);
}

TEST_CASE("what would be miscounted is refused") {
  CHECK(error_of(with("Llama-3.1-8B", "mlp_bias", true)).find("/mlp_bias") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "attention_bias", true)).find("/attention_bias") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "topk_method", "greedy")).find("/topk_method") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V2", "scoring_func", "tanh")).find("/scoring_func") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "mlp_bias", false)) == "no error");
}

TEST_CASE("wrong types are refused") {
  CHECK(error_of(with("DeepSeek-V3", "hidden_size", "7168")).find("/hidden_size: found \"7168\" (a string), expected an integer") !=
        std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "hidden_size", 7168.5)).find("/hidden_size: found 7168.5") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "tie_word_embeddings", 1)).find("expected true or false") != std::string::npos);
  CHECK(error_of(with("DeepSeek-V3", "hidden_size", nullptr)).find("found null, expected an integer") != std::string::npos);
}

TEST_CASE("numbers are taken as they stand") {
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

TEST_CASE("biases of attention") {
  const model llama = read_text(with("Llama-3.1-8B", "attention_bias", true));
  CHECK(llama.attention.qkv_bias);
  CHECK(llama.attention.output_bias);
  CHECK(read_text(with("Qwen3-32B", "attention_bias", true)).attention.output_bias);
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
  CHECK(read_text(without("Qwen3-30B-A3B", "mlp_only_layers")) == catalog::qwen3_30b_a3b);
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
