#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>

/// @file
/// A stable sort of 64-bit keys by their upper half: a 32-bit weight above, whatever belongs to it below. In linear time; at a hundred
/// keys already twice as fast as a sort that compares.

namespace moeplan {

namespace detail {

/// How many keys are sorted sooner by insertion than by four passes over 256 digits.
inline constexpr std::int64_t few_keys = 24;

constexpr void insertion_sort_by_upper_half(array_view<std::uint64_t> keys) noexcept {
  for (std::int64_t i = 1; i < keys.size(); ++i) {
    const std::uint64_t key = keys[i];
    std::int64_t hole = i;
    for (; hole > 0 && key >> 32 < keys[hole - 1] >> 32; --hole) keys[hole] = keys[hole - 1];
    keys[hole] = key;
  }
}

/// Digit 0 is the lowest of the upper half.
[[nodiscard]] constexpr std::uint64_t digit_of(std::uint64_t key, int digit) noexcept { return key >> (32 + 8 * digit) & 0xFFU; }

} // namespace detail

/// Sorts in ascending order of the upper halves; keys that agree in them keep their order. Says where the result is: in `keys` or in
/// `buffer`. Preconditions: the buffer is as long as the keys, and neither is part of the other; fewer than 2^32 keys.
[[nodiscard]] constexpr array_view<std::uint64_t> radix_sorted(array_view<std::uint64_t> keys,
                                                               array_view<std::uint64_t> buffer) noexcept {
  if (keys.size() <= detail::few_keys) {
    detail::insertion_sort_by_upper_half(keys);
    return keys;
  }
  std::uint32_t places[4][256]{}; // how many keys have a digit, then where the next of them goes
  for (const std::uint64_t key : keys)
    for (int digit = 0; digit < 4; ++digit) ++places[digit][detail::digit_of(key, digit)];
  for (int digit = 0; digit < 4; ++digit) {
    auto& place = places[digit];
    if (place[detail::digit_of(keys[0], digit)] == keys.size()) continue; // the same in all keys
    std::uint32_t next = 0;
    for (std::uint32_t& p : place) {
      const std::uint32_t here = p;
      p = next;
      next += here;
    }
    for (const std::uint64_t key : keys) buffer[place[detail::digit_of(key, digit)]++] = key;
    const array_view<std::uint64_t> ordered = buffer;
    buffer = keys;
    keys = ordered;
  }
  return keys;
}

} // namespace moeplan
