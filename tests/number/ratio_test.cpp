#include <moeplan/number/ratio.hpp>

#include <initializer_list>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("a ratio is in lowest terms", [] {
  EXPECT(ratio{6, 4} == ratio{3, 2});
  EXPECT((ratio{6, 4}.numerator == 3));
  EXPECT((ratio{6, 4}.denominator == 2));
  EXPECT(ratio{} == ratio{0});
  EXPECT(ratio{0, 7} == ratio{0});
  EXPECT(ratio{5} == ratio{5, 1});
  EXPECT((ratio{5, 4}.to_double() == 1.25));
});

BOTH_TIMES("ratios compare by cross-multiplication", [] {
  EXPECT(ratio{1, 3} < ratio{1, 2});
  EXPECT(ratio{2, 3} > ratio{1, 2});
  EXPECT(ratio{2, 4} <= ratio{1, 2});
  EXPECT(ratio{2, 4} >= ratio{1, 2});
  EXPECT(ratio{1, 3} != ratio{33'333'333, 100'000'000});
  // Both are 1.0 as doubles.
  constexpr std::uint64_t large = 0xffff'ffff'ffff'fff0;
  EXPECT(ratio{large - 1, large} < ratio{large, large + 1});
});

BOTH_TIMES("arithmetic", [] {
  EXPECT(ratio{1, 2} + ratio{1, 3} == ratio{5, 6});
  EXPECT(ratio{1, 2} - ratio{1, 3} == ratio{1, 6});
  EXPECT(ratio{1, 2} - ratio{1, 2} == ratio{0});
  EXPECT(ratio{2, 3} * ratio{3, 4} == ratio{1, 2});
  EXPECT(ratio{1, 2} / ratio{3, 4} == ratio{2, 3});
  EXPECT(ratio{1, 6} + ratio{1} == ratio{7, 6});
});

BOTH_TIMES("products are reduced before they are multiplied", [] {
  constexpr std::uint64_t large = std::uint64_t{1} << 63;
  EXPECT(ratio{large, 3} * ratio{3, large} == ratio{1});
  EXPECT(ratio{large, 3} / ratio{large, 5} == ratio{5, 3});
});

using moeplan_test::is_constant;
static_assert(is_constant<decltype([] { return ratio{1, 2}; })>);
static_assert(!is_constant<decltype([] { return ratio{1, 0}; })>);
static_assert(!is_constant<decltype([] { return ratio{1, 2} / ratio{0}; })>);
static_assert(!is_constant<decltype([] { return ratio{1, 3} - ratio{1, 2}; })>);
static_assert(!is_constant<decltype([] { return ratio{count::top - 1} * ratio{2}; })>);

static_assert(moeplan_test::name_the_same_type<ratio{5, 4}, ratio{10, 8}>);

} // namespace

TEST_CASE("at run time what is no ratio is above every ratio, and stays so") {
  const ratio infinite{1, 0};
  const ratio half{1, 2};
  for (const ratio none : {infinite, ratio{0, 0}, ratio{count{} - 1}, ratio{1, count{} - 1}, half - ratio{1}, half / ratio{0},
                           ratio{count::top - 1} * ratio{2}}) {
    CHECK(none.overflowed());
    CHECK(none == infinite);
    CHECK(half < none);
    CHECK(!(none < half));
    CHECK(!(none < infinite));
    CHECK(none > ratio{count::top - 1});
    CHECK((none + half).overflowed());
    CHECK((half - none).overflowed());
    CHECK((none * ratio{0}).overflowed());
    CHECK((half / none).overflowed());
    CHECK(none.to_double() > 1e308);
  }
}
