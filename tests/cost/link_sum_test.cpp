#include <moeplan/cost/link_sum.hpp>

#include <cstdint>

#include <moeplan/mesh/group_axes.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr deployment placed(const strategy& s, std::int64_t gpus_per_node) {
  return {.cluster = {.gpus_per_node = gpus_per_node, .nodes = 1}, .strategy = s};
}

constexpr communication of(collective kind, group_axes group, std::int64_t ranks, std::int64_t size, std::int64_t times) {
  communication c;
  c.kind = kind;
  c.group = group;
  c.ranks = ranks;
  c.size = size;
  c.times = times;
  return c;
}

BOTH_TIMES("so much for each byte, so many times", [] {
  const deployment d = placed({tp{4}, dp{2}}, 4);
  const least_traffic least{d};
  detail::link_sum sum{least};
  sum.begin_stage();
  sum(of(collective::all_gather, groups::tp, 4, 1000, 3));
  EXPECT((sum.step == link_bytes{3 * 750, 0}));
  sum(of(collective::reduce_scatter, groups::tp, 4, 1000, 1));
  EXPECT((sum.step == link_bytes{4 * 750, 0}));
  sum(of(collective::all_reduce, groups::tp, 4, 1000, 1)); // the same ranks, but other bytes
  EXPECT((sum.step == link_bytes{4 * 750 + 1000, 0}));
  sum(of(collective::all_gather, groups::dp, 2, 1000, 2));
  EXPECT((sum.step == link_bytes{4 * 750 + 1000, 2 * 500}));
  EXPECT(sum.update == link_bytes{});
  sum.begin_stage();
  EXPECT(sum.step == link_bytes{});
});

BOTH_TIMES("an update counts once beside", [] {
  const deployment d = placed({dp{2}}, 1);
  const least_traffic least{d};
  detail::link_sum sum{least};
  sum.begin_stage();
  communication c = of(collective::reduce_scatter, groups::dp, 2, 1000, 8);
  c.pass = communication_pass::update;
  sum(c);
  EXPECT((sum.step == link_bytes{0, 4000} && sum.update == link_bytes{0, 500}));
});

// Stages of three ranks on nodes of four: the second lies on two of them.
BOTH_TIMES("stages that lie otherwise are looked at again", [] {
  const deployment d = placed({tp{3}, pp{4}, dp{1}}, 4);
  const least_traffic least{d};
  detail::link_sum sum{least};
  EXPECT(!sum.stages_lie_alike());
  sum.begin_stage();
  communication c = of(collective::all_reduce, groups::tp, 3, 300, 1);
  sum(c);
  EXPECT((sum.step == link_bytes{300, 0}));
  sum.begin_stage();
  c.from_stage = c.to_stage = 1;
  sum(c);
  EXPECT(sum.step.network > 199 && sum.step.network < 201); // two nodes put out 300 each
});

BOTH_TIMES("there and back", [] {
  const deployment d = placed({tp{3}, pp{4}, dp{1}}, 4);
  const least_traffic least{d};
  detail::link_sum sum{least};
  sum.begin_stage();
  communication c = of(collective::send, groups::pp, 2, 300, 1);
  c.part = group_part::stages;
  c.from_stage = 1;
  c.to_stage = 2; // 3 to 6, 4 to 7, 5 to 8: two leave their nodes
  sum(c);
  EXPECT(sum.step.network > 199 && sum.step.network < 201);
  c.to_stage = 0; // 3 to 0, 4 to 1, 5 to 2
  sum(c);
  EXPECT(sum.step.network > 399 && sum.step.network < 401);
});

} // namespace
