#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/tensors/linear_input.hpp>

/// @file
/// The tensors of a dense layer's MLP, as Megatron-LM with Transformer Engine has them.

namespace moeplan {

/// What an MLP block does, from the norm before it to the sum with the residual, and back.
namespace mlp_step {
enum : std::uint16_t {
  up_projection, ///< with the norm before it, and the gather of sequence parallelism
  activation,
  down_projection,
  reduction, ///< the reduce-scatter of sequence parallelism
  residual,
  backward,
  down_projection_gradient = backward,
  activation_gradient,
  up_projection_gradient,
  norm_gradient,
  end
};
} // namespace mlp_step

/// Visits every tensor that lives while the block works on one micro-batch. Sources: Megatron-LM core_r0.14, Transformer Engine 2.11.
template <class Visit>
constexpr void visit_mlp_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace mlp_step;
  const number_type type = s.type;
  const saturating_count width = s.rank.intermediate_size;
  const saturating_count up = s.rank.gated_mlp ? width * 2 : width;
  const bool selective = s.train.recompute == recompute::selective;
  const bool dropped = selective && s.train.recompute_modules.mlp;

  visit({"residual", "layernorm_linear.py inputmat", s.spread_tokens, s.hidden, type, 0, end});
  visit_linear_input(s, visit, {"norm output", "layernorm_linear.py ln_out", s.spread_tokens, s.hidden, type, 0, norm_gradient},
                     dropped, backward);
  visit_unless_dropped(visit, {"norm statistics", "layernorm_linear.py rsigma", s.spread_tokens, 1, number_type::fp32, 0, end},
                       dropped, backward, backward);
  visit_unless_dropped(visit,
                       {"up-projection", "fused_bias_swiglu.py save_for_backward", s.tokens, up, type, 0, up_projection_gradient},
                       dropped, backward, backward);
  visit_linear_input(s, visit, {"activation", "linear.py saved input", s.tokens, width, type, activation, activation_gradient},
                     dropped, backward);
  visit({"down-projection", "linear.py output", s.tokens, s.hidden, type, down_projection,
         s.sequence_parallel ? std::uint16_t{residual} : std::uint16_t{backward}});
  visit({"MLP output, next residual", "transformer_layer.py mlp_bda", s.spread_tokens, s.hidden, type, residual, backward});
  if (s.train.kernels.hidden_dropout)
    visit({"dropout mask", "fused_bias_dropout.py", s.spread_tokens, s.hidden, number_type::int8, residual, activation_gradient});
  if (dropped)
    visit({"recomputed MLP output", "tensor_parallel/random.py CheckpointFunction", s.spread_tokens, s.hidden, type, backward,
           norm_gradient});

  visit({gradient_of_the_residual, "autograd", s.spread_tokens, s.hidden, type, backward, end, true});
  visit({"gradient of the activation", "linear.py dgrad", s.tokens, width, type, down_projection_gradient, up_projection_gradient});
  visit({"gradient of the up-projection", "fused_bias_swiglu.py", s.tokens, up, type, activation_gradient, end, true});
  visit({"gradient of the norm output", "layernorm_linear.py dgrad", s.tokens, s.hidden, type, up_projection_gradient, end});
  visit({"gradient of the norm input", "layernorm_linear.py norm backward", s.spread_tokens, s.hidden, type, norm_gradient, end});
  if (!s.sequence_parallel) return;
  visit({"gathered norm output", "layernorm_linear.py ln_out_total", s.tokens, s.hidden, type, 0, activation});
  visit({"reduced down-projection", "linear.py reduce_scatter", s.spread_tokens, s.hidden, type, reduction, backward});
  visit({"gathered gradient of the output", "linear.py grad_output", s.tokens, s.hidden, type, down_projection_gradient,
         activation_gradient});
  visit({"gathered norm output", "layernorm_linear.py ln_out_total", s.tokens, s.hidden, type, up_projection_gradient,
         norm_gradient});
  visit({"reduced gradient of the norm output", "layernorm_linear.py reduce_scatter", s.spread_tokens, s.hidden, type,
         up_projection_gradient, end});
}

} // namespace moeplan
