#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/tensors/linear_input.hpp>

/// @file
/// The tensors of a linear attention block (Gated DeltaNet), as Megatron-LM with flash-linear-attention and Transformer Engine has
/// them.

namespace moeplan {

/// What the block does, from the norm before it to the sum with the residual, and back.
namespace linear_step {
enum : std::uint16_t {
  projection, ///< of queries, keys, values, output gate, decay and write strength together, with the norm before it
  exchange,   ///< of context parallelism: from sequence to heads
  convolution,
  preparation, ///< queries and keys normed and repeated for the heads of values; decays and write strengths
  inversion,   ///< of the triangular matrix of each chunk
  core,        ///< the gated delta rule, chunk by chunk
  gated_norm,
  output,
  reduction, ///< the reduce-scatter of sequence parallelism
  residual,
  backward,
  output_gradient = backward,
  gate_gradient,
  gated_norm_gradient,
  core_gradient,
  preparation_gradient,
  convolution_gradient,
  joined_gradient, ///< gradients of all that is projected in one tensor
  exchange_gradient,
  projection_gradient,
  norm_gradient,
  end
};
} // namespace linear_step

namespace detail {

/// The parts of the projection that a linear attention block starts with, on one rank.
struct linear_attention_widths {
  saturating_count heads;    ///< of values; queries and keys are repeated for as many
  saturating_count keys;     ///< of all keys, and of all queries, together
  saturating_count repeated; ///< of queries, and of keys, once they are repeated
  saturating_count values;   ///< of all values, and of the output gate
  saturating_count convolved;
  saturating_count joined; ///< all of them, with a decay and a write strength a head
  bool repeats = false;

