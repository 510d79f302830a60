#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/memory_limit.hpp>
#include <moeplan/number/divisors.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/search/decision_order.hpp>
#include <moeplan/search/fit_micro_batch.hpp>
#include <moeplan/search/least_states.hpp>
#include <moeplan/search/open_deployment.hpp>
#include <moeplan/search/repair_answer.hpp>
#include <moeplan/search/repair_part.hpp>
#include <moeplan/search/repair_values.hpp>
#include <moeplan/search/stage_states.hpp>
#include <moeplan/verify/check.hpp>

/// @file
/// The search for the nearest repairs.

namespace moeplan::detail {

/// Whether a is nearer than b, of repairs of one deployment.
[[nodiscard]] constexpr bool is_nearer(const repair& a, const repair& b) noexcept {
  if (a.changed.size() != b.changed.size()) return a.changed.size() < b.changed.size();
  if (!(a.distance == b.distance)) return a.distance < b.distance;
  if (!(a.changed == b.changed)) return a.changed.bits < b.changed.bits;
  for (const axis x : {axis::tp, axis::cp, axis::pp, axis::etp, axis::ep, axis::vpp, axis::sp})
    if (a.strategy[x] != b.strategy[x]) return a.strategy[x] < b.strategy[x];
  if (a.layout != b.layout) return a.layout < b.layout;
  return a.micro_batch.number < b.micro_batch.number;
}

/// The axis that a part is, where it is one.
[[nodiscard]] constexpr axis axis_of(repair_part p) noexcept {
  switch (p) {
    case repair_part::tp_size: return axis::tp;
    case repair_part::cp_size: return axis::cp;
    case repair_part::pp_size: return axis::pp;
    case repair_part::vpp_size: return axis::vpp;
    case repair_part::ep_size: return axis::ep;
    case repair_part::etp_size: return axis::etp;
    case repair_part::sp_size: return axis::sp;
    default: return axis::dp;
  }
}

/// In which order values are chosen. Rules bind those together that stand together; DP follows from the degrees before it.
inline constexpr repair_part order_of_choices[] = {
    repair_part::layout,  repair_part::pp_size, repair_part::vpp_size, repair_part::tp_size, repair_part::sp_size,
    repair_part::cp_size, repair_part::ep_size, repair_part::etp_size, repair_part::dp_size, repair_part::micro_batch};
inline constexpr std::size_t choice_count = sizeof order_of_choices / sizeof(repair_part);

/// Looks at the sets of parts that may change, smaller ones first, and of each at the values of its parts, one part after another.
template <std::size_t Most, int OnUse>
struct repair_search {
  static_assert(Most >= 1, "there is no answer without room for one");

  deployment given{};
  repair_options options{};
  repairs<Most> result{};

  constexpr repair_search(const deployment& d, const repair_options& o) noexcept : given{d}, options{o} {
    given.strategy.mapping = mapping::folded;
    now.tried = given;
    now.tried.cluster.gpu = {}; // Memory is judged last: it takes longest.
    memory_is_described = !(given.cluster.gpu.memory == bytes{} && given.cluster.gpu.usable_memory == bytes{});
  }

  constexpr void run() noexcept {
    const findings found = check<OnUse>(given);
    if (found.ok()) return keep(found.facts);
    if (const std::size_t hopeless = beyond_repair(found); hopeless != rule_count) {
      reject(hopeless);
      result.exhausted = counted_repair_parts.size() + 1;
      return;
    }
    read(found.facts);
    std::size_t last = options.most_changes < counted_repair_parts.size() ? options.most_changes : counted_repair_parts.size();
    for (std::size_t changes = 0; changes <= last && !stopped && result.nearest.size() < Most; ++changes) {
      visit_sets(changes);
      if (!stopped) result.exhausted = changes + 1;
      if (result.found() && last - changes > options.further_changes) last = changes + options.further_changes;
    }
    result.outcome = result.found() ? repair_outcome::found : repair_outcome::none;
    if (stopped || !values.complete()) result.outcome = repair_outcome::too_many;
  }

