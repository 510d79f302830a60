#include <moeplan/number/heap_sort.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool ascending(array_view<const int> items) {
  for (std::int64_t i = 1; i < items.size(); ++i)
    if (items[i] < items[i - 1]) return false;
  return true;
}

constexpr auto less = [](int a, int b) { return a < b; };

BOTH_TIMES("nothing, one item, and two", [] {
  heap_sort(array_view<int>{}, less);
  int one[] = {7};
  heap_sort(array_view<int>{one}, less);
  EXPECT(one[0] == 7);
  int two[] = {7, 3};
  heap_sort(array_view<int>{two}, less);
  EXPECT(two[0] == 3 && two[1] == 7);
});

/// Every list of six numbers from 0 to 2: ascending afterwards, and of each number as many.
BOTH_TIMES("every short list", [] {
  for (int list = 0; list < 3 * 3 * 3 * 3 * 3 * 3; ++list) {
    int items[6]{};
    int before[3]{};
    for (int i = 0, digits = list; i < 6; ++i, digits /= 3) ++before[items[i] = digits % 3];
    heap_sort(array_view<int>{items}, less);
    EXPECT(ascending(items));
    for (const int item : items) --before[item];
    EXPECT(before[0] == 0 && before[1] == 0 && before[2] == 0);
  }
});

BOTH_TIMES("the other way round, and a part of an array", [] {
  int items[200]{};
  for (int i = 0; i < 200; ++i) items[i] = i * 73 % 200;
  heap_sort(array_view<int>{items}.part(1, 198), [](int a, int b) { return a > b; });
  EXPECT(items[0] == 0 && items[199] == 127);
  for (int i = 2; i < 199; ++i) EXPECT(items[i] < items[i - 1]);
});

} // namespace
