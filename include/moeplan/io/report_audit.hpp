#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/io/report_file.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/verify/claim_audit.hpp>
#include <moeplan/verify/claim_reason.hpp>

/// @file
/// The verdict on every claim of a report file.

namespace moeplan::io {

/// Whether one claim holds.
struct report_verdict {
  claim_outcome outcome = claim_outcome::undecided;
  std::string computed; ///< "21.696 GB"; two ends where the inputs leave it open; empty where nothing could be computed
  std::string because;
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
  return {holds ? claim_outcome::holds : claim_outcome::fails, valid ? "yes" : "no",
          valid ? document.path + " is JSON" : document.problem};
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
    const claim& stated = claims[i];
    const audited_claim& a = audited[i++];
    reason_text because = reason(stated, a.verdict);
    if (a.contradicts.given) append_contradiction(because, claims[static_cast<std::size_t>(a.contradicts.number)]);
    verdicts.push_back({a.outcome(), detail::as_string(computed_words(stated, a.verdict)), detail::as_string(because)});
  }
  return verdicts;
}

} // namespace moeplan::io
