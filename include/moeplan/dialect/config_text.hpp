#pragma once

#include <cstddef>

#include <moeplan/text/parsed.hpp>
#include <moeplan/text/text_buffer.hpp>

/// @file
/// A JSON object as a list of settings: {"a": {"b": 1}} is the setting a.b with the value 1.

namespace moeplan::dialect {

/// One value within a JSON object and the keys that lead to it, joined by points. Strings come without their quotation marks, arrays
/// as they stand.
struct setting {
  text name{};
  text key{}; ///< the last key alone, as a part of the text
  text value{};
  std::size_t key_position = 0;
  std::size_t value_position = 0;
};

/// Longer paths of keys than this no framework has; what is cut off is then unknown.
using setting_name = text_buffer<128>;

/// Reads JSON (RFC 8259) setting by setting, without a tree. Escapes within strings stay as they are.
template <class Visit>
class config_reader {
public:
  /// `position` is where the object stands in what positions are counted in; `visit(setting)` returns false to stop.
  constexpr config_reader(text object, std::size_t position, Visit& visit) noexcept
      : json_{object}, offset_{position}, visit_{&visit} {}

  /// Precondition: `prefix` is the name of the whole object, empty or with a point at its end.
  [[nodiscard]] constexpr parse_error read(text prefix) noexcept {
    setting_name name;
    name.append(prefix);
    skip_blanks();
    if (at_ == json_.size() || json_[at_] != '{')
      refuse("not a JSON object", "{");
    else if (object(name, 0) && at_ != json_.size())
      refuse("something follows the JSON object", "nothing after '}'");
    return error_;
  }

private:
  static constexpr int deepest = 16;

  constexpr bool refuse(text problem, text expected) noexcept {
    error_ = {problem, json_.part(at_, at_ == json_.size() ? 0 : 16), expected, offset_ + at_};
    return false;
  }

  constexpr void skip_blanks() noexcept {
    while (at_ < json_.size() && (json_[at_] == ' ' || json_[at_] == '\t' || json_[at_] == '\n' || json_[at_] == '\r')) ++at_;
  }

  /// Takes one character, and the blanks after it.
  constexpr bool take(char c, text expected) noexcept {
    if (at_ == json_.size() || json_[at_] != c) return refuse("not JSON", expected);
    ++at_;
    skip_blanks();
    return true;
  }

  constexpr bool string(text& inside) noexcept {
    if (at_ == json_.size() || json_[at_] != '"') return refuse("not JSON", "a string in quotation marks");
    const std::size_t start = at_ + 1;
    std::size_t end = start;
    while (end < json_.size() && json_[end] != '"') end += json_[end] == '\\' ? 2 : 1;
    if (end >= json_.size()) return refuse("a string that is never closed", "'\"'");
    inside = json_.part(start, end - start);
    at_ = end + 1;
    skip_blanks();
    return true;
  }

  /// An array as it stands.
  constexpr bool array(text& all) noexcept {
    const std::size_t start = at_;
    int open = 0;
    while (at_ < json_.size()) {
      if (json_[at_] == '"') {
        text ignored;
        if (!string(ignored)) return false;
        continue;
      }
      open += json_[at_] == '[' ? 1 : json_[at_] == ']' ? -1 : 0;
      ++at_;
      if (open == 0) break;
    }
    if (open != 0) return refuse("an array that is never closed", "']'");
    all = json_.part(start, at_ - start);
    skip_blanks();
    return true;
  }

  /// A number, true, false or null, as it stands.
  constexpr bool literal(text& all) noexcept {
    const std::size_t start = at_;
    while (at_ < json_.size()) {
      const char c = json_[at_];
      const bool belongs = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
      if (!belongs) break;
      ++at_;
    }
    if (at_ == start) return refuse("not JSON", "a value");
    all = json_.part(start, at_ - start);
    skip_blanks();
    return true;
  }

  constexpr bool value(setting_name& name, const setting& found, int depth) noexcept {
    if (at_ < json_.size() && json_[at_] == '{') {
      name.append('.');
      return object(name, depth + 1);
    }
    setting s = found;
    s.name = text{name};
    s.value_position = offset_ + at_ + (at_ < json_.size() && json_[at_] == '"' ? 1 : 0);
    const bool read = at_ == json_.size() ? refuse("not JSON", "a value")
                      : json_[at_] == '"' ? string(s.value)
                      : json_[at_] == '[' ? array(s.value)
                                          : literal(s.value);
    return read && (*visit_)(s);
  }

  constexpr bool object(setting_name& name, int depth) noexcept {
    if (depth == deepest) return refuse("objects within objects go too deep", "at most 16 levels");
    const std::size_t length = name.length;
    if (!take('{', "{")) return false;
    if (at_ < json_.size() && json_[at_] == '}') return take('}', "}");
    while (true) {
      setting s;
      s.key_position = offset_ + at_ + 1;
      if (!string(s.key) || !take(':', "':' after a key")) return false;
      name.length = length;
      name.append(s.key);
      if (!value(name, s, depth)) return false;
      if (at_ < json_.size() && json_[at_] == ',') {
        if (!take(',', ",")) return false;
        continue;
      }
      return take('}', "',' or '}' after a value");
    }
  }

  text json_;
  std::size_t offset_;
  Visit* visit_;
  std::size_t at_ = 0;
  parse_error error_{};
};

} // namespace moeplan::dialect
