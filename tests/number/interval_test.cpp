#include <moeplan/number/interval.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

constexpr wide_ratio over(int n, int d) noexcept { return {uint256{n}, uint256{d}}; }

BOTH_TIMES("points and lengths", [] {
  EXPECT(interval{} == interval{0});
  EXPECT(interval{3}.is_point());
  EXPECT(!interval{wide_ratio{1}, wide_ratio{2}}.is_point());
  EXPECT(interval{over(1, 2)} == interval{over(2, 4)});
});

BOTH_TIMES("the ends belong to it", [] {
  const interval one_to_two{wide_ratio{1}, wide_ratio{2}};
  EXPECT(one_to_two.meets(interval{2}));
  EXPECT(one_to_two.meets(interval{1}));
  EXPECT(!one_to_two.meets(interval{over(200'001, 100'000)}));
  EXPECT(!interval{over(99'999, 100'000)}.meets(one_to_two));
  EXPECT(one_to_two.meets({over(1, 2), wide_ratio{3}}));
  EXPECT(one_to_two.contains(one_to_two));
  EXPECT(one_to_two.contains(interval{over(3, 2)}));
  EXPECT(!one_to_two.contains({over(1, 2), wide_ratio{2}}));
  EXPECT(!one_to_two.contains({wide_ratio{1}, over(5, 2)}));
});

BOTH_TIMES("arithmetic goes from end to end", [] {
  const interval a{wide_ratio{1}, wide_ratio{2}};
  const interval b{wide_ratio{4}, wide_ratio{8}};
  EXPECT(a + b == interval{wide_ratio{5}, wide_ratio{10}});
  EXPECT(b - a == interval{wide_ratio{2}, wide_ratio{7}});
  EXPECT(a * b == interval{wide_ratio{4}, wide_ratio{16}});
  EXPECT(a / b == interval{over(1, 8), over(1, 2)});
  EXPECT(b / a == interval{wide_ratio{2}, wide_ratio{8}});
});

BOTH_TIMES("negative differences are left out", [] {
  EXPECT(interval{wide_ratio{1}, wide_ratio{5}} - interval{wide_ratio{2}, wide_ratio{3}} == interval{wide_ratio{0}, wide_ratio{3}});
  EXPECT(interval{2} - interval{2} == interval{0});
  EXPECT((interval{1} - interval{2}).overflowed());
});

BOTH_TIMES("what cannot be computed says so, and meets nothing", [] {
  const interval nothing = interval{1} / interval{0};
  EXPECT(nothing.overflowed());
  EXPECT((interval{1} / interval{wide_ratio{0}, wide_ratio{1}}).overflowed());
  EXPECT((nothing + interval{1}).overflowed());
  EXPECT((interval{1} - nothing).overflowed());
  EXPECT((nothing - interval{1}).overflowed());
  EXPECT((nothing * interval{0}).overflowed());
  EXPECT((interval{1} / nothing).overflowed());
  EXPECT(nothing.rounded_up().overflowed());
  EXPECT(!nothing.meets(nothing));
  EXPECT(!nothing.contains(interval{1}));
  EXPECT(!interval{1}.contains(nothing));
  EXPECT(!interval{1}.meets(nothing));
  const interval large{wide_ratio{uint256::halves(uint128{1} << 100, 0)}};
  EXPECT((large * large).overflowed());
  EXPECT(large / large == interval{1});
});

BOTH_TIMES("rounded up to integers", [] {
  EXPECT(interval{over(5, 2)}.rounded_up() == interval{3});
  EXPECT(interval{2}.rounded_up() == interval{2});
  EXPECT(interval{over(1, 100)}.rounded_up() == interval{1});
  EXPECT(interval{0}.rounded_up() == interval{0});
  EXPECT((interval{over(6, 4), over(9, 2)}.rounded_up() == interval{wide_ratio{2}, wide_ratio{5}}));
});

static_assert(moeplan_test::name_the_same_type<interval{3}, interval{3}>);

} // namespace
