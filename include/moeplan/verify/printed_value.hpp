#pragma once

#include <cstdint>

#include <moeplan/number/interval.hpp>
#include <moeplan/number/uint256.hpp>
#include <moeplan/number/wide_ratio.hpp>

/// @file
/// A number as a document prints it, with its precision and its unit, and what it then stands for.

namespace moeplan {

/// What a printed number is a number of.
enum class printed_unit : std::uint16_t {
  none,    ///< "64", "30B" (billion), "1/8"
  percent, ///< "27.6%"
  times,   ///< "64x"
  bytes,   ///< "17.7 GB", "16 GiB"
  seconds, ///< "0.016 s", "8.5 ms"
  rate,    ///< "8000 sequences/s", "12,800 tokens/ms"
  answer   ///< "yes" (1), "no" (0)
};

/// What a rate is a rate of.
enum class counted_thing : std::uint16_t {
  unstated, ///< "5/s"
  tokens,
  sequences,
  samples, ///< of a language model a sample is a sequence
  requests,
  batches,
  steps,
  operations ///< of floating point: "FLOP/s"
};

/// Whether two rates can be of one thing.
[[nodiscard]] constexpr bool are_comparable(counted_thing a, counted_thing b) noexcept {
  constexpr auto plain = [](counted_thing t) { return t == counted_thing::samples ? counted_thing::sequences : t; };
  return a == counted_thing::unstated || b == counted_thing::unstated || plain(a) == plain(b);
}

/// What kB, MB, GB and TB are. Documents mean either; KiB, MiB, GiB and TiB are always powers of 1024.
enum class byte_reading : std::uint16_t {
  decimal, ///< powers of 1000
  binary   ///< powers of 1024
};

/// "17.7" is 177 with one decimal; "1/8" is 1 over 8.
struct printed_number {
  std::uint64_t digits = 0; ///< below 10^18
  std::uint64_t over = 1;   ///< not 0
  std::uint16_t decimals = 0;

  friend constexpr bool operator==(const printed_number&, const printed_number&) noexcept = default;
};

/// A number, or a range of numbers such as "15-20 ms", with a unit. Read one from text with parse_printed().
struct printed_value {
  printed_number first{};
  printed_number last{}; ///< of a range; else the same as `first`
  printed_unit unit = printed_unit::none;
  std::int16_t thousands = 0; ///< powers of 1000 in the unit, or of 1024: K is 1, ms -1
  std::int16_t per = 0;       ///< of a rate: 0 per s, 1 per ms, 2 per us
  counted_thing thing{};      ///< of a rate
  bool binary = false;        ///< KiB, MiB, GiB, TiB

  constexpr printed_value() noexcept = default;

  /// An integer without a unit. Precondition: from 0 to below 10^18.
  template <built_in_integer Integer>
  constexpr printed_value(Integer n) noexcept : first{static_cast<std::uint64_t>(n)}, last{first} {}

  [[nodiscard]] constexpr bool is_range() const noexcept { return !(first == last); }

  /// Whether its unit means one thing in decimal and another in binary reading.
  [[nodiscard]] constexpr bool is_ambiguous() const noexcept { return unit == printed_unit::bytes && thousands > 0 && !binary; }

  friend constexpr bool operator==(const printed_value&, const printed_value&) noexcept = default;
};

namespace detail {

[[nodiscard]] constexpr uint256 power_of(std::uint64_t base, int exponent) noexcept {
  uint256 product{1};
  for (int i = 0; i < exponent; ++i) product = product * uint256{base};
  return product;
}

} // namespace detail

/// One of the printed unit, in its base unit: bytes, seconds, per second; a percent is 1/100.
[[nodiscard]] constexpr wide_ratio unit_size(const printed_value& v, byte_reading reading) noexcept {
  if (v.unit == printed_unit::percent) return {uint256{1}, uint256{100}};
  const bool powers_of_1024 = v.binary || (v.is_ambiguous() && reading == byte_reading::binary);
  const std::uint64_t base = powers_of_1024 ? 1024 : 1000;
  const int powers = v.thousands + v.per;
  return powers < 0 ? wide_ratio{uint256{1}, detail::power_of(base, -powers)} : wide_ratio{detail::power_of(base, powers)};
}

namespace detail {

[[nodiscard]] constexpr interval as_printed(const printed_number& n) noexcept {
  return wide_ratio{uint256{n.digits}, uint256{n.over} * power_of(10, n.decimals)};
}

/// Half a unit of the last printed digit; 0 for a fraction, in which there is none.
[[nodiscard]] constexpr interval half_a_digit(const printed_number& n) noexcept {
  return n.over != 1 ? interval{0} : interval{wide_ratio{uint256{1}, uint256{2} * power_of(10, n.decimals)}};
}

} // namespace detail

/// The values that it prints, in base units: one, or a range from its first to its last.
[[nodiscard]] constexpr interval exact_value(const printed_value& v, byte_reading reading = byte_reading::decimal) noexcept {
  const interval size = unit_size(v, reading);
  return {(detail::as_printed(v.first) * size).low, (detail::as_printed(v.last) * size).high};
}

/// The values that are printed like this when they are rounded: half a unit of the last printed digit to either side, the ends
/// included.
[[nodiscard]] constexpr interval rounded_value(const printed_value& v, byte_reading reading = byte_reading::decimal) noexcept {
  const interval size = unit_size(v, reading);
  // A number below half a digit is at least 0, which the difference sees to.
  const interval from = detail::as_printed(v.first) - interval{wide_ratio{}, detail::half_a_digit(v.first).high};
  const interval to = detail::as_printed(v.last) + detail::half_a_digit(v.last);
  return {(from * size).low, (to * size).high};
}

} // namespace moeplan
