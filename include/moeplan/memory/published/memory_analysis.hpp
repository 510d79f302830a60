#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/memory/published/stored_tensor.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// Activations as "Memory Analysis on the Training Course of DeepSeek Models" counts them (Zhang and Su, arXiv 2502.07846, section
/// 5), so that a reader of the paper gets the paper's numbers.
///
/// The paper adds up terms; which tensor each one is follows from its factors. It counts the scores of attention, which flash
/// attention does not store, masks of dropout, and shared experts whole on every rank; memory() does otherwise.

namespace moeplan::published::memory_analysis {

struct run {
  std::int64_t micro_batch = 1;
  std::int64_t sequence_length = 0;
  std::int64_t tensor_ranks = 1; ///< and sequence-parallel ranks, which are the same
  std::int64_t expert_ranks = 1;
  bool full_recompute = false;

  [[nodiscard]] constexpr count tokens() const noexcept { return count{micro_batch} * sequence_length; }
  [[nodiscard]] constexpr published::ranks ranks() const noexcept {
    return {.tensor = tensor_ranks, .sequence = tensor_ranks, .expert = expert_ranks};
  }
};

/// The latent attention of one layer, with the norm before it.
template <class Visit>
constexpr void visit_attention_tensors(const model& m, const run& r, Visit&& visit) {
  const attention& a = m.attention;
  const count tokens = r.tokens();
  const count hidden = m.hidden_size;
  const count heads = a.heads;
  if (r.full_recompute)
    return visit(stored_tensor{"input of attention", tokens, hidden, number_type::bf16, sharded_over::sequence_ranks});
  const count queries = heads * (count{a.qk_nope_head_dim} + a.qk_rope_head_dim);
  const count values = heads * a.v_head_dim;
  const count scores = tokens * heads;
  visit(stored_tensor{"inputs of the norm and of the down-projections", tokens, hidden * 2, number_type::bf16,
                      sharded_over::sequence_ranks});
  visit(stored_tensor{"compressed queries, keys and values", tokens, count{a.q_lora_rank} + a.kv_lora_rank, number_type::bf16,
                      sharded_over::nothing});
  visit(stored_tensor{"queries and keys", tokens, queries * 2, number_type::bf16, sharded_over::tensor_ranks});
  visit(stored_tensor{"values", tokens, values, number_type::bf16, sharded_over::tensor_ranks});
  visit(stored_tensor{"softmax output", scores, r.sequence_length, number_type::bf16, sharded_over::tensor_ranks});
  visit(stored_tensor{"softmax dropout mask", scores, r.sequence_length, number_type::int8, sharded_over::tensor_ranks});
  visit(stored_tensor{"softmax dropout output", scores, r.sequence_length, number_type::bf16, sharded_over::tensor_ranks});
  visit(stored_tensor{"input of the output projection", tokens, values, number_type::bf16, sharded_over::tensor_ranks});
  visit(stored_tensor{"attention dropout mask", tokens, hidden, number_type::int8, sharded_over::sequence_ranks});
}

/// The MoE part of one layer, with the norm before it. Every expert gets as many tokens; the router is whole on every rank.
template <class Visit>
constexpr void visit_moe_tensors(const model& m, const run& r, Visit&& visit) {
  const experts& e = m.experts;
  const count tokens = r.tokens();
  const count hidden = m.hidden_size;
  const count copies = tokens * e.top_k; // On an EP rank N / EP experts get b s N_r / N each.
  if (r.full_recompute) {
    visit(stored_tensor{"input of the MoE part", tokens, hidden, number_type::bf16, sharded_over::sequence_ranks});
    return visit(stored_tensor{"chosen scores", tokens, e.top_k, number_type::bf16, sharded_over::nothing});
  }
  const count shared = tokens * (e.shared_intermediate_size / e.intermediate_size);
  visit(stored_tensor{"inputs of the norm and of the router", tokens, hidden * 2, number_type::bf16, sharded_over::sequence_ranks});
  visit(stored_tensor{"logits and scores of the router", tokens, count{e.routed} * 2, number_type::bf16, sharded_over::nothing});
  visit(stored_tensor{"chosen scores", tokens, e.top_k, number_type::bf16, sharded_over::nothing});
  visit(stored_tensor{"inputs of routed experts", copies, hidden, number_type::bf16, sharded_over::expert_ranks});
  visit(stored_tensor{"inside routed experts", copies, count{e.intermediate_size} * 4, number_type::bf16,
                      sharded_over::expert_ranks});
  visit(stored_tensor{"masks of routed experts", copies, hidden, number_type::int8, sharded_over::expert_ranks});
  visit(stored_tensor{"inputs of shared experts", shared, hidden, number_type::bf16, sharded_over::nothing});
  visit(stored_tensor{"inside shared experts", shared, count{e.intermediate_size} * 4, number_type::bf16, sharded_over::nothing});
  visit(stored_tensor{"masks of shared experts", shared, hidden, number_type::int8, sharded_over::nothing});
}

/// Of one layer's attention and one micro-batch on one rank. Precondition: latent attention, whose heads the ranks divide.
[[nodiscard]] constexpr count bytes_of_attention(const model& m, const run& r) noexcept {
  bytes_of_rank sum{.ranks = r.ranks()};
  visit_attention_tensors(m, r, sum);
  return sum.bytes;
}

/// Of one layer's MoE part and one micro-batch on one rank. Precondition: EP divides tokens x top-k; routed and shared experts are
/// equally wide.
[[nodiscard]] constexpr count bytes_of_moe(const model& m, const run& r) noexcept {
  bytes_of_rank sum{.ranks = r.ranks()};
  visit_moe_tensors(m, r, sum);
  return sum.bytes;
}

[[nodiscard]] constexpr count bytes_of_moe_layer(const model& m, const run& r) noexcept {
  return bytes_of_attention(m, r) + bytes_of_moe(m, r);
}

} // namespace moeplan::published::memory_analysis
