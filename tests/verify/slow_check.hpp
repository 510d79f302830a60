// What `check` should find, said a second time: slow, plain, on integers that cannot overflow, and without a call into the library, whose
// descriptions it only reads. Written from the sources that the rules name (mostly Megatron-LM's assertions), not from the library.
//
// One mistake is one finding: a rule is not judged where what it presupposes is itself reported. Whether the sequence on a CP rank
// divides by two is no question where it does not divide by CP.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/verify/rules/table.hpp>

#include "slow_memory.hpp"

namespace moeplan_test {

using rule_set = std::bitset<moeplan::rule_count>;

class slow_check {
public:
  /// `with_memory`: the memory of every stage is computed too, which takes long.
  explicit slow_check(const moeplan::deployment& described, bool with_memory = true) : d{described} {
    read_degrees();
    read_listed_layout();
    world();
    model();
    tensor();
    experts();
    pipeline();
    batch();
    sharding();
    serving();
    deepspeed_folding();
    micro_batches_of_a_step();
    what_memory_depends_on();
    memory(with_memory);
  }

  /// Rules that are violated.
  rule_set violated;
  /// Rules that apply to the deployment, violated or not.
  rule_set judged;
  /// Rules that apply but of which nothing is said: those on memory, where that was not to be computed or needs more than 64 bits on the way;
  /// those on where groups lie, of worlds that are too large to look at rank by rank.
  rule_set left_open;

  // Where memory is computed.
  bool knows_memory = false;
  integer capacity, reserve, peak, one_request;
  std::int64_t fullest_stage = 0;

private:
  using rule = moeplan::rule;
  using axis = moeplan::axis;

  const moeplan::deployment& d;
  const moeplan::model& m = d.model;
  const bool megatron = d.profile == moeplan::profile::megatron;
  const bool torchtitan = d.profile == moeplan::profile::torchtitan;
  const bool vllm = d.profile == moeplan::profile::vllm;
  const bool sglang = d.profile == moeplan::profile::sglang;
  const bool trtllm = d.profile == moeplan::profile::trtllm;
  const bool deepspeed = d.profile == moeplan::profile::deepspeed;
  const bool training = d.workload.what == moeplan::workload::kind::training;
  const bool folded = d.strategy.mapping == moeplan::mapping::folded;

  const integer most = (integer{1} << 63) - 1;

  integer tp, pp, vpp, ep, etp, dp, cp, sp;
  bool tp_ok = false, pp_ok = false, vpp_ok = false, ep_ok = false, etp_ok = false, dp_ok = false, cp_ok = false, sp_ok = false;
  bool dp_given = false, etp_given = false, vpp_given = false;

  bool model_ok = false;
  bool sizes_ok = false;    ///< every number of ranks fits into 63 bits
  bool experts_fit = false; ///< the expert grid exists
  bool on_nodes = false;    ///< the cluster is described by nodes

  // A listed layout, summed up.
  bool listed = false;
  bool listed_ok = false;
  integer listed_stages, listed_layers, listed_mtp, stages_with_mtp;
  integer first_stage_with_mtp = -1;
  bool layer_after_mtp = false;

  /// One rule, judged.
  void judge(rule id, bool holds) {
    judged.set(static_cast<std::size_t>(id));
    if (!holds) violated.set(static_cast<std::size_t>(id));
  }

  [[nodiscard]] bool given(axis a) const { return (d.strategy.given >> static_cast<unsigned>(a) & 1U) != 0; }
  [[nodiscard]] integer degree(axis a) const { return d.strategy.degrees[static_cast<std::size_t>(a)]; }

  static bool divides(const integer& divisor, const integer& number) { return number % divisor == 0; }

  void read_degrees() {
    tp = degree(axis::tp);
    pp = degree(axis::pp);
    vpp = degree(axis::vpp);
    ep = degree(axis::ep);
    etp = degree(axis::etp);
    dp = degree(axis::dp);
    cp = degree(axis::cp);
    sp = degree(axis::sp);
    dp_given = given(axis::dp);
    etp_given = given(axis::etp);
    vpp_given = given(axis::vpp);
  }

  void read_listed_layout() {
    listed = d.layout.kind == moeplan::layout_kind::listed;
    listed_ok = true;
    if (!listed) return;
    for (const moeplan::stage_run& run : d.layout.runs) {
      if (run.stages < 0 || run.decoder_layers < 0 || run.mtp_layers < 0) listed_ok = false;
      if (run.mtp_layers > 0 && run.stages > 0) {
        if (stages_with_mtp == 0) first_stage_with_mtp = listed_stages;
        if (run.decoder_layers > 0 && (stages_with_mtp > 0 || run.stages > 1)) layer_after_mtp = true;
        stages_with_mtp += run.stages;
      } else if (run.decoder_layers > 0 && run.stages > 0 && stages_with_mtp > 0) {
        layer_after_mtp = true;
      }
      listed_stages += run.stages;
      listed_layers += integer{run.stages} * run.decoder_layers;
      listed_mtp += integer{run.stages} * run.mtp_layers;
    }
    if (listed_stages > most || listed_layers > most || listed_mtp > most) listed_ok = false;
  }

  // --- GPUs, grids, order of ranks ---------------------------------------------------------------------------------------------

