#pragma once

#include <moeplan/number/count.hpp>

/// @file
/// Floating-point operations, by component.

namespace moeplan {

/// FLOPs: two for each multiply-add of a product of matrices. Those of multi-token prediction are in the components of the layers and
/// heads that its modules have; what only they have is mtp_projections.
template <class Integer = count>
struct flops {
  Integer attention_projections{0}; ///< queries, keys, values, output and its gate, of softmax attention
  Integer core_attention{0};        ///< queries times keys, probabilities times values
  Integer indexer_projections{0};
  Integer indexer_scores{0};
  Integer linear_projections{0}; ///< projections and convolutions of linear attention
  Integer delta_rule{0};         ///< of linear attention: what its state takes part in
  Integer dense_mlp{0};
  Integer router{0}; ///< with the gates of shared experts
  Integer routed_experts{0};
  Integer shared_experts{0};
  Integer mtp_projections{0}; ///< of two hidden states to one
  Integer head{0};

  [[nodiscard]] constexpr Integer total() const noexcept(noexcept(Integer{} + Integer{})) {
    return with_weights() + without_weights();
  }

  /// Products of activations with weights. Backward each takes as much again for the gradient of its input, and as much for that of the
  /// weights.
  [[nodiscard]] constexpr Integer with_weights() const noexcept(noexcept(Integer{} + Integer{})) {
    return attention_projections + indexer_projections + linear_projections + dense_mlp + router + routed_experts + shared_experts +
           mtp_projections + head;
  }

  /// Products of activations with each other. Backward each takes twice as much, for the gradients of both.
  [[nodiscard]] constexpr Integer without_weights() const noexcept(noexcept(Integer{} + Integer{})) {
    return core_attention + indexer_scores + delta_rule;
  }

  constexpr flops& operator+=(const flops& b) noexcept(noexcept(Integer{} + Integer{})) {
    attention_projections = attention_projections + b.attention_projections;
    core_attention = core_attention + b.core_attention;
    indexer_projections = indexer_projections + b.indexer_projections;
    indexer_scores = indexer_scores + b.indexer_scores;
    linear_projections = linear_projections + b.linear_projections;
    delta_rule = delta_rule + b.delta_rule;
    dense_mlp = dense_mlp + b.dense_mlp;
    router = router + b.router;
    routed_experts = routed_experts + b.routed_experts;
    shared_experts = shared_experts + b.shared_experts;
    mtp_projections = mtp_projections + b.mtp_projections;
    head = head + b.head;
    return *this;
  }
  friend constexpr flops operator+(flops a, const flops& b) noexcept(noexcept(Integer{} + Integer{})) { return a += b; }

  friend constexpr flops operator*(const Integer& n, const flops& f) noexcept(noexcept(Integer{} * Integer{})) {
    if (n == Integer(0)) return {}; // However much one would be.
    return {n * f.attention_projections, n * f.core_attention, n * f.indexer_projections, n * f.indexer_scores,
            n * f.linear_projections,    n * f.delta_rule,     n * f.dense_mlp,           n * f.router,
            n * f.routed_experts,        n * f.shared_experts, n * f.mtp_projections,     n * f.head};
  }

  friend constexpr bool operator==(const flops&, const flops&) noexcept = default;
};

} // namespace moeplan
