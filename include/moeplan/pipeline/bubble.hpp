#pragma once

#include <cstdint>

#include <moeplan/describe/schedule.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pass_times.hpp>

/// @file
/// How long a pipeline step takes and idles, in closed form.

namespace moeplan {

/// Of the rank that idles longest: where ranks do not all work equally long (DualPipe, DualPipeV) the others idle less, and the share of
/// all ranks together, mean_idle_share, is smaller. All in the unit of the pass times. A result that does not fit into 64 bits is
/// overflowed().
struct bubble {
  bool known = false; ///< false: there is no closed form for this shape and these times; replay it
  count busy{};       ///< its passes: what the step would take without idling
  count idle{};       ///< in the whole step, from the first pass of any rank to the last

  [[nodiscard]] constexpr count makespan() const noexcept { return busy + idle; }

  /// Of that rank, t_pb / t_ideal of Megatron-LM (arXiv 2104.04473, section 2.2): (p - 1) / m. May exceed 1. Precondition: known.
  [[nodiscard]] constexpr ratio idle_over_busy() const noexcept { return {idle, busy}; }

  /// Idle over makespan of that rank: the bubble fraction of GPipe, (p - 1) / (m + p - 1), and the bubble rate of zero bubble.
  /// Precondition: known.
  [[nodiscard]] constexpr ratio worst_idle_share() const noexcept { return {idle, makespan()}; }

