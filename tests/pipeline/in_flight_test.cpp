#include <moeplan/pipeline/in_flight.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using enum schedule;

constexpr schedule every_schedule[]{gpipe, one_forward_one_backward, zb_h1, zb_h2, zb_v, v_half, v_min, dualpipe, dualpipe_v};

/// Whether the ranks, one after the other, hold as many.
constexpr bool holds(const pipeline_shape& shape, std::initializer_list<std::int64_t> expected) {
  if (shape.ranks != static_cast<std::int64_t>(expected.size())) return false;
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank)
    if (in_flight(shape, rank) != expected.begin()[rank]) return false;
  return true;
}

/// Whether the warm-up of the ranks is this.
constexpr bool warms_up(const pipeline_shape& shape, std::initializer_list<std::int64_t> expected) {
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank)
    if (warm_up_steps(shape, rank) != expected.begin()[rank]) return false;
  return shape.ranks == static_cast<std::int64_t>(expected.size());
}

/// All moments of a rank: the most of each kind, of each chunk, and of all together, and which passes run.
struct summary {
  std::int64_t chunks = 1;
  std::int64_t moments = 0;
  std::int64_t whole[8]{};
  std::int64_t weight_gradient[8]{};
  std::int64_t both[8]{}; ///< at one moment
  std::int64_t total = 0;
  std::int64_t alone = 0; ///< moments with one pass
  bool forward[8]{};
  bool backward[8]{};

  constexpr void operator()(const pipeline_moment& moment) noexcept {
    ++moments;
    std::int64_t sum = 0;
    for (std::int64_t c = 0; c < chunks; ++c) {
      const held_activations held = moment.held(c);
      if (held.whole > whole[c]) whole[c] = held.whole;
      if (held.weight_gradient > weight_gradient[c]) weight_gradient[c] = held.weight_gradient;
      if (held.whole + held.weight_gradient > both[c]) both[c] = held.whole + held.weight_gradient;
      sum += held.whole + held.weight_gradient;
    }
    if (sum > total) total = sum;
    const bool ahead = moment.forward_chunk() != pipeline_moment::none;
    const bool back = moment.backward_chunk() != pipeline_moment::none;
    if (ahead != back) ++alone;
    if (ahead) forward[moment.forward_chunk()] = true;
    if (back) backward[moment.backward_chunk()] = true;
  }
};

constexpr summary summarize(const pipeline_shape& shape, std::int64_t rank) {
  summary result{.chunks = chunks_of_rank(shape)};
  visit_peaks(shape, rank, result);
  return result;
}

BOTH_TIMES("GPipe holds every micro-batch", [] {
  EXPECT(holds({.schedule = gpipe, .ranks = 4, .micro_batches = 8}, {8, 8, 8, 8}));
  EXPECT(holds({.schedule = gpipe, .ranks = 2, .chunks = 3, .micro_batches = 5}, {15, 15}));
});

BOTH_TIMES("1F1B holds as many as stages lie behind", [] {
  EXPECT(holds({.ranks = 4, .micro_batches = 8}, {4, 3, 2, 1}));
  EXPECT(holds({.ranks = 4, .micro_batches = 3}, {3, 3, 2, 1}));
  EXPECT(holds({.ranks = 4, .micro_batches = 1}, {1, 1, 1, 1}));
  EXPECT(holds({}, {1}));
});

// Megatron-LM get_pp_rank_microbatches.
BOTH_TIMES("warm-up", [] {
  EXPECT(warms_up({.ranks = 4, .micro_batches = 64}, {3, 2, 1, 0}));
  EXPECT(warms_up({.ranks = 4, .chunks = 2, .micro_batches = 64}, {10, 8, 6, 4}));
  EXPECT(warms_up({.ranks = 8, .chunks = 3, .micro_batches = 64}, {30, 28, 26, 24, 22, 20, 18, 16}));
  EXPECT(warms_up({.ranks = 4, .chunks = 2, .micro_batches = 64, .group = 6}, {12, 10, 8, 6}));
  EXPECT(warms_up({.ranks = 4, .chunks = 2, .micro_batches = 64, .overlaps = true}, {11, 9, 7, 5}));
  EXPECT(warms_up({.ranks = 4, .chunks = 2, .micro_batches = 4}, {8, 8, 6, 4})); // no more than there are
});

BOTH_TIMES("interleaved 1F1B holds warm-up and one", [] {
  EXPECT(holds({.ranks = 4, .chunks = 2, .micro_batches = 16}, {11, 9, 7, 5}));
  EXPECT(holds({.ranks = 4, .chunks = 2, .micro_batches = 4}, {8, 8, 7, 5}));
  EXPECT(holds({.ranks = 2, .chunks = 2, .micro_batches = 5, .group = 3}, {6, 4}));
  EXPECT(holds({.ranks = 4, .chunks = 2, .micro_batches = 16, .overlaps = true}, {12, 10, 8, 6}));
});

