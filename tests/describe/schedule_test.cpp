#include <moeplan/describe/schedule.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("schedules that fold the pipeline", [] {
  for (const schedule s : {schedule::zb_v, schedule::v_half, schedule::v_min, schedule::dualpipe_v}) EXPECT(placed_in_a_v(s));
  for (const schedule s : {schedule::gpipe, schedule::one_forward_one_backward, schedule::zb_h1, schedule::zb_h2}) {
    EXPECT(!placed_in_a_v(s));
  }
  // It has both directions, and no fold: each rank holds two stages of the same pipeline.
  EXPECT(!placed_in_a_v(schedule::dualpipe));
});

} // namespace
