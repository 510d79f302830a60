#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/number/sequence.hpp>
#include <moeplan/search/search_space.hpp>

/// @file
/// The values of one number of a search, in the order in which they are tried.

namespace moeplan::detail {

/// A list, or the divisors of a number, or all numbers. What is not a list is ascending, begins with 1 and ends at a bound that is given
/// with each question.
class value_set {
public:
  constexpr value_set() noexcept = default;

  [[nodiscard]] static constexpr value_set one(std::int64_t value) noexcept {
    value_set s;
    s.kept_.push_back(value);
    s.listed_ = true;
    return s;
  }

  [[nodiscard]] static constexpr value_set of(const sequence<std::int64_t, search_values::most>& list) noexcept {
    value_set s;
    for (const std::int64_t value : list) s.kept_.push_back(value);
    s.listed_ = true;
    return s;
  }

  /// All from 1.
  [[nodiscard]] static constexpr value_set all() noexcept { return {}; }

  /// Those of `number` that are at most `highest`, which no later question exceeds. Precondition: both are at least 1.
  [[nodiscard]] static constexpr value_set divisors(std::int64_t number, std::int64_t highest) noexcept {
    value_set s;
    s.number_ = number;
    bool room = true;
    std::int64_t small = 0;
    while (small < highest && small + 1 <= number / (small + 1) && room)
      if (number % ++small == 0) room = s.kept_.push_back(small);
    for (; small >= 1 && number / small <= highest && room; --small)
      if (number % small == 0 && number / small != small) room = s.kept_.push_back(number / small);
    s.is_kept_ = room;
    return s;
  }

  [[nodiscard]] constexpr bool listed() const noexcept { return listed_; }

  /// Whether no value is below 1.
  [[nodiscard]] constexpr bool at_least_1() const noexcept {
    for (const std::int64_t value : kept_)
      if (value < 1) return false;
    return true;
  }

  /// Calls visit(value) until it returns true, and returns whether it did. Precondition: bound >= 1.
  template <class Visit>
  constexpr bool any(std::int64_t bound, Visit&& visit) const {
    if (listed_ || is_kept_) {
      for (const std::int64_t value : kept_) {
        if (!listed_ && value > bound) break;
        if (visit(value)) return true;
      }
      return false;
    }
    const std::int64_t last = number_ != 0 && number_ < bound ? number_ : bound; // No divisor is larger.
    for (std::int64_t value = 1;; ++value) {
      if (number_ % value == 0 && visit(value)) return true;
      if (value == last) return false;
    }
  }

  /// How many values there are.
  [[nodiscard]] constexpr std::int64_t size(std::int64_t bound) const noexcept {
    if (listed_) return static_cast<std::int64_t>(kept_.size());
    if (number_ == 0) return bound;
    std::int64_t n = 0;
    any(bound, [&n](std::int64_t) {
      ++n;
      return false;
    });
    return n;
  }

private:
  sequence<std::int64_t, 128> kept_{};
  std::int64_t number_ = 0; ///< 0 is divisible by all
  bool listed_ = false;
  bool is_kept_ = false; ///< every divisor is in `kept_`
};

} // namespace moeplan::detail
