#include <moeplan/number/optional_integer.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("absent is not zero", [] {
  EXPECT(!optional_integer{}.given);
  EXPECT(optional_integer{0}.given);
  EXPECT(optional_integer{} != optional_integer{0});
  EXPECT(optional_integer{5} == 5);
  EXPECT(optional_integer{5} != 6);
});

BOTH_TIMES("a default stands in for what is absent", [] {
  EXPECT(optional_integer{}.value_or(7) == 7);
  EXPECT(optional_integer{0}.value_or(7) == 0);
  EXPECT(optional_integer{-3}.value_or(7) == -3);
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<optional_integer{5}, optional_integer{5}>);
static_assert(!name_the_same_type<optional_integer{0}, optional_integer{}>);

} // namespace
