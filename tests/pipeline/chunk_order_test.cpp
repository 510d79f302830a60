#include <moeplan/pipeline/chunk_order.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// Whether the steps pass through these chunks, with these micro-batches.
constexpr bool is(const chunk_order& order, std::initializer_list<std::int64_t> chunks,
                  std::initializer_list<std::int64_t> micro_batches) {
  if (order.steps() != static_cast<std::int64_t>(chunks.size())) return false;
  for (std::int64_t step = 0; step < order.steps(); ++step) {
    const std::int64_t chunk = chunks.begin()[step];
    if (order.chunk_at(step) != chunk || order.step_of(chunk, micro_batches.begin()[step]) != step) return false;
  }
  return true;
}

// Megatron-LM schedules.py, the comment on the schedule table: PP2 N3M5 with VP2.
BOTH_TIMES("groups of three of five micro-batches through two chunks", [] {
  const chunk_order order{.chunks = 2, .micro_batches = 5, .group = 3};
  EXPECT(is(order, {0, 0, 0, 1, 1, 1, 0, 0, 1, 1}, {0, 1, 2, 0, 1, 2, 3, 4, 3, 4}));
  EXPECT(order.steps_in_full_groups() == 6);
  EXPECT(order.steps_left_in_chunk(0) == 3);
  EXPECT(order.steps_left_in_chunk(5) == 1);
  EXPECT(order.steps_left_in_chunk(6) == 2);
  EXPECT(order.started(0, 0) == 0);
  EXPECT(order.started(0, 7) == 4);
  EXPECT(order.started(1, 7) == 3);
  EXPECT(order.started(1, 10) == 5);
});

BOTH_TIMES("a group larger than all micro-batches", [] {
  const chunk_order order{.chunks = 3, .micro_batches = 2, .group = 4};
  EXPECT(is(order, {0, 0, 1, 1, 2, 2}, {0, 1, 0, 1, 0, 1}));
  EXPECT(order.steps_in_full_groups() == 0);
});

BOTH_TIMES("one chunk", [] { EXPECT(is({.chunks = 1, .micro_batches = 4, .group = 2}, {0, 0, 0, 0}, {0, 1, 2, 3})); });

/// Against counting.
constexpr void expect_counts(const chunk_order& order) {
  std::int64_t next = 0;
  for (std::int64_t first = 0; first < order.micro_batches; first += order.group)
    for (std::int64_t chunk = 0; chunk < order.chunks; ++chunk)
      for (std::int64_t m = first; m < first + order.group && m < order.micro_batches; ++m) {
        EXPECT(order.step_of(chunk, m) == next);
        EXPECT(order.chunk_at(next) == chunk);
        EXPECT(order.started(chunk, next) == m);
        ++next;
        EXPECT(order.started(chunk, next) == m + 1);
        const bool stays = next < order.steps() && order.chunk_at(next) == chunk && order.chunks > 1;
        if (order.chunks > 1) EXPECT(order.steps_left_in_chunk(next - 1) == (stays ? order.steps_left_in_chunk(next) + 1 : 1));
      }
  EXPECT(next == order.steps());
  for (std::int64_t chunk = 0; chunk < order.chunks; ++chunk) EXPECT(order.started(chunk, order.steps()) == order.micro_batches);
}

BOTH_TIMES("every small order", [] {
  for (std::int64_t chunks = 1; chunks <= 3; ++chunks)
    for (std::int64_t m = 1; m <= 6; ++m)
      for (std::int64_t group = 1; group <= 7; group += 2) expect_counts({.chunks = chunks, .micro_batches = m, .group = group});
});

} // namespace
