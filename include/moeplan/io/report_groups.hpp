#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <moeplan/io/report_file.hpp>
#include <moeplan/number/optional_integer.hpp>

/// @file
/// Whether groups that a report lists suit the degree that they belong to.

namespace moeplan::io {

namespace detail {

/// "rank 3", "ranks 0, 1, 2".
[[nodiscard]] inline std::string ranks_in_words(const std::vector<std::int64_t>& ranks) {
  std::string all = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) all += (i == 0 ? "" : ", ") + std::to_string(ranks[i]);
  return ranks.empty() ? "no ranks" : all;
}

[[nodiscard]] inline std::string in_capitals(text name) {
  std::string capitals;
  for (const char c : name) capitals += static_cast<char>(c - 'a' + 'A');
  return capitals;
}

} // namespace detail

/// What is wrong with the groups of one degree, a sentence each; none if nothing is. Each group has as many ranks as the degree says, and
/// each rank is in one group. `gpus`: how many ranks there are, where that is known.
[[nodiscard]] inline std::vector<std::string> group_complaints(const report_groups& groups, std::int64_t degree,
                                                               optional_integer gpus) {
  const std::string name = detail::in_capitals(name_of(groups.of));
  std::vector<std::string> complaints;
  std::set<std::int64_t> seen;
  for (const std::vector<std::int64_t>& members : groups.members) {
    if (static_cast<std::int64_t>(members.size()) != degree)
      complaints.push_back("the " + name + " group of " + detail::ranks_in_words(members) + " has " +
                           std::to_string(members.size()) + (members.size() == 1 ? " member" : " members") + ", but " + name +
                           " is " + std::to_string(degree));
    for (const std::int64_t rank : members) {
      if (!seen.insert(rank).second)
        complaints.push_back("rank " + std::to_string(rank) + " is listed twice among the " + name + " groups");
      if (gpus.given && rank >= gpus.number)
        complaints.push_back("rank " + std::to_string(rank) + " is in a " + name +
                             " group, but ranks are below the number of GPUs, " + std::to_string(gpus.number));
    }
  }
  std::vector<std::int64_t> left_out;
  constexpr std::size_t most_named = 8;
  for (std::int64_t rank = 0; rank < gpus.value_or(0) && left_out.size() < most_named; ++rank)
    if (!seen.contains(rank)) left_out.push_back(rank);
  if (!left_out.empty())
    complaints.push_back(detail::ranks_in_words(left_out) + (left_out.size() == 1 ? " is" : " are") + " in no " + name + " group");
  return complaints;
}

} // namespace moeplan::io
