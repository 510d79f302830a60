#include <moeplan/number/extremes.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using moeplan::detail::greatest;
using moeplan::detail::least;

BOTH_TIMES("of two integers", [] {
  constexpr std::int64_t lowest = INT64_MIN;
  constexpr std::int64_t highest = INT64_MAX;
  EXPECT(least(2, 3) == 2 && least(3, 2) == 2 && least(-1, -1) == -1);
  EXPECT(greatest(2, 3) == 3 && greatest(3, 2) == 3 && greatest(-1, -1) == -1);
  EXPECT(least(lowest, highest) == lowest && greatest(lowest, highest) == highest);
});

BOTH_TIMES("of two numbers with fractions", [] {
  EXPECT(least(0.25, 0.5) == 0.25 && least(0.5, 0.25) == 0.25 && least(-1.5, -1.5) == -1.5);
  EXPECT(greatest(0.25, 0.5) == 0.5 && greatest(0.5, 0.25) == 0.5);
});