// arXiv 2205.05198: interleaving costs 1 + (p - 1) / (p v) of the activations.
BOTH_TIMES("the memory factor of interleaving", [] {
  for (const std::int64_t ranks : {2, 4, 8, 16, 35})
    for (const std::int64_t chunks : {2, 3, 4}) {
      const pipeline_shape shape{.ranks = ranks, .chunks = chunks, .micro_batches = 4 * ranks};
      EXPECT(in_flight(shape, 0) == ranks * chunks + ranks - 1); // p v (1 + (p - 1) / (p v))
    }
  EXPECT(in_flight({.ranks = 8, .chunks = 3, .micro_batches = 32}, 0) * 24 == std::int64_t{31} * 8 * 3);
  EXPECT(in_flight({.ranks = 35, .chunks = 3, .micro_batches = 140}, 0) * 105 == std::int64_t{139} * 35 * 3);
});

/// Whether one of the moments of rank 0 has these passes and holds this of two chunks.
struct finder {
  std::int64_t forward;
  std::int64_t backward;
  std::int64_t first;
  std::int64_t second;
  bool found = false;

  constexpr void operator()(const pipeline_moment& m) noexcept {
    if (m.forward_chunk() != forward || m.backward_chunk() != backward) return;
    if (m.held(0) == held_activations{first, 0} && m.held(1) == held_activations{second, 0}) found = true;
  }
};

constexpr bool has_moment(const pipeline_shape& shape, finder wanted) {
  visit_peaks(shape, 0, wanted);
  return wanted.found;
}

// By hand, two ranks with two chunks, four micro-batches, rank 0. Passes and, after each forward pass, what both chunks hold:
// F0 F0 F1 F1 (2, 2), F0 (3, 2) B1, F0 (4, 1) B1, F1 (4, 1) B0, F1 (3, 2) B0, B1 B1 B0 B0.
BOTH_TIMES("interleaved 1F1B, chunk by chunk", [] {
  constexpr std::int64_t none = pipeline_moment::none;
  const pipeline_shape shape{.ranks = 2, .chunks = 2, .micro_batches = 4};
  const summary s = summarize(shape, 0);
  EXPECT(s.total == 5);
  EXPECT(s.whole[0] == 4);
  EXPECT(s.whole[1] == 2);
  EXPECT(has_moment(shape, {0, none, 3, 2}));
  EXPECT(has_moment(shape, {none, 1, 3, 2}));
  EXPECT(has_moment(shape, {0, none, 4, 1}));
  EXPECT(has_moment(shape, {none, 1, 4, 1}));
  EXPECT(has_moment(shape, {1, none, 4, 1}));
  EXPECT(has_moment(shape, {none, 0, 3, 2}));
  EXPECT(!has_moment(shape, {0, none, 4, 2}));
});

// arXiv 2401.10241: (p - i + 1) M_B + (i - 1) M_W and (2p - 2i + 1) M_B + (2i - 2) M_W for worker i from 1.
BOTH_TIMES("ZB-H1 and ZB-H2", [] {
  for (std::int64_t worker = 1; worker <= 8; ++worker) {
    const summary h1 = summarize({.schedule = zb_h1, .ranks = 8, .micro_batches = 32}, worker - 1);
    EXPECT(h1.whole[0] == 8 - worker + 1);
    EXPECT(h1.weight_gradient[0] == worker - 1);
    EXPECT(h1.total == 8);
    const summary h2 = summarize({.schedule = zb_h2, .ranks = 8, .micro_batches = 32}, worker - 1);
    EXPECT(h2.whole[0] == 16 - 2 * worker + 1);
    EXPECT(h2.weight_gradient[0] == 2 * worker - 2);
    EXPECT(h2.total == 15);
  }
  EXPECT(holds({.schedule = zb_h1, .ranks = 4, .micro_batches = 2}, {2, 2, 2, 2}));
  EXPECT(summarize({.schedule = zb_h1, .ranks = 4, .micro_batches = 2}, 3).weight_gradient[0] == 1);
});

// The playground of arXiv 2405.15362 (huggingface.co/spaces/sail): p, floor((p + 2) / 2) and floor((p + 4) / 3) micro-batches, that
// is twice as many half stages.
BOTH_TIMES("the schedules in a V", [] {
  for (std::int64_t ranks = 2; ranks <= 9; ++ranks) {
    std::int64_t most_half = 0;
    std::int64_t most_min = 0;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      EXPECT(in_flight({.schedule = zb_v, .ranks = ranks, .micro_batches = 3 * ranks}, rank) == 2 * ranks);
      const std::int64_t half = in_flight({.schedule = v_half, .ranks = ranks, .micro_batches = 3 * ranks}, rank);
      const std::int64_t least = in_flight({.schedule = v_min, .ranks = ranks, .micro_batches = 3 * ranks}, rank);
      if (half > most_half) most_half = half;
      if (least > most_min) most_min = least;
    }
    EXPECT(most_half == 2 * ((ranks + 2) / 2));
    EXPECT(most_min == 2 * ((ranks + 4) / 3));
  }
});

