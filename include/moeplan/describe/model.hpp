#pragma once

#include <cstdint>

#include <moeplan/describe/attention.hpp>
#include <moeplan/describe/experts.hpp>
#include <moeplan/describe/linear_attention.hpp>
#include <moeplan/number/optional_integer.hpp>

/// @file
/// A model's architecture as far as counts, bytes and FLOPs depend on it.

namespace moeplan {

/// A decoder-only transformer. Sizes are elements; legal are those from 1, which `check` verifies.
struct model {
  std::int64_t layers = 0; ///< decoder layers, without those for multi-token prediction
  std::int64_t hidden_size = 0;
  std::int64_t vocabulary_size = 0;
  std::int64_t intermediate_size = 0; ///< of the MLP in dense layers; 0 where there are none
  bool gated_mlp = true; ///< gate, up and down projections (SwiGLU) in dense layers and experts alike; else up and down
  moeplan::attention attention{};
  moeplan::linear_attention linear_attention{};
  moeplan::experts experts{};
  std::int64_t mtp_layers = 0; ///< multi-token prediction modules (DeepSeek-V3, arXiv 2412.19437 section 2.2)
  bool tied_embeddings = false;
  bool lm_head_bias = false;
  std::int64_t norms_per_layer = 2; ///< before attention and before the MLP; 4: after them too (Grok-1)
  bool norm_bias = false;           ///< LayerNorm: a weight and a bias an element; else RMSNorm: a weight
  optional_integer max_positions{}; ///< longest sequence that the position embedding is made for

  [[nodiscard]] constexpr bool has_experts() const noexcept { return experts.routed > 0; }
  [[nodiscard]] constexpr bool has_experts(std::int64_t layer) const noexcept {
    return has_experts() && experts.layers.contains(layer);
  }

  /// MoE layers among the first `end` decoder layers. Precondition as layer_set::count_below.
  [[nodiscard]] constexpr std::int64_t moe_layers_below(std::int64_t end) const noexcept {
    return has_experts() ? experts.layers.count_below(end) : 0;
  }
  [[nodiscard]] constexpr std::int64_t moe_layers() const noexcept { return moe_layers_below(layers); }
  [[nodiscard]] constexpr std::int64_t dense_layers() const noexcept { return layers - moe_layers(); }

  [[nodiscard]] constexpr bool has_linear_attention() const noexcept { return linear_attention.value_heads > 0; }
  [[nodiscard]] constexpr bool has_linear_attention(std::int64_t layer) const noexcept {
    return has_linear_attention() && !linear_attention.softmax_layers.contains(layer);
  }

  /// Layers with softmax attention among the first `end` decoder layers. Precondition as layer_set::count_below.
  [[nodiscard]] constexpr std::int64_t softmax_layers_below(std::int64_t end) const noexcept {
    return has_linear_attention() ? linear_attention.softmax_layers.count_below(end) : end;
  }
  [[nodiscard]] constexpr std::int64_t softmax_layers() const noexcept { return softmax_layers_below(layers); }

  [[nodiscard]] constexpr bool has_window() const noexcept { return attention.window.tokens > 0; }
  [[nodiscard]] constexpr bool has_window(std::int64_t layer) const noexcept {
    return has_window() && !has_linear_attention(layer) && !attention.window.full_layers.contains(layer);
  }

  /// Layers whose softmax attention has a window among decoder layers from `first` to before `end`. Beside linear attention they are
  /// looked at one by one. Precondition as layer_set::count_below.
  [[nodiscard]] constexpr std::int64_t windowed_layers(std::int64_t first, std::int64_t end) const noexcept {
    if (!has_window()) return 0;
    const layer_set& full = attention.window.full_layers;
    if (!has_linear_attention()) return end - first - (full.count_below(end) - full.count_below(first));
    std::int64_t windowed = 0;
    for (std::int64_t i = first; i < end; ++i)
      if (has_window(i)) ++windowed;
    return windowed;
  }
  [[nodiscard]] constexpr std::int64_t windowed_layers_below(std::int64_t end) const noexcept { return windowed_layers(0, end); }
  [[nodiscard]] constexpr std::int64_t windowed_layers() const noexcept { return windowed_layers_below(layers); }

  /// Width of one head of queries and keys. Precondition: at least one head.
  [[nodiscard]] constexpr std::int64_t head_dim() const noexcept {
    return attention.head_dim != 0 ? attention.head_dim : hidden_size / attention.heads;
  }

  friend constexpr bool operator==(const model&, const model&) noexcept = default;
};

} // namespace moeplan
