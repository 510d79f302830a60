#include <moeplan/cost/topology.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/cost/training_traffic.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using purpose = communication_purpose;

constexpr communication between(collective kind, group_axes group, std::int64_t ranks) {
  communication c;
  c.kind = kind;
  c.group = group;
  c.ranks = ranks;
  c.size = 1000;
  c.times = 1;
  return c;
}

constexpr strategy deepseek_v3{pp{16}, ep{64}, dp{128}};

BOTH_TIMES("DeepSeek-V3 on nodes of eight", [] {
  const topology t{deepseek_v3, 8};
  const group_spread experts = t.spread_of(groups::ep);
  EXPECT(experts.groups == 32 && experts.nodes == 32 * 8 && experts.most_nodes == 8 && experts.scattered == 0);
  EXPECT(t.share_of(between(collective::all_to_all, groups::ep, 64)).value() == ratio{56, 63});
  EXPECT(t.share_of(between(collective::all_gather, groups::ep, 64)).value() == ratio{8, 64});
  EXPECT(t.share_of(between(collective::broadcast, groups::ep, 64)).value() == ratio{7, 63});
  // Two copies of each expert are 64 ranks apart, and need not be.
  const group_spread copies = t.spread_of(groups::edp);
  EXPECT(copies.nodes == 2 * copies.groups && copies.fewest_nodes == 1 && copies.scattered == copies.groups);
  EXPECT(t.share_of(between(collective::all_reduce, groups::edp, 2)).value() == ratio{1});
});

BOTH_TIMES("the order of ranks decides what leaves a node", [] {
  const strategy by_default{tp{4}, dp{8}};
  const strategy other{tp{4}, dp{8}, rank_order{"dp-tp-cp-ep-pp"}};
  EXPECT(topology(by_default, 8).share_of(between(collective::all_reduce, groups::tp, 4)).value() == ratio{0});
  EXPECT(topology(by_default, 8).share_of(between(collective::all_reduce, groups::dp, 8)).value() == ratio{4, 8});
  EXPECT(topology(other, 8).share_of(between(collective::all_reduce, groups::tp, 4)).value() == ratio{1});
  EXPECT(topology(other, 8).share_of(between(collective::all_reduce, groups::dp, 8)).value() == ratio{0});
});

BOTH_TIMES("tiers add up", [] {
  communication c = between(collective::all_reduce, groups::dp, 8);
  c.size = 1001;
  const bytes_by_tier bytes = topology(strategy{tp{4}, dp{8}}, 8).bytes_of(c);
  EXPECT(bytes.within_node + bytes.between_nodes == ratio{2 * 7 * 1001, 8});
  EXPECT(bytes.between_nodes == ratio{2 * 7 * 1001, 16});
  c.size = std::uint64_t{1} << 63;
  EXPECT(c.group_bytes().overflowed());
});

// DeepSeek-V3's EP 64 on eight nodes of eight: of a rank's 63 partners 7 are on its node, 7 on its rail and 49 on neither.
BOTH_TIMES("rails of an all-to-all", [] {
  communication c = between(collective::all_to_all, groups::ep, 64);
  c.size = 64;
  const by_link<ratio> nodes = topology{deepseek_v3, 8}.link_bytes_of(c);
  EXPECT((nodes == by_link<ratio>{ratio{7}, ratio{0}, ratio{7}, ratio{49}}));
  EXPECT(nodes.nvlink() == ratio{7} && nodes.network() == ratio{56} && nodes.sum() == ratio{63});
  // In racks of four such nodes: 24 partners on the rack's other nodes, and one on the rail on each of the other rack's four.
  const by_link<ratio> racks = topology{deepseek_v3, link_reach{8, 32}}.link_bytes_of(c);
  EXPECT((racks == by_link<ratio>{ratio{7}, ratio{24}, ratio{4}, ratio{28}}));
  // GB200 NVL72 with 64 GPUs of each rack in use: nothing leaves it.
  const by_link<ratio> rack = topology{deepseek_v3, link_reach{4, 64}}.link_bytes_of(c);
  EXPECT((rack == by_link<ratio>{ratio{3}, ratio{60}, ratio{0}, ratio{0}}));
});

