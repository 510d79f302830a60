// The memory of every pipeline rank that trains: layer after layer, tensor after tensor, pass after pass; nothing is multiplied that can be
// repeated.
//
// It takes from the library the tables of each block's tensors, which have tests of their own, and where the passes of V-Half and V-Min
// lie. What is kept and for how long, states, workspaces and peaks are its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <moeplan/memory/block_memories.hpp>
#include <moeplan/pipeline/in_flight.hpp>

#include "slow_share.hpp"

namespace moeplan_test::slow {

class training_memory : share {
public:
  training_memory(const moeplan::deployment& described, const integer& data_parallel) : share{described}, dp{data_parallel} {
    stages = virtual_stages(d);
    chunks_of_layout = static_cast<std::int64_t>(stages.size()) / pp;
    micro_batches = t.global_batch.given ? t.global_batch.number / (t.micro_batch * static_cast<std::int64_t>(dp)) : 1;
    make_shape();
    if (beyond) return;
    for (const moeplan::block kind : {moeplan::block::embedding, moeplan::block::softmax_attention, moeplan::block::head})
      units[static_cast<std::size_t>(kind)] = unit_of(kind);
    if (m.linear_attention.value_heads > 0) unit(moeplan::block::linear_attention) = unit_of(moeplan::block::linear_attention);
    unit(moeplan::block::dense_mlp) = unit_of(moeplan::block::dense_mlp);
    if (m.experts.routed > 0) unit(moeplan::block::moe_mlp) = unit_of(moeplan::block::moe_mlp);
    if (m.mtp_layers > 0) unit(moeplan::block::mtp_input) = unit_of(moeplan::block::mtp_input);
    if (t.recompute == moeplan::recompute::selective && t.recompute_modules.moe) {
      block_bytes& u = unit(moeplan::block::moe_mlp); // All of its forward pass once more, while the gradient of its output waits.
      u.backward = std::max(u.backward, u.forward + residual);
    }
    for (std::int64_t rank = 0; rank < pp && !beyond; ++rank) peaks.push_back(peak_of(rank));
  }

  std::vector<integer> peaks; ///< by pipeline rank
  bool beyond = false;        ///< some tensor needs more than 64 bits

private:
  struct block_bytes {
    integer kept, for_weights, forward, backward, widest;
  };

  const moeplan::training& t = d.workload.train;
  const integer dp;
  const bool sequence_parallel = d.strategy[moeplan::axis::sp] > 1;
  std::vector<virtual_stage> stages;
  std::int64_t chunks_of_layout = 1;
  std::int64_t micro_batches = 1;
  integer tokens, spread; ///< of a micro-batch on a rank; between tensor-parallel regions
  integer residual;
  moeplan::activation_shape shape;
  block_bytes units[9];

  block_bytes& unit(moeplan::block kind) { return units[static_cast<std::size_t>(kind)]; }

  moeplan::saturating_count narrow(const integer& i) {
    moeplan::saturating_count c;
    if (i >= (integer{1} << 62))
      beyond = true;
    else
      c = moeplan::saturating_count{static_cast<std::int64_t>(i)};
    return c;
  }

