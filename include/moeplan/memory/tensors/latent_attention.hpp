#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/tensors/linear_input.hpp>
#include <moeplan/memory/tensors/softmax_attention.hpp>

/// @file
/// The tensors of a latent attention block, as Megatron-LM with Transformer Engine has them.

namespace moeplan {

/// What the block does, from the norm before it to the sum with the residual, and back.
namespace latent_step {
enum : std::uint16_t {
  down_projection, ///< of queries, and of keys and values, with the norm before them
  query_up_projection,
  up_projection, ///< of keys and values
  rotation,      ///< rotary embedding; keys and values become tensors of their own
  exchange,      ///< of context parallelism
  core,
  output,
  reduction, ///< the reduce-scatter of sequence parallelism
  residual,
  backward,
  output_gradient = backward,
  core_gradient,
  rotation_gradient,
  up_projection_gradient,
  query_up_projection_gradient,
  down_projection_gradient,
  norm_gradient,
  end
};
} // namespace latent_step

/// Visits every tensor that lives while the block works on one micro-batch. The down-projections are whole on every TP rank, which with
/// sequence parallelism compresses its own tokens only. Sources: Megatron-LM core_r0.14 multi_latent_attention.py, Transformer
/// Engine 2.11.
template <class Visit>
constexpr void visit_latent_attention_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace latent_step;
  const number_type type = s.type;
  const attention& a = s.rank.attention;
  const recompute_modules& modules = s.train.recompute_modules;
  const bool selective = s.train.recompute == recompute::selective;
  const bool norm_dropped = selective && modules.layer_norm;
  const bool up_dropped = selective && modules.latent_up_projection;
  const saturating_count compressed_kv = a.kv_lora_rank;
  const saturating_count down_kv = compressed_kv + a.qk_rope_head_dim;
  const saturating_count up_kv = saturating_count{a.heads} * (saturating_count{a.qk_nope_head_dim} + a.v_head_dim);
  const bool compresses_queries = a.q_lora_rank > 0;

  visit({"residual", "ops/basic/rmsnorm.py saved input", s.spread_tokens, s.hidden, type, 0, end});
  visit_linear_input(s, visit, {"norm output", "linear.py saved input", s.spread_tokens, s.hidden, type, 0, norm_gradient},
                     norm_dropped, backward);
  visit({"norm statistics", "ops/basic/rmsnorm.py rstdev", s.spread_tokens, 1, number_type::fp32, 0, end});
  if (compresses_queries) {
    visit(
        {"compressed queries", "layernorm_linear.py inputmat", s.spread_tokens, a.q_lora_rank, type, 0, down_projection_gradient});
    visit_linear_input(s, visit,
                       {"norm of compressed queries", "layernorm_linear.py ln_out", s.spread_tokens, a.q_lora_rank, type,
                        query_up_projection, down_projection_gradient},
                       up_dropped, backward, core_gradient);
    visit_unless_dropped(visit,
                         {"norm statistics of queries", "layernorm_linear.py rsigma", s.spread_tokens, 1, number_type::fp32,
                          query_up_projection, down_projection_gradient},
                         up_dropped, backward, core_gradient);
    visit({"gradient of the norm of compressed queries", "layernorm_linear.py dgrad", s.tokens, a.q_lora_rank, type,
           query_up_projection_gradient, down_projection_gradient});
    visit({"gradient of compressed queries", "layernorm_linear.py norm backward", s.spread_tokens, a.q_lora_rank, type,
           query_up_projection_gradient, norm_gradient});
  }
  // Where the up-projection is computed again, its input is a view that keeps both parts.
  visit({"compressed keys and values, rotary keys", "multi_latent_attention.py linear_kv_down_proj", s.spread_tokens, down_kv, type,
         0, up_dropped ? std::uint16_t{up_projection_gradient} : std::uint16_t{exchange}});
  visit_unless_dropped(visit,
                       {"compressed keys and values", "module/base.py prepare_forward, contiguous", s.spread_tokens, compressed_kv,
                        type, up_projection, query_up_projection_gradient},
                       up_dropped, backward, core_gradient);
  visit_linear_input(s, visit,
                     {"norm of compressed keys and values", "layernorm_linear.py ln_out", s.spread_tokens, compressed_kv, type,
                      up_projection, query_up_projection_gradient},
                     up_dropped, backward, core_gradient);
  visit_unless_dropped(visit,
                       {"norm statistics of keys and values", "layernorm_linear.py rsigma", s.spread_tokens, 1, number_type::fp32,
                        up_projection, query_up_projection_gradient},
                       up_dropped, backward, core_gradient);
  visit({"keys and values", "multi_latent_attention.py linear_kv_up_proj", s.tokens, up_kv, type, up_projection, exchange});
  visit_core_attention_tensors(s, visit,
                               {.queries = query_up_projection,
                                .keys = rotation,
                                .exchange = rotation,
                                .core = core,
                                .output = output,
                                .backward = backward,
                                .output_gradient = output_gradient,
                                .core_gradient = core_gradient,
                                .after_gradient = rotation_gradient,
                                .inputs_dropped = up_dropped});
  visit({"output projection", "linear.py output", s.tokens, s.hidden, type, output,
         s.sequence_parallel ? std::uint16_t{residual} : std::uint16_t{backward}});
  visit({"attention output, next residual", "transformer_layer.py self_attn_bda", s.spread_tokens, s.hidden, type, residual,
         backward});
  if (s.train.kernels.hidden_dropout)
    visit({"dropout mask", "fused_bias_dropout.py", s.spread_tokens, s.hidden, number_type::int8, residual, core_gradient});

