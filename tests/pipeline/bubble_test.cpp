#include <moeplan/pipeline/bubble.hpp>

#include <cstdint>
#include <initializer_list>
#include <ostream>

#include "support/both_times.hpp"

using namespace moeplan;
using enum schedule;

namespace {

/// F and B, the latter twice W; F&B.
constexpr pass_times times(std::int64_t forward, std::int64_t half, std::int64_t pair) {
  return {.forward = forward, .backward = 2 * half, .input_gradient = half, .weight_gradient = half, .forward_and_backward = pair};
}

constexpr pipeline_shape long_step(schedule s, std::int64_t ranks) {
  return {.schedule = s, .ranks = ranks, .micro_batches = 4 * ranks};
}

constexpr schedule from_one_end[] = {gpipe, one_forward_one_backward, zb_h1, zb_h2, zb_v, v_half, v_min, dualpipe_v};

constexpr count idle(const pipeline_shape& p, const pass_times& t = {}) {
  const bubble b = bubble_of(p, t);
  EXPECT(b.known);
  return b.idle;
}

// F = 1, B = 2, W = 1; DualPipe README: 1F1B (PP-1)(F+B), ZB1P (PP-1)(F+B-2W), DualPipe and DualPipeV (PP/2-1)(F&B+B-3W).
BOTH_TIMES("the table of DualPipe", [] {
  EXPECT(idle({.ranks = 8, .micro_batches = 16}) == 21);
  EXPECT(idle({.schedule = zb_h1, .ranks = 8, .micro_batches = 16}) == 7);
  EXPECT(idle({.schedule = dualpipe, .ranks = 8, .micro_batches = 32}, times(1, 1, 2)) == 3);
  EXPECT(idle({.schedule = dualpipe, .ranks = 8, .micro_batches = 32}, times(1, 1, 3)) == 6);
  EXPECT(idle({.schedule = dualpipe_v, .ranks = 4, .micro_batches = 16}, times(1, 1, 2)) == 3);
  EXPECT(idle({.schedule = dualpipe_v, .ranks = 4, .micro_batches = 16}, times(1, 1, 3)) == 6);
  EXPECT(idle({.ranks = 16, .micro_batches = 32}) == 45);
  EXPECT(idle({.schedule = zb_h1, .ranks = 16, .micro_batches = 32}) == 15);
  EXPECT(idle({.schedule = dualpipe, .ranks = 16, .micro_batches = 64}, times(1, 1, 2)) == 7);
  EXPECT(idle({.schedule = dualpipe, .ranks = 16, .micro_batches = 64}, times(1, 1, 3)) == 14);
  for (std::int64_t w = 1; w <= 4; ++w)
    for (std::int64_t pair = 2 * w; pair <= 3 * w; ++pair)
      for (std::int64_t stages = 2; stages <= 16; stages += 2) {
        const std::int64_t published = (stages / 2 - 1) * (pair + 2 * w - 3 * w);
        EXPECT(idle({.schedule = dualpipe, .ranks = stages, .micro_batches = 4 * stages}, times(w, w, pair)) == published);
        EXPECT(idle({.schedule = dualpipe_v, .ranks = stages / 2, .micro_batches = stages}, times(w, w, pair)) == published);
      }
});

// Zero bubble calls B what DeepSeek calls B - W: (p-1)(T_F+T_B-T_W) and (PP-1)(F+B-2W) are one formula.
BOTH_TIMES("ZB-H1 in both notations", [] {
  for (std::int64_t p = 1; p <= 8; ++p) {
    const pass_times t{.forward = 10, .backward = 20, .input_gradient = 12, .weight_gradient = 8};
    EXPECT(idle({.schedule = zb_h1, .ranks = p, .micro_batches = 16}, t) == (p - 1) * (10 + 12 - 8));
    EXPECT(idle({.schedule = zb_h1, .ranks = p, .micro_batches = 16}, t) == (p - 1) * (10 + 20 - 2 * 8));
  }
});

// t_pb / t_ideal = (p-1)/(m v) and t_pb / t_total.
BOTH_TIMES("both fractions", [] {
  struct example {
    std::int64_t p, m, v;
    ratio ideal, total;
  };
  constexpr example examples[] = {
      {4, 8, 1, {375, 1000}, {3, 11}}, {8, 64, 1, {109375, 1000000}, {7, 71}}, {8, 64, 4, {7, 256}, {7, 263}},
      {8, 64, 8, {7, 512}, {7, 519}},  {16, 128, 1, {15, 128}, {15, 143}},     {64, 512, 1, {63, 512}, {63, 575}},
  };
  for (const example& e : examples) {
    const bubble b = bubble_of({.ranks = e.p, .chunks = e.v, .micro_batches = e.m}, {});
    EXPECT(b.known);
    EXPECT(b.idle_over_busy() == e.ideal);
    EXPECT(b.worst_idle_share() == e.total);
    EXPECT(b.idle_over_busy() == ratio{e.p - 1, e.m * e.v});
  }
});

// (m + p - 1)(t_f + t_b), arXiv 2104.04473, equation 1; the bubble of GPipe is negligible when m >= 4p: below a fifth.
BOTH_TIMES("the time of a batch", [] {
  const pass_times t{.forward = 3, .backward = 7};
  for (std::int64_t p = 1; p <= 9; ++p)
    for (std::int64_t m = 1; m <= 20; m += 3) {
      EXPECT(bubble_of({.ranks = p, .micro_batches = m}, t).makespan() == (m + p - 1) * 10);
      EXPECT(bubble_of({.schedule = gpipe, .ranks = p, .micro_batches = m}, t).makespan() == (m + p - 1) * 10);
      EXPECT(bubble_of({.schedule = gpipe, .ranks = p, .micro_batches = 4 * p}, t).worst_idle_share() < ratio{1, 5});
    }
});

// Interleaved: of a chunk that is one v-th of a stage, (p-1)(F+B)/v of the stage's F and B.
BOTH_TIMES("interleaving divides the bubble", [] {
  const pass_times stage{.forward = 12, .backward = 24};
  for (const std::int64_t v : {1, 2, 3, 4}) {
    const pass_times chunk{.forward = 12 / v, .backward = 24 / v};
    EXPECT(idle({.ranks = 8, .chunks = v, .micro_batches = 16}, chunk) * v == idle({.ranks = 8, .micro_batches = 16}, stage));
  }
});

// README of zero-bubble-pipeline-parallelism, where all passes are equally long: 1F1B's bubble, a third of it, none, none, half
// of it, two thirds of it; chunks of V schedules are half a stage. The last two are what repeating blocks leave; moves save a few
// slots.
BOTH_TIMES("the table of zero bubble", [] {
  for (const std::int64_t p : {4, 8, 16}) {
    const count whole = idle(long_step(one_forward_one_backward, p), times(2, 2, 0));
    EXPECT(whole == (p - 1) * 6);
    EXPECT(own_idle(long_step(zb_h1, p), times(2, 2, 0)) == known_time{true, whole / 3});
    EXPECT(own_idle(long_step(zb_h2, p), times(2, 2, 0)) == known_time{true, 0});
    EXPECT(own_idle(long_step(zb_v, p), times(1, 1, 0)) == known_time{true, 0});
    EXPECT(idle(long_step(v_half, p), times(1, 1, 0)) <= whole / 2);
    EXPECT(idle(long_step(v_half, p), times(1, 1, 0)) + 4 == whole / 2);
    EXPECT(idle(long_step(v_min, p), times(1, 1, 0)) + 1 == whole * 2 / 3);
  }
});

// arXiv 2401.10241: (p-1)(T_F+T_B-T_W) and (p-1)(T_F+T_B-2T_W) of a rank, while no other term is larger.
BOTH_TIMES("the published bubbles of ZB-H1 and ZB-H2", [] {
  const pass_times t{.forward = 10, .backward = 20, .input_gradient = 12, .weight_gradient = 8};
  for (std::int64_t p = 1; p <= 8; ++p) {
    EXPECT(own_idle({.schedule = zb_h1, .ranks = p, .micro_batches = 16}, t) == known_time{true, (p - 1) * 14});
    EXPECT(own_idle({.schedule = zb_h2, .ranks = p, .micro_batches = 16}, t) == known_time{true, (p - 1) * 6});
  }
});

BOTH_TIMES("no closed form", [] {
  EXPECT(!bubble_of({.ranks = 2, .micro_batches = 8, .overlaps = true}, {}).known);
  EXPECT(!bubble_of({.ranks = 4, .chunks = 2, .micro_batches = 6}, {}).known); // the last group leaves ranks idle
  EXPECT(!bubble_of({.ranks = 4, .chunks = 2, .micro_batches = 6, .group = 3}, {}).known);
  EXPECT(!bubble_of({.schedule = zb_h1, .ranks = 4, .micro_batches = 3}, {}).known);
  EXPECT(!bubble_of({.schedule = zb_h2, .ranks = 4, .micro_batches = 6}, {}).known);
  EXPECT(!bubble_of({.schedule = zb_v, .ranks = 4, .micro_batches = 3}, {}).known);
  EXPECT(!bubble_of({.schedule = zb_v, .ranks = 4, .micro_batches = 16}, {.forward = 2}).known);
  EXPECT(!bubble_of({.schedule = v_half, .ranks = 4, .micro_batches = 4}, {}).known);
  EXPECT(!bubble_of({.schedule = dualpipe, .ranks = 4, .micro_batches = 6}, {}).known);
  EXPECT(!bubble_of({.schedule = dualpipe, .ranks = 4, .micro_batches = 16}, times(1, 1, 4)).known); // longer than apart
  EXPECT(!own_idle({.schedule = zb_h1, .ranks = 4, .micro_batches = 3}, {}).known);
  EXPECT(!own_idle({.schedule = dualpipe, .ranks = 4, .micro_batches = 16}, {}).known);
});

// One rank, passes overlapped: a forward pass, pairs, a backward pass.
BOTH_TIMES("one rank has no bubble", [] {
  for (const schedule s : from_one_end) EXPECT(idle({.schedule = s, .ranks = 1, .micro_batches = 8}) == 0);
  EXPECT(bubble_of({.micro_batches = 8, .overlaps = true}, times(1, 1, 2)).makespan() == 1 + 7 * 2 + 2);
});

// arXiv 2205.05198: 1 + (p-1)/(p v); in flight, in stages, rounded up.
BOTH_TIMES("memory of interleaving", [] {
  struct example {
    std::int64_t p, v;
    ratio factor;
    std::int64_t in_flight;
  };
  constexpr example examples[] = {{8, 3, {31, 24}, 11},
                                  {35, 3, {139, 105}, 47},
                                  {8, 4, {121875, 100000}, 10},
                                  {16, 2, {146875, 100000}, 24},
                                  {4, 4, {11875, 10000}, 5}};
  for (const example& e : examples) {
    const pipeline_shape shape{.ranks = e.p, .chunks = e.v, .micro_batches = 4 * e.p};
    EXPECT(activation_factor(shape) == e.factor);
    EXPECT((in_flight(shape, 0) + e.v - 1) / e.v == e.in_flight);
  }
  EXPECT(activation_factor({.ranks = 4, .chunks = 2, .micro_batches = 16}) * ratio{4} == ratio{11, 2}); // 5.5 stages
});

constexpr void expect_factors(std::int64_t p) {
  EXPECT(activation_factor(long_step(gpipe, p)) == ratio{4}); // all m
  EXPECT(activation_factor(long_step(one_forward_one_backward, p)) == ratio{1});
  EXPECT(activation_factor(long_step(zb_h1, p)) == ratio{1});
  EXPECT(activation_factor(long_step(zb_h2, p)) == ratio{2 * p - 1, p});
  EXPECT(activation_factor(long_step(zb_v, p)) == ratio{1});
  EXPECT(activation_factor(long_step(v_half, p)) == ratio{(p + 2) / 2, p});
  EXPECT(activation_factor(long_step(v_min, p)) == ratio{(p + 4) / 3, p});
  EXPECT(activation_factor(long_step(dualpipe, p)) == ratio{p + 1, p});
  EXPECT(activation_factor(long_step(dualpipe_v, p)) == ratio{2 * p + 1, 2 * p});
}

BOTH_TIMES("memory of the other schedules, in 1F1B's", [] {
  for (const std::int64_t p : {4, 8, 16}) expect_factors(p);
});

// Not 1 however few micro-batches there are: all of them are held, against those of p.
BOTH_TIMES("memory with fewer micro-batches than ranks", [] {
  EXPECT(activation_factor({.ranks = 8, .micro_batches = 3}) == ratio{3, 8});
  EXPECT(activation_factor({.ranks = 8, .micro_batches = 8}) == ratio{1});
  EXPECT(activation_factor({.ranks = 8, .micro_batches = 9}) == ratio{1});
});

// DualPipe README: 2x; its ranks hold a stage of each direction.
BOTH_TIMES("parameters held", [] {
  for (const schedule s : from_one_end) EXPECT(parameter_copies(s) == 1);
  EXPECT(parameter_copies(dualpipe) == 2);
});

TEST_CASE("a time that does not fit into 64 bits says so") {
  volatile std::int64_t large = std::int64_t{1} << 62;
  const bubble b = bubble_of({.ranks = 64, .micro_batches = 128}, {.forward = large, .backward = large});
  CHECK(b.known);
  CHECK(b.busy.overflowed());
  CHECK(b.makespan().overflowed());
  CHECK(b.worst_idle_share().overflowed());
}

} // namespace
