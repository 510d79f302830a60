#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/memory/memory_limit.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/indices.hpp>
#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/pipeline/pipeline_shape.hpp>
#include <moeplan/pipeline/stage_placement.hpp>
#include <moeplan/search/candidate_memory.hpp>
#include <moeplan/search/decision_order.hpp>
#include <moeplan/search/fit_recompute.hpp>
#include <moeplan/search/rank_orders.hpp>
#include <moeplan/search/search_candidate.hpp>
#include <moeplan/search/search_counts.hpp>
#include <moeplan/search/search_domain.hpp>
#include <moeplan/search/search_space.hpp>
#include <moeplan/search/value_set.hpp>
#include <moeplan/verify/check.hpp>

/// @file
/// Every legal strategy of a search space.

namespace moeplan {

namespace detail {

/// The first rule of a table that is violated, of those that the decision `Last` decides.
template <const auto& Table, decision Last, std::size_t... I>
[[nodiscard]] constexpr const rule_entry* first_violated(const facts& f, indices<I...>) noexcept {
  const rule_entry* found = nullptr;
  const auto violated = [&f, &found](const rule_entry& e) {
    if ((e.scope & scope::of(f.profile)) == 0 || !f.knows(e.needs) || e.holds(f)) return false;
    found = &e;
    return true;
  };
  const auto judge_one = [&violated]<std::size_t Index>(indices<Index>) {
    constexpr const rule_entry& e = Table[Index];
    if constexpr (e.severity == severity::error && decided_by(e.id) == Last) return violated(e);
    return false;
  };
  (void)(judge_one(indices<I>{}) || ...);
  return found;
}

template <const auto& Table, decision Last>
[[nodiscard]] constexpr const rule_entry* first_violated(const facts& f) noexcept {
  return first_violated<Table, Last>(f, indices_below<sizeof Table / sizeof(rule_entry)>{});
}

template <decision Last, const auto&... Tables>
[[nodiscard]] constexpr const rule_entry* first_violated_of(const facts& f) noexcept {
  const rule_entry* found = nullptr;
  (void)(((found = first_violated<Tables, Last>(f)) != nullptr) || ...);
  return found;
}

/// The first violated rule that a decision decides; null: there is none. Memory is not judged.
template <decision Last>
[[nodiscard]] constexpr const rule_entry* first_violated_by(const facts& f) noexcept {
  return first_violated_of<Last, rules::world, rules::nodes, rules::model, rules::tensor, rules::experts, rules::pipeline,
                           rules::batch, rules::sharding, rules::serving, rules::memory>(f);
}

/// Calls a visitor, with what has been decided so far if it takes that too.
template <class Visit>
constexpr bool call(Visit& visit, const search_candidate& c, const search_counts& counts) {
  if constexpr (requires { visit(c, counts); })
    return visit(c, counts);
  else
    return visit(c);
}

/// Tells a visitor how far the search has come, if it listens.
template <class Visit>
constexpr void tell(Visit& visit, const search_counts& counts) {
  if constexpr (requires { visit.decided(counts); }) visit.decided(counts);
}

/// Goes through a search space, decision by decision. Each takes the facts that the ones before have made, adds its own, and asks the
/// rules that are then decided. A step returns whether the visitor has ended the search.
template <class Visit, int OnUse = 0>
class strategy_search : search_domain {
public:
  /// Strategies on more than `most_gpus` are rejected, as if the cluster had no more.
  constexpr strategy_search(const search_space& space, Visit& visit, std::int64_t most_gpus = __INT64_MAX__) noexcept
      : search_domain{space, most_gpus}, visit_{&visit}, d_{space.base} {}

  [[nodiscard]] constexpr search_counts run() noexcept {
    begin();
    facts f = facts_of(d_);
    f.known &= ~(known::chunks | known::micro_batches | known::batch);
    if (d_.workload.is_training() && d_.workload.train.global_batch.value_or(1) > 0) f.known |= known::batch; // of its own
    f.dp_given = !dp_cannot_be_derived();
    counts_.considered = all();
    if (const rule_entry* r = first_violated_by<decision::nothing>(f)) {
      reject(*r, counts_.considered);
      return counts_;
    }
    counts_.ended = each(all_tp, available_gpus, [&](std::int64_t v) { return with_tp(f, v); });
    return counts_;
  }

private:
  constexpr void begin() noexcept {
    const deployment& base = searched->base;
    for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::dp, axis::cp, axis::sp}) d_.strategy.set(a, 1);
    d_.layout = layout::even();
    d_.strategy.order = order_choices[0];
    judges_memory_ = !(base.cluster.gpu.memory == bytes{} && base.cluster.gpu.usable_memory == bytes{});
    capacity_ = or_most(memory_limit(base));
  }