  all_repair_values values{};
  std::int64_t available = 0; ///< GPUs; 0 without a cluster
  bool memory_is_described = false;
  bool sp_follows_tp = false;
  bool dp_is_kept = false;
  open_deployment now{}; ///< on GPUs without memory
  stage_states states{};
  repaired_layout layout_chosen = repaired_layout::kept;
  repair_parts changing{};
  repair best{}; ///< of those that change exactly these parts
  bool has_best = false;
  facts complete{};                         ///< of the last deployment found legal
  sequence<repair, Most> of_size{};         ///< the nearest with as many changes
  sequence<repair_parts, 512> sufficient{}; ///< sets that can do; of 11 parts there are at most 462 of which none contains another
  bool stopped = false;

  constexpr void keep(const facts& f) noexcept {
    result.outcome = repair_outcome::legal;
    result.considered = 1;
    result.nearest.push_back(answer(given.strategy, f));
  }

  [[nodiscard]] static constexpr repair answer(const strategy& s, const facts& f) noexcept {
    repair r{.strategy = s, .gpus = f.gpus};
    if (f.knows(known::cluster)) r.idle_gpus = f.available - f.gpus;
    r.memory_is_known = f.knows(known::memory);
    if (r.memory_is_known) r.peak = bytes{f.peak_bytes};
    return r;
  }

  /// A violated rule that no part has to do with, or the one on memory where parameters alone take more than all GPUs together have;
  /// rule_count where there is hope.
  [[nodiscard]] constexpr std::size_t beyond_repair(const findings& found) const noexcept {
    for (std::size_t i = 0; i < rule_count; ++i) {
      const bool is_violated = (found.violated[i / 64] & rules::errors.words[i / 64]) >> i % 64 & 1U;
      if (is_violated && decided_by(static_cast<rule>(i)) == decision::nothing) return i;
    }
    const facts& f = found.facts;
    const bool too_many = given.workload.is_training() && f.knows(known::cluster) && judges_every_memory(f) &&
                          fewest_gpus_for_states(given) > saturating_count{f.available};
    return too_many ? static_cast<std::size_t>(rule::stage_fits_memory) : rule_count;
  }

  /// Whether `check` judges the memory of every repair: none has more stages or layers than it looks at.
  [[nodiscard]] constexpr bool judges_every_memory(const facts& f) const noexcept {
    const auto kept = saturating_count{f.pp < 1 ? 1 : f.pp} * (f.vpp < 1 ? 1 : f.vpp);
    return kept <= most_stages_judged && most_stages_to_try(f) <= most_stages_judged && f.layers <= most_layers_judged &&
           f.mtp_layers <= most_layers_judged;
  }

  constexpr void read(const facts& f) noexcept {
    values = repair_values_of(given, f);
    available = f.knows(known::cluster) ? f.available : 0;
    sp_follows_tp = f.sp > 1 && f.sp == f.tp;
    dp_is_kept = given.strategy.resolved() && (available == 0 || options.pinned.contains(repair_part::dp_size));
  }

  /// Visits all sets of so many parts, from cheap changes to costly ones.
  constexpr void visit_sets(std::size_t changes) noexcept {
    of_size.length = 0;
    const std::size_t known_before = sufficient.size();
    for (std::uint32_t bits = 0; bits <= counted_repair_parts.bits && !stopped; ++bits) {
      repair_parts parts;
      parts.bits = static_cast<std::uint16_t>(bits);
      if (parts.size() != changes || !can_change(parts, known_before)) continue;
      visit(parts);
      if (!has_best) continue;
      sufficient.push_back(parts);
      insert_by_distance(best);
    }
    for (const repair& r : of_size) result.nearest.push_back(r);
  }

  [[nodiscard]] constexpr bool can_change(repair_parts parts, std::size_t known_before) const noexcept {
    if (!parts.shares_none(options.pinned)) return false;
    if (parts.contains(repair_part::micro_batch) && !given.workload.is_training()) return false;
    if (parts.contains(repair_part::order) && given.strategy.order == rank_order{}) return false;
    if (parts.contains(repair_part::idle_gpus) && available == 0) return false;
    for (std::size_t i = 0; i < known_before; ++i)
      if (parts.contains_all(sufficient[i])) return false;
    return true;
  }

  /// Keeps the nearest, as many as there is room for.
  constexpr void insert_by_distance(const repair& r) noexcept {
    const std::size_t room = Most - result.nearest.size();
    if (of_size.size() == room) {
      if (!is_nearer(r, of_size.back())) return;
      of_size.back() = r;
    } else {
      of_size.push_back(r);
    }
    for (repair* at = &of_size.back(); at != of_size.begin() && is_nearer(*at, at[-1]); --at) {
      const repair further = at[-1];
      at[-1] = *at;
      *at = further;
    }
  }

