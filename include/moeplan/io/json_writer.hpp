#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

/// @file
/// Writes JSON as it comes: keys in the order they are written in, integers of any size to the digit, other numbers so that reading them
/// gives the same double.

namespace moeplan::io {

/// An integer of any size, as its decimal digits with an optional minus sign: what a wide integer's str() gives.
struct json_integer {
  std::string digits;
};

/// Whether an array or object takes a line for each element, or one line for all.
enum class json_lines : std::uint16_t { many, one };

/// Writes one JSON value to a stream, indented by two spaces a level.
///
/// Precondition of all members: what is written is JSON: keys in objects alone, each followed by a value, every begin with its end.
class json_writer {
public:
  explicit json_writer(std::ostream& out) : out_{out} {}

  json_writer& begin_object(json_lines lines = json_lines::many) { return begin('{', lines); }
  json_writer& end_object() { return end('}'); }
  json_writer& begin_array(json_lines lines = json_lines::many) { return begin('[', lines); }
  json_writer& end_array() { return end(']'); }

  /// The key of the value that is written next.
  json_writer& key(std::string_view name) {
    separate();
    write_string(name);
    out_ << ": ";
    after_key_ = true;
    return *this;
  }

  template <std::integral Integer>
    requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
  json_writer& value(Integer n) {
    separate();
    out_ << std::to_string(n);
    return *this;
  }
  json_writer& value(const json_integer& n) {
    separate();
    out_ << n.digits;
    return *this;
  }
  /// The shortest digits that mean this double, with a point, or an exponent, in a whole number too: 1.0. What is no number is null.
  template <std::same_as<double> Double>
  json_writer& value(Double number) {
    if (!std::isfinite(number)) return null();
    separate();
    char digits[32];
    const std::to_chars_result result = std::to_chars(std::begin(digits), std::end(digits), number);
    const std::string_view text{digits, static_cast<std::size_t>(result.ptr - digits)};
    out_ << text << (text.find_first_of(".e") == std::string_view::npos ? ".0" : "");
    return *this;
  }
  // A template, since a pointer to characters would rather become a bool than a string_view.
  template <std::same_as<bool> Bool>
  json_writer& value(Bool b) {
    separate();
    out_ << (b ? "true" : "false");
    return *this;
  }
  json_writer& value(std::string_view text) {
    separate();
    write_string(text);
    return *this;
  }
  json_writer& null() {
    separate();
    out_ << "null";
    return *this;
  }

  /// A key and its value.
  template <class T>
  json_writer& member(std::string_view name, T&& v) {
    return key(name).value(std::forward<T>(v));
  }

private:
  struct level {
    json_lines lines = json_lines::many;
    bool empty = true;
  };

  json_writer& begin(char bracket, json_lines lines) {
    separate();
    out_ << bracket;
    const bool inside_one_line = !levels_.empty() && levels_.back().lines == json_lines::one;
    levels_.push_back({inside_one_line ? json_lines::one : lines});
    return *this;
  }

  json_writer& end(char bracket) {
    const level closed = levels_.back();
    levels_.pop_back();
    if (!closed.empty && closed.lines == json_lines::many) new_line();
    out_ << bracket;
    if (levels_.empty()) out_ << '\n';
    return *this;
  }

  /// What stands between an element and the one before it, or the bracket.
  void separate() {
    if (std::exchange(after_key_, false) || levels_.empty()) return;
    level& top = levels_.back();
    if (!top.empty) out_ << ',';
    if (top.lines == json_lines::many)
      new_line();
    else if (!top.empty)
      out_ << ' ';
    top.empty = false;
  }

  void new_line() { out_ << '\n' << std::string(2 * levels_.size(), ' '); }

  /// With what JSON wants escaped; bytes that are not UTF-8 become U+FFFD.
  void write_string(std::string_view text) {
    out_ << nlohmann::json(std::string{text}).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::ostream& out_;
  std::vector<level> levels_;
  bool after_key_ = false;
};

} // namespace moeplan::io
