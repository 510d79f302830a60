#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// Which weights of a stage are communicated, and between whom.

namespace moeplan {

/// What a rank holds, in numbers.
template <class Number = saturating_count>
struct stage_weight_counts {
  rank_parameters<Number> parameters{};
  /// Of dense ones those that TP ranks hold whole, and whose gradients they have for a part of the tokens each.
  Number whole{0};
  bool embeddings = false; ///< a copy of the embedding that other pipeline ranks hold too
  Number looked_up{0};     ///< of parameters, those of embeddings, of which a pass reads single rows
  Number tied_heads{0};    ///< of these, those that a head of the same stage reads whole

  constexpr stage_weight_counts& operator+=(const stage_weight_counts& b) noexcept {
    parameters += b.parameters;
    whole += b.whole;
    embeddings |= b.embeddings;
    looked_up += b.looked_up;
    tied_heads += b.tied_heads;
    return *this;
  }
};

namespace detail {

/// Bytes of weights that are gathered from shards: linear layers' in FP8, where they have no other copy (--fp8-param-gather).
template <class Number>
[[nodiscard]] constexpr Number gathered_weights(const parameter_group<Number>& held, const precision& p) noexcept {
  if (!p.fp8_weights || p.fp8 == fp8_recipe::none) return bytes_of<Number>(held.trained(), p.weights);
  return bytes_of<Number>(held.linear, number_type::fp8) + bytes_of<Number>(held.routers + held.others, p.weights);
}

} // namespace detail

/// The weights of all stages; in double for sums that need not be exact. Precondition: a training run that `check` accepts, with DP
/// given; `rank` is rank_model().
template <class Number = saturating_count>
class stage_weights {
public:
  constexpr stage_weights(const deployment& d, const model& rank) noexcept
      : deployment_{&d},
        parts_{detail::parts_in<Number>(parts_of_rank<saturating_count>(
            d.model, rank, d.strategy, d.workload.train.vocabulary_multiple, d.workload.train.assumptions))} {
    if (d.strategy[axis::tp] > 1) count_whole(d);
    if (d.strategy[axis::pp] > 1 && (d.model.tied_embeddings || d.model.mtp_layers > 0)) count_holders(d);
  }

  /// Of a virtual stage.
  [[nodiscard]] constexpr stage_weight_counts<Number> of_stage(const stage_contents& here) const noexcept {
    const stage_parts n = parts_of_stage(deployment_->model, here);
    stage_weight_counts<Number> held;
    held.parameters = parameters_of_stage<Number>(parts_, n);
    held.whole = Number(n.softmax_attention) * whole_attention_ + Number(n.moe_mlp) * whole_router_ +
                 Number(n.layers) * whole_layer_ + Number(n.mtp) * whole_mtp_;
    if (n.final_norm) held.whole += whole_norm_;
    if (n.embedding) held.looked_up = embedding();
    if (here.loss && !n.head_parameters) held.tied_heads = embedding();
    held.embeddings = embedding_holders_ > 1 && (n.embedding || (here.loss && deployment_->model.tied_embeddings));
    return held;
  }

  /// Numbers of an embedding on one rank.
  [[nodiscard]] constexpr Number embedding() const noexcept { return parts_.embedding.dense.others; }

  /// Pipeline ranks that hold a copy of the embedding, where their gradients have to be added up; else 0.
  [[nodiscard]] constexpr std::int64_t embedding_holders() const noexcept { return embedding_holders_; }

  /// The next pipeline rank that holds one, after the last the first. Precondition: this rank and another one do.
  [[nodiscard]] constexpr std::int64_t next_holder(std::int64_t rank) const noexcept {
    const std::int64_t ranks = deployment_->strategy[axis::pp];
    for (std::int64_t next = (rank + 1) % ranks; next != rank; next = (next + 1) % ranks)
      if (holds_embedding(next)) return next;
    return rank;
  }

private:
  /// With sequence parallelism norms, routers and down-projections see a part of the tokens on each rank. Norms of single heads see
  /// all tokens but a part of the heads (Megatron-LM, finalize_model_grads.py).
  constexpr void count_whole(const deployment& d) noexcept {
    using number = saturating_count;
    const model& m = d.model;
    const attention& a = m.attention;
    const assumptions& how = d.workload.train.assumptions;
    const bool latent = a.kind == attention_kind::latent;
    number of_attention;
    number of_router;
    number of_norm;
    number of_layer;
    if (!latent && a.norm == query_key_norm::per_head) of_attention = query_key_norms<number>(m);
    if (d.strategy[axis::sp] > 1) {
      if (latent) {
        of_attention = query_key_norms<number>(m) + indexer_parameters<number>(m);
        if (how.latent_down_projections == held::replicated)
          of_attention += number{m.hidden_size} * (number{a.q_lora_rank} + a.kv_lora_rank + a.qk_rope_head_dim);
      }
      of_norm = norm_parameters<number>(m);
      of_layer = of_norm * m.norms_per_layer;
      const experts& e = m.experts;
      if (m.has_experts()) {
        of_router = number{m.hidden_size} * (number{e.routed} + (e.shared_gate ? 1 : 0)) + (e.router_bias ? e.routed : 0);
        if (how.shared_experts == held::replicated) of_router += mlp_parameters<number>(m, e.shared_intermediate_size);
      }
    }
    whole_attention_ = detail::number_of<Number>(of_attention);
    whole_router_ = detail::number_of<Number>(of_router);
    whole_norm_ = detail::number_of<Number>(of_norm);
    whole_layer_ = detail::number_of<Number>(of_layer);
    if (m.mtp_layers == 0) return;
    const bool routes = m.has_experts(m.layers - 1);
    whole_mtp_ = detail::number_of<Number>(of_attention + of_layer + of_norm * 3 + (routes ? of_router : number{}));
  }

  [[nodiscard]] constexpr bool holds_embedding(std::int64_t rank) const noexcept {
    const deployment& d = *deployment_;
    const std::int64_t ranks = d.strategy[axis::pp];
    const std::int64_t chunks = virtual_stages(d.strategy, d.layout) / ranks;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const std::int64_t stage = virtual_stage(d.workload.train.schedule, ranks, rank, chunk);
      const stage_contents here = contents(d.model, d.strategy, d.layout, stage);
      if (here.embedding || here.mtp_layers > 0 || (here.loss && d.model.tied_embeddings)) return true;
    }
    return false;
  }

  /// DualPipe adds up all weights of its two copies anyway.
  constexpr void count_holders(const deployment& d) noexcept {
    const schedule order = d.workload.train.schedule;
    if (order == schedule::dualpipe) return;
    std::int64_t holders = placed_in_a_v(order) ? 1 : 2; // Both ends of a V are on the first rank.
    if (d.layout.places_mtp) {
      holders = 0;
      for (std::int64_t rank = 0; rank < d.strategy[axis::pp]; ++rank) holders += holds_embedding(rank) ? 1 : 0;
    }
    embedding_holders_ = holders > 1 ? holders : 0;
  }

  const deployment* deployment_;
  rank_parts<Number> parts_;
  Number whole_attention_{0};
  Number whole_router_{0};
  Number whole_layer_{0};
  Number whole_norm_{0};
  Number whole_mtp_{0};
  std::int64_t embedding_holders_ = 0;
};

} // namespace moeplan
