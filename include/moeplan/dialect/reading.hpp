#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/layout_text.hpp>
#include <moeplan/dialect/config_text.hpp>
#include <moeplan/dialect/flag.hpp>
#include <moeplan/dialect/flag_line.hpp>
#include <moeplan/dialect/nearest_flag.hpp>

/// @file
/// From a line of flags to a framework's own words for a deployment.

namespace moeplan::dialect {

/// Why a line of flags cannot be used. The texts are literals or parts of the line.
struct flag_error {
  text problem{};           ///< what is wrong; empty: nothing
  text found{};             ///< what stood there
  text expected{};          ///< what could stand there
  text nearest{};           ///< for an unknown flag, the nearest known one
  std::size_t position = 0; ///< where in the line, in characters from 0
};

/// What a line of flags means.
struct reading {
  static constexpr std::size_t listable = 64;

  moeplan::deployment deployment{};
  flag_error error{};
  sequence<text, listable> without_meaning{}; ///< flags that were understood, and that no member of a deployment is about
  text model_name{};                          ///< the model as the line names it; empty if it does not

  [[nodiscard]] constexpr bool ok() const noexcept { return error.problem.empty(); }
  constexpr explicit operator bool() const noexcept { return ok(); }
};

/// A deployment that words mean, or what is wrong with one of them.
struct translation {
  moeplan::deployment deployment{}; ///< at first the base
  text problem{};
  text flag{}; ///< the row whose value it is about
  text expected{};
  sequence<text, 32> without_meaning{}; ///< rows that say nothing about this deployment

  constexpr void refuse(text what_is_wrong, text row, text what_could_stand_there) noexcept {
    problem = what_is_wrong;
    flag = row;
    expected = what_could_stand_there;
  }
  [[nodiscard]] constexpr bool ok() const noexcept { return problem.empty(); }
};

namespace detail {

/// Reads a whole number of 64 bits with an optional sign.
[[nodiscard]] constexpr bool read_integer(text t, std::int64_t& number) noexcept {
  const bool negative = !t.empty() && t[0] == '-';
  const text digits = t.part(negative ? 1 : 0, t.size());
  const leading_number n = read_number(digits);
  if (n.length == 0 || n.length != digits.size()) return false;
  number = negative ? -n.value : n.value;
  return true;
}

/// Reads a number from 0 with or without a point, exactly.
[[nodiscard]] constexpr bool read_decimal(text t, ratio& number) noexcept {
  const std::size_t point = t.find('.');
  const leading_number whole = read_number(t);
  if (whole.length == 0 || whole.length != point) return false;
  const text fraction = point < t.size() ? t.part(point + 1, t.size()) : text{};
  const leading_number rest = read_number(fraction);
  if (rest.length != fraction.size() || fraction.size() > 17) return false;
  std::int64_t scale = 1;
  std::int64_t all = 0;
  for (std::size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  if (__builtin_mul_overflow(whole.value, scale, &all) || __builtin_add_overflow(all, rest.value, &all)) return false;
  number = {all, scale};
  return true;
}

[[nodiscard]] constexpr bool ends_with(text t, text end) noexcept {
  return t.size() >= end.size() && t.part(t.size() - end.size(), end.size()) == end;
}

} // namespace detail

/// Reads a line word by word into a framework's words. After an error nothing more is read.
template <class Words, std::size_t Count>
class flag_reader {
public:
  constexpr explicit flag_reader(const grammar<Words, Count>& g) noexcept : grammar_{&g} {}

  constexpr void read(text line) noexcept {
    line_words rest{line};
    while (!rest.done() && result.ok()) {
      // A configuration that stands for itself goes to the end of the line.
      if (rest.begins_with('{')) return read_config(line.part(rest.position(), line.size()), rest.position(), {});
      const line_word word = rest.next();
      if (!rest.error().problem.empty()) break;
      if (!word.quoted && is_flag(word.characters))
        read_flag(word, rest);
      else
        read_plain_word(word);
    }
    if (result.ok() && !rest.error().problem.empty()) {
      const parse_error& e = rest.error();
      result.error = {e.problem, e.found, e.expected, {}, e.position};
    }
  }

  /// Where the value of a row stood, for what turns out to be wrong with it later; the whole line if the row was not in it.
  constexpr void refuse(const translation& t) noexcept {
    for (std::size_t i = 0; i < Count; ++i)
      if (grammar_->flags[i].name == t.flag) result.error = {t.problem, values_[i], t.expected, {}, positions_[i]};
    if (result.ok()) result.error = {t.problem, {}, t.expected, {}, 0};
  }