BOTH_TIMES("rails of rings and of stages", [] {
  communication c = between(collective::all_gather, groups::ep, 64);
  c.size = 64;
  EXPECT((topology{deepseek_v3, 8}.link_bytes_of(c) == by_link<ratio>{ratio{63 * 7, 8}, ratio{0}, ratio{63, 8}, ratio{0}}));
  // Ranks 9 apart are on another rail each.
  communication apart = between(collective::all_gather, groups::dp, 4);
  apart.size = 4;
  EXPECT((topology{strategy{tp{9}, dp{4}}, 8}.link_bytes_of(apart) == by_link<ratio>{ratio{0}, ratio{0}, ratio{0}, ratio{3}}));
  communication next = between(collective::send, groups::pp, 2);
  next.part = group_part::stages;
  next.to_stage = 1;
  EXPECT(topology(strategy{tp{16}, pp{2}, dp{1}}, 8).rail_share_of(next).value() == ratio{1});
  EXPECT(topology(strategy{tp{12}, pp{2}, dp{1}}, 8).rail_share_of(next).value() == ratio{0});
  EXPECT(topology(strategy{tp{16}, pp{2}, dp{1}}, link_reach{8, 32}).rail_share_of(next).value() == ratio{0});
});

BOTH_TIMES("a deployment says how far NVLink reaches", [] {
  const deployment d{.cluster = {.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72}, .strategy = {tp{72}, dp{2}}};
  const communication c = between(collective::all_reduce, groups::tp, 72);
  EXPECT(topology{d}.share_of(c).value() == ratio{1, 4});
  EXPECT(topology{d}.domain_share_of(c).value() == ratio{0});
  EXPECT(topology{d}.nodes().gpus_per_node() == 4 && topology{d}.domains().gpus_per_node() == 72);
});

BOTH_TIMES("from stage to stage", [] {
  communication c = between(collective::send, groups::pp, 2);
  c.part = group_part::stages;
  c.from_stage = 1;
  c.to_stage = 2;
  EXPECT(topology(strategy{tp{8}, pp{4}, dp{1}}, 8).share_of(c).value() == ratio{1});
  EXPECT(topology(strategy{tp{2}, pp{4}, dp{1}}, 8).share_of(c).value() == ratio{0});
  EXPECT(topology(strategy{tp{2}, pp{4}, dp{1}}, 4).share_of(c).value() == ratio{1});
  EXPECT(topology(strategy{tp{3}, pp{4}, dp{1}}, 8).share_of(c).value() == ratio{1, 3}); // 3 to 6, 4 to 7 and 5 to 8
  c.from_stage = 2;
  c.to_stage = 1;
  EXPECT(topology(strategy{tp{3}, pp{4}, dp{1}}, 8).share_of(c).value() == ratio{1, 3});
  c.to_stage = 2;
  EXPECT(topology(strategy{tp{3}, pp{4}, dp{1}}, 8).share_of(c).value() == ratio{0});
});

BOTH_TIMES("parts of groups", [] {
  communication c = between(collective::all_gather, groups::dp_cp, 8);
  c.part = group_part::neighbours;
  const topology t{strategy{dp{32}}, 8};
  EXPECT(t.share_of(c).value() == ratio{0});
  c.ranks = 4;
  c.part = group_part::spread;
  EXPECT(t.share_of(c).value() == ratio{1});
  // CP and DP are no single run here, and six neighbours are one run and a half.
  const topology apart{strategy{cp{4}, pp{2}, dp{3}, rank_order{"tp-cp-ep-pp-dp"}}, 4};
  c.ranks = 6;
  c.part = group_part::neighbours;
  EXPECT(apart.share_of(c).value() == ratio{2, 6}); // 0-3 and 8 9; 10 11 and 16-19
});