  void make_shape() {
    const moeplan::attention& a = m.attention;
    tokens = integer{t.micro_batch} * t.sequence_length / cp;
    spread = sequence_parallel ? tokens / tp : tokens;
    residual = allocated(bytes_of(spread * n.hidden, t.precision.weights));
    const integer head = latent ? integer{a.qk_nope_head_dim} + a.qk_rope_head_dim : n.head_dim;
    moeplan::model& r = shape.rank;
    r = m;
    r.attention.heads = static_cast<std::int64_t>(n.heads);
    r.attention.kv_heads = static_cast<std::int64_t>(n.kv_heads);
    if (!latent) r.attention.head_dim = static_cast<std::int64_t>(n.head_dim);
    r.linear_attention.key_heads = static_cast<std::int64_t>(n.key_heads);
    r.linear_attention.value_heads = static_cast<std::int64_t>(n.value_heads);
    r.intermediate_size = static_cast<std::int64_t>(n.dense_mlp);
    r.experts.routed = static_cast<std::int64_t>(n.local_experts);
    r.experts.intermediate_size = static_cast<std::int64_t>(n.expert_mlp);
    r.experts.shared_intermediate_size = static_cast<std::int64_t>(n.shared_mlp);
    shape.train = t;
    shape.tokens = narrow(tokens);
    shape.spread_tokens = narrow(spread);
    shape.sequence = t.sequence_length;
    shape.hidden = narrow(n.hidden);
    shape.queries = narrow(n.heads * head);
    shape.keys = narrow(latent ? n.heads * head : n.kv_heads * head);
    shape.values = narrow(latent ? n.heads * a.v_head_dim : n.kv_heads * head);
    shape.outputs = narrow(latent ? n.heads * a.v_head_dim : n.heads * head);
    shape.experts = m.experts.routed;
    shape.vocabulary = narrow(n.vocabulary);
    shape.tensor_ranks = static_cast<std::int64_t>(tp);
    shape.context_ranks = static_cast<std::int64_t>(cp);
    shape.expert_ranks = static_cast<std::int64_t>(ep);
    shape.expert_tensor_ranks = static_cast<std::int64_t>(etp);
    shape.sequence_parallel = sequence_parallel;
    shape.type = t.precision.weights;
    if (m.experts.routed > 0) route();
  }

  /// Copies of tokens that a rank sends, and those that the busiest rank receives from all EP ranks.
  void route() {
    const moeplan::experts& e = m.experts;
    const moeplan::routing& r = t.routing;
    const integer local = integer{e.routed} / ep;
    const integer choices = local < e.top_k ? local : integer{e.top_k}; // of one token among the experts of one rank
    const integer numerator = r.capacity_factor.numerator.value(), denominator = r.capacity_factor.denominator.value();
    const bool limited = numerator != 0;
    // What one rank may send to one expert.
    const integer capacity = divided_up(spread * e.top_k * numerator, integer{e.routed} * denominator);
    integer sent = spread * e.top_k;
    if (limited) sent = r.pad_to_capacity ? capacity * e.routed : std::min<integer>(sent, capacity * e.routed);
    integer received = sent;
    if (!r.pad_to_capacity) {
      if (r.load == moeplan::routing_load::worst) received = ep * spread * choices;
      if (r.busiest_share.numerator != 0)
        received = divided_up(ep * spread * e.top_k * r.busiest_share.numerator.value(), r.busiest_share.denominator.value());
      received = std::min<integer>(received, limited ? ep * local * capacity : ep * spread * choices);
    }
    shape.rows.sent = narrow(sent);
    shape.rows.received = narrow(received);
    shape.rows.computed = narrow(received * etp);
  }

  struct collected_tensors {
    struct item {
      integer bytes;
      int from, until;
      bool for_weights;
    };
    std::vector<item> items;
    bool beyond = false;

    void operator()(const moeplan::tensor& each) {
      if (each.rows.overflowed() || each.columns.overflowed()) beyond = true;
      const integer numbers = integer{each.rows.bits} * each.columns.bits;
      items.push_back({allocated(bytes_of(numbers, each.type)), each.from, each.until, each.for_weights});
    }
  };

  block_bytes unit_of(moeplan::block kind) {
    collected_tensors all;
    moeplan::visit_tensors_of(kind, shape, all);
    beyond = beyond || all.beyond;
    const moeplan::block_steps steps = moeplan::steps_of(kind, m.attention.kind);
    block_bytes u;
    for (int step = 0; step < steps.end; ++step) {
      integer alive = 0;
      for (const auto& i : all.items)
        if (i.from <= step && step < i.until) alive += i.bytes;
      integer& peak = step < steps.backward ? u.forward : u.backward;
      peak = std::max(peak, alive);
    }
    for (const auto& i : all.items) {
      if (i.from < steps.backward && i.until > steps.backward) u.kept += i.bytes;
      if (i.for_weights) u.for_weights += i.bytes;
    }
    return u;
  }

  // --- Parameters and their states

  [[nodiscard]] integer mlp(const integer& width) const { return n.hidden * width * (m.gated_mlp ? 3 : 2); }

