#pragma once

#include <cstddef>

#include <moeplan/text/parsed.hpp>

/// @file
/// A command line as a shell hands it to a program: words, with quotation marks around some of them.

namespace moeplan::dialect {

/// One word of a command line, without its quotation marks.
struct line_word {
  text characters{};
  std::size_t position = 0; ///< of the first character, from 0
  bool quoted = false;      ///< as a whole: then a '-' at its beginning does not make it a flag
};

/// The words of a command line, one after the other, as views of it.
///
/// Blanks, line ends and a backslash before a line end separate. A word may stand in quotation marks as a whole ('a b') or from an
/// equals sign on (--a='b c'); nothing is escaped or expanded within them. Quotation marks elsewhere, such as a'b'c, are an error: the
/// word would not be a part of the line.
class line_words {
public:
  constexpr explicit line_words(text line) noexcept : line_{line} { skip_blanks(); }

  [[nodiscard]] constexpr bool done() const noexcept { return at_ == line_.size() || !error_.problem.empty(); }
  [[nodiscard]] constexpr const parse_error& error() const noexcept { return error_; }

  /// The next word. Precondition: not done().
  constexpr line_word next() noexcept {
    const std::size_t start = at_;
    if (is_quote(line_[start])) {
      const text inside = quotation(start);
      return {inside, start + 1, true};
    }
    while (at_ < line_.size() && !is_blank(line_[at_])) {
      if (is_quote(line_[at_])) return quoted_value(start);
      ++at_;
    }
    const text word = line_.part(start, at_ - start);
    skip_blanks();
    return {word, start, false};
  }

  /// Where the next word begins, its quotation mark included.
  [[nodiscard]] constexpr std::size_t position() const noexcept { return at_; }

  /// Whether the next word begins with that character, not counting a quotation mark.
  [[nodiscard]] constexpr bool begins_with(char c) const noexcept { return !done() && line_[at_] == c; }

  /// Whether the next word is a value: not at the end, and not a flag. A negative number is a value.
  [[nodiscard]] constexpr bool value_follows() const noexcept {
    if (done()) return false;
    if (line_[at_] != '-') return true;
    return at_ + 1 < line_.size() && line_[at_ + 1] >= '0' && line_[at_ + 1] <= '9';
  }

private:
  [[nodiscard]] static constexpr bool is_quote(char c) noexcept { return c == '\'' || c == '"'; }
  [[nodiscard]] static constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  constexpr void skip_blanks() noexcept {
    while (at_ < line_.size()) {
      const bool continued = line_[at_] == '\\' && (at_ + 1 == line_.size() || line_[at_ + 1] == '\n' || line_[at_ + 1] == '\r');
      if (!is_blank(line_[at_]) && !continued) return;
      ++at_;
    }
  }

  /// What stands in the quotation marks that begin at `open`; afterwards the reader is behind them.
  constexpr text quotation(std::size_t open) noexcept {
    const std::size_t close = line_.find(line_[open], open + 1);
    if (close == line_.size()) {
      error_ = {"a quotation mark that is never closed", line_.part(open, 24), "the same quotation mark after the value", open};
      return {};
    }
    at_ = close + 1;
    if (at_ < line_.size() && !is_blank(line_[at_]))
      error_ = {"something follows a quotation mark", line_.part(close, 24), "a blank after the closing quotation mark", close};
    skip_blanks();
    return line_.part(open + 1, close - open - 1);
  }

  /// --name='value', where the reader stands on the quotation mark.
  constexpr line_word quoted_value(std::size_t start) noexcept {
    const std::size_t open = at_;
    if (line_[open - 1] != '=') {
      error_ = {"a quotation mark inside a word", line_.part(open, 24), "quotation marks around the whole value", open};
      return {};
    }
    const text inside = quotation(open);
    // With the opening quotation mark, which split_flag() takes away: only so the word stays one part of the line.
    return {line_.part(start, open + 1 + inside.size() - start), start, false};
  }

  text line_;
  std::size_t at_ = 0;
  parse_error error_{};
};

/// A flag as it stands in a line: --name, or --name=value.
struct flag_text {
  text name{};
  text value{};
  bool has_value = false;
  std::size_t position = 0;       ///< of the name
  std::size_t value_position = 0; ///< of the value, if there is one
};

[[nodiscard]] constexpr flag_text split_flag(const line_word& word) noexcept {
  const text& all = word.characters;
  const std::size_t equals = all.find('=');
  flag_text result{.name = all.part(0, equals), .position = word.position};
  if (equals == all.size()) return result;
  const bool quoted = equals + 1 < all.size() && (all[equals + 1] == '\'' || all[equals + 1] == '"');
  const std::size_t start = equals + (quoted ? 2 : 1);
  result.has_value = true;
  result.value = all.part(start, all.size());
  result.value_position = word.position + start;
  return result;
}

} // namespace moeplan::dialect
