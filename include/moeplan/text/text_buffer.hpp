#pragma once

#include <cstdint>

#include <moeplan/text/text.hpp>

/// @file
/// Text composed without allocation, in constant expressions too.

namespace moeplan {

/// Up to `Capacity` characters. What does not fit is cut off, and truncated() says so.
template <std::size_t Capacity>
struct text_buffer {
  char characters[Capacity]{};
  std::size_t length = 0;
  bool cut = false;

  [[nodiscard]] constexpr const char* data() const noexcept { return characters; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return length; }
  [[nodiscard]] constexpr bool truncated() const noexcept { return cut; }

  constexpr text_buffer& append(char c) noexcept {
    if (length == Capacity)
      cut = true;
    else
      characters[length++] = c;
    return *this;
  }

  constexpr text_buffer& append(text t) noexcept {
    for (const char c : t) append(c);
    return *this;
  }

  constexpr text_buffer& append(std::uint64_t n) noexcept {
    char digits[20]{};
    std::size_t used = 0;
    do {
      digits[used++] = static_cast<char>('0' + n % 10);
      n /= 10;
    } while (n != 0);
    while (used != 0) append(digits[--used]);
    return *this;
  }

  constexpr text_buffer& append(std::int64_t n) noexcept {
    if (n < 0) append('-');
    // Negated as unsigned: the most negative number has no positive counterpart.
    return append(n < 0 ? ~static_cast<std::uint64_t>(n) + 1 : static_cast<std::uint64_t>(n));
  }
};

} // namespace moeplan
