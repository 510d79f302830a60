#include <moeplan/balance/metrics.hpp>

#include <initializer_list>

#include "balance/example_loads.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr std::int64_t huge = 0x7fff'ffff'ffff'ffff; // 2^63 - 1

BOTH_TIMES("layer 0 of EPLB's README", [] {
  constexpr load_metrics m = metrics(eplb_layer_0);
  EXPECT(m.parts == 12);
  EXPECT(m.sum == uint256{1033});
  EXPECT(m.largest == 183);
  EXPECT(m.smallest == 4);
  EXPECT(m.mean() == ratio{1033, 12});
  EXPECT(m.max_over_mean() == ratio{2196, 1033});
  EXPECT(m.max_violation() == ratio{1163, 1033});
  EXPECT(m.efficiency() == ratio{1033, 2196});
  EXPECT(m.variance() == ratio{370187, 144});
  EXPECT(m.sample_variance() == ratio{370187, 132});
  EXPECT(m.squared_coefficient_of_variation() == ratio{370187, 1067089});
  EXPECT(m.sample_squared_coefficient_of_variation() == ratio{4442244, 11737979});
  EXPECT(rounds_to(m.max_over_mean().to_double(), 2.125847));
  EXPECT(rounds_to(m.coefficient_of_variation(), 0.588993));
  EXPECT(rounds_to(m.sample_coefficient_of_variation(), 0.615183));
});

BOTH_TIMES("layer 1 of EPLB's README", [] {
  constexpr load_metrics m = metrics(eplb_layer_1);
  EXPECT(m.mean() == ratio{289, 3});
  EXPECT(rounds_to(m.max_over_mean().to_double(), 2.044983));
  EXPECT(rounds_to(m.coefficient_of_variation(), 0.684339));
  EXPECT(rounds_to(m.sample_coefficient_of_variation(), 0.714768));
});

BOTH_TIMES("one part has all", [] {
  constexpr load_metrics m = metrics(one_hot);
  EXPECT(m.mean() == wide_ratio{1});
  EXPECT(m.max_over_mean() == wide_ratio{4});
  EXPECT(m.max_violation() == wide_ratio{3}); // n - 1
  EXPECT(m.efficiency() == ratio{1, 4});
  EXPECT(m.squared_coefficient_of_variation() == wide_ratio{3});        // n - 1
  EXPECT(m.sample_squared_coefficient_of_variation() == wide_ratio{4}); // n
  EXPECT(m.coefficient_of_variation() == square_root(3));
  EXPECT(m.sample_coefficient_of_variation() == 2);
});

BOTH_TIMES("1 to 4", [] {
  constexpr load_metrics m = metrics(one_to_four);
  EXPECT(m.mean() == ratio{5, 2});
  EXPECT(m.max_over_mean() == ratio{8, 5});
  EXPECT(m.variance() == ratio{5, 4});
  EXPECT(m.sample_variance() == ratio{5, 3});
  EXPECT(m.squared_coefficient_of_variation() == ratio{1, 5});
  EXPECT(m.sample_squared_coefficient_of_variation() == ratio{4, 15});
  EXPECT(rounds_to(m.coefficient_of_variation(), 0.447214));
  EXPECT(rounds_to(m.sample_coefficient_of_variation(), 0.516398));
});

BOTH_TIMES("loads that are all zero are equal loads", [] {
  constexpr load_metrics m = metrics(all_zero);
  EXPECT(m.mean() == wide_ratio{0});
  EXPECT(m.max_over_mean() == wide_ratio{1});
  EXPECT(m.max_violation() == wide_ratio{0});
  EXPECT(m.efficiency() == wide_ratio{1});
  EXPECT(m.variance() == wide_ratio{0});
  EXPECT(m.sample_variance() == wide_ratio{0});
  EXPECT(m.squared_coefficient_of_variation() == wide_ratio{0});
  EXPECT(m.sample_squared_coefficient_of_variation() == wide_ratio{0});
  EXPECT(m.coefficient_of_variation() == 0);
  EXPECT(m.sample_coefficient_of_variation() == 0);
});

BOTH_TIMES("equal loads", [] {
  constexpr load_metrics m = metrics(all_equal);
  EXPECT(m.mean() == wide_ratio{7});
  EXPECT(m.max_over_mean() == wide_ratio{1});
  EXPECT(m.max_violation() == wide_ratio{0});
  EXPECT(m.efficiency() == wide_ratio{1});
  EXPECT(m.squared_coefficient_of_variation() == wide_ratio{0});
  EXPECT(m.coefficient_of_variation() == 0);
});