  [[nodiscard]] parameters softmax_attention() const {
    const moeplan::attention& a = m.attention;
    const moeplan::assumptions& how = t.assumptions;
    parameters p;
    integer& linear = p.dense.linear;
    if (latent) {
      const integer ql = a.q_lora_rank, kvl = a.kv_lora_rank, nope = a.qk_nope_head_dim, rope = a.qk_rope_head_dim;
      // Rotary rows of the up-projection of queries: of a rank's own heads, or of all.
      const integer rotary_heads = how.latent_rope_queries == moeplan::held::replicated ? integer{a.heads} : n.heads;
      const integer inputs = ql == 0 ? n.hidden : ql;
      linear += inputs * (n.heads * nope + rotary_heads * rope);
      const integer down = n.hidden * (ql + kvl + rope);
      linear += how.latent_down_projections == moeplan::held::sharded ? down / tp : down;
      linear += kvl * n.heads * (nope + a.v_head_dim) + n.heads * a.v_head_dim * n.hidden;
    } else {
      const integer width = n.heads * n.head_dim;
      linear += n.hidden * (width + n.kv_heads * n.head_dim + n.kv_heads * n.head_dim + width);
      if (a.output_gate) linear += n.hidden * width;
    }
    const integer indexer_heads = a.indexer.heads, indexer_dim = a.indexer.head_dim;
    linear += a.q_lora_rank * indexer_heads * indexer_dim + n.hidden * indexer_dim + n.hidden * indexer_heads;
    p.dense.others = attention_bias() + attention_norms() + sinks() + indexer_dim + indexer_dim;
    return p;
  }

  [[nodiscard]] parameters linear_attention() const {
    const moeplan::linear_attention& l = m.linear_attention;
    const integer keys = n.key_heads * l.key_head_dim, values = n.value_heads * l.value_head_dim;
    parameters p;
    p.dense.linear = n.hidden * (keys + keys + values + values + n.value_heads + n.value_heads) + values * n.hidden;
    p.dense.others = (keys + keys + values) * l.convolution + n.value_heads + n.value_heads + l.value_head_dim;
    return p;
  }

  [[nodiscard]] parameters dense_mlp() const {
    parameters p;
    p.dense.linear = mlp(n.dense_mlp);
    return p;
  }

  [[nodiscard]] parameters moe_mlp() const {
    const moeplan::experts& e = m.experts;
    const moeplan::assumptions& how = t.assumptions;
    parameters p;
    p.experts.linear = n.local_experts * mlp(n.expert_mlp);
    if (e.bias) p.experts.others = n.local_experts * ((m.gated_mlp ? 2 : 1) * n.expert_mlp + n.hidden);
    group& shared = how.shared_experts_state == moeplan::state_group::experts ? p.experts : p.dense;
    shared.linear += mlp(how.shared_experts == moeplan::held::replicated ? integer{e.shared_intermediate_size} : n.shared_mlp);
    if (e.shared_gate) shared.routers += n.hidden;
    group& router = how.router_state == moeplan::state_group::experts ? p.experts : p.dense;
    router.routers += n.hidden * e.routed;
    if (e.router_bias) router.others += e.routed;
    if (e.selection_bias) router.buffers += e.routed;
    return p;
  }

  [[nodiscard]] static parameters others(const integer& numbers) {
    parameters p;
    p.dense.others = numbers;
    return p;
  }
  [[nodiscard]] parameters norms() const { return others(norm() * m.norms_per_layer); }
  [[nodiscard]] parameters vocabulary() const { return others(n.vocabulary * n.hidden); }

  [[nodiscard]] parameters decoder_layer(std::int64_t layer) const {
    parameters p = is_linear(layer) ? linear_attention() : softmax_attention();
    p.add(is_moe(layer) ? moe_mlp() : dense_mlp());
    p.add(norms());
    return p;
  }
  [[nodiscard]] parameters mtp_module() const {
    parameters p = softmax_attention();
    p.add(mtp_is_moe() ? moe_mlp() : dense_mlp());
    p.add(norms());
    p.dense.linear += 2 * n.hidden * n.hidden / tp;
    p.add(others(3 * norm()));
    return p;
  }

