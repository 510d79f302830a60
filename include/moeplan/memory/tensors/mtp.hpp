#pragma once

#include <cstdint>

#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/tensor.hpp>
#include <moeplan/memory/tensors/ends.hpp>
#include <moeplan/memory/tensors/linear_input.hpp>

/// @file
/// The tensors of a multi-token prediction module before its transformer layer, as Megatron-LM with Transformer Engine has them.
///
/// The layer is an ordinary one, and what follows it is an ordinary head: visit_head_tensors (ends.hpp), with the norm of the
/// module as the final norm and with the logits and the loss of the shifted labels (gpt_model.py, _postprocess). Outputs of the
/// main model and of all modules are copied into one tensor, of which each head keeps its part; what the norms of a module keep
/// comes on top. The modules' heads work one after the other and the main model's last, all after the last module's layer. Until
/// then logits of a module that are not overwritten by their gradient stay (gpt_model.py, mtp_logits).

namespace moeplan {

/// What the block does, from the embedding of the shifted tokens to the input of the layer, and back.
namespace mtp_step {
enum : std::uint16_t {
  lookup,
  reduction, ///< the reduce-scatter of sequence parallelism
  embedding_norm,
  hidden_norm,
  concatenation,
  projection,
  gathering, ///< of the projection, which tensor-parallel ranks share column by column
  backward,
  gathering_gradient = backward,
  projection_gradient,
  hidden_norm_gradient,
  embedding_norm_gradient,
  gather_gradient, ///< that of the embedding, with sequence parallelism
  weight_gradient, ///< of the embedding
  end
};
} // namespace mtp_step

namespace detail {

/// The embedding of the shifted tokens, which the first norm keeps. See visit_embedding_tensors.
template <class Visit>
constexpr void visit_mtp_embedding_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace mtp_step;
  const number_type type = s.type;
  visit({"shifted tokens", "layers.py F.embedding saved indices", s.tokens, 1, number_type::int64, 0, end});
  if (s.tensor_ranks > 1) visit({"shifted tokens of other ranks", "layers.py input_mask", s.tokens, 1, number_type::int8, 0, end});
  if (s.train.kernels.hidden_dropout)
    visit(
        {"dropout mask", "language_model_embedding.py", s.spread_tokens, s.hidden, number_type::int8, reduction, gather_gradient});
  visit({"embedded tokens", "layers.py F.embedding; ops/basic/rmsnorm.py saved input", s.tokens, s.hidden, type, lookup,
         s.sequence_parallel ? std::uint16_t{embedding_norm} : std::uint16_t{gather_gradient}});
  if (s.sequence_parallel)
    visit({"reduced embedded tokens", "layers.py reduce_scatter; ops/basic/rmsnorm.py saved input", s.spread_tokens, s.hidden, type,
           reduction, gather_gradient});

  visit({"gradient of the embedded tokens", "ops/basic/rmsnorm.py", s.spread_tokens, s.hidden, type, embedding_norm_gradient,
         s.sequence_parallel ? std::uint16_t{weight_gradient} : std::uint16_t{end}});
  if (s.sequence_parallel)
    visit({"gathered gradient of the embedded tokens", "mappings.py gather", s.tokens, s.hidden, type, gather_gradient, end});
  visit_embedding_gradient(s, visit, weight_gradient, end);
}

} // namespace detail

