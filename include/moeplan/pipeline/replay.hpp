#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/stage_times.hpp>

/// @file
/// What happens when, if every rank of a pipeline does its operations in a given order, each as soon as it can.

namespace moeplan {

/// A list of operations as an order to replay. The list must outlive it.
class listed_operations {
public:
  constexpr listed_operations() noexcept = default;
  constexpr explicit listed_operations(array_view<const operation> all) noexcept : left_{all} {}

  /// The next operation; false, and `out` unchanged, when there is none left.
  constexpr bool next(operation& out) noexcept {
    if (left_.size() == 0) return false;
    out = left_[0];
    left_ = left_.part(1, left_.size() - 1);
    return true;
  }

private:
  array_view<const operation> left_{};
};

/// How far a rank came.
enum class rank_progress : std::uint16_t {
  ready,   ///< it goes on as soon as the replay turns to it
  waiting, ///< `next` cannot start without `required`
  done     ///< behind its last operation
};

/// One rank of a replay: its order, which the caller gives, and what became of it.
template <class Order>
struct replayed_rank {
  /// Has `bool next(operation&)`, false at the end; its copies go on from where it stands. After a replay it has none left.
  Order order;

  rank_progress progress = rank_progress::ready;
  std::int64_t operations = 0; ///< done
  std::int64_t start = 0;      ///< of the first operation
  std::int64_t end = 0;        ///< of the last operation
  std::int64_t busy = 0;       ///< time of all operations
  /// Micro-batches of one chunk, as in held_activations: from the start of a forward pass to the end of the backward pass, and from there
  /// to the end of the pass for the weights.
  held_activations held{};
  std::int64_t most_whole = 0;           ///< held.whole at its peak
  std::int64_t most_weight_gradient = 0; ///< held.weight_gradient at its peak
  std::int64_t most_held = 0;            ///< both together at their peak: what in_flight promises

  operation next{};                           ///< waiting: what comes next
  required_pass required{};                   ///< waiting: the first thing missing
  bool on_path = false;                       ///< met while a cycle was searched for
  std::int64_t waited_by = chunk_place::none; ///< deadlock: the rank before this one in the cycle

  /// Time in which the rank does nothing, in a step that takes `makespan`.
  [[nodiscard]] constexpr std::int64_t idle(std::int64_t makespan) const noexcept { return makespan - busy; }
};

/// What a replay works in. The caller provides it, the replay leaves its results in `ranks`.
template <class Order>
struct replay_storage {
  array_view<replayed_rank<Order>> ranks{}; ///< one element a rank of the pipeline; only `order` has to be set
  array_view<std::int64_t> slots{};         ///< at least replay_slots(shape); the values before do not matter
};

/// How many slots a replay needs.
[[nodiscard]] constexpr count replay_slots(const pipeline_shape& p) noexcept {
  return count{2} * p.ranks * chunks_of_rank(p) * micro_batches_of_chunk(p) + p.ranks;
}

enum class replay_status : std::uint16_t {
  finished,      ///< every pass of every micro-batch through every chunk was done exactly once
  unfinished,    ///< no rank has an operation left, but a pass is missing that none of them waited for
  deadlock,      ///< ranks wait for each other in a circle, or one for something later in its own order; see visit_deadlock
  missing_pass,  ///< a rank waits for something that is in no rank's order
  repeated_pass, ///< an operation does what was done before
  no_such_pass,  ///< an operation has a chunk or a micro-batch that the pipeline does not have
  overflow       ///< a time outgrew 64 bits
};

/// A value: the first thing that went wrong, or the length of the step.
struct replay_result {
  replay_status status = replay_status::finished;
  std::int64_t makespan = 0; ///< from 0 to the end of the last operation that was done
  /// Where something is wrong. Of a deadlock: one rank of the circle, and what comes next on it.
  std::int64_t rank = chunk_place::none;
  operation next{};
  required_pass required{}; ///< deadlock, missing_pass: what `next` waits for; unfinished: what was not done

