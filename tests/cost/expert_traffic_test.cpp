#include <moeplan/cost/expert_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>

#include "cost/block_sums.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using moeplan_test::blocks;
using moeplan_test::group_bytes;

using block = traffic_block;
using purpose = communication_purpose;
using pass = communication_pass;

BOTH_TIMES("tokens of DeepSeek-V3 to their experts and back", [] {
  const model& m = catalog::deepseek_v3;
  const training t{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all};
  const block_communications list = blocks(m, {ep{64}, dp{64}}, t, exchange_formats::deepseek_v3());
  bool found = false;
  for (const block_communication& b : list) {
    EXPECT(b.block == block::moe_mlp);
    if (b.each.pass != pass::forward || b.each.purpose != purpose::dispatch) continue;
    found = true;
    EXPECT(b.each.kind == collective::all_to_all && b.each.group == groups::ep && b.each.ranks == 64 && b.each.times == 1);
    EXPECT(b.each.size == 234'881'024 + 7'340'032); // with the scales
    EXPECT(b.each.busiest == b.each.size);
  }
  EXPECT(found);
  // Of 64 ranks' copies a 64th stays; 64 ranks send.
  EXPECT(group_bytes(list, block::moe_mlp, purpose::combine, pass::forward) == 63 * 469'762'048LL);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::dispatch, pass::backward) == 63 * (234'881'024LL + 7'340'032));
  EXPECT(group_bytes(list, block::moe_mlp, purpose::combine, pass::backward) == 63 * 469'762'048LL);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::probabilities, pass::forward) == 63LL * 4096 * 8 * 2);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::routing, pass::forward) == 63LL * 64 * 256 * 8);
});

BOTH_TIMES("an uneven load makes one rank busier", [] {
  training t{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all};
  t.routing.busiest_share = ratio{1, 32};
  const block_communications list = blocks(catalog::deepseek_v3, {ep{64}, dp{64}}, t);
  for (const block_communication& b : list)
    if (b.each.purpose == purpose::dispatch) {
      EXPECT(b.each.size == 469'762'048);
      EXPECT(b.each.busiest == 2 * 469'762'048LL);
    }
});

BOTH_TIMES("a token once to each rank", [] {
  const training t{.sequence_length = 4096, .dispatcher = token_dispatcher::deepep};
  const block_communications list = blocks(catalog::deepseek_v3, {ep{64}, dp{64}}, t, exchange_formats::deepseek_v3());
  std::int64_t exchanges = 0;
  for (const block_communication& b : list) {
    EXPECT(b.each.kind == collective::all_to_all && b.each.group == groups::etp_ep && b.each.copies == 8);
    if (b.each.purpose == purpose::dispatch) EXPECT(b.each.size == saturating_count{4096} * 8 * (7168 + 224));
    // Eight experts on 32 of 64 ranks, chosen from four of eight groups: rather more than seven ranks.
    const double ranks = b.each.expected_size / static_cast<double>(b.each.size.value()) * 8;
    EXPECT(ranks > 7 && ranks < 7.5);
    ++exchanges;
  }
  EXPECT(exchanges == 4);
  // Eight ranks of eight groups: at most four of them.
  const block_communications few = blocks(catalog::deepseek_v3, {ep{8}, dp{8}}, t, exchange_formats::deepseek_v3());
  for (const block_communication& b : few) EXPECT(b.each.copies == 4);
});

BOTH_TIMES("at worst every token goes to the busiest rank", [] {
  training t{.sequence_length = 4096, .dispatcher = token_dispatcher::deepep};
  t.routing.load = routing_load::worst;
  for (const block_communication& b : blocks(catalog::deepseek_v3, {ep{64}, dp{64}}, t))
    EXPECT(b.each.busiest == saturating_count{64} * 4096 * 7168 * 2);
});

BOTH_TIMES("all tokens to all ranks", [] {
  const training t{.sequence_length = 4096, .dispatcher = token_dispatcher::all_gather};
  const block_communications list = blocks(catalog::deepseek_v3, {ep{8}, dp{8}}, t);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::dispatch, pass::forward) == count{7} * 8 * 4096 * 7168 * 2);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::combine, pass::forward) == count{7} * 8 * 4096 * 7168 * 2);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::routing, pass::forward) == count{7} * 8 * 4096 * 256);
  EXPECT(group_bytes(list, block::moe_mlp, purpose::probabilities, pass::backward) == count{7} * 8 * 4096 * 256 * 2);
});

// About rows x h x 2 bytes x (ETP - 1) each way.
BOTH_TIMES("ranks that share an expert gather its rows", [] {
  const training t{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all};
  const block_communications list = blocks(catalog::deepseek_v3, {ep{8}, etp{4}, dp{32}}, t);
  const count rows = 4096 * 8;
  const count ranks = 4;
  EXPECT(group_bytes(list, block::moe_mlp, purpose::expert_tensors, pass::forward) == 2 * ranks * rows * 7168 * 2 * (ranks - 1));
  EXPECT(group_bytes(list, block::moe_mlp, purpose::expert_tensors, pass::backward) == 2 * ranks * rows * 7168 * 2 * (ranks - 1));
});

} // namespace
