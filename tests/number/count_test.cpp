#include <moeplan/number/count.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <sstream>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

constexpr std::uint64_t largest = count::top - 1;

BOTH_TIMES("small counts are integers", [] {
  EXPECT(count{7} + 5 == 12);
  EXPECT(count{7} - 5 == 2);
  EXPECT(count{7} * 5 == 35);
  EXPECT(count{7} / 5 == 1);
  EXPECT(count{7} % 5 == 2);
  EXPECT(5 + count{7} == 12);
  EXPECT(count{} == 0);
  EXPECT(count{7}.value() == 7);
  EXPECT(!count{7}.overflowed());
});

BOTH_TIMES("assignment operators", [] {
  count c = 7;
  c += 5;
  EXPECT(c == 12);
  c *= 2;
  EXPECT(c == 24);
  c -= 4;
  EXPECT(c == 20);
});

BOTH_TIMES("counts are ordered", [] {
  EXPECT(count{3} < 4);
  EXPECT(count{4} > 3);
  EXPECT(count{4} <= 4);
  EXPECT(count{4} >= 4);
  EXPECT(!(count{4} < 4));
  EXPECT(count{4} != 3);
});

BOTH_TIMES("counts come from every integer type", [] {
  EXPECT(count{std::uint8_t{200}} == 200);
  EXPECT(count{std::int8_t{100}} == 100);
  EXPECT(count{INT64_MAX} == 9'223'372'036'854'775'807U);
  EXPECT(count{largest}.value() == largest);
});

BOTH_TIMES("the largest count is one below the top", [] {
  EXPECT(!(count{largest - 1} + 1).overflowed());
  EXPECT((count{largest - 1} + 1).value() == largest);
  EXPECT(count{std::uint64_t{1} << 63}.value() == std::uint64_t{1} << 63);
});

BOTH_TIMES("a result that does not fit is the top", [] {
  using count = saturating_count;
  EXPECT((count{largest} + 1).overflowed()); // the top itself is no count
  EXPECT((count{largest} + largest).overflowed());
  EXPECT((count{std::uint64_t{1} << 32} * (std::uint64_t{1} << 32)).overflowed());
  EXPECT((count{largest / 5} * 5 + 4).overflowed() == (largest % 5 < 4));
  EXPECT((count{3} * 0x5555555555555555).overflowed()); // exactly the top
  EXPECT((count{3} - 4).overflowed());
  EXPECT((count{3} / 0).overflowed());
  EXPECT((count{3} % 0).overflowed());
  EXPECT(count{-1}.overflowed());
  EXPECT(count{INT64_MIN}.overflowed());
});

BOTH_TIMES("everything computed from the top is the top", [] {
  using count = saturating_count;
  const count top = count{largest} + 1;
  for (const count other : {count{0}, count{1}, count{largest}, top}) {
    EXPECT((top + other).overflowed());
    EXPECT((other + top).overflowed());
    EXPECT((top - other).overflowed());
    EXPECT((other - top).overflowed());
    EXPECT((top * other).overflowed()); // 0 x unknown too
    EXPECT((other * top).overflowed());
    EXPECT((top / other).overflowed());
    EXPECT((other / top).overflowed());
    EXPECT((top % other).overflowed());
    EXPECT((other % top).overflowed());
  }
  EXPECT(top > count{largest});
});

// At run time a count saturates; in a constant expression it does not compile.
using moeplan_test::is_constant;
static_assert(is_constant<decltype([] { return count{4} - 4; })>);
static_assert(!is_constant<decltype([] { return count{3} - 4; })>);
static_assert(!is_constant<decltype([] { return count{largest} + 1; })>);
static_assert(!is_constant<decltype([] { return count{largest} * 2; })>);
static_assert(!is_constant<decltype([] { return count{1} / 0; })>);
static_assert(!is_constant<decltype([] { return count{1} % 0; })>);
static_assert(!is_constant<decltype([] { return count{-1}; })>);
static_assert(is_constant<decltype([] { return saturating_count{largest} + 1; })>);

// Nothing that is no integer becomes a count, and no policy the other.
static_assert(!std::constructible_from<count, double>);
__extension__ using wider_than_a_count = __int128; // of which a count could only keep a part
static_assert(!std::constructible_from<count, wider_than_a_count>);
static_assert(!std::constructible_from<count, const char*>);
static_assert(!std::constructible_from<count, saturating_count>);
template <class A, class B>
concept addable = requires(A a, B b) {
  a + b;
};
static_assert(addable<count, int>);
static_assert(!addable<count, double>);
static_assert(!addable<count, saturating_count>);

// An integer is no stream: `1 << n` must not compile by accident.
template <class A, class B>
concept shiftable = requires(A& a, B b) {
  a << b;
};
static_assert(!shiftable<int, count>);

static_assert(moeplan_test::name_the_same_type<count{8}, count{4} + 4>);

} // namespace

TEST_CASE("at run time a count saturates") {
  CHECK((count{largest} + 1).overflowed());
  CHECK((count{3} - 4).overflowed());
  CHECK((count{1} / 0).overflowed());
  CHECK((count{1} % 0).overflowed());
  CHECK(count{-1}.overflowed());
}

TEST_CASE("a count prints as a number, or says that it is none") {
  std::ostringstream out;
  out << count{42} << ' ' << (count{largest} + 1);
  CHECK(out.str() == "42 overflow");
}
