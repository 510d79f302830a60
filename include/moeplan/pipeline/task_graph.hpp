#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/stage_placement.hpp>
#include <moeplan/pipeline/stage_times.hpp>

/// @file
/// One training step of a pipeline as tasks and what each has to wait for, visited in an order in which they can be done.

namespace moeplan {

enum class task_kind : std::uint16_t {
  pass,               ///< an operation of a rank
  gradient_reduction, ///< of a virtual stage, over all its data-parallel copies; in DualPipe over those at both ends too
  /// Of an embedding tied to the head: what the first and the last virtual stage have of it are added up, after the reductions of both
  /// (Megatron-LM core/distributed/finalize_model_grads.py, _allreduce_word_embedding_grads).
  embedding_reduction,
  gradient_norm, ///< over all gradients of the model, where they are clipped by it
  optimizer_step ///< of a rank
};

struct pipeline_task {
  task_kind kind = task_kind::pass;
  std::int64_t rank = chunk_place::none;  ///< pass, optimizer_step: of the pipeline
  moeplan::operation operation{};         ///< pass
  std::int64_t stage = chunk_place::none; ///< gradient_reduction: virtual stage

  friend constexpr bool operator==(const pipeline_task&, const pipeline_task&) noexcept = default;
};

/// Why a task waits for another.
enum class task_dependency : std::uint16_t {
  order,            ///< it comes after it on the same rank
  activation,       ///< forward pass to forward pass of the next virtual stage, on another rank: a transfer
  gradient,         ///< backward pass to backward pass of the virtual stage before, on another rank: a transfer
  local_activation, ///< the same as activation, where the next virtual stage is on the same rank: at the turn of a V, with PP 1
  local_gradient,   ///< the same as gradient, where the virtual stage before is on the same rank
  kept,             ///< what the rank itself has kept, for the backward pass or its half for the weights
  weight_gradient,  ///< the last pass on a rank that adds to the gradient of the weights, to its reduction
  reduced_gradient  ///< the reduction to what uses its result
};

/// Whether ranks of the pipeline exchange something between the two tasks, for which a replay takes the time of a transfer. Reductions
/// exchange too; they are tasks themselves.
[[nodiscard]] constexpr bool is_transfer(task_dependency why) noexcept {
  return why == task_dependency::activation || why == task_dependency::gradient;
}

/// Whether the step has to know the norm of all gradients, by which Megatron-LM clips them by default (core/optimizer/clip_grads.py):
/// then no rank updates before all reductions are done.
enum class gradient_clipping : std::uint16_t { none, global_norm };

/// What comes between the passes and the updates.
struct step_ending {
  gradient_clipping clipping = gradient_clipping::none;
  bool tied_embeddings = false; ///< model::tied_embeddings: with more than one virtual stage their gradients are added up

  constexpr step_ending() noexcept = default;
  constexpr step_ending(gradient_clipping c, bool tied = false) noexcept : clipping{c}, tied_embeddings{tied} {}

  friend constexpr bool operator==(const step_ending&, const step_ending&) noexcept = default;
};

/// How many slots a visit of the task graph needs.
[[nodiscard]] constexpr count task_graph_slots(const pipeline_shape& p) noexcept {
  const count chunks = count{p.ranks} * chunks_of_rank(p);
  return replay_slots(p) + chunks * 2 * micro_batches_of_chunk(p) + p.ranks + chunks;
}

namespace detail {

/// Numbers tasks as a replay comes to them, and remembers the numbers of those that others will wait for.
template <class Visitor>
class task_numbering {
public:
  constexpr task_numbering(const pipeline_shape& shape, array_view<std::int64_t> slots, Visitor& visit) noexcept
      : shape_{shape},
        visit_{visit},
        chunks_{chunks_of_rank(shape)},
        micro_batches_{micro_batches_of_chunk(shape)},
        passes_{shape.ranks * chunks_ * micro_batches_},
        pass_numbers_{slots.part(0, 2 * passes_)},
        last_of_rank_{slots.part(2 * passes_, shape.ranks)},
        last_weights_{slots.part(2 * passes_ + shape.ranks, shape.ranks * chunks_)},
        stages_{shape.schedule == schedule::dualpipe ? shape.ranks : shape.ranks * chunks_} {
    for (std::int64_t& number : last_of_rank_) number = none;
  }

  constexpr void operator()(std::int64_t rank, const operation& o, std::int64_t, std::int64_t) {
    const std::int64_t number = add({.rank = rank, .operation = o});
    if (last_of_rank_[rank] != none) visit_.dependency(last_of_rank_[rank], number, task_dependency::order);
    last_of_rank_[rank] = number;
    visit_required(shape_, rank, o, [&](const required_pass& required) {
      visit_.dependency(number_of(required), number, why(required, rank, o));
      return true;
    });
    const chunk_pass back = backward_of(o);
    if (has_forward(o)) number_of({pass::forward, {rank, o.chunk}, o.micro_batch}) = number;
    if (has_input_gradient(o)) number_of({pass::input_gradient, {rank, back.chunk}, back.micro_batch}) = number;
    if (o.kind != pass::forward) last_weights_[rank * chunks_ + back.chunk] = number;
  }

