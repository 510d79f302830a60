// A deployment made of the fuzzer's bytes: every member any value of its type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <moeplan/describe/deployment.hpp>

namespace moeplan_fuzz {

/// Hands out values; zeros when the bytes are used up.
class byte_source {
public:
  explicit byte_source(std::string_view bytes) : bytes_{bytes} {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto b = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return b;
  }

  std::uint64_t word() {
    std::uint64_t n = 0;
    for (int i = 0; i < 8; ++i) n = n << 8 | byte();
    return n;
  }

  /// Mostly small: a byte up to 199 is itself, larger ones introduce powers of two and their neighbours, negative numbers and words.
  std::int64_t number() {
    const std::uint8_t b = byte();
    if (b < 200) return b;
    const std::uint8_t more = byte();
    const std::uint64_t power = std::uint64_t{1} << (more & 63U);
    switch (b % 6) {
      case 0: return static_cast<std::int64_t>(power);
      case 1: return static_cast<std::int64_t>(power - 1);
      case 2: return static_cast<std::int64_t>(power + 1);
      case 3: return -std::int64_t{more};
      case 4: return std::int64_t{more} * (more % 2 == 0 ? 256 : 3);
      default: return static_cast<std::int64_t>(word());
    }
  }

  bool flag() { return (byte() & 1U) != 0; }

  template <class Enum>
  Enum one_of(unsigned count) {
    return static_cast<Enum>(byte() % count);
  }

  moeplan::optional_integer maybe() {
    const bool given = flag();
    return given ? moeplan::optional_integer{number()} : moeplan::optional_integer{};
  }

private:
  std::string_view bytes_;
};

namespace detail {

inline moeplan::strategy strategy_of(byte_source& from) {
  using moeplan::axis;
  moeplan::strategy s;
  const unsigned given = from.byte();
  unsigned bit = 0;
  for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::dp, axis::cp, axis::sp})
    if ((given >> bit++ & 1U) != 0) s.set(a, from.number());
  s.mapping = from.byte() % 8 == 7 ? moeplan::mapping::product : moeplan::mapping::folded;
  // Every permutation of the axes, and every part of one.
  const unsigned swaps = from.byte();
  for (std::size_t i = s.order.axes.size() - 1; i > 0; --i) {
    const std::size_t j = (swaps >> i) % (i + 1);
    const axis other = s.order.axes[j];
    s.order.axes[j] = s.order.axes[i];
    s.order.axes[i] = other;
  }
  if (swaps % 16 > 10) s.order.axes.length = swaps % 16 - 11;
  return s;
}

inline moeplan::cluster cluster_of(byte_source& from) {
  moeplan::cluster c;
  c.total = from.maybe();
  c.gpus_per_node = from.maybe();
  c.nodes = from.maybe();
  return c;
}

inline moeplan::layer_set layers_of(byte_source& from) {
  moeplan::layer_set set;
  const std::uint8_t shape = from.byte();
  if ((shape & 1U) != 0) set.first = from.number();
  if ((shape & 2U) != 0) set.every = from.number();
  if ((shape & 4U) != 0) set.phase = from.number();
  if ((shape & 8U) != 0)
    for (std::uint64_t& excluded : set.excluded) excluded = from.word();
  return set;
}

