// expect: this_expectation_does_not_hold
// expect: doubled(n) == 7
#include "../support/both_times.hpp"

constexpr int doubled(int n) { return 2 * n; }

BOTH_TIMES("a false expectation", [] {
  const int n = 3;
  EXPECT(doubled(n) == 7);
});
