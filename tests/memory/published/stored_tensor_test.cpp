#include <moeplan/memory/published/stored_tensor.hpp>

#include "support/both_times.hpp"

using namespace moeplan::published;
using moeplan::number_type;

namespace {

BOTH_TIMES("each kind of tensor has the ranks that divide it", [] {
  const ranks r{.tensor = 8, .sequence = 4, .expert = 2};
  EXPECT(r.of(sharded_over::nothing) == 1);
  EXPECT(r.of(sharded_over::tensor_ranks) == 8);
  EXPECT(r.of(sharded_over::sequence_ranks) == 4);
  EXPECT(r.of(sharded_over::expert_ranks) == 2);
});

BOTH_TIMES("bytes of a rank", [] {
  const stored_tensor t{"values", 6, 20, number_type::fp16, sharded_over::tensor_ranks};
  EXPECT(bytes_of(t, {}) == 240);
  EXPECT(bytes_of(t, {.tensor = 8}) == 30);
  EXPECT(bytes_of(t, {.sequence = 8}) == 240);
  EXPECT(bytes_of({"mask", 6, 20, number_type::int8, sharded_over::nothing}, {.tensor = 8}) == 120);
  EXPECT(bytes_of({"logits", 6, 20, number_type::fp32, sharded_over::expert_ranks}, {.expert = 2}) == 240);
});

BOTH_TIMES("a sum", [] {
  bytes_of_rank sum{.ranks = {.tensor = 2}};
  sum({"values", 6, 20, number_type::fp16, sharded_over::tensor_ranks});
  sum({"mask", 6, 20, number_type::int8, sharded_over::nothing});
  EXPECT(sum.bytes == 240);
});

} // namespace