  /// Bytes of the states of one group's parameters on a rank: all of them, or weights and gradients alone.
  struct states {
    integer weights, gradients, optimizer;
  };
  [[nodiscard]] states states_of(const group& g, const integer& ranks) const {
    using moeplan::number_type;
    using moeplan::optimizer;
    using moeplan::sharding;
    const moeplan::precision& p = t.precision;
    const auto on = [&](const integer& numbers, sharding from) { return t.sharding < from ? numbers : divided_up(numbers, ranks); };
    const bool only_fp8 = p.fp8 != moeplan::fp8_recipe::none && p.fp8_weights;
    states s;
    s.weights = bytes_of(on(only_fp8 ? integer{g.trained() - g.linear} : g.trained(), sharding::parameters), p.weights);
    s.weights += g.buffers * 4;
    if (p.fp8 != moeplan::fp8_recipe::none) {
      const integer linear = only_fp8 ? on(g.linear, sharding::parameters) : g.linear;
      s.weights += linear + linear; // in rows and in columns
      if (p.fp8 == moeplan::fp8_recipe::blockwise) s.weights += 2 * 4 * divided_up(linear, 128 * 128);
      if (p.fp8 == moeplan::fp8_recipe::mxfp8) s.weights += 2 * divided_up(linear, 32);
    }
    s.gradients = bytes_of(on(g.trained(), sharding::gradients), p.gradients);
    if (t.optimizer == optimizer::none) return s;
    const integer own = on(g.trained(), sharding::optimizer);
    const auto keep = [&](const integer& numbers, number_type type) {
      const integer all = bytes_of(numbers, type);
      s.optimizer += all - all * t.optimizer_offload.numerator.value() / t.optimizer_offload.denominator.value();
    };
    if (only_fp8 || p.master_weights != p.weights) keep(own, p.master_weights);
    keep(own, p.first_moment);
    if (t.optimizer == optimizer::adam) keep(own, p.second_moment);
    if (t.optimizer == optimizer::muon) keep(own - on(g.linear + g.routers, sharding::optimizer), p.second_moment);
    return s;
  }

  // --- Workspaces

  [[nodiscard]] integer sharding_workspace(const std::vector<const virtual_stage*>& held) const {
    if (t.sharding < moeplan::sharding::gradients) return 0;
    integer attention = 0, mlps = 0, module = 0, around = 0; // The largest attention and the largest MLP need not be of one layer.
    integer ends = 0;
    bool embedding = false, head = false;
    for (const virtual_stage* s : held) {
      for (const std::int64_t layer : s->layers) {
        attention = std::max(attention, (is_linear(layer) ? linear_attention() : softmax_attention()).all());
        mlps = std::max(mlps, (is_moe(layer) ? moe_mlp() : dense_mlp()).all());
        around = norms().all();
      }
      if (s->mtp > 0) module = mtp_module().all();
      embedding = embedding || s->first || s->mtp > 0;
      head = head || (s->last && !(m.tied_embeddings && (s->first || s->mtp > 0)));
    }
    if (embedding) ends += vocabulary().all();
    if (head) ends += vocabulary().all();
    const moeplan::number_type type = t.precision.weights;
    const integer largest = std::max<integer>(attention + mlps + around, module);
    integer all = allocated(bytes_of(largest, type));
    if (t.sharding >= moeplan::sharding::parameters)
      all += allocated(bytes_of(2 * largest, type)) + allocated(bytes_of(ends, type));
    return all;
  }

