#include <moeplan/pipeline/v_half_ending.hpp>

#include <string_view>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// f, b and B: forward and backward pass of chunk 1, backward pass of chunk 0. W: for the weights.
constexpr bool reads(const v_half_ending& patterns, std::string_view text) {
  pattern_walk<v_half_ending> walk{patterns};
  order_place now{};
  for (const char expected : text) {
    if (!walk.next(patterns, now)) return false;
    const char given = now == order_place::forward_1 ? 'f'
                       : now == order_place::input_1 ? 'b'
                       : now == order_place::input_0 ? 'B'
                                                     : 'W';
    if (given != expected) return false;
  }
  return !walk.next(patterns, now);
}

// zero-bubble-pipeline-parallelism scheduler/zbv_greedy.py, V-Half with twelve micro-batches on four ranks and nine on three, behind the
// last forward pass of chunk 0; the passes for the weights that are left at the very end are not written down.
BOTH_TIMES("four ranks", [] {
  EXPECT(reads({4, 0}, "BbWfbWBWWfbBWBWWBW"));
  EXPECT(reads({4, 1}, "WfbWBbWfWBbBWWWBW"));
  EXPECT(reads({4, 2}, "BbWfbBWBbWWBWW"));
  EXPECT(reads({4, 3}, "WfbBbBWWbBWW"));
});

BOTH_TIMES("three ranks", [] {
  EXPECT(reads({3, 0}, "fbWBWfbBWWBW"));
  EXPECT(reads({3, 1}, "BbWfWBbWWBW"));
  EXPECT(reads({3, 2}, "WfbBWWbBWW"));
});

// Counted in the lines above.
BOTH_TIMES("how many passes of a kind", [] {
  EXPECT(v_half_ending{4, 0}.passes(order_place::input_0) == 5);
  EXPECT(v_half_ending{4, 0}.passes(order_place::input_1) == 3);
  EXPECT(v_half_ending{4, 0}.passes(order_place::forward_1) == 2);
  EXPECT(v_half_ending{3, 2}.passes(order_place::input_0) == 2);
  EXPECT(v_half_ending{3, 2}.passes(order_place::forward_1) == 1);
  EXPECT(v_half_ending{3, 2}.passes(order_place::forward_0) == 0);
});

} // namespace
