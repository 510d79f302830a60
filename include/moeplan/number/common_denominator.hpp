#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/divisors.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// Fractions as integers over one denominator.

namespace moeplan {

/// The least common denominator; 1 of no fractions. Overflowed if it does not fit into 64 bits or one of the fractions is overflowed.
[[nodiscard]] constexpr saturating_count common_denominator(array_view<const ratio> fractions) noexcept {
  saturating_count common{1};
  for (const ratio& r : fractions) {
    if (r.overflowed()) return saturating_count{count::top};
    if (common.overflowed()) return common;
    common = lcm(common, saturating_count{r.denominator.value()});
  }
  return common;
}

/// Writes fraction x denominator into `integers`; false, with `integers` in part written, if one of them is no integer or exceeds 2^63 - 1;
/// false, with nothing written, if there are fewer integers than fractions.
[[nodiscard]] constexpr bool over_denominator(array_view<const ratio> fractions, saturating_count denominator,
                                              array_view<std::int64_t> integers) noexcept {
  if (integers.size() < fractions.size()) return false;
  constexpr std::uint64_t largest = ~std::uint64_t{0} >> 1;
  for (std::int64_t i = 0; i < fractions.size(); ++i) {
    const ratio& r = fractions[i];
    if (r.overflowed() || denominator.overflowed() || denominator.value() % r.denominator.value() != 0) return false;
    const saturating_count scaled =
        saturating_count{r.numerator.value()} * saturating_count{denominator.value() / r.denominator.value()};
    if (scaled > largest) return false;
    integers[i] = static_cast<std::int64_t>(scaled.value());
  }
  return true;
}

} // namespace moeplan
