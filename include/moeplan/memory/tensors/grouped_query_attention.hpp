#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/tensors/linear_input.hpp>
#include <moeplan/memory/tensors/softmax_attention.hpp>

/// @file
/// The tensors of an attention block with grouped queries, as Megatron-LM with Transformer Engine has them.

namespace moeplan {

/// What the block does, from the norm before it to the sum with the residual, and back.
namespace grouped_query_step {
enum : std::uint16_t {
  projection, ///< of queries, keys and values together, with the norm before it
  query_copy,
  rotation, ///< rotary embedding of queries and keys
  exchange, ///< of context parallelism
  core,
  output,
  reduction, ///< the reduce-scatter of sequence parallelism
  residual,
  backward,
  output_gradient = backward,
  core_gradient,
  key_rotation_gradient,
  query_rotation_gradient,
  joined_gradient, ///< gradients of queries, keys and values in one tensor
  projection_gradient,
  norm_gradient,
  end
};
} // namespace grouped_query_step

/// Visits every tensor that lives while the block works on one micro-batch. Sources: Megatron-LM core_r0.14 (attention.py,
/// transformer_layer.py), Transformer Engine 2.11.
template <class Visit>
constexpr void visit_grouped_query_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace grouped_query_step;
  const number_type type = s.type;
  const attention& a = s.rank.attention;
  const saturating_count joined = s.queries * (a.output_gate ? 2 : 1) + s.keys + s.values;
  const bool core_dropped = s.train.recompute == recompute::selective && s.train.recompute_modules.core_attention;
  const bool several_groups = a.kv_heads > 1;

  visit({"residual", "layernorm_linear.py inputmat", s.spread_tokens, s.hidden, type, 0, end});
  visit_linear_input(s, visit, {"norm output", "layernorm_linear.py ln_out", s.spread_tokens, s.hidden, type, 0, norm_gradient},
                     false, backward);
  visit({"norm statistics", "layernorm_linear.py rsigma", s.spread_tokens, 1, number_type::fp32, 0, end});
  // Checkpointed core attention saves the values, a view that keeps all of it alive.
  visit({"queries, keys and values", "attention.py get_query_key_value_tensors", s.tokens, joined, type, 0,
         core_dropped ? std::uint16_t{key_rotation_gradient} : std::uint16_t{residual}});
  if (several_groups) visit({"copy of the queries", "attention.py query.reshape", s.tokens, s.queries, type, query_copy, exchange});
  visit_core_attention_tensors(s, visit,
                               {.queries = rotation,
                                .keys = rotation,
                                .exchange = exchange,
                                .core = core,
                                .output = output,
                                .backward = backward,
                                .output_gradient = output_gradient,
                                .core_gradient = core_gradient,
                                .after_gradient = key_rotation_gradient,
                                .values_are_copies = true});
  visit({"output projection", "linear.py output", s.tokens, s.hidden, type, output,
         s.sequence_parallel ? std::uint16_t{residual} : std::uint16_t{backward}});
  visit({"attention output, next residual", "transformer_layer.py self_attn_bda", s.spread_tokens, s.hidden, type, residual,
         backward});
  if (s.train.kernels.hidden_dropout)
    visit({"dropout mask", "fused_bias_dropout.py", s.spread_tokens, s.hidden, number_type::int8, residual, core_gradient});
  if (a.norm != query_key_norm::none) {
    visit({"queries before their norm", "normalization.py saved input", s.tokens, s.queries, type, query_copy, joined_gradient});
    visit({"keys before their norm", "normalization.py saved input", s.tokens, s.keys, type, query_copy, joined_gradient});
    visit({"norm statistics of queries and keys", "normalization.py rsigma", s.tokens, saturating_count{a.heads} + a.kv_heads,
           number_type::fp32, query_copy, joined_gradient});
  }
  if (a.output_gate)
    visit({"attention output before the gate", "attention.py output gate", s.tokens, s.outputs, type, core, core_gradient});

  visit({gradient_of_the_residual, "autograd", s.spread_tokens, s.hidden, type, backward, end, true});
  visit({"gradient of queries", "backends.py dq", s.tokens, s.queries, type, core_gradient, joined_gradient});
  visit({"gradient of keys", "backends.py dk", s.tokens, s.keys, type, core_gradient, query_rotation_gradient});
  visit({"gradient of values", "backends.py dv", s.tokens, s.values, type, core_gradient, projection_gradient});
  visit({"gradient of keys before rotation", "rope.py", s.tokens, s.keys, type, key_rotation_gradient, projection_gradient});
  visit(
      {"gradient of queries before rotation", "rope.py", s.tokens, s.queries, type, query_rotation_gradient, projection_gradient});
  visit({"gradient of queries, keys and values", "attention.py split", s.tokens, joined, type, joined_gradient, end, true});
  visit({"gradient of the norm output", "layernorm_linear.py dgrad", s.tokens, s.hidden, type, projection_gradient, end});
  visit({"gradient of the norm input", "layernorm_linear.py norm backward", s.spread_tokens, s.hidden, type, norm_gradient, end});
  if (!s.sequence_parallel) return;
  visit({"gathered norm output", "layernorm_linear.py ln_out_total", s.tokens, s.hidden, type, 0, query_copy});
  visit({"reduced output projection", "linear.py reduce_scatter", s.spread_tokens, s.hidden, type, reduction, backward});
  visit({"gathered gradient of the output", "linear.py grad_output", s.tokens, s.hidden, type, output_gradient, core_gradient});
  visit({"gathered norm output", "layernorm_linear.py ln_out_total", s.tokens, s.hidden, type, projection_gradient, norm_gradient});
  visit({"reduced gradient of the norm output", "layernorm_linear.py reduce_scatter", s.spread_tokens, s.hidden, type,
         projection_gradient, end});
}

} // namespace moeplan
