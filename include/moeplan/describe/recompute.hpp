#pragma once

#include <cstdint>

/// @file
/// Which activations are computed again in the backward pass rather than kept.

namespace moeplan {

/// How much is computed again (--recompute-granularity).
enum class recompute : std::uint16_t {
  none,
  selective, ///< the modules of recompute_modules, in every layer
  full       ///< whole layers, of which only the inputs are kept
};

/// Parts of a layer that selective recompute can drop (--recompute-modules; transformer_config.py). By default the core attention.
struct recompute_modules {
  bool core_attention = true;
  bool mlp = false; ///< of dense layers
  bool moe = false;
  bool moe_activation = false;       ///< the activation function of the experts
  bool layer_norm = false;           ///< both norms of a layer
  bool latent_up_projection = false; ///< of latent attention: up-projections and rotary embedding
  bool shared_experts = false;

  friend constexpr bool operator==(const recompute_modules&, const recompute_modules&) noexcept = default;
};

/// Which layers full recompute takes (--recompute-method).
enum class recompute_method : std::uint16_t {
  uniform, ///< all of them, in groups of recompute_layers of which the first layer's input is kept
  block    ///< the first recompute_layers of each virtual stage; the others keep everything
};

} // namespace moeplan
