#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <moeplan/io/report_file.hpp>
#include <moeplan/number/optional_integer.hpp>

/// @file
/// Whether groups that a report lists suit the degree that they belong to.

namespace moeplan::io {

namespace detail {

/// How many of several things a sentence names.
inline constexpr std::size_t most_named = 8;

/// "rank 3", "ranks 0, 1, 2", "ranks 0, 1, 2, 3, 4, 5, 6, 7 and 92 more": of `all` ranks the first.
[[nodiscard]] inline std::string ranks_in_words(const std::vector<std::int64_t>& ranks, std::int64_t all) {
  std::string words = all == 1 ? "rank " : "ranks ";
  const std::size_t named = std::min(ranks.size(), most_named);
  for (std::size_t i = 0; i < named; ++i) words += (i == 0 ? "" : ", ") + std::to_string(ranks[i]);
  const std::int64_t more = all - static_cast<std::int64_t>(named);
  if (more > 0) words += " and " + std::to_string(more) + " more";
  return all == 0 ? "no ranks" : words;
}

[[nodiscard]] inline std::string ranks_in_words(const std::vector<std::int64_t>& ranks) {
  return ranks_in_words(ranks, static_cast<std::int64_t>(ranks.size()));
}

[[nodiscard]] inline std::string in_capitals(text name) {
  std::string capitals;
  for (const char c : name) capitals += static_cast<char>(c - 'a' + 'A');
  return capitals;
}

/// Which groups have another number of members than the degree.
inline void complain_about_sizes(std::vector<std::string>& complaints, const report_groups& groups, std::int64_t degree) {
  const std::string name = in_capitals(name_of(groups.of));
  std::size_t wrong = 0;
  for (const std::vector<std::int64_t>& members : groups.members) {
    const auto size = static_cast<std::int64_t>(members.size());
    if (size == degree || ++wrong > most_named) continue;
    complaints.push_back("the " + name + " group of " + ranks_in_words(members) + " has " + std::to_string(size) +
                         (size == 1 ? " member" : " members") + ", but " + name + " is " + std::to_string(degree));
  }
  if (wrong <= most_named) return;
  const std::size_t more = wrong - most_named;
  complaints.push_back(std::to_string(more) + " more " + name + (more == 1 ? " group does" : " groups do") + " not have " +
                       std::to_string(degree) + (degree == 1 ? " member" : " members"));
}

} // namespace detail

/// What is wrong with the groups of one degree, a sentence each; none if nothing is. Each group has as many ranks as the degree says, and
/// each rank is in one group. `gpus`: how many ranks there are, where that is known.
[[nodiscard]] inline std::vector<std::string> group_complaints(const report_groups& groups, std::int64_t degree,
                                                               optional_integer gpus) {
  const std::string name = detail::in_capitals(name_of(groups.of));
  std::vector<std::string> complaints;
  detail::complain_about_sizes(complaints, groups, degree);
  std::set<std::int64_t> seen;
  std::set<std::int64_t> twice;
  for (const std::vector<std::int64_t>& members : groups.members)
    for (const std::int64_t rank : members)
      if (!seen.insert(rank).second) twice.insert(rank);
  if (!twice.empty())
    complaints.push_back(detail::ranks_in_words({twice.begin(), twice.end()}) + (twice.size() == 1 ? " is" : " are") +
                         " listed more than once among the " + name + " groups");
  if (!gpus.given) return complaints;
  const auto first_beyond = seen.lower_bound(gpus.number);
  const std::vector<std::int64_t> beyond{first_beyond, seen.end()};
  if (!beyond.empty())
    complaints.push_back(detail::ranks_in_words(beyond) + (beyond.size() == 1 ? " is" : " are") + " in a " + name +
                         " group, but ranks are below the number of GPUs, " + std::to_string(gpus.number));
  const std::int64_t left_out = gpus.number - std::distance(seen.begin(), first_beyond);
  std::vector<std::int64_t> named;
  for (std::int64_t rank = 0; rank < gpus.number && named.size() < detail::most_named; ++rank)
    if (!seen.contains(rank)) named.push_back(rank);
  if (left_out > 0)
    complaints.push_back(detail::ranks_in_words(named, left_out) + (left_out == 1 ? " is" : " are") + " in no " + name + " group");
  return complaints;
}

} // namespace moeplan::io