  Words words{};
  reading result{}; ///< without the deployment, which is what the words mean

private:
  [[nodiscard]] static constexpr bool is_flag(text t) noexcept {
    return t.size() > 1 && t[0] == '-' && !(t[1] >= '0' && t[1] <= '9');
  }

  constexpr void fail(text problem, text found, text expected, std::size_t position) noexcept {
    result.error = {problem, found, expected, {}, position};
  }

  /// Equal but for what the framework does not distinguish.
  [[nodiscard]] constexpr bool matches(text written, text known) const noexcept {
    if (written.size() != known.size()) return false;
    for (std::size_t i = 0; i < known.size(); ++i) {
      const bool dash = (written[i] == '_' && known[i] == '-') || (written[i] == '-' && known[i] == '_');
      if (written[i] != known[i] && !(dash && grammar_->underscores_are_dashes)) return false;
    }
    return true;
  }

  [[nodiscard]] constexpr bool is_among_known(text written, text names) const noexcept {
    return any_name(names, [&](text known) { return matches(written, known); });
  }

  /// The row of that name; Count if there is none.
  [[nodiscard]] constexpr std::size_t row_of(text name) const noexcept {
    for (std::size_t i = 0; i < Count; ++i)
      if (matches(name, grammar_->flags[i].name) || is_among_known(name, grammar_->flags[i].other_names)) return i;
    return Count;
  }

  constexpr void note_without_meaning(text name) noexcept { result.without_meaning.push_back(name); }

  constexpr void unknown(text name, std::size_t position) noexcept {
    // Among the rows alone: looking at every name would take more than constant expressions are allowed to.
    nearest_flag near{name};
    for (const flag<Words>& row : grammar_->flags) {
      near.consider(row.name);
      any_name(row.other_names, [&near](text known) { return near.consider(known), false; });
    }
    result.error = {"an unknown flag", name, "a flag of the framework", near.nearest(), position};
  }

  constexpr void read_flag(const line_word& word, line_words& words_left) noexcept {
    flag_text f = split_flag(word);
    const std::size_t row = row_of(f.name);
    if (row == Count) return read_not_modelled(f, words_left);
    const flag<Words>& known = grammar_->flags[row];
    if (known.kind == flag_kind::toggle) {
      if (f.has_value) return fail("a flag that takes no value", f.value, "the flag alone", f.value_position);
      words.*known.member.toggle = known.sets;
      return remember(row, f.name, f.position);
    }
    if (!f.has_value && words_left.value_follows()) {
      const line_word value = words_left.next();
      if (!words_left.error().problem.empty()) return;
      f.has_value = true;
      f.value = value.characters;
      f.value_position = value.position;
    }
    if (!f.has_value) return fail("a flag without its value", f.name, "a value after the flag", f.position);
    if (known.kind == flag_kind::words) words.*known.member.words = 0;
    set(row, f.value, f.value_position);
    // Several values are several times the same one, or more than a deployment describes.
    while (result.ok() && known.repeats && words_left.value_follows()) {
      const line_word more = words_left.next();
      if (more.characters == f.value) continue;
      if (known.kind == flag_kind::words) {
        set(row, more.characters, more.position);
        continue;
      }
      return fail("several different values", more.characters, "one value for all layers", more.position);
    }
  }

  constexpr void read_not_modelled(const flag_text& f, line_words& words_left) noexcept {
    if (is_among_known(f.name, grammar_->not_modelled_switches)) return note_without_meaning(f.name);
    const bool one = is_among_known(f.name, grammar_->not_modelled);
    if (!one && !is_among_known(f.name, grammar_->not_modelled_lists)) return unknown(f.name, f.position);
    note_without_meaning(f.name);
    if (one && !f.has_value) {
      if (!words_left.value_follows()) return fail("a flag without its value", f.name, "a value after the flag", f.position);
      (void)words_left.next();
    }
    while (!one && words_left.value_follows()) (void)words_left.next();
  }

  /// A word that no flag leads: the program, the model, or one that carries its value behind a colon.
  constexpr void read_plain_word(const line_word& word) noexcept {
    for (std::size_t i = 0; i < Count; ++i) {
      const text name = grammar_->flags[i].name;
      if (!detail::ends_with(name, ":") || !(word.characters.part(0, name.size()) == name)) continue;
      return set(i, word.characters.part(name.size(), word.characters.size()), word.position + name.size());
    }
    if (is_among(word.characters, grammar_->programs) || detail::ends_with(word.characters, ".py")) return;
    if (grammar_->model_is_a_word && result.model_name.empty()) {
      result.model_name = word.characters;
      return;
    }
    fail("a word that belongs to no flag", word.characters, "a flag", word.position);
  }

