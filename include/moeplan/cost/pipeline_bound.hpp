#pragma once

#include <cstdint>

#include <moeplan/describe/schedule.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// How long a pipeline step takes at least, stages being as unequal as they are, whatever the order of the passes.

namespace moeplan {

/// What one micro-batch takes on one virtual stage, in a unit of the caller's choice.
template <class Number>
struct stage_work {
  Number forward{0};
  Number input_gradient{0}; ///< with what is computed again before
  Number weight_gradient{0};
  Number recomputed{0}; ///< of the input gradient's: what is computed again, for which no rank has to wait

  [[nodiscard]] constexpr Number backward() const noexcept { return input_gradient + weight_gradient; }
  [[nodiscard]] constexpr Number total() const noexcept { return forward + backward(); }

  friend constexpr bool operator==(const stage_work&, const stage_work&) noexcept = default;
};

template <class Number>
struct pipeline_bound {
  Number busiest{0}; ///< what the rank with most work works
  /// From the first pass on the first virtual stage to the last pass on it; never less than `busiest` where backward passes are whole.
  Number first_to_last{0};

  friend constexpr bool operator==(const pipeline_bound&, const pipeline_bound&) noexcept = default;
};

namespace detail {

/// Micro-batches of a step that pass through a chunk: in DualPipe the first direction has one more of an odd number.
[[nodiscard]] constexpr std::int64_t passes_of_chunk(const pipeline_shape& p, std::int64_t chunk) noexcept {
  if (p.schedule != schedule::dualpipe) return p.micro_batches;
  return chunk % 2 == 0 ? p.micro_batches - p.micro_batches / 2 : p.micro_batches / 2;
}

template <class Number>
constexpr void keep_larger(Number& most, const Number& another) noexcept {
  if (most < another) most = another;
}

/// Adds up what ranks work while it goes from the first to the last.
template <class Number>
class pipeline_bound_builder {
public:
  constexpr pipeline_bound_builder(const pipeline_shape& p, bool splits) noexcept
      : shape_{&p},
        splits_{splits},
        both_ends_{p.schedule == schedule::dualpipe && p.micro_batches > 1},
        chunks_{chunks_of_rank(p)} {}

  /// So many ranks from this one on, whose virtual stages do the same, chunk by chunk. To be called from the first rank to the last.
  constexpr void begin(std::int64_t rank, std::int64_t alike) noexcept {
    rank_ = rank;
    alike_ = alike;
    works_ = in_turn_ = Number{0};
  }

  /// Each of their chunks, from the first to the last.
  constexpr void add(std::int64_t chunk, const stage_work<Number>& w) noexcept {
    if (rank_ == 0 && chunk == 0) first_ = w;
    if (chunk == 0) lowest_ = w;
    const auto times = static_cast<Number>(passes_of_chunk(*shape_, chunk));
    works_ = works_ + times * w.total();
    in_turn_ = in_turn_ + times * (w.forward + passed_back(w));
    way_ = way_ + static_cast<Number>(alike_) * on_the_way(w);
  }

  constexpr void end() noexcept {
    keep_larger<Number>(bound_.busiest, works_);
    // In DualPipe the ranks behind the middle do what those before it do, from the other end.
    const std::int64_t places = both_ends_ ? (shape_->ranks + 1) / 2 : shape_->ranks;
    if (rank_ >= places) return;
    const std::int64_t last =
        (alike_ < places - rank_ ? alike_ : places - rank_) - 1; // which waits longest of those that are alike
    before_ = before_ + static_cast<Number>(last) * on_the_way(lowest_);
    keep_larger<Number>(bound_.first_to_last, before_ + in_turn_ + left_at_the_end());
    if (rank_ == 0 && chunks_ == 1) keep_larger<Number>(bound_.first_to_last, works_); // It has that stage alone.
    before_ = before_ + on_the_way(lowest_);
  }

  [[nodiscard]] constexpr pipeline_bound<Number> build() noexcept {
    if (!both_ends_) keep_larger<Number>(bound_.first_to_last, way_ + left_at_the_end());
    return bound_;
  }

private:
  /// What of a backward pass the virtual stage before waits for, after the rank has done it.
  [[nodiscard]] constexpr Number passed_back(const stage_work<Number>& w) const noexcept {
    return splits_ ? w.input_gradient : w.backward();
  }

  /// What others wait for at best: a rank that waits for a gradient can compute again meanwhile.
  [[nodiscard]] constexpr Number on_the_way(const stage_work<Number>& w) const noexcept {
    return w.forward + passed_back(w) - w.recomputed;
  }

  /// On the first virtual stage, when the last gradient has come to it.
  [[nodiscard]] constexpr Number left_at_the_end() const noexcept { return splits_ ? first_.weight_gradient : Number{0}; }

  const pipeline_shape* shape_;
  bool splits_;
  bool both_ends_;
  std::int64_t chunks_;
  std::int64_t rank_ = 0;
  std::int64_t alike_ = 1;
  stage_work<Number> first_{};
  stage_work<Number> lowest_{}; ///< of the rank's virtual stages: a micro-batch comes to it first, and goes back from it last
  Number works_{0};
  Number in_turn_{0}; ///< of that, what others wait for
  Number before_{0};  ///< from the first virtual stage to the lowest of the rank, and back
  Number way_{0};     ///< of one micro-batch through all virtual stages and back
  pipeline_bound<Number> bound_{};
};

} // namespace detail

/// No order of passes beats it, as long as a pass begins when those that it waits for have ended, since each rank
/// - cannot begin before a micro-batch has come to the lowest of its virtual stages,
/// - does every pass of its virtual stages for every micro-batch, and
/// - after its last backward pass waits until that has gone back from the lowest of its virtual stages to the first one.
/// And one micro-batch goes through all virtual stages and back. What is computed again before a backward pass can be while the rank waits
/// for its gradient. Where backward passes are split (`splits`: zero bubble, DualPipe,
/// delayed weight gradients) the gradients of weights may be computed at any time after; then ranks need not begin and end a step
/// together, and `first_to_last` has those of the last micro-batch on the first virtual stage alone.
///
/// For 1F1B and GPipe with equal stages, as many micro-batches as ranks and nothing computed again, `first_to_last` is what a
/// replay takes. Transfers take no time. `work(stage)` gives a stage_work<Number> of each virtual stage; a sum that does not fit is
/// as Number has it. Precondition: as for visit_peaks.
template <class Number, class Work>
[[nodiscard]] constexpr pipeline_bound<Number> pipeline_bound_of(const pipeline_shape& p, bool splits, const Work& work) noexcept {
  detail::pipeline_bound_builder<Number> builder{p, splits};
  for (std::int64_t rank = 0; rank < p.ranks; ++rank) {
    builder.begin(rank, 1);
    for (std::int64_t chunk = 0; chunk < chunks_of_rank(p); ++chunk)
      builder.add(chunk, work(virtual_stage(p.schedule, p.ranks, rank, chunk)));
    builder.end();
  }
  return builder.build();
}

/// Whether a schedule computes the gradients of inputs and of weights apart.
[[nodiscard]] constexpr bool splits_backward(schedule s) noexcept {
  return s != schedule::gpipe && s != schedule::one_forward_one_backward;
}

} // namespace moeplan
