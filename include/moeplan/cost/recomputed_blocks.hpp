#pragma once

#include <cstdint>

#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/flops.hpp>
#include <moeplan/describe/recompute.hpp>
#include <moeplan/describe/training.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// What recomputation does once more in the backward pass.

namespace moeplan {

namespace detail {

template <class Integer>
[[nodiscard]] constexpr flops<Integer> selected_of_attention(const flops<Integer>& f, const Integer& up_projections,
                                                             const recompute_modules& modules) noexcept(noexcept(Integer{} *
                                                                                                                 Integer{})) {
  flops<Integer> again;
  if (modules.core_attention) again.core_attention = f.core_attention;
  if (modules.latent_up_projection) again.attention_projections = up_projections;
  return again;
}

/// Shared experts that are a checkpoint within that of their layer are done again twice: when the layer is, and for their own backward
/// pass (moe_layer.py, forward and experts_compute).
template <class Integer>
[[nodiscard]] constexpr flops<Integer> selected_of_experts(const flops<Integer>& f,
                                                           const recompute_modules& modules) noexcept(noexcept(Integer{} *
                                                                                                               Integer{})) {
  flops<Integer> again;
  if (modules.moe) again = f;
  if (modules.shared_experts) again.shared_experts = again.shared_experts + f.shared_experts;
  return again;
}

} // namespace detail

/// Of each block what is done again where it is recomputed. Activation functions and norms are no products of matrices, the head is
/// always kept, and selective recompute knows the softmax core attention alone (Megatron-LM core_v0.14.0, transformer_config.py,
/// recompute_modules). Padding and routing are those of the first time.
template <class Integer = count>
[[nodiscard]] constexpr block_flops<Integer> recomputed_blocks_of(const block_flops<Integer>& b,
                                                                  const training& t) noexcept(noexcept(Integer{} * Integer{})) {
  block_flops<Integer> again;
  switch (t.recompute) {
    case recompute::none: break;
    case recompute::selective: {
      const recompute_modules& modules = t.recompute_modules;
      again.full_attention = detail::selected_of_attention<Integer>(b.full_attention, b.latent_up_projections, modules);
      again.windowed_attention = detail::selected_of_attention<Integer>(b.windowed_attention, b.latent_up_projections, modules);
      if (modules.mlp) again.dense_mlp = b.dense_mlp;
      again.moe_mlp = detail::selected_of_experts<Integer>(b.moe_mlp, modules);
      break;
    }
    case recompute::full:
      again = b;
      again.head = {};
      break;
  }
  return again;
}

/// How many blocks of a virtual stage are recomputed, each as recomputed_blocks_of says; `blocks` are those that it has. Uniform full
/// recompute takes every layer once, however many make a group, and modules for multi-token prediction from their input on; by block it
/// takes the first layers of the stage and no module (multi_token_prediction.py, _checkpointed_forward). Selective recompute takes its
/// modules in every layer.
[[nodiscard]] constexpr stage_blocks recomputed_blocks_of_stage(const model& m, const stage_contents& stage,
                                                                const stage_blocks& blocks, const training& t) noexcept {
  if (t.recompute == recompute::none) return {};
  if (t.recompute == recompute::selective || t.recompute_method == recompute_method::uniform) return blocks;
  const std::int64_t layers = t.recompute_layers < stage.decoder_layers ? t.recompute_layers : stage.decoder_layers;
  return blocks_of_layers(m, stage.first_layer, stage.first_layer + layers);
}

} // namespace moeplan
