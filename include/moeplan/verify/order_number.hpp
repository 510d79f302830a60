#pragma once

#include <cstdint>

#include <moeplan/describe/rank_order.hpp>
#include <moeplan/text/text_buffer.hpp>

/// @file
/// An order of ranks as a number, so that it can stand among a finding's legal values.

namespace moeplan {

namespace detail {
inline constexpr axis numbered_axes[] = {axis::tp, axis::cp, axis::ep, axis::dp, axis::pp};
}

/// One decimal digit an axis, from the fastest to the slowest: 1 is tp, 2 cp, 3 ep, 4 dp and 5 pp; Megatron-LM's default is 12345.
[[nodiscard]] constexpr std::int64_t number_of(const rank_order& order) noexcept {
  std::int64_t number = 0;
  for (const axis a : order.axes) {
    std::int64_t digit = 1;
    while (detail::numbered_axes[digit - 1] != a) ++digit;
    number = number * 10 + digit;
  }
  return number;
}

/// The order with a number. Precondition: number_of() made it.
[[nodiscard]] constexpr rank_order order_of(std::int64_t number) noexcept {
  rank_order order;
  order.axes.length = 0;
  std::int64_t place = number == 0 ? 0 : 1;
  while (place != 0 && place <= number / 10) place *= 10;
  for (; place > 0; place /= 10) order.axes.push_back(detail::numbered_axes[number / place % 10 - 1]);
  return order;
}

/// The order as it is written, tp-cp-ep-dp-pp.
[[nodiscard]] constexpr text_buffer<14> written(const rank_order& order) noexcept {
  text_buffer<14> words;
  for (const axis a : order.axes) {
    if (words.size() != 0) words.append('-');
    words.append(name_of(a));
  }
  return words;
}

} // namespace moeplan
