#include <moeplan/pipeline/task_ranks.hpp>

#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

#include <cstddef>
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

constexpr pipeline_task reduction(std::int64_t stage) { return {.kind = task_kind::gradient_reduction, .stage = stage}; }
constexpr pipeline_task embedding{.kind = task_kind::embedding_reduction};

BOTH_TIMES("the rank that holds a virtual stage", [] {
  const pipeline_shape interleaved{.ranks = 4, .chunks = 3, .micro_batches = 8};
  EXPECT(is(pipeline_ranks_of(interleaved, reduction(2)), {2}));
  EXPECT(is(pipeline_ranks_of(interleaved, reduction(5)), {1}));
  EXPECT(is(pipeline_ranks_of(interleaved, embedding), {0, 3}));
  const pipeline_shape v{.schedule = schedule::dualpipe_v, .ranks = 4, .micro_batches = 8};
  EXPECT(is(pipeline_ranks_of(v, reduction(2)), {2}));
  EXPECT(is(pipeline_ranks_of(v, reduction(4)), {3}));
  EXPECT(is(pipeline_ranks_of(v, reduction(7)), {0}));
  EXPECT(is(pipeline_ranks_of(v, embedding), {0}));
});

// DualPipe README: device 0 holds stages 0 and PP - 1 of PP.
BOTH_TIMES("the two ranks that hold a virtual stage of DualPipe", [] {
  const pipeline_shape shape{.schedule = schedule::dualpipe, .ranks = 8, .micro_batches = 20};
  EXPECT(is(pipeline_ranks_of(shape, reduction(0)), {0, 7}));
  EXPECT(is(pipeline_ranks_of(shape, reduction(3)), {3, 4}));
  EXPECT(is(pipeline_ranks_of(shape, reduction(6)), {1, 6}));
  EXPECT(is(pipeline_ranks_of(shape, embedding), {0, 7}));
});

BOTH_TIMES("who holds a virtual stage is who has a chunk of it", [] {
  for (const schedule order : {schedule::one_forward_one_backward, schedule::zb_h1, schedule::v_min, schedule::dualpipe}) {
    const pipeline_shape shape{.schedule = order, .ranks = 6, .chunks = 2, .micro_batches = 24};
    for (std::int64_t rank = 0; rank < 6; ++rank)
      for (std::int64_t chunk = 0; chunk < chunks_of_rank(shape); ++chunk) {
        bool met = false;
        for (const std::int64_t holder : holders_of_stage(shape, virtual_stage(order, 6, rank, chunk))) met = met || holder == rank;
        EXPECT(met);
      }
    for (std::int64_t stage = 0; stage < 6; ++stage) EXPECT(holders_of_stage(shape, stage).size() == parameter_copies(order));
  }
});

BOTH_TIMES("one rank, or all", [] {
  const pipeline_shape shape{.ranks = 4, .micro_batches = 8};
  EXPECT(is(pipeline_ranks_of(shape, {.rank = 2, .operation = {pass::backward, 0, 3}}), {2}));
  EXPECT(is(pipeline_ranks_of(shape, {.kind = task_kind::optimizer_step, .rank = 3}), {3}));
  EXPECT(is(pipeline_ranks_of(shape, {.kind = task_kind::gradient_norm}), {0, 1, 2, 3}));
  EXPECT(is(pipeline_ranks_of({.micro_batches = 8}, embedding), {0}));
});

constexpr bool reduces(const mesh& m, const pipeline_shape& shape, const pipeline_task& task, std::int64_t rank, grid_kind grid,
                       std::initializer_list<std::int64_t> expected) {
  std::size_t met = 0;
  bool same = true;
  visit_reduction_ranks(m, shape, task, rank, grid, [&](std::int64_t member) {
    same = same && met < expected.size() && expected.begin()[met] == member;
    ++met;
  });
  return same && met == expected.size();
}

// The sixteen GPUs of above, in 1F1B and from both ends; Megatron-LM's embedding groups of them are [0, 12], [1, 13], [2, 14], [3, 15].
BOTH_TIMES("with whom a rank of the mesh reduces", [] {
  const mesh m{strategy{tp{2}, pp{4}, ep{2}, dp{2}}};
  const pipeline_shape one_end{.ranks = 4, .micro_batches = 8};
  EXPECT(reduces(m, one_end, reduction(1), 5, grid_kind::dense, {5, 7}));
  EXPECT(reduces(m, one_end, embedding, 14, grid_kind::dense, {2, 14}));
  const pipeline_shape both_ends{.schedule = schedule::dualpipe, .ranks = 4, .micro_batches = 8};
  EXPECT(reduces(m, both_ends, reduction(1), 5, grid_kind::dense, {5, 7, 9, 11}));
  EXPECT(reduces(m, both_ends, reduction(2), 5, grid_kind::dense, {5, 7, 9, 11}));
  EXPECT(reduces(m, both_ends, reduction(0), 14, grid_kind::dense, {0, 2, 12, 14}));
  EXPECT(reduces(m, both_ends, reduction(0), 14, grid_kind::expert, {0, 2, 12, 14}));
  EXPECT(reduces(m, both_ends, embedding, 14, grid_kind::dense, {14})); // which has it of both
  const pipeline_shape v{.schedule = schedule::zb_v, .ranks = 4, .micro_batches = 8};
  EXPECT(reduces(m, v, embedding, 1, grid_kind::dense, {1}));
  const mesh spread{strategy{tp{2}, pp{4}, ep{4}, dp{2}}};
  EXPECT(reduces(spread, both_ends, reduction(0), 14, grid_kind::expert, {2, 14}));
});

BOTH_TIMES("ranks of another order", [] {
  const mesh m{strategy{tp{2}, pp{2}, dp{2}, rank_order::parse("tp-pp-dp").value}};
  EXPECT(is(ranks_of_stage(m, 1), {2, 3, 6, 7}));
  EXPECT(partner_at_stage(m, 4, 1) == 6);
});

} // namespace
