#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>

/// @file
/// The smallest of many keys while they change one by one.

namespace moeplan {

/// A tournament of n 64-bit keys in storage of 2 n words: each match keeps the smaller key, so that the smallest is known at once and
/// a changed one plays log2(n) matches. (Against a binary heap: no branch depends on the keys.)
class tournament {
public:
  /// How many words of storage n keys take.
  [[nodiscard]] static constexpr std::int64_t storage(std::int64_t n) noexcept { return 2 * n; }

  /// Preconditions: storage.size() >= storage(n), n >= 1; every key is set before play() is called.
  constexpr tournament(array_view<std::uint64_t> storage, std::int64_t n) noexcept : matches_{storage.data()}, n_{n} {}

  constexpr void set(std::int64_t i, std::uint64_t key) noexcept { matches_[n_ + i] = key; }

  /// Plays every match. In a tree of any size, each match but the first goes on to the one at half its index.
  constexpr void play() noexcept {
    for (std::int64_t i = n_ - 1; i > 0; --i) matches_[i] = smaller(matches_[2 * i], matches_[2 * i + 1]);
  }

  [[nodiscard]] constexpr std::uint64_t smallest() const noexcept { return matches_[1]; }

  /// Changes a key.
  constexpr void replace(std::int64_t i, std::uint64_t key) noexcept {
    std::int64_t at = n_ + i;
    matches_[at] = key;
    for (; at > 1; at /= 2) {
      key = smaller(key, matches_[at ^ 1]);
      matches_[at / 2] = key;
    }
  }

private:
  [[nodiscard]] static constexpr std::uint64_t smaller(std::uint64_t a, std::uint64_t b) noexcept { return b < a ? b : a; }

  std::uint64_t* matches_;
  std::int64_t n_;
};

} // namespace moeplan
