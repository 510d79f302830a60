#include <moeplan/memory/routed_rows.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr std::int64_t tokens = 4096;
constexpr experts v2{.routed = 160, .top_k = 6};
constexpr experts v3{.routed = 256, .top_k = 8};

constexpr routing with_capacity(ratio factor, bool padded) { return {.capacity_factor = factor, .pad_to_capacity = padded}; }

constexpr routed_rows balanced(std::int64_t n) { return {n, n, n}; }

BOTH_TIMES("a balanced load: tokens x top-k, whatever EP is", [] {
  for (const std::int64_t ranks : {1, 2, 8, 32}) {
    EXPECT(rows_of_rank(v3, {ep{ranks}, dp{32}}, {}, tokens) == balanced(8 * tokens));
    EXPECT(rows_of_rank(v2, {ep{ranks}, dp{32}}, {}, tokens) == balanced(6 * tokens));
  }
});

BOTH_TIMES("padding gives every expert its capacity, from every rank", [] {
  for (const std::int64_t ranks : {1, 4, 8}) {
    EXPECT(rows_of_rank(v3, {ep{ranks}, dp{8}}, with_capacity(ratio{1}, true), tokens) == balanced(32768));
    EXPECT(rows_of_rank(v2, {ep{ranks}, dp{8}}, with_capacity(ratio{1}, true), tokens) == balanced(24640));
    EXPECT(rows_of_rank(v3, {ep{ranks}, dp{8}}, with_capacity(ratio{2}, true), tokens) == balanced(65536));
  }
});

BOTH_TIMES("dropping without padding leaves a balanced load as it is, or cuts all of it", [] {
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, with_capacity(ratio{1}, false), tokens) == balanced(32768));
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, with_capacity({5, 4}, false), tokens) == balanced(32768));
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, with_capacity({1, 2}, false), tokens) == balanced(16384));
});

constexpr routing worst{.load = routing_load::worst};

BOTH_TIMES("the worst load: all tokens of all ranks choose one rank's experts, as often as they can", [] {
  // EP x tokens x min(top-k, experts of a rank).
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, worst, tokens).received == 8 * tokens * 8);
  EXPECT(rows_of_rank(v3, {ep{64}, dp{64}}, worst, tokens).received == 64 * tokens * 4);
  EXPECT(rows_of_rank(v3, {ep{256}, dp{256}}, worst, tokens).received == 256 * tokens);
  EXPECT(rows_of_rank(v3, {ep{1}, dp{1}}, worst, tokens).received == tokens * 8);
  // A rank sends no more than its tokens chose.
  EXPECT(rows_of_rank(v3, {ep{64}, dp{64}}, worst, tokens).sent == 8 * tokens);
});

BOTH_TIMES("a measured load: its share of all copies, rounded up", [] {
  routing r;
  r.busiest_share = {1, 4};
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, r, tokens).received == 2LL * 8 * tokens);
  r.busiest_share = {1, 8};
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, r, tokens) == balanced(8 * tokens));
  r.busiest_share = {1, 3};
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, r, tokens).received == (8LL * 8 * tokens + 2) / 3);
  // It says more than what a load is taken for.
  r.load = routing_load::worst;
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, r, tokens).received == (8LL * 8 * tokens + 2) / 3);
});

BOTH_TIMES("capacity limits what a rank receives", [] {
  routing r = with_capacity({3, 2}, false);
  r.load = routing_load::worst;
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, r, tokens).received == 192 * 32 * 8);
  r.load = routing_load::balanced;
  r.busiest_share = {1, 2};
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, r, tokens).received == 192 * 32 * 8);
  r.pad_to_capacity = true; // and then it is all that there is
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, r, tokens) == balanced(192LL * 256));
});

BOTH_TIMES("experts on several ranks gather rows", [] {
  const routed_rows rows = rows_of_rank(v3, {tp{2}, ep{8}, etp{2}, dp{8}}, {}, tokens);
  EXPECT(rows.sent == 8 * tokens && rows.received == 8 * tokens);
  EXPECT(rows.computed == 2LL * 8 * tokens);
});

BOTH_TIMES("rows that do not fit say so", [] {
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, {}, std::int64_t{1} << 62).sent.overflowed());
  EXPECT(rows_of_rank(v3, {ep{8}, dp{8}}, worst, std::int64_t{1} << 58).received.overflowed());
});

} // namespace