  void world() {
    // Megatron-LM takes the number of virtual stages from a listed layout where nobody gives it (transformer_config.py:2287).
    if (listed && listed_ok && !vpp_given && pp >= 1 && listed_stages >= 1 && divides(pp, listed_stages)) vpp = listed_stages / pp;

    judge(rule::tp_is_at_least_1, tp >= 1);
    judge(rule::pp_is_at_least_1, pp >= 1);
    judge(rule::vpp_is_at_least_1, vpp >= 1);
    judge(rule::ep_is_at_least_1, ep >= 1);
    judge(rule::etp_is_at_least_1, etp >= 1);
    judge(rule::dp_is_at_least_1, !dp_given || dp >= 1);
    judge(rule::cp_is_at_least_1, cp >= 1);
    judge(rule::sp_is_at_least_1, sp >= 1);
    tp_ok = tp >= 1;
    pp_ok = pp >= 1;
    vpp_ok = vpp >= 1;
    ep_ok = ep >= 1;
    etp_ok = etp >= 1;
    cp_ok = cp >= 1;
    sp_ok = sp >= 1;
    const bool all_but_dp = tp_ok && pp_ok && vpp_ok && ep_ok && etp_ok && cp_ok && sp_ok;

    // The cluster.
    const moeplan::cluster& c = d.cluster;
    const bool described = c.total.given || c.gpus_per_node.given || c.nodes.given;
    integer in_nodes = 0;
    if (c.gpus_per_node.number >= 1 && c.nodes.number >= 1) in_nodes = integer{c.gpus_per_node.number} * c.nodes.number;
    const integer available = c.total.given ? integer{c.total.number} : in_nodes;
    bool cluster_ok = described && available >= 1 && available <= most;
    if (c.total.given && (c.gpus_per_node.given || c.nodes.given) && in_nodes != available) cluster_ok = false;
    judge(rule::cluster_has_gpus, !described || cluster_ok);

    // Data parallelism.
    judge(rule::dp_can_be_derived, dp_given || described);
    const integer model_parallel = folded ? tp * cp * pp : tp * cp * pp * ep * sp;
    dp_ok = dp_given && dp >= 1;
    if (!dp_given && cluster_ok && all_but_dp && divides(model_parallel, available)) {
      dp = available / model_parallel;
      dp_ok = true;
    }
    const bool degrees_ok = all_but_dp && dp_ok;

    // GPUs (as far as they are known), the experts' ranks, virtual stages and experts fit into 63 bits.
    bool overflows = false;
    if (all_but_dp) overflows = (dp_ok ? model_parallel * dp : model_parallel) > most || etp * ep > most || pp * vpp > most;
    if (physical_experts() > most) overflows = true;
    judge(rule::overflow, !overflows);
    if (!dp_given && cluster_ok && all_but_dp && !overflows)
      judge(rule::gpus_divide_by_model_parallel, divides(model_parallel, available));

    const integer gpus = model_parallel * dp;
    sizes_ok = degrees_ok && gpus <= most && etp * ep <= most && pp * vpp <= most;
    if (sizes_ok && cluster_ok) {
      judge(rule::gpus_are_available, gpus <= available);
      judge(rule::no_gpu_is_idle, gpus >= available);
    }
    on_nodes = cluster_ok && c.nodes.number >= 1 && c.gpus_per_node.number >= 1;
    if ((vllm || sglang) && sizes_ok && on_nodes && gpus <= available && c.gpus_per_node.number <= 4096) {
      // Some number of nodes, as many GPUs on each (vLLM and SGLang: the world divides by nnodes).
      bool evenly = false;
      for (std::int64_t each = 1; each <= c.gpus_per_node.number; ++each)
        if (divides(each, gpus) && gpus / each <= c.nodes.number) evenly = true;
      judge(rule::gpus_divide_over_nodes, evenly);
    }

    const integer stage = tp * cp * dp;
    if (sizes_ok && folded) {
      experts_fit = divides(etp * ep, stage);
      judge(rule::stage_divides_by_expert_ranks, experts_fit);
    }

    // The order of ranks (parallel_state.py, RankGenerator, once for dense layers and once for experts).
    std::vector<axis> order(d.strategy.order.axes.begin(), d.strategy.order.axes.end());
    const auto names = [&order](axis a) {
      for (const axis b : order)
        if (a == b) return true;
      return false;
    };
    if (tp_ok && etp_ok) judge(rule::order_names_tp, names(axis::tp) || (tp == 1 && etp == 1));
    if (cp_ok) judge(rule::order_names_cp, names(axis::cp) || cp == 1);
    if (ep_ok) judge(rule::order_names_ep, names(axis::ep) || ep == 1);
    if (pp_ok) judge(rule::order_names_pp, names(axis::pp) || pp == 1);

    if (sizes_ok && folded && experts_fit) {
      const integer edp = stage / (etp * ep);
      judge(rule::order_names_dp, names(axis::dp) || (dp == 1 && edp == 1));
      bool complete = true;
      for (const rule id :
           {rule::order_names_tp, rule::order_names_cp, rule::order_names_ep, rule::order_names_dp, rule::order_names_pp})
        if (violated.test(static_cast<std::size_t>(id))) complete = false;

      integer dense_stride = 1, expert_stride = 1;
      for (const axis a : order) {
        if (a == axis::pp) break;
        if (a == axis::tp) dense_stride *= tp, expert_stride *= etp;
        if (a == axis::cp) dense_stride *= cp;
        if (a == axis::ep) expert_stride *= ep;
        if (a == axis::dp) dense_stride *= dp, expert_stride *= edp;
      }
      if (complete) judge(rule::pipeline_groups_agree, pp == 1 || dense_stride == expert_stride);
      if (megatron) {
        const bool pp_last = !order.empty() && order.back() == axis::pp;
        if (names(axis::pp)) judge(rule::order_ends_with_pp, pp_last || pp == 1 || edp == dp);
        judge(rule::etp_is_given, etp_given || tp == 1 || ep == 1);
      }
    }
    judge(rule::mapping_is_folded, folded);

    nodes(order);

    const bool no_etp = torchtitan || deepspeed;
    if (no_etp && etp_ok && m.experts.routed >= 1) judge(rule::etp_is_1, etp == 1);
    const bool one_order = torchtitan || vllm || sglang || trtllm || deepspeed;
    if (one_order) judge(rule::order_is_fixed, order == std::vector<axis>{axis::tp, axis::cp, axis::ep, axis::dp, axis::pp});
  }

  // --- Nodes and NVLink domains ------------------------------------------------------------------------------------------------

