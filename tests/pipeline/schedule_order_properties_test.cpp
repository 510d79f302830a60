// Every order up to 16 ranks and 64 micro-batches: it comes to its end, does each pass once, and holds what in_flight.hpp promises.
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "pipeline/held_activations.hpp"
#include "pipeline/replayed.hpp"
#include "support/slow_build.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// 16, or 8 under the sanitizers.
constexpr std::int64_t most_ranks = 8 + cases_for_build(8);

constexpr schedule every_schedule[] = {schedule::gpipe,     schedule::one_forward_one_backward,
                                       schedule::zb_h1,     schedule::zb_h2,
                                       schedule::zb_v,      schedule::v_half,
                                       schedule::v_min,     schedule::dualpipe,
                                       schedule::dualpipe_v};

/// DualPipe needs an even number of ranks, and of micro-batches. Interleaved 1F1B needs groups of at least as many micro-batches as
/// ranks, the last one too: Megatron-LM refuses others (schedules.py forward_backward_pipelining_with_interleaving).
bool exists(const pipeline_shape& p) {
  if (p.schedule == schedule::dualpipe) return p.ranks % 2 == 0 && p.micro_batches % 2 == 0;
  if (p.schedule != schedule::one_forward_one_backward || p.chunks == 1) return true;
  const std::int64_t group = p.group.value_or(p.ranks);
  return group >= p.ranks && (p.micro_batches % group == 0 || p.micro_batches % group >= p.ranks);
}

template <class Visitor>
void visit_shapes(std::int64_t last_ranks, std::int64_t most_micro_batches, Visitor visit) {
  for (const schedule order : every_schedule)
    for (std::int64_t ranks = 1; ranks <= last_ranks; ++ranks)
      for (std::int64_t m = 1; m <= most_micro_batches; ++m) {
        const auto visit_one = [&](const pipeline_shape& shape) {
          if (exists(shape)) visit(shape);
        };
        visit_one({.schedule = order, .ranks = ranks, .micro_batches = m});
        if (order != schedule::gpipe && order != schedule::one_forward_one_backward) continue;
        for (std::int64_t chunks = 2; chunks <= 4; ++chunks)
          visit_one({.schedule = order, .ranks = ranks, .chunks = chunks, .micro_batches = m});
        if (order == schedule::gpipe) continue;
        for (const bool overlaps : {false, true})
          for (std::int64_t group = ranks; group < ranks + 3; ++group)
            visit_one(
                {.schedule = order, .ranks = ranks, .chunks = 2 + m % 2, .micro_batches = m, .group = group, .overlaps = overlaps});
        visit_one({.schedule = order, .ranks = ranks, .micro_batches = m, .overlaps = true});
      }
}

/// Two micro-batches a stage, as its authors require; only then does DualPipe fill up its memory.
bool is_long(const pipeline_shape& p) {
  switch (p.schedule) {
    case schedule::gpipe:
    case schedule::one_forward_one_backward:
    case schedule::zb_h1:
    case schedule::zb_h2:
    case schedule::zb_v: return true;
    case schedule::v_half:
    case schedule::v_min: return false; // promised to hold no more
    case schedule::dualpipe:
    case schedule::dualpipe_v: break;
  }
  return p.micro_batches >= 2 * p.ranks;
}

std::int64_t published_limit(const pipeline_shape& p) {
  return p.schedule == schedule::v_half ? (p.ranks + 2) / 2 * 2 : (p.ranks + 4) / 3 * 2;
}

} // namespace

TEST_CASE("every order comes to its end and does each pass once") {
  visit_shapes(most_ranks, 4 * most_ranks, [](const pipeline_shape& shape) {
    const auto record = replayed(shape, equal_times{});
    const bool ok = record.result.ok();
    if (!ok) {
      CAPTURE(static_cast<int>(shape.schedule));
      CAPTURE(shape.ranks);
      CAPTURE(shape.micro_batches);
      CHECK(ok);
    }
  });
}

