#include <moeplan/cost/pipeline_bound.hpp>

#include <cstdint>

#include <moeplan/pipeline/bubble.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// Every virtual stage takes the same.
struct equal_work {
  stage_work<std::int64_t> each{1, 1, 1};
  constexpr stage_work<std::int64_t> operator()(std::int64_t) const { return each; }
};

/// Of four virtual stages.
struct four_stages {
  constexpr stage_work<std::int64_t> operator()(std::int64_t stage) const {
    constexpr stage_work<std::int64_t> all[] = {{1, 1, 1}, {2, 3, 1}, {5, 4, 3}, {1, 2, 2}};
    return all[stage];
  }
};

constexpr std::int64_t first_to_last(schedule s, std::int64_t ranks, std::int64_t chunks, std::int64_t micro_batches) {
  const pipeline_shape p{.schedule = s, .ranks = ranks, .chunks = chunks, .micro_batches = micro_batches};
  return pipeline_bound_of<std::int64_t>(p, splits_backward(s), equal_work{}).first_to_last;
}

constexpr std::int64_t makespan(schedule s, std::int64_t ranks, std::int64_t chunks, std::int64_t micro_batches) {
  const pipeline_shape p{.schedule = s, .ranks = ranks, .chunks = chunks, .micro_batches = micro_batches};
  return static_cast<std::int64_t>(bubble_of(p, {}).makespan().value());
}

BOTH_TIMES("GPipe and 1F1B with equal stages take no longer than they must", [] {
  for (const std::int64_t ranks : {1, 2, 3, 8})
    for (const std::int64_t m : {1, 2, 8, 24}) {
      EXPECT(first_to_last(schedule::gpipe, ranks, 1, m) == makespan(schedule::gpipe, ranks, 1, m));
      EXPECT(first_to_last(schedule::one_forward_one_backward, ranks, 1, m) ==
             makespan(schedule::one_forward_one_backward, ranks, 1, m));
    }
  EXPECT(first_to_last(schedule::one_forward_one_backward, 4, 3, 8) == makespan(schedule::one_forward_one_backward, 4, 3, 8));
});

BOTH_TIMES("one micro-batch goes through all virtual stages, however few ranks there are", [] {
  EXPECT(first_to_last(schedule::one_forward_one_backward, 4, 3, 1) == 4LL * 3 * 3);
  EXPECT(first_to_last(schedule::gpipe, 2, 5, 1) == 2LL * 5 * 3);
  EXPECT(first_to_last(schedule::zb_v, 3, 2, 1) == 6 * 2 + 1); // The gradient of the first stage's weights is last.
});

BOTH_TIMES("zero bubble has none from step to step", [] {
  const pipeline_shape p{.schedule = schedule::zb_h1, .ranks = 8, .micro_batches = 32};
  const pipeline_bound<std::int64_t> b = pipeline_bound_of<std::int64_t>(p, true, equal_work{});
  EXPECT(b.busiest == 32LL * 3);
  // All of the first rank; with few micro-batches to the last rank and back 7 + 7, F and I of all on it, W of the first.
  EXPECT(b.first_to_last == 32LL * 3);
  const pipeline_shape few{.schedule = schedule::zb_h1, .ranks = 8, .micro_batches = 10};
  EXPECT(pipeline_bound_of<std::int64_t>(few, true, equal_work{}).first_to_last == 7 + 7 + 2 * 10 + 1);
});