  /// Finds the nearest repair that changes exactly these parts.
  constexpr void visit(repair_parts parts) noexcept {
    changing = parts;
    has_best = false;
    now.tried.strategy = given.strategy;
    now.open = {};
    for (const repair_part p : order_of_choices)
      if (axis_of(p) != axis::dp && parts.contains(p)) now.leave_open(axis_of(p));
    if (sp_follows_tp && parts.contains(repair_part::tp_size)) now.leave_open(axis::sp);
    now.leave_open(axis::dp);
    if (parts.contains(repair_part::micro_batch))
      now.leave_micro_batch_open();
    else
      now.tried.workload.train.micro_batch = given.workload.train.micro_batch;
    if (parts.contains(repair_part::order)) now.tried.strategy.order = rank_order{};
    if (parts.contains(repair_part::layout) || is_legal()) choose(0, wide_ratio{1});
  }

  constexpr void reject(std::size_t r) noexcept {
    stopped = stopped || result.considered == options.most_considered;
    if (stopped) return;
    ++result.considered;
    ++result.rejected[r];
  }
  constexpr void reject(rule r) noexcept { reject(static_cast<std::size_t>(r)); }

  /// Whether what is chosen can be part of a legal deployment, as far as rules and what parameters take say; of a whole one, whether it is.
  [[nodiscard]] constexpr bool is_legal() noexcept {
    stopped = stopped || result.considered == options.most_considered;
    if (stopped) return false;
    const findings found = check<OnUse>(now.tried);
    if (const std::size_t violated = now.first_violated(found); violated != rule_count) {
      reject(violated);
      return false;
    }
    if (available != 0 && saturating_count{available} < chosen_gpus_of_a_copy()) {
      reject(rule::gpus_are_available);
      return false;
    }
    if (states_are_due() && states_exceed(found.facts)) {
      reject(rule::stage_fits_memory);
      return false;
    }
    return !now.is_complete() || is_legal_with_memory(found);
  }

  /// Whether all that weights and the optimizer's states depend on has just been chosen: before the micro-batch, if that is to change.
  [[nodiscard]] constexpr bool states_are_due() const noexcept {
    if (!memory_is_described || !given.workload.is_training()) return false;
    return changing.contains(repair_part::micro_batch) ? now.only_micro_batch_is_open() : now.is_complete();
  }

  [[nodiscard]] constexpr bool states_exceed(facts f) noexcept {
    f.known |= known::batch; // on which they do not depend
    if (!knows_memory(f)) return false;
    states.set_ranks(now.tried);
    states.set_pipeline(now.tried);
    states.set_sharing(now.tried);
    return states.exceed(or_most(memory_limit(given)));
  }

  /// `found` is what rules say without memory: nothing.
  [[nodiscard]] constexpr bool is_legal_with_memory(const findings& found) noexcept {
    complete = found.facts;
    if (memory_is_described) {
      now.tried.cluster.gpu = given.cluster.gpu;
      const findings with_memory = check<OnUse>(now.tried);
      now.tried.cluster.gpu = {};
      if (const std::size_t violated = now.first_violated(with_memory); violated != rule_count) {
        reject(violated);
        return false;
      }
      complete = with_memory.facts;
    }
    ++result.considered;
    return true;
  }

  /// TP x CP x PP as far as they are chosen.
  [[nodiscard]] constexpr saturating_count chosen_gpus_of_a_copy() const noexcept {
    saturating_count gpus{1};
    for (const axis a : {axis::tp, axis::cp, axis::pp})
      if (now.tried.strategy[a] > 1) gpus *= now.tried.strategy[a];
    return gpus;
  }

  /// Chooses what is left to choose, from the part at this place of order_of_choices on.
  constexpr void choose(std::size_t at, const wide_ratio& distance) noexcept {
    if (stopped) return;
    if (at == choice_count) return record(distance);
    const repair_part p = order_of_choices[at];
    if (p == repair_part::dp_size) return choose_dp(at, distance);
    if (!changing.contains(p)) return choose(at + 1, distance);
    switch (p) {
      case repair_part::layout: return choose_layout(at, distance);
      case repair_part::sp_size: return choose_sp(at, distance);
      case repair_part::micro_batch: return choose_micro_batch(at, distance);
      default: return choose_degree(at, distance);
    }
  }

