#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/mesh/stage_layers.hpp>

/// @file
/// Of which parts of a model a virtual stage is made up.

namespace moeplan {

/// How many of each part. Attention and MLP of a layer are counted apart: which attention a layer has says nothing about its MLP.
struct stage_parts {
  std::int64_t layers = 0; ///< decoder layers
  std::int64_t softmax_attention = 0;
  std::int64_t linear_attention = 0;
  std::int64_t dense_mlp = 0;
  std::int64_t moe_mlp = 0;
  std::int64_t mtp = 0;
  bool embedding = false;       ///< the first stage's, or the copy that multi-token prediction needs where it is
  bool final_norm = false;      ///< and the head's bias, and the loss
  bool head_parameters = false; ///< a head that is not the embedding of the same stage

  /// Whether all its layers are.
  [[nodiscard]] constexpr bool alike() const noexcept {
    return (moe_mlp == 0 || dense_mlp == 0) && (softmax_attention == 0 || linear_attention == 0);
  }

  /// What both hold together.
  constexpr stage_parts& operator+=(const stage_parts& b) noexcept {
    layers += b.layers;
    softmax_attention += b.softmax_attention;
    linear_attention += b.linear_attention;
    dense_mlp += b.dense_mlp;
    moe_mlp += b.moe_mlp;
    mtp += b.mtp;
    embedding |= b.embedding;
    final_norm |= b.final_norm;
    head_parameters |= b.head_parameters;
    return *this;
  }

  friend constexpr bool operator==(const stage_parts&, const stage_parts&) noexcept = default;
};

/// Parts of what a virtual stage holds. An embedding that is tied to the head is held by the stages of both, twice by a
/// rank that has both stages (each is a model of its own: gpt_model.py, setup_embeddings_and_output_layer); where multi-token
/// prediction is, there is a copy of the embedding (Megatron-LM, gpt_model.py). Precondition: a model that `check` accepts.
[[nodiscard]] constexpr stage_parts parts_of_stage(const model& m, const stage_contents& stage) noexcept {
  const std::int64_t end = stage.first_layer + stage.decoder_layers;
  stage_parts p;
  p.layers = stage.decoder_layers;
  p.softmax_attention = m.softmax_layers_below(end) - m.softmax_layers_below(stage.first_layer);
  p.linear_attention = p.layers - p.softmax_attention;
  p.moe_mlp = m.moe_layers_below(end) - m.moe_layers_below(stage.first_layer);
  p.dense_mlp = p.layers - p.moe_mlp;
  p.mtp = stage.mtp_layers;
  p.embedding = stage.embedding || stage.mtp_layers > 0;
  p.final_norm = stage.loss;
  p.head_parameters = stage.loss && !(m.tied_embeddings && p.embedding);
  return p;
}

namespace detail {

/// A part of a model, and how many of it a stage holds.
template <class Integer>
struct held_part {
  std::int64_t times = 0;
  const rank_parameters<Integer>* one = nullptr;
};

} // namespace detail

/// Parameters that a rank of the stage holds.
template <class Integer = count>
[[nodiscard]] constexpr rank_parameters<Integer> parameters_of_stage(const rank_parts<Integer>& parts,
                                                                     const stage_parts& n) noexcept(noexcept(Integer{} *
                                                                                                             Integer{})) {
  const detail::held_part<Integer> held[] = {{n.softmax_attention, &parts.softmax_attention},
                                             {n.linear_attention, &parts.linear_attention},
                                             {n.dense_mlp, &parts.dense_mlp},
                                             {n.moe_mlp, &parts.moe_mlp},
                                             {n.layers, &parts.norms},
                                             {n.mtp, &parts.mtp},
                                             {n.embedding ? 1 : 0, &parts.embedding},
                                             {n.final_norm ? 1 : 0, &parts.final_norm},
                                             {n.final_norm ? 1 : 0, &parts.head_bias},
                                             {n.head_parameters ? 1 : 0, &parts.head}};
  rank_parameters<Integer> p;
  for (const detail::held_part<Integer>& part : held)
    if (part.times != 0) p += Integer(part.times) * *part.one;
  return p;
}

} // namespace moeplan
