#include <moeplan/pipeline/replay.hpp>

#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/pipeline/schedule_order.hpp>
#include <moeplan/pipeline/stage_times.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr operation forward(std::int64_t m, std::int64_t chunk = 0) { return {pass::forward, chunk, m}; }
constexpr operation backward(std::int64_t m, std::int64_t chunk = 0) { return {pass::backward, chunk, m}; }
constexpr operation input_gradient(std::int64_t m, std::int64_t chunk = 0) { return {pass::input_gradient, chunk, m}; }
constexpr operation weight_gradient(std::int64_t m, std::int64_t chunk = 0) { return {pass::weight_gradient, chunk, m}; }

using operations = array_view<const operation>;

/// A replay of listed orders with all its storage, for up to four ranks.
struct listed_replay {
  pipeline_shape shape;
  replayed_rank<listed_operations> ranks[4]{};
  std::int64_t slots[64]{};
  replay_result result{};

  template <replay_times Times>
  constexpr listed_replay(const pipeline_shape& s, const Times& times, operations first, operations second = {}) : shape{s} {
    ranks[0].order = listed_operations{first};
    ranks[1].order = listed_operations{second};
    result = replay(shape, times, replay_storage<listed_operations>{ranks, slots});
  }
  constexpr listed_replay(const pipeline_shape& s, operations first, operations second = {})
      : listed_replay{s, equal_times{}, first, second} {}
};

constexpr pipeline_shape one_rank{.ranks = 1, .micro_batches = 2};
constexpr pipeline_shape two_ranks{.ranks = 2, .micro_batches = 2};
constexpr operation first_of_1f1b[] = {forward(0), forward(1), backward(0), backward(1)};
constexpr operation last_of_1f1b[] = {forward(0), backward(0), forward(1), backward(1)};

// By hand, a column a unit of time:
//   rank 0   F0 F1 .  .  B0 B0 .  B1 B1
//   rank 1   .  F0 B0 B0 F1 B1 B1 .  .
BOTH_TIMES("1F1B of two ranks and two micro-batches", [] {
  const listed_replay r{two_ranks, first_of_1f1b, last_of_1f1b};
  EXPECT(r.result.ok());
  EXPECT(r.result.makespan == 9);
  EXPECT(r.ranks[0].start == 0);
  EXPECT(r.ranks[0].end == 9);
  EXPECT(r.ranks[0].busy == 6);
  EXPECT(r.ranks[0].idle(r.result.makespan) == 3);
  EXPECT(r.ranks[0].operations == 4);
  EXPECT(r.ranks[0].progress == rank_progress::done);
  EXPECT(r.ranks[0].most_held == 2);
  EXPECT(r.ranks[0].held == held_activations{});
  EXPECT(r.ranks[1].start == 1);
  EXPECT(r.ranks[1].end == 7);
  EXPECT(r.ranks[1].most_held == 1);
});

//   rank 0   F0 F1 .  .  .  .  B0 B0 .  B1 B1
//   rank 1   .  .  F0 B0 B0 F1 B1 B1 .  .  .
BOTH_TIMES("a transfer takes as long as a forward pass", [] {
  const listed_replay r{two_ranks, equal_times{.latency = 1}, first_of_1f1b, last_of_1f1b};
  EXPECT(r.result.makespan == 11);
  EXPECT(r.ranks[1].start == 2);
  EXPECT(r.ranks[1].end == 8);
});

// The last rank never waits from 1 on, and takes 2 (3 + 5).
BOTH_TIMES("a slow last stage", [] {
  const pass_times stages[] = {{.forward = 1, .backward = 2}, {.forward = 3, .backward = 5}};
  const listed_replay r{two_ranks, stage_times{two_ranks, stages}, first_of_1f1b, last_of_1f1b};
  EXPECT(r.result.makespan == 1 + 16 + 2);
  EXPECT(r.ranks[0].idle(r.result.makespan) == 13);
  EXPECT(r.ranks[1].idle(r.result.makespan) == 3);
});

// The turning point of a V is on one rank: four of six ways lead to another one.
BOTH_TIMES("no transfer within a rank", [] {
  const pipeline_shape v{.schedule = schedule::zb_v, .ranks = 2, .micro_batches = 1};
  const operation outer[] = {forward(0, 0), forward(0, 1), backward(0, 1), backward(0, 0)};
  const listed_replay r{v, equal_times{.latency = 10}, outer, outer};
  EXPECT(r.result.ok());
  EXPECT(r.result.makespan == 4 + 8 + 40);
});

