#pragma once

#include <cstdint>

#include <moeplan/describe/layer_set.hpp>

/// @file
/// The mixture of experts of a model.

namespace moeplan {

/// How the router turns logits into scores.
enum class router_score : std::uint16_t { softmax, sigmoid };

/// A default-constructed one means a dense model.
struct experts {
  std::int64_t routed = 0;                   ///< experts a layer, without redundant copies
  std::int64_t top_k = 0;                    ///< routed experts each token visits
  std::int64_t intermediate_size = 0;        ///< of one routed expert
  std::int64_t shared_intermediate_size = 0; ///< of all shared experts together; 0: none
  bool shared_gate = false;                  ///< a learned gate of hidden size before the shared experts (Qwen2-MoE)
  std::int64_t groups = 1;                   ///< group-limited routing: groups of experts (DeepSeek: n_group)
  std::int64_t group_top_k = 1;              ///< groups a token may visit (DeepSeek: topk_group)
  router_score score = router_score::softmax;
  bool selection_bias = false; ///< one correction value an expert, for selection alone (arXiv 2408.15664)
  bool router_bias = false;    ///< a bias of the router's projection (gpt-oss)
  bool bias = false;           ///< biases in the projections of the routed experts (gpt-oss)
  layer_set layers{};          ///< which decoder layers hold them

  friend constexpr bool operator==(const experts&, const experts&) noexcept = default;
};

} // namespace moeplan
