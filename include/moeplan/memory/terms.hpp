#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/memory/chunk_memory.hpp>
#include <moeplan/memory/state_source.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/training_memory.hpp>
#include <moeplan/text/text.hpp>

/// @file
/// Every tensor and buffer that is alive when a stage's memory peaks: any byte of a prediction can be read off here.

namespace moeplan {

/// How long something lives.
enum class lifetime : std::uint16_t {
  run,            ///< as long as the training run
  kept,           ///< from a micro-batch's forward pass to its backward pass
  between_stages, ///< from one pass of the pipeline to the next
  at_work         ///< in the block that is at work at the peak
};

/// Whose states a tensor is.
enum class state_owner : std::uint16_t {
  none,   ///< it is none
  dense,  ///< parameters of which DP x CP ranks hold the same
  experts ///< parameters of which EDP ranks hold the same
};

/// Equal tensors on a rank.
struct memory_term {
  moeplan::tensor tensor{};
  std::int64_t times = 1;
  moeplan::lifetime lifetime = moeplan::lifetime::run;
  moeplan::block block = moeplan::block::none; ///< which it belongs to; none: to no block
  saturating_count bytes{0};                   ///< of all of them, as an allocator takes them
  state_owner owner = state_owner::none;
  state_kind state = state_kind::none; ///< what of it
};

namespace detail {

inline constexpr std::size_t number_of_blocks = static_cast<std::size_t>(block::checkpoint) + 1;

/// How many of each block are kept.
struct kept_blocks {
  std::int64_t times[number_of_blocks]{};

  constexpr void keep(block kind, std::int64_t n) noexcept { times[static_cast<std::size_t>(kind)] += n; }
};

/// Remembers what is kept at the peaks of a walk.
struct kept_record {
  kept_blocks now{};
  kept_blocks passed{}; ///< what is computed again included
  kept_blocks forward{};
  kept_blocks backward{};

  constexpr void keep(block kind, std::int64_t n) noexcept {
    now.keep(kind, n);
    passed.keep(kind, n);
  }
  constexpr void recompute(block kind, std::int64_t n) noexcept { passed.keep(kind, n); }
  constexpr void leave_checkpoint(const kept_record& inside, std::int64_t inputs) noexcept {
    passed = inside.passed;
    now.keep(block::checkpoint, inputs);
  }
  constexpr void forward_peaks(const kept_record& inside) noexcept { forward = inside.now; }
  constexpr void backward_peaks(const kept_record& inside) noexcept { backward = inside.now; }
  [[nodiscard]] constexpr kept_record at_forward_peak() const noexcept { return {.now = forward}; }
  [[nodiscard]] constexpr kept_record at_backward_peak() const noexcept { return {.now = backward}; }
};

/// Passes on tensors of a block: those that are alive from step `first` to step `last`, or those that the gradients of weights need.
template <class Visit>
struct block_tensors {
  Visit* visit = nullptr;
  moeplan::block block = moeplan::block::none;
  moeplan::lifetime lifetime = moeplan::lifetime::kept;
  std::int64_t times = 1;
  bool for_weights = false;
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  bool residual_gradient_is_counted = false; ///< among what passes between stages

  constexpr void operator()(const tensor& t) noexcept {
    if (for_weights ? !t.for_weights : t.from > first || t.until <= last) return;
    if (residual_gradient_is_counted && text{t.name} == text{gradient_of_the_residual}) return;
    (*visit)(memory_term{t, times, lifetime, block, allocated(bytes_of(t)) * times});
  }
};

/// Passes on tensors that live as long as the run.
template <class Visit>
struct standing_terms {
  Visit* visit = nullptr;
  constexpr void operator()(const tensor& t) noexcept {
    (*visit)(memory_term{t, 1, lifetime::run, block::none, allocated(bytes_of(t))});
  }
};

/// Passes on the tensors of parameters' states, less what is in the host's memory.
template <class Visit>
struct state_terms {
  Visit* visit = nullptr;
  const training* run = nullptr;
  state_owner owner = state_owner::none;
  bool before_training = false; ///< there are no optimizer states yet