  /// Domains that the busiest group along an axis touches, of all groups that lie so: rank by rank.
  static std::int64_t most_domains(std::int64_t size, std::int64_t stride, std::int64_t world, std::int64_t domain) {
    static std::map<std::array<std::int64_t, 4>, std::int64_t> seen;
    const auto [at, is_new] = seen.try_emplace({size, stride, world, domain}, 0);
    if (!is_new) return at->second;
    for (std::int64_t first = 0; first < world; ++first) {
      if (first / stride % size != 0) continue;
      std::int64_t touched = 0;
      std::int64_t before = -1;
      for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t here = (first + i * stride) / domain;
        if (here != before) ++touched;
        before = here;
      }
      at->second = std::max(at->second, touched);
    }
    return at->second;
  }

  /// Whether the tensor-parallel groups of a grid and those along its other inner axis touch as few domains as in the better of the two
  /// orders in which these axes are the innermost.
  void judge_inner(rule tensor_rule, rule other_rule, const integer (&size)[2], const integer (&stride)[2], std::int64_t world,
                   std::int64_t domain) {
    const auto a = static_cast<std::int64_t>(size[0]), b = static_cast<std::int64_t>(size[1]);
    const auto domains = [=](std::int64_t a_stride, std::int64_t b_stride) {
      return std::pair{most_domains(a, a_stride, world, domain), most_domains(b, b_stride, world, domain)};
    };
    const auto best = std::min(domains(1, a), domains(b, 1));
    const auto now = domains(static_cast<std::int64_t>(stride[0]), static_cast<std::int64_t>(stride[1]));
    judge(tensor_rule, now.first <= best.first);
    judge(other_rule, now.second <= best.second);
  }

  void nodes(const std::vector<axis>& order) {
    const moeplan::cluster& c = d.cluster;
    const std::int64_t per_node = c.gpus_per_node.number;
    const bool described = c.total.given || c.gpus_per_node.given || c.nodes.given;
    const bool clear = judged.test(static_cast<std::size_t>(rule::cluster_has_gpus)) && described &&
                       !violated.test(static_cast<std::size_t>(rule::cluster_has_gpus));
    const std::int64_t domain = c.nvlink_domain.given ? c.nvlink_domain.number : per_node;
    const bool whole = per_node >= 1 && domain >= per_node && domain % per_node == 0;
    if (!described || clear) judge(rule::nvlink_domain_is_whole_nodes, !c.nvlink_domain.given || whole);
    if (!clear || !whole || domain > 4096 || !sizes_ok || !experts_fit) return;

    if (deepspeed && training) judge(rule::model_parallel_fills_nodes, divides(tp * pp, per_node));
    if (!megatron) return;
    const integer world = tp * cp * dp * pp;
    const integer edp = tp * cp * dp / (etp * ep);
    const bool has_experts = m.experts.routed >= 1;
    // Several groups of so many ranks each, one after the other: does each have domains of its own, or each domain groups of its own?
    if (has_experts) judge(rule::experts_fill_domains, edp * pp == 1 || divides(etp * ep, domain) || divides(domain, etp * ep));
    for (const rule id :
         {rule::order_names_tp, rule::order_names_cp, rule::order_names_ep, rule::order_names_dp, rule::order_names_pp})
      if (violated.test(static_cast<std::size_t>(id))) return;
    if (world > 4096) {
      for (const rule id : {rule::tp_stays_together, rule::cp_stays_together, rule::etp_stays_together, rule::ep_stays_together})
        left_open.set(static_cast<std::size_t>(id));
      return;
    }
    integer dense[2] = {1, 1}, expert[2] = {1, 1}, ranks = 1, expert_ranks = 1;
    for (const axis a : order) {
      if (a == axis::tp) dense[0] = ranks, expert[0] = expert_ranks, ranks *= tp, expert_ranks *= etp;
      if (a == axis::cp) dense[1] = ranks, ranks *= cp;
      if (a == axis::ep) expert[1] = expert_ranks, expert_ranks *= ep;
      if (a == axis::dp) ranks *= dp, expert_ranks *= edp;
      if (a == axis::pp) ranks *= pp, expert_ranks *= pp;
    }
    const auto all = static_cast<std::int64_t>(world);
    judge_inner(rule::tp_stays_together, rule::cp_stays_together, {tp, cp}, dense, all, domain);
    if (has_experts) judge_inner(rule::etp_stays_together, rule::ep_stays_together, {etp, ep}, expert, all, domain);
  }

  // --- The model ---------------------------------------------------------------------------------------------------------------

