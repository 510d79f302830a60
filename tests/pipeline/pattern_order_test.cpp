#include <moeplan/pipeline/pattern_order.hpp>

#include "pipeline/order_text.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// Up to four patterns, written down.
struct listed_patterns {
  static constexpr int count = 4;
  order_pattern listed[count]{};

  constexpr order_pattern operator[](int i) const noexcept { return listed[i]; }
};

using enum order_place;

BOTH_TIMES("patterns are repeated", [] {
  const listed_patterns patterns{{order_pattern{2, forward_0}, order_pattern{2, backward_0, forward_0}}};
  EXPECT(gives(pattern_cursor{patterns, 4, 0}, "F0.0 F0.1 B0.0 F0.2 B0.1 F0.3"));
});

BOTH_TIMES("none and fewer than none", [] {
  const listed_patterns patterns{
      {order_pattern{0, forward_0}, order_pattern{-3, forward_0}, order_pattern{1}, order_pattern{1, forward_1}}};
  EXPECT(gives(pattern_cursor{patterns, 2, 2}, "F1.0"));
  EXPECT(gives(pattern_cursor{listed_patterns{}, 2, 2}, ""));
});

BOTH_TIMES("the pass for the weights that has waited longest", [] {
  const listed_patterns patterns{{order_pattern{1, forward_0, forward_1, input_1, input_0, weights, backward_0},
                                  order_pattern{1, input_1, weights, weights, weights, weights}}};
  EXPECT(gives(pattern_cursor{patterns, 2, 2}, "F0.0 F1.0 I1.0 I0.0 W1.0 B0.1 I1.1 W0.0 W1.1"));
});

BOTH_TIMES("whoever has no micro-batch left makes room for the weights", [] {
  const listed_patterns patterns{{order_pattern{1, forward_0, forward_1, input_1, input_0, forward_0, input_0}}};
  EXPECT(gives(pattern_cursor{patterns, 1, 1}, "F0.0 F1.0 I1.0 I0.0 W1.0 W0.0"));
});

BOTH_TIMES("pairs, and what is left of them", [] {
  const listed_patterns patterns{
      {order_pattern{1, forward_0, forward_1, pair_01, pair_10}, order_pattern{1, pair_01, pair_10}, order_pattern{1, pair_01}}};
  EXPECT(gives(pattern_cursor{patterns, 2, 2}, "F0.0 F1.0 F0.1B1.0 F1.1B0.0 B1.1 B0.1"));
  EXPECT(gives(pattern_cursor{patterns, 3, 1}, "F0.0 F1.0 F0.1B1.0 B0.0 F0.2 B0.1"));
});

} // namespace
