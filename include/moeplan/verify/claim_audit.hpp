#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/heap_sort.hpp>
#include <moeplan/number/interval.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/verify/claim.hpp>
#include <moeplan/verify/claim_verdict.hpp>

/// @file
/// All claims of a report, judged one by one and against each other.

namespace moeplan {

namespace detail {

/// Among claims that are compared with each other: by place, the one whose first reading ends lowest, and the one whose starts highest, of
/// those up to some place.
struct extreme_claims {
  std::int64_t ends_lowest = -1; ///< -1: there is none
  std::int64_t starts_highest = -1;
};

/// What a claim says, for comparing it with others.
struct compared_claim {
  std::int64_t index = 0; ///< among all claims
  bool is_compared = false;
  counted_thing thing{};
  interval readings[2]{};   ///< what it can stand for, in each reading of its unit
  extreme_claims all{};     ///< up to its place among those about the same
  extreme_claims holding{}; ///< of those that hold
};

[[nodiscard]] constexpr compared_claim compared(const claim& c, std::int64_t index) noexcept {
  compared_claim result{.index = index, .thing = c.claimed.thing};
  result.is_compared = c.relation == claim_relation::equals && !c.subject.empty();
  if (!result.is_compared) return result;
  result.readings[0] = claimed_value(c, byte_reading::decimal);
  result.readings[1] = c.claimed.is_ambiguous() ? claimed_value(c, byte_reading::binary) : result.readings[0];
  return result;
}

/// Precondition: both are about one quantity of one subject.
[[nodiscard]] constexpr bool contradict(const compared_claim& a, const compared_claim& b) noexcept {
  if (!are_comparable(a.thing, b.thing)) return false;
  for (const interval& of_a : a.readings)
    for (const interval& of_b : b.readings)
      if (of_a.meets(of_b)) return false;
  return true;
}

} // namespace detail

/// Whether two claims say that one quantity of one subject is equal to different things, whichever way their units are read. Limits are
/// not compared, nor are rates of different things.
[[nodiscard]] constexpr bool contradict(const claim& a, const claim& b) noexcept {
  if (a.quantity != b.quantity || !(a.subject == b.subject)) return false;
  const detail::compared_claim of_a = detail::compared(a, 0);
  const detail::compared_claim of_b = detail::compared(b, 1);
  return of_a.is_compared && of_b.is_compared && detail::contradict(of_a, of_b);
}

/// A claim's verdict within its report.
struct audited_claim {
  claim_verdict verdict{};
  optional_integer contradicts{};      ///< the first claim that says something else about the same, by its index
  bool fails_by_contradiction = false; ///< by itself it is undecided
  detail::compared_claim compared{};   ///< of use to audit() alone

  [[nodiscard]] constexpr claim_outcome outcome() const noexcept { return verdict.outcome; }
};

namespace detail {

/// The claims about one quantity of one subject, in the order of the report. That they are very many, and of one opinion or of several,
/// is to cost no more than looking at each a few times.
class claim_group {
public:
  constexpr explicit claim_group(array_view<audited_claim> claims) noexcept : claims_{claims} {}

  constexpr void compare() noexcept {
    find_extremes();
    for (std::int64_t x = 0; x < claims_.size(); ++x) compare_with_others(x);
    compare_undecided();
  }

private:
  /// Takes a claim's place into account.
  constexpr void widen(extreme_claims& e, std::int64_t place) const noexcept {
    const interval& reading = reading_of(place);
    if (e.ends_lowest < 0 || reading.high < reading_of(e.ends_lowest).high) e.ends_lowest = place;
    if (e.starts_highest < 0 || reading_of(e.starts_highest).low < reading.low) e.starts_highest = place;
  }

  constexpr void find_extremes() noexcept {
    extreme_claims all;
    extreme_claims holding;
    for (std::int64_t place = 0; place < claims_.size(); ++place) {
      widen(all, place);
      if (claims_[place].verdict.holds()) widen(holding, place);
      claims_[place].compared.all = all;
      claims_[place].compared.holding = holding;
    }
  }

  /// Whether some first reading shares no value with that of x, as that of a claim that contradicts it must.
  [[nodiscard]] constexpr bool can_contradict(std::int64_t x, const extreme_claims& e) const noexcept {
    if (e.ends_lowest < 0) return false;
    const interval& reading = reading_of(x);
    return reading_of(e.ends_lowest).high < reading.low || reading.high < reading_of(e.starts_highest).low;
  }