  void model() {
    judge(rule::layers_are_at_least_1, m.layers >= 1);
    judge(rule::hidden_size_is_at_least_1, m.hidden_size >= 1);
    judge(rule::vocabulary_is_at_least_1, m.vocabulary_size >= 1);
    judge(rule::heads_are_at_least_1, m.attention.heads >= 1);
    judge(rule::kv_heads_are_at_least_1, m.attention.kv_heads >= 1);
    bool negative = false;
    for (const std::int64_t size :
         {m.intermediate_size, m.mtp_layers, m.attention.head_dim, m.attention.q_lora_rank, m.attention.kv_lora_rank,
          m.attention.qk_nope_head_dim, m.attention.qk_rope_head_dim, m.attention.v_head_dim, m.experts.routed,
          m.experts.intermediate_size, m.experts.shared_intermediate_size, m.linear_attention.key_heads,
          m.linear_attention.value_heads, m.linear_attention.key_head_dim, m.linear_attention.value_head_dim,
          m.linear_attention.convolution, m.attention.indexer.heads, m.attention.indexer.head_dim, m.attention.indexer.top_k})
      if (size < 0) negative = true;
    judge(rule::sizes_are_not_negative, !negative);
    const moeplan::linear_attention& linear = m.linear_attention;
    if (linear.value_heads >= 1) {
      const moeplan::layer_set& set = linear.softmax_layers;
      judge(rule::softmax_layers_are_well_formed, set.first >= 0 && set.every >= 1 && set.phase >= 0 && set.phase < set.every);
      judge(rule::linear_value_heads_divide_by_key_heads, linear.key_heads >= 1 && linear.value_heads % linear.key_heads == 0);
    }
    if (m.attention.window.tokens >= 1) {
      const moeplan::layer_set& full = m.attention.window.full_layers;
      judge(rule::windowed_layers_are_well_formed,
            full.first >= 0 && full.every >= 1 && full.phase >= 0 && full.phase < full.every);
    }
    model_ok = m.layers >= 1 && m.hidden_size >= 1 && m.vocabulary_size >= 1 && m.attention.heads >= 1 &&
               m.attention.kv_heads >= 1 && !negative;
    if (!model_ok) return;
    const bool latent = m.attention.kind == moeplan::attention_kind::latent;
    if (m.experts.routed < 1 || placement_ok())
      judge(rule::dense_layers_have_an_mlp, !some_layer_is_dense() || m.intermediate_size >= 1);
    if (m.experts.routed >= 1) judge(rule::experts_have_an_mlp, m.experts.intermediate_size >= 1);
    const integer qk_head_dim = integer{m.attention.qk_nope_head_dim} + m.attention.qk_rope_head_dim;
    judge(rule::latent_attention_is_complete, !latent || (m.attention.kv_lora_rank >= 1 && m.attention.v_head_dim >= 1 &&
                                                          qk_head_dim >= 1 && qk_head_dim <= INT64_MAX));
    judge(rule::hidden_divides_by_heads, latent || m.attention.head_dim != 0 || m.hidden_size % m.attention.heads == 0);
    judge(rule::heads_divide_by_kv_heads, m.attention.heads % m.attention.kv_heads == 0);
  }

  // --- TP, SP, CP --------------------------------------------------------------------------------------------------------------

  /// Whether some decoder layer has no experts. Beyond layer 256 nothing can be excluded, and any two neighbours show the period.
  [[nodiscard]] bool some_layer_is_dense() const {
    if (m.experts.routed < 1) return true;
    const moeplan::layer_set& set = m.experts.layers;
    for (std::int64_t i = 0; i < m.layers && i < 300; ++i) {
      const bool excluded = i < 256 && (set.excluded[i / 64] >> (i % 64) & 1U) != 0;
      if (i < set.first || i % set.every != set.phase || excluded) return true;
    }
    return false;
  }
  [[nodiscard]] bool placement_ok() const {
    const moeplan::layer_set& set = m.experts.layers;
    return set.first >= 0 && set.every >= 1 && set.phase >= 0 && set.phase < set.every;
  }

  void tensor() {
    const std::int64_t multiple = training ? d.workload.train.vocabulary_multiple : d.workload.serve.vocabulary_multiple;
    judge(rule::vocabulary_multiple_is_not_negative, multiple >= 0);
    if (model_ok && tp_ok) {
      judge(rule::heads_divide_by_tp, divides(tp, m.attention.heads));
      if (torchtitan) judge(rule::kv_heads_divide_by_tp, divides(tp, m.attention.kv_heads));
      if (megatron || vllm || sglang)
        judge(rule::kv_heads_fit_tp, divides(tp, m.attention.kv_heads) || divides(m.attention.kv_heads, tp));
      judge(rule::hidden_divides_by_tp, divides(tp, m.hidden_size));
      if (m.experts.routed < 1 || (placement_ok() && some_layer_is_dense()))
        judge(rule::dense_mlp_divides_by_tp, divides(tp, m.intermediate_size));
      if (m.experts.routed >= 1) judge(rule::shared_experts_divide_by_tp, divides(tp, m.experts.shared_intermediate_size));
      if (multiple == 0) judge(rule::vocabulary_divides_by_tp, divides(tp, m.vocabulary_size));
    }
    if (model_ok && etp_ok && m.experts.routed >= 1)
      judge(rule::expert_mlp_divides_by_etp, divides(etp, m.experts.intermediate_size));
    if (tp_ok && sp_ok) judge(rule::sp_is_1_or_tp, sp == 1 || sp == tp);
    if (!training) return;

    const moeplan::training& t = d.workload.train;
    const integer sequence = t.sequence_length;
    if (sequence >= 1 && cp_ok) {
      judge(rule::sequence_divides_by_cp, divides(cp, sequence));
      const bool on_ranks = divides(cp, sequence);
      if (megatron && on_ranks) judge(rule::sequence_divides_by_twice_cp, cp == 1 || divides(2 * cp, sequence));
      if (tp_ok && sp_ok && on_ranks) judge(rule::sequence_divides_by_cp_and_tp, sp == 1 || divides(cp * tp, sequence));
    }
    if (megatron && tp_ok && cp_ok && m.linear_attention.value_heads >= 1)
      judge(rule::linear_heads_divide_by_tp_and_cp,
            divides(tp * cp, m.linear_attention.key_heads) && divides(tp * cp, m.linear_attention.value_heads));
    if (megatron && cp_ok)
      judge(rule::sparse_attention_needs_all_gather,
            m.attention.indexer.top_k < 1 || cp == 1 || t.context == moeplan::context_exchange::all_gather);
    const bool ulysses = t.context == moeplan::context_exchange::all_to_all;
    if (deepspeed && cp_ok) judge(rule::context_is_all_to_all, cp == 1 || ulysses);
    if (deepspeed && model_ok && cp_ok && ulysses)
      judge(rule::kv_heads_fit_cp, divides(cp, m.attention.kv_heads) || divides(m.attention.kv_heads, cp));
    if (torchtitan && sequence >= 1 && t.micro_batch >= 1 && tp_ok && cp_ok && sp_ok && divides(cp, sequence)) {
      const integer tokens = sequence * t.micro_batch;
      // trainer.py: tokens % ((tp if sequence parallel else 1) * (2 * cp if cp > 1 else 1)). What does not divide by TP is reported above.
      const integer shards = (sp > 1 ? tp : integer{1}) * (cp > 1 ? 2 * cp : integer{1});
      if (tokens <= most && (sp == 1 || divides(cp * tp, sequence)))
        judge(rule::tokens_divide_by_twice_cp, divides(shards, tokens));
      // token_dispatcher.py; with sequence parallelism this is the same as above.
      const bool deepep = t.dispatcher == moeplan::token_dispatcher::deepep;
      if (tokens <= most && deepep && sp == 1 && m.experts.routed >= 1)
        judge(rule::dispatched_tokens_divide_by_tp, divides(cp * tp, tokens));
    }
    if ((megatron || deepspeed) && model_ok && cp_ok && tp_ok && ulysses && cp > 1 && divides(tp, m.attention.heads))
      judge(rule::heads_divide_by_cp, divides(tp * cp, m.attention.heads));
    if (megatron && model_ok && cp_ok && tp_ok && ulysses && cp > 1) {
      // With fewer heads than TP ranks, each rank has a copy of one, which cannot be divided.
      if (divides(tp, m.attention.kv_heads) || divides(m.attention.kv_heads, tp))
        judge(rule::kv_heads_divide_by_cp, divides(tp * cp, m.attention.kv_heads));
    }
    if (megatron && tp_ok && ep_ok && sp_ok) judge(rule::sp_accompanies_tp_and_ep, tp == 1 || ep == 1 || sp > 1);
    if (megatron && tp_ok && sp_ok) judge(rule::tensor_overlap_needs_sp, !t.overlap.tensor_parallel || sp > 1);
  }

