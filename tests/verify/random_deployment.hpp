// Deployments at random: most are nearly legal, so that every rule is met from both sides; some are nonsense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

#include <moeplan/describe/deployment.hpp>

namespace moeplan_test {

class random_deployments {
public:
  explicit random_deployments(std::uint64_t seed) : bits_{seed} {}

  moeplan::deployment next() {
    moeplan::deployment d;
    d.profile = chance(40) ? moeplan::profile::megatron : any<moeplan::profile>(7);
    if (chance(4))
      nonsense(d);
    else
      nearly_legal(d);
    // Half of all deployments stay as they are; the others get something wrong in one place, two, three or nine.
    if (chance(50)) return d;
    const int mistakes = chance(70) ? 1 : chance(60) ? 2 : chance(80) ? 3 : 9;
    for (int i = 0; i < mistakes; ++i) spoil(d);
    return d;
  }

private:
  using axis = moeplan::axis;
  using number = std::int64_t;

  // The standard's engines give the same numbers everywhere, its distributions do not.
  std::uint64_t below(std::uint64_t n) { return bits_() % n; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  bool coin() { return (bits_() & 1U) != 0; }

  template <std::size_t N>
  number one_of(const number (&values)[N]) {
    return values[below(N)];
  }
  template <class Enum>
  Enum any(std::uint16_t count) {
    return static_cast<Enum>(below(count));
  }

  number wild() {
    switch (below(8)) {
      case 0: return 0;
      case 1: return -1;
      case 2: return static_cast<number>(below(20)) - 4;
      case 3: return number{1} << below(63);
      case 4: return (number{1} << below(63)) - 1;
      case 5: return std::numeric_limits<number>::max() - static_cast<number>(below(2));
      case 6: return std::numeric_limits<number>::min() + static_cast<number>(below(2));
      default: return static_cast<number>(bits_());
    }
  }

  number near(number n) {
    switch (below(5)) {
      case 0: return n == std::numeric_limits<number>::max() ? n : n + 1;
      case 1: return n == std::numeric_limits<number>::min() ? n : n - 1;
      case 2: return n / 2;
      case 3: return n < (number{1} << 61) && n > 0 ? n * 2 : 3;
      default: return n < (number{1} << 61) && n > 0 ? n * 3 : 5;
    }
  }

  void spoil(number& n) { n = chance(60) ? near(n) : wild(); }
  void spoil(moeplan::optional_integer& n) {
    if (n.given && chance(20))
      n = {};
    else
      n.given = true, spoil(n.number);
  }

  moeplan::rank_order order() {
    moeplan::rank_order result;
    if (chance(50)) return result;
    for (std::size_t i = result.axes.size(); i > 1; --i) {
      const std::size_t j = below(i);
      const axis other = result.axes[j];
      result.axes[j] = result.axes[i - 1];
      result.axes[i - 1] = other;
    }
    if (chance(40)) result.axes.length -= below(4);
    return result;
  }

  void nonsense(moeplan::deployment& d) {
    const auto small = [this] { return static_cast<number>(below(9)) - 2; };
    for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::dp, axis::cp, axis::sp})
      if (coin()) d.strategy.set(a, small());
    d.strategy.order = order();
    d.model.layers = small();
    d.model.hidden_size = small();
    d.model.vocabulary_size = small();
    d.model.intermediate_size = small();
    d.model.attention.heads = small();
    d.model.attention.kv_heads = small();
    d.model.experts.routed = small();
    d.model.experts.top_k = small();
    d.model.experts.groups = small();
    d.model.experts.group_top_k = small();
    d.model.mtp_layers = small();
    if (coin()) d.cluster.total = small();
    if (coin()) d.cluster.nodes = small();
    if (coin()) d.cluster.gpus_per_node = small();
    if (chance(20)) d.cluster.nvlink_domain = small();
    d.layout.kind = any<moeplan::layout_kind>(4);
    if (coin()) d.layout.first = small();
    if (coin()) d.layout.last = small();
    d.layout.places_mtp = coin();
    if (d.layout.kind == moeplan::layout_kind::listed)
      for (std::uint64_t i = below(4); i != 0; --i)
        d.layout.runs.push_back({.stages = small(), .decoder_layers = small(), .mtp_layers = small()});
    if (coin())
      d.workload = moeplan::training{.global_batch = small(),
                                     .micro_batch = small(),
                                     .sequence_length = small(),
                                     .recompute_layers = small(),
                                     .dp_replicate = small()};
    else
      d.workload = moeplan::serving{.batch = small(),
                                    .sequence_length = small(),
                                    .redundant_experts = small(),
                                    .decode_context = small(),
                                    .data_parallelism = any<moeplan::data_parallelism>(2),
                                    .elastic_ep = coin()};
  }

