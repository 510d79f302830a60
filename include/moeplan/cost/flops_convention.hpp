#pragma once

#include <cstdint>

/// @file
/// What counts as a floating-point operation of a model: where publications differ, each difference by name.

namespace moeplan {

/// Which pairs of a query and a key count in core attention.
enum class counted_pairs : std::uint16_t {
  causal, ///< a token and each before it, itself too: s (s + 1) / 2 in a sequence of s
  half,   ///< half of all, s^2 / 2: a token's pair with itself counts half (Megatron-LM since core_r0.12)
  all     ///< s^2, as without any mask or window (arXiv 2104.04473, appendix; arXiv 2205.05198, appendix A; PaLM, arXiv 2204.02311)
};

/// What the gated delta rule takes for a token and a head of values, with keys of k and values of v elements.
enum class delta_rule_count : std::uint16_t {
  recurrence, ///< the state times the key, the update by an outer product, the state times the query: 3 k v multiply-adds
  megatron    ///< 4 v^2: keys as wide as values, and the decay of the state too (training.py, "gated delta rule")
};

/// Every product of matrices counts two FLOPs for each multiply-add, forward once and backward twice. Biases, norms, activation
/// functions, rotary embeddings, softmax, and the lookup of the embedding do not count unless a member says so.
struct flops_convention {
  counted_pairs pairs = counted_pairs::causal;
  /// Windows, and the choice of tokens by an indexer, limit the pairs. False: as if every layer attended to all tokens.
  bool windows = true;
  bool routers = true;  ///< routers, and the gates of shared experts
  bool indexers = true; ///< projections of indexers, and their scores of all tokens
  /// One multiply-add for each element of the norms that Megatron-LM counts: those of latent attention's compressed vectors, and three
  /// as wide as the model in a multi-token prediction module.
  bool norms = false;
  delta_rule_count delta_rule = delta_rule_count::recurrence;
  /// In a model with linear attention the modules for multi-token prediction go on with the pattern of layers past the last one. False:
  /// they have softmax attention.
  bool pattern_goes_on = false;

  /// Every product of matrices that the model asks for, and nothing else. A kernel may do more (arithmetic on masked pairs of a tile,
  /// scores once more in flash attention's backward pass, chunks of the delta rule): that is its efficiency.
  [[nodiscard]] static constexpr flops_convention exact() noexcept { return {}; }

  /// What Megatron-LM reports TFLOP/s with: num_floating_point_operations in megatron/training/training.py, core_v0.14.0 (models with
  /// linear attention and gated outputs: later versions). Windows, routers and indexers are absent from it.
  [[nodiscard]] static constexpr flops_convention megatron() noexcept {
    return {.pairs = counted_pairs::half,
            .windows = false,
            .routers = false,
            .indexers = false,
            .norms = true,
            .delta_rule = delta_rule_count::megatron,
            .pattern_goes_on = true};
  }

  friend constexpr bool operator==(const flops_convention&, const flops_convention&) noexcept = default;
};

} // namespace moeplan
