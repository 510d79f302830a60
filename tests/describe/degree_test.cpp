#include <moeplan/describe/degree.hpp>

#include <type_traits>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("a degree holds any 64-bit integer, 1 unless given", [] {
  EXPECT(tp{}.value == 1);
  EXPECT(tp{8} == tp{8});
  EXPECT(tp{8} != tp{4});
  EXPECT(ep{0}.value == 0);
  EXPECT(pp{-4}.value == -4);
  EXPECT(dp{INT64_MAX}.value == INT64_MAX);
  EXPECT(dp{INT64_MIN}.value == INT64_MIN);
});

// The axis is in the type.
static_assert(!std::is_constructible_v<pp, tp>);
static_assert(!std::is_convertible_v<tp, pp>);
static_assert(!std::is_convertible_v<int, tp>);
static_assert(!std::is_convertible_v<tp, std::int64_t>);
template <class A, class B>
concept comparable = requires(A a, B b) {
  a == b;
};
static_assert(comparable<tp, tp>);
static_assert(!comparable<tp, etp>);

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<tp{8}, tp{8}>);
static_assert(!name_the_same_type<tp{8}, tp{4}>);
static_assert(!name_the_same_type<tp{8}, ep{8}>);

} // namespace
