#include <moeplan/pipeline/schedule_order.hpp>

#include "pipeline/order_text.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr operation_cursor order_of(schedule s, std::int64_t ranks, std::int64_t m, std::int64_t rank) {
  return {{.schedule = s, .ranks = ranks, .micro_batches = m}, rank};
}

BOTH_TIMES("each schedule has its order", [] {
  EXPECT(gives(order_of(schedule::gpipe, 2, 2, 0), "F0.0 F0.1 B0.0 B0.1"));
  EXPECT(gives(order_of(schedule::one_forward_one_backward, 2, 2, 1), "F0.0 B0.0 F0.1 B0.1"));
  EXPECT(gives(order_of(schedule::zb_h1, 2, 2, 1), "F0.0 I0.0 F0.1 I0.1 W0.0 W0.1"));
  EXPECT(gives(order_of(schedule::zb_h2, 2, 3, 0), "F0.0 F0.1 F0.2 I0.0 W0.0 I0.1 W0.1 I0.2 W0.2"));
  EXPECT(gives(order_of(schedule::zb_v, 1, 1, 0), "F0.0 F1.0 I1.0 I0.0 W1.0 W0.0"));
  EXPECT(gives(order_of(schedule::v_half, 1, 2, 0), "F0.0 F1.0 I1.0 W1.0 I0.0 W0.0 F0.1 F1.1 I1.1 I0.1 W1.1 W0.1"));
  EXPECT(gives(order_of(schedule::v_min, 1, 2, 0), "F0.0 F1.0 I1.0 I0.0 W1.0 W0.0 F0.1 F1.1 I1.1 I0.1 W1.1 W0.1"));
  EXPECT(gives(order_of(schedule::dualpipe, 2, 4, 0), "F0.0 F1.0 F0.1 B1.0 F1.1B0.0 B1.1 I0.1 W0.1"));
  EXPECT(gives(order_of(schedule::dualpipe_v, 1, 2, 0), "F0.0 F1.0 F0.1 B1.0 F1.1B0.0 B1.1 I0.1 W0.1"));
});

BOTH_TIMES("a copy goes on from where the original stands", [] {
  operation_cursor cursor = order_of(schedule::one_forward_one_backward, 2, 2, 0);
  operation o;
  EXPECT(cursor.next(o));
  const operation_cursor copy = cursor;
  EXPECT(gives(copy, "F0.1 B0.0 B0.1"));
  EXPECT(gives(cursor, "F0.1 B0.0 B0.1"));
  cursor = order_of(schedule::zb_h1, 1, 1, 0); // of another family
  EXPECT(gives(cursor, "F0.0 I0.0 W0.0"));
});

BOTH_TIMES("how many", [] {
  EXPECT(operations_of({.schedule = schedule::gpipe, .ranks = 4, .chunks = 3, .micro_batches = 5}, 2) == 30);
  EXPECT(operations_of({.ranks = 4, .micro_batches = 5}, 2) == 10);
  EXPECT(operations_of({.ranks = 4, .chunks = 2, .micro_batches = 8}, 0) == 32);
  // Rank 3 warms up 5 of 16 steps; each step after that makes one of two.
  EXPECT(operations_of({.ranks = 4, .chunks = 2, .micro_batches = 8, .overlaps = true}, 3) == 32 - 11);
  EXPECT(operations_of({.schedule = schedule::zb_h2, .ranks = 4, .micro_batches = 5}, 1) == 15);
  EXPECT(operations_of({.schedule = schedule::v_min, .ranks = 4, .micro_batches = 5}, 1) == 30);
});

// The longest promised: sixteen ranks, 64 micro-batches, within the compilers' limits of one constant expression.
BOTH_TIMES("a whole step in a constant expression", [] {
  EXPECT(operations_of({.schedule = schedule::zb_v, .ranks = 16, .micro_batches = 64}, 8) == 384);
  EXPECT(operations_of({.ranks = 16, .chunks = 4, .micro_batches = 64}, 0) == 512);
});

BOTH_TIMES("and of V-Half",
           [] { EXPECT(operations_of({.schedule = schedule::v_half, .ranks = 16, .micro_batches = 64}, 0) == 384); });

} // namespace
