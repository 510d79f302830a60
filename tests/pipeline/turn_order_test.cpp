#include <moeplan/pipeline/turn_order.hpp>

#include <initializer_list>

#include "pipeline/order_text.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

constexpr bool walks_like(const chunk_order& order) {
  chunk_order_walk walk{order};
  for (std::int64_t step = 0; step < order.steps(); ++step) {
    if (walk.chunk() != order.chunk_at(step) || order.step_of(walk.chunk(), walk.micro_batch()) != step) return false;
    walk.advance();
  }
  return true;
}

BOTH_TIMES("a walk is the order without divisions", [] {
  for (std::int64_t chunks = 1; chunks <= 3; ++chunks)
    for (std::int64_t m = 1; m <= 6; ++m)
      for (std::int64_t group = 1; group <= 7; ++group) EXPECT(walks_like({.chunks = chunks, .micro_batches = m, .group = group}));
});

// arXiv 1811.06965, figure 2: all forward passes, then all backward passes.
BOTH_TIMES("GPipe", [] {
  const pipeline_shape shape{.schedule = schedule::gpipe, .ranks = 3, .micro_batches = 3};
  for (std::int64_t rank = 0; rank < 3; ++rank) EXPECT(gives(turn_cursor{shape, rank}, "F0.0 F0.1 F0.2 B0.0 B0.1 B0.2"));
  const pipeline_shape chunks{.schedule = schedule::gpipe, .ranks = 2, .chunks = 2, .micro_batches = 2};
  EXPECT(gives(turn_cursor{chunks, 1}, "F0.0 F0.1 F1.0 F1.1 B1.0 B1.1 B0.0 B0.1"));
});

// arXiv 2104.04473, figure 4: four ranks, eight micro-batches.
BOTH_TIMES("1F1B", [] {
  const pipeline_shape shape{.ranks = 4, .micro_batches = 8};
  EXPECT(gives(turn_cursor{shape, 0}, "F0.0 F0.1 F0.2 F0.3 B0.0 F0.4 B0.1 F0.5 B0.2 F0.6 B0.3 F0.7 B0.4 B0.5 B0.6 B0.7"));
  EXPECT(gives(turn_cursor{shape, 3}, "F0.0 B0.0 F0.1 B0.1 F0.2 B0.2 F0.3 B0.3 F0.4 B0.4 F0.5 B0.5 F0.6 B0.6 F0.7 B0.7"));
  EXPECT(gives(turn_cursor{{.ranks = 4, .micro_batches = 2}, 0}, "F0.0 F0.1 B0.0 B0.1"));
});

// The same figure: two chunks a rank.
BOTH_TIMES("interleaved 1F1B", [] {
  const pipeline_shape shape{.ranks = 4, .chunks = 2, .micro_batches = 8};
  EXPECT(gives(turn_cursor{shape, 3},
               "F0.0 F0.1 F0.2 F0.3 F1.0 B1.0 F1.1 B1.1 F1.2 B1.2 F1.3 B1.3 F0.4 B0.0 F0.5 B0.1 F0.6 B0.2 F0.7 B0.3 "
               "F1.4 B1.4 F1.5 B1.5 F1.6 B1.6 F1.7 B1.7 B0.4 B0.5 B0.6 B0.7"));
});

// The comment on get_schedule_table in Megatron-LM's schedules.py: PP2 N3M5 with VP2.
BOTH_TIMES("groups of three of five micro-batches", [] {
  const pipeline_shape shape{.ranks = 2, .chunks = 2, .micro_batches = 5, .group = 3};
  EXPECT(gives(turn_cursor{shape, 1},
               "F0.0 F0.1 F0.2 F1.0 B1.0 F1.1 B1.1 F1.2 B1.2 F0.3 B0.0 F0.4 B0.1 F1.3 B0.2 F1.4 B1.3 B1.4 B0.3 B0.4"));
});

BOTH_TIMES("forward and backward passes at once", [] {
  EXPECT(gives(turn_cursor{{.micro_batches = 3, .overlaps = true}, 0}, "F0.0 F0.1B0.0 F0.2B0.1 B0.2"));
  EXPECT(gives(turn_cursor{{.micro_batches = 1, .overlaps = true}, 0}, "F0.0 B0.0"));
  const pipeline_shape shape{.ranks = 2, .chunks = 2, .micro_batches = 2, .overlaps = true};
  EXPECT(gives(turn_cursor{shape, 0}, "F0.0 F0.1 F1.0 F1.1 B1.0 B1.1 B0.0 B0.1"));
  EXPECT(gives(turn_cursor{shape, 1}, "F0.0 F0.1 F1.0 F1.1B1.0 B1.1 B0.0 B0.1"));
});

} // namespace
