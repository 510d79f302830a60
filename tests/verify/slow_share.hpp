// Which layers are on which virtual stage, and how large a rank's share of a layer is: what the slow calculations of memory start from.
#pragma once

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <moeplan/describe/deployment.hpp>

namespace moeplan_test {

using integer = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;

namespace slow {

inline integer divided_up(const integer& a, const integer& b) { return (a + b - 1) / b; }

inline std::int64_t bits_of(moeplan::number_type type) {
  switch (type) {
    case moeplan::number_type::none: return 0;
    case moeplan::number_type::fp32: return 32;
    case moeplan::number_type::bf16:
    case moeplan::number_type::fp16: return 16;
    case moeplan::number_type::fp8:
    case moeplan::number_type::int8: return 8;
    case moeplan::number_type::fp4:
    case moeplan::number_type::int4: return 4;
    case moeplan::number_type::int32: return 32;
    case moeplan::number_type::int64: return 64;
  }
  return 0;
}

inline integer bytes_of(const integer& numbers, moeplan::number_type type) { return divided_up(numbers * bits_of(type), 8); }

/// As PyTorch's allocator counts: in blocks of 512 bytes.
inline integer allocated(const integer& bytes) { return divided_up(bytes, 512) * 512; }

inline bool contains(const moeplan::layer_set& set, std::int64_t layer) {
  if (layer < set.first || layer % set.every != set.phase) return false;
  return layer >= 256 || (set.excluded[layer / 64] >> (layer % 64) & 1U) == 0;
}

/// Where the layers of a model are: one entry a virtual stage.
struct virtual_stage {
  std::vector<std::int64_t> layers;
  std::int64_t mtp = 0;
  bool first = false;
  bool last = false;
};

inline std::vector<virtual_stage> virtual_stages(const moeplan::deployment& d) {
  const moeplan::layout& l = d.layout;
  const std::int64_t pp = d.strategy[moeplan::axis::pp];
  const std::int64_t vpp = d.strategy[moeplan::axis::vpp];
  const std::int64_t layers = d.model.layers;
  std::vector<std::int64_t> held; // decoder layers of each
  std::vector<std::int64_t> mtp;
  switch (l.kind) {
    case moeplan::layout_kind::even: {
      std::vector<bool> is_layer;
      if (l.embedding_is_a_layer) is_layer.push_back(false);
      is_layer.insert(is_layer.end(), static_cast<std::size_t>(layers), true);
      if (l.loss_is_a_layer) is_layer.push_back(false);
      const std::size_t each = is_layer.size() / static_cast<std::size_t>(pp * vpp);
      for (std::size_t at = 0; at < is_layer.size(); at += each)
        held.push_back(std::count(is_layer.begin() + static_cast<std::ptrdiff_t>(at),
                                  is_layer.begin() + static_cast<std::ptrdiff_t>(at + each), true));
      break;
    }
    case moeplan::layout_kind::balanced:
      held.assign(static_cast<std::size_t>(pp * vpp), 0);
      for (std::int64_t i = 0; i < layers; ++i) ++held[static_cast<std::size_t>(i % (pp * vpp))];
      break;
    case moeplan::layout_kind::first_last:
      for (std::int64_t v = 0; v < pp * vpp; ++v) {
        const std::int64_t rank = v % pp;
        std::int64_t others = layers, ranks = pp;
        if (l.first.given) others -= l.first.number, --ranks;
        if (l.last.given) others -= l.last.number, --ranks;
        std::int64_t of_rank = ranks > 0 ? others / ranks : 0;
        if (rank == 0 && l.first.given) of_rank = l.first.number;
        if (rank == pp - 1 && l.last.given) of_rank = l.last.number;
        if (pp == 1) of_rank = layers;
        held.push_back(of_rank / vpp);
      }
      break;
    case moeplan::layout_kind::listed:
      for (const moeplan::stage_run& run : l.runs)
        for (std::int64_t i = 0; i < run.stages; ++i) held.push_back(run.decoder_layers), mtp.push_back(run.mtp_layers);
      break;
  }
  if (l.kind != moeplan::layout_kind::listed || !l.places_mtp) {
    mtp.assign(held.size(), 0);
    mtp.back() = d.model.mtp_layers;
  }
  std::vector<virtual_stage> stages;
  std::int64_t next = 0;
  for (std::size_t v = 0; v < held.size(); ++v) {
    virtual_stage s;
    s.mtp = mtp[v];
    s.first = v == 0;
    s.last = v + 1 == held.size();
    for (std::int64_t i = 0; i < held[v]; ++i) s.layers.push_back(next++);
    stages.push_back(s);
  }
  return stages;
}

/// Parameters that one group of ranks shares.
struct group {
  integer linear, routers, others, buffers;