  /// What follows the passes.
  constexpr void finish(const step_ending& ending) {
    const bool clips = ending.clipping == gradient_clipping::global_norm;
    reduce(ending.tied_embeddings && stages_ > 1);
    const std::int64_t norm = clips ? add({.kind = task_kind::gradient_norm}) : none;
    for (std::int64_t stage = 0; clips && stage < stages_; ++stage) use_reduced(stage, norm);
    if (clips && embedding_reduction_ != none) visit_.dependency(embedding_reduction_, norm, task_dependency::reduced_gradient);
    for (std::int64_t rank = 0; rank < shape_.ranks; ++rank) {
      const std::int64_t step = add({.kind = task_kind::optimizer_step, .rank = rank});
      if (clips)
        visit_.dependency(norm, step, task_dependency::reduced_gradient);
      else
        use_reduced_of_rank(rank, step);
    }
  }

private:
  static constexpr std::int64_t none = -1;

  [[nodiscard]] static constexpr task_dependency why(const required_pass& required, std::int64_t rank,
                                                     const operation& o) noexcept {
    const bool forward = required.kind == pass::forward;
    if (o.kind == pass::weight_gradient || (forward && is_own(required, rank, o))) return task_dependency::kept;
    if (required.place.rank == rank) return forward ? task_dependency::local_activation : task_dependency::local_gradient;
    return forward ? task_dependency::activation : task_dependency::gradient;
  }

  /// The gradients of every virtual stage, then those of an embedding that the first and the last one share.
  constexpr void reduce(bool shares_embedding) {
    first_reduction_ = tasks_;
    for (std::int64_t stage = 0; stage < stages_; ++stage) add({.kind = task_kind::gradient_reduction, .stage = stage});
    for (std::int64_t rank = 0; rank < shape_.ranks; ++rank)
      for (std::int64_t chunk = 0; chunk < chunks_; ++chunk)
        visit_.dependency(last_weights_[rank * chunks_ + chunk], first_reduction_ + stage_of(rank, chunk),
                          task_dependency::weight_gradient);
    if (!shares_embedding) return;
    embedding_reduction_ = add({.kind = task_kind::embedding_reduction});
    use_reduced(0, embedding_reduction_);
    use_reduced(stages_ - 1, embedding_reduction_);
  }

  constexpr void use_reduced(std::int64_t stage, std::int64_t by) {
    visit_.dependency(first_reduction_ + stage, by, task_dependency::reduced_gradient);
  }

  /// What a rank holds of the model, to its update.
  constexpr void use_reduced_of_rank(std::int64_t rank, std::int64_t step) {
    bool shares = false;
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
      const std::int64_t stage = stage_of(rank, chunk);
      use_reduced(stage, step);
      shares = shares || stage == 0 || stage == stages_ - 1;
    }
    if (shares && embedding_reduction_ != none) visit_.dependency(embedding_reduction_, step, task_dependency::reduced_gradient);
  }

  constexpr std::int64_t add(const pipeline_task& task) {
    visit_.task(tasks_, task);
    return tasks_++;
  }

  [[nodiscard]] constexpr std::int64_t stage_of(std::int64_t rank, std::int64_t chunk) const noexcept {
    return virtual_stage(shape_.schedule, shape_.ranks, rank, chunk);
  }

  /// Whether a required forward pass is that of the backward half of the operation itself.
  [[nodiscard]] static constexpr bool is_own(const required_pass& required, std::int64_t rank, const operation& o) noexcept {
    const chunk_pass back = backward_of(o);
    return has_input_gradient(o) && required == required_pass{pass::forward, {rank, back.chunk}, back.micro_batch};
  }

  [[nodiscard]] constexpr std::int64_t& number_of(const required_pass& r) const noexcept {
    const std::int64_t place = (r.place.rank * chunks_ + r.place.chunk) * micro_batches_ + r.micro_batch;
    return pass_numbers_[place + (r.kind == pass::forward ? 0 : passes_)];
  }

  const pipeline_shape& shape_;
  Visitor& visit_;
  std::int64_t chunks_;
  std::int64_t micro_batches_;
  std::int64_t passes_;
  array_view<std::int64_t> pass_numbers_; ///< of forward passes, then of backward passes for the input
  array_view<std::int64_t> last_of_rank_;
  array_view<std::int64_t> last_weights_; ///< of each chunk of each rank
  std::int64_t stages_;
  std::int64_t tasks_ = 0;
  std::int64_t first_reduction_ = none;
  std::int64_t embedding_reduction_ = none;
};

} // namespace detail

/// Visits the tasks of one step and their dependencies, without storing the graph: `visit.task(number, task)` with each task after all
/// that it waits for, numbered from 0, and `visit.dependency(from, to, why)` with each pair of numbers, after both tasks. The passes
/// come first, then the reductions of the gradients, that of a tied embedding, the norm where it is asked for, and the optimizer steps.
///
/// An order of operations that cannot be followed is an error in the result, as of a replay; what could be done before was visited then,
/// and no more. Times in the result are those of a replay in which everything takes none.
/// Precondition: as for replay, but `storage.slots` has at least task_graph_slots(shape).
template <class Order, class Visitor>
constexpr replay_result visit_task_graph(const pipeline_shape& shape, const replay_storage<Order>& storage,
                                         const step_ending& ending, Visitor&& visit) {
  const auto first = static_cast<std::int64_t>(replay_slots(shape).value());
  detail::task_numbering numbering{shape, storage.slots.part(first, storage.slots.size() - first), visit};
  const replay_result result = replay(shape, equal_times{.passes = {0, 0, 0, 0, 0}}, storage, numbering);
  if (result.ok()) numbering.finish(ending);
  return result;
}

} // namespace moeplan
