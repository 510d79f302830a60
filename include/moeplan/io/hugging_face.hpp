#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/json_reader.hpp>

/// @file
/// Hugging Face's config.json as a model.
///
/// What a file does not say, its model_type decides: see the reader of each. Keys that no reader asks for are ignored, a needed one that
/// is missing is an error, and so is one that asks for parameters which `model` cannot describe: nothing is miscounted silently.

namespace moeplan::io {

namespace detail {

/// What nearly all configurations have.
class hugging_face_config {
public:
  explicit hugging_face_config(json_place place) : object_{std::move(place), "an object with Hugging Face's keys"} {}

  [[nodiscard]] json_object& keys() noexcept { return object_; }

  [[nodiscard]] std::int64_t need(const char* key) { return object_.need(key).integer(); }
  [[nodiscard]] std::int64_t integer_or(const char* key, std::int64_t otherwise) {
    const auto member = object_.find_unless_null(key);
    return member ? member->integer() : otherwise;
  }
  [[nodiscard]] bool flag(const char* key) {
    const auto member = object_.find_unless_null(key);
    return member && member->boolean();
  }
  /// A key that must be there and may be null.
  [[nodiscard]] std::int64_t need_or_null(const char* key, std::int64_t if_null) {
    const json_place member = object_.need(key);
    return member.is(json_kind::null) ? if_null : member.integer();
  }
  /// One of several strings; the first where the key is absent.
  template <class T, std::size_t N>
  [[nodiscard]] T choice_or_first(const char* key, const named<T> (&choices)[N]) {
    const auto member = object_.find_unless_null(key);
    return member ? member->choice(choices) : choices[0].value;
  }
  /// A flag that adds parameters nobody here counts.
  void refuse_if_true(const char* key, const char* why) {
    const auto member = object_.find_unless_null(key);
    if (member && member->boolean()) member->refuse("false or no such key", why);
  }

  /// Sizes that stand under the same key everywhere.
  [[nodiscard]] model common() {
    model m;
    m.layers = need("num_hidden_layers");
    m.hidden_size = need("hidden_size");
    m.vocabulary_size = need("vocab_size");
    m.tied_embeddings = flag("tie_word_embeddings");
    if (const auto positions = object_.find_unless_null("max_position_embeddings")) m.max_positions = positions->integer();
    refuse_if_true("mlp_bias", "biases in the MLP are not supported");
    return m;
  }

