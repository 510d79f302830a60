#pragma once

#include <cstdint>

#include <moeplan/balance/capacity.hpp>
#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/flops.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/pass_tokens.hpp>
#include <moeplan/cost/pipeline_bound.hpp>
#include <moeplan/cost/product_time.hpp>
#include <moeplan/cost/recomputed_blocks.hpp>
#include <moeplan/cost/training_flops.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How long the GPUs of each virtual stage multiply at least.

namespace moeplan {

namespace detail {

/// One of each block of a model.
struct block_seconds {
  product_seconds full_attention{};
  product_seconds windowed_attention{};
  product_seconds linear_attention{};
  product_seconds dense_mlp{};
  product_seconds moe_mlp{};
  product_seconds mtp_input{};
  product_seconds head{};

  constexpr block_seconds() noexcept = default;
  constexpr block_seconds(const block_flops<saturating_count>& b, const product_rates& rates) noexcept
      : full_attention{rates.seconds(b.full_attention)},
        windowed_attention{rates.seconds(b.windowed_attention)},
        linear_attention{rates.seconds(b.linear_attention)},
        dense_mlp{rates.seconds(b.dense_mlp)},
        moe_mlp{rates.seconds(b.moe_mlp)},
        mtp_input{rates.seconds(b.mtp_input)},
        head{rates.seconds(b.head)} {}

  [[nodiscard]] constexpr product_seconds of(const stage_blocks& n) const noexcept {
    product_seconds s;
    add(s, n.full_attention, full_attention);
    add(s, n.windowed_attention, windowed_attention);
    add(s, n.linear_attention, linear_attention);
    add(s, n.dense_mlp, dense_mlp);
    add(s, n.moe_mlp, moe_mlp);
    add(s, n.mtp_input, mtp_input);
    add(s, n.heads, head);
    return s;
  }

  /// Whether all rates that they take are.
  [[nodiscard]] constexpr bool known() const noexcept {
    double all = 0;
    for (const product_seconds& s : {full_attention, windowed_attention, linear_attention, dense_mlp, moe_mlp, mtp_input, head})
      all += s.with_weights + s.without_weights;
    return all < __builtin_inf();
  }

private:
  /// Nothing of a block is nothing, however long one would take.
  static constexpr void add(product_seconds& s, std::int64_t n, const product_seconds& one) noexcept {
    if (n > 0) s += static_cast<double>(n) * one;
  }
};

} // namespace detail

/// The matrix products of a training run's virtual stages, at the peak of the types that they multiply in. Each GPU of a stage does
/// as much: no division of the work among them is faster than that, and one in which they do not is slower on average, path by
/// path. Tokens are dropped only where the capacity is too small for evenly loaded experts, and nothing is padded. It refers to the
/// deployment, which must outlive it. Precondition: a training run that `check` accepts, with DP given.
class training_compute {
public:
  constexpr explicit training_compute(const deployment& d) noexcept
      : deployment_{&d}, run_{d}, gpus_{static_cast<double>(d.strategy[axis::tp] * d.strategy[axis::cp])} {
    const product_rates rates{d.cluster.gpu, product_types_of(d.workload), kept_choices(d.workload.train.routing)};
    forward_ = {run_.blocks(), rates};
    if (d.workload.train.recompute != recompute::none) again_ = {run_.recomputed_blocks(), rates};
  }

  explicit training_compute(deployment&&) = delete;

  [[nodiscard]] constexpr training_flops<saturating_count> of_sequence() const noexcept { return run_.of_sequence(); }

  /// Whether the GPU's description has the rates that it takes.
  [[nodiscard]] constexpr bool known() const noexcept { return forward_.known(); }

  /// Seconds of one micro-batch. Precondition: known(), 0 <= stage < virtual_stages.
  [[nodiscard]] constexpr stage_work<double> operator()(std::int64_t stage) const noexcept {
    const model& m = deployment_->model;
    const training& t = deployment_->workload.train;
    const stage_contents held = contents(m, deployment_->strategy, deployment_->layout, stage);
    const stage_blocks blocks = blocks_of_stage(m, held, 0, flops_convention::exact());
    return of(blocks, recomputed_blocks_of_stage(m, held, blocks, t));
  }

