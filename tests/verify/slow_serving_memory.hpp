// Weights and cache of every pipeline rank that serves, layer after layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "slow_share.hpp"

namespace moeplan_test::slow {

/// Weights and cache of each pipeline rank.
class serving_memory : share {
public:
  explicit serving_memory(const moeplan::deployment& described, const integer& batch) : share{described} {
    peaks.assign(static_cast<std::size_t>(pp), 0);
    const std::vector<virtual_stage> stages = virtual_stages(d);
    for (std::size_t i = 0; i < stages.size(); ++i)
      peaks[i % static_cast<std::size_t>(pp)] += weights(stages[i]) + batch * cache(stages[i]);
  }

  std::vector<integer> peaks; ///< by pipeline rank

private:
  const moeplan::serving& v = d.workload.serve;

  using format = moeplan::weight_format;

  /// One matrix with its scales.
  static integer matrix(const integer& outputs, const integer& inputs, format f) {
    const integer all = outputs * inputs;
    if (all == 0) return 0;
    switch (f) {
      case format::bf16: return all * 2;
      case format::fp8_tensor: return all + 4;
      case format::fp8_channel:
      case format::int8_channel: return all + outputs * 4;
      case format::fp8_block: return all + divided_up(outputs, 128) * divided_up(inputs, 128) * 4;
      case format::mxfp8: return all + outputs * divided_up(inputs, 32);
      case format::int4_group128: return divided_up(all, 2) + divided_up(outputs * divided_up(inputs, 128) * 20, 8);
      case format::int4_group32: return divided_up(all, 2) + outputs * divided_up(inputs, 32) * 2;
      case format::mxfp4: return divided_up(all, 2) + outputs * divided_up(inputs, 32);
      case format::nvfp4: return divided_up(all, 2) + outputs * divided_up(inputs, 16) + 4;
    }
    return 0;
  }

  [[nodiscard]] format attention_format() const {
    return v.quantised == moeplan::quantised_parts::linear_layers ? v.weights : format::bf16;
  }
  [[nodiscard]] format mlp_format() const {
    return v.quantised == moeplan::quantised_parts::routed_experts ? format::bf16 : v.weights;
  }

  [[nodiscard]] integer mlp(const integer& width, format f) const {
    return (m.gated_mlp ? 2 : 1) * matrix(width, n.hidden, f) + matrix(n.hidden, width, f);
  }

  [[nodiscard]] integer softmax_attention() const {
    const moeplan::attention& a = m.attention;
    const format f = attention_format();
    integer all = 2 * (attention_bias() + attention_norms() + sinks());
    if (latent) {
      const integer queries = n.heads * (integer{a.qk_nope_head_dim} + a.qk_rope_head_dim);
      const integer keys_and_values = n.heads * (integer{a.qk_nope_head_dim} + a.v_head_dim);
      if (a.q_lora_rank == 0)
        all += matrix(queries, n.hidden, f);
      else
        all += matrix(a.q_lora_rank, n.hidden, f) + matrix(queries, a.q_lora_rank, f);
      all += matrix(integer{a.kv_lora_rank} + a.qk_rope_head_dim, n.hidden, f);
      all += matrix(keys_and_values, a.kv_lora_rank, f);
      all += matrix(n.hidden, n.heads * a.v_head_dim, f);
      if (v.absorbed_projections && f != format::bf16) all += 2 * keys_and_values * a.kv_lora_rank;
    } else {
      all += matrix(n.heads * n.head_dim * (a.output_gate ? 2 : 1), n.hidden, f);
      all += matrix(n.kv_heads * n.head_dim, n.hidden, f) + matrix(n.kv_heads * n.head_dim, n.hidden, f);
      all += matrix(n.hidden, n.heads * n.head_dim, f);
    }
    if (a.indexer.heads > 0) {
      const integer heads = a.indexer.heads, width = a.indexer.head_dim;
      all += matrix(heads * width, a.q_lora_rank, f) + matrix(width, n.hidden, f) + 2 * (heads * n.hidden + width + width);
    }
    return all;
  }