  [[nodiscard]] constexpr bool ok() const noexcept { return status == replay_status::finished; }
};

/// For a replay that nobody watches.
struct no_visitor {
  constexpr void operator()(std::int64_t, const operation&, std::int64_t, std::int64_t) const noexcept {}
};

namespace detail {

/// A replay in progress. A rank runs until something is missing, and is turned to again when another rank has done it: every operation
/// is looked at twice or three times at most, however many ranks there are.
template <replay_times Times, class Order, class Visitor>
class replayer {
public:
  constexpr replayer(const pipeline_shape& shape, const Times& times, const replay_storage<Order>& storage, Visitor& visit) noexcept
      : shape_{shape},
        times_{times},
        ranks_{storage.ranks},
        visit_{visit},
        chunks_{chunks_of_rank(shape)},
        micro_batches_{micro_batches_of_chunk(shape)},
        passes_{shape.ranks * chunks_ * micro_batches_},
        ends_{storage.slots.part(0, 2 * passes_)},
        to_run_{storage.slots.part(2 * passes_, shape.ranks)} {}

  [[nodiscard]] constexpr replay_result run() {
    for (std::int64_t& end : ends_) end = not_done;
    for (std::int64_t rank = shape_.ranks - 1; rank >= 0; --rank) {
      ranks_[rank] = replayed_rank<Order>{ranks_[rank].order};
      to_run_[ranks_to_run_++] = rank;
    }
    while (ranks_to_run_ > 0 && result_.ok()) run_rank(to_run_[--ranks_to_run_]);
    if (result_.ok()) conclude();
    return result_;
  }

private:
  // Of a micro-batch in a chunk there are two times: the end of its forward pass, and that of its backward pass for the input. When the
  // latter is known nobody waits for the former any more; its place then says how far the gradient of the weights is.
  static constexpr std::int64_t not_done = -1;
  static constexpr std::int64_t weights_left = -2;
  static constexpr std::int64_t all_done = -3;

  [[nodiscard]] constexpr std::int64_t slot(std::int64_t rank, std::int64_t chunk, std::int64_t micro_batch) const noexcept {
    return (rank * chunks_ + chunk) * micro_batches_ + micro_batch;
  }
  [[nodiscard]] constexpr std::int64_t slot(const required_pass& r) const noexcept {
    return slot(r.place.rank, r.place.chunk, r.micro_batch) + (r.kind == pass::forward ? 0 : passes_);
  }

  constexpr void run_rank(std::int64_t rank) {
    replayed_rank<Order>& r = ranks_[rank];
    if (r.progress == rank_progress::ready && !advance(rank, r)) return;
    for (;;) {
      std::int64_t start = r.end;
      if (!may_start(rank, r, start)) return;
      perform(rank, r, start);
      if (!result_.ok() || !advance(rank, r)) return;
    }
  }

  /// To the next operation of an order; false at its end, and where the operation makes no sense.
  constexpr bool advance(std::int64_t rank, replayed_rank<Order>& r) {
    if (!r.order.next(r.next)) {
      r.progress = rank_progress::done;
      return false;
    }
    r.progress = rank_progress::waiting;
    const chunk_pass back = backward_of(r.next);
    if (!exists(r.next.chunk, r.next.micro_batch) || !exists(back.chunk, back.micro_batch)) {
      fail(replay_status::no_such_pass, rank);
    } else if (is_repeated(rank, r.next, back)) {
      fail(replay_status::repeated_pass, rank);
    }
    return result_.ok();
  }

  [[nodiscard]] constexpr bool exists(std::int64_t chunk, std::int64_t micro_batch) const noexcept {
    return 0 <= chunk && chunk < chunks_ && 0 <= micro_batch && micro_batch < micro_batches_;
  }

  [[nodiscard]] constexpr bool is_repeated(std::int64_t rank, const operation& o, chunk_pass back) const noexcept {
    if (o.kind == pass::weight_gradient) return ends_[slot(rank, o.chunk, o.micro_batch)] == all_done;
    if (has_forward(o) && ends_[slot(rank, o.chunk, o.micro_batch)] != not_done) return true;
    return has_input_gradient(o) && ends_[slot(rank, back.chunk, back.micro_batch)] < not_done;
  }