// deepseek-ai/DualPipe, dualpipe.py, two ranks and two micro-batches each way.
BOTH_TIMES("pairs, from both ends", [] {
  const pipeline_shape both_ends{.schedule = schedule::dualpipe, .ranks = 2, .micro_batches = 4};
  const auto order = [](std::int64_t own, operation(&out)[8]) {
    const std::int64_t other = 1 - own;
    const operation all[] = {forward(0, own),
                             forward(0, other),
                             forward(1, own),
                             backward(0, other),
                             {pass::forward_and_backward, other, 1, own, 0},
                             backward(1, other),
                             input_gradient(1, own),
                             weight_gradient(1, own)};
    for (std::size_t i = 0; i < 8; ++i) out[i] = all[i];
  };
  operation first[8];
  operation second[8];
  order(0, first);
  order(1, second);
  for (const std::int64_t pair : {3, 2}) {
    const listed_replay r{both_ends, equal_times{.passes = {.forward_and_backward = pair}}, first, second};
    EXPECT(r.result.ok());
    EXPECT(r.result.makespan == 9 + pair);
    EXPECT(r.ranks[1].busy == 9 + pair);
    EXPECT(r.ranks[1].most_held == 3);
  }
});

BOTH_TIMES("what is kept for the weights", [] {
  const operation late[] = {forward(0), forward(1), input_gradient(0), input_gradient(1), weight_gradient(0), weight_gradient(1)};
  const listed_replay r{one_rank, late};
  EXPECT(r.result.ok());
  EXPECT(r.result.makespan == 6);
  EXPECT(r.ranks[0].most_whole == 2);
  EXPECT(r.ranks[0].most_weight_gradient == 2);
  EXPECT(r.ranks[0].most_held == 2);
  const operation in_turn[] = {forward(0),         input_gradient(0), forward(1),
                               weight_gradient(0), input_gradient(1), weight_gradient(1)};
  const listed_replay s{one_rank, in_turn};
  EXPECT(s.ranks[0].most_whole == 1);
  EXPECT(s.ranks[0].most_weight_gradient == 1);
  EXPECT(s.ranks[0].most_held == 2);
});

/// Times of somebody else's.
struct later_micro_batches_take_longer {
  [[nodiscard]] constexpr std::int64_t of(std::int64_t rank, const operation& o) const noexcept { return rank + o.micro_batch; }
  [[nodiscard]] constexpr std::int64_t transfer(std::int64_t from, std::int64_t to) const noexcept { return from < to ? 2 : 3; }
};

//   rank 0   F1 from 0 to 1 (F0 took nothing) and B1 from 11 to 12
//   rank 1   F0 from 2, B0 from 3, F1 from 4, B1 from 6 to 8
BOTH_TIMES("any times", [] {
  const listed_replay r{two_ranks, later_micro_batches_take_longer{}, first_of_1f1b, last_of_1f1b};
  EXPECT(r.result.makespan == 12);
  EXPECT(r.ranks[1].start == 2);
  EXPECT(r.ranks[1].end == 8);
});

BOTH_TIMES("the bubble as a share of the whole", [] {
  listed_replay r{two_ranks, first_of_1f1b, last_of_1f1b};
  EXPECT(mean_idle_share(r.result, array_view<replayed_rank<listed_operations>>{r.ranks}.part(0, 2)) ==
         ratio{1, 3}); // (p - 1) / (m + p - 1)
});

// Ranks that work 3 and 9 of 12: 3/4 and 1/4 idle.
BOTH_TIMES("the mean of all ranks, from any array of them", [] {
  const replay_result result{.makespan = 12};
  replayed_rank<listed_operations> ranks[2]{};
  ranks[0].busy = 3;
  ranks[1].busy = 9;
  EXPECT(mean_idle_share(result, ranks) == ratio{1, 2});
  EXPECT(mean_idle_share(result, replay_storage<listed_operations>{ranks, {}}) == ratio{1, 2});
});

TEST_CASE("the mean of all ranks, from a vector") {
  std::vector<replayed_rank<listed_operations>> ranks(4);
  ranks[3].busy = 5;
  CHECK(mean_idle_share({.makespan = 5}, ranks) == ratio{3, 4});
}

// Narayanan et al., arXiv 2104.04473, equation 1: (m + p - 1) (t_f + t_b).
BOTH_TIMES("the library's order", [] {
  const pipeline_shape shape{.ranks = 4, .micro_batches = 8};
  replayed_rank<operation_cursor> ranks[4]{
      {operation_cursor{shape, 0}}, {operation_cursor{shape, 1}}, {operation_cursor{shape, 2}}, {operation_cursor{shape, 3}}};
  std::int64_t slots[68]{};
  EXPECT(replay_slots(shape) == 68);
  std::int64_t visited = 0;
  const auto count = [&](std::int64_t, const operation&, std::int64_t start, std::int64_t end) { visited += end - start; };
  const replay_result result = replay(shape, equal_times{}, replay_storage<operation_cursor>{ranks, slots}, count);
  EXPECT(result.ok());
  EXPECT(result.makespan == 33);
  EXPECT(visited == 96);
});