inline moeplan::model model_of(byte_source& from) {
  moeplan::model m;
  m.layers = from.number();
  m.hidden_size = from.number();
  m.vocabulary_size = from.number();
  m.intermediate_size = from.number();
  m.attention.heads = from.number();
  m.attention.kv_heads = from.number();
  m.attention.head_dim = from.number();
  m.attention.kind = from.one_of<moeplan::attention_kind>(2);
  if (m.attention.kind == moeplan::attention_kind::latent) {
    m.attention.q_lora_rank = from.number();
    m.attention.kv_lora_rank = from.number();
    m.attention.qk_nope_head_dim = from.number();
    m.attention.qk_rope_head_dim = from.number();
    m.attention.v_head_dim = from.number();
    m.attention.indexer = {from.number(), from.number(), from.number()};
  }
  m.mtp_layers = from.number();
  m.max_positions = from.maybe();
  if (from.flag()) {
    m.linear_attention = {from.number(), from.number(), from.number(), from.number(), from.number()};
    m.linear_attention.softmax_layers = layers_of(from);
  }
  if (!from.flag()) return m;
  moeplan::experts& e = m.experts;
  e.routed = from.number();
  e.top_k = from.number();
  e.intermediate_size = from.number();
  e.shared_intermediate_size = from.number();
  if (from.flag()) {
    e.groups = from.number();
    e.group_top_k = from.number();
  }
  e.score = from.one_of<moeplan::router_score>(2);
  e.selection_bias = from.flag();
  e.layers = layers_of(from);
  return m;
}

inline moeplan::layout layout_of(byte_source& from) {
  moeplan::layout l;
  l.kind = from.one_of<moeplan::layout_kind>(4);
  const std::uint8_t flags = from.byte();
  l.embedding_is_a_layer = (flags & 1U) != 0;
  l.loss_is_a_layer = (flags & 2U) != 0;
  l.places_mtp = (flags & 4U) != 0;
  l.first = from.maybe();
  l.last = from.maybe();
  for (std::size_t runs = from.byte() % (moeplan::layout::max_runs + 1); runs > 0 && !from.empty(); --runs) {
    const moeplan::stage_run run{from.number(), from.number(), l.places_mtp ? from.number() : 0};
    l.runs.push_back(run);
  }
  return l;
}

inline moeplan::workload workload_of(byte_source& from) {
  if (from.byte() % 4 == 3) {
    moeplan::serving s;
    s.batch = from.number();
    s.sequence_length = from.number();
    s.redundant_experts = from.number();
    s.decode_context = from.number();
    s.data_parallelism = from.one_of<moeplan::data_parallelism>(2);
    s.elastic_ep = from.flag();
    s.vocabulary_multiple = from.number();
    return s;
  }
  moeplan::training t;
  t.global_batch = from.maybe();
  t.micro_batch = from.number();
  t.sequence_length = from.number();
  t.vocabulary_multiple = from.number();
  t.dp_replicate = from.number();
  t.recompute = from.one_of<moeplan::recompute>(3);
  t.context = from.one_of<moeplan::context_exchange>(3);
  t.dispatcher = from.one_of<moeplan::token_dispatcher>(4);
  t.routing.balancing = from.one_of<moeplan::load_balancing>(5);
  const unsigned flags = from.byte();
  if ((flags & 1U) != 0) t.routing.capacity_factor = moeplan::ratio{from.byte(), 8};
  t.routing.pad_to_capacity = (flags & 2U) != 0;
  t.routing.pre_softmax = (flags & 4U) != 0;
  t.overlap = {(flags & 8U) != 0, (flags & 16U) != 0, (flags & 32U) != 0, (flags & 64U) != 0};
  return t;
}

