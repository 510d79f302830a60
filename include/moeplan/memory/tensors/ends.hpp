#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>

/// @file
/// The tensors at both ends of a model: embedding, and final norm, head and loss, as Megatron-LM with Transformer Engine has them.

namespace moeplan {

namespace embedding_step {
enum : std::uint16_t { lookup, reduction, backward, gather_gradient = backward, weight_gradient, end };
} // namespace embedding_step

namespace detail {

/// The gradient of the embedding's weights, from step `from` to `until`: PyTorch makes it whole, and sums up many tokens by segments.
template <class Visit>
constexpr void visit_embedding_gradient(const activation_shape& s, Visit& visit, std::uint16_t from, std::uint16_t until) noexcept {
  visit({"gradient of the embedding", "EmbeddingBackwardKernel.cu", s.vocabulary, s.hidden, s.type, from, until});
  if (s.tokens <= 3072) return;
  const saturating_count segments = s.tokens / 10 + (s.tokens < s.vocabulary ? s.tokens : s.vocabulary);
  visit({"sums of segments", "EmbeddingBackwardKernel.cu", segments, s.hidden, number_type::fp32, from, until});
}

} // namespace detail

/// Visits every tensor that lives while the embedding works on one micro-batch. Sources: tensor_parallel/layers.py
/// VocabParallelEmbedding; PyTorch EmbeddingBackwardKernel.cu.
template <class Visit>
constexpr void visit_embedding_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace embedding_step;
  const number_type type = s.type;
  visit({"tokens", "layers.py F.embedding saved indices", s.tokens, 1, number_type::int64, 0, end});
  if (s.tensor_ranks > 1) visit({"tokens of other ranks", "layers.py input_mask", s.tokens, 1, number_type::int8, 0, end});
  if (s.train.kernels.hidden_dropout)
    visit(
        {"dropout mask", "language_model_embedding.py", s.spread_tokens, s.hidden, number_type::int8, reduction, weight_gradient});
  visit({"embedded tokens", "layers.py F.embedding", s.tokens, s.hidden, type, lookup, backward});
  visit({gradient_of_the_residual, "autograd", s.spread_tokens, s.hidden, type, backward,
         s.sequence_parallel ? std::uint16_t{weight_gradient} : std::uint16_t{end}});
  detail::visit_embedding_gradient(s, visit, weight_gradient, end);
  if (!s.sequence_parallel) return;
  visit({"reduced embedded tokens", "layers.py reduce_scatter", s.spread_tokens, s.hidden, type, reduction, backward});
  visit({"gathered gradient", "mappings.py gather", s.tokens, s.hidden, type, gather_gradient, end});
}

namespace head_step {
enum : std::uint16_t { norm, logits, loss, backward, loss_gradient = backward, output_gradient, norm_gradient, end };
} // namespace head_step

/// Visits every tensor that lives while final norm, head and loss work on one micro-batch. Sources: tensor_parallel/layers.py,
/// tensor_parallel/cross_entropy.py; Transformer Engine cross_entropy.py for the fused loss.
template <class Visit>
constexpr void visit_head_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace head_step;
  const number_type type = s.type;
  const bool fused = s.train.kernels.fused_cross_entropy;
  visit({"residual", "ops/basic/rmsnorm.py saved input", s.spread_tokens, s.hidden, type, 0, end});
  visit({"norm output", "layers.py saved input", s.spread_tokens, s.hidden, type, 0, norm_gradient});
  visit({"norm statistics", "ops/basic/rmsnorm.py rstdev", s.spread_tokens, 1, number_type::fp32, 0, end});
  visit({"loss mask", "training data", s.tokens, 1, number_type::fp32, 0, norm_gradient});
  if (fused) {
    visit(
        {"logits, then their gradient", "triton/cross_entropy.py, in place", s.tokens, s.vocabulary, type, logits, norm_gradient});
    visit({"maxima and sums", "triton/cross_entropy.py m_d_X_y", s.tokens,
           saturating_count{3} * (s.tensor_ranks > 1 ? s.tensor_ranks + 1 : 1), number_type::fp32, loss, backward});
  } else {
    visit({"logits", "layers.py output", s.tokens, s.vocabulary, type, logits, backward});
    visit({"probabilities", "tensor_parallel/cross_entropy.py exp_logits", s.tokens, s.vocabulary, number_type::fp32, loss,
           output_gradient});
    visit({"gradient of the logits", "autograd", s.tokens, s.vocabulary, type, loss_gradient, norm_gradient});
  }
  visit({"gradient of the norm output", "layers.py grad_input", s.tokens, s.hidden, type, output_gradient,
         s.sequence_parallel ? std::uint16_t{norm_gradient} : std::uint16_t{end}});
  visit({gradient_of_the_residual, "ops/basic/rmsnorm.py", s.spread_tokens, s.hidden, type, norm_gradient, end});
  if (!s.sequence_parallel) return;
  visit({"reduced gradient of the norm output", "layers.py reduce_scatter", s.spread_tokens, s.hidden, type, output_gradient, end});
}

} // namespace moeplan
