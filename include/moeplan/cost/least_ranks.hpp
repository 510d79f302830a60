#pragma once

#include <cstdint>

#include <moeplan/describe/experts.hpp>

/// @file
/// How few ranks have all experts of a token.

namespace moeplan {

/// Of so many ranks or domains, each with as many of a layer's routed experts as the others, those that have room for all of a token's.
/// `copies` are of experts, beside the experts themselves. Precondition: `places` divides the number of experts and copies.
[[nodiscard]] constexpr std::int64_t least_ranks(const experts& e, std::int64_t places, std::int64_t copies = 0) noexcept {
  const std::int64_t each = (e.routed + copies) / places;
  return (e.top_k + each - 1) / each;
}

/// The same on average where evenly loaded experts have room for a part of the choices alone. Precondition: 0 < kept <= 1.
[[nodiscard]] constexpr double least_ranks_on_average(const experts& e, std::int64_t places, double kept) noexcept {
  if (kept == 1) return static_cast<double>(least_ranks(e, places));
  return kept * static_cast<double>(e.top_k * places) / static_cast<double>(e.routed);
}

} // namespace moeplan