  [[nodiscard]] integer trained() const { return linear + routers + others; }
  [[nodiscard]] integer all() const { return trained() + buffers; }
  void add(const group& g) { linear += g.linear, routers += g.routers, others += g.others, buffers += g.buffers; }
};
struct parameters {
  group dense, experts;

  [[nodiscard]] integer all() const { return dense.all() + experts.all(); }
  void add(const parameters& p) { dense.add(p.dense), experts.add(p.experts); }
};

/// Sizes of a model and of a rank's share in it.
struct sizes {
  integer hidden, heads, kv_heads, head_dim, dense_mlp, shared_mlp, expert_mlp, local_experts, key_heads, value_heads, vocabulary;
};

/// What training and serving have in common.
class share {
public:
  explicit share(const moeplan::deployment& described) : d{described} {
    const moeplan::attention& a = m.attention;
    n.hidden = m.hidden_size;
    n.heads = integer{a.heads} / tp;
    n.kv_heads = std::max<integer>(integer{a.kv_heads} / tp, 1); // With fewer than TP ranks, several hold the same one.
    n.head_dim = a.head_dim != 0 ? integer{a.head_dim} : integer{m.hidden_size} / a.heads;
    n.dense_mlp = integer{m.intermediate_size} / tp;
    n.shared_mlp = integer{m.experts.shared_intermediate_size} / tp;
    n.expert_mlp = integer{m.experts.intermediate_size} / etp;
    const bool training = d.workload.what == moeplan::workload::kind::training;
    const integer copies = training ? 0 : d.workload.serve.redundant_experts;
    n.local_experts = (m.experts.routed + copies) / ep;
    n.key_heads = integer{m.linear_attention.key_heads} / tp;
    n.value_heads = integer{m.linear_attention.value_heads} / tp;
    const integer multiple = training ? d.workload.train.vocabulary_multiple : d.workload.serve.vocabulary_multiple;
    n.vocabulary = multiple == 0 ? integer{m.vocabulary_size} / tp : divided_up(m.vocabulary_size, multiple * tp) * multiple;
  }

  const moeplan::deployment& d;
  const moeplan::model& m = d.model;
  const integer tp = d.strategy[moeplan::axis::tp], cp = d.strategy[moeplan::axis::cp], ep = d.strategy[moeplan::axis::ep],
                etp = d.strategy[moeplan::axis::etp];
  const std::int64_t pp = d.strategy[moeplan::axis::pp];
  const bool latent = m.attention.kind == moeplan::attention_kind::latent;
  sizes n;

  [[nodiscard]] bool is_linear(std::int64_t layer) const {
    return m.linear_attention.value_heads > 0 && !contains(m.linear_attention.softmax_layers, layer);
  }
  [[nodiscard]] bool is_moe(std::int64_t layer) const { return m.experts.routed > 0 && contains(m.experts.layers, layer); }
  [[nodiscard]] bool mtp_is_moe() const { return is_moe(m.layers - 1); }

  [[nodiscard]] integer norm() const { return n.hidden * (m.norm_bias ? 2 : 1); }
  [[nodiscard]] integer attention_bias() const {
    integer all = 0;
    if (m.attention.qkv_bias) all += n.head_dim * (n.heads + n.kv_heads + n.kv_heads);
    if (m.attention.qkv_bias && m.attention.output_gate) all += n.head_dim * n.heads;
    if (m.attention.output_bias) all += n.hidden;
    return all;
  }
  [[nodiscard]] integer attention_norms() const {
    if (latent) return integer{m.attention.q_lora_rank} + m.attention.kv_lora_rank;
    if (m.attention.norm == moeplan::query_key_norm::per_head) return n.head_dim + n.head_dim;
    if (m.attention.norm == moeplan::query_key_norm::full_width) return n.head_dim * n.heads + n.head_dim * n.kv_heads;
    return 0;
  }
  [[nodiscard]] integer sinks() const { return m.attention.sinks ? n.heads : integer{0}; }
};

} // namespace slow

} // namespace moeplan_test