  friend constexpr bool operator==(const bubble&, const bubble&) noexcept = default;
};

namespace detail {

[[nodiscard]] constexpr count larger(count a, count b) noexcept { return a < b ? b : a; }

/// A difference, or 0.
[[nodiscard]] constexpr count excess(count a, count b) noexcept { return b < a ? a - b : count{0}; }

/// All forward and all backward passes of a rank.
[[nodiscard]] constexpr count all_passes(const pipeline_shape& p, count forward, count backward) noexcept {
  return count{p.micro_batches} * chunks_of_rank(p) * (forward + backward);
}

[[nodiscard]] constexpr bool all_equal(const pass_times& t) noexcept {
  return t.forward == t.input_gradient && t.forward == t.weight_gradient;
}

/// Chunk after chunk: with fewer micro-batches than ranks each further chunk waits for the first micro-batch to come round.
[[nodiscard]] constexpr bubble gpipe_bubble(const pipeline_shape& p, const pass_times& t) noexcept {
  const count both = count{t.forward} + t.backward;
  const count rounds = count{p.chunks - 1} * excess(p.ranks, p.micro_batches);
  return {true, all_passes(p, t.forward, t.backward), (count{p.ranks - 1} + rounds) * both};
}

/// Whether every group of interleaved 1F1B keeps all ranks at work.
[[nodiscard]] constexpr bool groups_fill(const pipeline_shape& p) noexcept {
  const std::int64_t group = p.group.value_or(p.ranks);
  return group >= p.ranks && (p.micro_batches % group == 0 || p.micro_batches % group >= p.ranks);
}

[[nodiscard]] constexpr bubble one_forward_one_backward_bubble(const pipeline_shape& p, const pass_times& t) noexcept {
  if (p.overlaps && (p.ranks > 1 || p.chunks > 1)) return {};
  if (p.overlaps) return {true, count{t.forward} + count{p.micro_batches - 1} * t.forward_and_backward + t.backward, 0};
  if (p.chunks > 1 && !groups_fill(p)) return {};
  return {true, all_passes(p, t.forward, t.backward), count{p.ranks - 1} * (count{t.forward} + t.backward)};
}

[[nodiscard]] constexpr count split_passes(const pipeline_shape& p, const pass_times& t) noexcept {
  return all_passes(p, t.forward, count{t.input_gradient} + t.weight_gradient);
}

[[nodiscard]] constexpr bubble zb_h1_bubble(const pipeline_shape& p, const pass_times& t) noexcept {
  if (p.micro_batches < p.ranks) return {};
  const count published = excess(count{t.forward} + t.input_gradient, t.weight_gradient);
  const count longer = larger(published, larger(t.forward, t.input_gradient));
  return {true, split_passes(p, t), count{p.ranks - 1} * longer};
}

[[nodiscard]] constexpr bubble zb_h2_bubble(const pipeline_shape& p, const pass_times& t) noexcept {
  if (p.micro_batches < 2 * p.ranks - 1) return {};
  const count published = excess(count{t.forward} + t.input_gradient, count{2} * t.weight_gradient);
  const count longer = larger(published, larger(t.forward, excess(t.input_gradient, t.forward)));
  return {true, split_passes(p, t), count{p.ranks - 1} * longer};
}

[[nodiscard]] constexpr bubble zb_v_bubble(const pipeline_shape& p, const pass_times& t) noexcept {
  if (!all_equal(t) || p.micro_batches < p.ranks) return {};
  return {true, split_passes(p, t), count{p.ranks - 1} * t.forward};
}

/// Slots that the blocks of V-Half and V-Min leave empty.
[[nodiscard]] constexpr std::int64_t v_half_slots(std::int64_t ranks) noexcept {
  if (ranks <= 2) return ranks - 1;
  const std::int64_t one_more = ranks == 13 || ranks == 14 ? 1 : 0; // A backward pass of the warm-up comes late there.
  return 3 * ranks - (ranks % 2 == 0 ? 7 : 4) + one_more;
}

[[nodiscard]] constexpr std::int64_t v_min_slots(std::int64_t ranks) noexcept {
  if (ranks == 1) return 0;
  return ranks % 3 == 0 ? 4 * ranks - 7 : 4 * ranks - 5;
}

[[nodiscard]] constexpr bubble block_bubble(const pipeline_shape& p, const pass_times& t) noexcept {
  if (!all_equal(t) || p.micro_batches <= p.ranks || (p.schedule == schedule::v_half && p.ranks > 20)) return {};
  const std::int64_t slots = p.schedule == schedule::v_half ? v_half_slots(p.ranks) : v_min_slots(p.ranks);
  return {true, split_passes(p, t), count{slots} * t.forward};
}

/// The middle rank, or the one at the turn of the V.
[[nodiscard]] constexpr bubble dual_bubble(const pipeline_shape& p, const pass_times& t) noexcept {
  const std::int64_t half_stages = p.schedule == schedule::dualpipe ? p.ranks / 2 : p.ranks;
  const std::int64_t one_way = micro_batches_of_chunk(p);
  const count apart = count{t.forward} + t.backward;
  const count pair = t.forward_and_backward;
  const bool splits_evenly = all_equal(t) && count{t.backward} == count{t.input_gradient} + t.weight_gradient;
  if (!splits_evenly || pair < larger(t.forward, t.backward) || apart < pair || one_way < 2 * half_stages) return {};
  const count pairs = 2 * (one_way - half_stages) - 1;
  const count each = pair + t.backward - count{3} * t.weight_gradient;
  return {true, count{2} * one_way * apart - pairs * (apart - pair), count{half_stages - 1} * each};
}

} // namespace detail

/// The bubble of a step, every stage taking the same times and every transfer none; equal to what a replay of the schedule's order
/// (schedule_order.hpp) gives, wherever it is `known`. p ranks, m micro-batches, v chunks a rank; F, B, I, W the forward and the
/// whole backward pass of a chunk and its two halves (DeepSeek's W; zero bubble's B is this I), F&B an overlapped pair.
///
/// | schedule | idle | known |
/// |---|---|---|
/// | GPipe | (p - 1 + (v - 1) max(p - m, 0)) (F + B) | always |
/// | 1F1B | (p - 1)(F + B): with chunks of a stage of 1/v, 1/v of it | interleaved: groups of at least p, the last one too |
/// | 1F1B, passes overlapped | 0 | one rank, one chunk |
/// | ZB-H1 | (p - 1) max(F + I - W, F, I) | m >= p |
/// | ZB-H2 | (p - 1) max(F + I - 2W, F, I - F) | m >= 2p - 1 |
/// | ZB-V | (p - 1) F | F = I = W, m >= p |
/// | V-Half | (3p - 7) F, p odd (3p - 4) F; p = 2 F; p = 13, 14 one F more | F = I = W, m > p, p <= 20 |
/// | V-Min | (4p - 5) F, 3 divides p (4p - 7) F | F = I = W, m > p |
/// | DualPipe | (p/2 - 1)(F&B + B - 3W) | F = I = W, B = I + W, max(F, B) <= F&B <= F + B, m >= 2p |
/// | DualPipeV | (p - 1)(F&B + B - 3W) | the same; README's PP is 2p |
///
/// Sources: arXiv 1811.06965, 2104.04473 (2.2); 2401.10241, whose (p - 1)(F + I - W) and (p - 1)(F + I - 2W) count idling between
/// a rank's own first and last pass (own_idle) and hold while no other term is larger; 2405.15362; DualPipe README, whose formula
/// this is. The terms next to the published ones, and V-Half and V-Min, are what the orders of this library take. Precondition:
/// as for visit_peaks and pass_times.
[[nodiscard]] constexpr bubble bubble_of(const pipeline_shape& p, const pass_times& t) noexcept {
  switch (p.schedule) {
    case schedule::gpipe: return detail::gpipe_bubble(p, t);
    case schedule::one_forward_one_backward: return detail::one_forward_one_backward_bubble(p, t);
    case schedule::zb_h1: return detail::zb_h1_bubble(p, t);
    case schedule::zb_h2: return detail::zb_h2_bubble(p, t);
    case schedule::zb_v: return detail::zb_v_bubble(p, t);
    case schedule::v_half:
    case schedule::v_min: return detail::block_bubble(p, t);
    case schedule::dualpipe:
    case schedule::dualpipe_v: break;
  }
  return detail::dual_bubble(p, t);
}

/// Idle time of all ranks together over ranks x makespan, what mean_idle_share of a replay gives. It is worst_idle_share unless pairs of
/// DualPipe and DualPipeV take less time than their passes one by one: ranks towards the ends pair fewer of them, and work longer.
/// Overflowed where the result does not fit. Precondition: bubble_of(p, t).known.
[[nodiscard]] constexpr ratio mean_idle_share(const pipeline_shape& p, const pass_times& t) noexcept {
  const bubble worst = bubble_of(p, t);
  const bool both_ends = p.schedule == schedule::dualpipe;
  const std::int64_t half_stages = both_ends ? p.ranks / 2 : p.ranks;
  if ((!both_ends && p.schedule != schedule::dualpipe_v) || half_stages < 3) return worst.worst_idle_share();
  // The rank in the middle and its neighbour pair equally many, and each further one one fewer.
  const count fewer = count{half_stages - 1} * (half_stages - 2) / 2;
  const count longer = fewer * (count{t.forward} + t.backward - t.forward_and_backward);
  return {half_stages * worst.idle - longer, half_stages * worst.makespan()};
}

/// A time, or that there is no closed form for it.
struct known_time {
  bool known = false;
  count time{};

