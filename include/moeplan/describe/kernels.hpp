#pragma once

/// @file
/// Which kernels a training run uses, as far as they decide what is kept for the backward pass.

namespace moeplan {

/// By default what launch scripts of MoE models choose: flash attention and no dropout (Megatron-LM's bare default is a dropout of 0.1).
struct kernels {
  bool flash_attention = true; ///< or cuDNN's fused attention: the probabilities are not kept (--use-flash-attn)
  /// Logits are kept in their own type and overwritten by their gradient (--cross-entropy-loss-fusion).
  bool fused_cross_entropy = false;
  /// Weight gradients are added to the gradient buffer by the multiplication itself (--no-gradient-accumulation-fusion).
  bool fused_weight_gradient = true;
  bool attention_dropout = false; ///< on the probabilities of attention
  bool hidden_dropout = false;    ///< after attention and after the MLP

  friend constexpr bool operator==(const kernels&, const kernels&) noexcept = default;
};

} // namespace moeplan
