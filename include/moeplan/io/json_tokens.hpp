#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <moeplan/io/input_error.hpp>

/// @file
/// Follows a JSON parser through its text: the parser says which token it read, this knows where that token stands.

namespace moeplan::io {

/// Steps from token to token. Precondition of every step: the token announced is the next one, which a parser has verified.
class json_tokens {
public:
  explicit json_tokens(std::string_view text) : text_{text} {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3; // a byte order mark, which parsers skip
  }

  /// Where the next token begins; commas and colons before it are passed over.
  text_place begin() {
    pass(" \t\r\n,:");
    return place_;
  }

  /// Passes over a token of the given length in bytes.
  void skip(std::size_t length) { advance(at_ + length); }

  /// Passes over a string with its quotation marks.
  void skip_string() { advance(string_end(at_)); }

  /// Passes over a number; returns it as it was written.
  std::string_view skip_number() {
    const std::size_t start = at_;
    advance(number_end(at_));
    return text_.substr(start, at_ - start);
  }

  void skip_blanks() { pass(" \t\r\n"); }

  /// Passes over blanks, and over `separator` and the blanks after it if it comes then; whether it came.
  bool skip_separator(char separator) {
    skip_blanks();
    if (next() != separator) return false;
    skip(1);
    skip_blanks();
    return true;
  }

  /// The next character; '\0' at the end, where at_end() tells it from a null character.
  [[nodiscard]] char next() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] bool at_end() const noexcept { return at_ >= text_.size(); }
  [[nodiscard]] text_place place() const noexcept { return place_; }

  /// What stands here, for a message: up to the next blank, bracket or separator.
  [[nodiscard]] std::string_view word() const {
    constexpr std::string_view alone = "{}[],:";
    if (at_end()) return {};
    if (alone.find(next()) != std::string_view::npos) return text_.substr(at_, 1);
    if (next() == '"') return text_.substr(at_, string_end(at_) - at_);
    const std::size_t end = text_.find_first_of(" \t\r\n{}[],:\"", at_ + 1);
    return text_.substr(at_, end == std::string_view::npos ? end : end - at_);
  }

private:
  void pass(std::string_view characters) {
    const std::size_t stop = text_.find_first_not_of(characters, at_);
    advance(stop == std::string_view::npos ? text_.size() : stop);
  }

  /// Counts lines and characters on the way; a byte that continues a UTF-8 character counts nothing.
  void advance(std::size_t to) {
    for (; at_ < to && at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n')
        place_ = {place_.line + 1, 1};
      else if ((static_cast<unsigned char>(text_[at_]) & 0xC0U) != 0x80U)
        ++place_.column;
    }
  }

  /// After the closing quotation mark; at a line's end where there is none.
  [[nodiscard]] std::size_t string_end(std::size_t start) const {
    std::size_t i = start + 1;
    while (i < text_.size() && text_[i] != '"' && text_[i] != '\n') i += text_[i] == '\\' ? 2 : 1;
    if (i >= text_.size()) return text_.size();
    return text_[i] == '"' ? i + 1 : i;
  }

  [[nodiscard]] std::size_t digits_end(std::size_t i) const {
    while (i < text_.size() && text_[i] >= '0' && text_[i] <= '9') ++i;
    return i;
  }

  /// By JSON's grammar, which "01" follows for one character only.
  [[nodiscard]] std::size_t number_end(std::size_t i) const {
    const auto is = [&](std::string_view characters) {
      return i < text_.size() && characters.find(text_[i]) != std::string_view::npos;
    };
    if (is("-")) ++i;
    i = is("0") ? i + 1 : digits_end(i);
    if (is(".")) i = digits_end(i + 1);
    if (!is("eE")) return i;
    ++i;
    if (is("+-")) ++i;
    return digits_end(i);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  text_place place_{1, 1};
};

} // namespace moeplan::io