  void nearly_legal(moeplan::deployment& d) {
    const bool serves = serving_framework(d.profile);
    number tp = one_of({1, 1, 1, 2, 2, 4, 8, 3}), cp = one_of({1, 1, 1, 2, 4, 3}), pp = one_of({1, 1, 2, 2, 4, 8, 3});
    number vpp = pp == 1 ? 1 : one_of({1, 1, 2, 3}), dp = one_of({1, 2, 4, 8, 16, 6, 12});
    if (serves || d.profile == moeplan::profile::deepspeed) vpp = chance(95) ? 1 : vpp;
    if (d.profile == moeplan::profile::trtllm && chance(80)) (coin() ? tp : dp) = 1;
    if (d.profile == moeplan::profile::vllm && chance(60)) (coin() ? cp : dp) = 1;
    if (d.profile == moeplan::profile::deepspeed && chance(70)) coin() ? tp = 1 : pp = cp = 1;
    if (chance(2)) dp *= 64;
    if (pp > 1 && below(1000) == 0) pp = 2, vpp = one_of({64, 64, 65, 96});
    const number stage = tp * cp * dp;
    number etp = one_of({1, 1, 1, 2, tp}), ep = one_of({1, 2, 4, 8, 16, stage, stage / 2, 3});
    // What serving frameworks make of a stage: all of it, all but CP, a replica.
    if (serves && chance(80)) {
      const number ranks = one_of({stage, stage, stage / cp, tp * cp});
      etp = one_of({1, 1, 2, ranks});
      ep = ranks / etp;
    }
    if ((d.profile == moeplan::profile::torchtitan || d.profile == moeplan::profile::deepspeed) && chance(90)) etp = 1;
    if (ep == 0 || (stage % (etp * ep) != 0 && chance(80))) etp = 1, ep = chance(50) ? stage : 1;
    const number sp = chance(60) ? tp : 1;
    degrees(d.strategy, {tp, pp, vpp, ep, etp, dp, cp, sp});
    if (d.profile == moeplan::profile::megatron || chance(15)) d.strategy.order = order();
    if (chance(8)) d.strategy.mapping = moeplan::mapping::product;
    const number gpus = d.strategy.mapping == moeplan::mapping::product ? stage * pp * ep * sp : stage * pp;
    cluster(d.cluster, gpus);
    if (chance(70)) memory(d.cluster.gpu);
    model(d.model, tp, cp, pp * vpp, ep, etp);
    if (chance(40)) features(d.model);
    layout(d, pp, vpp);
    workload(d, tp, cp, dp, ep);
  }

  /// From next to nothing to more than there is.
  void memory(moeplan::gpu& g) {
    g.memory = moeplan::bytes{(1U + below(8)) << (18 + below(20))};
    if (chance(30)) g.usable_memory = moeplan::bytes{g.memory.amount.value() / 16 * 15};
    if (chance(5)) g.memory = {};
  }

  static bool serving_framework(moeplan::profile p) {
    return p == moeplan::profile::vllm || p == moeplan::profile::sglang || p == moeplan::profile::trtllm;
  }

  struct sizes {
    number tp, pp, vpp, ep, etp, dp, cp, sp;
  };
  void degrees(moeplan::strategy& s, const sizes& n) {
    const auto give = [&](axis a, number size, std::uint64_t percent) {
      if (size != 1 || chance(percent)) s.set(a, size);
    };
    give(axis::tp, n.tp, 50);
    give(axis::pp, n.pp, 50);
    give(axis::vpp, n.vpp, 10);
    give(axis::ep, n.ep, 50);
    give(axis::etp, n.etp, 40);
    give(axis::cp, n.cp, 50);
    give(axis::sp, n.sp, 50);
    if (chance(60)) s.set(axis::dp, n.dp);
  }