// A whole step of DeepSeek-V3 on 2048 GPUs, with the compilers' default limits: 15360 sequences over DP 128, PP 16.
BOTH_TIMES("a large pipeline in a constant expression", [] {
  const pipeline_shape shape{.ranks = 16, .micro_batches = 120};
  const auto at = [&](std::int64_t rank) { return replayed_rank<operation_cursor>{operation_cursor{shape, rank}}; };
  replayed_rank<operation_cursor> ranks[]{at(0), at(1), at(2),  at(3),  at(4),  at(5),  at(6),  at(7),
                                          at(8), at(9), at(10), at(11), at(12), at(13), at(14), at(15)};
  std::int64_t slots[2 * 16 * 120 + 16]{};
  const replay_result result = replay(shape, equal_times{}, replay_storage<operation_cursor>{ranks, slots});
  EXPECT(result.makespan == 405);
  EXPECT(mean_idle_share(result, ranks) == ratio{1, 9});
  EXPECT(ranks[0].most_held == 16);
});

// DualPipe of 8 ranks and 20 micro-batches, F, B, W, F&B = 1, 2, 1, 2: deepseek-ai/DualPipe's own order idles for 1, 2, 3, 3, 3, 3, 2
// and 1 of 52 (tests/data/schedules_dualpipe.json); (PP/2 - 1)(F&B + B - 3W) is 3.
BOTH_TIMES("the mean is not the worst where ranks do not work equally long", [] {
  const pipeline_shape shape{.schedule = schedule::dualpipe, .ranks = 8, .micro_batches = 20};
  const pass_times times{.forward = 1, .backward = 2, .input_gradient = 1, .weight_gradient = 1, .forward_and_backward = 2};
  const auto at = [&](std::int64_t rank) { return replayed_rank<operation_cursor>{operation_cursor{shape, rank}}; };
  replayed_rank<operation_cursor> ranks[]{at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)};
  std::int64_t slots[2 * 8 * 2 * 10 + 8]{};
  const replay_storage<operation_cursor> storage{ranks, slots};
  const replay_result result = replay(shape, equal_times{.passes = times}, storage);
  EXPECT(mean_idle_share(result, storage) == ratio{9, 208});
  EXPECT(mean_idle_share(shape, times) == ratio{9, 208});
  EXPECT(bubble_of(shape, times).worst_idle_share() == ratio{3, 52});
  std::int64_t longest = 0;
  for (const auto& r : ranks) longest = r.idle(result.makespan) > longest ? r.idle(result.makespan) : longest;
  EXPECT(longest == 3);
  EXPECT(result.makespan == 52);
});

// What cannot be replayed.

BOTH_TIMES("two ranks that wait for each other", [] {
  const operation first[] = {forward(0), backward(0), forward(1), backward(1)};
  const operation last[] = {forward(1), forward(0), backward(0), backward(1)};
  const listed_replay r{two_ranks, first, last};
  EXPECT(r.result.status == replay_status::deadlock);
  EXPECT(r.result.rank == 0);
  EXPECT(r.result.next == backward(0));
  EXPECT(r.result.required == required_pass{pass::input_gradient, {1, 0}, 0});
  EXPECT(r.result.makespan == 1);
  EXPECT(r.ranks[1].progress == rank_progress::waiting);
  EXPECT(r.ranks[1].next == forward(1));
  EXPECT(r.ranks[1].required == required_pass{pass::forward, {0, 0}, 1});
});

BOTH_TIMES("a rank that waits for itself", [] {
  const operation backward_first[] = {backward(0), forward(0), forward(1), backward(1)};
  const listed_replay r{one_rank, backward_first};
  EXPECT(r.result.status == replay_status::deadlock);
  EXPECT(r.result.required == required_pass{pass::forward, {0, 0}, 0});
  const operation both_at_once[] = {{pass::forward_and_backward, 0, 0, 0, 0}};
  EXPECT(listed_replay{one_rank, both_at_once}.result.status == replay_status::deadlock);
  const operation weights_first[] = {forward(0), weight_gradient(0), input_gradient(0)};
  EXPECT(listed_replay{one_rank, weights_first}.result.status == replay_status::deadlock);
});

