#pragma once

#include <cstdint>

#include <moeplan/describe/schedule.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/pipeline/chunk_order.hpp>
#include <moeplan/pipeline/v_block.hpp>

/// @file
/// How many micro-batches' activations a pipeline rank holds at once, chunk by chunk, at the moments at which its memory can peak.

namespace moeplan {

/// A pipeline and what passes through it in one training step.
struct pipeline_shape {
  moeplan::schedule schedule = moeplan::schedule::one_forward_one_backward;
  std::int64_t ranks = 1;         ///< PP
  std::int64_t chunks = 1;        ///< of each rank, for GPipe and 1F1B; the others have one (ZB-H1, ZB-H2) or two
  std::int64_t micro_batches = 1; ///< of one step through this pipeline; DualPipe: of both directions together
  /// Interleaved 1F1B: micro-batches that pass through a chunk before the rank turns to the next one
  /// (--microbatch-group-size-per-virtual-pipeline-stage); absent: as many as ranks.
  optional_integer group{};
  /// 1F1B: a forward and a backward pass run at the same time, for which one more micro-batch is started beforehand
  /// (--overlap-moe-expert-parallel-comm).
  bool overlaps = false;

  friend constexpr bool operator==(const pipeline_shape&, const pipeline_shape&) noexcept = default;
};

/// Chunks (virtual stages) of each rank under this schedule.
[[nodiscard]] constexpr std::int64_t chunks_of_rank(const pipeline_shape& p) noexcept {
  switch (p.schedule) {
    case schedule::gpipe:
    case schedule::one_forward_one_backward: return p.chunks;
    case schedule::zb_h1:
    case schedule::zb_h2: return 1;
    case schedule::zb_v:
    case schedule::v_half:
    case schedule::v_min:
    case schedule::dualpipe:
    case schedule::dualpipe_v: break;
  }
  return 2;
}

/// The schedule whose order the ranks follow: the one of the shape, but ZB-V in place of V-Half and V-Min where their memory holds
/// all micro-batches at once, so that there is nothing to hold back for. With equally long passes it ends earlier then.
[[nodiscard]] constexpr schedule followed_order(const pipeline_shape& p) noexcept {
  if (p.schedule != schedule::v_half && p.schedule != schedule::v_min) return p.schedule;
  return p.micro_batches <= v_block_limit(p.schedule, p.ranks) / 2 ? schedule::zb_v : p.schedule;
}

/// Of one chunk, in micro-batches.
struct held_activations {
  std::int64_t whole = 0;           ///< all that the backward pass needs; the micro-batch in work is one of them
  std::int64_t weight_gradient = 0; ///< only what the gradient of the weights still needs: the backward pass for the input is over

  friend constexpr bool operator==(const held_activations&, const held_activations&) noexcept = default;
};

/// A moment in the work of one rank: what it works on and what it holds. Where both chunks are given, a forward and a backward pass
/// run at the same time.
class pipeline_moment {
public:
  static constexpr std::int64_t none = -1;

  constexpr pipeline_moment() noexcept = default;

  /// Of a rank with at most two chunks.
  constexpr pipeline_moment(std::int64_t forward, std::int64_t backward, held_activations first,
                            held_activations second = {}) noexcept
      : forward_{forward}, backward_{backward}, listed_{first, second} {}

  /// After `forwards` and `backwards` steps of an order, one in work included in the former and not in the latter.
  constexpr pipeline_moment(std::int64_t forward, std::int64_t backward, const chunk_order& order, std::int64_t forwards,
                            std::int64_t backwards) noexcept
      : forward_{forward}, backward_{backward}, order_{order}, forwards_{forwards}, backwards_{backwards}, in_order_{true} {}

  /// The chunk whose forward pass runs, or `none`.
  [[nodiscard]] constexpr std::int64_t forward_chunk() const noexcept { return forward_; }

  /// The chunk whose backward pass runs (where it is split: the one for the input), or `none`.
  [[nodiscard]] constexpr std::int64_t backward_chunk() const noexcept { return backward_; }

  /// What the rank holds of a chunk. Precondition: 0 <= chunk < chunks_of_rank(shape).
  [[nodiscard]] constexpr held_activations held(std::int64_t chunk) const noexcept {
    if (!in_order_) return listed_[chunk];
    return {order_.started(chunk, forwards_) - order_.started(order_.chunks - 1 - chunk, backwards_), 0};
  }

