// The traffic of a training step, added up rank by rank, layer by layer and micro-batch by micro-batch, in fractions of integers of any
// length. Written from the layers' point of view, not from the library's lists; slow, for small worlds.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>
#include <map>
#include <utility>

#include <moeplan/balance/node_limited_routing.hpp>
#include <moeplan/cost/communication.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/routed_rows.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

namespace moeplan_test {

using big = boost::multiprecision::cpp_int;
using exact = boost::multiprecision::cpp_rational;

/// Bytes that all ranks send, by purpose and pass.
using traffic_table = std::map<std::pair<moeplan::communication_purpose, moeplan::communication_pass>, exact>;

class slow_traffic {
public:
  explicit slow_traffic(const moeplan::deployment& d)
      : d_{d},
        t_{d.workload.train},
        tp_{d.strategy[moeplan::axis::tp]},
        cp_{d.strategy[moeplan::axis::cp]},
        dp_{d.strategy[moeplan::axis::dp]},
        pp_{d.strategy[moeplan::axis::pp]},
        ep_{d.strategy[moeplan::axis::ep]},
        etp_{d.strategy[moeplan::axis::etp]},
        sp_{d.strategy[moeplan::axis::sp] > 1} {
    const std::int64_t edp = tp_ * cp_ * dp_ / (etp_ * ep_);
    tokens_ = big{t_.micro_batch} * t_.sequence_length / cp_;
    own_ = sp_ ? tokens_ / tp_ : tokens_;
    const moeplan::mesh mesh{d.strategy};
    for (std::int64_t rank = 0; rank < mesh.world(); ++rank) add_rank(mesh.dense_at(rank).pp, edp);
  }

  traffic_table table;

private:
  using pass = moeplan::communication_pass;
  using purpose = moeplan::communication_purpose;
  enum class what { all_reduce, gather, scatter, exchange };

  void add(purpose p, pass w, what kind, std::int64_t ranks, const big& bytes) {
    if (ranks == 1) return;
    table[{p, w}] += exact{bytes * (ranks - 1) * (kind == what::all_reduce ? 2 : 1)} / ranks;
  }

  [[nodiscard]] big of_type() const { return moeplan::bits(t_.precision.weights) / 8; }

  /// The way forward, once more where `again`.
  void there(purpose p, what kind, std::int64_t ranks, const big& bytes, std::int64_t again) {
    add(p, pass::forward, kind, ranks, bytes);
    for (std::int64_t i = 0; i < again; ++i) add(p, pass::recompute, kind, ranks, bytes);
  }
  void back(purpose p, what kind, std::int64_t ranks, const big& bytes) { add(p, pass::backward, kind, ranks, bytes); }

  /// A token's numbers as a linear layer multiplies them: in FP8 a byte each, with four bytes for 128 of them or one for 32.
  [[nodiscard]] big multiplied(const big& width) const {
    switch (t_.precision.fp8) {
      case moeplan::fp8_recipe::none: break;
      case moeplan::fp8_recipe::delayed:
      case moeplan::fp8_recipe::tensorwise: return width;
      case moeplan::fp8_recipe::blockwise: return width + 4 * ((width + 127) / 128);
      case moeplan::fp8_recipe::mxfp8: return width + (width + 31) / 32;
    }
    return width * of_type();
  }

  void column(purpose p, const big& width, std::int64_t again) {
    const big bytes = tokens_ * width * of_type();
    const big gathered = p == purpose::head ? bytes : tokens_ * multiplied(width);
    if (sp_) {
      there(p, what::gather, tp_, gathered, again);
      back(p, what::gather, tp_, gathered); // for the gradient of the weights
      back(p, what::scatter, tp_, bytes);
    } else {
      back(p, what::all_reduce, tp_, bytes);
    }
  }
  void row(purpose p, std::int64_t again) {
    const big bytes = tokens_ * d_.model.hidden_size * of_type();
    if (sp_) {
      there(p, what::scatter, tp_, bytes, again);
      // Rows and columns have scales of their own, where there are several.
      const bool twice = t_.precision.fp8 == moeplan::fp8_recipe::blockwise || t_.precision.fp8 == moeplan::fp8_recipe::mxfp8;
      back(p, what::gather, tp_, tokens_ * multiplied(d_.model.hidden_size) * (twice ? 2 : 1));
    } else {
      there(p, what::all_reduce, tp_, bytes, again);
    }
  }