  /// What is at this distance is no better than the best already found, nor is what is further.
  [[nodiscard]] constexpr bool is_too_far(const wide_ratio& distance) const noexcept {
    return has_best && best.distance < distance;
  }

  constexpr void choose_layout(std::size_t at, const wide_ratio& distance) noexcept {
    for (const repaired_layout l : {repaired_layout::even, repaired_layout::even_with_embedding, repaired_layout::even_with_loss,
                                    repaired_layout::even_with_both, repaired_layout::balanced}) {
      now.tried.layout = repair::described(l);
      layout_chosen = l;
      if (!(now.tried.layout == given.layout) && is_legal()) choose(at + 1, distance);
    }
    now.tried.layout = given.layout;
    layout_chosen = repaired_layout::kept;
  }

  [[nodiscard]] constexpr const repair_values& values_of(axis a) const noexcept {
    switch (a) {
      case axis::tp: return values.tp;
      case axis::cp: return values.cp;
      case axis::pp: return values.pp;
      case axis::vpp: return values.vpp;
      case axis::ep: return values.ep;
      default: return values.etp;
    }
  }

  /// Whether a layout that is not listed can have so many stages, or virtual stages of each rank, of which none is empty. Most numbers
  /// end here, without a check.
  [[nodiscard]] constexpr bool layout_allows(axis a, std::int64_t value) const noexcept {
    const layout& l = now.tried.layout;
    if (l.kind == layout_kind::listed || (a != axis::pp && a != axis::vpp)) return true;
    const bool even = l.kind == layout_kind::even;
    const std::int64_t slots = given.model.layers + (even && l.embedding_is_a_layer ? 1 : 0) + (even && l.loss_is_a_layer ? 1 : 0);
    const std::int64_t other = now.tried.strategy[a == axis::pp ? axis::vpp : axis::pp]; // 0 while it is open
    return (!even || slots % value == 0) && (other < 1 || other <= slots / value);
  }

  constexpr void choose_degree(std::size_t at, const wide_ratio& distance) noexcept {
    const axis a = axis_of(order_of_choices[at]);
    for (const std::int64_t value : values_of(a).list) {
      const wide_ratio next = product(distance, distance_between(value, given.strategy[a]));
      if (stopped || is_too_far(next)) break;
      if (!layout_allows(a, value)) continue;
      now.choose(a, value);
      if (a == axis::tp && sp_follows_tp && !changing.contains(repair_part::sp_size)) now.choose(axis::sp, value);
      if (is_legal()) choose(at + 1, next);
    }
    now.leave_open(a);
    if (a == axis::tp && sp_follows_tp) now.leave_open(axis::sp);
  }

  constexpr void choose_sp(std::size_t at, const wide_ratio& distance) noexcept {
    const std::int64_t tp = now.tried.strategy[axis::tp];
    const std::int64_t unchanged = sp_follows_tp ? tp : given.strategy[axis::sp];
    for (const std::int64_t value : {std::int64_t{1}, tp}) {
      if (value == unchanged) continue;
      now.choose(axis::sp, value);
      if (is_legal()) choose(at + 1, distance);
      if (tp == 1) break; // off is all there is
    }
    now.leave_open(axis::sp);
  }

  constexpr void choose_micro_batch(std::size_t at, const wide_ratio& distance) noexcept {
    const std::int64_t unchanged = given.workload.train.micro_batch;
    for (const std::int64_t value : values.micro_batch.list) {
      const wide_ratio next = product(distance, distance_between(value, unchanged));
      if (stopped || is_too_far(next)) break;
      now.choose_micro_batch(value);
      if (is_legal()) choose(at + 1, next);
    }
    now.leave_micro_batch_open();
  }

  /// Chooses the DP that follows from the other degrees. Precondition: these are legal each by itself.
  constexpr void choose_dp(std::size_t at, const wide_ratio& distance) noexcept {
    const bool idle = changing.contains(repair_part::idle_gpus);
    const auto copy = static_cast<std::int64_t>(chosen_gpus_of_a_copy().bits);
    if (dp_is_kept)
      choose_kept_dp(at, distance, copy);
    else if (available == 0)
      reject(rule::dp_can_be_derived);
    else if (idle)
      choose_smaller_dp(at, distance, copy);
    else if (available % copy != 0)
      reject(rule::gpus_divide_by_model_parallel);
    else
      choose_dp(at, distance, available / copy);
    now.leave_open(axis::dp);
  }

