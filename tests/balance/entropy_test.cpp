#include <moeplan/balance/entropy.hpp>

#include "balance/example_loads.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr double entropy_of(array_view<const std::int64_t> loads) { return normalised_entropy(loads); }
constexpr double real_entropy_of(array_view<const double> loads) { return normalised_entropy(loads); }
constexpr bool is_nan(double x) { return x != x; }

BOTH_TIMES("published tables", [] {
  EXPECT(rounds_to(entropy_of(eplb_layer_0), 0.924249));
  EXPECT(rounds_to(entropy_of(eplb_layer_1), 0.895816));
  EXPECT(rounds_to(entropy_of(one_to_four), 0.923220));
});

BOTH_TIMES("one part has all", [] {
  EXPECT(entropy_of(one_hot) == 0);
  constexpr double last[]{0, 0, 0.7};
  EXPECT(real_entropy_of(last) == 0);
});

BOTH_TIMES("equal loads, one load, loads that are all zero", [] {
  constexpr std::int64_t one[]{5};
  EXPECT(entropy_of(all_equal) == 1);
  EXPECT(entropy_of(all_zero) == 1);
  EXPECT(entropy_of(one) == 1);
  constexpr double tenths[]{0.1, 0.1, 0.1};
  EXPECT(real_entropy_of(tenths) == 1);
});

// Half of 2^k parts share the load evenly: (k - 1) / k.
BOTH_TIMES("half of the parts", [] {
  constexpr std::int64_t half_of_four[]{3, 0, 3, 0};
  constexpr std::int64_t half_of_eight[]{0, 1, 1, 0, 0, 1, 0, 1};
  constexpr double doubles[]{0, 1e300, 1e300, 0, 0, 1e300, 0, 1e300};
  EXPECT(rounds_to(entropy_of(half_of_four), 0.5));
  EXPECT(rounds_to(entropy_of(half_of_eight), 0.666667));
  EXPECT(rounds_to(real_entropy_of(doubles), 0.666667));
});

BOTH_TIMES("1,024 loads in one constant expression", [] { EXPECT(rounds_to(entropy_of(many_loads{}.of), 0.971982)); });

// A share's logarithm is rounded: without a limit some of these come to 1 + 2^-52.
TEST_CASE("loads that are almost equal have no more than all") {
  for (std::int64_t base = 1'000; base < 100'000'000'000; base = base * 3 + 1)
    for (std::int64_t parts = 2; parts <= 64; ++parts) {
      std::int64_t loads[64]{};
      double doubles[64]{};
      for (std::int64_t i = 0; i < parts; ++i) doubles[i] = static_cast<double>(loads[i] = base + (i == 0 ? 1 : 0));
      CHECK(entropy_of({loads, parts}) <= 1);
      CHECK(real_entropy_of({doubles, parts}) <= 1);
    }
}

BOTH_TIMES("the largest loads there are", [] {
  constexpr std::int64_t huge = 0x7fff'ffff'ffff'ffff;
  constexpr std::int64_t loads[]{huge, 0, huge, 0};
  EXPECT(rounds_to(entropy_of(loads), 0.5));
});

BOTH_TIMES("what are no loads", [] {
  constexpr std::int64_t negative[]{3, -1, 5};
  constexpr double below_zero[]{3, -1, 5};
  constexpr double not_a_number[]{3, 5, __builtin_nan("")};
  constexpr double infinite[]{3, 1, __builtin_inf()};
  constexpr double too_large[]{1e308, 1e308};
  EXPECT(is_nan(entropy_of(negative)));
  EXPECT(is_nan(entropy_of({})));
  EXPECT(is_nan(real_entropy_of(below_zero)));
  EXPECT(is_nan(real_entropy_of(not_a_number)));
  EXPECT(is_nan(real_entropy_of(infinite)));
  EXPECT(is_nan(real_entropy_of(too_large)));
  EXPECT(is_nan(real_entropy_of({})));
});

} // namespace