  [[nodiscard]] bool selective(bool moeplan::recompute_modules::*m) const {
    return t_.recompute == moeplan::recompute::selective && t_.recompute_modules.*m;
  }

  void attention(bool full) {
    const moeplan::attention& a = d_.model.attention;
    const std::int64_t h = d_.model.hidden_size;
    if (a.kind == moeplan::attention_kind::latent) {
      const bool up = full || selective(&moeplan::recompute_modules::latent_up_projection);
      const bool shared = t_.assumptions.latent_down_projections == moeplan::held::sharded;
      const auto down = [&](std::int64_t out, std::int64_t scattered) {
        column(purpose::attention, h, full);
        there(purpose::attention, what::gather, tp_, tokens_ * out * of_type(), full);
        if (sp_) back(purpose::attention, what::gather, tp_, tokens_ * scattered * of_type());
      };
      if (a.q_lora_rank > 0 && shared) down(a.q_lora_rank, a.q_lora_rank);
      column(purpose::attention, a.q_lora_rank > 0 ? a.q_lora_rank : h, up);
      if (shared) down(a.kv_lora_rank + a.qk_rope_head_dim, a.kv_lora_rank);
      column(purpose::attention, a.kv_lora_rank, up);
      if (!shared && sp_) {
        const big keys = tokens_ * a.qk_rope_head_dim * of_type();
        there(purpose::attention, what::gather, tp_, keys, full);
        back(purpose::attention, what::scatter, tp_, keys);
      }
    } else {
      column(purpose::attention, h, full);
    }
    row(purpose::attention, full);
    context(full);
  }

  void context(bool full) {
    const moeplan::attention a = moeplan::rank_model(d_.model, d_.strategy).attention;
    const bool latent = a.kind == moeplan::attention_kind::latent;
    const std::int64_t q = a.heads * (latent ? a.qk_nope_head_dim + a.qk_rope_head_dim : a.head_dim);
    const std::int64_t k = latent ? q : a.kv_heads * a.head_dim;
    const std::int64_t v = latent ? a.heads * a.v_head_dim : k;
    const std::int64_t o = latent ? v : q;
    const bool again = full || selective(&moeplan::recompute_modules::core_attention);
    const big kv = tokens_ * (k + v) * of_type();
    switch (t_.context) {
      case moeplan::context_exchange::ring: // Every block visits every other rank; (n - 1) / n of n blocks is n - 1 of them.
        there(purpose::context, what::gather, cp_, kv * cp_, again);
        back(purpose::context, what::gather, cp_, kv * cp_);
        back(purpose::context, what::gather, cp_, kv * cp_);
        break;
      case moeplan::context_exchange::all_gather:
        there(purpose::context, what::gather, cp_, kv * cp_, again);
        back(purpose::context, what::gather, cp_, kv * cp_);
        back(purpose::context, what::scatter, cp_, kv * cp_);
        break;
      case moeplan::context_exchange::all_to_all:
        for (const std::int64_t width : {q, k, v, o}) {
          there(purpose::context, what::exchange, cp_, tokens_ * width * of_type(), again);
          back(purpose::context, what::exchange, cp_, tokens_ * width * of_type());
        }
        break;
    }
  }

