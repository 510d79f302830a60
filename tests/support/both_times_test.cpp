#include "both_times.hpp"

namespace {

constexpr int doubled(int n) { return 2 * n; }

BOTH_TIMES("a body with commas and a variable", [] {
  const int a = 2, b = 3;
  EXPECT(doubled(a) == 4);
  EXPECT(doubled(b) == 6);
});

} // namespace

// That it stops the compiler is tested in compile_fail/false_expectation.cpp.
TEST_CASE("a false expectation fails the test at run time" * doctest::should_fail()) { EXPECT(doubled(1) == 3); }
