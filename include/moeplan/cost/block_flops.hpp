#pragma once

#include <cstdint>

#include <moeplan/cost/attention_pairs.hpp>
#include <moeplan/cost/flops.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/matrix_products.hpp>
#include <moeplan/cost/pass_tokens.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// FLOPs of each block of a model, and of which blocks a virtual stage is made up.

namespace moeplan {

/// One of each block that a model has, for one pass forward of one sequence. Computed once: a stage counts how many of each it has.
template <class Integer = count>
struct block_flops {
  flops<Integer> full_attention{};     ///< attends to all tokens, or to those that an indexer chooses of all
  flops<Integer> windowed_attention{}; ///< attends to a window
  flops<Integer> linear_attention{};
  flops<Integer> dense_mlp{};
  flops<Integer> moe_mlp{};
  flops<Integer> mtp_input{}; ///< what multi-token prediction makes the input of its layer from
  flops<Integer> head{};
  Integer latent_up_projections{0}; ///< the part of attention_projections, in a layer, that selective recompute can repeat alone
};

/// How many blocks of each kind a virtual stage has. Attention and MLP of a layer are counted apart: which attention a layer has says
/// nothing about its MLP. The layers of modules for multi-token prediction are counted with the others.
struct stage_blocks {
  std::int64_t full_attention = 0;
  std::int64_t windowed_attention = 0;
  std::int64_t linear_attention = 0;
  std::int64_t dense_mlp = 0;
  std::int64_t moe_mlp = 0;
  std::int64_t mtp_input = 0;
  std::int64_t heads = 0; ///< the main model's and those of multi-token prediction

  constexpr stage_blocks& operator+=(const stage_blocks& b) noexcept {
    full_attention += b.full_attention;
    windowed_attention += b.windowed_attention;
    linear_attention += b.linear_attention;
    dense_mlp += b.dense_mlp;
    moe_mlp += b.moe_mlp;
    mtp_input += b.mtp_input;
    heads += b.heads;
    return *this;
  }