  void cluster(moeplan::cluster& c, number gpus) {
    const number size = chance(70) ? gpus : one_of({2 * gpus, gpus + 1, gpus / 2, 3 * gpus});
    switch (below(5)) {
      case 0: break;
      case 4: c.gpus_per_node = 8, c.nodes = (size + 7) / 8; break;
      case 1: c.total = size; break;
      case 2: c.gpus_per_node = size % 8 == 0 ? 8 : 1, c.nodes = size % 8 == 0 ? size / 8 : size; break;
      default: coin() ? c.gpus_per_node = 8 : c.nodes = size; break;
    }
    if (c.gpus_per_node.given && chance(15)) c.nvlink_domain = one_of({8, 16, 24, 72, 12});
  }

  void model(moeplan::model& m, number tp, number cp, number virtual_stages, number ep, number etp) {
    m.layers = virtual_stages * one_of({1, 2, 3, 4});
    m.attention.kind = any<moeplan::attention_kind>(2);
    m.attention.kv_heads = chance(80) ? tp * cp * one_of({1, 2}) : one_of({1, 2, 4});
    m.attention.heads = m.attention.kv_heads * one_of({1, 2, 4, 8});
    if (chance(80)) m.attention.heads *= tp;
    m.attention.head_dim = one_of({0, 64, 128});
    if (m.attention.kind == moeplan::attention_kind::latent && chance(95)) {
      m.attention.q_lora_rank = one_of({0, 96, 200});
      m.attention.kv_lora_rank = one_of({64, 72, 512});
      m.attention.qk_nope_head_dim = one_of({0, 32, 128});
      m.attention.qk_rope_head_dim = one_of({16, 64});
      m.attention.v_head_dim = one_of({16, 32, 128});
    }
    m.hidden_size = m.attention.heads * 16 * one_of({1, 2, 3});
    m.vocabulary_size = chance(60) ? 1000 * tp : 50257;
    m.intermediate_size = chance(80) ? tp * 96 : one_of({0, 100});
    m.mtp_layers = one_of({0, 0, 0, 1, 1, 2});
    m.tied_embeddings = chance(25);
    if (chance(10)) {
      m.linear_attention.key_heads = tp * cp * one_of({1, 2, 4});
      m.linear_attention.value_heads = m.linear_attention.key_heads * one_of({1, 2, 3});
      m.linear_attention.key_head_dim = one_of({16, 128});
      m.linear_attention.value_head_dim = one_of({16, 24, 128});
      m.linear_attention.convolution = one_of({0, 1, 4, 4});
      m.linear_attention.softmax_layers = moeplan::layer_set::every_nth(one_of({4, 2, 1}), 0);
      if (m.linear_attention.softmax_layers.every == 4) m.linear_attention.softmax_layers.phase = 3;
    }
    if (chance(10)) m.attention.indexer.top_k = 2048;
    if (chance(40)) m.max_positions = one_of({4096, 8192, 131072});
    if (chance(15)) return;
    moeplan::experts& e = m.experts;
    e.routed = ep * one_of({1, 2, 4, 8});
    e.top_k = one_of({1, 1, 2, 4, 8, e.routed});
    if (e.top_k > e.routed && chance(90)) e.top_k = 1;
    e.intermediate_size = etp * one_of({1, 32, 96, 128, 384});
    if (coin()) e.shared_intermediate_size = tp * one_of({1, 64});
    if (chance(30) && e.routed % 4 == 0) {
      e.groups = one_of({1, 2, 4, e.routed});
      e.group_top_k = one_of({1, 1, 2, 4});
    }
    e.score = any<moeplan::router_score>(2);
    e.selection_bias = e.score == moeplan::router_score::sigmoid ? coin() : chance(10);
    if (coin()) e.layers = moeplan::layer_set::after_first(one_of({0, 1, 3, m.layers}));
    if (chance(20)) e.layers = moeplan::layer_set::every_nth(2, one_of({0, 1}));
    if (chance(10)) e.layers.exclude(static_cast<number>(below(256)));
  }

  /// What few models have.
  void features(moeplan::model& m) {
    moeplan::attention& a = m.attention;
    if (a.kind == moeplan::attention_kind::grouped_query) {
      a.qkv_bias = coin();
      a.norm = any<moeplan::query_key_norm>(3);
      a.output_gate = chance(30);
    } else if (chance(20)) {
      a.indexer = {one_of({1, 4, 64}), one_of({32, 128, 200}), 2048};
    }
    a.output_bias = coin();
    a.sinks = chance(30);
    if (chance(30)) {
      a.window.tokens = one_of({1, 16, 100, 128, 4096});
      a.window.kind = any<moeplan::window_kind>(2);
      a.window.full_layers = chance(50) ? moeplan::layer_set::every_nth(2, one_of({0, 1})) : moeplan::attention_window::no_layers();
    }
    m.gated_mlp = coin();
    m.norm_bias = coin();
    m.norms_per_layer = one_of({2, 4});
    m.lm_head_bias = coin();
    m.experts.bias = coin();
    m.experts.router_bias = coin();
    m.experts.shared_gate = coin();
  }