  /// Moves `start` to the time when everything is there. False, and `required` says what, if something is missing.
  constexpr bool may_start(std::int64_t rank, replayed_rank<Order>& r, std::int64_t& start) {
    return visit_required(shape_, rank, r.next, [&](const required_pass& required) {
      std::int64_t there = ends_[slot(required)];
      if (there < 0) {
        r.required = required;
        return false;
      }
      // A rank's own results are there when it ended the operation before, which `start` says.
      if (required.place.rank == rank) return true;
      if (__builtin_add_overflow(there, times_.transfer(required.place.rank, rank), &there)) {
        fail(replay_status::overflow, rank);
        return false;
      }
      if (there > start) start = there;
      return true;
    });
  }

  constexpr void perform(std::int64_t rank, replayed_rank<Order>& r, std::int64_t start) {
    const operation& o = r.next;
    const std::int64_t time = times_.of(rank, o);
    std::int64_t end = 0;
    if (__builtin_add_overflow(start, time, &end)) return fail(replay_status::overflow, rank);
    if (r.operations++ == 0) r.start = start;
    r.end = end;
    r.busy += time;
    if (end > result_.makespan) result_.makespan = end;
    visit_(rank, o, start, end);
    if (has_forward(o)) end_forward(rank, r, end);
    if (has_input_gradient(o)) end_backward(rank, r, end);
    if (o.kind == pass::weight_gradient) {
      ends_[slot(rank, o.chunk, o.micro_batch)] = all_done;
      --r.held.weight_gradient;
      ++passes_done_;
    }
  }

  constexpr void end_forward(std::int64_t rank, replayed_rank<Order>& r, std::int64_t end) {
    const operation& o = r.next;
    ++r.held.whole;
    if (r.held.whole > r.most_whole) r.most_whole = r.held.whole;
    if (r.held.whole + r.held.weight_gradient > r.most_held) r.most_held = r.held.whole + r.held.weight_gradient;
    ends_[slot(rank, o.chunk, o.micro_batch)] = end;
    wake(next_place(shape_, {rank, o.chunk}), {pass::forward, {rank, o.chunk}, o.micro_batch});
  }

  constexpr void end_backward(std::int64_t rank, replayed_rank<Order>& r, std::int64_t end) {
    const chunk_pass back = backward_of(r.next);
    const std::int64_t forward = slot(rank, back.chunk, back.micro_batch);
    ends_[forward + passes_] = end;
    --r.held.whole;
    if (r.next.kind == pass::input_gradient) {
      ends_[forward] = weights_left;
      if (++r.held.weight_gradient > r.most_weight_gradient) r.most_weight_gradient = r.held.weight_gradient;
    } else {
      ends_[forward] = all_done;
      ++passes_done_;
    }
    wake(previous_place(shape_, {rank, back.chunk}), {pass::input_gradient, {rank, back.chunk}, back.micro_batch});
  }

  /// Turns to the rank at a place again if it waits for what has just been done.
  constexpr void wake(chunk_place place, const required_pass& done) {
    if (!place.exists()) return;
    replayed_rank<Order>& r = ranks_[place.rank];
    if (r.progress == rank_progress::waiting && r.required == done) to_run_[ranks_to_run_++] = place.rank;
  }

  constexpr void fail(replay_status status, std::int64_t rank) {
    result_.status = status;
    result_.rank = rank;
    result_.next = ranks_[rank].next;
    const bool waits = status == replay_status::deadlock || status == replay_status::missing_pass;
    if (waits) result_.required = ranks_[rank].required;
  }

  // When nothing moves any more.

  constexpr void conclude() {
    for (std::int64_t rank = 0; rank < shape_.ranks; ++rank)
      if (ranks_[rank].progress == rank_progress::waiting) return find_cycle(rank);
    if (passes_done_ < passes_) find_undone();
  }