  /// MHA, GQA or MQA. Absent or null, head_dim is hidden_size / num_attention_heads.
  [[nodiscard]] attention grouped(const model& m) {
    attention a;
    a.heads = need("num_attention_heads");
    a.kv_heads = need_or_null("num_key_value_heads", a.heads);
    a.head_dim = integer_or("head_dim", 0);
    // Written out where it is a whole number; where it is none, `check` says so.
    if (a.head_dim == 0 && a.heads > 0 && m.hidden_size % a.heads == 0) a.head_dim = m.hidden_size / a.heads;
    return a;
  }

private:
  json_object object_;
};

/// llama: dense; attention_bias is on q, k, v and o.
[[nodiscard]] inline model read_llama(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  // The first Llama's files do not have the key: as many as heads.
  if (!config.keys().find("num_key_value_heads")) {
    const std::int64_t heads = config.need("num_attention_heads");
    const std::int64_t head_dim =
        config.integer_or("head_dim", heads > 0 && m.hidden_size % heads == 0 ? m.hidden_size / heads : 0);
    m.attention = attention::multi_head(heads, head_dim);
  } else {
    m.attention = config.grouped(m);
  }
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias");
  return m;
}

/// mixtral: every layer holds experts, intermediate_size is theirs.
[[nodiscard]] inline model read_mixtral(hugging_face_config& config) {
  model m = config.common();
  m.attention = config.grouped(m);
  m.experts.routed = config.need("num_local_experts");
  m.experts.top_k = config.need("num_experts_per_tok");
  m.experts.intermediate_size = config.need("intermediate_size");
  return m;
}

/// qwen3: dense; q and k norm of head_dim each without a key; attention_bias is on q, k, v and o.
[[nodiscard]] inline model read_qwen3(hugging_face_config& config) {
  model m = config.common();
  m.intermediate_size = config.need("intermediate_size");
  m.attention = config.grouped(m);
  m.attention.norm = query_key_norm::per_head;
  m.attention.qkv_bias = m.attention.output_bias = config.flag("attention_bias");
  return m;
}

/// Qwen's dense layers: layer i holds experts when (i + 1) % decoder_sparse_step == 0 and it is not in mlp_only_layers.
[[nodiscard]] inline layer_set qwen_moe_layers(hugging_face_config& config) {
  layer_set layers = layer_set::all();
  if (const auto step = config.keys().find_unless_null("decoder_sparse_step")) {
    if (step->integer() < 1) step->refuse("an integer from 1", "a number out of range");
    layers = layer_set::every_nth(step->integer(), step->integer() - 1);
  }
  const auto dense = config.keys().find_unless_null("mlp_only_layers");
  if (!dense) return layers;
  if (!dense->is(json_kind::array)) dense->refuse("an array of layers");
  std::size_t index = 0;
  for (const json_value& item : dense->value().items) {
    const json_place layer{*dense, std::to_string(index++), item};
    if (layer.integer() < 0 || layer.integer() >= layer_set::listable)
      layer.refuse("a layer from 0 to " + std::to_string(layer_set::listable - 1), "a number out of range");
    layers.exclude(layer.integer());
  }
  return layers;
}

/// qwen3_moe: qwen3 with experts.
[[nodiscard]] inline model read_qwen3_moe(hugging_face_config& config) {
  model m = read_qwen3(config);
  m.experts.routed = config.need("num_experts");
  m.experts.top_k = config.need("num_experts_per_tok");
  m.experts.intermediate_size = config.need("moe_intermediate_size");
  m.experts.layers = qwen_moe_layers(config);
  return m;
}

[[nodiscard]] inline attention read_latent_attention(hugging_face_config& config) {
  config.refuse_if_true("attention_bias", "biases in latent attention are not supported");
  return attention::latent(config.need("num_attention_heads"), {.q_lora_rank = config.need_or_null("q_lora_rank", 0),
                                                                .kv_lora_rank = config.need("kv_lora_rank"),
                                                                .qk_nope_head_dim = config.need("qk_nope_head_dim"),
                                                                .qk_rope_head_dim = config.need("qk_rope_head_dim"),
                                                                .v_head_dim = config.need("v_head_dim")});
}

/// DeepSeek's ways to choose experts.
enum class top_k_method : std::uint16_t { greedy, group_limited, bias_corrected };

[[nodiscard]] inline model read_deepseek(hugging_face_config& config, top_k_method method, router_score score) {
  model m = config.common();
  m.attention = read_latent_attention(config);
  m.intermediate_size = config.need("intermediate_size");
  m.mtp_layers = config.integer_or("num_nextn_predict_layers", 0);
  experts& e = m.experts;
  e.routed = config.need("n_routed_experts");
  e.top_k = config.need("num_experts_per_tok");
  e.intermediate_size = config.need("moe_intermediate_size");
  const std::int64_t shared = config.need_or_null("n_shared_experts", 0);
  if (__builtin_mul_overflow(shared, e.intermediate_size, &e.shared_intermediate_size))
    config.keys().need("n_shared_experts").refuse("n_shared_experts x moe_intermediate_size below 2^63", "a number out of range");
  e.layers = layer_set::after_first(config.need("first_k_dense_replace"));
  e.layers.every = config.integer_or("moe_layer_freq", 1);
  e.score = score;
  e.selection_bias = method == top_k_method::bias_corrected;
  if (method == top_k_method::greedy) return m; // groups are not looked at
  e.groups = config.integer_or("n_group", 1);
  e.group_top_k = config.integer_or("topk_group", 1);
  return m;
}

/// deepseek_v2: without the keys, softmax and greedy.
[[nodiscard]] inline model read_deepseek_v2(hugging_face_config& config) {
  constexpr named<top_k_method> methods[] = {{"greedy", top_k_method::greedy},
                                             {"group_limited_greedy", top_k_method::group_limited},
                                             {"noaux_tc", top_k_method::bias_corrected}};
  constexpr named<router_score> scores[] = {{"softmax", router_score::softmax}, {"sigmoid", router_score::sigmoid}};
  const top_k_method method = config.choice_or_first("topk_method", methods);
  return read_deepseek(config, method, config.choice_or_first("scoring_func", scores));
}

/// deepseek_v3 and kimi_k2: without the keys, sigmoid and a correction bias of one value an expert.
[[nodiscard]] inline model read_deepseek_v3(hugging_face_config& config) {
  constexpr named<top_k_method> methods[] = {{"noaux_tc", top_k_method::bias_corrected}};
  constexpr named<router_score> scores[] = {{"sigmoid", router_score::sigmoid}, {"softmax", router_score::softmax}};
  const top_k_method method = config.choice_or_first("topk_method", methods);
  return read_deepseek(config, method, config.choice_or_first("scoring_func", scores));
}

/// Every model_type that can be read. Another one is one reader above and one line here.
inline constexpr named<model (*)(hugging_face_config&)> model_types[] = {
    {"deepseek_v2", read_deepseek_v2}, {"deepseek_v3", read_deepseek_v3},
    {"kimi_k2", read_deepseek_v3},     {"llama", read_llama},
    {"mixtral", read_mixtral},         {"qwen3", read_qwen3},
    {"qwen3_moe", read_qwen3_moe}};

} // namespace detail

/// Reads the contents of a config.json. Throws input_error. Numbers are taken as they stand: whether they make a model, `check` judges.
[[nodiscard]] inline model read_hugging_face(const json_place& place) {
  detail::hugging_face_config config{place};
  const json_place type = config.keys().need("model_type");
  std::vector<std::string> known;
  for (const auto& candidate : detail::model_types) {
    if (type.string() == candidate.name) return candidate.value(config);
    known.emplace_back(candidate.name);
  }
  type.refuse_name(known, "a model_type that cannot be read");
}

/// Reads a config.json file. Throws input_error.
[[nodiscard]] inline model read_hugging_face(const std::string& path) {
  const json_document document = read_json(path);
  return read_hugging_face(json_place{document});
}

} // namespace moeplan::io
