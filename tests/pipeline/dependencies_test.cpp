#include <moeplan/pipeline/dependencies.hpp>

#include <moeplan/pipeline/stage_placement.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr schedule all_placements[] = {schedule::one_forward_one_backward, schedule::zb_v, schedule::dualpipe};

/// Whether the places follow each other, from the first to the last, both ways.
constexpr void expect_path(const pipeline_shape& p, std::initializer_list<chunk_place> path) {
  const chunk_place* const places = path.begin();
  EXPECT(!previous_place(p, places[0]).exists());
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    EXPECT(next_place(p, places[i]) == places[i + 1]);
    EXPECT(previous_place(p, places[i + 1]) == places[i]);
  }
  EXPECT(!next_place(p, places[path.size() - 1]).exists());
}

BOTH_TIMES("chunk after chunk over all ranks", [] {
  expect_path({.ranks = 3, .chunks = 2}, {{0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}, {2, 1}});
});

// arXiv 2405.15362, figure 1.
BOTH_TIMES("there and back, a V", [] {
  expect_path({.schedule = schedule::v_half, .ranks = 3}, {{0, 0}, {1, 0}, {2, 0}, {2, 1}, {1, 1}, {0, 1}});
});

// arXiv 2412.19437, figure 5: two pipelines through the same ranks.
BOTH_TIMES("from both ends", [] {
  const pipeline_shape p{.schedule = schedule::dualpipe, .ranks = 4};
  expect_path(p, {{0, 0}, {1, 0}, {2, 0}, {3, 0}});
  expect_path(p, {{3, 1}, {2, 1}, {1, 1}, {0, 1}});
});

BOTH_TIMES("one rank", [] {
  expect_path({.ranks = 1}, {{0, 0}});
  expect_path({.ranks = 1, .chunks = 3}, {{0, 0}, {0, 1}, {0, 2}});
  expect_path({.schedule = schedule::dualpipe_v, .ranks = 1}, {{0, 0}, {0, 1}});
});

BOTH_TIMES("neighbours are the virtual stages before and behind", [] {
  for (const schedule order : all_placements)
    for (std::int64_t ranks = 1; ranks <= 5; ++ranks) {
      const pipeline_shape p{.schedule = order, .ranks = ranks, .chunks = 2};
      for (std::int64_t rank = 0; rank < ranks; ++rank)
        for (std::int64_t chunk = 0; chunk < 2; ++chunk) {
          const std::int64_t stage = virtual_stage(order, ranks, rank, chunk);
          const chunk_place next = next_place(p, {rank, chunk});
          const std::int64_t last = order == schedule::dualpipe ? ranks - 1 : 2 * ranks - 1;
          EXPECT(next.exists() == (stage != last));
          if (!next.exists()) continue;
          EXPECT(virtual_stage(order, ranks, next.rank, next.chunk) == stage + 1);
          EXPECT(previous_place(p, next) == chunk_place{rank, chunk});
        }
    }
});

BOTH_TIMES("micro-batches of a chunk", [] {
  EXPECT(micro_batches_of_chunk({.micro_batches = 8}) == 8);
  EXPECT(micro_batches_of_chunk({.schedule = schedule::dualpipe, .micro_batches = 8}) == 4);
  EXPECT(micro_batches_of_chunk({.schedule = schedule::dualpipe_v, .micro_batches = 8}) == 8);
});

/// Whether an operation requires exactly these, in this order.
constexpr bool requires_these(const pipeline_shape& p, std::int64_t rank, const operation& o,
                              std::initializer_list<required_pass> expected) {
  std::size_t met = 0;
  bool same = true;
  const bool all = visit_required(p, rank, o, [&](const required_pass& r) {
    same = same && met < expected.size() && expected.begin()[met] == r;
    ++met;
    return true;
  });
  return all && same && met == expected.size();
}

