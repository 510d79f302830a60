#include <moeplan/balance/gini.hpp>

#include "balance/example_loads.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

template <std::size_t N>
constexpr wide_ratio gini_of(const std::int64_t (&loads)[N]) {
  std::int64_t scratch[N + 2]{};
  scratch[N] = -3; // Larger scratch is fine, and what it held does not matter.
  return gini(array_view<const std::int64_t>{loads}, array_view<std::int64_t>{scratch});
}

template <std::size_t N>
constexpr double real_gini_of(const double (&loads)[N]) {
  double scratch[N]{};
  return gini(array_view<const double>{loads}, array_view<double>{scratch});
}

BOTH_TIMES("published tables", [] {
  EXPECT(gini_of(eplb_layer_0) == ratio{4087, 12396});
  EXPECT(gini_of(eplb_layer_1) == ratio{447, 1156});
  EXPECT(gini_of(one_to_four) == ratio{1, 4});
});

BOTH_TIMES("one part has all: (n - 1) / n", [] {
  EXPECT(gini_of(one_hot) == ratio{3, 4});
  constexpr std::int64_t last_of_five[]{0, 0, 0, 0, 9};
  EXPECT(gini_of(last_of_five) == ratio{4, 5});
});

BOTH_TIMES("equal loads, one load, loads that are all zero", [] {
  constexpr std::int64_t one[]{5};
  EXPECT(gini_of(all_equal) == wide_ratio{0});
  EXPECT(gini_of(all_zero) == wide_ratio{0});
  EXPECT(gini_of(one) == wide_ratio{0});
});

BOTH_TIMES("the largest loads there are", [] {
  constexpr std::int64_t huge = 0x7fff'ffff'ffff'ffff;
  constexpr std::int64_t loads[]{huge, 0, huge, 0, huge, 0};
  EXPECT(gini_of(loads) == ratio{1, 2});
  constexpr std::int64_t nearly_equal[]{huge, huge - 1};
  EXPECT(gini_of(nearly_equal) == (wide_ratio{uint256{1}, uint256{4} * uint256{huge} - uint256{2}}));
});

BOTH_TIMES("loads that are in order already", [] {
  EXPECT(gini_of_ascending(array_view<const std::int64_t>{one_to_four}) == ratio{1, 4});
  EXPECT(gini_of_ascending(array_view<const std::int64_t>{}).overflowed());
});

BOTH_TIMES("1,024 loads in one constant expression", [] { EXPECT(gini_of(many_loads{}.of) == ratio{9799921, 29343744}); });

BOTH_TIMES("doubles", [] {
  constexpr double loads[]{3, 1, 4, 2};
  constexpr double equal[]{0.1, 0.1, 0.1};
  constexpr double zero[]{0, 0};
  constexpr double one_of_three[]{0, 0.5, 0};
  EXPECT(real_gini_of(loads) == 0.25);
  EXPECT(real_gini_of(equal) == 0);
  EXPECT(real_gini_of(zero) == 0);
  EXPECT(real_gini_of(one_of_three) == 2.0 / 3);
});

constexpr bool is_nan(double x) { return x != x; }

BOTH_TIMES("what are no loads", [] {
  constexpr std::int64_t negative[]{3, -1, 5};
  EXPECT(gini_of(negative).overflowed());
  constexpr double below_zero[]{3, -1, 5};
  constexpr double not_a_number[]{3, __builtin_nan(""), 5};
  constexpr double infinite[]{3, 1, __builtin_inf()};
  constexpr double too_large[]{1e308, 1e308};
  EXPECT(is_nan(real_gini_of(below_zero)));
  EXPECT(is_nan(real_gini_of(not_a_number)));
  EXPECT(is_nan(real_gini_of(infinite)));
  EXPECT(is_nan(real_gini_of(too_large)));
  EXPECT(is_nan(gini_of_ascending(array_view<const double>{})));
});

BOTH_TIMES("scratch that is too short is not written to", [] {
  std::int64_t scratch[]{-7, -7, -7, -7};
  EXPECT(gini(array_view<const std::int64_t>{one_to_four}, array_view<std::int64_t>{scratch, 3}).overflowed());
  for (const std::int64_t n : scratch) EXPECT(n == -7);
  constexpr double loads[]{3, 1, 4, 2};
  double doubles[]{-7, -7, -7, -7};
  EXPECT(is_nan(gini(array_view<const double>{loads}, array_view<double>{doubles, 3})));
  for (const double x : doubles) EXPECT(x == -7);
});

} // namespace