  /// From a rank that waits to the one that it waits for, and so on, until that comes back to itself.
  constexpr void find_cycle(std::int64_t rank) {
    while (!ranks_[rank].on_path) {
      ranks_[rank].on_path = true;
      const required_pass& required = ranks_[rank].required;
      if (!is_ahead(required)) return fail(replay_status::missing_pass, rank);
      rank = required.place.rank;
    }
    const std::int64_t first = rank;
    do {
      const std::int64_t other = ranks_[rank].required.place.rank;
      ranks_[other].waited_by = rank;
      rank = other;
    } while (rank != first);
    fail(replay_status::deadlock, first);
  }

  /// Whether a rank has still to do what is required.
  [[nodiscard]] constexpr bool is_ahead(const required_pass& required) const {
    const std::int64_t rank = required.place.rank;
    const replayed_rank<Order>& r = ranks_[rank];
    if (r.progress == rank_progress::done) return false;
    if (fulfils(required, rank, r.next)) return true;
    Order rest = r.order;
    operation o;
    while (rest.next(o))
      if (fulfils(required, rank, o)) return true;
    return false;
  }

  constexpr void find_undone() {
    for (std::int64_t i = 0; i < passes_; ++i) {
      if (ends_[i] == all_done) continue;
      const std::int64_t chunk = i / micro_batches_;
      const pass kind = ends_[i] == not_done       ? pass::forward
                        : ends_[i] == weights_left ? pass::weight_gradient
                                                   : pass::input_gradient;
      result_.status = replay_status::unfinished;
      result_.rank = chunk / chunks_;
      result_.required = {kind, {chunk / chunks_, chunk % chunks_}, i % micro_batches_};
      return;
    }
  }

  const pipeline_shape& shape_;
  const Times& times_;
  array_view<replayed_rank<Order>> ranks_;
  Visitor& visit_;
  std::int64_t chunks_;
  std::int64_t micro_batches_; ///< of each chunk
  std::int64_t passes_;        ///< of each kind: micro-batches times chunks of all ranks
  array_view<std::int64_t> ends_;
  array_view<std::int64_t> to_run_;
  std::int64_t ranks_to_run_ = 0;
  std::int64_t passes_done_ = 0; ///< with the gradient of the weights
  replay_result result_{};
};

} // namespace detail

/// Replays the orders of all ranks. An operation starts when its rank has ended the one before and everything that it needs is there:
/// see visit_required, and for the times stage_times.hpp. Transfers take time but occupy no rank. The two halves of an overlapped pair
/// start and end together.
///
/// `visit(rank, operation, start, end)` is called with each operation, after everything that it waits for; times are in the unit of
/// `times` and count from 0. Takes time linear in the operations, allocates nothing. An order that cannot be replayed to the end is an
/// error in the result; what was done until then has been visited. Of the shape the schedule only says where chunks lie: any order may
/// be replayed on it.
///
/// Precondition: shape as for visit_peaks; storage as large as it says.
template <replay_times Times, class Order, class Visitor = no_visitor>
constexpr replay_result replay(const pipeline_shape& shape, const Times& times, const replay_storage<Order>& storage,
                               Visitor&& visit = {}) {
  return detail::replayer{shape, times, storage, visit}.run();
}

/// Time in which ranks do nothing as a share of ranks x makespan: the bubble as part of the whole, the mean of all ranks. That of the
/// rank that idles longest is larger where ranks do not all work equally long; see bubble::worst_idle_share. `ranks`: a view, an array
/// or a vector of replayed_rank. Precondition: `result` is of a replay in `ranks`; overflowed() where the makespan is 0.
template <class Ranks>
[[nodiscard]] constexpr ratio mean_idle_share(const replay_result& result, const Ranks& ranks) noexcept {
  count idle{0};
  count all{0};
  for (const auto& r : ranks) {
    idle = idle + static_cast<std::uint64_t>(r.idle(result.makespan));
    all = all + static_cast<std::uint64_t>(result.makespan);
  }
  return {idle, all};
}

/// The same of the storage that the replay was given.
template <class Order>
[[nodiscard]] constexpr ratio mean_idle_share(const replay_result& result, const replay_storage<Order>& storage) noexcept {
  return mean_idle_share(result, storage.ranks);
}

} // namespace moeplan