  /// The same of the blocks of a virtual stage, and of those that it computes again.
  [[nodiscard]] constexpr stage_work<double> of(const stage_blocks& blocks, const stage_blocks& recomputed) const noexcept {
    const product_seconds once = forward_.of(blocks);
    const product_seconds again = again_.of(recomputed);
    const double sequences = static_cast<double>(deployment_->workload.train.micro_batch) / gpus_;
    stage_work<double> w;
    w.forward = sequences * (once.with_weights + once.without_weights);
    w.recomputed = sequences * (again.with_weights + again.without_weights);
    w.input_gradient = w.recomputed + sequences * (once.with_weights + 2 * once.without_weights);
    w.weight_gradient = sequences * once.with_weights;
    return w;
  }

private:
  const deployment* deployment_;
  run_flops<saturating_count> run_;
  double gpus_; ///< that work on a sequence on one stage
  detail::block_seconds forward_{};
  detail::block_seconds again_{};
};

/// The blocks that tokens pass on a virtual stage of a deployment that serves: modules for multi-token prediction are loaded for drafts
/// alone. Precondition: a deployment that `check` accepts.
[[nodiscard]] constexpr stage_blocks served_blocks_of_stage(const model& m, stage_contents held, const serving& v) noexcept {
  if (!v.drafts) held.mtp_layers = 0;
  stage_blocks n = blocks_of_stage(m, held, 0, flops_convention::exact());
  if (held.loss && !v.drafts) n.heads = 1;
  return n;
}

/// The same for a deployment that serves, of whose sequences each gets `step_tokens` tokens and then has `sequence_length`. Latent
/// attention takes the form that is faster. The head makes logits of the last token of each sequence, with drafts of all.
/// Precondition: a deployment that serves and that `check` accepts, with DP given.
class serving_compute {
public:
  constexpr explicit serving_compute(const deployment& d) noexcept
      : deployment_{&d}, gpus_{static_cast<double>(d.strategy[axis::tp] * d.strategy[axis::cp])} {
    const serving& v = d.workload.serve;
    const product_rates rates{d.cluster.gpu, product_types_of(d.workload)};
    pass_tokens pass{.cached = v.sequence_length - v.new_tokens(),
                     .tokens = v.new_tokens(),
                     .logits = v.drafts ? v.new_tokens() : 1,
                     .multi_token_prediction = v.drafts};
    blocks_ = blocks_of(pass);
    forward_ = {blocks_, rates};
    if (d.model.attention.kind != attention_kind::latent) return;
    pass.latent = latent_attention_form::absorbed;
    const block_flops<saturating_count> absorbed = blocks_of(pass);
    const detail::block_seconds seconds{absorbed, rates};
    keep_faster(blocks_.full_attention, forward_.full_attention, absorbed.full_attention, seconds.full_attention);
    keep_faster(blocks_.windowed_attention, forward_.windowed_attention, absorbed.windowed_attention, seconds.windowed_attention);
  }

  explicit serving_compute(deployment&&) = delete;

  [[nodiscard]] constexpr training_flops<saturating_count> of_sequence() const noexcept {
    const deployment& d = *deployment_;
    constexpr flops_convention how = flops_convention::exact();
    return {flops_of_blocks<saturating_count>(blocks_, blocks_of_model(d.model, d.workload.serve.drafts, how)), {}};
  }

  /// Whether the GPU's description has the rates that it takes.
  [[nodiscard]] constexpr bool known() const noexcept { return forward_.known(); }

  /// Seconds of one sequence. Precondition: known(), 0 <= stage < virtual_stages.
  [[nodiscard]] constexpr stage_work<double> operator()(std::int64_t stage) const noexcept {
    const deployment& d = *deployment_;
    return of(served_blocks_of_stage(d.model, contents(d.model, d.strategy, d.layout, stage), d.workload.serve));
  }

  /// The same of the blocks of a virtual stage.
  [[nodiscard]] constexpr stage_work<double> of(const stage_blocks& blocks) const noexcept {
    const product_seconds once = forward_.of(blocks);
    return {.forward = (once.with_weights + once.without_weights) / gpus_};
  }

private:
  [[nodiscard]] constexpr block_flops<saturating_count> blocks_of(const pass_tokens& pass) const noexcept {
    const deployment& d = *deployment_;
    const auto vocabulary = padded_vocabulary<saturating_count>(d.model, d.strategy, d.workload.serve.vocabulary_multiple);
    return block_flops_of<saturating_count>(d.model, pass, vocabulary, flops_convention::exact());
  }

  static constexpr void keep_faster(flops<saturating_count>& kept, product_seconds& its, const flops<saturating_count>& other,
                                    const product_seconds& others) noexcept {
    if (others.with_weights + others.without_weights < its.with_weights + its.without_weights) {
      kept = other;
      its = others;
    }
  }

  const deployment* deployment_;
  double gpus_;
  block_flops<saturating_count> blocks_{};
  detail::block_seconds forward_{};
};

} // namespace moeplan