BOTH_TIMES("unequal stages, by hand", [] {
  const pipeline_shape p{.ranks = 4, .micro_batches = 10};
  // Stage 2 takes 12 for each; before it pass (1 + 2) forward and (2 + 4) back.
  const pipeline_bound<std::int64_t> whole = pipeline_bound_of<std::int64_t>(p, false, four_stages{});
  EXPECT(whole.busiest == 120);
  EXPECT(whole.first_to_last == 3 + 120 + 6);
  // Split: before it 3 forward and 1 + 3 back, 9 for each on it, and W of stage 0.
  const pipeline_bound<std::int64_t> split = pipeline_bound_of<std::int64_t>(p, true, four_stages{});
  EXPECT(split.busiest == 120);
  EXPECT(split.first_to_last == 3 + 90 + 4 + 1);
  // Two ranks with two chunks each: rank 0 has stages 0 and 2, after each other.
  const pipeline_shape two{.ranks = 2, .chunks = 2, .micro_batches = 10};
  EXPECT(pipeline_bound_of<std::int64_t>(two, false, four_stages{}).first_to_last == 150);
  const pipeline_shape few{.ranks = 2, .chunks = 2, .micro_batches = 1};
  EXPECT(pipeline_bound_of<std::int64_t>(few, false, four_stages{}).first_to_last == 3 + 6 + 12 + 5);
});

BOTH_TIMES("DualPipe has work from both ends", [] {
  const pipeline_shape p{.schedule = schedule::dualpipe, .ranks = 4, .micro_batches = 10};
  const pipeline_bound<std::int64_t> b = pipeline_bound_of<std::int64_t>(p, true, four_stages{});
  EXPECT(b.busiest == 5LL * (6 + 12));                  // ranks 1 and 2: stages 1 and 2
  EXPECT(b.first_to_last == (1 + 1) + 5 * (5 + 9) + 1); // behind stage 0, from either end
  const pipeline_shape odd{.schedule = schedule::dualpipe, .ranks = 2, .micro_batches = 3};
  EXPECT(pipeline_bound_of<std::int64_t>(odd, true, equal_work{}).busiest == 9);
});

BOTH_TIMES("which schedules split backward passes", [] {
  EXPECT(!splits_backward(schedule::gpipe) && !splits_backward(schedule::one_forward_one_backward));
  EXPECT(splits_backward(schedule::zb_h1) && splits_backward(schedule::v_min) && splits_backward(schedule::dualpipe_v));
});

/// Runs of ranks that do the same, one after the other from the first rank.
template <class... Runs>
constexpr pipeline_bound<std::int64_t> at_once(const pipeline_shape& p, bool splits, const equal_work& work, Runs... alike) {
  detail::pipeline_bound_builder<std::int64_t> builder{p, splits};
  std::int64_t rank = 0;
  const auto add = [&](std::int64_t ranks) {
    builder.begin(rank, ranks);
    for (std::int64_t chunk = 0; chunk < chunks_of_rank(p); ++chunk) builder.add(chunk, work.each);
    builder.end();
    rank += ranks;
  };
  (add(alike), ...);
  return builder.build();
}

BOTH_TIMES("alike ranks at once", [] {
  const pipeline_shape p{.ranks = 9, .micro_batches = 4};
  const equal_work work{{2, 3, 4}};
  EXPECT(at_once(p, false, work, 1, 7, 1) == pipeline_bound_of<std::int64_t>(p, false, work));
  const pipeline_shape dual{.schedule = schedule::dualpipe, .ranks = 10, .micro_batches = 20};
  EXPECT(at_once(dual, true, work, 2, 6, 2) == pipeline_bound_of<std::int64_t>(dual, true, work));
});

// Three ranks, of four micro-batches each. The last rank works 4 x (1 + 1 + 2 + 1) between two ways of 1 and 3 to it and back from it: what
// the ranks before it compute again they have done when its gradients come.
BOTH_TIMES("no rank waits for what another computes again", [] {
  const pipeline_shape p{.ranks = 3, .micro_batches = 4};
  const equal_work work{{.forward = 1, .input_gradient = 2, .weight_gradient = 2, .recomputed = 1}};
  EXPECT(pipeline_bound_of<std::int64_t>(p, false, work) == pipeline_bound<std::int64_t>{20, 2 * (1 + 3) + 20});
  const equal_work kept{{1, 1, 2}};
  EXPECT(pipeline_bound_of<std::int64_t>(p, false, kept) == pipeline_bound<std::int64_t>{16, 2 * (1 + 3) + 16});
});

} // namespace
