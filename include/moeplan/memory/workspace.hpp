#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/number/always_inline.hpp>
#include <moeplan/number/sequence.hpp>

/// @file
/// Buffers, workspaces and caches that a framework keeps for the whole run, each by name.

namespace moeplan {

namespace detail {

struct matrix_shape {
  saturating_count rows;
  saturating_count columns;
  friend constexpr bool operator==(const matrix_shape&, const matrix_shape&) noexcept = default;
};

/// Different shapes of matrices; there are at most eighteen in a model.
struct matrix_shapes {
  sequence<matrix_shape, 20> all{};

  [[MOEPLAN_NEVER_INLINE]] constexpr void add(saturating_count rows, saturating_count columns) noexcept {
    const matrix_shape shape{rows, columns};
    for (const matrix_shape& known : all)
      if (known == shape) return;
    all.push_back(shape);
  }
};

constexpr void add_mlp(matrix_shapes& shapes, const activation_shape& s, std::int64_t width) noexcept {
  shapes.add(saturating_count{width} * (s.rank.gated_mlp ? 2 : 1), s.hidden);
  shapes.add(s.hidden, width);
}

constexpr void add_attention(matrix_shapes& shapes, const activation_shape& s) noexcept {
  const attention& a = s.rank.attention;
  shapes.add(s.hidden, s.outputs);
  if (a.kind == attention_kind::grouped_query) return shapes.add(s.queries * (a.output_gate ? 2 : 1) + s.keys + s.values, s.hidden);
  if (a.q_lora_rank > 0) {
    shapes.add(a.q_lora_rank, s.hidden);
    shapes.add(s.queries, a.q_lora_rank);
  } else {
    shapes.add(s.queries, s.hidden);
  }
  shapes.add(saturating_count{a.kv_lora_rank} + a.qk_rope_head_dim, s.hidden);
  shapes.add(saturating_count{a.heads} * (saturating_count{a.qk_nope_head_dim} + a.v_head_dim), a.kv_lora_rank);
  if (a.indexer.heads == 0) return;
  shapes.add(saturating_count{a.indexer.heads} * a.indexer.head_dim, a.q_lora_rank);
  shapes.add(a.indexer.head_dim, s.hidden);
  shapes.add(a.indexer.heads, s.hidden);
}

constexpr void add_linear_attention(matrix_shapes& shapes, const activation_shape& s) noexcept {
  const linear_attention& l = s.rank.linear_attention;
  const saturating_count values = saturating_count{l.value_heads} * l.value_head_dim;
  shapes.add(saturating_count{l.key_heads} * l.key_head_dim * 2 + values * 2 + saturating_count{l.value_heads} * 2, s.hidden);
  shapes.add(s.hidden, values);
}

/// Whether the layers of multi-token prediction, like the last one of the decoder, are MoE layers.
[[nodiscard]] constexpr bool mtp_has_experts(const activation_shape& s, const stage_parts& n) noexcept {
  return n.mtp > 0 && s.rank.has_experts(s.rank.layers - 1);
}

[[nodiscard]] constexpr matrix_shapes linear_layers(const activation_shape& s, const stage_parts& n) noexcept {
  matrix_shapes shapes;
  if (n.softmax_attention > 0 || n.mtp > 0) add_attention(shapes, s);
  if (n.linear_attention > 0) add_linear_attention(shapes, s);
  if (n.dense_mlp > 0 || (n.mtp > 0 && !mtp_has_experts(s, n))) add_mlp(shapes, s, s.rank.intermediate_size);
  if (n.moe_mlp > 0 || mtp_has_experts(s, n)) {
    add_mlp(shapes, s, s.rank.experts.intermediate_size);
    if (s.rank.experts.shared_intermediate_size > 0) add_mlp(shapes, s, s.rank.experts.shared_intermediate_size);
  }
  if (n.mtp > 0) shapes.add(s.hidden / s.tensor_ranks, s.hidden * 2);
  if (n.final_norm) shapes.add(s.vocabulary, s.hidden);
  return shapes;
}

/// Parameters of the largest layer that a stage holds; of attention and MLP, where layers differ in both, the larger of each.
[[nodiscard]] constexpr saturating_count largest_layer(const rank_parts<saturating_count>& parts, const stage_parts& n) noexcept {
  const saturating_count softmax = n.softmax_attention > 0 ? parts.softmax_attention.total() : saturating_count{0};
  const saturating_count linear = n.linear_attention > 0 ? parts.linear_attention.total() : saturating_count{0};
  const saturating_count dense = n.dense_mlp > 0 ? parts.dense_mlp.total() : saturating_count{0};
  const saturating_count moe = n.moe_mlp > 0 ? parts.moe_mlp.total() : saturating_count{0};
  const saturating_count norms = n.layers > 0 ? parts.norms.total() : saturating_count{0};
  const saturating_count decoder = norms + (softmax > linear ? softmax : linear) + (dense > moe ? dense : moe);
  return n.mtp > 0 && parts.mtp.total() > decoder ? parts.mtp.total() : decoder;
}

} // namespace detail

/// Visits what sharded gradients and sharded weights need besides: a layer's tensors are whole while the layer is at work, the next
/// layer's weights are gathered meanwhile, and the parameters at the ends of the model stay gathered from the forward to the backward
/// pass (PyTorch fully_shard, reshard_after_forward).
template <class Visit>
constexpr void visit_sharding_workspace(const training& t, const rank_parts<saturating_count>& parts, const stage_parts& n,
                                        Visit& visit) noexcept {
  if (t.sharding < sharding::gradients) return;
  const saturating_count layer = detail::largest_layer(parts, n);
  visit({"gradients of a layer, before they are reduced", "fully_shard, reduce-scatter input", layer, 1, t.precision.weights});
  if (t.sharding < sharding::parameters) return;
  visit({"gathered weights of a layer and of the next one", "fully_shard, all-gather output", layer, 2, t.precision.weights});
  const saturating_count ends = (n.embedding ? parts.embedding.total() : saturating_count{0}) +
                                (n.head_parameters ? parts.head.total() : saturating_count{0});
  visit({"gathered weights of embedding and head", "fully_shard, all-gather output", ends, 1, t.precision.weights});
}

/// Visits what Megatron-LM core_r0.14 with Transformer Engine 2.11 and PyTorch 2.10 keeps on a rank of a stage that holds `n`. cuBLAS
/// workspaces have the sizes that they have on Blackwell: on Hopper each of PyTorch's takes 32 MiB, and on GPUs before it each of
/// Transformer Engine's 4 MiB.
template <class Visit>
constexpr void visit_megatron_workspace(const activation_shape& s, const stage_parts& n, Visit& visit) noexcept {
  const std::int64_t moe_layers = n.moe_mlp + (detail::mtp_has_experts(s, n) ? n.mtp : 0);
  const bool experts = moe_layers > 0;
  visit({"cuBLAS workspace of Transformer Engine", "cpp_extensions/gemm.py:31", 1, (32 << 20) + 1024, number_type::int8});
  if (experts)
    visit({"cuBLAS workspaces of grouped linear layers, one a stream", "cpp_extensions/gemm.py:31, common/util/multi_stream.cpp:53",
           4, (32 << 20) + 1024, number_type::int8});
  // A handle for the thread of the forward pass and one for autograd's, where anything multiplies through PyTorch.
  if (experts || n.final_norm)
    visit({"cuBLAS workspaces of PyTorch", "ATen/cuda/CublasHandlePool.cpp, 4096 KiB x 2 and 16 KiB x 8", 2,
           (4096 << 11) + (16 << 13), number_type::int8});
  if (s.rank.attention.kind == attention_kind::latent)
    visit({"rotary embedding with its cosines and sines, one a layer", "yarn_rotary_pos_embedding.py:94",
           s.sequence * (saturating_count{n.softmax_attention} + n.mtp), saturating_count{s.rank.attention.qk_rope_head_dim} * 2,
           number_type::fp32});
  else
    visit({"rotary embedding", "rotary_pos_embedding.py:150", s.sequence / s.context_ranks, s.rank.attention.head_dim,
           number_type::fp32});
  const bool all_gather = experts && s.train.dispatcher == token_dispatcher::all_gather && s.expert_ranks > 1;
  if (all_gather)
    visit({"gathered tokens", "token_dispatcher.py, GlobalMemoryBuffer", s.spread_tokens * s.expert_ranks * s.expert_tensor_ranks,
           s.hidden, s.type});
  else if (n.final_norm && s.sequence_parallel)
    visit({"gathered input of the head", "tensor_parallel/layers.py, GlobalMemoryBuffer", s.tokens, s.hidden, s.type});
  if (experts && !all_gather)
    visit({"probabilities that the dispatchers hold, one a layer", "token_dispatcher.py:569", s.spread_tokens * moe_layers,
           s.experts, s.type});
  if (!s.train.kernels.fused_weight_gradient) return;
  const detail::matrix_shapes shapes = detail::linear_layers(s, n);
  for (const detail::matrix_shape& m : shapes.all)
    visit({"stand-in for the gradient of a weight", "module/base.py get_dummy_wgrad, one a shape", m.rows, m.columns, s.type});
}

} // namespace moeplan