  constexpr void operator()(state_kind kind, saturating_count numbers, number_type type) noexcept {
    if (optimizes(kind) && before_training) return;
    const auto all = bytes_of<saturating_count>(numbers, type);
    const saturating_count here = optimizes(kind) ? device_part<saturating_count>(all, *run) : all;
    if (here == 0) return;
    (*visit)(memory_term{
        .tensor = {name_of(kind), source_of(kind, *run), numbers, 1, type}, .bytes = here, .owner = owner, .state = kind});
  }
};

/// All terms of one rank.
template <class Visit>
class term_walk {
public:
  constexpr term_walk(const training_memory<>& memory, std::int64_t rank, Visit& visit) noexcept
      : memory_{&memory}, visit_{&visit}, rank_{rank}, number_{memory.chunks()} {}

  constexpr void walk() noexcept {
    const deployment& d = memory_->run();
    rank_parameters<saturating_count> parameters;
    stage_parts all;
    for (std::int64_t c = 0; c < number_; ++c) {
      const stage_contents held = memory_->contents_of(rank_, c);
      const stage_parts n = parts_of_stage(d.model, held);
      walk_chunk(walks_[c], d.model, memory_->blocks(), d.workload.train, held, n);
      chunks_[c] = walks_[c].memory;
      parameters += parameters_of_stage(memory_->parts(), n);
      all += n;
    }
    const training_memory<>::stage_bytes stage = memory_->stage(rank_);
    visit_states_of(parameters, stage.time == peak_time::start);
    if (stage.time == peak_time::start)
      return visit_copies("weights, before they are moved into their buffer", "param_and_grad_buffer.py", stage.workspace,
                          number_type::int8);
    standing_terms<Visit> standing{visit_};
    memory_->visit_workspace(all, standing);
    if (stage.time == peak_time::update)
      return visit_copies("gradients in fp32", "optimizer.py _copy_model_grads_to_main_grads",
                          memory_->gradient_copies(parameters) / 4, number_type::fp32);
    const stage_contents first = memory_->contents_of(rank_, 0);
    const bool alone = number_ == 1;
    visit_activations(memory_->peak_of(rank_, chunks_, number_, alone && first.embedding, alone && first.loss));
  }

private:
  constexpr void visit_states_of(const rank_parameters<saturating_count>& parameters, bool before_training) noexcept {
    const training& t = memory_->run().workload.train;
    state_terms<Visit> dense{visit_, &t, state_owner::dense, before_training};
    visit_states<saturating_count>(parameters.dense, t, memory_->ranks().dense, dense);
    state_terms<Visit> experts{visit_, &t, state_owner::experts, before_training};
    visit_states<saturating_count>(parameters.experts, t, memory_->ranks().experts, experts);
  }

  constexpr void visit_copies(const char* name, const char* source, saturating_count numbers, number_type type) noexcept {
    const tensor copies{name, source, numbers, 1, type};
    (*visit_)(memory_term{copies, 1, lifetime::at_work, block::none, bytes_of(copies)});
  }

  constexpr void visit_activations(const activation_peak& peak) noexcept {
    const saturating_count residual = memory_->blocks().residual;
    const std::int64_t passing = residual == 0 ? 0 : static_cast<std::int64_t>((peak.buffers / residual).bits);
    if (passing > 0)
      visit_residuals("hidden states and their gradients that passed between stages",
                      "schedules.py output_tensor_grad, input_tensor_grad, output_tensor", passing, lifetime::between_stages);
    for (std::int64_t c = 0; c < number_; ++c) {
      const held_activations held = peak.at.held(c);
      const bool forward = c == peak.at.forward_chunk();
      const bool backward = c == peak.at.backward_chunk();
      visit_kept(walks_[c].record.now, held.whole - (forward ? 1 : 0) - (backward ? 1 : 0));
      visit_for_weights(walks_[c].record.passed, held.weight_gradient);
      if (forward) visit_at_work(walks_[c].record.forward, chunks_[c].forward_at, c);
      if (backward) visit_at_work(walks_[c].record.backward, chunks_[c].backward_at, c);
    }
  }