  /// What Megatron-LM keeps for the whole run (core_r0.14, with Transformer Engine 2.11 and PyTorch 2.10).
  [[nodiscard]] integer megatron_workspace(const std::vector<const virtual_stage*>& held) const {
    if (d.profile != moeplan::profile::megatron) return 0;
    std::int64_t moe = 0, softmax = 0, mtp = 0;
    bool dense = false, linear = false, loss = false;
    for (const virtual_stage* s : held) {
      for (const std::int64_t layer : s->layers) {
        if (is_moe(layer))
          ++moe;
        else
          dense = true;
        if (is_linear(layer))
          linear = true;
        else
          ++softmax;
      }
      mtp += s->mtp;
      loss = loss || s->last;
    }
    if (mtp > 0 && mtp_is_moe()) moe += mtp;
    if (mtp > 0 && !mtp_is_moe()) dense = true;
    const moeplan::number_type type = t.precision.weights;
    const integer of_te = 32 * 1024 * 1024 + 1024;
    const integer of_pytorch = 4096 * 1024 * 2 + 16 * 1024 * 8;
    integer all = allocated(of_te);
    if (moe > 0) all += allocated(4 * of_te);
    if (moe > 0 || loss) all += allocated(2 * of_pytorch);
    const integer sequence = t.sequence_length;
    if (latent)
      all += allocated(sequence * (softmax + mtp) * m.attention.qk_rope_head_dim * 2 * 4);
    else
      all += allocated(sequence / cp * n.head_dim * 4);
    const bool gathers = moe > 0 && ep > 1 && t.dispatcher == moeplan::token_dispatcher::all_gather;
    if (gathers) all += allocated(bytes_of(spread * ep * etp * n.hidden, type));
    if (!gathers && loss && sequence_parallel) all += allocated(bytes_of(tokens * n.hidden, type));
    if (!gathers && moe > 0) all += allocated(bytes_of(spread * moe * m.experts.routed, type));
    if (!t.kernels.fused_weight_gradient) return all;
    std::set<std::pair<integer, integer>> matrices;
    const auto add_mlp = [&](const integer& width) {
      matrices.emplace(width * (m.gated_mlp ? 2 : 1), n.hidden);
      matrices.emplace(n.hidden, width);
    };
    if (softmax > 0 || mtp > 0) add_attention(matrices);
    if (linear) {
      const moeplan::linear_attention& l = m.linear_attention;
      const integer keys = n.key_heads * l.key_head_dim, values = n.value_heads * l.value_head_dim;
      matrices.emplace(keys + keys + values + values + n.value_heads + n.value_heads, n.hidden);
      matrices.emplace(n.hidden, values);
    }
    if (dense) add_mlp(n.dense_mlp);
    if (moe > 0) {
      add_mlp(n.expert_mlp);
      if (n.shared_mlp > 0) add_mlp(n.shared_mlp);
    }
    if (mtp > 0) matrices.emplace(n.hidden / tp, 2 * n.hidden);
    if (loss) matrices.emplace(n.vocabulary, n.hidden);
    for (const auto& [rows, columns] : matrices) all += allocated(bytes_of(rows * columns, type));
    return all;
  }

  void add_attention(std::set<std::pair<integer, integer>>& matrices) const {
    const moeplan::attention& a = m.attention;
    if (!latent) {
      const integer width = n.heads * n.head_dim;
      matrices.emplace(width * (a.output_gate ? 2 : 1) + 2 * n.kv_heads * n.head_dim, n.hidden);
      matrices.emplace(n.hidden, width);
      return;
    }
    const integer queries = n.heads * (integer{a.qk_nope_head_dim} + a.qk_rope_head_dim);
    if (a.q_lora_rank > 0) matrices.emplace(a.q_lora_rank, n.hidden);
    matrices.emplace(queries, a.q_lora_rank > 0 ? integer{a.q_lora_rank} : n.hidden);
    matrices.emplace(integer{a.kv_lora_rank} + a.qk_rope_head_dim, n.hidden);
    matrices.emplace(n.heads * (integer{a.qk_nope_head_dim} + a.v_head_dim), a.kv_lora_rank);
    matrices.emplace(n.hidden, n.heads * a.v_head_dim);
    if (a.indexer.heads == 0) return;
    matrices.emplace(integer{a.indexer.heads} * a.indexer.head_dim, a.q_lora_rank);
    matrices.emplace(a.indexer.head_dim, n.hidden);
    matrices.emplace(a.indexer.heads, n.hidden);
  }

  // --- Activations of one micro-batch on a virtual stage

  struct walk {
    integer kept, for_weights, forward, backward, widest;

    void through(const block_bytes& b, const integer& counted_elsewhere = 0) {
      widest = std::max<integer>(widest, b.forward);
      forward = std::max<integer>(forward, kept + b.forward);
      backward = std::max<integer>(backward, kept + b.backward - counted_elsewhere);
      kept += b.kept;
      for_weights += b.for_weights;
    }
  };

  /// A decoder layer. The gradient of the output of a stage's last one came from the next stage, and is counted with what passes between
  /// stages.
  void layer(walk& w, bool linear, bool moe, bool output_gradient_counted) {
    w.through(unit(linear ? moeplan::block::linear_attention : moeplan::block::softmax_attention));
    w.through(unit(moe ? moeplan::block::moe_mlp : moeplan::block::dense_mlp), output_gradient_counted ? residual : integer{0});
  }

