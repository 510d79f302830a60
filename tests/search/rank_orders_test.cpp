#include <moeplan/search/rank_orders.hpp>

#include <doctest/doctest.h>

#include <cstdint>

#include <moeplan/cost/topology.hpp>
#include <moeplan/verify/check.hpp>

#include "support/both_times.hpp"
#include "verify/examples.hpp"
#include "verify/random_deployment.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr bool offers(const rank_order_choices& all, const char* order) {
  for (const placed_order& p : all.orders)
    if (p.order == rank_order{order}) return true;
  return false;
}

BOTH_TIMES("the n-th order", [] {
  EXPECT(detail::nth_order(0) == rank_order{});
  EXPECT(detail::nth_order(1) == rank_order{"tp-cp-ep-pp-dp"});
  EXPECT(detail::nth_order(24) == rank_order{"cp-tp-ep-dp-pp"});
  EXPECT(detail::nth_order(119) == rank_order{"pp-dp-ep-cp-tp"});
});

BOTH_TIMES("TP alone: inside its node, or a rank on each", [] {
  const rank_order_choices all =
      rank_orders(changed(trained_with(tp{8}, dp{4}, cp{1}, pp{1}, vpp{1}, ep{1}, sp{8}), [](auto& d) { d.cluster.nodes = 4; }));
  // TP before DP or behind it: all other orders are the same.
  EXPECT(all.orders.size() == 2 && all.nearest == 1);
  EXPECT(all.orders[0].order == rank_order{} && all.orders[0].tp_domains == 1);
  EXPECT((all.orders[1].order == rank_order{"cp-ep-dp-tp-pp"} || all.orders[1].order == rank_order{"cp-dp-tp-ep-pp"} ||
          all.orders[1].tp_domains == 4));
  EXPECT(all.nodes == 4 && all.left_over == 0);
});

BOTH_TIMES("GPUs left over on the last node", [] {
  const rank_order_choices all =
      rank_orders(changed(trained_with(tp{2}, dp{5}, cp{1}, pp{1}, vpp{1}, ep{1}, etp{1}), [](auto&) {}));
  EXPECT(all.nodes == 2 && all.left_over == 6);
});

// Two of three neighbours TP's, with CP 2, EP 8 on 8 GPUs a node: EP stays on its node only if ETP and EP come before DP.
BOTH_TIMES("the nearest orders of the example", [] {
  const rank_order_choices all = rank_orders(trained);
  EXPECT(all.orders[0].order == rank_order{});
  EXPECT(all.orders[0].tp_domains == 1 && all.orders[0].ep_domains == 1 && all.orders[0].cp_domains == 1);
  EXPECT(offers(all, "tp-cp-ep-dp-pp") && !offers(all, "pp-tp-cp-ep-dp"));
  for (std::size_t i = 0; i < all.nearest; ++i) EXPECT(!all.orders[0].nearer_than(all.orders[i]));
  EXPECT(all.nearest == all.orders.size() || all.orders[0].nearer_than(all.orders[all.nearest]));
});

BOTH_TIMES("frameworks with an order of their own have no other", [] {
  for (const profile p : {profile::torchtitan, profile::vllm, profile::sglang, profile::trtllm, profile::deepspeed}) {
    const rank_order_choices all = rank_orders(in(p, trained));
    EXPECT(all.orders.size() == 1 && all.nearest == 1 && all.orders[0].order == rank_order{});
  }
});

/// EP 8 across nodes, with ETP 8 inside them: each EP group has one rank a node, all on one rail.
BOTH_TIMES("EP on rails", [] {
  const deployment d = changed(trained_with(tp{8}, cp{1}, dp{8}, pp{1}, vpp{1}, etp{8}, ep{8}, sp{8}),
                               [](auto& run) { run.cluster = {.gpus_per_node = 8, .nodes = 8}; });
  const rank_order_choices all = rank_orders(d);
  EXPECT(all.orders[0].order == rank_order{} && all.orders[0].etp_domains == 1 && all.orders[0].ep_domains == 8);
  EXPECT(all.orders[0].ep_on_one_rail);
});

TEST_CASE("the orders of random deployments are all that check accepts, and lie as the topology says") {
  random_deployments random{23};
  int seen = 0;
  for (int i = 0; i < 40'000 && seen < 150; ++i) {
    deployment d = random.next();
    const findings found = check(d);
    if (!found.ok() || !found.facts.knows(known::grids | known::nodes) || found.facts.gpus > 4096) continue;
    if (d.profile != profile::megatron && d.profile != profile::universal) continue;
    ++seen;
    d.strategy.set(axis::dp, found.facts.dp);
    const rank_order_choices all = rank_orders(d);
    INFO("deployment ", i);
    REQUIRE(all.nearest >= 1);
    std::size_t next = 0;
    for (const placed_order& p : all.orders) {
      if (next++ > 0) CHECK_FALSE(p.nearer_than(all.orders[next - 2]));
      deployment in_order = d;
      in_order.strategy.order = p.order;
      CHECK(check(in_order).ok());
      const topology t{in_order.strategy, d.cluster.nvlink_gpus()};
      CHECK(t.spread_of(groups::tp).most_nodes == p.tp_domains);
      CHECK(t.spread_of(groups::cp).most_nodes == p.cp_domains);
      CHECK(t.spread_of(groups::etp).most_nodes == p.etp_domains);
      CHECK(t.spread_of(groups::ep).most_nodes == p.ep_domains);
    }
    // No order is left out: each one that check accepts has the groups of one of those.
    for (std::size_t n = 0; n < rank_order_choices::most_orders; ++n) {
      deployment in_order = d;
      in_order.strategy.order = detail::nth_order(n);
      if (!check(in_order).ok()) continue;
      const mesh m{in_order.strategy};
      bool found_it = false;
      for (const placed_order& p : all.orders) {
        in_order.strategy.order = p.order;
        const mesh other{in_order.strategy};
        bool same = true;
        for (const group_axes along : {groups::tp, groups::cp, groups::dp, groups::pp, groups::etp, groups::ep, groups::edp})
          same = same && m.group(along, 0) == other.group(along, 0);
        found_it = found_it || same;
      }
      CHECK(found_it);
    }
    // What is first is what advice says.
    d.strategy.order = all.orders[0].order;
    if (d.profile == profile::megatron)
      for (const rule id : {rule::tp_stays_together, rule::etp_stays_together, rule::ep_stays_together, rule::cp_stays_together})
        CHECK_FALSE(check(d).contains(id));
  }
  CHECK(seen == 150);
}

} // namespace
