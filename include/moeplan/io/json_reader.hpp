#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moeplan/io/json_document.hpp>
#include <moeplan/io/nearest_name.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/text/parsed.hpp>

/// @file
/// Typed access to a JSON document, with errors that say which key is meant. Everything here throws input_error for what it cannot use.

namespace moeplan::io {

/// One step of a JSON pointer (RFC 6901), '/' included.
[[nodiscard]] inline std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) step += c == '~' ? std::string{"~0"} : c == '/' ? std::string{"~1"} : std::string{c};
  return step;
}

/// A name and what it stands for.
template <class T>
struct named {
  const char* name;
  T value;
};

/// A value within a document and the way to it. Valid as long as the document.
class json_place {
public:
  explicit json_place(const json_document& document) : file_{&document.file}, value_{&document.root} {}
  json_place(const json_place& parent, std::string_view key, const json_value& value)
      : file_{parent.file_}, value_{&value}, pointer_{parent.pointer_ + pointer_step(key)} {}

  [[nodiscard]] const json_value& value() const noexcept { return *value_; }
  [[nodiscard]] const std::string& file() const noexcept { return *file_; }

  /// JSON pointer from the document's root; empty for the root itself.
  [[nodiscard]] const std::string& pointer() const noexcept { return pointer_; }

  [[nodiscard]] bool is(json_kind kind) const noexcept { return value_->kind == kind; }

  /// "found what stands here, expected what is given".
  [[noreturn]] void refuse(std::string expected, std::string problem = {}) const {
    throw input_error{{.file = *file_,
                       .place = value_->place,
                       .key = pointer_,
                       .problem = std::move(problem),
                       .found = shown(*value_),
                       .expected = std::move(expected)}};
  }

  /// A name that is not among the known ones.
  [[noreturn]] void refuse_name(const std::vector<std::string>& known, std::string problem = {}) const {
    throw input_error{{.file = *file_,
                       .place = value_->place,
                       .key = pointer_,
                       .problem = std::move(problem),
                       .found = in_quotes(value_->text),
                       .expected = "one of " + listed(known),
                       .nearest = nearest_name(value_->text, known)}};
  }

  [[nodiscard]] std::int64_t integer() const {
    if (is(json_kind::large_integer)) refuse("an integer from -2^63 to 2^63 - 1", "a number out of range");
    if (!is(json_kind::integer)) refuse("an integer");
    return value_->integer;
  }

  /// For what cannot be below zero by its type, such as bytes.
  [[nodiscard]] std::int64_t non_negative() const {
    const std::int64_t n = integer();
    if (n < 0) refuse("an integer from 0 to 2^63 - 1", "a number out of range");
    return n;
  }

  [[nodiscard]] bool boolean() const {
    if (!is(json_kind::boolean)) refuse("true or false");
    return value_->boolean;
  }

  [[nodiscard]] const std::string& string() const {
    if (!is(json_kind::string)) refuse("a string");
    return value_->text;
  }

  /// The elements of an array. `what` says what is expected here: "an array of ...".
  [[nodiscard]] std::vector<json_place> items(std::string what = "an array") const {
    if (!is(json_kind::array)) refuse(std::move(what));
    std::vector<json_place> result;
    for (const json_value& item : value_->items) result.emplace_back(*this, std::to_string(result.size()), item);
    return result;
  }

  /// One of several strings.
  template <class T, std::size_t N>
  [[nodiscard]] T choice(const named<T> (&choices)[N]) const {
    std::vector<std::string> names;
    for (const named<T>& c : choices) names.emplace_back(c.name);
    if (!is(json_kind::string)) refuse("one of " + listed(names));
    for (const named<T>& c : choices)
      if (value_->text == c.name) return c.value;
    refuse_name(names);
  }

  /// A number with or without a point, exactly. Neither an exponent nor more digits than 64 bits hold are taken.
  [[nodiscard]] moeplan::ratio ratio() const {
    if (is(json_kind::integer)) return moeplan::ratio{non_negative()};
    if (!is(json_kind::decimal)) refuse("a number");
    const text digits{value_->text};
    const std::size_t point = digits.find('.');
    const leading_number whole = read_number(digits);
    const text fraction = point < digits.size() ? digits.part(point + 1, digits.size()) : text{};
    const leading_number rest = read_number(fraction);
    std::int64_t scale = 1;
    std::int64_t all = 0;
    bool fits = whole.length == point && rest.length == fraction.size() && !fraction.empty();
    for (std::size_t i = 0; i < fraction.size() && fits; ++i) fits = !__builtin_mul_overflow(scale, 10, &scale);
    fits = fits && !__builtin_mul_overflow(whole.value, scale, &all) && !__builtin_add_overflow(all, rest.value, &all);
    if (!fits) refuse("a number from 0 with at most 18 digits and no exponent, such as 1.25");
    return {all, scale};
  }

