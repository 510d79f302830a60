#include <moeplan/pipeline/zero_bubble_order.hpp>

#include "pipeline/order_text.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr pattern_cursor<zero_bubble_patterns> order_of(schedule s, std::int64_t ranks, std::int64_t m, std::int64_t rank) {
  return {zero_bubble_patterns{{.schedule = s, .ranks = ranks, .micro_batches = m}, rank}, m, 0};
}

// arXiv 2401.10241, figure 2 (top) with eight micro-batches, as zero-bubble-pipeline-parallelism scheduler/zb.py finds it.
BOTH_TIMES("ZB-H1", [] {
  EXPECT(gives(order_of(schedule::zb_h1, 4, 8, 0),
               "F0.0 F0.1 F0.2 F0.3 I0.0 W0.0 F0.4 I0.1 W0.1 F0.5 I0.2 W0.2 F0.6 I0.3 W0.3 F0.7 I0.4 W0.4 I0.5 W0.5 I0.6 W0.6 I0.7 "
               "W0.7"));
  EXPECT(gives(order_of(schedule::zb_h1, 4, 8, 2),
               "F0.0 F0.1 I0.0 F0.2 I0.1 F0.3 I0.2 W0.0 F0.4 I0.3 W0.1 F0.5 I0.4 W0.2 F0.6 I0.5 W0.3 F0.7 I0.6 W0.4 I0.7 W0.5 W0.6 "
               "W0.7"));
});

// Figure 3 (bottom): 2p - 1 forward passes of the first rank, no bubble.
BOTH_TIMES("ZB-H2", [] {
  EXPECT(gives(order_of(schedule::zb_h2, 2, 4, 0), "F0.0 F0.1 F0.2 I0.0 W0.0 F0.3 I0.1 W0.1 I0.2 W0.2 I0.3 W0.3"));
  EXPECT(gives(order_of(schedule::zb_h2, 2, 4, 1), "F0.0 I0.0 F0.1 I0.1 F0.2 I0.2 W0.0 F0.3 I0.3 W0.1 W0.2 W0.3"));
});

BOTH_TIMES("fewer micro-batches than ranks", [] {
  EXPECT(gives(order_of(schedule::zb_h1, 4, 2, 0), "F0.0 F0.1 I0.0 W0.0 I0.1 W0.1"));
  EXPECT(gives(order_of(schedule::zb_h1, 4, 2, 3), "F0.0 I0.0 F0.1 I0.1 W0.0 W0.1"));
  EXPECT(gives(order_of(schedule::zb_h2, 4, 1, 1), "F0.0 I0.0 W0.0"));
});

} // namespace