  constexpr void reject(const rule_entry& r, saturating_count how_many) noexcept { reject(r.id, how_many); }
  constexpr void reject(rule r, saturating_count how_many) noexcept {
    counts_.rejected[static_cast<std::size_t>(r)] += how_many;
    tell(*visit_, counts_);
  }

  /// So many strategies with each legal order of ranks.
  constexpr void reject_orders(rule r, std::size_t how_many) noexcept {
    reject(r, saturating_count{how_many} * legal_orders_.size());
  }

  template <class Step>
  constexpr bool each(const value_set& values, std::int64_t bound, Step&& step) {
    return values.any(bound, step);
  }

  /// Whether a product of dense degrees alone takes more GPUs than are looked at.
  [[nodiscard]] constexpr bool too_many(std::int64_t ranks) const noexcept {
    return lists_are_legal && ranks > available_gpus && ranks != __INT64_MAX__;
  }

  // The steps.

  constexpr bool with_tp(const facts& before, std::int64_t tp) noexcept {
    facts f = before;
    f.tp = tp;
    if (tp < 1) f.known &= ~known::tp;
    d_.strategy.set(axis::tp, tp);
    if (const rule_entry* r = first_violated_by<decision::tensor>(f)) return reject(*r, of_tp(tp)), false;
    return each(all_cp, cp_bound(tp), [&](std::int64_t v) { return with_cp(f, v); });
  }

  constexpr bool with_cp(const facts& before, std::int64_t cp) noexcept {
    facts f = before;
    f.cp = cp;
    if (cp < 1) f.known &= ~known::cp;
    d_.strategy.set(axis::cp, cp);
    if (const rule_entry* r = first_violated_by<decision::context>(f)) return reject(*r, of_cp(f.tp, cp)), false;
    ranks_ = product_from_1(f.tp, cp);
    if (too_many(ranks_)) return reject(rule::gpus_are_available, of_cp(f.tp, cp)), false;
    of_ranks_ = of_ranks(ranks_);
    return each(sp_values(f.tp), available_gpus, [&](std::int64_t v) { return with_sp(f, v); });
  }

  constexpr bool with_sp(const facts& before, std::int64_t sp) noexcept {
    facts f = before;
    f.sp = sp;
    if (sp < 1) f.known &= ~known::sp;
    d_.strategy.set(axis::sp, sp);
    ranks_are_set_ = false;
    const saturating_count of_an_ep = of_ranks_ * all_etp.size(available_gpus);
    if (const rule_entry* r = first_violated_by<decision::sequence>(f))
      return reject(*r, of_an_ep * all_ep.size(available_gpus)), false;
    return each(all_ep, available_gpus, [&](std::int64_t v) { return with_ep(f, v, of_an_ep); });
  }

  constexpr bool with_ep(const facts& before, std::int64_t ep, saturating_count below) noexcept {
    facts f = before;
    f.ep = ep;
    if (ep < 1) f.known &= ~known::ep;
    d_.strategy.set(axis::ep, ep);
    if (const rule_entry* r = first_violated_by<decision::experts>(f)) return reject(*r, below), false;
    return each(all_etp, available_gpus, [&](std::int64_t v) { return with_etp(f, v); });
  }

  constexpr bool with_etp(const facts& before, std::int64_t etp) noexcept {
    facts f = before;
    f.etp = etp;
    if (etp < 1) f.known &= ~known::etp;
    f.expert_share =
        f.knows(known::serving | known::model | known::experts | known::etp) && f.expert_mlp % etp == 0 ? f.expert_mlp / etp : 0;
    d_.strategy.set(axis::etp, etp);
    if (const rule_entry* r = first_violated_by<decision::expert_tensor>(f)) return reject(*r, of_ranks_), false;
    experts_are_set_ = false;
    for (const search_layout which : layout_choices)
      if (with_layout(f, which)) return true;
    return false;
  }

  constexpr bool with_layout(const facts& before, search_layout which) noexcept {
    candidate_.layout = which;
    d_.layout = layout_of(which, searched->base.layout);
    facts f = before;
    f.known &= ~known::layout;
    read_layout(f, d_.layout);
    if (const rule_entry* r = first_violated_by<decision::layout>(f)) return reject(*r, of_layout(d_.layout, ranks_)), false;
    return each(pp_values(d_.layout), pp_bound(d_.layout, ranks_), [&](std::int64_t v) { return with_pp(before, v); });
  }