  friend constexpr bool operator==(const stage_blocks&, const stage_blocks&) noexcept = default;
};

namespace detail {

/// How far a layer looks back, as far as the convention minds.
[[nodiscard]] constexpr attention_reach reach_of(const model& m, bool windowed, const flops_convention& how) noexcept {
  if (!how.windows) return {};
  const attention& a = m.attention;
  return {.window = windowed ? a.window.tokens : 0, .kind = a.window.kind, .top_k = a.indexer.top_k};
}

template <class Integer>
[[nodiscard]] constexpr flops<Integer> softmax_attention_flops(const model& m, const pass_tokens& pass, bool windowed,
                                                               const flops_convention& how) noexcept(noexcept(Integer{} *
                                                                                                              Integer{})) {
  const attention& a = m.attention;
  const bool latent = a.kind == attention_kind::latent;
  const Integer tokens = Integer(2) * Integer(pass.tokens);
  const attention_reach reach = reach_of(m, windowed, how);
  flops<Integer> f;
  f.attention_projections = tokens * attention_projection_products<Integer>(m);
  if (latent && how.norms) f.attention_projections += tokens * (Integer(a.q_lora_rank) + Integer(a.kv_lora_rank));
  // What is cached is compressed: in the expanded form it is projected up again in every pass.
  if (latent && pass.latent == latent_attention_form::expanded)
    f.attention_projections += Integer(2) * Integer(pass.cached) * latent_key_value_products<Integer>(m);
  f.core_attention = twice_attention_pairs<Integer>(pass, reach, how.pairs) * core_attention_products<Integer>(m, pass.latent);
  if (!how.indexers || a.indexer.heads == 0) return f;
  const attention_reach scored{.window = reach.window, .kind = reach.kind}; // all of which it chooses from
  f.indexer_projections = tokens * indexer_projection_products<Integer>(m);
  f.indexer_scores = twice_attention_pairs<Integer>(pass, scored, how.pairs) * indexer_score_products<Integer>(m);
  return f;
}

template <class Integer>
[[nodiscard]] constexpr flops<Integer> moe_flops(const model& m, const Integer& tokens,
                                                 const flops_convention& how) noexcept(noexcept(Integer{} * Integer{})) {
  const experts& e = m.experts;
  flops<Integer> f;
  if (how.routers) f.router = tokens * router_products<Integer>(m);
  f.routed_experts = tokens * mlp_products<Integer>(m, Integer(e.top_k) * Integer(e.intermediate_size));
  f.shared_experts = tokens * mlp_products<Integer>(m, Integer(e.shared_intermediate_size));
  return f;
}

/// Windowed layers from `first` to before `end`. Beside linear attention they are counted one by one: those of a stage, not all before it.
[[nodiscard]] constexpr std::int64_t windowed_blocks(const model& m, std::int64_t first, std::int64_t end) noexcept {
  if (!m.has_window() || !m.has_linear_attention()) return m.windowed_layers_below(end) - m.windowed_layers_below(first);
  std::int64_t windowed = 0;
  for (std::int64_t i = first; i < end; ++i)
    if (m.has_window(i)) ++windowed;
  return windowed;
}

} // namespace detail

/// The blocks of decoder layers from `first` to before `end`. Precondition: a model that `check` accepts, which has these layers.
[[nodiscard]] constexpr stage_blocks blocks_of_layers(const model& m, std::int64_t first, std::int64_t end) noexcept {
  const std::int64_t softmax = m.softmax_layers_below(end) - m.softmax_layers_below(first);
  stage_blocks n;
  n.windowed_attention = detail::windowed_blocks(m, first, end);
  n.full_attention = softmax - n.windowed_attention;
  n.linear_attention = end - first - softmax;
  n.moe_mlp = m.moe_layers_below(end) - m.moe_layers_below(first);
  n.dense_mlp = end - first - n.moe_mlp;
  return n;
}

/// The blocks of modules for multi-token prediction, without their heads: each a layer with the last decoder layer's kind of MLP, which
/// attends to all tokens (DeepSeek-V3, arXiv 2412.19437, section 2.2). `first` is the number of modules on stages before.
[[nodiscard]] constexpr stage_blocks blocks_of_mtp(const model& m, std::int64_t first, std::int64_t modules,
                                                   const flops_convention& how) noexcept {
  stage_blocks n;
  n.mtp_input = modules;
  (m.has_experts(m.layers - 1) ? n.moe_mlp : n.dense_mlp) = modules;
  if (how.pattern_goes_on && m.has_linear_attention()) {
    const std::int64_t begin = m.layers + first;
    n.full_attention = m.softmax_layers_below(begin + modules) - m.softmax_layers_below(begin);
    n.linear_attention = modules - n.full_attention;
  } else {
    n.full_attention = modules;
  }
  return n;
}

/// The blocks of a whole model, with its modules for multi-token prediction or without.
[[nodiscard]] constexpr stage_blocks blocks_of_model(const model& m, bool multi_token_prediction,
                                                     const flops_convention& how) noexcept {
  stage_blocks n = blocks_of_layers(m, 0, m.layers);
  n.heads = 1;
  if (!multi_token_prediction || m.mtp_layers == 0) return n;
  n += blocks_of_mtp(m, 0, m.mtp_layers, how);
  n.heads += m.mtp_layers;
  return n;
}

/// The blocks of a virtual stage. `mtp_before` is the number of modules for multi-token prediction on stages before. All heads are where
/// the loss is. Precondition: a deployment that `check` accepts.
[[nodiscard]] constexpr stage_blocks blocks_of_stage(const model& m, const stage_contents& stage, std::int64_t mtp_before,
                                                     const flops_convention& how) noexcept {
  stage_blocks n = blocks_of_layers(m, stage.first_layer, stage.first_layer + stage.decoder_layers);
  if (stage.mtp_layers > 0) n += blocks_of_mtp(m, mtp_before, stage.mtp_layers, how);
  if (stage.loss) n.heads = 1 + m.mtp_layers;
  return n;
}

/// Each block that a pass goes through; the others are zero. Every token visits its top-k experts: none is dropped, and nothing is padded.
/// `vocabulary` is the size that the head has, padded or not. Precondition: a model that `check` accepts; as for pass_tokens. `Integer`
/// may be a type of <moeplan/multiprecision.hpp>, or uint256; a count saturates.
template <class Integer = count>
[[nodiscard]] constexpr block_flops<Integer> block_flops_of(const model& m, const pass_tokens& pass, const Integer& vocabulary,
                                                            const flops_convention& how) noexcept(noexcept(Integer{} * Integer{})) {
  const stage_blocks n = blocks_of_model(m, pass.multi_token_prediction, how);
  const Integer hidden(m.hidden_size);
  const Integer tokens = Integer(2) * Integer(pass.tokens);
  block_flops<Integer> b;
  if (n.full_attention > 0) b.full_attention = detail::softmax_attention_flops<Integer>(m, pass, false, how);
  if (n.windowed_attention > 0) b.windowed_attention = detail::softmax_attention_flops<Integer>(m, pass, true, how);
  if (n.linear_attention > 0) {
    b.linear_attention.linear_projections = tokens * linear_projection_products<Integer>(m);
    b.linear_attention.delta_rule = tokens * delta_rule_products<Integer>(m, how.delta_rule);
  }
  if (n.dense_mlp > 0) b.dense_mlp.dense_mlp = tokens * mlp_products<Integer>(m, Integer(m.intermediate_size));
  if (n.moe_mlp > 0) b.moe_mlp = detail::moe_flops<Integer>(m, tokens, how);
  if (n.mtp_input > 0) {
    const Integer norms = how.norms ? Integer(3) * hidden : Integer(0);
    b.mtp_input.mtp_projections = tokens * (Integer(2) * hidden * hidden + norms);
  }
  b.head.head = Integer(2) * Integer(pass.logits) * hidden * vocabulary;
  if (m.attention.kind == attention_kind::latent)
    b.latent_up_projections = tokens * (latent_query_products<Integer>(m) + latent_key_value_products<Integer>(m));
  return b;
}

namespace detail {

/// Nothing of a block is nothing, however much one would be.
template <class Integer>
[[nodiscard]] constexpr Integer times(std::int64_t n, const Integer& one) noexcept(noexcept(Integer{} * Integer{})) {
  if (n == 0) return Integer(0);
  return Integer(n) * one;
}

} // namespace detail

/// So many blocks of each kind together, each with the components that such a block has.
template <class Integer = count>
[[nodiscard]] constexpr flops<Integer> flops_of_blocks(const block_flops<Integer>& b,
                                                       const stage_blocks& n) noexcept(noexcept(Integer{} * Integer{})) {
  const auto softmax = [&n](const Integer& full, const Integer& windowed) noexcept(noexcept(Integer{} * Integer{})) -> Integer {
    return detail::times<Integer>(n.full_attention, full) + detail::times<Integer>(n.windowed_attention, windowed);
  };
  flops<Integer> f;
  f.attention_projections = softmax(b.full_attention.attention_projections, b.windowed_attention.attention_projections);
  f.core_attention = softmax(b.full_attention.core_attention, b.windowed_attention.core_attention);
  f.indexer_projections = softmax(b.full_attention.indexer_projections, b.windowed_attention.indexer_projections);
  f.indexer_scores = softmax(b.full_attention.indexer_scores, b.windowed_attention.indexer_scores);
  f.linear_projections = detail::times<Integer>(n.linear_attention, b.linear_attention.linear_projections);
  f.delta_rule = detail::times<Integer>(n.linear_attention, b.linear_attention.delta_rule);
  f.dense_mlp = detail::times<Integer>(n.dense_mlp, b.dense_mlp.dense_mlp);
  f.router = detail::times<Integer>(n.moe_mlp, b.moe_mlp.router);
  f.routed_experts = detail::times<Integer>(n.moe_mlp, b.moe_mlp.routed_experts);
  f.shared_experts = detail::times<Integer>(n.moe_mlp, b.moe_mlp.shared_experts);
  f.mtp_projections = detail::times<Integer>(n.mtp_input, b.mtp_input.mtp_projections);
  f.head = detail::times<Integer>(n.heads, b.head.head);
  return f;
}

} // namespace moeplan