  void moe(bool full) {
    const moeplan::experts& e = d_.model.experts;
    const bool again = full || selective(&moeplan::recompute_modules::moe);
    const std::int64_t h = d_.model.hidden_size;
    if (e.shared_intermediate_size > 0 && t_.assumptions.shared_experts == moeplan::held::sharded) {
      const bool alone = selective(&moeplan::recompute_modules::shared_experts);
      column(purpose::shared_experts, h, (again ? 1 : 0) + (alone ? 1 : 0));
      row(purpose::shared_experts, (again ? 1 : 0) + (alone ? 1 : 0));
    }
    const big type = of_type();
    const std::int64_t all = ep_ * etp_;
    const moeplan::routed_rows rows =
        moeplan::rows_of_rank(e, d_.strategy, t_.routing, static_cast<std::uint64_t>(own_.convert_to<std::uint64_t>()));
    const big sent{rows.sent.value()};
    switch (t_.dispatcher) {
      case moeplan::token_dispatcher::all_gather:
        there(purpose::routing, what::gather, all, own_ * all * e.routed, again);
        there(purpose::probabilities, what::gather, all, own_ * all * e.routed * type, again);
        there(purpose::dispatch, what::gather, all, own_ * all * h * type, again);
        there(purpose::combine, what::scatter, all, own_ * all * h * type, again);
        back(purpose::dispatch, what::gather, all, own_ * all * h * type);
        back(purpose::combine, what::scatter, all, own_ * all * h * type);
        back(purpose::probabilities, what::scatter, all, own_ * all * e.routed * type);
        break;
      case moeplan::token_dispatcher::all_to_all:
        if (!t_.routing.pad_to_capacity) there(purpose::routing, what::gather, all, big{all} * e.routed * 8, again);
        there(purpose::dispatch, what::exchange, ep_, sent * h * type, again);
        there(purpose::combine, what::exchange, ep_, sent * h * type, again);
        there(purpose::probabilities, what::exchange, ep_, sent * type, again);
        back(purpose::dispatch, what::exchange, ep_, sent * h * type);
        back(purpose::combine, what::exchange, ep_, sent * h * type);
        back(purpose::probabilities, what::exchange, ep_, sent * type);
        there(purpose::expert_tensors, what::gather, etp_, sent * etp_ * h * type, again);
        there(purpose::expert_tensors, what::scatter, etp_, sent * etp_ * h * type, again);
        there(purpose::probabilities, what::gather, etp_, sent * etp_ * type, again);
        back(purpose::expert_tensors, what::gather, etp_, sent * etp_ * h * type);
        back(purpose::expert_tensors, what::scatter, etp_, sent * etp_ * h * type);
        back(purpose::probabilities, what::scatter, etp_, sent * etp_ * type);
        break;
      case moeplan::token_dispatcher::flex:
      case moeplan::token_dispatcher::deepep: {
        std::int64_t most = moeplan::distinct_ranks_of(e, ep_).most;
        if (most == 0) most = e.top_k < ep_ ? e.top_k : ep_;
        for (const purpose p : {purpose::dispatch, purpose::combine}) {
          there(p, what::exchange, all, own_ * most * etp_ * h * type, again);
          back(p, what::exchange, all, own_ * most * etp_ * h * type);
        }
        break;
      }
    }
  }

  void mlp(bool is_moe, bool full) {
    if (is_moe) return moe(full);
    column(purpose::mlp, d_.model.hidden_size, full || selective(&moeplan::recompute_modules::mlp));
    row(purpose::mlp, full || selective(&moeplan::recompute_modules::mlp));
  }

  void embed() {
    const big bytes = tokens_ * d_.model.hidden_size * of_type();
    add(purpose::embedding, pass::forward, sp_ ? what::scatter : what::all_reduce, tp_, bytes);
    if (sp_) back(purpose::embedding, what::gather, tp_, bytes);
  }

  void predict() {
    column(purpose::head, d_.model.hidden_size, 0);
    const std::int64_t numbers = 3;
    for (std::int64_t i = 0; i < numbers; ++i) add(purpose::loss, pass::forward, what::all_reduce, tp_, tokens_ * 4);
  }

  void chunk(const moeplan::stage_contents& here, std::int64_t modules_before) {
    const moeplan::model& m = d_.model;
    if (here.embedding) embed();
    for (std::int64_t i = 0; i < here.decoder_layers; ++i) {
      const std::int64_t layer = here.first_layer + i;
      const bool by_block = t_.recompute_method == moeplan::recompute_method::block;
      const bool full = t_.recompute == moeplan::recompute::full && (!by_block || i < t_.recompute_layers);
      if (m.has_linear_attention(layer)) {
        column(purpose::attention, m.hidden_size, full);
        row(purpose::attention, full);
      } else {
        attention(full);
      }
      mlp(m.has_experts(layer), full);
    }
    const bool full = t_.recompute == moeplan::recompute::full && t_.recompute_method == moeplan::recompute_method::uniform;
    static_cast<void>(modules_before);
    for (std::int64_t i = 0; i < here.mtp_layers; ++i) {
      embed();
      column(purpose::multi_token_input, 2 * m.hidden_size, full);
      there(purpose::multi_token_input, what::gather, tp_, tokens_ * m.hidden_size * of_type(), full);
      if (sp_) back(purpose::multi_token_input, what::gather, tp_, tokens_ * m.hidden_size * of_type());
      attention(full);
      mlp(m.has_experts(m.layers - 1), full);
    }
    if (here.loss)
      for (std::int64_t i = 0; i < 1 + m.mtp_layers; ++i) predict();
  }