constexpr required_pass forward_of(std::int64_t rank, std::int64_t chunk, std::int64_t m) {
  return {pass::forward, {rank, chunk}, m};
}
constexpr required_pass backward_at(std::int64_t rank, std::int64_t chunk, std::int64_t m) {
  return {pass::input_gradient, {rank, chunk}, m};
}

BOTH_TIMES("what passes of an interleaved pipeline require", [] {
  const pipeline_shape p{.ranks = 2, .chunks = 2, .micro_batches = 4};
  EXPECT(requires_these(p, 0, {pass::forward, 0, 3}, {}));
  EXPECT(requires_these(p, 1, {pass::forward, 0, 3}, {forward_of(0, 0, 3)}));
  EXPECT(requires_these(p, 0, {pass::forward, 1, 3}, {forward_of(1, 0, 3)}));
  EXPECT(requires_these(p, 1, {pass::backward, 1, 2}, {forward_of(1, 1, 2)}));
  EXPECT(requires_these(p, 0, {pass::input_gradient, 1, 2}, {forward_of(0, 1, 2), backward_at(1, 1, 2)}));
  EXPECT(requires_these(p, 1, {pass::backward, 0, 2}, {forward_of(1, 0, 2), backward_at(0, 1, 2)}));
  EXPECT(requires_these(p, 1, {pass::weight_gradient, 0, 2}, {backward_at(1, 0, 2)}));
});

BOTH_TIMES("what an overlapped pair requires", [] {
  const pipeline_shape p{.schedule = schedule::dualpipe, .ranks = 4, .micro_batches = 16};
  // Forward from rank 0 on and backward towards the last rank.
  EXPECT(requires_these(p, 1, {pass::forward_and_backward, 0, 5, 1, 3},
                        {forward_of(0, 0, 5), forward_of(1, 1, 3), backward_at(0, 1, 3)}));
  // The backward pass of the last stage of its direction.
  EXPECT(requires_these(p, 0, {pass::forward_and_backward, 0, 5, 1, 3}, {forward_of(0, 1, 3)}));
  EXPECT(requires_these(p, 0, {pass::forward_and_backward, 1, 5, 0, 3},
                        {forward_of(1, 1, 5), forward_of(0, 0, 3), backward_at(1, 0, 3)}));
});

BOTH_TIMES("a visitor that has seen enough", [] {
  const pipeline_shape p{.ranks = 3, .micro_batches = 4};
  int met = 0;
  EXPECT(!visit_required(p, 1, {pass::backward, 0, 0}, [&](const required_pass&) { return ++met == 2; }));
  EXPECT(met == 1);
});

BOTH_TIMES("what fulfils a requirement", [] {
  EXPECT(fulfils(forward_of(1, 0, 2), 1, {pass::forward, 0, 2}));
  EXPECT(fulfils(forward_of(1, 0, 2), 1, {pass::forward_and_backward, 0, 2, 1, 7}));
  EXPECT(!fulfils(forward_of(1, 0, 2), 0, {pass::forward, 0, 2}));
  EXPECT(!fulfils(forward_of(1, 0, 2), 1, {pass::forward, 1, 2}));
  EXPECT(!fulfils(forward_of(1, 0, 2), 1, {pass::forward, 0, 3}));
  EXPECT(!fulfils(forward_of(1, 0, 2), 1, {pass::backward, 0, 2}));
  EXPECT(fulfils(backward_at(1, 0, 2), 1, {pass::backward, 0, 2}));
  EXPECT(fulfils(backward_at(1, 0, 2), 1, {pass::input_gradient, 0, 2}));
  EXPECT(fulfils(backward_at(1, 0, 2), 1, {pass::forward_and_backward, 1, 7, 0, 2}));
  EXPECT(!fulfils(backward_at(1, 0, 2), 1, {pass::forward_and_backward, 0, 2, 1, 7}));
  EXPECT(!fulfils(backward_at(1, 0, 2), 1, {pass::weight_gradient, 0, 2}));
  EXPECT(!fulfils(backward_at(1, 0, 2), 1, {pass::forward, 0, 2}));
});

} // namespace
