#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moeplan/io/report_file.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/wide_ratio.hpp>
#include <moeplan/verify/claim_audit.hpp>
#include <moeplan/verify/claim_reason.hpp>

/// @file
/// The verdict on every claim of a report file.

namespace moeplan::io {

/// An end of what was computed, exactly, in the base unit: bytes, seconds, per second; a percent is 1/100.
struct computed_end {
  wide_ratio size{};
  bool is_negative = false;
};

/// Whether one claim holds.
struct report_verdict {
  claim_outcome outcome = claim_outcome::undecided;
  std::string computed; ///< "21.696 GB"; two ends where the inputs leave it open; empty where nothing could be computed
  std::string because;
  std::optional<computed_end> low{};  ///< of what was computed; none of answers
  std::optional<computed_end> high{}; ///< the same as `low`, unless the inputs leave it open
  std::vector<std::string> missing{}; ///< names of inputs
};

namespace detail {

template <class Text>
[[nodiscard]] std::string as_string(const Text& t) {
  return {t.data(), t.size()};
}

/// On a text that is JSON or is not.
[[nodiscard]] inline report_verdict verdict_on(const report_document& document, const printed_value& claimed) {
  const bool valid = document.problem.empty();
  const bool holds = (claimed.first.digits == 1) == valid;
  return {.outcome = holds ? claim_outcome::holds : claim_outcome::fails,
          .computed = valid ? "yes" : "no",
          .because = valid ? document.path + " is JSON" : document.problem};
}

/// The reason for a verdict, and what the claim contradicts; that first where nothing else decides.
[[nodiscard]] inline std::string words_of(const claim& c, const audited_claim& a, const std::vector<claim>& all) {
  claim_verdict alone = a.verdict;
  if (a.fails_by_contradiction) alone.outcome = claim_outcome::undecided;
  const reason_text because = reason(c, alone);
  if (!a.contradicts.given) return as_string(because);
  const claim& other = all[static_cast<std::size_t>(a.contradicts.number)];
  reason_text words;
  if (!a.fails_by_contradiction) words = because;
  append_contradiction(words, other);
  if (a.fails_by_contradiction) words.append(text{"; by itself it is undecided: "}).append(text{because});
  return as_string(words) + (words.truncated() ? "..." : ""); // by a very long id
}

[[nodiscard]] inline report_verdict verdict_on(const claim& c, const audited_claim& a, const std::vector<claim>& all) {
  const claim_verdict& v = a.verdict;
  report_verdict result{.outcome = a.outcome(), .computed = as_string(computed_words(c, v)), .because = words_of(c, a, all)};
  for (const claim_input name : v.missing) result.missing.push_back(as_string(name_of(name)));
  if (!v.computed || entry(c.quantity).dimension == dimension::answer) return result;
  const bool low_is_negative = wide_ratio{} < v.shortfall.high;
  const bool high_is_negative = wide_ratio{} < v.shortfall.low;
  result.low = {low_is_negative ? v.shortfall.high : v.value.low, low_is_negative};
  result.high = {high_is_negative ? v.shortfall.low : v.value.high, high_is_negative};
  return result;
}

} // namespace detail

/// Judges the claims of a report, each by itself and those on one subject against each other. As many verdicts as claims.
[[nodiscard]] inline std::vector<report_verdict> audit_report(const report_file& file) {
  std::vector<claim> claims;
  for (const report_claim& c : file.claims)
    if (!c.document) claims.push_back(stated_in(c));
  std::vector<audited_claim> audited(claims.size());
  const auto size = static_cast<std::int64_t>(claims.size());
  audit(array_view<const claim>{claims.data(), size}, array_view<audited_claim>{audited.data(), size});
  std::vector<report_verdict> verdicts;
  std::size_t i = 0;
  for (const report_claim& c : file.claims) {
    if (c.document) {
      verdicts.push_back(detail::verdict_on(*c.document, c.stated.claimed));
      continue;
    }
    verdicts.push_back(detail::verdict_on(claims[i], audited[i], claims));
    ++i;
  }
  return verdicts;
}

} // namespace moeplan::io
