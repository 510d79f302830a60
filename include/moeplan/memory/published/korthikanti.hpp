#pragma once

#include <cstdint>

#include <moeplan/describe/recompute.hpp>
#include <moeplan/memory/published/stored_tensor.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/pipeline/in_flight.hpp>

/// @file
/// Activations as "Reducing Activation Recomputation in Large Transformer Models" counts them (Korthikanti and others, arXiv
/// 2205.05198, section 4), so that a reader of the paper gets the paper's numbers.
///
/// The paper leaves out statistics of norms, flash attention, embedding and head; memory() does not.

namespace moeplan::published::korthikanti {

/// A GPT: an MLP of four times the hidden size, 16-bit activations, dropout everywhere.
struct transformer {
  std::int64_t layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t heads = 0;
  std::int64_t sequence_length = 0;
  std::int64_t micro_batch = 1;

  [[nodiscard]] constexpr count tokens() const noexcept { return count{sequence_length} * micro_batch; }
};

struct run {
  std::int64_t tensor_ranks = 1;
  bool sequence_parallel = false;
  moeplan::recompute recompute = moeplan::recompute::none; ///< selective: core attention, without its queries, keys and values
  std::int64_t pipeline_ranks = 1;
  std::int64_t chunks = 1;        ///< of each pipeline rank; more than one: interleaved 1F1B
  std::int64_t micro_batches = 1; ///< of one step

  [[nodiscard]] constexpr published::ranks ranks() const noexcept {
    return {.tensor = tensor_ranks, .sequence = sequence_parallel ? tensor_ranks : 1};
  }
};

/// 11sbh + 5as^2b, the second part not with selective recompute.
template <class Visit>
constexpr void visit_attention_tensors(const transformer& m, moeplan::recompute recompute, Visit&& visit) {
  const count tokens = m.tokens();
  const count hidden = m.hidden_size;
  const count scores = tokens * m.heads;
  visit(stored_tensor{"input of queries, keys and values", tokens, hidden, number_type::fp16, sharded_over::sequence_ranks});
  visit(stored_tensor{"queries and keys", tokens, hidden * 2, number_type::fp16, sharded_over::tensor_ranks});
  if (recompute != recompute::selective) {
    visit(stored_tensor{"softmax output", scores, m.sequence_length, number_type::fp16, sharded_over::tensor_ranks});
    visit(stored_tensor{"softmax dropout mask", scores, m.sequence_length, number_type::int8, sharded_over::tensor_ranks});
    visit(stored_tensor{"softmax dropout output", scores, m.sequence_length, number_type::fp16, sharded_over::tensor_ranks});
  }
  visit(stored_tensor{"values", tokens, hidden, number_type::fp16, sharded_over::tensor_ranks});
  visit(stored_tensor{"input of the output projection", tokens, hidden, number_type::fp16, sharded_over::tensor_ranks});
  visit(stored_tensor{"attention dropout mask", tokens, hidden, number_type::int8, sharded_over::sequence_ranks});
}

/// 19sbh
template <class Visit>
constexpr void visit_mlp_tensors(const transformer& m, Visit&& visit) {
  const count tokens = m.tokens();
  const count hidden = m.hidden_size;
  visit(stored_tensor{"input of the first linear layer", tokens, hidden, number_type::fp16, sharded_over::sequence_ranks});
  visit(stored_tensor{"input of the GeLU", tokens, hidden * 4, number_type::fp16, sharded_over::tensor_ranks});
  visit(stored_tensor{"input of the second linear layer", tokens, hidden * 4, number_type::fp16, sharded_over::tensor_ranks});
  visit(stored_tensor{"MLP dropout mask", tokens, hidden, number_type::int8, sharded_over::sequence_ranks});
}

/// 4sbh
template <class Visit>
constexpr void visit_norm_tensors(const transformer& m, Visit&& visit) {
  visit(
      stored_tensor{"inputs of both norms", m.tokens(), count{m.hidden_size} * 2, number_type::fp16, sharded_over::sequence_ranks});
}

/// Everything that a layer stores (table 2). With full recompute that is its input, which the paper counts whole on every TP rank.
template <class Visit>
constexpr void visit_layer_tensors(const transformer& m, moeplan::recompute recompute, Visit&& visit) {
  if (recompute == recompute::full)
    return visit(stored_tensor{"input of the layer", m.tokens(), m.hidden_size, number_type::fp16, sharded_over::nothing});
  visit_attention_tensors(m, recompute, visit);
  visit_mlp_tensors(m, visit);
  visit_norm_tensors(m, visit);
}

/// Of one layer and one micro-batch on one rank.
[[nodiscard]] constexpr count bytes_of_layer(const transformer& m, const run& r) noexcept {
  bytes_of_rank sum{.ranks = r.ranks()};
  visit_layer_tensors(m, r.recompute, sum);
  return sum.bytes;
}

/// Of the first pipeline rank, which holds the most: L layers' worth, with interleaving L (1 + (p - 1) / (p v)), unless a step has
/// fewer micro-batches than it takes to get there (section 4.2.3). Precondition: pipeline ranks x chunks divides the layers.
[[nodiscard]] constexpr count bytes_of_first_stage(const transformer& m, const run& r) noexcept {
  const pipeline_shape pipeline{.ranks = r.pipeline_ranks, .chunks = r.chunks, .micro_batches = r.micro_batches};
  return bytes_of_layer(m, r) * (count{m.layers} / (count{r.pipeline_ranks} * r.chunks)) * in_flight(pipeline, 0);
}

/// 12Lh^2: the matrices of the layers, without embedding, norms and biases.
[[nodiscard]] constexpr count parameters(const transformer& m) noexcept {
  return count{12} * m.layers * m.hidden_size * m.hidden_size;
}

/// Parameters, gradients and optimizer states of one rank: 16-bit weights, and gradients, master weights and Adam's moments in
/// fp32, 18 bytes a parameter (figure 1).
[[nodiscard]] constexpr count bytes_of_states(const transformer& m, const run& r) noexcept {
  return parameters(m) * 18 / (count{r.tensor_ranks} * r.pipeline_ranks);
}

} // namespace moeplan::published::korthikanti