  constexpr bool with_pp(const facts& before, std::int64_t pp) noexcept {
    facts f = before;
    f.pp = pp;
    f.known &= ~known::layout;
    if (pp < 1) f.known &= ~known::pp;
    read_layout(f, d_.layout);
    d_.strategy.set(axis::pp, pp);
    const rule_entry* r = first_violated_by<decision::stages>(f);
    if (r != nullptr) return reject(*r, of_pipeline(d_.layout, pp, ranks_)), false;
    const std::int64_t ranks = product_from_1(ranks_, pp);
    if (too_many(ranks)) return reject(rule::gpus_are_available, of_pipeline(d_.layout, pp, ranks_)), false;
    dp_bound_ = left(ranks);
    of_order_ = of_order();
    of_dp_ = of_training();
    of_vpp_ = of_dp_ * all_dp.size(dp_bound_);
    const value_set vpp = vpp_values(d_.layout, pp);
    for (const schedule s : schedule_choices)
      if (with_schedule(f, s, vpp)) return true;
    return false;
  }

  constexpr bool with_schedule(const facts& before, schedule s, const value_set& vpp) noexcept {
    facts f = before;
    d_.workload.train.schedule = s;
    if (f.knows(known::training)) {
      f.schedule = s;
      f.placed_in_a_v = placed_in_a_v(s);
      f.is_dualpipe = s == schedule::dualpipe;
      f.one_chunk_schedule = f.is_dualpipe || s == schedule::zb_h1 || s == schedule::zb_h2;
    }
    const std::int64_t bound = vpp_bound(d_.layout, f.pp);
    if (const rule_entry* r = first_violated_by<decision::schedule>(f)) return reject(*r, of_vpp_ * vpp.size(bound)), false;
    return each(vpp, bound, [&](std::int64_t v) { return with_vpp(f, v); });
  }

  constexpr bool with_vpp(const facts& before, std::int64_t vpp) noexcept {
    facts f = before;
    f.vpp = vpp;
    if (vpp < 1) f.known &= ~known::vpp;
    d_.strategy.set(axis::vpp, vpp);
    read_chunks(f);
    if (const rule_entry* r = first_violated_by<decision::virtual_stages>(f)) return reject(*r, of_vpp_), false;
    f.known &= ~(known::no_overflow | known::experts_fit | known::whole_sets | known::dp);
    balance_is_known_ = false;
    pipeline_is_set_ = false;
    return each(all_dp, dp_bound_, [&](std::int64_t v) { return with_dp(f, v); });
  }

  constexpr bool with_dp(const facts& before, std::int64_t dp) noexcept {
    facts f = before;
    f.dp = dp;
    if (dp >= 1) f.known |= known::dp;
    d_.strategy.set(axis::dp, dp);
    derive_dp(f, d_.strategy);
    read_grids(f, d_.strategy);
    read_workload(f, d_.workload);
    f.known &= ~known::micro_batches;
    if (const rule_entry* r = first_violated_by<decision::data>(f)) return reject(*r, of_dp_), false;
    if (f.gpus > available_gpus) return reject(rule::gpus_are_available, of_dp_), false;
    if (!find_legal_orders(f)) return false;
    memory_is_judged_ = judges_memory_ && knows_memory(f);
    for (const sharding s : sharding_choices)
      if (with_sharding(f, s)) return true;
    return false;
  }

  /// Rejects the others, and returns whether there are any.
  constexpr bool find_legal_orders(facts& f) noexcept {
    legal_orders_.length = 0;
    nearest_is_known_ = false;
    for (const rank_order& order : order_choices) {
      f.order_names = 0;
      f.order_ends_with_pp = false;
      read_order(f, order);
      read_stage_strides(f, order);
      if (const rule_entry* r = first_violated_by<decision::order>(f))
        reject(*r, of_order_);
      else
        legal_orders_.push_back(order);
    }
    return !legal_orders_.empty();
  }

  /// In place of the one that all degrees allow.
  constexpr void set_nearest_order() noexcept {
    if (!nearest_is_known_) legal_orders_[0] = rank_orders(d_).orders[0].order;
    nearest_is_known_ = true;
  }

  constexpr bool with_sharding(const facts& f, sharding s) noexcept {
    d_.workload.train.sharding = s;
    if (!f.knows(known::training)) return serve(f);
    states_are_set_ = false;
    std::int64_t place = 0;
    return each(micro_batch_sizes, __INT64_MAX__, [&](std::int64_t v) {
      const std::int64_t first = place;
      place += static_cast<std::int64_t>(recompute_choices.size());
      return with_micro_batch(f, v, first);
    });
  }

