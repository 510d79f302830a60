#pragma once

#include <cstddef>

#include <moeplan/text/text.hpp>

/// @file
/// Which known flag somebody may have meant.

namespace moeplan::dialect {

/// How many letters must be inserted, deleted or replaced to turn one name into the other (Levenshtein distance), or `limit` if it is at
/// least that; '-' and '_' count as the same letter. Precondition: limit <= 64.
[[nodiscard]] constexpr std::size_t flag_distance(text a, text b, std::size_t limit = 64) noexcept {
  constexpr std::size_t longest = 96;
  constexpr auto same = [](char x, char y) { return x == y || ((x == '-' || x == '_') && (y == '-' || y == '_')); };
  const text left = a.part(0, longest);
  const text right = b.part(0, longest);
  std::size_t row[longest + 1]{};
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    // Further from the diagonal than the limit no distance is below it.
    const std::size_t first = i > limit ? i - limit : 1;
    const std::size_t last = i + limit < right.size() ? i + limit : right.size();
    std::size_t diagonal = row[first - 1];
    std::size_t least = row[first - 1] = first == 1 ? i : limit;
    for (std::size_t j = first; j <= last; ++j) {
      const std::size_t replaced = diagonal + (same(left[i - 1], right[j - 1]) ? 0 : 1);
      diagonal = row[j];
      const std::size_t shifted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      row[j] = replaced < shifted ? replaced : shifted;
      if (row[j] < least) least = row[j];
    }
    if (least >= limit) return limit;
  }
  return row[right.size()] < limit ? row[right.size()] : limit;
}

/// Looks for the nearest of many names, one at a time; of equally near ones the first stays. A name of which more than a third of the
/// letters is different is not what was meant.
class nearest_flag {
public:
  constexpr explicit nearest_flag(text wanted) noexcept
      : wanted_{wanted}, distance_{wanted.size() / 3 + 2 < 64 ? wanted.size() / 3 + 2 : 64} {}

  constexpr void consider(text name) noexcept {
    const std::size_t longer = name.size() > wanted_.size() ? name.size() - wanted_.size() : wanted_.size() - name.size();
    if (longer >= distance_) return;
    const std::size_t far = flag_distance(wanted_, name, distance_);
    if (far >= distance_) return;
    distance_ = far;
    nearest_ = name;
  }

  /// Empty if none was near enough.
  [[nodiscard]] constexpr text nearest() const noexcept { return nearest_; }

private:
  text wanted_;
  text nearest_{};
  std::size_t distance_;
};

/// Calls `visit` with each of several names that blanks separate, until it returns true; whether one did.
template <class Visit>
constexpr bool any_name(text names, Visit visit) noexcept {
  std::size_t start = 0;
  while (start < names.size()) {
    const std::size_t stop = names.find(' ', start);
    if (stop != start && visit(names.part(start, stop - start))) return true;
    start = stop + 1;
  }
  return false;
}

/// Whether `name` is among several names that blanks separate.
[[nodiscard]] constexpr bool is_among(text name, text names) noexcept {
  return any_name(names, [name](text known) { return known == name; });
}

} // namespace moeplan::dialect
