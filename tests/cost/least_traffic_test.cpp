#include <moeplan/cost/least_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr communication on(collective kind, group_axes group, std::int64_t ranks) {
  communication c;
  c.kind = kind;
  c.group = group;
  c.ranks = ranks;
  return c;
}

constexpr deployment placed(const strategy& s, std::int64_t gpus_per_node, const model& m = {}) {
  return {.model = m, .cluster = {.gpus_per_node = gpus_per_node, .nodes = 1}, .strategy = s};
}

constexpr bool near(double a, double b) { return a - b < 1e-12 && b - a < 1e-12; }
constexpr bool near(const link_bytes& a, const link_bytes& b) { return near(a.nvlink, b.nvlink) && near(a.network, b.network); }

constexpr link_bytes each_byte(const deployment& d, const communication& c) { return least_traffic{d}.for_each_byte(c); }

BOTH_TIMES("inside a node: all but one's own part, of an all-reduce all of it", [] {
  const deployment d = placed({tp{4}, dp{2}}, 8);
  EXPECT(near(each_byte(d, on(collective::all_gather, groups::tp, 4)), link_bytes{0.75, 0}));
  EXPECT(near(each_byte(d, on(collective::reduce_scatter, groups::tp, 4)), link_bytes{0.75, 0}));
  EXPECT(near(each_byte(d, on(collective::all_to_all, groups::tp, 4)), link_bytes{0.75, 0}));
  EXPECT(near(each_byte(d, on(collective::all_reduce, groups::tp, 4)), link_bytes{1, 0}));
  EXPECT(near(each_byte(d, on(collective::shift, groups::tp, 4)), link_bytes{1, 0}));
});

// Eight ranks, two on each of four nodes.
BOTH_TIMES("over several nodes what a node has leaves it once", [] {
  const deployment d = placed({tp{4}, dp{8}}, 8);
  EXPECT(near(each_byte(d, on(collective::all_gather, groups::dp, 8)), link_bytes{1.0 / 8, 3.0 / 8}));
  EXPECT(near(each_byte(d, on(collective::reduce_scatter, groups::dp, 8)), link_bytes{1.0 / 8, 3.0 / 8}));
  EXPECT(near(each_byte(d, on(collective::all_reduce, groups::dp, 8)), link_bytes{1.0 / 8, 4.0 / 8}));
  EXPECT(near(each_byte(d, on(collective::all_to_all, groups::dp, 8)), link_bytes{1.0 / 8, 6.0 / 8}));
  EXPECT(near(each_byte(d, on(collective::shift, groups::dp, 8)), link_bytes{0.5, 0.5}));
  // One rank a node: nothing is common.
  const deployment apart = placed({tp{8}, dp{4}}, 8);
  EXPECT(near(each_byte(apart, on(collective::all_gather, groups::dp, 4)), link_bytes{0, 0.75}));
  EXPECT(near(each_byte(apart, on(collective::all_reduce, groups::dp, 4)), link_bytes{0, 1}));
});

BOTH_TIMES("no link carries more than around a ring", [] {
  for (const std::int64_t gpus_per_node : {1, 2, 4, 8, 16}) {
    const deployment d = placed({tp{2}, cp{2}, dp{8}}, gpus_per_node);
    const topology where{d};
    for (const collective kind :
         {collective::all_reduce, collective::reduce_scatter, collective::all_gather, collective::all_to_all})
      for (const group_axes group : {groups::tp, groups::cp, groups::dp, groups::dp_cp}) {
        communication c = on(kind, group, group == groups::dp_cp ? 16 : group == groups::dp ? 8 : 2);
        c.size = 1 << 10;
        c.times = 1;
        const bytes_by_tier ring = where.bytes_of(c);
        const link_bytes least = 1024.0 * each_byte(d, c);
        EXPECT(least.network <= ring.between_nodes.to_double() + 1e-9);
        EXPECT(least.nvlink <= ring.within_node.to_double() + 1e-9);
      }
  }
});

BOTH_TIMES("a rack of NVLink", [] {
  deployment d = placed({ep{64}, dp{64}}, 4);
  d.cluster.nodes = 18;
  EXPECT(near(each_byte(d, on(collective::all_to_all, groups::ep, 64)), link_bytes{3.0 / 64, 60.0 / 64}));
  d.cluster.nvlink_domain = 72;
  EXPECT(near(each_byte(d, on(collective::all_to_all, groups::ep, 64)), link_bytes{63.0 / 64, 0}));
});

BOTH_TIMES("tokens that go to several experts once", [] {
  const deployment d = placed({pp{16}, ep{64}, dp{128}}, 8, catalog::deepseek_v3);
  communication c = on(collective::all_to_all, groups::etp_ep, 64);
  EXPECT(near(each_byte(d, c), link_bytes{7.0 / 64, 56.0 / 64}));
  // Of the size of eight copies, two ranks have room for eight experts, with four each, and one node has.
  c.copies = 8;
  EXPECT(near(each_byte(d, c), link_bytes{2.0 / 8 * (7.0 / 64), 1.0 / 8 * (56.0 / 64)}));
  // A node of two GPUs has eight experts too, one of one GPU four.
  EXPECT(near(each_byte(placed(d.strategy, 2, d.model), c), link_bytes{2.0 / 8 * (1.0 / 64), 1.0 / 8 * (62.0 / 64)}));
  EXPECT(near(each_byte(placed(d.strategy, 1, d.model), c), link_bytes{0, 2.0 / 8 * (63.0 / 64)}));
});

BOTH_TIMES("between stages", [] {
  communication c = on(collective::send, groups::pp, 2);
  c.part = group_part::stages;
  c.from_stage = 1;
  c.to_stage = 2;
  EXPECT(near(each_byte(placed({tp{8}, pp{4}, dp{1}}, 8), c), link_bytes{0, 1}));
  EXPECT(near(each_byte(placed({tp{2}, pp{4}, dp{1}}, 8), c), link_bytes{1, 0}));
  c.kind = collective::all_reduce; // of the copies of an embedding
  EXPECT(near(each_byte(placed({tp{8}, pp{4}, dp{1}}, 8), c), link_bytes{0, 1}));
  c.ranks = 3; // it is not said which
  EXPECT(near(each_byte(placed({tp{8}, pp{4}, dp{1}}, 8), c), link_bytes{0, 1}));
  EXPECT(near(each_byte(placed({tp{2}, pp{4}, dp{1}}, 8), c), link_bytes{0, 0}));
});

// Weights sharded over runs of eight of 32 ranks, and their gradients added up over the four copies.
BOTH_TIMES("parts of groups", [] {
  const deployment d = placed({dp{32}}, 8);
  communication c = on(collective::all_gather, groups::dp_cp, 8);
  c.part = group_part::neighbours;
  EXPECT(near(each_byte(d, c), link_bytes{7.0 / 8, 0}));
  c = on(collective::all_reduce, groups::dp_cp, 4);
  c.part = group_part::spread;
  EXPECT(near(each_byte(d, c), link_bytes{0, 1}));
});

BOTH_TIMES("whether stages lie alike", [] {
  EXPECT(least_traffic{placed({tp{8}, pp{4}, dp{1}}, 8)}.stages_lie_alike());
  EXPECT(least_traffic{placed({tp{8}, dp{4}}, 8)}.stages_lie_alike());
  EXPECT(!least_traffic{placed({tp{3}, pp{4}, dp{2}}, 8)}.stages_lie_alike());
});

} // namespace
