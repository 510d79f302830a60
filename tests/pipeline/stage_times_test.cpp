#include <moeplan/pipeline/stage_times.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("the same times everywhere", [] {
  const equal_times all{.passes = {.backward = 3}, .latency = 13};
  EXPECT(all.of(3, {.kind = pass::backward}) == 3);
  EXPECT(all.of(0, {.kind = pass::backward, .chunk = 1, .micro_batch = 7}) == 3);
  EXPECT(all.transfer(0, 1) == 13);
});

constexpr pass_times by_stage[] = {{.forward = 10, .backward = 20},
                                   {.forward = 11, .backward = 21},
                                   {.forward = 12, .backward = 22},
                                   {.forward = 13, .backward = 23}};

BOTH_TIMES("times of the virtual stage that a chunk is", [] {
  const operation second{.kind = pass::forward, .chunk = 1};
  const stage_times interleaved{{.ranks = 2, .chunks = 2}, by_stage};
  EXPECT(interleaved.of(1, {}) == 11);
  EXPECT(interleaved.of(0, second) == 12);
  EXPECT(interleaved.of(1, {.kind = pass::backward, .chunk = 1}) == 23);
  const stage_times v{{.schedule = schedule::zb_v, .ranks = 2}, by_stage};
  EXPECT(v.of(0, second) == 13);
  EXPECT(v.of(1, second) == 12);
  const stage_times both_ends{{.schedule = schedule::dualpipe, .ranks = 4}, by_stage, 3};
  EXPECT(both_ends.of(1, {}) == 11);
  EXPECT(both_ends.of(1, second) == 12);
  EXPECT(both_ends.transfer(1, 2) == 3);
});

static_assert(replay_times<equal_times>);
static_assert(replay_times<stage_times>);
static_assert(!replay_times<pass_times>);

} // namespace