  friend constexpr bool operator==(const known_time&, const known_time&) noexcept = default;
};

/// The longest that a rank idles between its own first and last pass. Zero bubble counts this, since a rank need not wait for
/// others before its optimizer step (arXiv 2401.10241, section 4): with equally long passes (p - 1)(F + I - W) of ZB-H1, 0 of
/// ZB-H2 and ZB-V (of this with at least 2p - 1 micro-batches), and as much as in the whole step of all others, where rank 0 is
/// first and last.
///
/// Known where bubble_of is, except of DualPipe and DualPipeV. Precondition: as for bubble_of.
[[nodiscard]] constexpr known_time own_idle(const pipeline_shape& p, const pass_times& t) noexcept {
  const bubble whole = bubble_of(p, t);
  const count both = count{t.forward} + t.input_gradient;
  const std::int64_t behind = p.ranks - 1;
  if (!whole.known) return {};
  switch (p.schedule) {
    case schedule::gpipe:
    case schedule::one_forward_one_backward:
    case schedule::v_half:
    case schedule::v_min: return {true, whole.idle};
    case schedule::zb_h1: return {true, behind * detail::larger(detail::excess(both, t.weight_gradient), t.input_gradient)};
    case schedule::zb_h2: {
      const count published = detail::excess(both, count{2} * t.weight_gradient);
      return {true, behind * detail::larger(published, detail::excess(t.input_gradient, t.forward))};
    }
    case schedule::zb_v: return {true, detail::excess(2 * p.ranks - 1, p.micro_batches) * t.forward};
    case schedule::dualpipe:
    case schedule::dualpipe_v: break;
  }
  return {};
}

/// How many times a pipeline as a whole holds the parameters: twice in DualPipe, which runs from both ends (arXiv 2412.19437,
/// section 3.2.1). A rank of DualPipeV holds two stages, for which it has half as many ranks (what its README calls 2x).
[[nodiscard]] constexpr std::int64_t parameter_copies(schedule s) noexcept { return s == schedule::dualpipe ? 2 : 1; }

/// The most activations that any rank holds, over those of p micro-batches through one p-th of the model, which 1F1B's first rank
/// holds if there are so many. With enough micro-batches 1F1B 1, interleaved 1 + (p - 1) / (p v) (arXiv 2205.05198), ZB-H2
/// (2p - 1) / p, V-Half and V-Min about 1/2 and 1/3, DualPipe (p + 1) / p; with m < p of them 1F1B m / p. What waits for the gradient
/// of the weights counts whole. Precondition: as for visit_peaks.
[[nodiscard]] constexpr ratio activation_factor(const pipeline_shape& p) noexcept {
  std::int64_t most = 0;
  for (std::int64_t rank = 0; rank < p.ranks; ++rank) {
    const std::int64_t held = in_flight(p, rank);
    if (held > most) most = held;
  }
  return {most, count{p.ranks} * chunks_of_rank(p) / parameter_copies(p.schedule)};
}

} // namespace moeplan