  // --- Experts -----------------------------------------------------------------------------------------------------------------

  /// Experts and their redundant copies.
  [[nodiscard]] integer physical_experts() const {
    integer all = 0;
    if (m.experts.routed > 0) all += m.experts.routed;
    if (!training && d.workload.serve.redundant_experts > 0) all += d.workload.serve.redundant_experts;
    return all;
  }

  void experts() {
    const moeplan::experts& e = m.experts;
    const bool has_experts = e.routed >= 1;
    const integer routed = e.routed;
    const integer redundant = training ? 0 : d.workload.serve.redundant_experts;
    judge(rule::redundant_experts_are_not_negative, redundant >= 0);
    if (ep_ok) judge(rule::ep_needs_experts, ep == 1 || has_experts);
    const integer physical = physical_experts();
    if (has_experts && ep_ok && physical <= most) {
      judge(rule::ep_is_at_most_experts, ep <= physical);
      if (ep <= physical) judge(rule::experts_divide_by_ep, divides(ep, physical));
    }
    if (!training && ep_ok) {
      judge(rule::redundant_experts_need_ep, redundant <= 0 || ep > 1);
      // With at most one copy a rank, an expert has at most EP copies.
      if (has_experts && ep > 1) judge(rule::redundant_experts_fit_ranks, redundant <= 0 || routed + redundant <= routed * ep);
    }
    if (has_experts) {
      judge(rule::moe_layers_are_well_formed, placement_ok());
      const bool top_k_ok = e.top_k >= 1 && e.top_k <= e.routed;
      const bool groups_ok = e.groups >= 1 && e.routed % e.groups == 0;
      const bool chosen_ok = e.group_top_k >= 1 && e.group_top_k <= e.groups;
      judge(rule::top_k_is_within_experts, top_k_ok);
      judge(rule::experts_divide_by_groups, groups_ok);
      judge(rule::group_top_k_is_within_groups, chosen_ok);
      if (groups_ok && chosen_ok && top_k_ok)
        judge(rule::top_k_fits_chosen_groups, e.top_k <= integer{e.group_top_k} * (e.routed / e.groups));
      if (torchtitan && groups_ok && e.groups > 1) judge(rule::groups_hold_two_experts, e.routed / e.groups >= 2);
      if (chosen_ok && e.top_k >= 1) judge(rule::top_k_reaches_chosen_groups, e.top_k >= e.group_top_k);
    }
    const moeplan::training& t = d.workload.train;
    const bool deepep = t.dispatcher == moeplan::token_dispatcher::deepep;
    if (training && (megatron || torchtitan) && has_experts && etp_ok && ep_ok) {
      judge(rule::deepep_needs_expert_ranks, !deepep || etp * ep > 1);
      judge(rule::deepep_reaches_160_ranks, !deepep || etp * ep <= 8 * 20);
    }
    if (!training || !megatron) return;

    const bool all_gather = t.dispatcher == moeplan::token_dispatcher::all_gather;
    const bool sinkhorn = t.routing.balancing == moeplan::load_balancing::sinkhorn;
    const bool limited = t.routing.capacity_factor.numerator.bits != 0;
    if (has_experts) {
      const bool softmax = e.score == moeplan::router_score::softmax;
      judge(rule::top_1_needs_pre_softmax, e.top_k != 1 || !softmax || t.routing.pre_softmax || sinkhorn);
      judge(rule::selection_bias_needs_sigmoid, !e.selection_bias || !softmax);
      judge(rule::capacity_needs_other_balancing, !limited || !sinkhorn);
      judge(rule::padding_needs_capacity, !t.routing.pad_to_capacity || limited);
      judge(rule::padding_excludes_deepep, !t.routing.pad_to_capacity || !deepep);
      if (e.shared_intermediate_size > 0) judge(rule::shared_overlap_needs_all_to_all, !t.overlap.shared_experts || !all_gather);
    }
    const bool overlap = t.overlap.expert_parallel;
    if (ep_ok) {
      judge(rule::expert_overlap_needs_ep, !overlap || ep > 1);
      judge(rule::expert_overlap_needs_all_to_all, !overlap || !all_gather);
      judge(rule::expert_overlap_excludes_full_recompute, !overlap || t.recompute != moeplan::recompute::full);
      judge(rule::expert_overlap_excludes_shared_overlap, !overlap || !t.overlap.shared_experts);
      judge(rule::delayed_gradient_needs_expert_overlap, !t.overlap.delayed_weight_gradient || overlap);
    }
    if (pp_ok && vpp_ok) judge(rule::expert_overlap_needs_vpp, !overlap || pp == 1 || vpp > 1);
    if (model_ok) judge(rule::expert_overlap_allows_one_mtp_layer, !overlap || m.mtp_layers <= 1);
  }

