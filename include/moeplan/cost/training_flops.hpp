#pragma once

#include <cstdint>

#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/flops.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/pass_tokens.hpp>
#include <moeplan/cost/recomputed_blocks.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// FLOPs of a training run: of a sequence, a step or all steps, of the model or of a virtual stage.

namespace moeplan {

/// Forward and backward passes of the same work.
template <class Integer = count>
struct training_flops {
  flops<Integer> forward{};
  flops<Integer> recomputed{}; ///< of the forward pass, once more in the backward pass

  /// Gradients of what each product multiplies: the passes that pipelines without bubbles take apart (arXiv 2401.10241). Products
  /// without weights have theirs here.
  [[nodiscard]] constexpr Integer input_gradient() const noexcept(noexcept(Integer{} * Integer{})) {
    return forward.with_weights() + Integer(2) * forward.without_weights();
  }
  [[nodiscard]] constexpr Integer weight_gradient() const noexcept(noexcept(Integer{} * Integer{})) {
    return forward.with_weights();
  }

  /// Both, without what is recomputed: twice the forward pass.
  [[nodiscard]] constexpr Integer backward() const noexcept(noexcept(Integer{} * Integer{})) {
    return Integer(2) * forward.total();
  }

  /// Model FLOPs, which MFU counts (PaLM, arXiv 2204.02311, appendix B): what the result needs, whatever is done to get it.
  [[nodiscard]] constexpr Integer model() const noexcept(noexcept(Integer{} * Integer{})) { return Integer(3) * forward.total(); }

  /// Hardware FLOPs, which HFU counts: with what is recomputed (arXiv 2205.05198).
  [[nodiscard]] constexpr Integer hardware() const noexcept(noexcept(Integer{} * Integer{})) {
    return model() + recomputed.total();
  }

  constexpr training_flops& operator+=(const training_flops& b) noexcept(noexcept(Integer{} + Integer{})) {
    forward += b.forward;
    recomputed += b.recomputed;
    return *this;
  }
  friend constexpr training_flops operator*(const Integer& n, const training_flops& f) noexcept(noexcept(Integer{} * Integer{})) {
    return {n * f.forward, n * f.recomputed};
  }
  friend constexpr bool operator==(const training_flops&, const training_flops&) noexcept = default;
};

/// The FLOPs of a training run. What its virtual stages have in common is computed once, when it is made; it refers to the deployment,
/// which must outlive it.
///
/// Everything is of all ranks together that work on a sequence, however TP, CP and EP divide the work between them; what TP ranks
/// repeat (down-projections of latent attention without sequence parallelism) counts once. The vocabulary is padded as the deployment
/// says, as in Megatron-LM's padded_vocab_size; with vocabulary_multiple 0 it is not. A count holds the FLOPs of a sequence; a step of a
/// large run needs uint256 or a type of <moeplan/multiprecision.hpp>, since 64 bits end at 1.8e19, and a count that is too small is
/// overflowed (in a constant expression: does not compile). Precondition: a training run that `check` accepts.
template <class Integer = count>
class run_flops {
  static constexpr bool never_throws = noexcept(Integer{} * Integer{});

public:
  constexpr explicit run_flops(const deployment& d, const flops_convention& how = flops_convention::exact()) noexcept(never_throws)
      : deployment_{&d},
        convention_{how},
        blocks_{
            block_flops_of<Integer>(d.model, pass_tokens::whole_sequence(d.workload.train.sequence_length), vocabulary(d), how)},
        again_{recomputed_blocks_of<Integer>(blocks_, d.workload.train)} {}

  explicit run_flops(deployment&&, const flops_convention& = {}) = delete;

  [[nodiscard]] constexpr std::int64_t stages() const noexcept {
    return virtual_stages(deployment_->strategy, deployment_->layout);
  }

  /// One of each block, for one sequence: forward, and what of it is done again where it is recomputed.
  [[nodiscard]] constexpr const block_flops<Integer>& blocks() const noexcept { return blocks_; }
  [[nodiscard]] constexpr const block_flops<Integer>& recomputed_blocks() const noexcept { return again_; }

  /// One sequence through a virtual stage; on which rank it lies pipeline/stage_placement.hpp says. Precondition: 0 <= stage < stages().
  [[nodiscard]] constexpr training_flops<Integer> of_stage(std::int64_t stage) const noexcept(never_throws) {
    const model& m = deployment_->model;
    const stage_contents held = contents_of(stage);
    const std::int64_t before = mtp_before(stage);
    const stage_blocks blocks = blocks_of_stage(m, held, before, convention_);
    return {flops_of_blocks<Integer>(blocks_, blocks),
            flops_of_blocks<Integer>(again_, recomputed_blocks_of_stage(m, held, blocks, deployment_->workload.train))};
  }

  /// One sequence through the model: the sum of all virtual stages.
  [[nodiscard]] constexpr training_flops<Integer> of_sequence() const noexcept(never_throws) {
    const model& m = deployment_->model;
    const training& t = deployment_->workload.train;
    const stage_blocks all = blocks_of_model(m, true, convention_);
    const bool by_stage = t.recompute == recompute::full && t.recompute_method == recompute_method::block;
    stage_blocks again;
    if (by_stage)
      for (std::int64_t stage = 0; stage < stages(); ++stage)
        again += recomputed_blocks_of_stage(m, contents_of(stage), {}, t); // Its first layers, whatever else it has.
    else
      again = all; // Blocks that are not recomputed take nothing.
    return {flops_of_blocks<Integer>(blocks_, all), flops_of_blocks<Integer>(again_, again)};
  }

  /// One step: the sequences of a global batch. Precondition: a global batch is given, or DP is.
  [[nodiscard]] constexpr training_flops<Integer> of_step() const noexcept(never_throws) {
    const training& t = deployment_->workload.train;
    const Integer sequences =
        t.global_batch.given ? Integer(t.global_batch.number) : Integer(t.micro_batch) * Integer(deployment_->strategy[axis::dp]);
    return sequences * of_sequence();
  }

private:
  [[nodiscard]] constexpr stage_contents contents_of(std::int64_t stage) const noexcept {
    return contents(deployment_->model, deployment_->strategy, deployment_->layout, stage);
  }

  /// Where a layout places the modules for multi-token prediction itself they may be on several stages.
  [[nodiscard]] constexpr std::int64_t mtp_before(std::int64_t stage) const noexcept {
    std::int64_t modules = 0;
    if (!deployment_->layout.places_mtp) return modules;
    for (std::int64_t s = 0; s < stage; ++s) modules += contents_of(s).mtp_layers;
    return modules;
  }

  [[nodiscard]] static constexpr Integer vocabulary(const deployment& d) noexcept(never_throws) {
    const Integer size(d.model.vocabulary_size);
    if (d.workload.train.vocabulary_multiple == 0) return size;
    const Integer unit = Integer(d.workload.train.vocabulary_multiple) * Integer(d.strategy[axis::tp]);
    return (size + unit - Integer(1)) / unit * unit;
  }

  const deployment* deployment_;
  flops_convention convention_;
  block_flops<Integer> blocks_;
  block_flops<Integer> again_;
};

} // namespace moeplan