  /// `a` is that of a rank: activation_shape::rank.
  constexpr explicit linear_attention_widths(const linear_attention& a) noexcept
      : heads{a.value_heads},
        keys{saturating_count{a.key_heads} * a.key_head_dim},
        repeated{heads * a.key_head_dim},
        values{heads * a.value_head_dim},
        convolved{keys * 2 + values},
        joined{convolved + values + heads * 2},
        repeats{a.value_heads > a.key_heads} {}
};

/// Tokens that the delta rule takes together (chunk.py, chunk_size=64).
inline constexpr std::int64_t delta_rule_chunk = 64;

/// The delta rule: what its backward pass needs, and what it works with. The backward pass makes all but the inverse again.
template <class Visit>
constexpr void visit_delta_rule_tensors(const activation_shape& s, const linear_attention_widths& w, Visit& visit) noexcept {
  using namespace linear_step;
  const number_type type = s.type;
  const linear_attention& a = s.rank.linear_attention;
  // After the exchange a rank has all chunks of the sequence and its share of the heads.
  const saturating_count chunks = saturating_count{s.train.micro_batch} *
                                  ((saturating_count{s.train.sequence_length} + delta_rule_chunk - 1) / delta_rule_chunk);
  const saturating_count state = w.repeated * a.value_head_dim / s.context_ranks;
  const saturating_count inverse = w.heads * delta_rule_chunk;

  if (w.repeats)
    visit({"repeated queries and keys", "fla chunk.py save_for_backward q, k", s.tokens, w.repeated * 2, type, preparation,
           preparation_gradient});
  visit({"values", "fla chunk.py save_for_backward v", s.tokens, w.values, type, preparation, preparation_gradient});
  visit({"sums of decays", "fla chunk.py save_for_backward g", s.tokens, w.heads, number_type::fp32, inversion,
         preparation_gradient});
  visit({"inverse matrices", "fla chunk.py save_for_backward A", s.tokens, inverse, type, inversion, preparation_gradient});
  visit({"matrices before inversion", "fla chunk_scaled_dot_kkt.py", s.tokens, inverse, number_type::fp32, inversion, core});
  visit({"keys of the WY form", "fla wy_fast.py w", s.tokens, w.repeated, type, core, gated_norm});
  visit({"values of the WY form, and new ones", "fla wy_fast.py u, chunk_delta_h.py v_new", s.tokens, w.values * 2, type, core,
         gated_norm});
  visit({"states", "fla chunk_delta_h.py h", chunks, state, type, core, gated_norm});

  visit({"recomputed keys of the WY form", "fla wy_fast.py w", s.tokens, w.repeated, type, core_gradient, preparation_gradient});
  visit({"recomputed values of the WY form, and new ones", "fla wy_fast.py u, chunk_delta_h.py v_new", s.tokens, w.values * 2, type,
         core_gradient, preparation_gradient});
  visit({"recomputed states", "fla chunk_delta_h.py h", chunks, state, type, core_gradient, preparation_gradient});
  visit({"gradients of states", "fla chunk_delta_h.py dh", chunks, state, type, core_gradient, preparation_gradient});
  visit({"gradient of new values", "fla chunk_delta_h.py dv2", s.tokens, w.values, type, core_gradient, preparation_gradient});
  visit({"gradients of keys by way of the WY form", "fla chunk_o.py dw, wy_fast.py dk", s.tokens, w.repeated * 2, type,
         core_gradient, preparation_gradient});
  visit({"gradients of repeated queries and keys", "fla chunk_o.py dq, dk", s.tokens, w.repeated * 2, type, core_gradient,
         convolution_gradient});
  visit({"gradient of values", "fla wy_fast.py dv", s.tokens, w.values, type, core_gradient, convolution_gradient});
  visit({"gradients of decays and write strengths", "fla chunk_o.py dg, wy_fast.py dg, db", s.tokens, w.heads * 3,
         number_type::fp32, core_gradient, exchange_gradient});
}

/// From the projection to the inputs of the delta rule, and back.
template <class Visit>
constexpr void visit_delta_rule_inputs(const activation_shape& s, const linear_attention_widths& w, Visit& visit) noexcept {
  using namespace linear_step;
  const number_type type = s.type;
  const saturating_count norms = saturating_count{s.rank.linear_attention.key_heads} * 2;
  visit({"input of the convolution", "causal_conv1d_interface.py save_for_backward x", s.tokens, w.convolved, type, convolution,
         joined_gradient});
  visit({"convolved queries, keys and values", "gated_delta_net.py qkv", s.tokens, w.convolved, type, convolution, residual});
  visit({"queries or keys in order", "gated_delta_net.py contiguous", s.tokens, w.keys, type, preparation, inversion});
  visit({"normed queries and keys", "fla l2norm.py save_for_backward y", s.tokens, w.keys * 2, type, preparation,
         convolution_gradient});
  visit({"norm statistics of queries and keys", "fla l2norm.py rstd", s.tokens, norms, number_type::fp32, preparation,
         convolution_gradient});
  visit({"output gate", "gated_delta_net.py gate.contiguous", s.tokens, w.values, type, preparation, gated_norm_gradient});
  visit({"decays and write strengths before their functions", "gated_delta_net.py contiguous", s.tokens, w.heads * 2, type,
         preparation, residual});
  visit({"decays before and after softplus", "torch softplus saved self, mul saved other", s.tokens, w.heads * 2, number_type::fp32,
         preparation, convolution_gradient});
  visit({"decays", "gated_delta_net.py g", s.tokens, w.heads, number_type::fp32, preparation, residual});
  visit({"write strengths", "torch sigmoid saved result, fla chunk.py beta", s.tokens, w.heads, type, preparation,
         convolution_gradient});

  if (w.repeats)
    visit({"gradients of normed queries and keys", "torch repeat_interleave", s.tokens, w.keys * 2, type, preparation_gradient,
           convolution_gradient});
  visit({"gradients of queries and keys", "fla l2norm.py dx", s.tokens, w.keys * 2, type, preparation_gradient,
         convolution_gradient});
  visit({"gradient of what is convolved", "torch split", s.tokens, w.convolved, type, preparation_gradient, joined_gradient});
  visit({"the same, channel by channel", "causal_conv1d.cpp dout.contiguous", s.tokens, w.convolved, type, convolution_gradient,
         joined_gradient});
  visit({"gradient of the input of the convolution", "causal_conv1d.cpp dx", s.tokens, w.convolved, type, convolution_gradient,
         exchange_gradient});
  visit({"gradient of the convolution", "causal_conv1d.cpp dweight", w.convolved, s.rank.linear_attention.convolution,
         number_type::fp32, convolution_gradient, joined_gradient});
}

} // namespace detail

/// Visits every tensor that lives while the block works on one micro-batch. Selective recompute drops nothing: its core attention
/// is the softmax one, and the norm is part of the projection. Sources: Megatron-LM core_r0.17 gated_delta_net.py (context
/// parallelism: core_r0.19 gated_delta_net/common.py), Transformer Engine 2.11, flash-linear-attention ("fla")
/// ops/gated_delta_rule, ops/common and modules/l2norm.py of 2025, causal-conv1d.
template <class Visit>
constexpr void visit_linear_attention_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace linear_step;
  const number_type type = s.type;
  const detail::linear_attention_widths w{s.rank.linear_attention};

