#include <moeplan/number/wide_ratio.hpp>

#include <initializer_list>

#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("compared by value", [] {
  EXPECT(wide_ratio{uint256{1}, uint256{2}} == wide_ratio{uint256{2}, uint256{4}});
  EXPECT(wide_ratio{uint256{1}, uint256{2}} == ratio{1, 2});
  EXPECT(wide_ratio{} == wide_ratio{0});
  EXPECT(wide_ratio{3} > ratio{5, 2});
  EXPECT(wide_ratio{uint256{1}, uint256{3}} <= ratio{1, 3});
  EXPECT(wide_ratio{uint256{1}, uint256{3}} >= ratio{1, 3});
  EXPECT(wide_ratio{uint256{1}, uint256{3}} != ratio{33'333'333, 100'000'000});
});

BOTH_TIMES("compared by value where cross products would need 512 bits", [] {
  constexpr uint256 large = uint256::halves(uint128{1} << 120, 0);
  EXPECT(wide_ratio{large, large + uint256{1}} < wide_ratio{large + uint256{1}, large + uint256{2}});
  EXPECT(wide_ratio{large + uint256{1}, large} > wide_ratio{large + uint256{2}, large + uint256{1}});
  EXPECT(wide_ratio{large, large + large} == ratio{1, 2});
  EXPECT(wide_ratio{large + uint256{1}, large + large} > ratio{1, 2});
  EXPECT(wide_ratio{large, large + large + uint256{1}} < ratio{1, 2});
  EXPECT(wide_ratio{ratio{1, 2}} > wide_ratio{large, large + large + uint256{1}});
  EXPECT(wide_ratio{large, uint256{1}} > wide_ratio{large - uint256{1}, uint256{1}});
  EXPECT(wide_ratio{0} < wide_ratio{uint256{1}, large});
});

BOTH_TIMES("in lowest terms", [] {
  constexpr uint256 large = uint256::halves(uint128{1} << 100, 0);
  constexpr wide_ratio r = wide_ratio{large * uint256{6}, large * uint256{4}}.lowest_terms();
  EXPECT(r.numerator == uint256{3});
  EXPECT(r.denominator == uint256{2});
  EXPECT(wide_ratio{large * uint256{6}, large * uint256{4}}.to_ratio() == ratio{3, 2});
});

BOTH_TIMES("as a double", [] {
  EXPECT(wide_ratio{uint256{5}, uint256{4}}.to_double() == 1.25);
  EXPECT(wide_ratio{uint256::halves(3, 0), uint256::halves(4, 0)}.to_double() == 0.75);
});

using moeplan_test::is_constant;
static_assert(is_constant<decltype([] { return wide_ratio{uint256{1}, uint256{2}}; })>);
static_assert(!is_constant<decltype([] { return wide_ratio{uint256{1}, uint256{0}}; })>);
static_assert(!is_constant<decltype([] { return wide_ratio{uint256::halves(1, 0)}.to_ratio(); })>);

} // namespace

TEST_CASE("at run time what is no ratio is above every ratio") {
  const wide_ratio infinite{uint256{1}, uint256{0}};
  for (const wide_ratio& none : {infinite, wide_ratio{uint256{0}, uint256{0}}, wide_ratio{uint256::top()},
                                 wide_ratio{uint256{1}, uint256::top()}, wide_ratio{-1}, wide_ratio{ratio{1, 0}}}) {
    CHECK(none.overflowed());
    CHECK(none == infinite);
    CHECK(none > wide_ratio{uint256::halves(~uint128{0}, 0)});
    CHECK(!(none < infinite));
    CHECK(none.lowest_terms().overflowed());
    CHECK(none.to_ratio().overflowed());
    CHECK(none.to_double() > 1e308);
  }
  CHECK(wide_ratio{uint256::halves(1, 0)}.to_ratio().overflowed());
  CHECK(wide_ratio{uint256{1}, uint256::halves(1, 0)}.to_ratio().overflowed());
}
