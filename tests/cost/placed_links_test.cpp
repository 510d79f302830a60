#include <moeplan/cost/placed_links.hpp>

#include <moeplan/mesh/group_axes.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// Stages of three ranks on domains of four: 0 1 2, 3 | 4 5, 6 7 | 8, 9 10 11.
constexpr topology threes{strategy{tp{3}, pp{4}, dp{1}}, 4};

BOTH_TIMES("groups of a stage", [] {
  EXPECT(!detail::links_of(threes, groups::tp, 3, 0).leave_domains());
  EXPECT(detail::links_of(threes, groups::tp, 3, 1).leave_domains());
  EXPECT(detail::links_of(threes, groups::tp, 3, 1).gather(1) == group_links{threes.domain_spread_of(groups::tp, 1)}.gather(1));
  EXPECT(detail::links_of(threes, groups::dp, 1, 1).reduce(1) == link_bytes{});
});

BOTH_TIMES("what leaves domains on the way to another stage", [] {
  // 0 to 3 stays, 1 to 4 and 2 to 5 do not.
  EXPECT(detail::far_share(threes, 0, 1) == 2.0 / 3);
  EXPECT(detail::far_share(threes, 1, 0) == 2.0 / 3);
  EXPECT(detail::far_share(threes, 0, 3) == 1);
});

} // namespace
