#pragma once

#include <cstdint>

#include <moeplan/verify/check.hpp>

/// @file
/// Derives the data parallelism that a number of GPUs leaves.

namespace moeplan {

/// A strategy with its DP, or the findings that say why there is none.
struct resolution {
  moeplan::strategy strategy{};
  moeplan::findings findings{}; ///< rules on degrees and on the number of GPUs alone

  [[nodiscard]] constexpr bool ok() const noexcept { return findings.ok(); }
};

/// The strategy on `world` GPUs: an absent DP becomes world / (TP x CP x PP) (under a product mapping / (TP x CP x EP x SP x PP)), as in
/// Megatron-LM, parallel_state.py. A given DP stays, and it is a finding if the strategy then takes more GPUs than there are.
/// Where the findings are not ok the strategy is returned as it was.
[[nodiscard]] constexpr resolution resolve(const strategy& s, std::int64_t world) noexcept {
  const deployment d{.cluster = {.total = world}, .strategy = s};
  resolution result{.strategy = s, .findings = {.facts = facts_of(d)}};
  detail::judge<rules::world>(result.findings);
  if (result.ok() && !s.resolved()) result.strategy = s.with(dp{result.findings.facts.dp});
  return result;
}

} // namespace moeplan
