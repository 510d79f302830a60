#include <moeplan/pipeline/pipeline_shape.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr deployment deepseek_v3(const strategy& s, const training& t) {
  return {.model = catalog::deepseek_v3,
          .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
          .strategy = s,
          .layout = layout::stages({15, 4}, {1, 1}),
          .workload = t};
}

// DeepSeek-V3's training, arXiv 2412.19437, sections 3.1 and 4.2: 2048 GPUs, PP 16, EP 64, a batch of 15360 sequences.
BOTH_TIMES("DeepSeek-V3", [] {
  const training t{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096};
  const pipeline_shape expected{.ranks = 16, .micro_batches = 120};
  EXPECT(pipeline_shape_of(deepseek_v3({pp{16}, ep{64}, dp{128}}, t)) == expected);
  EXPECT(pipeline_shape_of(deepseek_v3({pp{16}, ep{64}}, t)) == expected); // 2048 / 16 copies
});

BOTH_TIMES("another number of copies than the deployment's", [] {
  const training t{.global_batch = 15360, .micro_batch = 2, .sequence_length = 4096};
  const deployment d = deepseek_v3({pp{16}, ep{64}, dp{128}}, t);
  EXPECT(pipeline_shape_of(d).micro_batches == 60);
  EXPECT(pipeline_shape_of(d, 64) == pipeline_shape{.ranks = 16, .micro_batches = 120});
});

BOTH_TIMES("one micro-batch where no global batch is given", [] {
  const training t{.micro_batch = 4, .sequence_length = 4096};
  EXPECT(pipeline_shape_of(deepseek_v3({pp{16}, ep{64}, dp{128}}, t)) == pipeline_shape{.ranks = 16});
});

BOTH_TIMES("schedule, overlap and chunks", [] {
  training t{.global_batch = 5120, .micro_batch = 1, .sequence_length = 4096};
  t.schedule = schedule::dualpipe;
  const pipeline_shape both_ends{.schedule = schedule::dualpipe, .ranks = 16, .micro_batches = 40};
  EXPECT(pipeline_shape_of(deepseek_v3({pp{16}, ep{64}, dp{128}}, t)) == both_ends); // of both directions
  t.schedule = schedule::one_forward_one_backward;
  t.overlap.expert_parallel = true;
  deployment d = deepseek_v3({pp{4}, vpp{4}, ep{64}, dp{128}}, t);
  EXPECT(pipeline_shape_of(d) == pipeline_shape{.ranks = 4, .chunks = 4, .micro_batches = 40, .overlaps = true});
  d.layout = layout{};
  EXPECT(pipeline_shape_of(d).chunks == 4);
});

// About 2^62 micro-batches: a number that passes can be counted for, with the same last group.
BOTH_TIMES("absurdly many micro-batches", [] {
  const training t{.global_batch = (std::int64_t{1} << 62) + 5, .micro_batch = 1, .sequence_length = 4096};
  const std::int64_t counted = pipeline_shape_of(deepseek_v3({pp{16}, ep{64}, dp{1}}, t)).micro_batches;
  EXPECT(counted % 16 == 5);
  EXPECT((std::int64_t{1} << 55) < counted);
  EXPECT(counted < (std::int64_t{1} << 57));
});

} // namespace
