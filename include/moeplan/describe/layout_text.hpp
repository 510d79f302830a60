#pragma once

#include <cstdint>

#include <moeplan/describe/layout.hpp>
#include <moeplan/text/parsed.hpp>
#include <moeplan/text/text_buffer.hpp>

/// @file
/// Layouts as people write them: "even", "balanced", "4*15,1" (layers * stages), and Megatron-LM's "Et*3|(tt|)*29,m|L".

namespace moeplan {

/// Reads Megatron-LM's --pipeline-model-parallel-layout: E embedding, t decoder layer, m multi-token prediction layer, L loss; '|' ends a
/// virtual stage, "*n" repeats the token or the (group) before it, ',' separates without meaning. Groups do not nest, as they do not in
/// Megatron-LM, and each is repeated.
/// Source: megatron/core/transformer/pipeline_parallel_layer_layout.py.
[[nodiscard]] constexpr parsed<layout> parse_megatron_layout(text t) noexcept;

/// Reads decoder layers for each virtual stage, "layers" or "layers*stages", joined by ','.
[[nodiscard]] constexpr parsed<layout> parse_layer_list(text t) noexcept;

/// Reads any of the forms above.
[[nodiscard]] constexpr parsed<layout> parse_layout(text t) noexcept;

/// Writes what parse_layer_list() reads. Precondition: a listed layout that does not place multi-token prediction, with at least one stage.
template <std::size_t Capacity>
constexpr void append_layer_list(text_buffer<Capacity>& out, const layout& l) noexcept;

/// Writes what parse_megatron_layout() reads. Precondition: a listed layout with at least one stage, no number negative.
template <std::size_t Capacity>
constexpr void append_megatron_layout(text_buffer<Capacity>& out, const layout& l) noexcept;

namespace detail {

/// Expands Megatron-LM's string token by token. Tokens are handed on in order, so that order is checked in one place.
struct megatron_layout_reader {
  /// More layers than this no pipeline has; keeps "E(t|)*999999999" from running on.
  static constexpr std::int64_t max_tokens = 1 << 16;
  static constexpr std::int64_t max_characters = 1 << 20; ///< the same for commas, which are no tokens

  text source;
  std::size_t at = 0;
  std::int64_t tokens = 0;
  std::int64_t characters = 0;
  stage_run stage{.stages = 1, .decoder_layers = 0, .mtp_layers = 0};
  bool begun = false;     ///< E was read
  bool ended = false;     ///< L was read
  bool after_mtp = false; ///< m was read
  parsed<layout> result{};

  constexpr bool refuse(text problem, std::size_t position, std::size_t length, text expected) noexcept {
    result.error = {problem, source.part(position, length), expected, position};
    return false;
  }

  constexpr bool end_stage(std::size_t position) noexcept {
    if (!result.value.append(stage))
      return refuse("too many different stages in the layout", position, 1, "at most 64 runs of equal stages");
    stage = {.stages = 1, .decoder_layers = 0, .mtp_layers = 0};
    return true;
  }

  constexpr bool token(char c, std::size_t position) noexcept {
    if (++tokens > max_tokens) return refuse("the layout is too long", position, 1, "at most 65536 layers and stages");
    if (c == 'E' && begun) return refuse("the embedding is not first in the layout", position, 1, "one E, at the start");
    if (c != 'E' && !begun) return refuse("the layout does not begin with the embedding", position, 1, "E");
    if (ended) return refuse("the layout goes on after the loss", position, 1, "nothing after L");
    if (c == 't' && after_mtp)
      return refuse("a decoder layer follows multi-token prediction", position, 1, "every t before the first m");
    switch (c) {
      case 'E': begun = true; return true;
      case 't': ++stage.decoder_layers; return true;
      case 'm': ++stage.mtp_layers; return after_mtp = true;
      case 'L': return ended = true;
      default: return end_stage(position); // '|', the only other character that reaches this
    }
  }

  /// "*n" at `at`: n. `absent` where there is none, 0 after refusing one.
  constexpr std::int64_t repetitions(std::int64_t absent) noexcept {
    std::size_t star = at;
    while (star < source.size() && source[star] == ',') ++star;
    if (star == source.size() || source[star] != '*') return absent;
    const leading_number n = read_number(source.part(star + 1, source.size()));
    if (n.value == 0) refuse("'*' without how often", star, 1 + n.length, "a number from 1 after '*'");
    at = star + 1 + n.length;
    return n.value;
  }

  /// Reads up to `end`, where no group begins within a group.
  constexpr bool read(std::size_t end, bool in_group) noexcept {
    while (at < end) {
      const std::size_t position = at;
      const char c = source[at++];
      if (++characters > max_characters) return refuse("the layout is too long", position, 1, "at most 65536 layers and stages");
      if (c == ',') continue;
      if (c == '(' && !in_group) {
        if (!group(position)) return false;
        continue;
      }
      if (c != 'E' && c != 't' && c != 'm' && c != 'L' && c != '|')
        return refuse("not a token of a layout", position, 1,
                      in_group ? "E, t, m, L, '|', ',' or '*n'" : "E, t, m, L, '|', ',', '*n' or (group)*n");
      const std::int64_t times = repetitions(1);
      if (times == 0) return false;
      for (std::int64_t i = 0; i < times; ++i)
        if (!token(c, position)) return false;
    }
    return true;
  }

