#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>

/// @file
/// Loads in a unit so fine that a copy's share of a load is a whole number of them, as good as exactly, and so coarse that all of
/// them together stay below 2^61. Searches and bounds calculate with these; roundings all go down.

namespace moeplan::detail {

/// One load is 2^shift units, shift possibly below zero.
struct load_unit {
  std::int64_t shift = 0;
  std::int64_t total = 0; ///< all loads in units, rounded up: from 2^60 to 2^61, or 0 where all are zero

  /// A load in units, rounded down (only where shift < 0 is there anything to round). Precondition: 0 <= load, one of the loads the
  /// unit was made for.
  [[nodiscard]] constexpr std::int64_t units(std::int64_t load) const noexcept {
    return shift >= 0 ? load << shift : load >> -shift;
  }

  /// Units as a load, rounded down to 53 significant bits. Precondition: units >= 0.
  [[nodiscard]] constexpr double loads(std::int64_t units) const noexcept {
    return times_power_of_two(rounded_down(static_cast<std::uint64_t>(units)), -shift);
  }

  /// Units divided by the mean of `gpus` GPUs, rounded down: less than the exact quotient by a part in 2^51 at most. 1 where all
  /// loads are zero. Preconditions: units >= 0, 1 <= gpus < 2^31.
  [[nodiscard]] constexpr double over_mean(std::int64_t units, std::int64_t gpus) const noexcept {
    if (total == 0) return 1;
    __extension__ using twice_as_wide = unsigned __int128;
    const twice_as_wide all = static_cast<std::uint64_t>(total);
    const twice_as_wide product = twice_as_wide{static_cast<std::uint64_t>(units)} * static_cast<std::uint64_t>(gpus);
    twice_as_wide quotient = (product / all << 52) + (product % all << 52) / all;
    std::int64_t power = -52;
    for (; quotient >> 63 != 0; quotient >>= 1) ++power;
    return times_power_of_two(rounded_down(static_cast<std::uint64_t>(quotient)), power);
  }

  /// The mean of `gpus` GPUs in units, rounded down. Precondition: gpus >= 1.
  [[nodiscard]] constexpr std::int64_t mean(std::int64_t gpus) const noexcept {
    return (shift < 0 ? total - 1 : total) / gpus; // Where bits are lost, the total was rounded up.
  }

  friend constexpr bool operator==(const load_unit&, const load_unit&) noexcept = default;

private:
  [[nodiscard]] static constexpr double rounded_down(std::uint64_t n) noexcept {
    std::int64_t power = 0;
    for (; n >> 53 != 0; n >>= 1) ++power;
    return times_power_of_two(static_cast<double>(n), power);
  }

  [[nodiscard]] static constexpr double times_power_of_two(double n, std::int64_t power) noexcept {
    for (; power > 0; --power) n *= 2;
    for (; power < 0; ++power) n /= 2;
    return n;
  }
};

/// The unit for these loads. Precondition: fewer than 2^31 loads, none below zero.
[[nodiscard]] constexpr load_unit unit_of(array_view<const std::int64_t> loads) noexcept {
  __extension__ using twice_as_wide = unsigned __int128;
  twice_as_wide sum = 0;
  for (const std::int64_t load : loads) sum += static_cast<std::uint64_t>(load);
  if (sum == 0) return {};
  load_unit unit;
  for (; sum >> 60 == 0; sum <<= 1) ++unit.shift;
  for (; sum >> 61 != 0; sum = (sum + 1) >> 1) --unit.shift;
  unit.total = static_cast<std::int64_t>(sum);
  return unit;
}

} // namespace moeplan::detail