  /// What memory needs of what has been decided, once some strategy has come so far.
  constexpr void set_memory() noexcept {
    if (states_are_set_) return;
    if (!ranks_are_set_) memory_.set_ranks();
    if (!experts_are_set_) memory_.set_experts(d_);
    if (!pipeline_is_set_) memory_.set_pipeline(d_);
    memory_.set_states(d_);
    states_exceed_ = memory_.states_exceed(capacity_);
    ranks_are_set_ = true;
    experts_are_set_ = true;
    pipeline_is_set_ = true;
    states_are_set_ = true;
  }

  constexpr bool with_micro_batch(const facts& before, std::int64_t micro_batch, std::int64_t place) noexcept {
    facts f = before;
    f.known &= ~(known::batch | known::micro_batches);
    f.micro_batch_tokens = 0;
    f.batch_unit = 0;
    d_.workload.train.micro_batch = micro_batch;
    read_training(f, d_.workload.train);
    if (const rule_entry* r = first_violated_by<decision::micro_batch>(f))
      return reject_orders(r->id, recompute_choices.size()), false;
    if (searched->smallest_recompute) return with_smallest_recompute(f, place);
    for (std::size_t i = 0; i < recompute_choices.size(); ++i) {
      const auto recompute = static_cast<std::int64_t>(i);
      if (with_recompute(f, recompute_choices[i], {place + recompute, recompute})) return true;
    }
    return false;
  }

  constexpr bool with_recompute(facts& f, const recompute_choice& c, memory_place place) noexcept {
    d_.workload.train = c.on(d_.workload.train);
    f.recompute = c.recompute;
    f.recompute_layers = c.layers;
    if (const rule_entry* r = first_violated_by<decision::recompute>(f)) return reject_orders(r->id, 1), false;
    if (!memory_is_judged_) return accept(f, false, 0);
    set_memory();
    if (states_exceed_) return reject_orders(rule::stage_fits_memory, 1), false;
    const memory_verdict m = memory_.judge(d_, place, capacity_);
    counts_.memories += m.computed ? 1U : 0U;
    return m.fits ? accept(f, true, m.peak) : (reject_orders(rule::stage_fits_memory, 1), false);
  }

  /// The first that smallest_recompute() finds, without computing again what its trials share. `place` is the micro-batch's.
  constexpr bool with_smallest_recompute(facts& f, std::int64_t place) noexcept {
    f.recompute_layers = 1;
    if (const rule_entry* r = violated_by_recompute(f, {.modules = no_modules})) return reject_orders(r->id, 1), false;
    if (!memory_is_judged_) return accept(f, false, 0);
    set_memory();
    if (states_exceed_) return reject_orders(rule::stage_fits_memory, 1), false;
    memory_verdict found;
    bool computed = false;
    std::int64_t tried = 0;
    (void)visit_recomputes(d_, [&](const recompute_choice& c) {
      const std::int64_t number = tried++;
      if (violated_by_recompute(f, c) != nullptr) return false;
      found = memory_.judge(d_, {remembered(place, number), number}, capacity_);
      computed = computed || found.computed;
      return found.fits;
    });
    counts_.memories += computed ? 1U : 0U;
    return found.fits ? accept(f, true, found.peak) : (reject_orders(rule::stage_fits_memory, 1), false);
  }

  constexpr const rule_entry* violated_by_recompute(facts& f, const recompute_choice& c) noexcept {
    d_.workload.train = c.on(d_.workload.train);
    f.recompute = c.recompute;
    return first_violated_by<decision::recompute>(f);
  }

  /// Where to remember one of the recomputations that are tried for a micro-batch: the first are tried most often.
  [[nodiscard]] static constexpr std::int64_t remembered(std::int64_t micro_batch, std::int64_t number) noexcept {
    constexpr std::int64_t of_each = 8;
    return number < of_each ? micro_batch * of_each + number : candidate_memory<OnUse>::most_remembered;
  }

  constexpr bool serve(const facts& before) noexcept {
    facts f = before;
    if (const rule_entry* r = first_violated_by<decision::sharding>(f)) return reject_orders(r->id, 1), false;
    if (const rule_entry* r = first_violated_by<decision::micro_batch>(f)) return reject_orders(r->id, 1), false;
    if (const rule_entry* r = first_violated_by<decision::recompute>(f)) return reject_orders(r->id, 1), false;
    if (!memory_is_judged_) return accept(f, false, 0);
    ++counts_.memories;
    (void)read_memory<OnUse>(f, d_);
    if (!holds::stage_fits_memory(f)) return reject_orders(rule::stage_fits_memory, 1), false;
    if (!holds::one_request_fits_memory(f)) return reject_orders(rule::one_request_fits_memory, 1), false;
    return accept(f, true, f.peak_bytes);
  }