  // --- Stages ------------------------------------------------------------------------------------------------------------------

  void pipeline() {
    const moeplan::layout& l = d.layout;
    if (pp_ok && vpp_ok) judge(rule::vpp_needs_pp, vpp == 1 || pp > 1);

    if ((vllm || sglang || trtllm || deepspeed) && vpp_ok) judge(rule::vpp_is_1, vpp == 1);
    if (torchtitan && pp_ok) judge(rule::tied_embeddings_exclude_pp, pp == 1 || !m.tied_embeddings);

    const bool even = l.kind == moeplan::layout_kind::even;
    // Other layouts with more stages than layers are not legal anyway, or say themselves what is where.
    if ((torchtitan || trtllm) && l.kind == moeplan::layout_kind::balanced && model_ok && pp_ok && vpp_ok)
      judge(rule::stages_are_at_most_layers, pp * vpp <= m.layers);
    const integer slots = integer{m.layers} + (l.embedding_is_a_layer ? 1 : 0) + (l.loss_is_a_layer ? 1 : 0);
    judge(rule::layout_is_not_negative, listed_ok && (!even || slots <= most));
    if (even && slots <= most && model_ok && pp_ok) {
      judge(rule::layers_divide_by_pp, divides(pp, slots));
      if (vpp_ok && divides(pp, slots)) judge(rule::stage_layers_divide_by_vpp, divides(vpp, slots / pp));
    }

    if (l.kind == moeplan::layout_kind::first_last) {
      const bool first_ok = !l.first.given || l.first.number >= 1;
      const bool last_ok = !l.last.given || l.last.number >= 1;
      judge(rule::first_stage_has_layers, first_ok);
      judge(rule::last_stage_has_layers, last_ok);
      if (l.first.given && first_ok && vpp_ok) judge(rule::first_stage_divides_by_vpp, divides(vpp, l.first.number));
      if (l.last.given && last_ok && vpp_ok) judge(rule::last_stage_divides_by_vpp, divides(vpp, l.last.number));
      if (model_ok && pp_ok && first_ok && last_ok) {
        integer layers = m.layers;
        integer stages = pp;
        if (l.first.given) layers -= l.first.number, stages -= 1;
        if (l.last.given) layers -= l.last.number, stages -= 1;
        bool even_between = false;
        if (stages == 0) even_between = layers == 0;
        if (stages > 0) even_between = layers > 0 && divides(stages, layers);
        judge(rule::middle_layers_divide_by_stages, even_between);
        if (even_between && stages > 0 && vpp_ok) judge(rule::middle_stage_divides_by_vpp, divides(vpp, layers / stages));
      }
    }

    if (listed && listed_ok) {
      const bool whole_chunks = pp_ok && listed_stages >= 1 && divides(pp, listed_stages);
      if (pp_ok) judge(rule::layout_divides_by_pp, whole_chunks);
      if (whole_chunks && vpp_ok) judge(rule::layout_matches_vpp, listed_stages == pp * vpp);
      if (model_ok) judge(rule::layout_holds_every_layer, listed_layers == m.layers);
      if (l.places_mtp) {
        if (model_ok) judge(rule::layout_holds_every_mtp_layer, listed_mtp == m.mtp_layers);
        if (megatron) judge(rule::mtp_is_on_one_stage, stages_with_mtp <= 1);
        if (megatron) judge(rule::decoder_layers_precede_mtp, !layer_after_mtp);
        if (megatron && pp_ok)
          judge(rule::mtp_is_in_last_chunk, stages_with_mtp == 0 || first_stage_with_mtp >= listed_stages - pp);
      }
    }
  }

  // --- Batch and sequence ------------------------------------------------------------------------------------------------------

  void batch() {
    if (torchtitan) judge(rule::workload_is_training, training);
    if (vllm || sglang || trtllm) judge(rule::workload_is_serving, !training);
    if (training) {
      const moeplan::training& t = d.workload.train;
      judge(rule::micro_batch_is_at_least_1, t.micro_batch >= 1);
      judge(rule::global_batch_is_at_least_1, !t.global_batch.given || t.global_batch.number >= 1);
      if (t.global_batch.given && t.global_batch.number >= 1 && t.micro_batch >= 1 && dp_ok)
        judge(rule::global_batch_divides_by_dp, divides(dp * t.micro_batch, t.global_batch.number));
    } else {
      judge(rule::batch_is_at_least_1, d.workload.serve.batch >= 1);
    }
    const std::int64_t sequence = training ? d.workload.train.sequence_length : d.workload.serve.sequence_length;
    judge(rule::sequence_length_is_at_least_1, sequence >= 1);
    if ((megatron || torchtitan || vllm || sglang) && sequence >= 1)
      judge(rule::sequence_fits_positions, !m.max_positions.given || sequence <= m.max_positions.number);
  }

  // --- Copies of what is sharded -----------------------------------------------------------------------------------------------

  void sharding() {
    if (!training) return;
    const integer copies = d.workload.train.dp_replicate;
    judge(rule::dp_replicate_is_at_least_1, copies >= 1);
    if (copies < 1) return;
    const bool has_experts = m.experts.routed >= 1;
    if (torchtitan && dp_ok) {
      // parallel_dims.py: dp_replicate * dp_shard is DP; experts borrow from dp_shard, cp and tp.
      judge(rule::dp_divides_by_replicate, divides(copies, dp));
      if (divides(copies, dp) && sizes_ok && experts_fit && has_experts) {
        const integer dp_shard = dp / copies;
        judge(rule::ep_divides_sharded_ranks, divides(ep, dp_shard * cp * tp));
      }
    }
    if ((megatron || deepspeed) && sizes_ok) judge(rule::ranks_divide_by_replicate, divides(copies, dp * cp));
    if (megatron && sizes_ok && experts_fit && has_experts && divides(copies, dp * cp))
      judge(rule::edp_divides_by_replicate, divides(copies, tp * cp * dp / (etp * ep)));
  }