BOTH_TIMES("a pass that is nowhere", [] {
  const operation last[] = {forward(0), backward(0), forward(1)};
  const listed_replay r{two_ranks, first_of_1f1b, last};
  EXPECT(r.result.status == replay_status::missing_pass);
  EXPECT(r.result.rank == 0);
  EXPECT(r.result.next == backward(1));
  EXPECT(r.result.required == required_pass{pass::input_gradient, {1, 0}, 1});
  EXPECT(r.result.makespan == 6);
});

BOTH_TIMES("a pass twice", [] {
  const auto repeats = [](operations order) {
    const listed_replay r{one_rank, order};
    return r.result.status == replay_status::repeated_pass && r.result.next == order[order.size() - 1];
  };
  const operation forward_twice[] = {forward(0), forward(0)};
  EXPECT(repeats(forward_twice));
  const operation again[] = {forward(0), backward(0), forward(0)};
  EXPECT(repeats(again));
  const operation backward_twice[] = {forward(0), backward(0), backward(0)};
  EXPECT(repeats(backward_twice));
  const operation half[] = {forward(0), backward(0), input_gradient(0)};
  EXPECT(repeats(half));
  const operation other_half[] = {forward(0), backward(0), weight_gradient(0)};
  EXPECT(repeats(other_half));
  const operation weights_twice[] = {forward(0), input_gradient(0), weight_gradient(0), weight_gradient(0)};
  EXPECT(repeats(weights_twice));
  const operation in_a_pair[] = {forward(0), backward(0), {pass::forward_and_backward, 0, 1, 0, 0}};
  EXPECT(repeats(in_a_pair));
});

BOTH_TIMES("a pass that does not exist", [] {
  const auto exists = [](const operation& o) {
    const operation order[] = {o};
    const listed_replay r{one_rank, order};
    return r.result.status != replay_status::no_such_pass;
  };
  EXPECT(exists(forward(1)));
  EXPECT(!exists(forward(2)));
  EXPECT(!exists(forward(-1)));
  EXPECT(!exists(forward(0, 1)));
  EXPECT(!exists(forward(0, -1)));
  EXPECT(!exists({pass::forward_and_backward, 0, 0, 1, 0}));
  EXPECT(!exists({pass::forward_and_backward, 0, 0, 0, 2}));
});

BOTH_TIMES("a pass that nobody waits for is not done", [] {
  const operation forward_alone[] = {forward(0), forward(1), backward(0)};
  const listed_replay r{one_rank, forward_alone};
  EXPECT(r.result.status == replay_status::unfinished);
  EXPECT(r.result.rank == 0);
  EXPECT(r.result.required == required_pass{pass::input_gradient, {0, 0}, 1});
  EXPECT(r.result.makespan == 4);
  const operation without_weights[] = {forward(0), input_gradient(0), forward(1), backward(1)};
  EXPECT(listed_replay{one_rank, without_weights}.result.required == required_pass{pass::weight_gradient, {0, 0}, 0});
  const operation one_micro_batch[] = {forward(0), backward(0)};
  EXPECT(listed_replay{one_rank, one_micro_batch}.result.required == required_pass{pass::forward, {0, 0}, 1});
  EXPECT(listed_replay{one_rank, operations{}}.result.status == replay_status::unfinished);
});

BOTH_TIMES("times beyond 64 bits", [] {
  constexpr std::int64_t half = std::int64_t{1} << 62;
  const listed_replay passes{two_ranks, equal_times{.passes = {.forward = half}}, first_of_1f1b, last_of_1f1b};
  EXPECT(passes.result.status == replay_status::overflow);
  const listed_replay transfers{two_ranks, equal_times{.passes = {.backward = half}, .latency = half}, first_of_1f1b, last_of_1f1b};
  EXPECT(transfers.result.status == replay_status::overflow);
});

BOTH_TIMES("storage that was used before", [] {
  listed_replay r{two_ranks, last_of_1f1b, first_of_1f1b};
  EXPECT(r.result.status == replay_status::deadlock);
  r.ranks[0].order = listed_operations{first_of_1f1b};
  r.ranks[1].order = listed_operations{last_of_1f1b};
  const replay_result again = replay(two_ranks, equal_times{}, replay_storage<listed_operations>{r.ranks, r.slots});
  EXPECT(again.ok());
  EXPECT(again.makespan == 9);
});

} // namespace

TEST_CASE("a pipeline that no memory could replay") {
  CHECK(replay_slots({.ranks = std::int64_t{1} << 40, .micro_batches = std::int64_t{1} << 40}).overflowed());
}