  [[nodiscard]] integer linear_attention() const {
    const moeplan::linear_attention& l = m.linear_attention;
    const format f = attention_format();
    const integer keys = n.key_heads * l.key_head_dim, values = n.value_heads * l.value_head_dim;
    integer plain = n.hidden * n.value_heads * 2;              // decay and write strength
    plain += (keys + keys + values) * l.convolution;           // the convolution
    plain += n.value_heads + n.value_heads + l.value_head_dim; // decay, time step, norm
    return matrix(keys + keys + values + values, n.hidden, f) + matrix(n.hidden, values, f) + 2 * plain;
  }

  [[nodiscard]] integer moe() const {
    const moeplan::experts& e = m.experts;
    integer expert = mlp(n.expert_mlp, v.weights);
    if (e.bias) expert += 2 * ((m.gated_mlp ? 2 : 1) * n.expert_mlp + n.hidden);
    integer all = n.local_experts * expert + mlp(n.shared_mlp, mlp_format());
    if (e.shared_gate) all += 2 * n.hidden;
    all += 2 * n.hidden * e.routed;
    if (e.router_bias) all += integer{2} * e.routed;
    if (e.selection_bias) all += integer{4} * e.routed;
    return all;
  }

  [[nodiscard]] integer weights(const virtual_stage& s) const {
    integer all = 0;
    const integer norms = 2 * m.norms_per_layer * norm();
    for (const std::int64_t layer : s.layers) {
      all += is_linear(layer) ? linear_attention() : softmax_attention();
      all += is_moe(layer) ? moe() : mlp(n.dense_mlp, mlp_format());
      all += norms;
    }
    const bool drafts = v.drafts && s.mtp > 0;
    const integer matrix_of_vocabulary = 2 * n.vocabulary * n.hidden;
    if (drafts) {
      const integer layer = softmax_attention() + (mtp_is_moe() ? moe() : mlp(n.dense_mlp, mlp_format())) + norms;
      all += s.mtp * (layer + 2 * (2 * n.hidden * n.hidden + 3 * norm()));
    }
    if (s.first || drafts) all += matrix_of_vocabulary;
    if (s.last) {
      all += 2 * norm();
      if (m.lm_head_bias) all += 2 * n.vocabulary;
      if (!m.tied_embeddings || (!s.first && !drafts)) all += matrix_of_vocabulary;
    }
    return all;
  }

  /// Of one sequence.
  [[nodiscard]] integer cache(const virtual_stage& s) const {
    const moeplan::attention& a = m.attention;
    const moeplan::linear_attention& l = m.linear_attention;
    const integer block = v.block_size;
    integer token;
    if (!latent)
      token = n.kv_heads * n.head_dim * (v.cache == moeplan::cache_format::bf16 ? 4 : 2);
    else if (v.cache == moeplan::cache_format::fp8_ds_mla)
      token = a.kv_lora_rank + divided_up(a.kv_lora_rank, 128) * 4 + integer{a.qk_rope_head_dim} * 2;
    else
      token = (integer{a.kv_lora_rank} + a.qk_rope_head_dim) * (v.cache == moeplan::cache_format::bf16 ? 2 : 1);
    const integer index = a.indexer.head_dim + integer{a.indexer.head_dim} / 128 * 4;

    const integer blocks = divided_up(v.sequence_length, block);
    const integer own = divided_up(blocks, v.decode_context);
    // A window and what a step adds can begin anywhere in a block; chunks begin with one where they can.
    const integer held = integer{a.window.tokens} + v.step_tokens - 1;
    integer touched = divided_up(held - 1, block) + 1;
    if (a.window.kind == moeplan::window_kind::chunked && a.window.tokens % v.block_size == 0) touched = divided_up(held, block);
    const integer windowed = std::min(blocks, touched);

    integer all = 0;
    for (const std::int64_t layer : s.layers) {
      if (is_linear(layer)) {
        const integer keys = n.key_heads * l.key_head_dim, values = n.value_heads * l.value_head_dim;
        all += (keys + keys + values) * std::max<integer>(integer{l.convolution} - 1, 0) * 2; // inputs looked back at
        all += values * l.key_head_dim * bits_of(v.linear_state) / 8;
        continue;
      }
      const bool window = a.window.tokens > 0 && !contains(a.window.full_layers, layer);
      const bool short_one = window && v.windows == moeplan::windowed_cache::window;
      all += (short_one ? windowed : own) * block * token;
      all += own * block * index;
    }
    if (v.drafts) all += s.mtp * own * block * (token + index);
    return all;
  }
};

} // namespace moeplan_test::slow
