#include <moeplan/describe/optimizer.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("each step of sharding includes those before it", [] {
  // ZeRO-1, ZeRO-2 and ZeRO-3: calculators ask whether sharding is at least one of them.
  EXPECT(sharding::none < sharding::optimizer);
  EXPECT(sharding::optimizer < sharding::gradients);
  EXPECT(sharding::gradients < sharding::parameters);
  EXPECT(static_cast<int>(sharding::optimizer) == 1 && static_cast<int>(sharding::parameters) == 3);
});

BOTH_TIMES("Adam is what is meant where nothing is said", [] {
  EXPECT(optimizer{} == optimizer::adam);
  EXPECT(sharding{} == sharding::none);
});

} // namespace