  // --- Serving -----------------------------------------------------------------------------------------------------------------

  void serving() {
    if (training) return;
    const moeplan::serving& s = d.workload.serve;
    const bool has_experts = m.experts.routed >= 1;
    const bool replicas = s.data_parallelism == moeplan::data_parallelism::replicas;
    const integer dcp = s.decode_context;
    judge(rule::decode_context_is_at_least_1, dcp >= 1);

    // The GPUs of a stage that share one set of experts: SGLang's tp_size.
    const integer tp_size = replicas ? tp * cp : tp * cp * dp;
    bool whole_sets = false;
    if (sizes_ok && experts_fit) {
      whole_sets = divides(etp * ep, tp_size);
      if (has_experts) judge(rule::replicas_hold_experts, whole_sets);
    }
    const integer moe_dp = whole_sets ? tp_size / (etp * ep) : integer{0};

    if ((vllm || sglang || trtllm) && model_ok && has_experts && etp_ok && divides(etp, m.experts.intermediate_size))
      judge(rule::expert_share_fills_blocks, etp == 1 || divides(128, m.experts.intermediate_size / etp));
    if ((vllm || sglang) && pp_ok) judge(rule::elastic_ep_excludes_pp, !s.elastic_ep || pp == 1);

    // The ranks that share keys and values are some of TP's, unless CP's do; TensorRT-LLM has only those.
    if (!trtllm && dcp >= 1 && tp_ok && cp_ok) judge(rule::tp_divides_by_decode_context, cp > 1 || divides(dcp, tp));

    if (vllm) {
      if (dp_ok) judge(rule::dp_needs_experts, dp == 1 || has_experts || replicas);
      if (ep_ok) judge(rule::elastic_ep_needs_ep, !s.elastic_ep || ep > 1);
      if (cp_ok && dp_ok) judge(rule::cp_excludes_dp, cp == 1 || dp == 1 || replicas);
      if (dcp >= 1 && tp_ok && cp_ok) {
        // config/model.py: only attention with heads of keys and values that TP would copy.
        const bool grouped = m.attention.kind == moeplan::attention_kind::grouped_query;
        if (cp == 1 && model_ok && divides(dcp, tp) && grouped) {
          const integer kv_heads = m.attention.kv_heads;
          judge(rule::decode_context_fits_kv_heads,
                dcp == 1 || (tp > kv_heads && dcp <= tp / kv_heads && divides(dcp, m.attention.heads / m.attention.kv_heads)));
        }
        if (cp > 1) judge(rule::decode_context_covers_cp, dcp == 1 || dcp == cp || dcp == tp * cp);
      }
      if (has_experts && ep_ok && etp_ok) judge(rule::experts_are_cut_or_spread, ep == 1 || etp == 1);
      if (has_experts && whole_sets) judge(rule::experts_use_every_rank, moe_dp == 1);
    }

    if (sglang) {
      if (has_experts && whole_sets) {
        const integer moe_tp = tp_size / ep / moe_dp;
        judge(rule::moe_dp_excludes_etp, moe_dp == 1 || ep == 1 || moe_tp == 1);
        judge(rule::moe_dp_excludes_pp, moe_dp == 1 || pp == 1);
        judge(rule::moe_dp_is_1_or_cp, moe_dp == 1 || moe_dp == cp);
      }
      if (sizes_ok && folded && on_nodes)
        judge(rule::replicas_are_on_one_node, !replicas || dp == 1 || tp * cp * dp * pp <= d.cluster.gpus_per_node.number);
    }

    if (trtllm) {
      const bool helix = cp > 1 && dcp == cp;
      const bool either = replicas || tp == 1 || dp == 1;
      if (tp_ok && dp_ok) judge(rule::attention_dp_excludes_tp, either);
      if (cp_ok && dcp >= 1) judge(rule::decode_context_is_1_or_cp, dcp == 1 || dcp == cp);
      if (has_experts && cp_ok && ep_ok && dcp >= 1) judge(rule::ep_excludes_cp, ep == 1 || cp == 1 || helix);
      if (has_experts && whole_sets && either && dcp >= 1) {
        const integer moe_world = helix ? tp_size : tp_size / cp;
        judge(rule::experts_fill_tp, etp * ep == moe_world);
      }
      if (model_ok && tp_ok && cp_ok && divides(tp, m.attention.heads))
        judge(rule::heads_divide_by_tp_and_cp, divides(tp * cp, m.attention.heads));
      if (has_experts && ep_ok) judge(rule::ep_is_at_most_256, ep <= 256);
    }
  }

  // --- DeepSpeed's AutoEP together with AutoTP (auto_ep_folding.py) --------------------------------------------------------------

  void deepspeed_folding() {
    if (!deepspeed || !training || m.experts.routed < 1) return;
    if (tp_ok && pp_ok) judge(rule::tp_excludes_pp, tp == 1 || pp == 1);
    if (tp_ok && cp_ok) judge(rule::tp_excludes_cp, tp == 1 || cp == 1);
    if (tp_ok && ep_ok) judge(rule::tp_needs_ep, tp == 1 || ep > 1);
    // Without AutoEP: groups.py, where dp is the world less TP and PP.
    if (sizes_ok && experts_fit) judge(rule::ep_divides_dp, divides(ep, dp * cp));
  }

  // --- Memory ------------------------------------------------------------------------------------------------------------------

  /// Virtual stages of each rank, as far as every rank has as many; else 0.
  [[nodiscard]] integer chunks() const {
    const moeplan::layout& l = d.layout;
    const integer slots = integer{m.layers < 0 ? 0 : m.layers} + (l.embedding_is_a_layer ? 1 : 0) + (l.loss_is_a_layer ? 1 : 0);
    if (!pp_ok || !vpp_ok || !listed_ok || (l.kind == moeplan::layout_kind::even && slots > most)) return 0;
    if (!listed) return vpp;
    return divides(pp, listed_stages) ? listed_stages / pp : integer{0};
  }