BOTH_TIMES("the largest loads there are", [] {
  constexpr std::int64_t loads[]{huge, 0, huge, 0};
  constexpr load_metrics m = metrics(loads);
  EXPECT(m.mean() == ratio{huge, 2});
  EXPECT(m.max_over_mean() == wide_ratio{2});
  EXPECT(m.squared_coefficient_of_variation() == wide_ratio{1});
  EXPECT(m.sample_squared_coefficient_of_variation() == ratio{4, 3});
  EXPECT(m.variance() == (wide_ratio{uint256::product(huge, huge), uint256{4}}));
  EXPECT(m.coefficient_of_variation() == 1);
});

// The sums of 16 squares near 2^126 need 130 bits.
BOTH_TIMES("large loads that differ by one", [] {
  constexpr std::int64_t loads[]{huge, huge, huge, huge, huge, huge, huge, huge,
                                 huge, huge, huge, huge, huge, huge, huge, huge - 1};
  constexpr load_metrics m = metrics(loads);
  EXPECT(m.variance() == ratio{15, 256});
  EXPECT(m.max_over_mean() > wide_ratio{1});
  EXPECT(m.squared_coefficient_of_variation() > wide_ratio{0});
  EXPECT(m.squared_coefficient_of_variation() == (wide_ratio{uint256{15}, m.sum * m.sum}));
});

BOTH_TIMES("fractional loads are integers over a denominator", [] {
  constexpr load_metrics m = metrics(one_to_four, 6); // 1/6, 1/3, 1/2, 2/3
  EXPECT(m.mean() == ratio{5, 12});
  EXPECT(m.variance() == ratio{5, 144});
  EXPECT(m.sample_variance() == ratio{5, 108});
  EXPECT(m.max_over_mean() == ratio{8, 5});
  EXPECT(m.squared_coefficient_of_variation() == ratio{1, 5});
});

BOTH_TIMES("one part", [] {
  constexpr std::int64_t one[]{5};
  constexpr load_metrics m = metrics(one);
  EXPECT(m.max_over_mean() == wide_ratio{1});
  EXPECT(m.variance() == wide_ratio{0});
  EXPECT(m.squared_coefficient_of_variation() == wide_ratio{0});
});

BOTH_TIMES("1,024 loads in one constant expression", [] {
  const load_metrics m = metrics(many_loads{}.of);
  EXPECT(m.max_over_mean() == ratio{3584, 1791});
  EXPECT(m.squared_coefficient_of_variation() == ratio{86938609, 259822161});
});

using moeplan_test::is_constant;
static_assert(!is_constant<decltype([] { return metrics(array_view<const std::int64_t>{}).mean(); })>);
static_assert(!is_constant<decltype([] {
  const std::int64_t one[]{5};
  return metrics(one).sample_variance();
})>);

void expect_no_metrics(const load_metrics& m) {
  for (const wide_ratio& r : {m.mean(), m.max_over_mean(), m.max_violation(), m.efficiency(), m.variance(), m.sample_variance(),
                              m.squared_coefficient_of_variation(), m.sample_squared_coefficient_of_variation()})
    CHECK(r.overflowed());
  CHECK(m.coefficient_of_variation() > 1e308);
  CHECK(m.sample_coefficient_of_variation() > 1e308);
}

} // namespace

TEST_CASE("a negative load, no load, and a sample of one have no metrics") {
  const std::int64_t negative[]{3, -1, 5};
  const std::int64_t negative_first[]{-1, 3, 5};
  const std::int64_t sum_is_zero[]{-3, 3};
  expect_no_metrics(metrics(negative));
  expect_no_metrics(metrics(negative_first));
  expect_no_metrics(metrics(sum_is_zero));
  expect_no_metrics(metrics(array_view<const std::int64_t>{}));
  for (const std::int64_t load : {0, 5}) {
    const std::int64_t one[]{load};
    CHECK(metrics(one).sample_variance().overflowed());
    CHECK(metrics(one).sample_squared_coefficient_of_variation().overflowed());
    CHECK(metrics(one).sample_coefficient_of_variation() > 1e308);
  }
}
