#include <moeplan/verify/printed_value.hpp>

#include <initializer_list>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr wide_ratio over(std::int64_t n, std::int64_t d) noexcept { return {uint256{n}, uint256{d}}; }

/// 17.7 of a unit.
constexpr printed_value seventeen(printed_unit unit, std::int16_t thousands, bool binary = false) noexcept {
  printed_value v;
  v.first = v.last = {.digits = 177, .decimals = 1};
  v.unit = unit;
  v.thousands = thousands;
  v.binary = binary;
  return v;
}

BOTH_TIMES("integers are printed values", [] {
  EXPECT(exact_value(printed_value{64}) == interval{64});
  EXPECT(rounded_value(printed_value{64}) == (interval{over(127, 2), over(129, 2)}));
  EXPECT(rounded_value(printed_value{0}) == (interval{over(0, 1), over(1, 2)})); // nothing is negative
  EXPECT(!printed_value{64}.is_range());
});

BOTH_TIMES("a rounded number is half a unit of its last digit off at most", [] {
  const printed_value gb = seventeen(printed_unit::bytes, 3);
  EXPECT(exact_value(gb) == interval{17'700'000'000});
  EXPECT(rounded_value(gb) == (interval{wide_ratio{17'650'000'000}, wide_ratio{17'750'000'000}}));
  const printed_value percent = seventeen(printed_unit::percent, 0);
  EXPECT(exact_value(percent) == interval{over(177, 1000)});
  EXPECT(rounded_value(percent) == (interval{over(1765, 10'000), over(1775, 10'000)}));
  EXPECT(exact_value(seventeen(printed_unit::seconds, -1)) == interval{over(177, 10'000)});
  EXPECT(exact_value(seventeen(printed_unit::rate, 1)) == interval{17'700});
  printed_value per_ms = seventeen(printed_unit::rate, 1);
  per_ms.per = 1;
  EXPECT(exact_value(per_ms) == interval{17'700'000});
  EXPECT(exact_value(seventeen(printed_unit::times, 0)) == interval{over(177, 10)});
});

BOTH_TIMES("GB can be read as GiB, GiB and GB of other things cannot", [] {
  const printed_value gb = seventeen(printed_unit::bytes, 3);
  EXPECT(gb.is_ambiguous());
  EXPECT(exact_value(gb, byte_reading::binary) == interval{over(177LL << 30, 10)});
  const printed_value gib = seventeen(printed_unit::bytes, 3, true);
  EXPECT(!gib.is_ambiguous());
  EXPECT(exact_value(gib, byte_reading::decimal) == interval{over(177LL << 30, 10)});
  const printed_value billion = seventeen(printed_unit::none, 3);
  EXPECT(!billion.is_ambiguous());
  EXPECT(exact_value(billion, byte_reading::binary) == interval{17'700'000'000});
  EXPECT(!seventeen(printed_unit::bytes, 0).is_ambiguous());
});

BOTH_TIMES("a range goes from half a digit before its first to half a digit after its last number", [] {
  printed_value v = seventeen(printed_unit::none, 0);
  v.last = {.digits = 20};
  EXPECT(v.is_range());
  EXPECT(exact_value(v) == (interval{over(177, 10), wide_ratio{20}}));
  EXPECT(rounded_value(v) == (interval{over(353, 20), over(41, 2)}));
});

BOTH_TIMES("a fraction is not rounded", [] {
  printed_value v;
  v.first = v.last = {.digits = 1, .over = 8};
  EXPECT(exact_value(v) == interval{over(1, 8)});
  EXPECT(rounded_value(v) == interval{over(1, 8)});
});

BOTH_TIMES("rates of one thing can be compared, and so can any with one that does not say", [] {
  EXPECT(are_comparable(counted_thing::tokens, counted_thing::tokens));
  EXPECT(are_comparable(counted_thing::unstated, counted_thing::tokens));
  EXPECT(are_comparable(counted_thing::tokens, counted_thing::unstated));
  EXPECT(are_comparable(counted_thing::samples, counted_thing::sequences)); // one and the same for a language model
  EXPECT(!are_comparable(counted_thing::samples, counted_thing::tokens));
  EXPECT(!are_comparable(counted_thing::requests, counted_thing::sequences));
});

static_assert(moeplan_test::name_the_same_type<printed_value{64}, printed_value{64}>);

} // namespace
