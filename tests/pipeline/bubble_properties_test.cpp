// Closed forms against replays of the schedules' orders, up to 16 ranks and 64 micro-batches, wherever there is a closed form.
#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pass_times.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>

#include "pipeline/replayed.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

pass_times split(std::int64_t forward, std::int64_t input, std::int64_t weight) {
  return {.forward = forward,
          .backward = input + weight,
          .input_gradient = input,
          .weight_gradient = weight,
          .forward_and_backward = forward + input + weight};
}

pass_times paired(std::int64_t each, std::int64_t pair) {
  pass_times t = split(each, each, each);
  t.forward_and_backward = pair;
  return t;
}

/// Whether there is a closed form; and it is checked.
bool check_replay(const pipeline_shape& shape, const pass_times& t) {
  const bubble expected = bubble_of(shape, t);
  if (!expected.known) return false;
  const auto record = replayed(shape, equal_times{.passes = t});
  std::int64_t least_busy = record.ranks.front().busy;
  std::int64_t own = 0;
  for (const auto& rank : record.ranks) {
    least_busy = std::min(least_busy, rank.busy);
    own = std::max(own, rank.end - rank.start - rank.busy);
  }
  const known_time expected_own = own_idle(shape, t);
  const bool holds = record.result.ok() && expected.makespan() == record.result.makespan && expected.busy == least_busy &&
                     (!expected_own.known || expected_own.time == own) &&
                     (record.result.makespan == 0 || mean_idle_share(shape, t) == mean_idle_share(record.result, record.ranks));
  if (!holds) {
    CAPTURE(static_cast<int>(shape.schedule));
    CAPTURE(shape.ranks);
    CAPTURE(shape.chunks);
    CAPTURE(shape.micro_batches);
    CAPTURE(t.forward);
    CAPTURE(t.input_gradient);
    CAPTURE(t.weight_gradient);
    CAPTURE(t.forward_and_backward);
    CHECK(record.result.ok());
    CHECK(expected.makespan() == record.result.makespan);
    CHECK(expected.busy == least_busy);
    CHECK(expected_own.time == own);
    CHECK(mean_idle_share(shape, t) == mean_idle_share(record.result, record.ranks));
  }
  return true;
}

struct family {
  schedule order;
  std::vector<pass_times> times;
  std::int64_t known; ///< shapes with a closed form, of 16 x 64, counted by hand from its condition
};

/// Sums over p from 1 to 16 of the m up to 64 that a condition leaves.
constexpr std::int64_t every = 1024;                       // 16 x 64
constexpr std::int64_t from_p = 16 * 65 - 16 * 17 / 2;     // m >= p
constexpr std::int64_t above_p = from_p - 16;              // m > p
constexpr std::int64_t from_2p_less_1 = 16 * 66 - 16 * 17; // m >= 2p - 1
constexpr std::int64_t from_2p = 16 * 65 - 16 * 17;        // m >= 2p
constexpr std::int64_t even_from_2p = 8 * 66 - 8 * 9 * 2;  // p even, m from 2p - 1, which counts as 2p

} // namespace

TEST_CASE("the closed form of each schedule is its replay") {
  const std::vector<pass_times> any{{}, split(3, 2, 5), split(1, 6, 2), split(10, 12, 8), split(2, 3, 1)};
  const std::vector<pass_times> equal{{}, split(7, 7, 7)};
  const std::vector<pass_times> pairs{{}, paired(1, 2), paired(4, 9), paired(4, 12)};
  const family families[] = {
      {schedule::gpipe, any, every},          {schedule::one_forward_one_backward, any, every},
      {schedule::zb_h1, any, from_p},         {schedule::zb_h2, any, from_2p_less_1},
      {schedule::zb_v, equal, from_p},        {schedule::v_half, equal, above_p},
      {schedule::v_min, equal, above_p},      {schedule::dualpipe, pairs, even_from_2p},
      {schedule::dualpipe_v, pairs, from_2p},
  };
  for (const family& f : families)
    for (const pass_times& t : f.times) {
      std::int64_t known = 0;
      for (std::int64_t ranks = 1; ranks <= 16; ++ranks)
        for (std::int64_t m = 1; m <= 64; ++m) {
          if (f.order == schedule::dualpipe && ranks % 2 == 1) continue;
          known += check_replay({.schedule = f.order, .ranks = ranks, .micro_batches = m}, t);
        }
      CAPTURE(static_cast<int>(f.order));
      CHECK(known == f.known);
    }
}

TEST_CASE("V-Half and V-Min with more ranks") {
  for (std::int64_t ranks = 17; ranks <= 24; ++ranks)
    for (const std::int64_t m : {ranks + 1, 2 * ranks, 3 * ranks + 5}) {
      const pipeline_shape half{.schedule = schedule::v_half, .ranks = ranks, .micro_batches = m};
      CHECK(check_replay(half, {}) == (ranks <= 20));
      CHECK(check_replay({.schedule = schedule::v_min, .ranks = ranks, .micro_batches = m}, {}));
    }
}

TEST_CASE("several chunks a rank") {
  std::int64_t known = 0;
  for (std::int64_t ranks = 1; ranks <= 12; ++ranks)
    for (std::int64_t m = 1; m <= 40; ++m)
      for (std::int64_t chunks = 2; chunks <= 4; ++chunks)
        for (const pass_times& t : {split(1, 1, 1), split(3, 2, 5), split(5, 1, 1)}) {
          CHECK(check_replay({.schedule = schedule::gpipe, .ranks = ranks, .chunks = chunks, .micro_batches = m}, t));
          known += check_replay({.ranks = ranks, .chunks = chunks, .micro_batches = m}, t);
          known += check_replay({.ranks = ranks, .chunks = chunks, .micro_batches = m, .group = ranks + m % 3}, t);
        }
  CHECK(known > 2000);
}

TEST_CASE("one rank whose passes overlap") {
  for (std::int64_t m = 1; m <= 20; ++m) CHECK(check_replay({.micro_batches = m, .overlaps = true}, paired(3, 7)));
}

// Where one of the three passes is longest, and where none is.
TEST_CASE("ZB-H1 and ZB-H2 with all small times") {
  for (std::int64_t forward = 1; forward <= 4; ++forward)
    for (std::int64_t input = 1; input <= 4; ++input)
      for (std::int64_t weight = 1; weight <= 4; ++weight)
        for (const std::int64_t ranks : {2, 3, 5, 8})
          for (const std::int64_t m : {ranks, 2 * ranks - 1, 2 * ranks, 3 * ranks + 1}) {
            CHECK(check_replay({.schedule = schedule::zb_h1, .ranks = ranks, .micro_batches = m}, split(forward, input, weight)));
            if (m >= 2 * ranks - 1)
              CHECK(check_replay({.schedule = schedule::zb_h2, .ranks = ranks, .micro_batches = m}, split(forward, input, weight)));
          }
}
