#pragma once

#include <cstdint>

#include <moeplan/text/text.hpp>

/// @file
/// What a reader of text returns: a value, or what is wrong and where.

namespace moeplan {

/// Why a text cannot be read. The texts are literals or views of the input, so an error outlives its reader but not the input.
struct parse_error {
  text problem{};           ///< what is wrong; empty: nothing
  text found{};             ///< the part of the input that is
  text expected{};          ///< what could stand there
  std::size_t position = 0; ///< where in the input it begins, in characters from 0
};

/// A value, or an error in its place.
template <class T>
struct parsed {
  T value{};
  parse_error error{};

  [[nodiscard]] constexpr bool ok() const noexcept { return error.problem.empty(); }
  constexpr explicit operator bool() const noexcept { return ok(); }
};

/// Reads a decimal number of digits alone, at most 2^63 - 1, from the start of a text; length 0 if there is none or it is too large.
struct leading_number {
  std::int64_t value = 0;
  std::size_t length = 0;
};

[[nodiscard]] constexpr leading_number read_number(text t) noexcept {
  leading_number n;
  while (n.length < t.size() && t[n.length] >= '0' && t[n.length] <= '9') {
    if (__builtin_mul_overflow(n.value, 10, &n.value) || __builtin_add_overflow(n.value, t[n.length] - '0', &n.value)) return {};
    ++n.length;
  }
  return n;
}

} // namespace moeplan