  // --- Micro-batches of a step, where the global batch says how many there are -------------------------------------------------------

  void micro_batches_of_a_step() {
    using moeplan::schedule;
    if (!training || !dp_ok) return;
    const moeplan::training& t = d.workload.train;
    if (!t.global_batch.given || t.global_batch.number < 1 || t.micro_batch < 1) return;
    if (!divides(dp * t.micro_batch, t.global_batch.number)) return;
    const integer there_are = t.global_batch.number / (dp * t.micro_batch);
    const bool both_ends = t.schedule == schedule::dualpipe;
    const bool both_ways = both_ends || t.schedule == schedule::dualpipe_v;

    // dualpipe.py, dualpipev.py: the assertions at the start of step().
    judge(rule::dualpipe_halves_micro_batches, !both_ends || divides(2, there_are));
    if (!pp_ok) return;
    judge(rule::dualpipe_needs_twice_pp_micro_batches, !both_ways || there_are >= pp * 2);

    const integer each = chunks();
    if (each < 1) return;
    const bool is_1f1b = t.schedule == schedule::one_forward_one_backward;
    if (megatron) {
      // schedules.py, forward_backward_pipelining_with_interleaving; the default of the group's size is PP (model_parallel_config.py).
      const integer group = pp;
      const bool interleaving = is_1f1b && each >= 2;
      judge(rule::micro_batches_fill_a_group, !interleaving || !(group > there_are));
      const integer last = there_are % group;
      judge(rule::micro_batches_divide_by_pp, !interleaving || group > there_are || last == 0 || last >= pp);
    }
    if (torchtitan) {
      // PyTorch schedules.py: Schedule1F1B, ScheduleInterleaved1F1B.
      judge(rule::stages_have_micro_batches, !(is_1f1b && each == 1 && there_are < pp));
      integer rounds = there_are / pp;
      if (rounds == 0) rounds = 1;
      judge(rule::micro_batches_divide_into_rounds, !(is_1f1b && each >= 2 && there_are % rounds != 0));
      // pipeline_parallel.py _build_pipeline_schedule warns; where the schedule itself refuses, it is refused.
      const bool refuses = both_ways || (is_1f1b && each == 1);
      judge(rule::micro_batches_cover_stages, pp == 1 || refuses || there_are >= pp * each);
    }
  }

  void what_memory_depends_on() {
    using moeplan::schedule;
    if (training) {
      const moeplan::training& t = d.workload.train;
      const schedule s = t.schedule;
      judge(rule::recompute_layers_is_at_least_1, t.recompute_layers >= 1);
      const integer each = chunks();
      if (each >= 1) {
        const bool v_shaped = s == schedule::zb_v || s == schedule::v_half || s == schedule::v_min || s == schedule::dualpipe_v;
        judge(rule::schedule_has_two_chunks, !v_shaped || each == 2);
        const bool one = s == schedule::zb_h1 || s == schedule::zb_h2 || s == schedule::dualpipe;
        judge(rule::schedule_has_one_chunk, !one || each == 1);
        judge(rule::virtual_stages_are_at_most_64, each <= 64);
      }
      if (pp_ok) judge(rule::dualpipe_needs_even_pp, s != schedule::dualpipe || divides(2, pp));
      judge(rule::offload_is_a_share, t.optimizer_offload.numerator.bits <= t.optimizer_offload.denominator.bits);
      judge(rule::busiest_share_is_a_share, t.routing.busiest_share.numerator.bits <= t.routing.busiest_share.denominator.bits);
      return;
    }
    const moeplan::serving& s = d.workload.serve;
    judge(rule::block_size_is_at_least_1, s.block_size >= 1);
    judge(rule::step_tokens_is_at_least_1, s.step_tokens >= 1);
    const bool latent = m.attention.kind == moeplan::attention_kind::latent;
    if (model_ok) judge(rule::latent_cache_needs_latent_attention, s.cache != moeplan::cache_format::fp8_ds_mla || latent);
    if (m.linear_attention.value_heads >= 1) judge(rule::linear_state_has_a_type, s.linear_state != moeplan::number_type::none);
  }

  void memory(bool compute) {
    for (std::size_t id = 0; id < moeplan::rule_count; ++id)
      if (violated.test(id) && moeplan::rules::entry(static_cast<rule>(id)).severity == moeplan::severity::error) return;
    const moeplan::gpu& gpu = d.cluster.gpu;
    integer bytes = gpu.memory.amount.bits;
    if (gpu.usable_memory.amount.bits > 0) bytes = gpu.usable_memory.amount.bits;
    // Nothing is said of pipelines and models beyond all reason (memory_facts.hpp).
    const integer each = chunks();
    if (bytes == 0 || !folded || each * pp > 4096 || m.layers > 65536 || m.mtp_layers > 65536) return;
    reserve = training ? d.workload.train.reserve.amount.bits : d.workload.serve.reserve.amount.bits;
    bytes -= reserve;
    capacity = bytes > 0 ? bytes : integer{0};
    const auto fits = static_cast<std::size_t>(rule::stage_fits_memory);
    const auto one_fits = static_cast<std::size_t>(rule::one_request_fits_memory);
    left_open.set(fits);
    if (!training) left_open.set(one_fits);
    if (!compute) return;
    const slow_memory all{d, dp};
    if (all.beyond) return;
    left_open.reset(fits);
    left_open.reset(one_fits);
    knows_memory = true;
    peak = all.peak;
    fullest_stage = all.fullest_stage;
    one_request = all.one_request;
    judge(rule::stage_fits_memory, peak <= capacity);
    if (!training) judge(rule::one_request_fits_memory, one_request <= capacity);
  }
};

} // namespace moeplan_test
