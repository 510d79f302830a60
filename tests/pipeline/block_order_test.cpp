#include <moeplan/pipeline/block_order.hpp>

#include <moeplan/pipeline/in_flight.hpp>

#include "pipeline/order_text.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr block_cursor order_of(schedule s, std::int64_t ranks, std::int64_t m, std::int64_t rank) {
  return {{.schedule = s, .ranks = ranks, .micro_batches = m}, rank};
}

// One rank: there and back, one micro-batch after the other, as there is memory for two halves.
BOTH_TIMES("one rank", [] {
  EXPECT(gives(order_of(schedule::v_min, 1, 2, 0), "F0.0 F1.0 I1.0 I0.0 W1.0 W0.0 F0.1 F1.1 I1.1 I0.1 W1.1 W0.1"));
});

// zero-bubble-pipeline-parallelism scheduler/zbv_greedy.py: the authors' order, where they move nothing.
BOTH_TIMES("V-Min on the last of two ranks", [] {
  EXPECT(gives(order_of(schedule::v_min, 2, 4, 1),
               "F0.0 F1.0 I1.0 I0.0 F0.1 F1.1 W1.0 W0.0 I1.1 I0.1 F0.2 F1.2 W1.1 W0.1 I1.2 I0.2 F0.3 F1.3 W1.2 W0.2 I1.3 I0.3 W1.3 "
               "W0.3"));
});

struct tally {
  std::int64_t passes = 0;
  std::int64_t most_held = 0;
  bool in_order = true; ///< a forward pass before its backward pass before the one for the weights, chunk 0 forward first
};

constexpr tally tally_of(block_cursor cursor) {
  tally result;
  std::int64_t forwards[2]{};
  std::int64_t backwards[2]{};
  std::int64_t weights[2]{};
  for (operation o; cursor.next(o);) {
    ++result.passes;
    std::int64_t(&done)[2] = o.kind == pass::forward ? forwards : o.kind == pass::input_gradient ? backwards : weights;
    if (o.micro_batch != done[o.chunk]++) result.in_order = false;
    if (forwards[1] > forwards[0] || backwards[1] > forwards[1] || backwards[0] > backwards[1]) result.in_order = false;
    if (weights[0] > backwards[0] || weights[1] > backwards[1]) result.in_order = false;
    const std::int64_t held = forwards[0] + forwards[1] - weights[0] - weights[1];
    if (held > result.most_held) result.most_held = held;
  }
  return result;
}

BOTH_TIMES("every pass once, within the published memory", [] {
  for (std::int64_t ranks = 1; ranks <= 5; ++ranks)
    for (const std::int64_t m : {std::int64_t{1}, ranks, 2 * ranks})
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const tally half = tally_of(order_of(schedule::v_half, ranks, m, rank));
        EXPECT(half.passes == 6 * m);
        EXPECT(half.in_order);
        EXPECT(half.most_held <= (ranks + 2) / 2 * 2);
        const tally least = tally_of(order_of(schedule::v_min, ranks, m, rank));
        EXPECT(least.passes == 6 * m);
        EXPECT(least.in_order);
        EXPECT(least.most_held <= (ranks + 4) / 3 * 2);
      }
});

} // namespace
