#include <moeplan/pipeline/dual_order.hpp>

#include <string_view>

#include "pipeline/order_text.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr pattern_cursor<dual_patterns> order_of(schedule s, std::int64_t ranks, std::int64_t m, std::int64_t rank) {
  const pipeline_shape shape{.schedule = s, .ranks = ranks, .micro_batches = m};
  const std::int64_t one_way = micro_batches_of_chunk(shape);
  return {dual_patterns{shape, rank}, one_way, one_way};
}

// DualPipe dualpipe.py: two ranks, four micro-batches of both directions.
BOTH_TIMES("DualPipe with two ranks", [] {
  EXPECT(gives(order_of(schedule::dualpipe, 2, 4, 0), "F0.0 F1.0 F0.1 B1.0 F1.1B0.0 B1.1 I0.1 W0.1"));
  EXPECT(gives(order_of(schedule::dualpipe, 2, 4, 1), "F1.0 F0.0 F1.1 B0.0 F0.1B1.0 B0.1 I1.1 W1.1"));
});

// The eight steps on an outer rank, which are DualPipeV's (dualpipev.py) as well.
BOTH_TIMES("four stages", [] {
  constexpr std::string_view outer = "F0.0 F0.1 F0.2 F1.0 I1.0 W1.0 F1.1 F0.3B1.1 F1.2B0.0 B1.2 F1.3B0.1 B1.3 I0.2 W0.2 I0.3 W0.3";
  EXPECT(gives(order_of(schedule::dualpipe, 4, 8, 0), outer));
  EXPECT(gives(order_of(schedule::dualpipe_v, 2, 4, 0), outer));
  constexpr std::string_view inner = "F0.0 F1.0 F0.1 F1.1 F0.2 B1.0 F1.2B0.0 F0.3B1.1 F1.3B0.1 B1.2 B0.2 I1.3 I0.3 W1.3 W0.3";
  EXPECT(gives(order_of(schedule::dualpipe, 4, 8, 1), inner));
  EXPECT(gives(order_of(schedule::dualpipe_v, 2, 4, 1), inner));
});

// The authors refuse these.
BOTH_TIMES("few micro-batches", [] {
  EXPECT(gives(order_of(schedule::dualpipe_v, 2, 1, 0), "F0.0 F1.0 I1.0 W1.0 B0.0"));
  EXPECT(gives(order_of(schedule::dualpipe_v, 1, 1, 0), "F0.0 F1.0 B1.0 I0.0 W0.0"));
});

} // namespace
