#include <moeplan/pipeline/task_ranks.hpp>

#include <cstdint>
#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool is(const rank_group& group, std::initializer_list<std::int64_t> ranks) {
  if (group.size() != static_cast<std::int64_t>(ranks.size())) return false;
  for (std::int64_t i = 0; i < group.size(); ++i)
    if (group[i] != ranks.begin()[i]) return false;
  return true;
}

// Megatron-LM, parallel_state.py initialize_model_parallel: 16 GPUs, TP 2 and PP 4 give the pipeline groups [0, 4, 8, 12], [1, 5, 9, 13],
// [2, 6, 10, 14], [3, 7, 11, 15] and the data-parallel groups [0, 2], [1, 3], [4, 6], ...
BOTH_TIMES("sixteen GPUs in four stages", [] {
  const mesh m{strategy{tp{2}, pp{4}, dp{2}}};
  EXPECT(is(ranks_of_stage(m, 0), {0, 1, 2, 3}));
  EXPECT(is(ranks_of_stage(m, 2), {8, 9, 10, 11}));
  EXPECT(partner_at_stage(m, 1, 1) == 5);
  EXPECT(partner_at_stage(m, 13, 2) == 9);
  EXPECT(partner_at_stage(m, 13, 3) == 13);
  EXPECT(is(dense_reduction_group(m, 5), {5, 7}));
});

// Experts over all four ranks of a stage: none shares its experts with another.
BOTH_TIMES("gradients of experts stay where the experts are", [] {
  const mesh m{strategy{tp{2}, pp{4}, ep{4}, dp{2}}};
  EXPECT(is(expert_reduction_group(m, 5), {5}));
  EXPECT(is(dense_reduction_group(m, 5), {5, 7}));
  const mesh pairs{strategy{tp{2}, pp{4}, ep{2}, dp{2}}};
  EXPECT(is(expert_reduction_group(pairs, 5), {5, 7}));
});

BOTH_TIMES("ranks of another order", [] {
  const mesh m{strategy{tp{2}, pp{2}, dp{2}, rank_order::parse("tp-pp-dp").value}};
  EXPECT(is(ranks_of_stage(m, 1), {2, 3, 6, 7}));
  EXPECT(partner_at_stage(m, 4, 1) == 6);
});

} // namespace