  /// Where a virtual stage is, by looking at all of them.
  [[nodiscard]] std::int64_t rank_with(std::int64_t stage, std::int64_t chunk) const {
    for (std::int64_t rank = 0; rank < pp_; ++rank)
      for (std::int64_t c = 0; c < chunks(); ++c) {
        if (t_.schedule == moeplan::schedule::dualpipe && c != chunk) continue;
        if (moeplan::virtual_stage(t_.schedule, pp_, rank, c) == stage) return rank;
      }
    return -1;
  }
  [[nodiscard]] std::int64_t chunks() const { return moeplan::chunks_of_rank(d_.strategy, d_.layout, t_.schedule); }

  void add_rank(std::int64_t rank, std::int64_t edp) {
    const std::int64_t batches = t_.global_batch.given ? t_.global_batch.number / (t_.micro_batch * dp_) : 1;
    const std::int64_t stages = moeplan::virtual_stages(d_.strategy, d_.layout);
    const moeplan::model part = moeplan::rank_model(d_.model, d_.strategy);
    const auto parts = moeplan::parts_of_rank<big>(d_.model, part, d_.strategy, t_.vocabulary_multiple, t_.assumptions);
    moeplan::rank_parameters<big> held;
    for (std::int64_t c = 0; c < chunks(); ++c) {
      const std::int64_t stage = moeplan::virtual_stage(t_.schedule, pp_, rank, c);
      const moeplan::stage_contents here = moeplan::contents(d_.model, d_.strategy, d_.layout, stage);
      held += moeplan::parameters_of_stage<big>(parts, moeplan::parts_of_stage(d_.model, here));
      for (std::int64_t b = 0; b < batches; ++b) {
        if (t_.schedule == moeplan::schedule::dualpipe && b % 2 != c) continue; // Every other one comes from the other end.
        chunk(here, 0);
        const big bytes = own_ * d_.model.hidden_size * of_type();
        if (stage + 1 < stages && rank_with(stage + 1, c) != rank) table[{purpose::pipeline, pass::forward}] += bytes;
        if (stage > 0 && rank_with(stage - 1, c) != rank) table[{purpose::pipeline, pass::backward}] += bytes;
      }
    }
    share(held.dense.trained(), dp_ * cp_, batches);
    share(held.experts.trained(), edp, batches);
  }

  void share(const big& parameters, std::int64_t ranks, std::int64_t batches) {
    const big gradients = parameters * moeplan::bits(t_.precision.gradients) / 8;
    const big weights = parameters * moeplan::bits(t_.precision.weights) / 8;
    switch (t_.sharding) {
      case moeplan::sharding::none: add(purpose::gradients, pass::update, what::all_reduce, ranks, gradients); break;
      case moeplan::sharding::optimizer:
        add(purpose::gradients, pass::update, what::scatter, ranks, gradients);
        add(purpose::weights, pass::update, what::gather, ranks, weights);
        break;
      case moeplan::sharding::gradients:
        add(purpose::gradients, pass::update, what::scatter, ranks, gradients * batches);
        add(purpose::weights, pass::update, what::gather, ranks, weights);
        break;
      case moeplan::sharding::parameters:
        add(purpose::gradients, pass::update, what::scatter, ranks, gradients * batches);
        add(purpose::weights, pass::update, what::gather, ranks, weights * batches * 2);
        break;
    }
    if (t_.schedule == moeplan::schedule::dualpipe && pp_ > 1)
      add(purpose::gradients, pass::update, what::all_reduce, 2,
          t_.sharding == moeplan::sharding::none ? gradients : (gradients + ranks - 1) / ranks);
  }

  moeplan::deployment d_;
  moeplan::training t_;
  std::int64_t tp_, cp_, dp_, pp_, ep_, etp_;
  bool sp_;
  big tokens_;
  big own_;
};

/// What the library visits, for all ranks of all stages, but for the purposes that slow_traffic leaves out.
struct visited_traffic {
  traffic_table table;
  std::int64_t stage_gpus = 1;

  void operator()(const moeplan::communication& c) {
    using moeplan::communication_purpose;
    if (c.purpose == communication_purpose::tied_embedding || c.purpose == communication_purpose::whole_parameters) return;
    const big once = moeplan::bytes_of_group<big>(c.kind, big{c.size.value()}, c.ranks);
    table[{c.purpose, c.pass}] += exact{once * c.times.value() * stage_gpus} / c.senders();
  }
};

} // namespace moeplan_test