  friend constexpr bool operator==(const pipeline_moment&, const pipeline_moment&) noexcept = default;

private:
  std::int64_t forward_ = none;
  std::int64_t backward_ = none;
  held_activations listed_[2]{};
  chunk_order order_{};
  std::int64_t forwards_ = 0;
  std::int64_t backwards_ = 0;
  bool in_order_ = false;
};

/// The warm-up of 1F1B: forward passes, each of one micro-batch through one chunk, that a rank makes before forward and backward
/// passes take turns. Source: Megatron-LM core/pipeline_parallel/schedules.py get_pp_rank_microbatches. Precondition: 1F1B, 0 <=
/// rank < ranks.
[[nodiscard]] constexpr std::int64_t warm_up_steps(const pipeline_shape& p, std::int64_t rank) noexcept {
  const std::int64_t behind = p.ranks - 1 - rank;
  const std::int64_t extra = p.overlaps ? 1 : 0;
  const std::int64_t steps = p.chunks == 1 ? behind + extra : 2 * behind + (p.chunks - 1) * p.group.value_or(p.ranks) + extra;
  const std::int64_t all = p.chunks * p.micro_batches;
  return steps < all ? steps : all;
}

namespace detail {

/// No more than there are: whole ones first, since they are what the rank works on.
[[nodiscard]] constexpr held_activations held_of(std::int64_t micro_batches, std::int64_t whole,
                                                 std::int64_t weight_gradient = 0) noexcept {
  const std::int64_t held = least(whole, micro_batches);
  return {held, least(weight_gradient, micro_batches - held)};
}

/// The same holdings in a forward and in a backward pass of a chunk, which follow each other.
template <class Visitor>
constexpr void visit_both(std::int64_t chunk, held_activations first, held_activations second, Visitor& visit) {
  visit(pipeline_moment{chunk, pipeline_moment::none, first, second});
  visit(pipeline_moment{pipeline_moment::none, chunk, first, second});
}

/// Forward and backward passes in turn, after `warm_up` forward passes.
template <class Visitor>
constexpr void visit_step(const chunk_order& order, std::int64_t warm_up, std::int64_t step, bool at_once, Visitor& visit) {
  constexpr std::int64_t none = pipeline_moment::none;
  const std::int64_t forward = order.chunk_at(warm_up + step);
  const std::int64_t backward = order.chunks - 1 - order.chunk_at(step);
  const std::int64_t forwards = warm_up + step + 1;
  if (at_once) {
    visit(pipeline_moment{forward, backward, order, forwards, step});
  } else {
    visit(pipeline_moment{forward, none, order, forwards, step});
    visit(pipeline_moment{none, backward, order, forwards, step});
  }
}

/// The steady part, one forward and one backward pass a step. As long as both stay in their chunks every step adds one of the one
/// and takes one of the other, so that the ends of such a run are the extremes; and full groups repeat themselves.
template <class Visitor>
constexpr void visit_steady(const chunk_order& order, std::int64_t warm_up, bool at_once, Visitor& visit) {
  const std::int64_t steps = order.steps() - warm_up;
  const std::int64_t period = order.group * order.chunks;
  const std::int64_t repeats_until = order.steps_in_full_groups() - warm_up;
  std::int64_t step = 0;
  while (step < steps) {
    const std::int64_t together = least(order.steps_left_in_chunk(warm_up + step), order.steps_left_in_chunk(step));
    const std::int64_t run = least(together, steps - step);
    visit_step(order, warm_up, step, at_once, visit);
    if (run > 1) visit_step(order, warm_up, step + run - 1, at_once, visit);
    step += run;
    if (step >= period && step < repeats_until) step = repeats_until;
  }
}

/// Before and after it, less is held, but another chunk may be in work: its last forward pass before and its first backward pass
/// after.
template <class Visitor>
constexpr void visit_ends(const chunk_order& order, std::int64_t warm_up, Visitor& visit) {
  constexpr std::int64_t none = pipeline_moment::none;
  const std::int64_t all = order.steps();
  for (std::int64_t chunk = 0; chunk < order.chunks; ++chunk) {
    const std::int64_t started = order.started(chunk, warm_up);
    if (started > 0) visit(pipeline_moment{chunk, none, order, order.step_of(chunk, started - 1) + 1, 0});
    const std::int64_t place = order.chunks - 1 - chunk; // in the order of backward passes
    const std::int64_t finished = order.started(place, all - warm_up);
    if (finished < order.micro_batches) visit(pipeline_moment{none, chunk, order, all, order.step_of(place, finished)});
  }
}

/// `warm_up` forward passes, then forward and backward passes in turn, then backward passes.
template <class Visitor>
constexpr void visit_order(const chunk_order& order, std::int64_t warm_up, bool at_once, Visitor& visit) {
  if (warm_up == order.steps()) { // The last forward pass and the first backward pass make the only turn.
    --warm_up;
    at_once = false;
  }
  if (order.chunks == 1) { // Every moment is like this one.
    const std::int64_t whole = warm_up + 1;
    if (at_once)
      visit(pipeline_moment{0, 0, {whole, 0}});
    else
      visit_both(0, {whole, 0}, {}, visit);
    return;
  }
  visit_steady(order, warm_up, at_once, visit);
  visit_ends(order, warm_up, visit);
}

/// ZB-V: memory for `ranks` micro-batches of both chunks. What the micro-batches at hand leave of it, passes for the weights of
/// chunk 1 use to wait.
template <class Visitor>
constexpr void visit_zb_v(std::int64_t chunk, std::int64_t first, std::int64_t second, const pipeline_shape& p, Visitor& visit) {
  const std::int64_t m = p.micro_batches;
  const std::int64_t whole = least(second, m);
  const std::int64_t room = 2 * least(p.ranks, m) - first - whole;
  visit_both(chunk, {first, 0}, held_of(m, whole, room < 0 ? 0 : room), visit);
}

/// V-Half: during each of the four passes, as much of one chunk as can be, and the other chunk what the limit of both leaves.
template <class Visitor>
constexpr void visit_v_half(const pipeline_shape& p, std::int64_t rank, Visitor& visit) {
  const std::int64_t m = p.micro_batches;
  const std::int64_t both = v_block_limit(p.schedule, p.ranks);
  const std::int64_t first = least(v_half_block(p.ranks, rank).most_held(0), m);
  const std::int64_t second = least(v_half_second_limit(p.ranks, rank), m);
  const held_activations much_of_first[2]{{first, 0}, {least(both - first, second), 0}};
  const held_activations much_of_second[2]{{least(both - second, first), 0}, {second, 0}};
  for (std::int64_t chunk = 0; chunk < 2; ++chunk) {
    visit_both(chunk, much_of_first[0], much_of_first[1], visit);
    visit_both(chunk, much_of_second[0], much_of_second[1], visit);
  }
}

/// V-Min: the four passes of a block that repeats.
template <class Visitor>
constexpr void visit_block(const v_block& block, std::int64_t micro_batches, Visitor& visit) {
  constexpr std::int64_t none = pipeline_moment::none;
  for (std::int64_t chunk = 0; chunk < 2; ++chunk) {
    const std::int64_t ahead = block.forward[chunk];
    visit(pipeline_moment{chunk, none, held_of(micro_batches, block.held(0, ahead)), held_of(micro_batches, block.held(1, ahead))});
    const std::int64_t back = block.backward[chunk];
    visit(pipeline_moment{none, chunk, held_of(micro_batches, block.held(0, back)), held_of(micro_batches, block.held(1, back))});
  }
}

/// DualPipe and DualPipeV: a forward pass of one chunk and a backward pass of the other at the same time.
template <class Visitor>
constexpr void visit_pairs(held_activations first, held_activations second, Visitor& visit) {
  visit(pipeline_moment{0, 1, first, second});
  visit(pipeline_moment{1, 0, first, second});
}

} // namespace detail

/// Calls `visit` with each pipeline_moment at which the memory of a rank can peak, whatever the activations of each chunk weigh and
/// whatever a pass through a chunk takes besides: at every other moment the same chunks are in work and no chunk holds more, or
/// what is held lies between two of these.
///
/// The micro-batch whose pass for the weights runs is not shown: it holds less than during the backward pass before.
/// - GPipe: everything (arXiv 1811.06965). Several chunks: all micro-batches through one chunk after the other.
/// - 1F1B, interleaved or not, as Megatron-LM does it (schedules.py get_pp_rank_microbatches, get_schedule_table); m at most one
///   group or not a multiple of it included.
/// - ZB-H1, ZB-H2: (p - r) M_B + r M_W and (2p - 2r - 1) M_B + 2r M_W (arXiv 2401.10241; r from 0).
/// - ZB-V: 2p of both chunks together on every rank (arXiv 2405.15362), the first holding 2p - r or 2p - 1 - r of them, as in the
///   authors' order (scheduler/zbv.py) where all passes are equally long. With fewer than 2p - 1 micro-batches, what they leave of
///   2p is held by the second chunk for the gradient of the weights.
/// - V-Half, V-Min: no more than the published 2 floor((p + 2) / 2) and 2 floor((p + 4) / 3) of both chunks, counted whole until
///   the pass for the weights. V-Min: as the building block that repeats (v_block.hpp), which on some ranks needs less. V-Half: of
///   the first chunk at most what the block needs, of the second v_half_second_limit, which in a few orders is one or two more than
///   needed. Where the limit holds all micro-batches at once, what ZB-V holds (followed_order). In the authors' orders, which move
///   passes as long as no rank exceeds the limit, a rank of V-Min may reach it, and up to three micro-batches of V-Half (with up to
///   16 ranks) are of the first chunk in place of the second.
/// - DualPipe, DualPipeV: a stage s of S holds S - s, which is PP + 1 on every rank (dualpipe.py, dualpipev.py: steps 1, 2 and 4).
///
/// Fewer micro-batches than that: all of them. Precondition: a shape of a deployment that `check` accepts, all members at least 1,
/// 0 <= rank < ranks.
template <class Visitor>
constexpr void visit_peaks(const pipeline_shape& p, std::int64_t rank, Visitor&& visit) {
  const std::int64_t m = p.micro_batches;
  const std::int64_t behind = p.ranks - 1 - rank;
  switch (followed_order(p)) {
    case schedule::gpipe: detail::visit_order({p.chunks, m, m}, p.chunks * m, false, visit); break;
    case schedule::one_forward_one_backward:
      detail::visit_order({p.chunks, m, p.group.value_or(p.ranks)}, warm_up_steps(p, rank), p.overlaps, visit);
      break;
    case schedule::zb_h1: detail::visit_both(0, detail::held_of(m, behind + 1, rank), {}, visit); break;
    case schedule::zb_h2: detail::visit_both(0, detail::held_of(m, 2 * behind + 1, 2 * rank), {}, visit); break;
    case schedule::zb_v: {
      const std::int64_t first = p.ranks + behind;
      detail::visit_zb_v(0, detail::least(first + 1, m), rank, p, visit);
      detail::visit_zb_v(1, detail::least(first, m), rank + 1, p, visit);
      break;
    }
    case schedule::v_half: detail::visit_v_half(p, rank, visit); break;
    case schedule::v_min: detail::visit_block(v_min_block(p.ranks, rank), m, visit); break;
    case schedule::dualpipe: {
      const std::int64_t one_way = (m + 1) / 2;
      detail::visit_pairs(detail::held_of(one_way, behind + 1), detail::held_of(one_way, rank + 1), visit);
      break;
    }
    case schedule::dualpipe_v:
      detail::visit_pairs(detail::held_of(m, p.ranks + behind + 1), detail::held_of(m, rank + 1), visit);
      break;
  }
}

namespace detail {

struct largest_total {
  std::int64_t chunks = 1;
  std::int64_t total = 0;

  constexpr void operator()(const pipeline_moment& moment) noexcept {
    std::int64_t sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const held_activations held = moment.held(chunk);
      sum += held.whole + held.weight_gradient;
    }
    if (sum > total) total = sum;
  }
};

} // namespace detail

/// The most activations that a rank holds at once, in micro-batches of one chunk, those that only wait for the gradient of the
/// weights included: 1F1B min(m, p - r), interleaved 1F1B min(m v, warm-up + 1), DualPipe PP + 1. Precondition: as for visit_peaks.
[[nodiscard]] constexpr std::int64_t in_flight(const pipeline_shape& p, std::int64_t rank) noexcept {
  detail::largest_total largest{.chunks = chunks_of_rank(p)};
  visit_peaks(p, rank, largest);
  return largest.total;
}

} // namespace moeplan
