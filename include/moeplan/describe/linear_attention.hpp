#pragma once

#include <cstdint>

#include <moeplan/describe/layer_set.hpp>

/// @file
/// Layers whose attention keeps a state of fixed size instead of keys and values.

namespace moeplan {

/// Gated DeltaNet (arXiv 2412.06464) as in Qwen3-Next. A default-constructed one means that every layer has softmax attention.
struct linear_attention {
  std::int64_t key_heads = 0; ///< of queries and of keys
  std::int64_t value_heads = 0;
  std::int64_t key_head_dim = 0;
  std::int64_t value_head_dim = 0;
  std::int64_t convolution = 0; ///< kernel size of the causal convolution over queries, keys and values
  layer_set softmax_layers{};   ///< the layers that have softmax attention in its place

  friend constexpr bool operator==(const linear_attention&, const linear_attention&) noexcept = default;
};

} // namespace moeplan