  constexpr bool accept(const facts& f, bool memory_known, std::int64_t peak) noexcept {
    search_candidate& c = candidate_;
    c.strategy = d_.strategy;
    c.gpus = f.gpus;
    c.cluster_gpus = cluster_gpus;
    c.memory_known = memory_known;
    c.peak_bytes = peak;
    c.capacity_bytes = memory_known ? capacity_ : 0;
    if (!balance_is_known_) c.layer_balance = layer_balance();
    balance_is_known_ = true;
    if (f.knows(known::training)) {
      const training& t = d_.workload.train;
      c.schedule = t.schedule;
      c.sharding = t.sharding;
      c.micro_batch = t.micro_batch;
      c.recompute = recompute_of(t);
      c.bubble = bubble_of(pipeline_shape_of(d_, d_.strategy[axis::dp]), {});
    }
    if (searched->nearest_order && f.knows(known::nodes)) set_nearest_order();
    for (const rank_order& order : legal_orders_) {
      c.strategy.order = order;
      c.number = counts_.legal++;
      if (call(*visit_, c, counts_)) return true;
    }
    return false;
  }

  /// Most decoder layers of a pipeline rank over the mean.
  [[nodiscard]] constexpr ratio layer_balance() const noexcept {
    const std::int64_t pp = d_.strategy[axis::pp];
    const std::int64_t chunks = virtual_stages(d_.strategy, d_.layout) / pp;
    const schedule s = d_.workload.is_training() ? d_.workload.train.schedule : schedule::one_forward_one_backward;
    std::int64_t most = 0;
    std::int64_t all = 0;
    for (std::int64_t rank = 0; rank < pp; ++rank) {
      std::int64_t layers = 0;
      for (std::int64_t c = 0; c < chunks; ++c)
        layers += contents(d_.model, d_.strategy, d_.layout, virtual_stage(s, pp, rank, c)).decoder_layers;
      if (layers > most) most = layers;
      all += layers;
    }
    return {count{most} * pp, all};
  }

  Visit* visit_;
  deployment d_;
  search_counts counts_{};
  search_candidate candidate_{};
  candidate_memory<OnUse> memory_{};
  std::int64_t capacity_ = 0;
  std::int64_t ranks_ = 1; ///< TP x CP
  std::int64_t dp_bound_ = 1;
  saturating_count of_ranks_{}; ///< strategies that each ETP has, each VPP, each DP and each order of ranks
  saturating_count of_vpp_{};
  saturating_count of_dp_{};
  saturating_count of_order_{};
  sequence<rank_order, search_values::most> legal_orders_{};
  bool judges_memory_ = false;
  bool memory_is_judged_ = false;
  bool ranks_are_set_ = false;
  bool experts_are_set_ = false;
  bool pipeline_is_set_ = false;
  bool states_are_set_ = false;
  bool balance_is_known_ = false;
  bool states_exceed_ = false;
  bool nearest_is_known_ = false;
};

} // namespace detail

/// Calls visit(const search_candidate&) for every legal strategy of a space, always in the same order, until it returns true: those that
/// `check` accepts, with their memory where it is judged. Or visit(const search_candidate&, const search_counts&), where it takes this: what
/// has been decided so far, the candidate included. A visitor that has visit.decided(const search_counts&) too is told whenever strategies
/// are rejected, one or many at once. TP is the outermost loop, then CP, SP, EP, ETP, layout, PP, schedule, VPP, DP, sharding, micro-batch,
/// recompute, and the order of ranks the innermost; each goes through its values from the smallest, or as they are listed.
///
/// A rule is asked as soon as all that it depends on is decided, and what it rejects is not looked at. What is left shares facts and
/// memory: blocks are computed once for all that differs in pipeline and data parallelism alone, activations once for all that differs in
/// data parallelism and sharding. What parameters take rules out all micro-batches and recomputations at once, and a micro-batch that does
/// not fit the larger ones. It allocates nothing; what it works on is about 150 KiB.
///
/// An overflowed `peak_bytes` cannot occur, as such a strategy does not fit. Precondition: lists hold no value twice; every value is legal
/// or not, as for `check`.
template <int OnUse = 0, class Visit>
constexpr search_counts visit_strategies(const search_space& space, Visit& visit) noexcept {
  detail::strategy_search<Visit, OnUse> search{space, visit};
  return search.run();
}
template <int OnUse = 0, class Visit>
constexpr search_counts visit_strategies(const search_space& space, const Visit& visit) noexcept {
  detail::strategy_search<const Visit, OnUse> search{space, visit};
  return search.run();
}

} // namespace moeplan
