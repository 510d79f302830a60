#pragma once

#include <cstddef>

/// @file
/// A view of characters. The core has its own because <string_view> alone costs more to include than all of the core may.

namespace moeplan {

/// Characters that somebody else owns. Converts from literals and from anything like std::string or std::string_view.
struct text {
  const char* first = "";
  std::size_t length = 0;

  constexpr text() noexcept = default;
  constexpr text(const char* characters, std::size_t n) noexcept : first{characters}, length{n} {}
  constexpr text(const char* terminated) noexcept : first{terminated}, length{__builtin_strlen(terminated)} {}

  template <class String>
    requires requires(const String& s) { text{s.data(), s.size()}; }
  constexpr text(const String& s) noexcept : text{s.data(), s.size()} {}

  [[nodiscard]] constexpr const char* data() const noexcept { return first; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return length; }
  [[nodiscard]] constexpr bool empty() const noexcept { return length == 0; }
  [[nodiscard]] constexpr const char* begin() const noexcept { return first; }
  [[nodiscard]] constexpr const char* end() const noexcept { return first + length; }

  /// Precondition: i below size().
  [[nodiscard]] constexpr char operator[](std::size_t i) const noexcept { return first[i]; }

  /// `n` characters from `start`, fewer where the text ends before. Precondition: start is at most size().
  [[nodiscard]] constexpr text part(std::size_t start, std::size_t n) const noexcept {
    return {first + start, n < length - start ? n : length - start};
  }

  /// Where the character stands first at or after `start`; size() if nowhere.
  [[nodiscard]] constexpr std::size_t find(char wanted, std::size_t start = 0) const noexcept {
    while (start < length && first[start] != wanted) ++start;
    return start;
  }

  friend constexpr bool operator==(text a, text b) noexcept {
    if (a.length != b.length) return false;
    for (std::size_t i = 0; i < a.length; ++i)
      if (a.first[i] != b.first[i]) return false;
    return true;
  }
};

/// Equal but for the case of ASCII letters.
[[nodiscard]] constexpr bool same_letters(text a, text b) noexcept {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

} // namespace moeplan