  constexpr void remember(std::size_t row, text value, std::size_t position) noexcept {
    values_[row] = value;
    positions_[row] = position;
  }

  constexpr void set(std::size_t row, text value, std::size_t position) noexcept {
    const flag<Words>& known = grammar_->flags[row];
    remember(row, value, position);
    switch (known.kind) {
      case flag_kind::number: {
        std::int64_t number = 0;
        if (!detail::read_integer(value, number)) return fail("not a number", value, "an integer of 64 bits", position);
        words.*known.member.number = number;
        return;
      }
      case flag_kind::toggle:
      case flag_kind::truth:
        if (!same_letters(value, "true") && !same_letters(value, "false"))
          return fail("not a truth value", value, "true or false", position);
        words.*known.member.toggle = same_letters(value, "true");
        return;
      case flag_kind::word:
        if (!known.choices.empty() && !is_among(value, known.choices))
          return fail("not one of the values that are described here", value, known.choices, position);
        words.*known.member.word = value;
        return;
      case flag_kind::words: {
        std::uint32_t bit = 1;
        const auto is_it = [&bit, value](text choice) {
          if (choice == value) return true;
          bit <<= 1U;
          return false;
        };
        if (!any_name(known.choices, is_it))
          return fail("not one of the values that are described here", value, known.choices, position);
        words.*known.member.words |= bit;
        return;
      }
      case flag_kind::decimal:
        if (!detail::read_decimal(value, words.*known.member.decimal))
          return fail("not a number", value, "a number from 0 such as 1.25", position);
        return;
      case flag_kind::stages: {
        const parsed<layout> stages = parse_megatron_layout(value);
        words.*known.member.stages = stages.value;
        if (!stages) fail(stages.error.problem, stages.error.found, stages.error.expected, position + stages.error.position);
        return;
      }
      case flag_kind::model: result.model_name = value; return;
      case flag_kind::object: return read_config(value, position, known.choices);
      case flag_kind::not_modelled: return note_without_meaning(known.name);
    }
  }

  /// A JSON object: each of its settings is a row, or says nothing about a deployment.
  constexpr void read_config(text object, std::size_t position, text prefix) noexcept {
    const auto visit = [this](const setting& s) {
      const std::size_t row = row_of(s.name);
      if (row != Count)
        set(row, s.value, s.value_position);
      else if (is_setting_without_meaning(s.name))
        note_without_meaning(s.key);
      else
        unknown_setting(s);
      return result.ok();
    };
    config_reader reader{object, position, visit};
    const parse_error e = reader.read(prefix);
    if (result.ok() && !e.problem.empty()) result.error = {e.problem, e.found, e.expected, {}, e.position};
  }

  /// Whether the setting, or an object that it is in, is listed.
  [[nodiscard]] constexpr bool is_setting_without_meaning(text name) const noexcept {
    for (std::size_t end = name.size(); end > 0; --end) {
      if (end != name.size() && name[end] != '.') continue;
      if (is_among_known(name.part(0, end), grammar_->not_modelled)) return true;
    }
    return false;
  }

  constexpr void unknown_setting(const setting& s) noexcept {
    unknown(s.name, s.key_position);
    result.error.problem = "an unknown setting";
    result.error.found = s.key; // The whole name is gone when the reader is.
    result.error.expected = "a setting of the framework";
  }

  const grammar<Words, Count>* grammar_;
  text values_[Count]{};
  std::size_t positions_[Count]{};
};

template <class Words, std::size_t Count>
flag_reader(const grammar<Words, Count>&) -> flag_reader<Words, Count>;

/// Reads a line and translates its words: `translate(translation, words)` turns the base into what they mean, or refuses one of them.
template <class Words, std::size_t Count, class Translate>
[[nodiscard]] constexpr reading read_flags(const grammar<Words, Count>& g, text line, const deployment& base,
                                           Translate translate) noexcept {
  flag_reader<Words, Count> reader{g};
  reader.read(line);
  if (!reader.result.ok()) return reader.result;
  translation t{.deployment = base};
  translate(t, reader.words);
  if (!t.ok()) reader.refuse(t);
  for (const text& name : t.without_meaning) reader.result.without_meaning.push_back(name);
  if (reader.result.ok()) reader.result.deployment = t.deployment;
  return reader.result;
}

} // namespace moeplan::dialect