  void layout(moeplan::deployment& d, number pp, number vpp) {
    moeplan::layout& l = d.layout;
    const number each = d.model.layers / (pp * vpp);
    l.kind = any<moeplan::layout_kind>(4);
    switch (l.kind) {
      case moeplan::layout_kind::even:
        l.embedding_is_a_layer = chance(25);
        l.loss_is_a_layer = chance(25);
        if (l.embedding_is_a_layer && d.model.layers > 2) --d.model.layers;
        if (l.loss_is_a_layer && d.model.layers > 2) --d.model.layers;
        break;
      case moeplan::layout_kind::balanced: break;
      case moeplan::layout_kind::first_last:
        if (chance(80)) l.first = vpp * one_of({1, 2, each});
        if (chance(80)) l.last = vpp * one_of({1, 2, each});
        if (chance(90)) {
          const number middle = pp - (l.first.given ? 1 : 0) - (l.last.given ? 1 : 0);
          d.model.layers = l.first.number + l.last.number + (middle > 0 ? middle : 0) * vpp * each;
        }
        break;
      case moeplan::layout_kind::listed: {
        l.places_mtp = coin();
        number left = pp * vpp;
        if (chance(10)) left += one_of({1, pp, -1});
        number layers = 0;
        while (left > 0) {
          const number stages = chance(60) ? left : 1 + static_cast<number>(below(static_cast<std::uint64_t>(left)));
          const auto here = static_cast<number>(below(4));
          left -= stages;
          layers += stages * here;
          if (!l.runs.push_back({.stages = stages, .decoder_layers = here, .mtp_layers = 0})) break;
        }
        if (l.places_mtp && d.model.mtp_layers > 0 && !l.runs.empty()) place_mtp(d, pp);
        if (chance(90) && layers > 0) d.model.layers = layers;
      }
    }
  }

  void place_mtp(moeplan::deployment& d, number pp) {
    moeplan::layout& l = d.layout;
    moeplan::stage_run& run = l.runs[chance(80) ? l.runs.size() - 1 : below(l.runs.size())];
    if (run.stages > 1 && chance(80)) {
      --run.stages;
      const moeplan::stage_run last{.stages = 1, .decoder_layers = run.decoder_layers, .mtp_layers = d.model.mtp_layers};
      l.runs.push_back(last);
      // Sometimes it stands before the last rank.
      if (pp > 1 && chance(20)) l.runs[l.runs.size() - 2] = last, l.runs[l.runs.size() - 1].mtp_layers = 0;
    } else {
      run.mtp_layers = d.model.mtp_layers;
    }
  }

