#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/number/interval.hpp>
#include <moeplan/number/uint256.hpp>
#include <moeplan/number/wide_ratio.hpp>
#include <moeplan/text/text.hpp>
#include <moeplan/text/text_buffer.hpp>
#include <moeplan/verify/printed_value.hpp>

/// @file
/// Writes numbers as documents print them.

namespace moeplan {

namespace detail {

/// With a comma before each three digits: "8,192".
template <std::size_t Capacity>
constexpr void append_grouped(text_buffer<Capacity>& out, std::uint64_t n) noexcept {
  text_buffer<20> digits;
  digits.append(n);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out.append(',');
    out.append(digits.characters[i]);
  }
}

/// The digits with the point before the last `decimals` of them.
template <std::size_t Capacity>
constexpr void append_decimal(text_buffer<Capacity>& out, std::uint64_t digits, std::size_t decimals) noexcept {
  std::uint64_t unit = 1;
  for (std::size_t i = 0; i < decimals; ++i) unit *= 10;
  append_grouped(out, digits / unit);
  if (decimals == 0) return;
  out.append('.');
  for (std::uint64_t rest = digits % unit; unit != 1; rest %= unit) {
    unit /= 10;
    out.append(static_cast<char>('0' + rest / unit));
  }
}

/// The unit after a number: "%", " GB", " ms", "K tokens/s". `binary` names what is ambiguous after powers of 1024.
template <std::size_t Capacity>
constexpr void append_unit(text_buffer<Capacity>& out, const printed_value& like, bool binary) noexcept {
  constexpr text counts[] = {"", "K", "M", "B", "T"};
  constexpr text sizes[] = {" bytes", " kB", " MB", " GB", " TB"};
  constexpr text powers_of_1024[] = {" bytes", " KiB", " MiB", " GiB", " TiB"};
  constexpr text times[] = {" s", " ms", " us"};
  constexpr text things[] = {"", " tokens", " sequences", " samples", " requests", " batches", " steps", " FLOP"};
  constexpr text rates[] = {"/s", "/ms", "/us"};
  switch (like.unit) {
    case printed_unit::none: out.append(counts[like.thousands]); return;
    case printed_unit::percent: out.append('%'); return;
    case printed_unit::times: out.append('x'); return;
    case printed_unit::bytes: out.append(binary ? powers_of_1024[like.thousands] : sizes[like.thousands]); return;
    case printed_unit::seconds: out.append(times[-like.thousands]); return;
    case printed_unit::rate:
      out.append(counts[like.thousands]).append(things[static_cast<std::size_t>(like.thing)]).append(rates[like.per]);
      return;
    case printed_unit::answer: return;
  }
}

template <std::size_t Capacity>
constexpr void append_number(text_buffer<Capacity>& out, const printed_number& n) noexcept {
  append_decimal(out, n.digits, n.decimals);
  if (n.over != 1) out.append('/').append(n.over);
}

} // namespace detail

/// As it was printed, but for commas, spaces, dashes and how a scale and a rate are spelt.
template <std::size_t Capacity>
constexpr void append_printed(text_buffer<Capacity>& out, const printed_value& v) noexcept {
  if (v.unit == printed_unit::answer) {
    out.append(text{v.first.digits != 0 ? "yes" : "no"});
    return;
  }
  detail::append_number(out, v.first);
  if (v.is_range()) {
    out.append('-');
    detail::append_number(out, v.last);
  }
  detail::append_unit(out, v, v.binary);
}

/// A computed value in the unit of a printed one, rounded to so many decimals, of which zeros at the end are left out; a value below 1
/// to three digits after its leading zeros at least. Of what would have more than 18 digits only that it is more.
template <std::size_t Capacity>
constexpr void append_value(text_buffer<Capacity>& out, const wide_ratio& value, const printed_value& like, byte_reading reading,
                            std::size_t decimals) noexcept {
  constexpr std::size_t most_decimals = 12;
  constexpr uint256 limit{1'000'000'000'000'000'000};
  if (like.unit == printed_unit::answer) {
    out.append(text{value == wide_ratio{} ? "no" : "yes"});
    return;
  }
  const wide_ratio units = (interval{value} / interval{unit_size(like, reading)}).low;
  const bool binary = like.binary || (like.is_ambiguous() && reading == byte_reading::binary);
  const auto rounded = [&units](std::size_t places) {
    const uint256 twice = units.numerator * detail::power_of(10, static_cast<int>(places)) * uint256{2};
    return (twice + units.denominator) / (units.denominator * uint256{2});
  };
  if (units < wide_ratio{1} && !(units == wide_ratio{}))
    while (decimals < most_decimals && rounded(decimals) < uint256{100}) ++decimals;
  while (decimals > 0 && !(rounded(decimals) < limit)) --decimals;
  if (!(rounded(decimals) < limit)) {
    out.append(text{"more than 10^18"});
  } else {
    std::uint64_t digits = rounded(decimals).to_count().value();
    for (; decimals > 0 && digits % 10 == 0; --decimals) digits /= 10;
    detail::append_decimal(out, digits, decimals);
  }
  detail::append_unit(out, like, binary);
}

} // namespace moeplan