  constexpr void visit_residuals(const char* name, const char* source, std::int64_t times, lifetime how_long) noexcept {
    const activation_shape& s = memory_->shape();
    (*visit_)(memory_term{
        {name, source, s.spread_tokens, s.hidden, s.type}, times, how_long, block::none, memory_->blocks().residual * times});
  }

  constexpr void visit_kept(const kept_blocks& kept, std::int64_t micro_batches) noexcept {
    for (std::size_t i = 0; i < number_of_blocks && micro_batches > 0; ++i) {
      const std::int64_t times = kept.times[i] * micro_batches;
      const auto kind = static_cast<block>(i);
      if (times == 0) continue;
      if (kind == block::checkpoint) {
        visit_residuals("inputs of layers that are computed again", "tensor_parallel/random.py checkpoint", times, lifetime::kept);
        continue;
      }
      const std::uint16_t backward = steps_of(kind, memory_->shape().rank.attention.kind).backward;
      block_tensors<Visit> alive{.visit = visit_, .block = kind, .times = times, .first = previous(backward), .last = backward};
      visit_tensors_of(kind, memory_->shape(), alive);
    }
  }

  constexpr void visit_for_weights(const kept_blocks& kept, std::int64_t micro_batches) noexcept {
    for (std::size_t i = 0; i < number_of_blocks && micro_batches > 0; ++i) {
      const std::int64_t times = kept.times[i] * micro_batches;
      block_tensors<Visit> needed{.visit = visit_, .block = static_cast<block>(i), .times = times, .for_weights = true};
      if (needed.times > 0) visit_tensors_of(needed.block, memory_->shape(), needed);
    }
  }

  /// What is kept before the block at work, and what is alive in it.
  constexpr void visit_at_work(const kept_blocks& before, const work_place& at, std::int64_t chunk) noexcept {
    visit_kept(before, 1);
    const bool counted = at.backward && is_last_mlp(at, chunk);
    block_tensors<Visit> alive{.visit = visit_,
                               .block = at.block,
                               .lifetime = lifetime::at_work,
                               .first = at.step,
                               .last = at.step,
                               .residual_gradient_is_counted = counted};
    visit_tensors_of(at.block, memory_->shape(), alive);
    if (at.again && !counted)
      visit_residuals("gradient of the output, waiting", "tensor_parallel/random.py checkpoint", 1, lifetime::at_work);
  }

  /// Whether the gradient of a block's output is the one that the next stage sent.
  [[nodiscard]] constexpr bool is_last_mlp(const work_place& at, std::int64_t chunk) const noexcept {
    if (at.block != block::dense_mlp && at.block != block::moe_mlp && !at.again) return false;
    return at.layer >= 0 && at.layer == walks_[chunk].last_layer;
  }

  [[nodiscard]] static constexpr std::uint16_t previous(std::uint16_t step) noexcept {
    return static_cast<std::uint16_t>(step - 1);
  }

  const training_memory<>* memory_;
  Visit* visit_;
  std::int64_t rank_;
  std::int64_t number_;
  chunk_walk<kept_record> walks_[training_memory<>::most_chunks]{};
  chunk_memory chunks_[training_memory<>::most_chunks]{};
};

} // namespace detail

/// Calls visit(const memory_term&) for everything that is alive on a rank of stage `rank` at its peak; the bytes add up to the stage's
/// peak. Precondition: 0 <= rank < memory.stages().
template <class Visit>
constexpr void visit_memory_terms(const training_memory<>& memory, std::int64_t rank, Visit& visit) noexcept {
  detail::term_walk<Visit> terms{memory, rank, visit};
  terms.walk();
}

} // namespace moeplan