  /// What is computed again keeps nothing but its input; in the backward pass its forward pass comes first, while the gradient of its
  /// output waits.
  template <class Layers>
  void checkpointed(walk& w, bool output_gradient_counted, Layers layers, int inputs = 1) {
    walk again;
    again.kept = w.kept;
    layers(again);
    const integer waiting = output_gradient_counted ? integer{0} : residual;
    w.backward = std::max<integer>(w.backward, std::max<integer>(again.forward + waiting, again.backward));
    w.kept += inputs * residual;
    w.for_weights += again.for_weights;
    w.forward = std::max<integer>(w.forward, w.kept + again.widest);
  }

  [[nodiscard]] walk walk_of(const virtual_stage& s) {
    walk w;
    if (s.first) w.through(unit(moeplan::block::embedding));
    const std::size_t layers = s.layers.size();
    const auto is_last = [&](std::size_t i) { return !s.last && i + 1 == layers; };
    const auto one = [&](walk& in, std::size_t i) { layer(in, is_linear(s.layers[i]), is_moe(s.layers[i]), is_last(i)); };
    const bool full = t.recompute == moeplan::recompute::full;
    const auto number = static_cast<std::size_t>(t.recompute_layers);
    for (std::size_t i = 0; i < layers;) {
      const bool uniform = t.recompute_method == moeplan::recompute_method::uniform;
      if (!full || (!uniform && i >= number)) {
        one(w, i++);
        continue;
      }
      const std::size_t end = uniform ? std::min(layers, number < layers ? i + number : layers) : i + 1;
      checkpointed(w, is_last(end - 1), [&](walk& again) {
        for (std::size_t j = i; j < end; ++j) one(again, j);
      });
      i = end;
    }
    for (std::int64_t module = 0; module < s.mtp; ++module) {
      const auto whole = [&](walk& in) {
        in.through(unit(moeplan::block::mtp_input));
        layer(in, false, mtp_is_moe(), false);
      };
      // From the hidden states before it and the embedded tokens.
      if (full && t.recompute_method == moeplan::recompute_method::uniform)
        checkpointed(w, false, whole, 2);
      else
        whole(w);
    }
    if (s.last)
      for (std::int64_t head = 0; head <= s.mtp; ++head) w.through(unit(moeplan::block::head));
    return w;
  }

  // --- The pipeline

  struct held_chunk {
    std::int64_t whole = 0, weight_gradient = 0;
  };

  /// A moment: what runs, or -1, and what is held of each chunk.
  void look(std::int64_t forward, std::int64_t backward, const std::vector<held_chunk>& held) {
    integer all = 0;
    for (std::size_t c = 0; c < held.size(); ++c) {
      all += walks[c].for_weights * held[c].weight_gradient;
      std::int64_t waiting = held[c].whole;
      if (static_cast<std::int64_t>(c) == forward) --waiting, all += walks[c].forward;
      if (static_cast<std::int64_t>(c) == backward) --waiting, all += walks[c].backward;
      all += walks[c].kept * waiting;
    }
    // Tensors of its neighbours (schedules.py): the gradient that the rank received last, unless it is the last one; and, unless it is the
    // first one or this is the only micro-batch, the gradient that it sent last, in forward passes of the last one the input before too.
    const bool alone = held.size() == 1;
    const bool is_first = alone && here[0]->first, is_last = alone && here[0]->last;
    std::int64_t buffers = 0;
    if (!is_last) ++buffers;
    if (!is_first && micro_batches > 1) ++buffers;
    if (!is_first && micro_batches > 1 && is_last && backward < 0) ++buffers;
    highest = std::max<integer>(highest, all + residual * buffers);
  }