BOTH_TIMES("one node sends nothing to others", [] {
  deployment d{.model = catalog::deepseek_v3,
               .cluster = {.gpus_per_node = 64, .nodes = 1},
               .strategy = {tp{2}, sp{2}, cp{2}, pp{2}, ep{8}, dp{8}},
               .layout = layout::balanced(),
               .workload = training{.global_batch = 16, .sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all}};
  struct all_within {
    topology where;
    bool any = false;
    constexpr void operator()(const communication& c) {
      any = true;
      EXPECT(where.bytes_of(c).between_nodes == ratio{0});
      EXPECT(where.bytes_of(c).within_node > ratio{0});
    }
  } visited{topology{d}};
  training_traffic{d}.visit_stages(visited);
  EXPECT(visited.any);
});

constexpr bool is_near(double a, double b) { return a - b < 1e-9 * b && b - a < 1e-9 * b; }

/// The first dispatch of a stage's tokens.
constexpr communication dispatch_of(const deployment& d) {
  struct first {
    communication found{};
    constexpr void operator()(const communication& c) {
      if (c.purpose == purpose::dispatch && c.pass == communication_pass::forward) found = c;
    }
  } visited;
  training_traffic{d, exchange_formats::deepseek_v3()}.visit_stage(1, visited);
  return visited.found;
}

constexpr deployment on_nodes_of_eight(token_dispatcher how) {
  return {.model = catalog::deepseek_v3,
          .cluster = {.gpus_per_node = 8, .nodes = 256},
          .strategy = deepseek_v3,
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = training{.sequence_length = 4096, .dispatcher = how}};
}

// DeepSeek-V3 (arXiv 2412.19437, section 3.2.2): at most four nodes a token instead of eight experts.
BOTH_TIMES("a token once to each node", [] {
  const deployment d = on_nodes_of_eight(token_dispatcher::deepep);
  const communication c = dispatch_of(d);
  const bytes_once_a_node once = topology{d}.once_a_node(c, d.model.experts);
  const double tokens = 4. * 4096 * (7168 + 224); // of four layers
  EXPECT(once.known);
  EXPECT(once.most_between == saturating_count{4} * 4 * 4096 * (7168 + 224));
  // Eight nodes, of which at most four: their number is what distinct_ranks_of expects, and each is the token's own as often.
  const double nodes = distinct_ranks_of(d.model.experts, 8).expected;
  EXPECT(nodes > 3.9 && nodes < 4);
  EXPECT(is_near(once.expected_between_nodes, tokens * nodes * 7 / 8));
  const double ranks = distinct_ranks_of(d.model.experts, 64).expected;
  EXPECT(is_near(once.expected_within_node, tokens * ranks * 7 / 8));
  // Without it every rank gets its copy straight: 56 of 64 are on other nodes.
  const node_share share = topology{d}.share_of(c);
  EXPECT(share.value() == ratio{56, 63});
  EXPECT(once.expected_between_nodes < tokens * ranks * 56 / 64);
});

// Unrestricted routing to eight nodes reaches 5.29 of them, its own included (ISCA 2025, arXiv 2505.09343, section 4.3).
BOTH_TIMES("routing without limited groups", [] {
  deployment d = on_nodes_of_eight(token_dispatcher::deepep);
  d.model.experts.groups = d.model.experts.group_top_k = 1;
  const bytes_once_a_node once = topology{d}.once_a_node(dispatch_of(d), d.model.experts);
  const double nodes = once.expected_between_nodes * 8 / 7 / (4. * 4096 * (7168 + 224));
  EXPECT(nodes > 5.285 && nodes < 5.305);
});

BOTH_TIMES("where it is not known", [] {
  const deployment plain = on_nodes_of_eight(token_dispatcher::all_to_all);
  EXPECT(!topology{plain}.once_a_node(dispatch_of(plain), plain.model.experts).known);
  deployment odd = on_nodes_of_eight(token_dispatcher::deepep);
  odd.cluster.gpus_per_node = 6;
  EXPECT(!topology{odd}.once_a_node(dispatch_of(odd), odd.model.experts).known);
  deployment across = on_nodes_of_eight(token_dispatcher::deepep); // ranks of one expert on several nodes
  across.strategy = {pp{16}, ep{32}, etp{2}, dp{128}, rank_order{"ep-cp-tp-dp-pp"}};
  EXPECT(!topology{across}.once_a_node(dispatch_of(across), across.model.experts).known);
});

} // namespace