TEST_CASE("long and deep pipelines") {
  for (const schedule order : every_schedule)
    for (const std::int64_t ranks : {32, 46, 63, 64})
      for (const std::int64_t m : {2, 30, 64, 128, 260}) {
        const pipeline_shape shape{.schedule = order, .ranks = ranks, .micro_batches = m};
        if (exists(shape)) CHECK(replayed(shape, equal_times{}).result.ok());
      }
}

// Chunk by chunk, before and after the backward pass for the input.
TEST_CASE("every order holds what in_flight.hpp promises") {
  const std::vector<weighing> weighings{kept({1, 1}), kept({3, 1}), kept({1, 5}), {{2, 2}, {1, 1}, {}, {}}, {{1, 1}, {}, {}, {}}};
  visit_shapes(most_ranks, 4 * most_ranks, [&](const pipeline_shape& shape) {
    CAPTURE(static_cast<int>(shape.schedule));
    CAPTURE(shape.ranks);
    CAPTURE(shape.micro_batches);
    for (std::int64_t rank = 0; rank < shape.ranks; ++rank) {
      const std::vector<operation> order = order_of(shape, rank);
      for (const weighing& w : weighings) {
        const std::int64_t held = walked_peak(order, chunks_of_rank(shape), w);
        const std::int64_t promised = computed_peak(shape, rank, w);
        if (is_long(shape))
          CHECK(held == promised);
        else
          CHECK(held <= promised);
      }
    }
  });
}

// Whatever runs: each pass takes much besides, one after the other.
TEST_CASE("V-Half and V-Min hold what in_flight.hpp promises, during each kind of pass") {
  std::vector<weighing> weighings;
  for (const std::vector<std::int64_t>& weights : {std::vector<std::int64_t>{1, 1}, {3, 1}, {1, 5}})
    for (const std::vector<std::int64_t>& taken : {std::vector<std::int64_t>{100, 0}, {0, 100}}) {
      weighings.push_back({weights, weights, taken, {}});
      weighings.push_back({weights, weights, {}, taken});
    }
  for (const schedule order : {schedule::v_half, schedule::v_min})
    for (std::int64_t ranks = 1; ranks <= 16; ++ranks)
      for (std::int64_t m = 1; m <= 64; m += m < 3 * ranks ? 1 : 7) {
        const pipeline_shape shape{.schedule = order, .ranks = ranks, .micro_batches = m};
        CAPTURE(static_cast<int>(shape.schedule));
        CAPTURE(ranks);
        CAPTURE(m);
        for (std::int64_t rank = 0; rank < ranks; ++rank) {
          const std::vector<operation> passed = order_of(shape, rank);
          for (const weighing& w : weighings) CHECK(walked_peak(passed, 2, w) <= computed_peak(shape, rank, w));
        }
      }
}

// The promise is not larger than needed: of both chunks, and of the first.
TEST_CASE("V-Half and V-Min with more micro-batches than ranks hold all that in_flight.hpp promises") {
  for (const schedule order : {schedule::v_half, schedule::v_min})
    for (std::int64_t ranks = 1; ranks <= 16; ++ranks)
      for (std::int64_t m = ranks + 1; m <= 64; ++m) {
        const pipeline_shape shape{.schedule = order, .ranks = ranks, .micro_batches = m};
        CAPTURE(static_cast<int>(shape.schedule));
        CAPTURE(ranks);
        CAPTURE(m);
        for (std::int64_t rank = 0; rank < ranks; ++rank) {
          const std::vector<operation> passed = order_of(shape, rank);
          CHECK(in_flight(shape, rank) <= published_limit(shape));
          CHECK(walked_peak(passed, 2, kept({1, 0})) == computed_peak(shape, rank, kept({1, 0})));
          if (order == schedule::v_half) CHECK(in_flight(shape, rank) == published_limit(shape));
          if (in_flight(shape, rank) == published_limit(shape))
            CHECK(walked_peak(passed, 2, kept({1, 1})) == published_limit(shape));
        }
      }
}