// Eight ranks: 10 and 8 half stages, that is five and four micro-batches through both chunks.
BOTH_TIMES("V-Half and V-Min hold few micro-batches all at once, as ZB-V does", [] {
  EXPECT(followed_order({.schedule = v_half, .ranks = 8, .micro_batches = 5}) == zb_v);
  EXPECT(followed_order({.schedule = v_half, .ranks = 8, .micro_batches = 6}) == v_half);
  EXPECT(followed_order({.schedule = v_min, .ranks = 8, .micro_batches = 4}) == zb_v);
  EXPECT(followed_order({.schedule = v_min, .ranks = 8, .micro_batches = 5}) == v_min);
  EXPECT(followed_order({.ranks = 8, .micro_batches = 1}) == one_forward_one_backward);
  EXPECT(holds({.schedule = v_half, .ranks = 4, .micro_batches = 3}, {6, 6, 6, 6}));
  EXPECT(holds({.schedule = v_min, .ranks = 4, .micro_batches = 2}, {4, 4, 4, 4}));
});

// By hand, from the limits of V-Half on eight ranks: 10 of both chunks, 9 of the first and (8 + 6) / 4 = 3 of the second on rank 0.
BOTH_TIMES("V-Half, chunk by chunk", [] {
  const summary long_step = summarize({.schedule = v_half, .ranks = 8, .micro_batches = 20}, 0);
  EXPECT(long_step.whole[0] == 9);
  EXPECT(long_step.whole[1] == 3);
  EXPECT(long_step.total == 10);
  const summary short_step = summarize({.schedule = v_half, .ranks = 8, .micro_batches = 6}, 0);
  EXPECT(short_step.whole[0] == 6);
  EXPECT(short_step.total == 9);
});

// DualPipe README: PP + 1, where DualPipeV has PP / 2 devices.
BOTH_TIMES("DualPipe and DualPipeV hold PP + 1 on every rank", [] {
  EXPECT(holds({.schedule = dualpipe, .ranks = 8, .micro_batches = 20}, {9, 9, 9, 9, 9, 9, 9, 9}));
  EXPECT(holds({.schedule = dualpipe_v, .ranks = 4, .micro_batches = 10}, {9, 9, 9, 9}));
  for (std::int64_t rank = 0; rank < 16; ++rank) {
    const summary s = summarize({.schedule = dualpipe, .ranks = 16, .micro_batches = 64}, rank);
    EXPECT(s.whole[0] == 16 - rank);
    EXPECT(s.whole[1] == rank + 1);
    EXPECT(s.alone == 0);
  }
});

BOTH_TIMES("passes at the same time", [] {
  EXPECT(summarize({.ranks = 4, .micro_batches = 8}, 0).alone == 2);
  const summary s =
      summarize({.micro_batches = 8, .overlaps = true}, 0); // one rank: the next forward pass beside the backward pass
  EXPECT(s.alone == 0);
  EXPECT(s.total == 2);
  EXPECT(summarize({.micro_batches = 1, .overlaps = true}, 0).alone == 2);
});

constexpr void expect_sense(const pipeline_shape& shape) {
  std::int64_t first_rank = 0;
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) {
    const summary s = summarize(shape, rank);
    EXPECT(s.total == in_flight(shape, rank));
    for (std::int64_t c = 0; c < s.chunks; ++c) {
      EXPECT(s.whole[c] >= 1);
      EXPECT(s.both[c] <= shape.micro_batches);
      EXPECT(s.forward[c]);
      EXPECT(s.backward[c]);
    }
    if (rank == 0) first_rank = s.total;
    if (shape.schedule == one_forward_one_backward) EXPECT(s.total <= first_rank);
  }
}

BOTH_TIMES("small pipelines make sense", [] {
  for (const schedule order : every_schedule)
    for (std::int64_t ranks = 1; ranks <= 3; ++ranks)
      for (const std::int64_t m : {1, 2, 7}) expect_sense({.schedule = order, .ranks = ranks, .chunks = 1, .micro_batches = m});
  for (const std::int64_t m : {1, 4, 7}) expect_sense({.ranks = 3, .chunks = 3, .micro_batches = m});
});

} // namespace

TEST_CASE("pipelines of up to 16 ranks and 64 micro-batches make sense") {
  for (const schedule order : every_schedule)
    for (std::int64_t ranks = 1; ranks <= 16; ++ranks)
      for (std::int64_t m = 1; m <= 64; ++m) {
        expect_sense({.schedule = order, .ranks = ranks, .chunks = 1, .micro_batches = m});
        if (order == gpipe || order == one_forward_one_backward)
          expect_sense({.schedule = order, .ranks = ranks, .chunks = 2 + m % 3, .micro_batches = m});
      }
}
