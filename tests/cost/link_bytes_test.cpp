#include <moeplan/cost/link_bytes.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("a link carries both ways at once", [] {
  const both_ways b{3, 5};
  EXPECT(b.busier() == 5 && both_ways{}.busier() == 0);
  EXPECT((both_ways{7, 5}.busier() == 7));
  EXPECT((2.0 * b == both_ways{6, 10}));
});

BOTH_TIMES("links add up apart", [] {
  link_bytes sum{{1, 2}, {3, 4}};
  sum += {{10, 20}, {30, 40}};
  EXPECT((sum == link_bytes{{11, 22}, {33, 44}}));
  EXPECT((sum + sum == 2.0 * sum));
});

BOTH_TIMES("the lesser and the greater in each direction", [] {
  const link_bytes a{{1, 5}, {2, 0}};
  const link_bytes b{{4, 3}, {2, 7}};
  EXPECT((least(a, b) == link_bytes{{1, 3}, {2, 0}}));
  EXPECT((most(a, b) == link_bytes{{4, 5}, {2, 7}}));
});

} // namespace
