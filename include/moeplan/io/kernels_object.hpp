#pragma once

#include <moeplan/describe/kernels.hpp>

/// @file
/// The object "kernels" of a training run in a deployment file.

namespace moeplan::io {

template <template <class> class Object>
void list_members(Object<kernels>& object) {
  object.member("flash_attention", &kernels::flash_attention, "Megatron-LM --use-flash-attn, as launch scripts of MoE models say");
  object.member("fused_cross_entropy", &kernels::fused_cross_entropy, "Megatron-LM: off without --cross-entropy-loss-fusion");
  object.member("fused_weight_gradient", &kernels::fused_weight_gradient,
                "Megatron-LM: on without --no-gradient-accumulation-fusion");
  object.member("attention_dropout", &kernels::attention_dropout,
                "Megatron-LM --attention-dropout 0, as launch scripts of MoE models say: without it, 0.1");
  object.member("hidden_dropout", &kernels::hidden_dropout,
                "Megatron-LM --hidden-dropout 0, as launch scripts of MoE models say: without it, 0.1");
}

} // namespace moeplan::io
