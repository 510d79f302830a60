// Random numbers that are the same with every standard library, whose distributions are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace moeplan_test {

class random_numbers {
public:
  explicit random_numbers(std::uint64_t seed) : bits_{seed} {}

  /// From 0 to n - 1.
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(n)); }
  bool coin() { return below(2) == 1; }

  /// A power of 2, up to that of `largest`.
  std::int64_t power(std::int64_t largest) { return std::int64_t{1} << below(largest + 1); }

  std::int64_t one_of(const std::vector<std::int64_t>& values) {
    return values[static_cast<std::size_t>(below(static_cast<std::int64_t>(values.size())))];
  }

  /// One of the first `count` enumerators.
  template <class Enum>
  Enum any(std::int64_t count) {
    return static_cast<Enum>(below(count));
  }

private:
  std::mt19937_64 bits_;
};

} // namespace moeplan_test
