#pragma once

#include <cstdint>
#include <string>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/config.hpp>

/// @file
/// Windows of attention in Hugging Face's configurations.

namespace moeplan::io::detail {

inline void refuse_to_list(const json_place& key) {
  key.refuse("no such key in a model of more than " + std::to_string(layer_set::listable) + " layers", "too many layers to list");
}

/// The layers that attend to all tokens by use_sliding_window.
template <class Full>
[[nodiscard]] layer_set listed_layers(hugging_face_config& config, const model& m, const Full& full) {
  if (m.layers > layer_set::listable) refuse_to_list(config.keys().need("use_sliding_window"));
  layer_set set;
  for (std::int64_t i = 0; i < m.layers; ++i)
    if (!full(i)) set.exclude(i);
  return set;
}

/// An array with something for each layer of a model that is small enough for its layers to be listed.
inline void need_item_for_each_layer(const json_place& list, const model& m, const char* what) {
  const std::string expected = "an array of " + std::to_string(m.layers) + " " + what;
  if (!list.is(json_kind::array)) list.refuse(expected);
  if (static_cast<std::int64_t>(list.value().items.size()) != m.layers) list.refuse(expected, "one for each layer");
  if (m.layers > layer_set::listable) refuse_to_list(list);
}

/// Which layers attend to all tokens: what layer_types says, or the set of the model_type where there is no such key or it says the
/// same.
[[nodiscard]] inline layer_set read_full_layers(hugging_face_config& config, const model& m, window_kind kind,
                                                const layer_set& by_type) {
  const auto types = config.keys().find_unless_null("layer_types");
  if (!types) return by_type;
  need_item_for_each_layer(*types, m, "types of layers");
  const named<bool> kinds[] = {{"full_attention", true},
                               {kind == window_kind::sliding ? "sliding_attention" : "chunked_attention", false}};
  bool the_same = true;
  layer_set set;
  std::int64_t layer = 0;
  for (const json_value& item : types->value().items) {
    const bool full = json_place{*types, std::to_string(layer), item}.choice(kinds);
    the_same = the_same && full == by_type.contains(layer);
    if (!full) set.exclude(layer);
    ++layer;
  }
  return the_same ? by_type : set;
}

/// A window of so many tokens in all layers but those of a set. One that no sequence outgrows is none, and so is one that no layer
/// has.
inline void set_window(model& m, std::int64_t tokens, window_kind kind, const layer_set& full_layers) {
  if (tokens == 0 || (m.max_positions.given && tokens >= m.max_positions.number)) return;
  if (full_layers.count_below(m.layers) == m.layers) return;
  m.attention.window = {.tokens = tokens, .kind = kind, .full_layers = full_layers};
}

/// A size under a key, which may be null: 0. Absent, the model_type's.
[[nodiscard]] inline std::int64_t window_size(hugging_face_config& config, const char* key, std::int64_t if_absent) {
  const auto member = config.keys().find(key);
  if (!member) return if_absent;
  return member->is(json_kind::null) ? 0 : config.positive_or(key, 0);
}

/// sliding_window, which Mistral's models and gpt-oss have without another key saying so.
inline void read_sliding_window(hugging_face_config& config, model& m, std::int64_t if_absent, const layer_set& full_layers) {
  const std::int64_t tokens = window_size(config, "sliding_window", if_absent);
  if (tokens != 0) set_window(m, tokens, window_kind::sliding, read_full_layers(config, m, window_kind::sliding, full_layers));
}

} // namespace moeplan::io::detail
