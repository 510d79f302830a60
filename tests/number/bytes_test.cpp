#include <moeplan/number/bytes.hpp>

#include <concepts>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("GB is 10^9 bytes and GiB 2^30", [] {
  EXPECT(1_B == bytes{1});
  EXPECT(1_KB == bytes{1'000});
  EXPECT(1_MB == bytes{1'000'000});
  EXPECT(1_GB == bytes{1'000'000'000});
  EXPECT(1_TB == bytes{1'000'000'000'000});
  EXPECT(1_KiB == bytes{1'024});
  EXPECT(1_MiB == bytes{1'048'576});
  EXPECT(1_GiB == bytes{1'073'741'824});
  EXPECT(1_TiB == bytes{1'099'511'627'776});
  EXPECT(80_GB < 80_GiB);
});

BOTH_TIMES("arithmetic", [] {
  EXPECT(1_GB + 500_MB == 1'500_MB);
  EXPECT(1_GB - 500_MB == 500_MB);
  EXPECT(2_GiB * 3 == 6_GiB);
  EXPECT(3 * 2_GiB == 6_GiB);
  EXPECT(1_GB / 4_GB == ratio{1, 4});
  bytes sum = 1_MB;
  sum += 2_MB;
  EXPECT(sum == 3_MB);
  EXPECT(sum.value() == 3'000'000);
  EXPECT(!sum.overflowed());
});

BOTH_TIMES("amounts are ordered", [] {
  EXPECT(1_KB < 1_KiB);
  EXPECT(1_KiB > 1_KB);
  EXPECT(1_KiB <= 1'024_B);
  EXPECT(1_KiB >= 1'024_B);
  EXPECT(1_KiB != 1_KB);
});

using moeplan_test::is_constant;
static_assert(is_constant<decltype([] { return 18'000'000_TB; })>);
static_assert(!is_constant<decltype([] { return 19'000'000_TB; })>);
static_assert(!is_constant<decltype([] { return 1_B - 2_B; })>);

// A number is no amount, and an amount no number.
static_assert(!std::convertible_to<int, bytes>);
static_assert(!std::convertible_to<bytes, count>);
template <class A, class B>
concept addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept multipliable = requires(A a, B b) {
  a* b;
};
static_assert(addable<bytes, bytes>);
static_assert(!addable<bytes, int>);
static_assert(!multipliable<bytes, bytes>);

static_assert(moeplan_test::name_the_same_type<1_GB, 1'000_MB>);

} // namespace

TEST_CASE("at run time too many bytes say so") {
  CHECK((18'000'000_TB + 18'000'000_TB).overflowed());
  CHECK((1_TB * (std::uint64_t{1} << 40)).overflowed());
  CHECK((1_B - 2_B).overflowed());
}
