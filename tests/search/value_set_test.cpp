#include <moeplan/search/value_set.hpp>

#include <doctest/doctest.h>

#include <vector>

#include "support/both_times.hpp"

using moeplan::search_values;
using moeplan::detail::value_set;

namespace {

std::vector<std::int64_t> values(const value_set& s, std::int64_t bound) {
  std::vector<std::int64_t> all;
  const bool ended = s.any(bound, [&all](std::int64_t v) {
    all.push_back(v);
    return false;
  });
  CHECK(!ended);
  CHECK(s.size(bound) == static_cast<std::int64_t>(all.size()));
  return all;
}

} // namespace

TEST_CASE("the divisors of a number up to a bound, ascending, however many there are") {
  for (std::int64_t n : {1, 2, 12, 36, 61, 97, 4096, 55440, 720720, 1441440})
    for (std::int64_t highest : {1, 5, 100, 7000, 2'000'000}) {
      const value_set s = value_set::divisors(n, highest);
      for (std::int64_t bound : {highest, (highest + 1) / 2}) {
        std::vector<std::int64_t> expected;
        for (std::int64_t v = 1; v <= bound && v <= n; ++v)
          if (n % v == 0) expected.push_back(v);
        if (bound <= n || s.size(n) <= 128) CHECK(values(s, bound < n ? bound : n) == expected);
      }
    }
}

BOTH_TIMES("a list keeps its order and knows no bound", [] {
  const search_values v{8, 2, 4};
  const value_set s = value_set::of(v.list);
  EXPECT(s.listed());
  EXPECT(s.size(1) == 3);
  std::int64_t digits = 0;
  s.any(1, [&digits](std::int64_t n) {
    digits = digits * 10 + n;
    return false;
  });
  EXPECT(digits == 824);
  EXPECT(s.at_least_1());
  EXPECT(!value_set::one(0).at_least_1());
});

BOTH_TIMES("all numbers up to a bound, until the visitor has seen enough", [] {
  const value_set s = value_set::all();
  EXPECT(s.size(131072) == 131072);
  std::int64_t last = 0;
  EXPECT(s.any(131072, [&last](std::int64_t n) {
    last = n;
    return n == 5;
  }));
  EXPECT(last == 5);
  EXPECT(value_set::divisors(12, 12).any(12, [](std::int64_t n) { return n == 6; }));
  // 144 divisors are more than are kept; beyond the number itself there are none.
  EXPECT(value_set::divisors(110'880, INT64_MAX).size(INT64_MAX) == 144);
  EXPECT(!value_set::divisors(12, 12).any(5, [](std::int64_t n) { return n == 6; }));
});
