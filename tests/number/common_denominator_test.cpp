#include <moeplan/number/common_denominator.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("the least common denominator", [] {
  const ratio loads[]{{243, 2}, {173, 2}, {125}, {113, 3}, {1, 4}};
  EXPECT(common_denominator(loads) == saturating_count{12});
  std::int64_t integers[5]{};
  EXPECT(over_denominator(loads, 12, integers));
  EXPECT(integers[0] == 1458);
  EXPECT(integers[1] == 1038);
  EXPECT(integers[2] == 1500);
  EXPECT(integers[3] == 452);
  EXPECT(integers[4] == 3);
});

BOTH_TIMES("integers, and nothing at all", [] {
  const ratio loads[]{{4}, {0}, {7}};
  EXPECT(common_denominator(loads) == saturating_count{1});
  EXPECT(common_denominator({}) == saturating_count{1});
  EXPECT(over_denominator({}, 1, {}));
});

BOTH_TIMES("a denominator that is none of theirs", [] {
  const ratio loads[]{{1, 2}, {1, 3}};
  std::int64_t integers[2]{};
  EXPECT(!over_denominator(loads, 4, integers));
  EXPECT(!over_denominator(loads, count::top - 1, integers));
  EXPECT(over_denominator(loads, 18, integers));
  EXPECT(integers[0] == 9);
  EXPECT(integers[1] == 6);
});

BOTH_TIMES("fewer integers than fractions", [] {
  const ratio loads[]{{1, 2}, {1, 3}};
  std::int64_t integers[]{-7, -7};
  EXPECT(!over_denominator(loads, 6, array_view<std::int64_t>{integers, 1}));
  EXPECT(integers[0] == -7 && integers[1] == -7);
});

BOTH_TIMES("what does not fit into 64 bits", [] {
  constexpr std::uint64_t large = (std::uint64_t{1} << 62) - 57; // no common divisor with the others
  const ratio denominators[]{{1, large}, {1, large - 1}};
  EXPECT(common_denominator(denominators).overflowed());
  std::int64_t integers[2]{};
  EXPECT(!over_denominator(denominators, common_denominator(denominators), integers));
  const ratio loads[]{{large, 1}, {1, 2}};
  EXPECT(over_denominator(loads, 2, integers)); // 2^63 - 114
  const ratio larger[]{{large + 57, 1}, {1, 2}};
  EXPECT(!over_denominator(larger, 2, integers)); // 2^63
});

} // namespace

TEST_CASE("an overflowed fraction has no common denominator") {
  const ratio loads[]{{1, 2}, {1, 0}};
  std::int64_t integers[2]{};
  CHECK(common_denominator(loads).overflowed());
  CHECK(!over_denominator(loads, 2, integers));
}