  visit({gradient_of_the_residual, "autograd", s.spread_tokens, s.hidden, type, backward, end, true});
  visit({"gradient of queries", "backends.py dq", s.tokens, s.queries, type, core_gradient, down_projection_gradient, true});
  visit({"gradient of keys", "backends.py dk", s.tokens, s.keys, type, core_gradient, up_projection_gradient});
  visit({"gradient of values", "backends.py dv", s.tokens, s.values, type, core_gradient, up_projection_gradient});
  visit({"gradient of keys and values", "fused_mla_yarn_rope_apply.py", s.tokens, up_kv, type, rotation_gradient,
         query_up_projection_gradient, true});
  visit({"gradient of rotary keys", "fused_mla_yarn_rope_apply.py", s.spread_tokens, a.qk_rope_head_dim, type, rotation_gradient,
         norm_gradient});
  visit({"gradient of the norm of compressed keys and values", "layernorm_linear.py dgrad", s.tokens, compressed_kv, type,
         up_projection_gradient, query_up_projection_gradient});
  visit({"gradient of compressed keys and values", "layernorm_linear.py norm backward", s.spread_tokens, compressed_kv, type,
         up_projection_gradient, norm_gradient});
  visit({"gradient of the down-projection", "multi_latent_attention.py split", s.spread_tokens, down_kv, type,
         down_projection_gradient, norm_gradient, true});
  visit({"gradients of the norm output, one a projection", "linear.py dgrad", s.spread_tokens, s.hidden * 2, type,
         down_projection_gradient, end});
  visit({"gradient of the norm input", "ops/basic/rmsnorm.py", s.spread_tokens, s.hidden, type, norm_gradient, end});
  if (!s.sequence_parallel) return;
  visit({"gathered norm of compressed queries", "layernorm_linear.py ln_out_total", s.tokens, a.q_lora_rank, type,
         query_up_projection, up_projection});
  visit({"gathered norm of compressed keys and values", "layernorm_linear.py ln_out_total", s.tokens, compressed_kv, type,
         up_projection, rotation});
  visit({"reduced output projection", "linear.py reduce_scatter", s.spread_tokens, s.hidden, type, reduction, backward});
  visit({"gathered gradient of the output", "linear.py grad_output", s.tokens, s.hidden, type, output_gradient, core_gradient});
  visit({"gathered norm of compressed keys and values", "layernorm_linear.py ln_out_total", s.tokens, compressed_kv, type,
         up_projection_gradient, query_up_projection_gradient});
  visit({"gathered norm of compressed queries", "layernorm_linear.py ln_out_total", s.tokens, a.q_lora_rank, type,
         query_up_projection_gradient, down_projection_gradient});
}

} // namespace moeplan