  /// Step after step in Megatron-LM's order (schedules.py).
  void replay_1f1b(std::int64_t rank) {
    const auto chunks = static_cast<std::int64_t>(here.size());
    // Full groups of micro-batches repeat: more than some of them show nothing new.
    const std::int64_t m_all = micro_batches > 8 * pp ? 8 * pp + micro_batches % pp : micro_batches;
    std::vector<std::int64_t> order; // chunk of each forward pass
    for (std::int64_t first = 0; first < m_all; first += pp)
      for (std::int64_t c = 0; c < chunks; ++c)
        for (std::int64_t i = first; i < std::min(first + pp, m_all); ++i) order.push_back(c);
    const auto all = static_cast<std::int64_t>(order.size());
    std::int64_t warm_up = chunks == 1 ? pp - rank - 1 : (pp - rank - 1) * 2 + (chunks - 1) * pp;
    const bool overlaps = t.overlap.expert_parallel;
    if (overlaps) ++warm_up;
    warm_up = std::min(warm_up, all);
    std::vector<held_chunk> held(here.size());
    const auto at = [&](std::int64_t step) { return order[static_cast<std::size_t>(step)]; };
    const auto start = [&](std::int64_t step) { ++held[static_cast<std::size_t>(at(step))].whole; };
    const auto finish = [&](std::int64_t step) { --held[static_cast<std::size_t>(chunks - 1 - at(step))].whole; };
    for (std::int64_t i = 0; i < warm_up; ++i) start(i), look(at(i), -1, held);
    for (std::int64_t i = 0; i + warm_up < all; ++i) {
      start(i + warm_up);
      const std::int64_t back = chunks - 1 - at(i);
      if (overlaps)
        look(at(i + warm_up), back, held);
      else
        look(at(i + warm_up), -1, held), look(-1, back, held);
      finish(i);
    }
    for (std::int64_t i = all - warm_up; i < all; ++i) look(-1, chunks - 1 - at(i), held), finish(i);
  }

  /// All micro-batches through one chunk after the other, and back; within a chunk only the number held changes.
  void replay_gpipe() {
    std::vector<held_chunk> held(here.size());
    for (std::size_t c = 0; c < here.size(); ++c) {
      held[c].whole = 1;
      look(static_cast<std::int64_t>(c), -1, held);
      held[c].whole = micro_batches;
      look(static_cast<std::int64_t>(c), -1, held);
    }
    for (std::size_t c = here.size(); c-- > 0;) {
      look(-1, static_cast<std::int64_t>(c), held);
      held[c].whole = 0;
    }
  }

  /// A chunk that holds so many, as far as there are, in a forward and in a backward pass.
  [[nodiscard]] static held_chunk at_most(std::int64_t all, std::int64_t whole, std::int64_t weight_gradient = 0) {
    const std::int64_t w = std::min(whole, all);
    return {w, std::min(weight_gradient, all - w)};
  }

  struct moments_of_library {
    training_memory* to;
    void operator()(const moeplan::pipeline_moment& moment) {
      std::vector<held_chunk> held;
      for (std::int64_t c = 0; c < 2; ++c) held.push_back({moment.held(c).whole, moment.held(c).weight_gradient});
      to->look(moment.forward_chunk(), moment.backward_chunk(), held);
    }
  };

  /// arXiv 2401.10241, 2405.15362, 2412.19437; the activations in flight that they publish.
  void look_at_peaks(std::int64_t r) {
    const std::int64_t m_all = micro_batches;
    const auto both = [&](std::int64_t chunk, const std::vector<held_chunk>& held) {
      look(chunk, -1, held), look(-1, chunk, held);
    };
    switch (t.schedule) {
      case moeplan::schedule::one_forward_one_backward: return replay_1f1b(r);
      case moeplan::schedule::gpipe: return replay_gpipe();
      case moeplan::schedule::zb_h1: return both(0, {at_most(m_all, pp - r, r)});
      case moeplan::schedule::zb_h2: return both(0, {at_most(m_all, 2 * pp - 2 * r - 1, 2 * r)});
      case moeplan::schedule::zb_v: {
        // Few micro-batches leave room for more of the second chunk's to wait for the gradients of weights.
        const auto filled = [&](held_chunk one, held_chunk two) {
          const std::int64_t room = 2 * std::min(pp, m_all) - one.whole - two.whole;
          two.weight_gradient = std::clamp<std::int64_t>(room, 0, m_all - two.whole);
          return std::vector<held_chunk>{one, two};
        };
        both(0, filled(at_most(m_all, 2 * pp - r), at_most(m_all, r)));
        both(1, filled(at_most(m_all, 2 * pp - r - 1), at_most(m_all, r + 1)));
        return;
      }
      case moeplan::schedule::v_half:
      case moeplan::schedule::v_min: {
        moments_of_library each{this};
        moeplan::visit_peaks({.schedule = t.schedule, .ranks = pp, .chunks = 2, .micro_batches = m_all}, r, each);
        return;
      }
      case moeplan::schedule::dualpipe: {
        const std::int64_t half = m_all / 2 + m_all % 2; // from either end
        const std::vector<held_chunk> held{at_most(half, pp - r), at_most(half, r + 1)};
        look(0, 1, held), look(1, 0, held);
        return;
      }
      case moeplan::schedule::dualpipe_v: {
        const std::vector<held_chunk> held{at_most(m_all, 2 * pp - r), at_most(m_all, r + 1)};
        look(0, 1, held), look(1, 0, held);
        return;
      }
    }
  }

