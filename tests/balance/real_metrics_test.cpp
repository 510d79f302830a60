#include <moeplan/balance/real_metrics.hpp>

#include <initializer_list>

#include "balance/example_loads.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr bool is_nan(double x) { return x != x; }
constexpr double not_a_number = __builtin_nan("");

// GPU loads of EPLB's README, layer 0.
BOTH_TIMES("loads of GPUs that share experts", [] {
  constexpr double loads[]{121.5, 86.5, 125, 113, 147.5, 131.5, 156, 152};
  constexpr real_load_metrics m = metrics(array_view<const double>{loads});
  EXPECT(m.parts == 8);
  EXPECT(m.sum == 1033);
  EXPECT(m.largest == 156);
  EXPECT(m.smallest == 86.5);
  EXPECT(m.mean() == 129.125);
  EXPECT(rounds_to(m.max_over_mean(), 1.208132));
  EXPECT(rounds_to(m.max_violation(), 0.208132));
  EXPECT(rounds_to(m.efficiency(), 0.827724)); // 1033 / 1248
});

BOTH_TIMES("1 to 4", [] {
  constexpr double loads[]{1, 2, 3, 4};
  constexpr real_load_metrics m = metrics(array_view<const double>{loads});
  EXPECT(rounds_to(m.variance(), 1.25));
  EXPECT(rounds_to(m.sample_variance(), 1.666667));
  EXPECT(rounds_to(m.squared_coefficient_of_variation(), 0.2));
  EXPECT(rounds_to(m.sample_squared_coefficient_of_variation(), 0.266667));
  EXPECT(rounds_to(m.coefficient_of_variation(), 0.447214));
  EXPECT(rounds_to(m.sample_coefficient_of_variation(), 0.516398));
});

BOTH_TIMES("one part has all", [] {
  constexpr double loads[]{0, 0, 0.25, 0};
  constexpr real_load_metrics m = metrics(array_view<const double>{loads});
  EXPECT(m.max_over_mean() == 4);
  EXPECT(m.max_violation() == 3);
  EXPECT(m.squared_coefficient_of_variation() == 3);
  EXPECT(m.sample_coefficient_of_variation() == 2);
});

// Three times the double 0.1 is not the double nearest to it, and a third of that is not 0.1.
BOTH_TIMES("equal loads vary by exactly 0", [] {
  constexpr double loads[]{0.1, 0.1, 0.1};
  constexpr real_load_metrics m = metrics(array_view<const double>{loads});
  EXPECT(m.mean() != 0.1);
  EXPECT(m.squared_coefficient_of_variation() == 0);
  EXPECT(m.coefficient_of_variation() == 0);
  EXPECT(m.variance() == 0);
});

BOTH_TIMES("loads so small that their mean rounds to 0", [] {
  constexpr double loads[]{0, 0x1p-1074, 0};
  constexpr real_load_metrics m = metrics(array_view<const double>{loads});
  EXPECT(m.mean() == 0);
  EXPECT(m.max_over_mean() == 3);
  EXPECT(m.squared_coefficient_of_variation() == 2);
});

BOTH_TIMES("loads that are all zero are equal loads", [] {
  constexpr double loads[]{0, 0, 0};
  constexpr real_load_metrics m = metrics(array_view<const double>{loads});
  EXPECT(m.mean() == 0);
  EXPECT(m.max_over_mean() == 1);
  EXPECT(m.max_violation() == 0);
  EXPECT(m.efficiency() == 1);
  EXPECT(m.variance() == 0);
  EXPECT(m.sample_coefficient_of_variation() == 0);
});

// Where squares of loads, or their deviations, would leave the range of a double.
BOTH_TIMES("metrics do not depend on the unit", [] {
  for (const double unit : {0x1p-900, 0x1p-30, 0x1p30, 0x1p900}) {
    const double loads[]{unit, 2 * unit, 3 * unit, 4 * unit};
    const real_load_metrics m = metrics(array_view<const double>{loads});
    EXPECT(m.max_over_mean() == 1.6);
    EXPECT(rounds_to(m.coefficient_of_variation(), 0.447214));
  }
});

BOTH_TIMES("one part", [] {
  constexpr double one[]{5};
  constexpr real_load_metrics m = metrics(array_view<const double>{one});
  EXPECT(m.max_over_mean() == 1);
  EXPECT(m.variance() == 0);
  EXPECT(m.coefficient_of_variation() == 0);
});

bool has_no_metrics(double x, double y) {
  const double loads[]{x, y};
  const real_load_metrics m = metrics(array_view<const double>{loads});
  return is_nan(m.mean()) && is_nan(m.max_over_mean()) && is_nan(m.max_violation()) && is_nan(m.efficiency()) &&
         is_nan(m.variance()) && is_nan(m.sample_variance()) && is_nan(m.coefficient_of_variation()) &&
         is_nan(m.sample_coefficient_of_variation());
}

} // namespace

TEST_CASE("what are no loads") {
  CHECK(has_no_metrics(1, -1));
  CHECK(has_no_metrics(-1, 1));
  CHECK(has_no_metrics(1, not_a_number));
  CHECK(has_no_metrics(not_a_number, 1));
  CHECK(has_no_metrics(1, __builtin_inf()));
  CHECK(has_no_metrics(1e308, 1e308));
  CHECK(is_nan(metrics(array_view<const double>{}).sum));
  CHECK(is_nan(metrics(array_view<const double>{}).max_over_mean()));
}

// 2.5 x 10^399 and 2.5 x 10^-401 are no doubles.
TEST_CASE("a variance beyond the doubles is infinite, or 0, and what is relative is not") {
  for (const double unit : {1e200, 1e-200}) {
    const double loads[]{unit, 0};
    const real_load_metrics m = metrics(array_view<const double>{loads});
    CHECK(m.variance() == (unit > 1 ? __builtin_inf() : 0));
    CHECK(m.sample_variance() == (unit > 1 ? __builtin_inf() : 0));
    CHECK(m.coefficient_of_variation() == 1);
    CHECK(m.max_over_mean() == 2);
  }
}

TEST_CASE("a sample of one has no variance") {
  const double one[]{5};
  const real_load_metrics m = metrics(array_view<const double>{one});
  CHECK(is_nan(m.sample_variance()));
  CHECK(is_nan(m.sample_squared_coefficient_of_variation()));
  CHECK(is_nan(m.sample_coefficient_of_variation()));
}