  constexpr void choose_dp(std::size_t at, const wide_ratio& distance, std::int64_t dp) noexcept {
    if (!experts_fit(dp)) return reject(rule::stage_divides_by_expert_ranks);
    if (!batch_divides(dp)) return reject(rule::global_batch_divides_by_dp);
    now.choose(axis::dp, dp);
    if (is_legal()) choose(at + 1, distance);
  }

  // These two rules reject most, and cost nothing to judge alone.

  [[nodiscard]] constexpr bool experts_fit(std::int64_t dp) const noexcept {
    const strategy& s = now.tried.strategy;
    const auto stage = saturating_count{s[axis::tp]} * s[axis::cp] * (dp < 1 ? 1 : dp);
    const auto expert = saturating_count{s[axis::etp]} * s[axis::ep];
    return stage.overflowed() || expert.overflowed() || dp < 1 || stage % expert == 0;
  }
  [[nodiscard]] constexpr bool batch_divides(std::int64_t dp) const noexcept {
    if (!given.workload.is_training() || dp < 1) return true;
    const training& t = now.tried.workload.train;
    const auto of_ranks = saturating_count{dp} * (t.micro_batch < 1 ? 1 : t.micro_batch); // 1 while it is open
    return t.global_batch.number < 1 || of_ranks.overflowed() || saturating_count{t.global_batch.number} % of_ranks == 0;
  }

  constexpr void choose_kept_dp(std::size_t at, const wide_ratio& distance, std::int64_t copy) noexcept {
    const std::int64_t dp = given.strategy[axis::dp];
    const bool idle = changing.contains(repair_part::idle_gpus);
    if (available == 0 || dp < 1) return choose_dp(at, distance, dp);
    const auto used = saturating_count{copy} * dp;
    if (saturating_count{available} < used) return reject(rule::gpus_are_available);
    const bool all = used == saturating_count{available};
    if (!all && !idle) return reject(rule::no_gpu_is_idle);
    if (all && idle) return; // None is idle here: this belongs to another set.
    choose_dp(at, product(distance, distance_between(available, static_cast<std::int64_t>(used.bits))), dp);
  }

  /// The DP that leave GPUs idle, few before many. Each is a multiple of what the experts take, and divides the global batch.
  constexpr void choose_smaller_dp(std::size_t at, const wide_ratio& distance, std::int64_t copy) noexcept {
    const strategy& s = now.tried.strategy;
    const auto dense = saturating_count{s[axis::tp]} * s[axis::cp];
    const auto expert = saturating_count{s[axis::etp]} * s[axis::ep];
    const saturating_count unit = expert.overflowed() ? expert : expert / gcd(dense, expert);
    const auto most = saturating_count{(available - 1) / copy} / unit;
    if (most == 0 || unit.overflowed()) return reject(rule::stage_divides_by_expert_ranks);
    const auto each = static_cast<std::int64_t>(unit.bits);
    const bool batch_counts = given.workload.is_training() && given.workload.train.global_batch.number > 0;
    const std::int64_t batch = given.workload.train.global_batch.number;
    if (batch_counts && batch % each != 0) return reject(rule::global_batch_divides_by_dp);
    const auto next = [&](std::int64_t n) { return batch_counts ? divisor_at_most(batch / each, n) : n; };
    for (std::int64_t n = next(static_cast<std::int64_t>(most.bits)); n > 0 && !stopped; n = next(n - 1)) {
      const wide_ratio all = product(distance, distance_between(available, copy * each * n));
      if (is_too_far(all)) break;
      choose_dp(at, all, each * n);
    }
  }

  constexpr void record(const wide_ratio& distance) noexcept {
    const strategy& chosen = now.tried.strategy;
    strategy s = given.strategy;
    for (const axis a : {axis::tp, axis::cp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::sp})
      if (chosen[a] != s[a]) s.set(a, chosen[a]);
    if (s.resolved() || changing.contains(repair_part::idle_gpus)) s.set(axis::dp, chosen[axis::dp]);
    s.order = chosen.order;
    repair r = answer(s, complete);
    r.layout = layout_chosen;
    if (changing.contains(repair_part::micro_batch)) r.micro_batch = now.tried.workload.train.micro_batch;
    r.changed = changing;
    r.distance = distance;
    if (has_best && !is_nearer(r, best)) return;
    best = r;
    has_best = true;
  }
};

} // namespace moeplan::detail
