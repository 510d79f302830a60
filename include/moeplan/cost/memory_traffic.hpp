#pragma once

#include <cstdint>

#include <moeplan/cost/stage_weights.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/kv_cache.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/serving_weights.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/memory/training_memory.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/extremes.hpp>

/// @file
/// How many bytes a GPU reads from and writes to its memory in a step at least.

namespace moeplan {

/// Bytes read and written, together, by a rank of a stage.
template <class Number = saturating_count>
struct memory_bytes {
  Number step{0};     ///< in a whole step
  Number update{0};   ///< of it, what the update of the weights takes once all gradients are there
  double experts = 0; ///< beside it, on average: routed experts that any token chooses, while serving

  constexpr memory_bytes& operator+=(const memory_bytes& b) noexcept {
    step += b.step;
    update += b.update;
    experts += b.experts;
    return *this;
  }
  friend constexpr bool operator==(const memory_bytes&, const memory_bytes&) noexcept = default;
};

namespace detail {

/// To the power of n, by squaring.
[[nodiscard]] constexpr double power(double base, std::uint64_t n) noexcept {
  double result = 1;
  for (; n > 0; n /= 2) {
    if (n % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

/// Routed experts of a layer that any of so many tokens chooses, on average where each expert is as likely as any other and tokens choose
/// on their own: E (1 - (1 - k / E)^n). Tokens that crowd on few experts choose fewer.
[[nodiscard]] constexpr double chosen_experts(const experts& e, saturating_count tokens) noexcept {
  const auto all = static_cast<double>(e.routed);
  return all * (1 - power(1 - static_cast<double>(e.top_k) / all, tokens.bits));
}

/// Numbers that a pass reads of a group: linear layers in FP8 where they multiply in it.
template <class Number>
[[nodiscard]] constexpr Number read_once(const parameter_group<Number>& g, const precision& p) noexcept {
  const number_type multiplied = p.fp8 == fp8_recipe::none ? p.weights : number_type::fp8;
  return bytes_of<Number>(g.linear, multiplied) + bytes_of<Number>(g.routers + g.others, p.weights);
}

/// Adds up what of visit_states belongs to the optimizer and is on the GPU.
template <class Number>
struct optimizer_bytes {
  const training* run = nullptr;
  Number sum{0};

  constexpr void operator()(state_kind kind, const Number& numbers, number_type type) noexcept {
    if (optimizes(kind)) sum += device_part<Number>(bytes_of<Number>(numbers, type), *run);
  }
};

/// The states of a group on a rank: what is updated is read and written, the gradients are read, and the weights are written.
template <class Number>
[[nodiscard]] constexpr Number update_bytes(const parameter_group<Number>& g, const training& t, std::int64_t ranks) noexcept {
  if (t.optimizer == optimizer::none) return Number(0);
  const precision& p = t.precision;
  const bool only_quantised = p.fp8_weights && p.fp8 != fp8_recipe::none;
  const bool own_master = !only_quantised && p.master_weights == p.weights;
  const auto shards = Number(t.sharding >= sharding::optimizer ? ranks : 1);
  const auto trained = divided_up<Number>(g.trained(), shards);
  auto weights = bytes_of<Number>(trained, p.weights);
  if (only_quantised) {
    const auto linear = divided_up<Number>(g.linear, shards);
    weights = linear + bytes_of<Number>(trained - linear, p.weights);
  }
  optimizer_bytes<Number> states{&t};
  visit_states<Number>(g, t, ranks, states);
  return states.sum * Number(2) + bytes_of<Number>(trained, p.gradients) + weights * Number(own_master ? 2 : 1);
}

/// The gradients of a group, or the part of them that a rank keeps.
template <class Number>
[[nodiscard]] constexpr Number gradient_bytes(const parameter_group<Number>& g, const training& t, std::int64_t ranks) noexcept {
  const auto shards = Number(t.sharding >= sharding::gradients ? ranks : 1);
  return bytes_of<Number>(divided_up<Number>(g.trained(), shards), t.precision.gradients);
}

} // namespace detail

/// Of a rank in a training step, where everything that fits into caches and registers stays there: activations are not counted, and weights
/// are read once, not once for each micro-batch. What has to be moved whatever kernels do: each weight is read, each gradient written, and
/// the update reads gradients, reads and writes master weights and moments, and writes weights. Of an embedding no more than its
/// gradient and its update count. Precondition: a training run that `check` accepts, DP given; `held` is what stage_weights has of the
/// rank's virtual stages, added up.
template <class Number>
[[nodiscard]] constexpr memory_bytes<Number> training_memory_traffic(const stage_weight_counts<Number>& held, const strategy& s,
                                                                     const training& t) noexcept {
  const detail::state_ranks ranks = detail::state_ranks_of(s, t);
  const rank_parameters<Number>& all = held.parameters;
  parameter_group<Number> read = all.dense;
  read.others = read.others - held.looked_up + held.tied_heads;
  memory_bytes<Number> b;
  b.update = detail::update_bytes(all.dense, t, ranks.dense) + detail::update_bytes(all.experts, t, ranks.experts);
  b.step = b.update + detail::read_once(read, t.precision) + detail::read_once(all.experts, t.precision) +
           detail::gradient_bytes(all.dense, t, ranks.dense) + detail::gradient_bytes(all.experts, t, ranks.experts);
  return b;
}

/// Of a step of a deployment that serves, after which each sequence has `sequence_length` tokens, `step_tokens` of them new: each weight
/// is read once, of routed experts those that tokens choose; keys and values of each token that is
/// attended to are read once, or written, if it is new; states of linear attention are read and written. Lookups of the embedding are not
/// counted, nor activations. Precondition: a deployment that serves and that `check` accepts, DP given.
class serving_memory_traffic {
public:
  constexpr explicit serving_memory_traffic(const deployment& d) noexcept
      : deployment_{&d}, serve_{d.workload.serve}, rank_{rank_model(d.model, d.strategy, d.workload.serve.redundant_experts)} {
    // Token by token, as far as windows reach, and each matrix once.
    serve_.block_size = 1;
    serve_.windows = windowed_cache::window;
    serve_.absorbed_projections = false;
    one_ = weights_of_rank<saturating_count>(d.model, rank_, d.strategy, serve_);
    if (d.model.has_experts()) chosen_ = bytes_of_chosen_experts();
  }

  /// Of what a rank holds of one virtual stage; those of several add up.
  [[nodiscard]] constexpr memory_bytes<> of_stage(stage_contents held) const noexcept {
    if (!serve_.drafts) held.mtp_layers = 0;
    memory_bytes<> b;
    const stage_parts n = parts_of_stage(deployment_->model, held);
    b.step = weights_of(held, n) + cache_of(held) * serve_.batch;
    b.experts = chosen_ * static_cast<double>(n.moe_mlp + (experts_in_mtp() ? n.mtp : 0));
    return b;
  }

private:
  [[nodiscard]] constexpr bool experts_in_mtp() const noexcept {
    const model& m = deployment_->model;
    return m.has_experts() && m.has_experts(m.layers - 1);
  }

  /// Of one layer, on a rank.
  [[nodiscard]] constexpr double bytes_of_chosen_experts() const noexcept {
    const deployment& d = *deployment_;
    const bool shared = serve_.data_parallelism == data_parallelism::attention;
    const saturating_count tokens =
        saturating_count{serve_.batch} * serve_.new_tokens() * (shared ? d.strategy[axis::dp] : std::int64_t{1});
    const saturating_count expert = one_.routed_experts.total() / rank_.experts.routed;
    return static_cast<double>(expert.bits) * detail::chosen_experts(d.model.experts, tokens) /
           static_cast<double>(d.strategy[axis::ep]);
  }

  /// Without routed experts.
  [[nodiscard]] constexpr saturating_count weights_of(const stage_contents& held, const stage_parts& n) const noexcept {
    serving_weights<saturating_count> all = weights_of_stage<saturating_count>(one_, deployment_->model, held, serve_);
    all.embedding = {};
    all.routed_experts = {};
    all.mtp = {};
    all.head = held.loss ? one_.head : weight_bytes<saturating_count>{};
    saturating_count mtp = one_.mtp.total();
    if (n.mtp > 0 && experts_in_mtp()) mtp = mtp - one_.routed_experts.total();
    return all.total() + mtp * n.mtp;
  }

  /// Of one sequence.
  [[nodiscard]] constexpr saturating_count cache_of(const stage_contents& held) const noexcept {
    const cache_rates<saturating_count> r = cache_rates_of<saturating_count>(deployment_->model, rank_, held, serve_);
    const attention& a = deployment_->model.attention;
    const std::int64_t length = serve_.sequence_length;
    const std::int64_t chosen =
        a.indexer.top_k > 0 ? detail::least(length, detail::greatest(a.indexer.top_k, serve_.new_tokens())) : length;
    const sequence_cache<saturating_count> all = cache_of_sequence<saturating_count>(r, length);
    const sequence_cache<saturating_count> attended = cache_of_sequence<saturating_count>(r, chosen);
    return attended.keys_and_values + all.indexer_keys + r.windowed_block * tokens_in_windows(a.window, length) + all.states * 2;
  }

  /// Tokens in the windows of the new ones, those too: from the beginning of the first one's chunk on, or so many before it.
  [[nodiscard]] constexpr std::int64_t tokens_in_windows(const attention_window& w, std::int64_t length) const noexcept {
    if (w.tokens == 0) return 0;
    if (w.kind == window_kind::chunked) return serve_.new_tokens() + (length - serve_.new_tokens()) % w.tokens;
    return length - w.tokens < serve_.new_tokens() ? length : w.tokens + serve_.new_tokens() - 1;
  }

  const deployment* deployment_;
  serving serve_;
  model rank_;
  serving_weights<saturating_count> one_{};
  double chosen_ = 0; ///< bytes
};

} // namespace moeplan
