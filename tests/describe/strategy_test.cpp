#include <moeplan/describe/strategy.hpp>

#include <type_traits>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("degrees in any order", [] {
  const strategy s{pp{16}, ep{64}, dp{128}};
  EXPECT(s[axis::pp] == 16);
  EXPECT(s[axis::ep] == 64);
  EXPECT(s[axis::dp] == 128);
  EXPECT(s == strategy{dp{128}, pp{16}, ep{64}});
  EXPECT(s == strategy{ep{64}, dp{128}, pp{16}});
  EXPECT(s != strategy{ep{64}, dp{128}, pp{8}});
});

BOTH_TIMES("what is not given is 1, but for DP", [] {
  const strategy s;
  for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::cp, axis::sp}) {
    EXPECT(s[a] == 1);
    EXPECT(!s.gives(a));
  }
  EXPECT(!s.resolved());
  EXPECT(strategy{dp{1}}.resolved());
  EXPECT(s.mapping == mapping::folded);
  EXPECT(s.order == rank_order{});
});

BOTH_TIMES("what was given is part of the value", [] {
  EXPECT(strategy{etp{1}}.gives(axis::etp));
  EXPECT(strategy{etp{1}} != strategy{});
  EXPECT(strategy{dp{0}}.resolved());
});

BOTH_TIMES("all parts at once", [] {
  const strategy s{sp{2}, mapping::product, cp{3}, rank_order{"tp-cp-ep-pp-dp"}, tp{2}, vpp{4}, etp{5}, dp{6}, ep{7}, pp{8}};
  EXPECT(s[axis::tp] == 2);
  EXPECT(s[axis::cp] == 3);
  EXPECT(s[axis::vpp] == 4);
  EXPECT(s[axis::etp] == 5);
  EXPECT(s[axis::dp] == 6);
  EXPECT(s[axis::ep] == 7);
  EXPECT(s[axis::pp] == 8);
  EXPECT(s[axis::sp] == 2);
  EXPECT(s.mapping == mapping::product);
  EXPECT(s.order == rank_order{"tp-cp-ep-pp-dp"});
});

BOTH_TIMES("one part replaced", [] {
  const strategy s{tp{2}, pp{4}};
  EXPECT(s.with(dp{8}) == strategy{tp{2}, pp{4}, dp{8}});
  EXPECT(s.with(tp{8}) == strategy{tp{8}, pp{4}});
  EXPECT(s.with(mapping::product) == strategy{tp{2}, pp{4}, mapping::product});
  EXPECT(s.with(rank_order{"dp-tp"}).order == rank_order{"dp-tp"});
});

BOTH_TIMES("degrees that no machine has are kept for judgement", [] {
  EXPECT(strategy{ep{0}}[axis::ep] == 0);
  EXPECT(strategy{tp{-4}}[axis::tp] == -4);
  EXPECT(strategy{tp{INT64_MAX}}[axis::tp] == INT64_MAX);
});

// A single degree is a strategy.
static_assert(std::is_convertible_v<tp, strategy>);

// The same part twice is none.
static_assert(std::is_constructible_v<strategy, tp, pp>);
static_assert(!std::is_constructible_v<strategy, tp, tp>);
static_assert(!std::is_constructible_v<strategy, tp, pp, tp>);
static_assert(!std::is_constructible_v<strategy, pp, dp, ep, cp, etp, dp>);
static_assert(!std::is_constructible_v<strategy, rank_order, tp, rank_order>);
static_assert(!std::is_constructible_v<strategy, mapping, mapping>);

// Expert data parallelism follows from the others, and a number alone is of no axis.
static_assert(!std::is_constructible_v<strategy, degree<axis::edp>>);
static_assert(!std::is_constructible_v<strategy, tp, degree<axis::edp>>);
static_assert(!std::is_constructible_v<strategy, int>);
static_assert(!std::is_constructible_v<strategy, tp, int>);
template <class Part>
concept replaceable = requires(strategy s, Part part) {
  s.with(part);
};
static_assert(replaceable<ep>);
static_assert(!replaceable<degree<axis::edp>>);
static_assert(!replaceable<int>);

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<strategy{pp{16}, ep{64}}, strategy{ep{64}, pp{16}}>);
static_assert(!name_the_same_type<strategy{pp{16}, ep{64}}, strategy{ep{16}, pp{64}}>);

template <strategy S>
inline constexpr std::int64_t stages_of = S[axis::pp];
static_assert(stages_of<strategy{pp{16}, ep{64}, dp{128}}> == 16);

} // namespace
