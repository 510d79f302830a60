#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <moeplan/io/input_error.hpp>

/// @file
/// A JSON value that knows where it stood and loses no digit.

namespace moeplan::io {

enum class json_kind : std::uint16_t {
  null,
  boolean,
  integer,       ///< fits into 64 bits with sign
  large_integer, ///< does not; `text` is the literal
  decimal,       ///< has a point or an exponent; `text` is the literal
  string,
  array,
  object
};

struct json_member;

/// One value and where it begins.
struct json_value {
  json_kind kind = json_kind::null;
  text_place place{};
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;                 ///< a string's characters, or a number as it was written
  std::vector<json_value> items;    ///< of an array
  std::vector<json_member> members; ///< of an object, in the order of the file; keys are unique

  /// The member's value, or a null pointer.
  [[nodiscard]] inline const json_value* find(std::string_view key) const noexcept;
};

struct json_member {
  std::string key;
  text_place place{}; ///< of the key
  json_value value;
};

const json_value* json_value::find(std::string_view key) const noexcept {
  for (const json_member& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

/// The beginning of a text, fit for a message of one line: control characters become '?', and a UTF-8 character is not cut in two.
[[nodiscard]] inline std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::size_t length = text.size() <= longest ? text.size() : longest;
  while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
  std::string result;
  for (const char c : text.substr(0, length)) result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  return length < text.size() ? result + "..." : result;
}

/// The same in quotation marks.
[[nodiscard]] inline std::string in_quotes(std::string_view text) { return '"' + shortened(text) + '"'; }

/// A value as a message shows it: numbers and the beginning of strings as they stood, else the kind.
[[nodiscard]] inline std::string shown(const json_value& value) {
  switch (value.kind) {
    case json_kind::null: return "null";
    case json_kind::boolean: return value.boolean ? "true" : "false";
    case json_kind::integer:
    case json_kind::large_integer:
    case json_kind::decimal: return shortened(value.text);
    case json_kind::string: return in_quotes(value.text) + " (a string)";
    case json_kind::array: return "an array";
    case json_kind::object: break;
  }
  return "an object";
}

} // namespace moeplan::io