  /// A string that a reader of the core understands, such as rank_order::parse.
  template <class T>
  [[nodiscard]] T parse(parsed<T> (*reader)(text)) const {
    const parsed<T> result = reader(text{string()});
    if (result) return result.value;
    const parse_error& e = result.error;
    const std::string found = e.found.empty() ? in_quotes(value_->text) : in_quotes({e.found.data(), e.found.size()});
    throw input_error{{.file = *file_,
                       .place = value_->place,
                       .key = pointer_,
                       .problem = std::string{e.problem.data(), e.problem.size()},
                       .found = found + " at character " + std::to_string(e.position + 1),
                       .expected = {e.expected.data(), e.expected.size()}}};
  }

private:
  const std::string* file_;
  const json_value* value_;
  std::string pointer_;
};

/// The members of an object. It learns which keys are known from what it is asked for.
class json_object {
public:
  /// `what` says what is expected here: "an object with ...".
  explicit json_object(json_place place, std::string what = "an object") : place_{std::move(place)} {
    if (!place_.is(json_kind::object)) place_.refuse(std::move(what));
  }

  [[nodiscard]] const json_place& place() const noexcept { return place_; }

  /// The member, if there is one.
  [[nodiscard]] std::optional<json_place> find(std::string_view key) {
    if (!knows(key)) known_.emplace_back(key);
    const json_value* value = place_.value().find(key);
    if (value == nullptr) return std::nullopt;
    return json_place{place_, key, *value};
  }

  /// The member, null counting as absent (as in Hugging Face's files).
  [[nodiscard]] std::optional<json_place> find_unless_null(std::string_view key) {
    std::optional<json_place> member = find(key);
    return member && !member->is(json_kind::null) ? member : std::nullopt;
  }

  /// The member; an error that names it if there is none.
  [[nodiscard]] json_place need(std::string_view key) {
    if (std::optional<json_place> member = find(key)) return *member;
    throw input_error{{.file = place_.file(),
                       .place = place_.value().place,
                       .key = place_.pointer() + pointer_step(key),
                       .problem = "missing key",
                       .found = misspelt(key),
                       .expected = in_quotes(key)}};
  }

  /// An error for the first key that is not among these, for where that is to come before a missing one.
  void allow_only(std::initializer_list<const char*> keys) {
    known_.assign(keys.begin(), keys.end());
    refuse_unknown_keys();
  }

  /// To be called after everything has been asked for: an error for the first key that nobody asked for.
  void refuse_unknown_keys() const {
    for (const json_member& member : place_.value().members) {
      if (knows(member.key)) continue;
      throw input_error{{.file = place_.file(),
                         .place = member.place,
                         .key = place_.pointer() + pointer_step(member.key),
                         .problem = "unknown key",
                         .found = in_quotes(member.key),
                         .expected = "one of " + listed(known_),
                         .nearest = nearest_name(member.key, known_)}};
    }
  }

private:
  [[nodiscard]] bool knows(std::string_view key) const {
    for (const std::string& k : known_)
      if (k == key) return true;
    return false;
  }

  /// A key that stands there and is the missing one but for a letter too many, too few or out of place. (Not for one replaced:
  /// qk_rope_head_dim is no misspelt qk_nope_head_dim.)
  [[nodiscard]] std::string misspelt(std::string_view key) const {
    for (const json_member& member : place_.value().members) {
      const bool swapped = std::is_permutation(member.key.begin(), member.key.end(), key.begin(), key.end());
      const bool may_be = !knows(member.key) && (swapped || member.key.size() != key.size());
      if (may_be && edit_distance(member.key.substr(0, key.size() + 2), key) == 1) return in_quotes(member.key);
    }
    return {};
  }

  json_place place_;
  std::vector<std::string> known_;
};

} // namespace moeplan::io
