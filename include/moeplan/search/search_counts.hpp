#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/number/count.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// How many strategies a search has considered, and what became of them.

namespace moeplan {

/// Every strategy of a search space is counted once: as legal, or under the rule that rejected it first. First is what is decided first
/// (see `decision`), and of what is decided together what stands first in the tables of rules; memory comes last. Where a rule rejects
/// a part of a strategy, it rejects all that have this part, without looking at them.
struct search_counts {
  saturating_count considered{}; ///< all; overflowed where they need more than 64 bits
  saturating_count rejected[rule_count]{};
  std::uint64_t legal = 0;
  std::uint64_t memories =
      0;              ///< whose memory was computed, with what they share only once: of others it is known that they do not fit
  bool ended = false; ///< the visitor ended the search before it was complete

  /// Of those considered, as far as the search has come.
  [[nodiscard]] constexpr saturating_count decided() const noexcept {
    saturating_count all = legal;
    for (const saturating_count n : rejected) all += n;
    return all;
  }

  [[nodiscard]] constexpr saturating_count rejected_by(rule r) const noexcept { return rejected[static_cast<std::size_t>(r)]; }

  friend constexpr bool operator==(const search_counts&, const search_counts&) noexcept = default;
};

} // namespace moeplan
