#include <moeplan/balance/placement_shape.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

BOTH_TIMES("DeepSeek-V3 on four nodes: nine slots a GPU, eight GPUs a node", [] {
  const placement_shape s{.experts = 256, .slots = 288, .groups = 8, .nodes = 4, .gpus = 32};
  EXPECT(s.slots_per_gpu() == 9);
  EXPECT(s.gpus_per_node() == 8);
});

BOTH_TIMES("without groups and nodes there is one of each", [] {
  const placement_shape s{.experts = 64, .slots = 72, .gpus = 8};
  EXPECT(s.groups == 1);
  EXPECT(s.gpus_per_node() == 8);
  EXPECT(s == placement_shape{64, 72, 1, 1, 8});
});