  void workload(moeplan::deployment& d, number tp, number cp, number dp, number ep) {
    const number sequence = chance(90) ? 2 * tp * cp * one_of({1, 64, 512}) : one_of({0, 1, 4096, 999, cp});
    if (chance(serving_framework(d.profile) ? 95 : d.profile == moeplan::profile::torchtitan ? 5 : 30)) {
      moeplan::serving s{.batch = one_of({1, 8, 0}), .sequence_length = sequence};
      if (coin()) s.decode_context = one_of({1, 2, cp, tp, tp * cp});
      if (chance(30)) s.data_parallelism = moeplan::data_parallelism::replicas;
      s.elastic_ep = chance(20);
      if (coin()) s.redundant_experts = ep * one_of({0, 1, 2});
      if (chance(20)) s.vocabulary_multiple = 0;
      if (chance(60)) formats(s);
      d.workload = s;
      return;
    }
    moeplan::training t;
    t.micro_batch = one_of({1, 2, 4});
    if (chance(80)) t.global_batch = chance(80) ? t.micro_batch * dp * one_of({1, 2, 5, 16, 24, 48}) : one_of({0, 6, 1000});
    t.sequence_length = sequence;
    t.recompute = any<moeplan::recompute>(3);
    t.context = any<moeplan::context_exchange>(3);
    t.dispatcher = any<moeplan::token_dispatcher>(4);
    t.routing.balancing = any<moeplan::load_balancing>(5);
    if (chance(30)) t.routing.capacity_factor = moeplan::ratio{5, 4};
    t.routing.pad_to_capacity = chance(25);
    t.routing.pre_softmax = coin();
    if (d.profile == moeplan::profile::deepspeed && chance(80)) t.context = moeplan::context_exchange::all_to_all;
    if (chance(30)) t.dp_replicate = one_of({1, 2, 4, dp, 3});
    t.overlap = {chance(20), chance(20), chance(25), chance(20)};
    if (chance(25)) t.vocabulary_multiple = 0;
    if (chance(60)) states(t);
    if (chance(60)) recomputation(t);
    if (chance(40)) schedule(t, d.strategy[axis::pp], d.strategy[axis::vpp]);
    if (chance(40)) assumptions(t.assumptions);
    if (chance(40)) t.kernels = {coin(), coin(), coin(), coin(), coin()};
    if (chance(20)) t.reserve = moeplan::bytes{2'000'000'000};
    if (chance(20)) t.routing.load = moeplan::routing_load::worst;
    if (chance(20)) t.routing.busiest_share = {static_cast<number>(below(9)), 8};
    d.workload = t;
  }

  /// Mostly one that goes with so many virtual stages.
  void schedule(moeplan::training& t, number pp, number vpp) {
    using moeplan::schedule;
    t.schedule = any<schedule>(9);
    if (chance(15)) return;
    if (vpp == 2)
      t.schedule = static_cast<schedule>(one_of({0, 1, 4, 5, 6, 8}));
    else if (vpp != 1)
      t.schedule = any<schedule>(2);
    else
      t.schedule = static_cast<schedule>(pp % 2 == 0 ? one_of({0, 1, 2, 3, 7}) : one_of({0, 1, 2, 3}));
  }

  void formats(moeplan::serving& s) {
    s.weights = any<moeplan::weight_format>(10);
    s.quantised = any<moeplan::quantised_parts>(3);
    s.cache = any<moeplan::cache_format>(3);
    s.block_size = one_of({1, 16, 32, 64});
    s.windows = any<moeplan::windowed_cache>(2);
    s.linear_state = coin() ? moeplan::number_type::bf16 : moeplan::number_type::fp32;
    if (chance(30)) s.step_tokens = one_of({2, 512, 8192});
    s.drafts = coin();
    s.absorbed_projections = coin();
    if (coin()) s.reserve = moeplan::bytes{one_of({1, 1'000'000'000, 8'000'000'000})};
  }

  void states(moeplan::training& t) {
    moeplan::precision& p = t.precision;
    for (moeplan::number_type* type : {&p.weights, &p.gradients, &p.master_weights, &p.first_moment, &p.second_moment})
      if (coin()) *type = any<moeplan::number_type>(8);
    if (coin()) p.fp8 = any<moeplan::fp8_recipe>(5);
    p.fp8_weights = chance(30);
    t.optimizer = any<moeplan::optimizer>(4);
    t.sharding = any<moeplan::sharding>(4);
    if (chance(30)) t.optimizer_offload = {static_cast<number>(below(9)), 8};
  }

  void recomputation(moeplan::training& t) {
    moeplan::recompute_modules& m = t.recompute_modules;
    for (bool* module :
         {&m.core_attention, &m.mlp, &m.moe, &m.moe_activation, &m.layer_norm, &m.latent_up_projection, &m.shared_experts})
      *module = coin();
    t.recompute_method = any<moeplan::recompute_method>(2);
    t.recompute_layers = one_of({0, 1, 1, 2, 3, 4});
  }

  void assumptions(moeplan::assumptions& a) {
    switch (below(4)) {
      case 0: a = moeplan::assumptions::megatron_estimator(); return;
      case 1: a = moeplan::assumptions::memory_analysis(); return;
      default: break;
    }
    for (moeplan::held* how : {&a.latent_down_projections, &a.latent_rope_queries, &a.shared_experts}) *how = any<moeplan::held>(2);
    a.shared_experts_state = any<moeplan::state_group>(2);
    a.router_state = any<moeplan::state_group>(2);
    a.dense_states = any<moeplan::dense_shards>(2);
  }

  /// Changes one thing.
  void spoil(moeplan::deployment& d) {
    moeplan::model& m = d.model;
    moeplan::training& t = d.workload.train;
    moeplan::serving& v = d.workload.serve;
    const bool training = d.workload.is_training();
    switch (below(49)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
      case 9: {
        const axis a = static_cast<axis>(below(8));
        if (chance(15)) {
          d.strategy.given = static_cast<std::uint16_t>(d.strategy.given & ~(1U << static_cast<unsigned>(a)));
          d.strategy.degrees[static_cast<std::size_t>(a)] = a == axis::dp ? 0 : 1;
        } else {
          number size = d.strategy[a];
          spoil(size);
          d.strategy.set(a, size);
        }
        return;
      }
      case 10: d.strategy.order = order(); return;
      case 11: spoil(d.cluster.total); return;
      case 12: spoil(d.cluster.nodes); return;
      case 13: spoil(coin() ? d.cluster.gpus_per_node : d.cluster.nvlink_domain); return;
      case 14: spoil(m.layers); return;
      case 15: spoil(m.hidden_size); return;
      case 16: spoil(m.vocabulary_size); return;
      case 17: spoil(m.intermediate_size); return;
      case 18: spoil(m.attention.heads); return;
      case 19: spoil(m.attention.kv_heads); return;
      case 20: spoil(m.attention.head_dim); return;
      case 21: {
        number* const rest[] = {&m.attention.q_lora_rank, &m.attention.kv_lora_rank, &m.attention.qk_nope_head_dim,
                                &m.attention.qk_rope_head_dim, &m.attention.v_head_dim};
        spoil(*rest[below(5)]);
        return;
      }
      case 22: spoil(m.experts.routed); return;
      case 23: spoil(m.experts.top_k); return;
      case 24: spoil(m.experts.intermediate_size); return;
      case 25: spoil(m.experts.shared_intermediate_size); return;
      case 26: spoil(m.experts.groups); return;
      case 27: spoil(m.experts.group_top_k); return;
      case 28: spoil(m.experts.layers.first); return;
      case 29: spoil(coin() ? m.experts.layers.every : m.experts.layers.phase); return;
      case 30: spoil(m.mtp_layers); return;
      case 31: spoil(m.max_positions); return;
      case 32: spoil(d.layout.first); return;
      case 33: spoil(d.layout.last); return;
      case 34:
      case 35: {
        if (d.layout.runs.empty()) return;
        moeplan::stage_run& run = d.layout.runs[below(d.layout.runs.size())];
        number* const parts[] = {&run.stages, &run.decoder_layers, &run.mtp_layers};
        spoil(*parts[below(3)]);
        return;
      }
      case 36: training ? spoil(t.global_batch) : spoil(v.batch); return;
      case 43: {
        number* const parts[] = {&m.linear_attention.key_heads, &m.linear_attention.value_heads, &m.attention.indexer.top_k,
                                 &m.attention.indexer.heads, &m.linear_attention.convolution};
        spoil(*parts[below(5)]);
        return;
      }
      case 44: {
        moeplan::layer_set& set = coin() ? m.linear_attention.softmax_layers : m.attention.window.full_layers;
        number* const parts[] = {&set.first, &set.every, &set.phase};
        spoil(*parts[below(3)]);
        return;
      }
      case 45:
        if (training)
          spoil(t.recompute_layers);
        else
          spoil(coin() ? v.block_size : v.step_tokens);
        return;
      case 46:
        if (training)
          (coin() ? t.optimizer_offload : t.routing.busiest_share) = {static_cast<number>(below(12)), 8};
        else
          v.linear_state = any<moeplan::number_type>(8);
        return;
      case 47: {
        const auto vpp = 1 + static_cast<number>(below(2)), pp = 1 + static_cast<number>(below(2));
        training ? schedule(t, pp, vpp) : formats(v);
        return;
      }
      case 48: memory(d.cluster.gpu); return;
      case 40: d.profile = any<moeplan::profile>(7); return;
      case 41: training ? spoil(t.dp_replicate) : spoil(v.decode_context); return;
      case 42:
        v.data_parallelism = training ? moeplan::data_parallelism::attention : any<moeplan::data_parallelism>(2);
        m.tied_embeddings = coin();
        return;
      case 37: training ? spoil(t.micro_batch) : spoil(v.redundant_experts); return;
      case 38: training ? spoil(t.sequence_length) : spoil(v.sequence_length); return;
      default: training ? spoil(t.vocabulary_multiple) : spoil(v.vocabulary_multiple); return;
    }
  }

  std::mt19937_64 bits_;
};

} // namespace moeplan_test
