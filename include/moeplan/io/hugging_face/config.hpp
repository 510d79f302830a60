#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/json_reader.hpp>

/// @file
/// What nearly all of Hugging Face's configurations have in common.

namespace moeplan::io::detail {

/// The keys of a config.json, null counting as absent wherever a key may be.
class hugging_face_config {
public:
  explicit hugging_face_config(json_place place) : object_{std::move(place), "an object with Hugging Face's keys"} {}

  [[nodiscard]] json_object& keys() noexcept { return object_; }

  [[nodiscard]] std::int64_t need(const char* key) { return object_.need(key).integer(); }
  [[nodiscard]] std::int64_t integer_or(const char* key, std::int64_t otherwise) {
    const auto member = object_.find_unless_null(key);
    return member ? member->integer() : otherwise;
  }
  [[nodiscard]] bool flag(const char* key, bool otherwise = false) {
    const auto member = object_.find_unless_null(key);
    return member ? member->boolean() : otherwise;
  }
  /// A key that must be there and may be null.
  [[nodiscard]] std::int64_t need_or_null(const char* key, std::int64_t if_null) {
    const json_place member = object_.need(key);
    return member.is(json_kind::null) ? if_null : member.integer();
  }
  /// What makes the model another one if it is not at least 1, such as the number of experts.
  [[nodiscard]] std::int64_t need_positive(const char* key) {
    static_cast<void>(object_.need(key).integer());
    return positive_or(key, 1);
  }
  [[nodiscard]] std::int64_t positive_or(const char* key, std::int64_t otherwise) {
    const auto member = object_.find_unless_null(key);
    if (!member) return otherwise;
    if (member->integer() < 1) member->refuse("an integer from 1", "a number out of range");
    return member->integer();
  }
  /// One of several strings; the first where the key is absent.
  template <class T, std::size_t N>
  [[nodiscard]] T choice_or_first(const char* key, const named<T> (&choices)[N]) {
    return choice_or(key, choices, choices[0].value);
  }
  template <class T, std::size_t N>
  [[nodiscard]] T choice_or(const char* key, const named<T> (&choices)[N], T otherwise) {
    const auto member = object_.find_unless_null(key);
    return member ? member->choice(choices) : otherwise;
  }

  /// A flag that adds parameters nobody here counts.
  void refuse_if_true(const char* key, const char* why) {
    const auto member = object_.find_unless_null(key);
    if (member && member->boolean()) member->refuse("false or no such key", why);
  }
  /// A part that has parameters nobody here counts.
  void refuse_if_present(const char* key, const char* why) {
    if (const auto member = object_.find_unless_null(key)) member->refuse("no such key", why);
  }
  /// A size of something nobody here counts.
  void refuse_unless_zero(const char* key, const char* why) {
    const auto member = object_.find_unless_null(key);
    if (member && member->integer() != 0) member->refuse("0 or no such key", why);
  }
  /// A list of layers that says again what other keys say, if it is there: exactly those of the set.
  void check_layers(const char* key, const layer_set& set, std::int64_t layers, const char* why) {
    const auto list = object_.find_unless_null(key);
    if (!list) return;
    if (!list->is(json_kind::array)) list->refuse("an array of layers");
    std::int64_t before = -1;
    std::size_t index = 0;
    for (const json_value& item : list->value().items) {
      const json_place layer{*list, std::to_string(index++), item};
      if (layer.integer() <= before || layer.integer() >= layers || !set.contains(layer.integer()))
        layer.refuse("the next of " + std::to_string(set.count_below(layers)) + " layers", why);
      before = layer.integer();
    }
    if (set.count_below(layers) != static_cast<std::int64_t>(index))
      list->refuse("an array of " + std::to_string(set.count_below(layers)) + " layers", why);
  }

  /// Sizes that stand under the same key nearly everywhere. Whether embedding and head are one matrix if no key says so, the
  /// model_type decides.
  [[nodiscard]] model common(bool tied_by_default = false) {
    model m;
    m.layers = need("num_hidden_layers");
    m.hidden_size = need("hidden_size");
    m.vocabulary_size = need("vocab_size");
    m.tied_embeddings = flag("tie_word_embeddings", tied_by_default);
    if (const auto positions = object_.find_unless_null("max_position_embeddings")) m.max_positions = positions->integer();
    refuse_if_true("mlp_bias", "biases in the MLP are not supported");
    refuse_if_present("vision_config", "a vision tower is not supported");
    refuse_if_present("audio_config", "an audio tower is not supported");
    return m;
  }

  /// MHA, GQA or MQA. Absent or null, head_dim is hidden_size / num_attention_heads.
  [[nodiscard]] attention grouped(const model& m) {
    attention a;
    a.heads = need("num_attention_heads");
    a.kv_heads = need_or_null("num_key_value_heads", a.heads);
    a.head_dim = head_dim(m, a.heads);
    return a;
  }

  /// Written out where it is a whole number; where it is none, `check` says so.
  [[nodiscard]] std::int64_t head_dim(const model& m, std::int64_t heads) {
    const std::int64_t given = integer_or("head_dim", 0);
    return given == 0 && heads > 0 && m.hidden_size % heads == 0 ? m.hidden_size / heads : given;
  }

  /// The width of so many shared experts together. Absent or null there are none.
  [[nodiscard]] std::int64_t shared_width(const char* key, std::int64_t width_of_one) {
    const auto member = object_.find_unless_null(key);
    std::int64_t width = 0;
    if (member && __builtin_mul_overflow(member->integer(), width_of_one, &width))
      member->refuse("shared experts x width of one below 2^63", "a number out of range");
    return width;
  }

private:
  json_object object_;
};

} // namespace moeplan::io::detail
