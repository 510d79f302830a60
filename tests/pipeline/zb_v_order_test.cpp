#include <moeplan/pipeline/zb_v_order.hpp>

#include "pipeline/order_text.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr pattern_cursor<zb_v_patterns> order_of(std::int64_t ranks, std::int64_t m, std::int64_t rank) {
  return {zb_v_patterns{{.schedule = schedule::zb_v, .ranks = ranks, .micro_batches = m}, rank}, m, m};
}

// zero-bubble-pipeline-parallelism scheduler/zbv.py, two ranks, four micro-batches.
BOTH_TIMES("two ranks", [] {
  EXPECT(gives(order_of(2, 4, 0),
               "F0.0 F0.1 F0.2 F1.0 I1.0 W1.0 F1.1 I1.1 W1.1 F0.3 I0.0 W0.0 F1.2 I1.2 W1.2 I0.1 W0.1 F1.3 I1.3 "
               "I0.2 W1.3 I0.3 W0.2 W0.3"));
  EXPECT(gives(order_of(2, 4, 1),
               "F0.0 F1.0 F0.1 F1.1 I1.0 W1.0 F0.2 I0.0 W0.0 F1.2 I1.1 W1.1 F0.3 I0.1 W0.1 F1.3 I1.2 I0.2 I1.3 "
               "I0.3 W1.2 W0.2 W1.3 W0.3"));
});

// The same with so few micro-batches that memory never fills: passes for the weights come last.
BOTH_TIMES("as many micro-batches as ranks", [] {
  EXPECT(gives(order_of(4, 4, 0),
               "F0.0 F0.1 F0.2 F0.3 F1.0 I1.0 F1.1 I1.1 F1.2 I1.2 F1.3 I1.3 I0.0 W1.0 I0.1 W1.1 I0.2 W1.2 I0.3 "
               "W1.3 W0.0 W0.1 W0.2 W0.3"));
  EXPECT(gives(order_of(4, 4, 2),
               "F0.0 F0.1 F0.2 F1.0 F0.3 F1.1 F1.2 I1.0 F1.3 I1.1 I0.0 I1.2 I0.1 I1.3 I0.2 W1.0 I0.3 W1.1 W0.0 "
               "W1.2 W0.1 W1.3 W0.2 W0.3"));
});

BOTH_TIMES("one rank, one micro-batch", [] {
  EXPECT(gives(order_of(1, 1, 0), "F0.0 F1.0 I1.0 I0.0 W1.0 W0.0"));
  EXPECT(gives(order_of(3, 1, 1), "F0.0 F1.0 I1.0 W1.0 I0.0 W0.0"));
});

} // namespace
