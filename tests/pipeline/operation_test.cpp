#include <moeplan/pipeline/operation.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("what is not said is the first forward pass",
           [] { EXPECT(operation{} == operation{.kind = pass::forward, .chunk = 0, .micro_batch = 0}); });

BOTH_TIMES("every member tells operations apart", [] {
  const operation pair{pass::forward_and_backward, 1, 2, 3, 4};
  EXPECT(pair == operation{pass::forward_and_backward, 1, 2, 3, 4});
  EXPECT(!(pair == operation{pass::forward, 1, 2, 3, 4}));
  EXPECT(!(pair == operation{pass::forward_and_backward, 0, 2, 3, 4}));
  EXPECT(!(pair == operation{pass::forward_and_backward, 1, 0, 3, 4}));
  EXPECT(!(pair == operation{pass::forward_and_backward, 1, 2, 0, 4}));
  EXPECT(!(pair == operation{pass::forward_and_backward, 1, 2, 3, 0}));
});

} // namespace
