// The bound of a pipeline against replays of the library's orders with the same times, of stages as unequal as they like.
#include <moeplan/cost/pipeline_bound.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <moeplan/pipeline/stage_times.hpp>

#include "pipeline/replayed.hpp"
#include "support/random_numbers.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

pipeline_shape any_shape(random_numbers& draw) {
  pipeline_shape p{
      .schedule = static_cast<schedule>(draw.below(9)), .ranks = 1 + draw.below(6), .micro_batches = 1 + draw.below(14)};
  if (p.schedule == schedule::gpipe) p.chunks = 1 + draw.below(3);
  if (p.schedule == schedule::one_forward_one_backward && draw.below(2) == 0) {
    p.chunks = 1 + draw.below(3);
    p.micro_batches = p.ranks * (1 + draw.below(3));
  }
  if (p.schedule == schedule::dualpipe) {
    p.ranks = 2 * (1 + draw.below(3));
    p.micro_batches = 2 * (p.ranks + draw.below(5));
  }
  if (p.schedule == schedule::dualpipe_v) p.micro_batches = 2 * p.ranks + draw.below(5);
  return p;
}

struct times_of_stages {
  pipeline_shape shape{};
  std::vector<pass_times> stages;

  times_of_stages(const pipeline_shape& s, random_numbers& draw) : shape{s} {
    const bool equal = draw.below(3) == 0;
    for (std::int64_t i = 0; i < shape.ranks * chunks_of_rank(shape); ++i) {
      if (equal && i > 0) {
        stages.push_back(stages.front());
        continue;
      }
      pass_times t{.forward = draw.below(50), .input_gradient = draw.below(50), .weight_gradient = draw.below(50)};
      t.backward = t.input_gradient + t.weight_gradient;
      stages.push_back(t);
    }
  }

  [[nodiscard]] const pass_times& at(std::int64_t stage) const { return stages[static_cast<std::size_t>(stage)]; }

  /// A pair takes what both of its passes take.
  [[nodiscard]] std::int64_t of(std::int64_t rank, const operation& o) const {
    const auto stage = [&](std::int64_t chunk) { return virtual_stage(shape.schedule, shape.ranks, rank, chunk); };
    if (o.kind != pass::forward_and_backward) return at(stage(o.chunk))[o.kind];
    return at(stage(o.chunk)).forward + at(stage(o.backward_chunk)).backward;
  }
  [[nodiscard]] static std::int64_t transfer(std::int64_t, std::int64_t) { return 0; }

  [[nodiscard]] stage_work<std::int64_t> operator()(std::int64_t stage) const {
    const pass_times& t = at(stage);
    return {t.forward, t.input_gradient, t.weight_gradient};
  }
};

TEST_CASE("no replay is faster, and those without a bubble are as fast") {
  random_numbers draw{20260401};
  int as_fast[9]{};
  int slower[9]{};
  for (int i = 0; i < 6000; ++i) {
    const pipeline_shape p = any_shape(draw);
    const times_of_stages times{p, draw};
    const auto record = replayed(p, times);
    if (!record.result.ok()) continue;
    const bool splits = splits_backward(p.schedule);
    const pipeline_bound<std::int64_t> bound = pipeline_bound_of<std::int64_t>(p, splits, times);
    const std::int64_t least = std::max(bound.busiest, bound.first_to_last);
    CAPTURE(static_cast<int>(p.schedule));
    CAPTURE(p.ranks);
    CAPTURE(p.micro_batches);
    CHECK(least <= record.result.makespan);
    std::int64_t busiest = 0;
    for (const auto& r : record.ranks) busiest = std::max(busiest, r.busy);
    CHECK(bound.busiest == busiest);
    if (!splits) CHECK(bound.first_to_last >= bound.busiest);
    ++(least == record.result.makespan ? as_fast : slower)[static_cast<std::size_t>(p.schedule)];
  }
  CHECK(as_fast[static_cast<int>(schedule::gpipe)] > 100);
  CHECK(as_fast[static_cast<int>(schedule::one_forward_one_backward)] > 100);
  for (const int n : slower) CHECK(n > 20); // so the comparison is no identity
}

TEST_CASE("the bound never falls when a pass takes longer or a micro-batch comes in") {
  random_numbers draw{20260402};
  for (int i = 0; i < 4000; ++i) {
    pipeline_shape p = any_shape(draw);
    times_of_stages times{p, draw};
    const bool splits = splits_backward(p.schedule);
    const auto before = pipeline_bound_of<std::int64_t>(p, splits, times);
    pass_times& longer = times.stages[static_cast<std::size_t>(draw.below(static_cast<std::int64_t>(times.stages.size())))];
    std::int64_t& part = draw.below(3) == 0 ? longer.forward : draw.below(2) == 0 ? longer.input_gradient : longer.weight_gradient;
    part += 1 + draw.below(20);
    longer.backward = longer.input_gradient + longer.weight_gradient;
    const auto after = pipeline_bound_of<std::int64_t>(p, splits, times);
    CHECK(after.busiest >= before.busiest);
    CHECK(after.first_to_last >= before.first_to_last);
    ++p.micro_batches;
    const auto more = pipeline_bound_of<std::int64_t>(p, splits, times);
    CHECK(more.busiest >= after.busiest);
    CHECK(more.first_to_last >= after.first_to_last);
  }
}

} // namespace