/// What training came to describe after the seeds of the corpus were written, which end before it.
inline void further_training_of(byte_source& from, moeplan::training& t) {
  if (from.empty()) return;
  moeplan::precision& p = t.precision;
  for (moeplan::number_type* type : {&p.weights, &p.gradients, &p.master_weights, &p.first_moment, &p.second_moment})
    *type = from.one_of<moeplan::number_type>(8);
  p.fp8 = from.one_of<moeplan::fp8_recipe>(5);
  p.fp8_weights = from.flag();
  t.optimizer = from.one_of<moeplan::optimizer>(4);
  t.sharding = from.one_of<moeplan::sharding>(4);
  t.optimizer_offload = moeplan::ratio{from.byte() % 129, 128};
  const unsigned modules = from.byte();
  moeplan::recompute_modules& m = t.recompute_modules;
  unsigned bit = 0;
  for (bool* module :
       {&m.core_attention, &m.mlp, &m.moe, &m.moe_activation, &m.layer_norm, &m.latent_up_projection, &m.shared_experts})
    *module = (modules >> bit++ & 1U) != 0;
  t.recompute_method = from.one_of<moeplan::recompute_method>(2);
  t.recompute_layers = from.number();
  t.schedule = from.one_of<moeplan::schedule>(9);
  moeplan::assumptions& a = t.assumptions;
  for (moeplan::held* how : {&a.latent_down_projections, &a.latent_rope_queries, &a.shared_experts})
    *how = from.one_of<moeplan::held>(2);
  for (moeplan::state_group* group : {&a.shared_experts_state, &a.router_state}) *group = from.one_of<moeplan::state_group>(2);
  a.dense_states = from.one_of<moeplan::dense_shards>(2);
  t.kernels = {from.flag(), from.flag(), from.flag(), from.flag(), from.flag()};
  t.routing.load = from.one_of<moeplan::routing_load>(2);
  t.routing.busiest_share = moeplan::ratio{from.byte() % 129, 128};
  t.reserve = moeplan::bytes{from.word()};
}

/// The same of serving.
inline void further_serving_of(byte_source& from, moeplan::serving& s) {
  if (from.empty()) return;
  s.weights = from.one_of<moeplan::weight_format>(10);
  s.quantised = from.one_of<moeplan::quantised_parts>(3);
  s.cache = from.one_of<moeplan::cache_format>(3);
  s.block_size = from.number();
  s.windows = from.one_of<moeplan::windowed_cache>(2);
  s.linear_state = from.one_of<moeplan::number_type>(8);
  s.drafts = from.flag();
  s.absorbed_projections = from.flag();
  s.reserve = moeplan::bytes{from.word()};
  s.step_tokens = from.number();
}

/// The GPU's memory, and what few models have.
inline void further_parts_of(byte_source& from, moeplan::deployment& d) {
  if (from.empty()) return;
  const std::uint8_t known = from.byte();
  const auto amount = [&from] { return moeplan::bytes{std::uint64_t{1} << (from.byte() & 63U)}; };
  if ((known & 1U) != 0) d.cluster.gpu.memory = amount();
  if ((known & 2U) != 0) d.cluster.gpu.usable_memory = amount();
  if ((known & 4U) == 0) return;
  moeplan::model& m = d.model;
  moeplan::attention& a = m.attention;
  a.norm = from.one_of<moeplan::query_key_norm>(3);
  a.window = {from.number(), from.one_of<moeplan::window_kind>(2), layers_of(from)};
  const unsigned flags = from.byte();
  a.qkv_bias = (flags & 1U) != 0;
  a.output_bias = (flags & 2U) != 0;
  a.output_gate = (flags & 4U) != 0;
  a.sinks = (flags & 8U) != 0;
  m.gated_mlp = (flags & 16U) == 0;
  m.norm_bias = (flags & 32U) != 0;
  m.lm_head_bias = (flags & 64U) != 0;
  m.tied_embeddings = (flags & 128U) != 0;
  m.norms_per_layer = 2 + 2 * (from.byte() % 2);
  const unsigned of_experts = from.byte();
  m.experts.bias = (of_experts & 1U) != 0;
  m.experts.router_bias = (of_experts & 2U) != 0;
  m.experts.shared_gate = (of_experts & 4U) != 0;
}

} // namespace detail

inline moeplan::deployment deployment_of(std::string_view bytes) {
  byte_source from{bytes};
  moeplan::deployment d;
  d.profile = from.one_of<moeplan::profile>(7);
  d.strategy = detail::strategy_of(from);
  d.cluster = detail::cluster_of(from);
  d.workload = detail::workload_of(from);
  d.model = detail::model_of(from);
  d.layout = detail::layout_of(from);
  if (d.workload.is_training())
    detail::further_training_of(from, d.workload.train);
  else
    detail::further_serving_of(from, d.workload.serve);
  detail::further_parts_of(from, d);
  return d;
}

} // namespace moeplan_fuzz
