#pragma once

#include <cstdint>

#include <moeplan/describe/model.hpp>
#include <moeplan/describe/strategy.hpp>

/// @file
/// A model as one rank sees it.

namespace moeplan {

/// The part of a layer that one rank computes: heads, intermediate sizes and experts divided among TP, ETP and EP ranks. What all
/// ranks hold whole (norms, latent attention's down-projections, the router's inputs) keeps its size, and so do numbers of layers.
/// A key-value head that fewer heads than TP ranks share is held by several of them (grouped queries; vLLM, get_num_kv_heads).
/// `redundant_experts` are copies that serving adds to the routed experts. Precondition: a model and a strategy that `check` accepts.
[[nodiscard]] constexpr model rank_model(const model& m, const strategy& s, std::int64_t redundant_experts = 0) noexcept {
  const std::int64_t tensor_ranks = s[axis::tp];
  model r = m;
  if (r.attention.kind == attention_kind::grouped_query) r.attention.head_dim = m.head_dim();
  r.attention.heads /= tensor_ranks;
  r.attention.kv_heads = r.attention.kv_heads > tensor_ranks ? r.attention.kv_heads / tensor_ranks : 1;
  r.linear_attention.key_heads /= tensor_ranks;
  r.linear_attention.value_heads /= tensor_ranks;
  r.intermediate_size /= tensor_ranks;
  r.experts.routed = (m.experts.routed + redundant_experts) / s[axis::ep];
  r.experts.intermediate_size /= s[axis::etp];
  r.experts.shared_intermediate_size /= tensor_ranks;
  return r;
}

} // namespace moeplan
