#include <moeplan/describe/rank_order.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

constexpr bool refused(text written, text problem, text found, std::size_t position) {
  const auto read = rank_order::parse(written);
  return !read && read.error.problem == problem && read.error.found == found && read.error.position == position;
}

BOTH_TIMES("Megatron-LM's order unless said otherwise", [] {
  EXPECT(rank_order{} == rank_order{"tp-cp-ep-dp-pp"});
  EXPECT(rank_order{}.position(axis::tp) == 0);
  EXPECT(rank_order{}.position(axis::pp) == 4);
});

BOTH_TIMES("any order, in either case", [] {
  const auto read = rank_order::parse("PP-dp-Ep-cp-tP");
  EXPECT(read.ok());
  EXPECT(read.value.position(axis::pp) == 0);
  EXPECT(read.value.position(axis::dp) == 1);
  EXPECT(read.value.position(axis::ep) == 2);
  EXPECT(read.value.position(axis::cp) == 3);
  EXPECT(read.value.position(axis::tp) == 4);
  EXPECT(read.value != rank_order{});
});

BOTH_TIMES("axes may be left out", [] {
  const rank_order order{"tp-dp"};
  EXPECT(order.axes.size() == 2);
  EXPECT(order.position(axis::dp) == 1);
  EXPECT(order.position(axis::pp) == 5);
  EXPECT(order.position(axis::vpp) == 5);
});

BOTH_TIMES("what is no order is refused where it goes wrong", [] {
  EXPECT(refused("", "not an axis of a rank order", "", 0));
  EXPECT(refused("tp-xx-dp", "not an axis of a rank order", "xx", 3));
  EXPECT(refused("tp-", "not an axis of a rank order", "", 3));
  EXPECT(refused("-tp", "not an axis of a rank order", "", 0));
  EXPECT(refused("tp--dp", "not an axis of a rank order", "", 3));
  EXPECT(refused("tp, dp", "not an axis of a rank order", "tp, dp", 0));
  EXPECT(refused("tp-etp", "not an axis of a rank order", "etp", 3));
  EXPECT(refused("tp-cp-edp-pp", "not an axis of a rank order", "edp", 6));
  EXPECT(refused("tp-vpp", "not an axis of a rank order", "vpp", 3));
  EXPECT(refused("tp-cp-ep-dp-pp-tp", "an axis stands twice in the rank order", "tp", 15));
  EXPECT(refused("dp-DP", "an axis stands twice in the rank order", "DP", 3));
});

using moeplan_test::is_constant;
static_assert(is_constant<decltype([] { return rank_order{"tp-cp"}; })>);
static_assert(!is_constant<decltype([] { return rank_order{"tp-cp-tp"}; })>);
static_assert(!is_constant<decltype([] { return rank_order{"tensor"}; })>);

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<rank_order{}, rank_order{"TP-CP-EP-DP-PP"}>);
static_assert(!name_the_same_type<rank_order{}, rank_order{"tp-cp-ep-pp-dp"}>);

} // namespace