  visit({"residual", "layernorm_linear.py inputmat", s.spread_tokens, s.hidden, type, 0, end});
  visit_linear_input(s, visit, {"norm output", "layernorm_linear.py ln_out", s.spread_tokens, s.hidden, type, 0, norm_gradient},
                     false, backward);
  visit({"norm statistics", "layernorm_linear.py rsigma", s.spread_tokens, 1, number_type::fp32, 0, end});
  visit({"all projections", "gated_delta_net.py qkvzba", s.tokens, w.joined, type, projection, residual});
  detail::visit_delta_rule_inputs(s, w, visit);
  detail::visit_delta_rule_tensors(s, w, visit);
  visit({"output of the delta rule", "ops/basic/rmsnorm.py saved input", s.tokens, w.values, type, core, core_gradient});
  visit({"norm statistics of the output", "ops/basic/rmsnorm.py rstdev", s.tokens, w.heads, number_type::fp32, gated_norm,
         core_gradient});
  visit({"normed output", "gated_delta_net.py _apply_gated_norm", s.tokens, w.values, type, gated_norm, gated_norm_gradient});
  visit_linear_input(s, visit, {"gated output", "linear.py saved input", s.tokens, w.values, type, gated_norm, gate_gradient},
                     false, backward);
  if (s.keeps_fp8())
    visit({"gated output before it is quantised", "gated_delta_net.py norm_out", s.tokens, w.values, type, gated_norm, residual});
  if (s.train.micro_batch > 1)
    visit({"gated output, sequence by sequence", "gated_delta_net.py transpose", s.tokens, w.values, type, gated_norm, output});
  visit({"output projection", "linear.py output", s.tokens, s.hidden, type, output,
         s.sequence_parallel ? std::uint16_t{residual} : std::uint16_t{backward}});
  visit({"attention output, next residual", "transformer_layer.py self_attn_bda", s.spread_tokens, s.hidden, type, residual,
         backward});
  if (s.train.kernels.hidden_dropout)
    visit({"dropout mask", "fused_bias_dropout.py", s.spread_tokens, s.hidden, number_type::int8, residual, gate_gradient});

  visit({gradient_of_the_residual, "autograd", s.spread_tokens, s.hidden, type, backward, end});
  visit({"gradient of the gated output", "linear.py dgrad", s.tokens, w.values, type, output_gradient, gated_norm_gradient});
  visit({"gradient of the normed output", "gated_delta_net.py _apply_gated_norm", s.tokens, w.values, type, gate_gradient,
         core_gradient});
  visit({"gradient of the output gate", "gated_delta_net.py _apply_gated_norm", s.tokens, w.values, type, gate_gradient,
         exchange_gradient});
  visit({"gradient of the output of the delta rule", "ops/basic/rmsnorm.py", s.tokens, w.values, type, gated_norm_gradient,
         preparation_gradient});
  visit({"gradient of all projections", "torch split", s.tokens, w.joined, type, joined_gradient, end});
  visit({"gradient of the norm output", "layernorm_linear.py dgrad", s.tokens, s.hidden, type, projection_gradient, end});
  visit({"gradient of the norm input", "layernorm_linear.py norm backward", s.spread_tokens, s.hidden, type, norm_gradient, end});
  if (s.context_ranks > 1) {
    // In order of heads, received, and in order of the sequence, one after the other.
    visit(
        {"staged for the exchange", "gated_delta_net/common.py a2a_cp_to_hp", s.tokens * 2, w.joined, type, exchange, convolution});
    visit({"staged for the exchange", "gated_delta_net/common.py a2a_hp_to_cp", s.tokens * 2, w.values, type, gated_norm, output});
    visit({"staged for the exchange", "gated_delta_net/common.py a2a_hp_to_cp", s.tokens * 2, w.values, type, gate_gradient,
           gated_norm_gradient});
    visit({"staged for the exchange", "gated_delta_net/common.py a2a_cp_to_hp", s.tokens * 2, w.joined, type, exchange_gradient,
           projection_gradient});
  }
  if (!s.sequence_parallel) return;
  visit({"gathered norm output", "layernorm_linear.py ln_out_total", s.tokens, s.hidden, type, projection, exchange});
  visit({"reduced output projection", "linear.py reduce_scatter", s.spread_tokens, s.hidden, type, reduction, backward});
  visit({"gathered gradient of the output", "linear.py grad_output", s.tokens, s.hidden, type, output_gradient, gate_gradient});
  visit({"gathered norm output", "layernorm_linear.py ln_out_total", s.tokens, s.hidden, type, projection_gradient, norm_gradient});
  visit({"reduced gradient of the norm output", "layernorm_linear.py reduce_scatter", s.spread_tokens, s.hidden, type,
         projection_gradient, end});
}

} // namespace moeplan
