#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/tensors/linear_input.hpp>

/// @file
/// The tensors of softmax attention itself: queries, keys, values, and what comes of them.

namespace moeplan {

/// When the tensors of core attention live, in the steps of the attention block that they belong to.
struct core_attention_steps {
  std::uint16_t queries = 0;  ///< queries are there, ready for attention
  std::uint16_t keys = 0;     ///< so are keys
  std::uint16_t exchange = 0; ///< context-parallel ranks exchange sequence for heads
  std::uint16_t core = 0;
  std::uint16_t output = 0; ///< the output projection
  std::uint16_t backward = 0;
  std::uint16_t output_gradient = 0;
  std::uint16_t core_gradient = 0;
  std::uint16_t after_gradient = 0; ///< the step after core_gradient
  bool values_are_copies = false;   ///< of a view that the block keeps when core attention is computed again
  bool inputs_dropped = false;      ///< queries, keys and values are computed again
};

/// Visits what core attention keeps and works with. Gradients of queries, keys and values live on after it until `queries_gone`, when
/// the block has turned them into gradients of its projections. Sources: Transformer Engine 2.11, attention/dot_product_attention.
template <class Visit>
constexpr void visit_core_attention_tensors(const activation_shape& s, Visit& visit, const core_attention_steps& at) noexcept {
  const number_type type = s.type;
  const kernels& kernel = s.train.kernels;
  const saturating_count heads = s.rank.attention.heads;
  const bool dropped = s.train.recompute == recompute::selective && s.train.recompute_modules.core_attention;
  const bool all_to_all = s.context_ranks > 1 && s.train.context == context_exchange::all_to_all;

  visit_unless_dropped(visit,
                       {"queries", "backends.py save_for_backward", s.tokens, s.queries, type, at.queries, at.after_gradient},
                       at.inputs_dropped, at.backward, at.core_gradient);
  visit_unless_dropped(visit, {"keys", "backends.py save_for_backward", s.tokens, s.keys, type, at.keys, at.after_gradient},
                       at.inputs_dropped, at.backward, at.core_gradient);
  visit_unless_dropped(visit, {"values", "backends.py save_for_backward", s.tokens, s.values, type, at.exchange, at.after_gradient},
                       at.inputs_dropped || (dropped && at.values_are_copies), at.backward, at.core_gradient);
  if (kernel.flash_attention) {
    visit_unless_dropped(
        visit, {"logarithms of sums", "backends.py softmax_lse", s.tokens, heads, number_type::fp32, at.core, at.after_gradient},
        dropped, at.backward, at.core_gradient);
    visit_unless_dropped(visit,
                         {"random number state", "backends.py rng_state", 1, 2, number_type::fp32, at.core, at.after_gradient},
                         dropped, at.backward, at.core_gradient);
    if (!all_to_all) { // Else they are gone before gradients are staged, which takes more.
      visit({"query gradient accumulator", "cuDNN, flash attention dq_accum", s.tokens, s.queries, number_type::fp32,
             at.core_gradient, at.after_gradient});
      visit({"sums of output gradients", "cuDNN, flash attention softmax_d", s.tokens, heads, number_type::fp32, at.core_gradient,
             at.after_gradient});
    }
  } else {
    visit_unless_dropped(
        visit,
        {"probabilities", "backends.py UnfusedDotProductAttention", s.tokens * heads, s.sequence, type, at.core, at.after_gradient},
        dropped, at.backward, at.core_gradient);
    visit({"scores", "backends.py UnfusedDotProductAttention", s.tokens * heads, s.sequence, type, at.core, at.output});
    visit({"gradient of the scores", "autograd", s.tokens * heads, s.sequence, type, at.core_gradient, at.after_gradient});
    visit({"gradient of the probabilities", "autograd", s.tokens * heads, s.sequence, type, at.core_gradient, at.after_gradient});
    if (kernel.attention_dropout) {
      visit_unless_dropped(visit,
                           {"dropout mask of the probabilities", "torch dropout", s.tokens * heads, s.sequence, number_type::int8,
                            at.core, at.after_gradient},
                           dropped, at.backward, at.core_gradient);
      visit_unless_dropped(
          visit, {"probabilities after dropout", "torch dropout", s.tokens * heads, s.sequence, type, at.core, at.after_gradient},
          dropped, at.backward, at.core_gradient);
    }
  }
  // The output projection keeps it, and so does core attention unless it keeps another one or none.
  const bool core_keeps_output = kernel.flash_attention && !dropped && !all_to_all;
  const std::uint16_t projection_keeps_it_until = s.keeps_fp8() ? at.backward : at.core_gradient;
  visit({"attention output", "backends.py out, linear.py saved input", s.tokens, s.outputs, type, at.core,
         core_keeps_output ? at.after_gradient : projection_keeps_it_until});
  if (dropped)
    visit({"recomputed attention output", "tensor_parallel/random.py CheckpointFunction", s.tokens, s.outputs, type,
           at.core_gradient, at.after_gradient});
  if (s.keeps_fp8())
    visit_linear_input(
        s, visit, {"quantised attention output", "linear.py saved input", s.tokens, s.outputs, type, at.output, at.core_gradient},
        false, at.backward);
  visit({"gradient of the attention output", "linear.py dgrad", s.tokens, s.outputs, type, at.output_gradient, at.after_gradient});
  if (!all_to_all) return;
  // Each tensor is staged, received and put in order, one after the other; queries are the largest.
  visit({"staged for the exchange", "context_parallel.py flash_attn_a2a_communicate", s.tokens * 2, s.queries, type, at.exchange,
         at.core});
  visit({"queries of all tokens", "context_parallel.py save_for_backward", s.tokens, s.queries, type, at.exchange, at.output});
  visit({"keys of all tokens", "context_parallel.py save_for_backward", s.tokens, s.keys, type, at.exchange, at.output});
  visit({"values of all tokens", "context_parallel.py save_for_backward", s.tokens, s.values, type, at.exchange, at.output});
  visit({"staged for the exchange", "context_parallel.py flash_attn_a2a_communicate", s.tokens * 2, s.outputs, type, at.core,
         at.output});
  visit_unless_dropped(visit,
                       {"attention output before the exchange", "context_parallel.py out_part", s.tokens, s.outputs, type, at.core,
                        at.after_gradient},
                       dropped, at.backward, at.core_gradient);
  visit({"gradient of the output after the exchange", "context_parallel.py dout", s.tokens, s.outputs, type, at.core_gradient,
         at.after_gradient});
  visit({"staged for the exchange", "context_parallel.py flash_attn_a2a_communicate", s.tokens * 3, s.queries, type,
         at.core_gradient, at.after_gradient});
}

} // namespace moeplan