/// Visits every tensor that lives while a module makes the input of its layer for one micro-batch. Sources: Megatron-LM core_r0.14
/// multi_token_prediction.py, tensor_parallel/layers.py and mappings.py; Transformer Engine 2.11.
template <class Visit>
constexpr void visit_mtp_input_tensors(const activation_shape& s, Visit& visit) noexcept {
  using namespace mtp_step;
  const number_type type = s.type;
  const saturating_count both = s.hidden * 2;
  const saturating_count modules = s.rank.mtp_layers;
  const saturating_count shared = s.hidden / s.tensor_ranks;
  const bool gathers = s.tensor_ranks > 1;

  detail::visit_mtp_embedding_tensors(s, visit);
  visit({"hidden states before", "ops/basic/rmsnorm.py saved input", s.spread_tokens, s.hidden, type, 0, embedding_norm_gradient});
  visit({"norm statistics of embedded tokens", "ops/basic/rmsnorm.py rstdev", s.spread_tokens, 1, number_type::fp32, embedding_norm,
         gather_gradient});
  visit({"norm statistics of hidden states", "ops/basic/rmsnorm.py rstdev", s.spread_tokens, 1, number_type::fp32, hidden_norm,
         embedding_norm_gradient});
  visit({"normed embedded tokens", "multi_token_prediction.py decoder_input", s.spread_tokens, s.hidden, type, embedding_norm,
         backward});
  visit({"normed hidden states", "multi_token_prediction.py hidden_states", s.spread_tokens, s.hidden, type, hidden_norm,
         projection});
  visit_linear_input(
      s, visit, {"both side by side", "linear.py saved input", s.spread_tokens, both, type, concatenation, hidden_norm_gradient},
      false, backward);
  if (s.keeps_fp8())
    visit({"both side by side before they are quantised", "multi_token_prediction.py torch.cat", s.spread_tokens, both, type,
           concatenation, gathering});
  visit({"projection", "linear.py output", s.tokens, shared, type, projection, backward});
  if (gathers) {
    visit(
        {"gathered parts of the projection", "mappings.py _gather_along_last_dim", s.tokens, s.hidden, type, gathering, backward});
    visit({"projection, the layer's residual", "mappings.py torch.cat", s.spread_tokens, s.hidden, type, gathering, backward});
  }
  // The layer's input is a slice, a view that keeps the rest alive until the layer's backward pass is over.
  if (s.sequence_parallel)
    visit({"rest of the projection", "mappings.py _split_along_first_dim", s.tokens - s.spread_tokens, s.hidden, type, gathering,
           projection_gradient});

  visit({"gradients of the outputs of all modules", "multi_token_prediction.py torch.cat", s.spread_tokens * (modules + 1),
         s.hidden, type, backward, end});
  visit({"gradient of the projection", "autograd", s.spread_tokens, s.hidden, type, backward,
         gathers ? std::uint16_t{projection_gradient} : std::uint16_t{hidden_norm_gradient}});
  if (gathers)
    visit({"a rank's part of the gradient", "mappings.py _split_along_last_dim", s.tokens, shared, type, gathering_gradient,
           hidden_norm_gradient});
  visit({"gradient of both side by side", "linear.py dgrad", s.tokens, both, type, projection_gradient,
         s.sequence_parallel ? std::uint16_t{hidden_norm_gradient} : std::uint16_t{gather_gradient}});
  visit({"gradient of the normed hidden states", "ops/basic/rmsnorm.py contiguous", s.spread_tokens, s.hidden, type,
         hidden_norm_gradient, embedding_norm_gradient});
  visit(
      {"gradient of the hidden states before", "ops/basic/rmsnorm.py", s.spread_tokens, s.hidden, type, hidden_norm_gradient, end});
  visit({"gradient of the normed embedded tokens", "ops/basic/rmsnorm.py contiguous", s.spread_tokens, s.hidden, type,
         embedding_norm_gradient, gather_gradient});
  if (!s.sequence_parallel) return;
  visit({"both side by side, gathered", "linear.py inputmat_total", s.tokens, both, type, projection, gathering});
  visit({"gathered gradient of the projection", "mappings.py gather", s.tokens, s.hidden, type, gathering_gradient,
         projection_gradient});
  visit(
      {"both side by side, gathered", "linear.py inputmat_total", s.tokens, both, type, projection_gradient, hidden_norm_gradient});
  visit({"reduced gradient of both side by side", "linear.py reduce_scatter", s.spread_tokens, both, type, projection_gradient,
         gather_gradient});
}

} // namespace moeplan