  /// The place of the first claim that contradicts x, of those that hold or of all; the number of claims if there is none.
  [[nodiscard]] constexpr std::int64_t first_against(std::int64_t x, bool of_those_that_hold) const noexcept {
    std::int64_t first = 0;
    for (std::int64_t end = claims_.size(); first < end;) {
      const std::int64_t middle = first + (end - first) / 2;
      const compared_claim& at = claims_[middle].compared;
      if (can_contradict(x, of_those_that_hold ? at.holding : at.all))
        end = middle;
      else
        first = middle + 1;
    }
    while (first < claims_.size() && !((!of_those_that_hold || claims_[first].verdict.holds()) && contradict(x, first))) ++first;
    return first;
  }

  /// Against what holds of its own inputs first, so that the order of the others does not matter.
  constexpr void compare_with_others(std::int64_t x) noexcept {
    audited_claim& c = claims_[x];
    const std::int64_t none = claims_.size();
    const std::int64_t holding = c.verdict.holds() ? none : first_against(x, true);
    const std::int64_t first = holding != none ? holding : first_against(x, false);
    if (first == none) return;
    c.contradicts = claims_[first].compared.index;
    if (holding != none) fail_if_undecided(c);
  }

  /// Of two that are still undecided the later one fails.
  constexpr void compare_undecided() noexcept {
    extreme_claims undecided;
    for (std::int64_t x = 0; x < claims_.size(); ++x) {
      if (!claims_[x].verdict.is_undecided()) continue;
      std::int64_t other = can_contradict(x, undecided) ? 0 : x;
      while (other < x && !(claims_[other].verdict.is_undecided() && contradict(x, other))) ++other;
      if (other < x)
        fail_if_undecided(claims_[x]);
      else
        widen(undecided, x);
    }
  }

  static constexpr void fail_if_undecided(audited_claim& c) noexcept {
    if (!c.verdict.is_undecided()) return;
    c.verdict.outcome = claim_outcome::fails;
    c.fails_by_contradiction = true;
  }

  [[nodiscard]] constexpr const interval& reading_of(std::int64_t place) const noexcept {
    return claims_[place].compared.readings[0];
  }

  [[nodiscard]] constexpr bool contradict(std::int64_t a, std::int64_t b) const noexcept {
    return detail::contradict(claims_[a].compared, claims_[b].compared);
  }

  array_view<audited_claim> claims_;
};

/// Less than, equal to or greater than 0, as the first text comes before the second, is the same, or comes after it.
[[nodiscard]] constexpr int order_of_texts(text a, text b) noexcept {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

/// By what they are about; those that are compared with no other go last.
[[nodiscard]] constexpr int order_of_topics(array_view<const claim> claims, const compared_claim& a,
                                            const compared_claim& b) noexcept {
  if (a.is_compared != b.is_compared) return a.is_compared ? -1 : 1;
  if (!a.is_compared) return 0;
  const claim& of_a = claims[a.index];
  const claim& of_b = claims[b.index];
  if (of_a.quantity != of_b.quantity) return of_a.quantity < of_b.quantity ? -1 : 1;
  return order_of_texts(of_a.subject, of_b.subject);
}

} // namespace detail

/// Judges claims, then compares those about one quantity of one subject. Of two that contradict each other both cannot hold: where one
/// holds, the other fails; where neither is decided, the later one fails, and the earlier stays undecided. Where both hold, each of its
/// own inputs, they stay so, and `contradicts` alone says it.
/// Takes time for each claim, times the logarithm of how many there are, unless very many agree in one reading of their units alone.
/// Precondition: as many results as claims.
constexpr void audit(array_view<const claim> claims, array_view<audited_claim> results) noexcept {
  for (std::int64_t i = 0; i < claims.size(); ++i)
    results[i] = {.verdict = judge(claims[i]), .compared = detail::compared(claims[i], i)};
  heap_sort(results, [claims](const audited_claim& a, const audited_claim& b) {
    const int order = detail::order_of_topics(claims, a.compared, b.compared);
    return order != 0 ? order < 0 : a.compared.index < b.compared.index;
  });
  for (std::int64_t first = 0; first < results.size() && results[first].compared.is_compared;) {
    std::int64_t end = first + 1;
    while (end < results.size() && detail::order_of_topics(claims, results[first].compared, results[end].compared) == 0) ++end;
    detail::claim_group{results.part(first, end - first)}.compare();
    first = end;
  }
  heap_sort(results, [](const audited_claim& a, const audited_claim& b) { return a.compared.index < b.compared.index; });
}

} // namespace moeplan
