#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/verify/claim.hpp>
#include <moeplan/verify/claim_verdict.hpp>

/// @file
/// All claims of a report, judged one by one and against each other.

namespace moeplan {

/// Whether two claims say that one quantity of one subject is equal to different things, whichever way their units are read. Limits are
/// not compared.
[[nodiscard]] constexpr bool contradict(const claim& a, const claim& b) noexcept {
  if (a.quantity != b.quantity || a.subject.empty() || !(a.subject == b.subject)) return false;
  if (a.relation != claim_relation::equals || b.relation != claim_relation::equals) return false;
  for (const byte_reading of_a : {byte_reading::decimal, byte_reading::binary})
    for (const byte_reading of_b : {byte_reading::decimal, byte_reading::binary})
      if (claimed_value(a, of_a).meets(claimed_value(b, of_b))) return false;
  return true;
}

/// A claim's verdict within its report.
struct audited_claim {
  claim_verdict verdict{};
  optional_integer contradicts{}; ///< the first claim that says something else about the same, by its index

  [[nodiscard]] constexpr claim_outcome outcome() const noexcept { return verdict.outcome; }
};

/// Judges claims, then compares those about one quantity of one subject. Of two that contradict each other both cannot hold: where one
/// holds, the other fails; where neither is decided, the later one fails, and the earlier stays undecided. Where both hold, each of its
/// own inputs, they stay so, and `contradicts` alone says it.
/// Precondition: as many results as claims.
constexpr void audit(array_view<const claim> claims, array_view<audited_claim> results) noexcept {
  for (std::int64_t i = 0; i < claims.size(); ++i) results[i] = {.verdict = judge(claims[i])};
  const auto fail_if_undecided = [](claim_verdict& v) {
    if (v.is_undecided()) v.outcome = claim_outcome::fails;
  };
  // First against what holds of its own inputs, so that the order of the others does not matter.
  for (const bool against_what_holds : {true, false}) {
    for (std::int64_t later = 1; later < claims.size(); ++later) {
      for (std::int64_t earlier = 0; earlier < later; ++earlier) {
        audited_claim& a = results[earlier];
        audited_claim& b = results[later];
        if ((against_what_holds && !a.verdict.holds() && !b.verdict.holds()) || !contradict(claims[earlier], claims[later]))
          continue;
        if (!a.contradicts.given) a.contradicts = later;
        if (!b.contradicts.given) b.contradicts = earlier;
        if (b.verdict.holds())
          fail_if_undecided(a.verdict);
        else if (!a.verdict.fails())
          fail_if_undecided(b.verdict);
      }
    }
  }
}

} // namespace moeplan
