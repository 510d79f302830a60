#include <moeplan/search/repair_values.hpp>

#include <initializer_list>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;
using detail::repair_values;

namespace {

constexpr bool holds(const repair_values& v, std::initializer_list<std::int64_t> expected) {
  if (v.list.size() != expected.size()) return false;
  std::size_t i = 0;
  for (const std::int64_t n : expected)
    if (v.list[i++] != n) return false;
  return v.complete;
}

} // namespace

BOTH_TIMES("divisors in ascending order, as far as they are wanted", [] {
  repair_values v;
  v.add_divisors(36, 100);
  EXPECT(holds(v, {1, 2, 3, 4, 6, 9, 12, 18, 36}));
  v = {};
  v.add_divisors(36, 10);
  EXPECT(holds(v, {1, 2, 3, 4, 6, 9}));
  v = {};
  v.add_divisors(36, 3);
  EXPECT(holds(v, {1, 2, 3}));
  v = {};
  v.add_divisors(7, 1'000'000);
  EXPECT(holds(v, {1, 7}));
  v = {};
  v.add_divisors(0, 10);
  EXPECT(holds(v, {}));
});

BOTH_TIMES("halves", [] {
  repair_values v;
  v.add_halves(11);
  EXPECT(holds(v, {1, 2, 5}));
  v = {};
  v.add_halves(0);
  EXPECT(holds(v, {1}));
  v = {};
  v.add_halves(1);
  EXPECT(holds(v, {}));
});

BOTH_TIMES("the nearest first, as a ratio; of two equally far the smaller", [] {
  repair_values v;
  v.add_divisors(64, 64);
  v.sort_by_distance(8);
  EXPECT(holds(v, {4, 16, 2, 32, 1, 64}));
  v = {};
  v.add_up_to(7);
  v.sort_by_distance(4); // 5/4, 4/3, 3/2, 7/4, 2, 4
  EXPECT(holds(v, {5, 3, 6, 7, 2, 1}));
  v = {};
  v.add_up_to(3);
  v.sort_by_distance(-7);
  EXPECT(holds(v, {1, 2, 3}));
  v = {};
  v.add_up_to(3);
  v.sort_by_distance(100);
  EXPECT(holds(v, {3, 2, 1}));
});

BOTH_TIMES("more values than are looked at do not pass unnoticed", [] {
  repair_values v;
  v.add_up_to(most_repair_values);
  EXPECT(v.complete);
  v = {};
  v.add_up_to(most_repair_values + 1);
  EXPECT(!v.complete);
});

BOTH_TIMES("the distance of several changes is the product of theirs", [] {
  const ratio ep = detail::distance_between(64, 32);
  const ratio micro_batch = detail::distance_between(8, 12);
  EXPECT(ep == ratio{2});
  EXPECT(micro_batch == (ratio{3, 2}));
  EXPECT(detail::product(detail::product(wide_ratio{1}, ep), micro_batch) == wide_ratio{3});
  EXPECT(detail::distance_between(-3, 0) == ratio{1});
});
