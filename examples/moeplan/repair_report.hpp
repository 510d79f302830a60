// What moeplan repair answers, before it is text or JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/search/repair.hpp>

namespace tool {

inline constexpr std::size_t most_repairs = 64;

/// One part that a repair changes, or a number that follows from others.
struct repair_change {
  std::string part{}; ///< as in a deployment file, or idle_gpus
  std::string from{}; ///< in words; empty: it cannot be known
  std::string to{};
  std::optional<std::int64_t> from_number{}; ///< where it is a number
  std::optional<std::int64_t> to_number{};
};

struct repair_entry {
  moeplan::repair repair{};
  moeplan::deployment deployment{};
  std::int64_t dp = 0;
  std::vector<repair_change> changes{};
  std::vector<repair_change> derived{}; ///< no changes: DP, SP that follows TP, the mapping
  std::optional<moeplan::ratio> bubble{};
  bool in_front = false; ///< no nearer one has no more memory and no larger bubble
};

struct repair_report {
  moeplan::repair_outcome outcome{};
  std::vector<repair_entry> entries{};
  bool first_is_alone = false; ///< no other has as few changes, whether it is among the entries or not
  std::int64_t considered = 0;
  std::size_t exhausted = 0;                                    ///< every set of fewer parts than this has been looked at
  std::int64_t fewest_gpus = 0;                                 ///< see fewest_gpus_where_too_few(); 0: that is not what is wrong
  std::vector<std::pair<std::string, std::int64_t>> rejected{}; ///< by rule, most first
};

repair_report report_repairs(const moeplan::deployment& given, const moeplan::repair_options& options, std::size_t most);

} // namespace tool