  /// Reads a group, which is expanded by reading it again for each repetition.
  constexpr bool group(std::size_t open) noexcept {
    const std::size_t close = source.find(')', open);
    if (close == source.size()) return refuse("'(' is never closed", open, 1, "')'");
    at = close + 1;
    const std::int64_t times = repetitions(-1);
    if (times == -1) return refuse("a group that is not repeated", open, close + 1 - open, "'*n' after ')'");
    const std::size_t after = at;
    for (std::int64_t i = 0; i < times; ++i) {
      const std::int64_t before = tokens;
      at = open + 1;
      if (!read(close, true)) return false;
      if (tokens == before) return refuse("a group without a token", open, close + 1 - open, "tokens between '(' and ')'");
    }
    at = after;
    return times != 0;
  }
};

} // namespace detail

constexpr parsed<layout> parse_megatron_layout(text t) noexcept {
  detail::megatron_layout_reader reader{.source = t};
  reader.result.value.kind = layout_kind::listed;
  reader.result.value.places_mtp = true;
  if (reader.read(t.size(), false)) {
    if (!reader.ended)
      reader.refuse("the layout does not end with the loss", t.size(), 0, "L at the end");
    else
      reader.end_stage(t.size());
  }
  return reader.result;
}

constexpr parsed<layout> parse_layer_list(text t) noexcept {
  parsed<layout> result;
  result.value.kind = layout_kind::listed;
  const auto refuse = [&](text problem, std::size_t position, std::size_t length) {
    result.error = {problem, t.part(position, length),
                    "layers of each virtual stage such as 4*15,1 (15 stages of 4 layers, one of 1)", position};
    return result;
  };
  std::size_t start = 0;
  while (start <= t.size()) {
    const std::size_t stop = t.find(',', start);
    const text entry = t.part(start, stop - start);
    const leading_number layers = read_number(entry);
    leading_number stages{.value = 1, .length = 0};
    std::size_t read = layers.length;
    if (read < entry.size() && entry[read] == '*') {
      stages = read_number(entry.part(read + 1, entry.size()));
      if (stages.length == 0 || stages.value == 0) return refuse("'*' without a number of stages", start, entry.size());
      read += 1 + stages.length;
    }
    if (layers.length == 0 || read != entry.size()) return refuse("not a number of layers", start, entry.size());
    if (!result.value.append({.stages = stages.value, .decoder_layers = layers.value, .mtp_layers = 0}))
      return refuse("too many different stages in the layout", start, entry.size());
    start = stop + 1;
  }
  return result;
}

constexpr parsed<layout> parse_layout(text t) noexcept {
  if (t == "even") return {.value = layout::even(), .error = {}};
  if (t == "balanced") return {.value = layout::balanced(), .error = {}};
  if (!t.empty() && t[0] >= '0' && t[0] <= '9') return parse_layer_list(t);
  if (!t.empty() && !same_letters(t, "even") && (t[0] == 'E' || t[0] == '(' || t.find('|') != t.size()))
    return parse_megatron_layout(t);
  return {.value = {},
          .error = {"not a layout", t,
                    "even, balanced, layers of each virtual stage (4*15,1) or Megatron-LM's string (Et*3|(tt|)*29,m|L)", 0}};
}

template <std::size_t Capacity>
constexpr void append_layer_list(text_buffer<Capacity>& out, const layout& l) noexcept {
  for (std::size_t i = 0; i < l.runs.size(); ++i) {
    if (i != 0) out.append(',');
    out.append(l.runs[i].decoder_layers);
    if (l.runs[i].stages != 1) out.append('*').append(l.runs[i].stages);
  }
}

namespace detail {

/// "t*4", "t" or nothing.
template <std::size_t Capacity>
constexpr void append_tokens(text_buffer<Capacity>& out, char token, std::int64_t times) noexcept {
  if (times < 1) return;
  out.append(token);
  if (times > 1) out.append('*').append(times);
}

template <std::size_t Capacity>
constexpr void append_stage(text_buffer<Capacity>& out, const layout& l, const stage_run& run) noexcept {
  append_tokens(out, 't', run.decoder_layers);
  if (l.places_mtp) append_tokens(out, 'm', run.mtp_layers);
}

} // namespace detail

template <std::size_t Capacity>
constexpr void append_megatron_layout(text_buffer<Capacity>& out, const layout& l) noexcept {
  out.append('E');
  for (std::size_t i = 0; i < l.runs.size(); ++i) {
    const bool last = i + 1 == l.runs.size();
    std::int64_t left = l.runs[i].stages;
    if (i == 0) { // E stands on its first stage alone, L on the last one's last.
      detail::append_stage(out, l, l.runs[i]);
      if (!last || left > 1) out.append('|');
      --left;
    }
    const std::int64_t repeated = last ? left - 1 : left;
    if (repeated == 1) {
      detail::append_stage(out, l, l.runs[i]);
      out.append('|');
    } else if (repeated > 1) {
      out.append('(');
      detail::append_stage(out, l, l.runs[i]);
      out.append(text{"|)*"}).append(repeated);
    }
    if (last && left > 0) detail::append_stage(out, l, l.runs[i]);
  }
  out.append('L');
}

} // namespace moeplan
