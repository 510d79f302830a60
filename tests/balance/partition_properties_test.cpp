// Against trying every partition.
#include <moeplan/balance/partition.hpp>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// The best partition as it is defined, found by trying all of them: one of the least largest part, whose cuts from the front are as near
/// to an even share as they can be, the earlier of two.
struct tried {
  std::int64_t costs[10]{};
  std::int64_t items = 0;
  std::int64_t parts = 1;

  std::int64_t largest = INT64_MAX;
  std::int64_t bounds[11]{};
  std::int64_t found[11]{};

  constexpr std::int64_t sum(std::int64_t from, std::int64_t to) const {
    std::int64_t s = 0;
    for (std::int64_t i = from; i < to; ++i) s += costs[i];
    return s;
  }

  /// Parts x what lies before a cut, less cut x the total: how far a cut is from its aim.
  constexpr std::int64_t off(std::int64_t cut, std::int64_t at) const {
    const std::int64_t d = parts * sum(0, at) - cut * sum(0, items);
    return d < 0 ? -d : d;
  }

  constexpr bool is_better() const {
    for (std::int64_t cut = 1; cut < parts; ++cut) {
      const std::int64_t here = off(cut, bounds[cut]);
      const std::int64_t there = off(cut, found[cut]);
      if (here != there) return here < there;
      if (bounds[cut] != found[cut]) return bounds[cut] < found[cut];
    }
    return false;
  }

  constexpr void search(std::int64_t part, std::int64_t largest_so_far) {
    if (part == parts) {
      if (bounds[part - 1] >= items) return;
      bounds[part] = items;
      const std::int64_t last = sum(bounds[part - 1], items);
      const std::int64_t most = last > largest_so_far ? last : largest_so_far;
      if (most > largest || (most == largest && !is_better())) return;
      largest = most;
      for (std::int64_t i = 0; i <= parts; ++i) found[i] = bounds[i];
      return;
    }
    for (std::int64_t end = bounds[part - 1] + 1; end < items; ++end) {
      const std::int64_t here = sum(bounds[part - 1], end);
      bounds[part] = end;
      search(part + 1, here > largest_so_far ? here : largest_so_far);
    }
  }
};

constexpr void expect_best(const std::int64_t* costs, std::int64_t items, std::int64_t parts) {
  tried all{.items = items, .parts = parts};
  count counts[10]{};
  for (std::int64_t i = 0; i < items; ++i) counts[i] = all.costs[i] = costs[i];
  all.search(1, 0);
  std::int64_t bounds[11]{};
  const count largest = partition(array_view<const count>{counts, items}, array_view<std::int64_t>{bounds, parts + 1});
  EXPECT(largest == all.largest);
  bool same = true;
  for (std::int64_t i = 0; i <= parts; ++i) same = same && bounds[i] == all.found[i];
  EXPECT(same);
}

BOTH_TIMES("every row of up to four items that cost up to 2", [] {
  for (std::int64_t items = 1; items <= 4; ++items) {
    std::int64_t rows = 1;
    for (std::int64_t i = 0; i < items; ++i) rows *= 3;
    for (std::int64_t row = 0; row < rows; ++row) {
      std::int64_t costs[4]{};
      for (std::int64_t i = 0, digits = row; i < items; ++i, digits /= 3) costs[i] = digits % 3;
      for (std::int64_t parts = 1; parts <= items; ++parts) expect_best(costs, items, parts);
    }
  }
});

TEST_CASE("twenty thousand random rows of up to ten items") {
  std::mt19937_64 random{20240607};
  for (int i = 0; i < 20'000; ++i) {
    const auto items = static_cast<std::int64_t>(1 + random() % 10);
    const auto parts = static_cast<std::int64_t>(1 + random() % static_cast<std::uint64_t>(items));
    const std::uint64_t range = std::uint64_t{1} << random() % 40;
    std::int64_t costs[10]{};
    for (std::int64_t item = 0; item < items; ++item) costs[item] = static_cast<std::int64_t>(random() % (range + 1));
    expect_best(costs, items, parts);
  }
}

/// The least largest part by dynamic programming.
std::uint64_t least_largest(const std::vector<std::uint64_t>& costs, std::size_t parts) {
  std::vector<std::uint64_t> before(costs.size() + 1, 0);
  for (std::size_t i = 0; i < costs.size(); ++i) before[i + 1] = before[i] + costs[i];
  std::vector<std::uint64_t> best = before;
  for (std::size_t part = 2; part <= parts; ++part)
    for (std::size_t end = costs.size(); end >= part; --end) {
      std::uint64_t least = UINT64_MAX;
      for (std::size_t cut = end; cut-- >= part;) least = std::min(least, std::max(best[cut], before[end] - before[cut]));
      best[end] = least;
    }
  return best[costs.size()];
}

TEST_CASE("rows as long as models are deep") {
  std::mt19937_64 random{61};
  for (int i = 0; i < 300; ++i) {
    const std::size_t items = 20 + random() % 130;
    const std::size_t parts = 1 + random() % 32 % items;
    std::vector<std::uint64_t> costs(items);
    for (std::uint64_t& cost : costs) cost = random() % 1'000'000'000'000 * (random() % 4);
    const std::vector<count> counts(costs.begin(), costs.end());
    std::vector<std::int64_t> bounds(parts + 1, -1);
    const count largest = partition(counts, bounds);
    CHECK(largest == least_largest(costs, parts));
    CHECK(bounds.front() == 0);
    CHECK(bounds.back() == static_cast<std::int64_t>(items));
    std::uint64_t most = 0;
    for (std::size_t part = 0; part < parts; ++part) {
      REQUIRE(bounds[part] < bounds[part + 1]);
      std::uint64_t sum = 0;
      for (std::int64_t item = bounds[part]; item < bounds[part + 1]; ++item) sum += costs[static_cast<std::size_t>(item)];
      most = std::max(most, sum);
    }
    CHECK(largest == most);
  }
}

} // namespace
