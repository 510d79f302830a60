#pragma once

#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// Amounts of memory and of data to move. GB is 10^9 bytes and GiB 2^30: documents confuse the two, these types do not.

namespace moeplan {

/// An exact number of bytes. Overflow as in `count`.
struct bytes {
  count amount{};

  constexpr bytes() noexcept = default;
  constexpr explicit bytes(count n) noexcept : amount{n} {}

  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return amount.value(); }
  [[nodiscard]] constexpr bool overflowed() const noexcept { return amount.overflowed(); }

  friend constexpr bytes operator+(bytes a, bytes b) noexcept { return bytes{a.amount + b.amount}; }
  friend constexpr bytes operator-(bytes a, bytes b) noexcept { return bytes{a.amount - b.amount}; }
  friend constexpr bytes operator*(bytes a, count n) noexcept { return bytes{a.amount * n}; }
  friend constexpr bytes operator*(count n, bytes a) noexcept { return bytes{n * a.amount}; }
  friend constexpr ratio operator/(bytes a, bytes b) noexcept { return ratio{a.amount, b.amount}; }
  constexpr bytes& operator+=(bytes b) noexcept { return *this = *this + b; }

  friend constexpr bool operator==(bytes, bytes) noexcept = default;
  friend constexpr bool operator<(bytes a, bytes b) noexcept { return a.amount < b.amount; }
  friend constexpr bool operator>(bytes a, bytes b) noexcept { return a.amount > b.amount; }
  friend constexpr bool operator<=(bytes a, bytes b) noexcept { return a.amount <= b.amount; }
  friend constexpr bool operator>=(bytes a, bytes b) noexcept { return a.amount >= b.amount; }
};

inline namespace literals {
constexpr bytes operator""_B(unsigned long long n) noexcept { return bytes{n}; }
constexpr bytes operator""_KB(unsigned long long n) noexcept { return bytes{count{n} * 1'000}; }
constexpr bytes operator""_MB(unsigned long long n) noexcept { return bytes{count{n} * 1'000'000}; }
constexpr bytes operator""_GB(unsigned long long n) noexcept { return bytes{count{n} * 1'000'000'000}; }
constexpr bytes operator""_TB(unsigned long long n) noexcept { return bytes{count{n} * 1'000'000'000'000}; }
constexpr bytes operator""_KiB(unsigned long long n) noexcept { return bytes{count{n} * (1LL << 10)}; }
constexpr bytes operator""_MiB(unsigned long long n) noexcept { return bytes{count{n} * (1LL << 20)}; }
constexpr bytes operator""_GiB(unsigned long long n) noexcept { return bytes{count{n} * (1LL << 30)}; }
constexpr bytes operator""_TiB(unsigned long long n) noexcept { return bytes{count{n} * (1LL << 40)}; }
} // namespace literals

} // namespace moeplan
