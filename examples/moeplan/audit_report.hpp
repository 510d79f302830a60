// What moeplan audit answers, before it is text, Markdown or JSON.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/io/report_audit.hpp>
#include <moeplan/io/report_file.hpp>
#include <moeplan/verify/claim_formula.hpp>
#include <moeplan/verify/findings.hpp>

#include "repair_report.hpp"

namespace tool {

/// What one strategy of a report means.
struct audited_strategy {
  std::string name;
  moeplan::deployment deployment{};     ///< under the folded mapping; sizes that are not given suit the degrees
  moeplan::findings product{};          ///< what is wrong if all degrees are multiplied
  moeplan::findings folded{};           ///< what is wrong if experts lie on the GPUs of dense layers
  std::vector<std::string> groups{};    ///< what is wrong with the groups that are listed
  std::string memory{};                 ///< that memory cannot suffice; empty where it may
  repair_report repairs{};              ///< nearest first, of those whose weights fit; the strategy itself where it is legal
  bool said_to_be_undeployable = false; ///< by a claim of the report that holds

  /// What is open, such as DP where it is not known how many GPUs there are, breaks nothing.
  [[nodiscard]] bool is_sound() const noexcept {
    return moeplan::is_legal_on_some_gpus(folded) && groups.empty() && memory.empty();
  }
};

struct audit_report {
  moeplan::io::report_file file;
  std::vector<moeplan::io::report_verdict> verdicts; ///< one a claim
  std::vector<audited_strategy> strategies;

  [[nodiscard]] std::size_t number_of(moeplan::claim_outcome outcome) const;

  /// No claim fails, and no strategy is broken without the report saying so.
  [[nodiscard]] bool ok() const;
};

audit_report report_audit(moeplan::io::report_file file);

} // namespace tool
