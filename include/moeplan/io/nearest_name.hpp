#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// @file
/// Which known name somebody may have meant.

namespace moeplan::io {

namespace detail {

[[nodiscard]] inline char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

[[nodiscard]] inline std::size_t common_beginning(std::string_view a, std::string_view b) noexcept {
  std::size_t length = 0;
  while (length < a.size() && length < b.size() && lower(a[length]) == lower(b[length])) ++length;
  return length;
}

} // namespace detail

/// How many letters must be inserted, deleted, replaced or swapped with their neighbour to turn one name into the other; the case of
/// ASCII letters does not count (Damerau-Levenshtein distance, optimal string alignment).
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = detail::lower(a[i - 1]) == detail::lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && detail::lower(a[i - 1]) == detail::lower(b[j - 2]) &&
                           detail::lower(a[i - 2]) == detail::lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

/// The known name with the smallest distance, of several the one that begins most alike; empty when nothing is known.
[[nodiscard]] inline std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  // Nobody misspells a name into one of a thousand letters; a quadratic distance to such a one would only take long.
  const std::string_view start = name.substr(0, 256);
  std::string nearest;
  std::size_t smallest = ~std::size_t{0};
  std::size_t most_alike = 0;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(start, candidate);
    const std::size_t alike = detail::common_beginning(start, candidate);
    if (distance > smallest || (distance == smallest && alike <= most_alike)) continue;
    smallest = distance;
    most_alike = alike;
    nearest = candidate;
  }
  return nearest;
}

/// Names joined by commas, with quotation marks.
[[nodiscard]] inline std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    list += '"' + name + '"';
  }
  return list;
}

} // namespace moeplan::io