  std::vector<const virtual_stage*> here; ///< the virtual stages of the rank at hand
  std::vector<walk> walks;
  integer highest;

  [[nodiscard]] std::vector<const virtual_stage*> held_by(std::int64_t rank) const {
    std::vector<const virtual_stage*> held;
    const auto add = [&](std::int64_t v) { held.push_back(&stages[static_cast<std::size_t>(v)]); };
    using moeplan::schedule;
    if (t.schedule == schedule::dualpipe) return add(rank), add(pp - 1 - rank), held;
    const bool v_shaped = t.schedule == schedule::zb_v || t.schedule == schedule::v_half || t.schedule == schedule::v_min ||
                          t.schedule == schedule::dualpipe_v;
    if (v_shaped) return add(rank), add(2 * pp - 1 - rank), held;
    for (std::int64_t c = 0; c < chunks_of_layout; ++c) add(c * pp + rank);
    return held;
  }

  [[nodiscard]] integer peak_of(std::int64_t rank) {
    here = held_by(rank);
    walks.clear();
    parameters p;
    for (const virtual_stage* s : here) {
      walks.push_back(walk_of(*s));
      for (const std::int64_t layer : s->layers) p.add(decoder_layer(layer));
      for (std::int64_t i = 0; i < s->mtp; ++i) p.add(mtp_module());
      const bool embedding = s->first || s->mtp > 0;
      if (embedding) p.add(vocabulary());
      if (!s->last) continue;
      p.add(others(norm()));
      if (m.lm_head_bias) p.add(others(n.vocabulary));
      if (!(m.tied_embeddings && embedding)) p.add(vocabulary());
    }
    highest = 0;
    look_at_peaks(rank);

    // Who shares states: data-parallel ranks of either grid, in dp_replicate groups.
    integer dense_ranks = t.assumptions.dense_states == moeplan::dense_shards::dp_ranks ? dp : dp * cp;
    integer expert_ranks = tp * cp * dp / (etp * ep);
    dense_ranks = std::max<integer>(dense_ranks / t.dp_replicate, 1);
    expert_ranks = std::max<integer>(expert_ranks / t.dp_replicate, 1);
    const states dense = states_of(p.dense, dense_ranks), experts = states_of(p.experts, expert_ranks);
    const integer standing = dense.weights + dense.gradients + dense.optimizer + experts.weights + experts.gradients +
                             experts.optimizer + sharding_workspace(here) + megatron_workspace(here);
    integer peak = standing + highest;

    using moeplan::number_type;
    const moeplan::precision& types = t.precision;
    if (t.optimizer != moeplan::optimizer::none && types.gradients != number_type::fp32 && types.gradients != number_type::none &&
        types.first_moment == number_type::fp32) {
      const bool shards = t.sharding >= moeplan::sharding::optimizer;
      const integer copied = divided_up(p.dense.trained(), shards ? dense_ranks : integer{1}) +
                             divided_up(p.experts.trained(), shards ? expert_ranks : integer{1});
      peak = std::max<integer>(peak, standing + 4 * copied);
    }
    if (d.profile == moeplan::profile::megatron)
      peak = std::max<integer>(peak, 2 * (dense.weights + experts.weights) + dense.gradients + experts.gradients);
    return peak;
  }
};

} // namespace moeplan_test::slow
