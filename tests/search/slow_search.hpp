// A search space tuple by tuple: plain loops and `check`, nothing shared and nothing skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <moeplan/search/decision_order.hpp>
#include <moeplan/search/fit_recompute.hpp>
#include <moeplan/search/rank_orders.hpp>
#include <moeplan/search/search_candidate.hpp>
#include <moeplan/search/search_space.hpp>
#include <moeplan/verify/check.hpp>

namespace moeplan_test {

using numbers = std::vector<std::int64_t>;

/// One tuple: what would be legal, and what is.
struct slow_tuple {
  moeplan::deployment deployment{};
  moeplan::search_layout layout{};
};

struct slow_search_result {
  std::uint64_t considered = 0;
  std::vector<std::uint64_t> rejected = std::vector<std::uint64_t>(moeplan::rule_count);
  std::vector<moeplan::search_candidate> legal; ///< strategy, layout, choices of training, GPUs and peak
};

class slow_search {
public:
  explicit slow_search(const moeplan::search_space& space) : space_{space} {
    const moeplan::cluster& c = space.base.cluster;
    const moeplan::facts f = moeplan::facts_of(space.base);
    known_ = f.knows(moeplan::known::cluster);
    gpus_ = known_ ? f.available : most_unbounded;
    dp_absent_ = space.dp.what == moeplan::search_values::kind::free && !c.described();
  }

  slow_search_result run() {
    using namespace moeplan;
    const deployment& b = space_.base;
    const bool training = b.workload.is_training();
    for (const std::int64_t tp : values(space_.tp, axis::tp, [&] { return divisors_of(b.model.attention.heads, gpus_); }))
      for (const std::int64_t cp : values(space_.cp, axis::cp, [&] { return free_cp(tp); }))
        for (const std::int64_t sp : values(space_.sp, axis::sp, [&] { return tp == 1 ? numbers{1} : numbers{1, tp}; }))
          for (const std::int64_t ep : values(space_.ep, axis::ep, [&] { return divisors_of(experts(), gpus_); }))
            for (const std::int64_t etp : values(space_.etp, axis::etp, [&] { return divisors_of(expert_mlp(), gpus_); }))
              for (const search_layout l : or_one(space_.layouts, search_layout::described)) {
                const layout laid = detail::layout_of(l, b.layout);
                for (const std::int64_t pp : values(space_.pp, axis::pp, [&] { return free_pp(laid, tp, cp); }))
                  for (const schedule order : only_if(training, space_.schedules, b.workload.train.schedule))
                    for (const std::int64_t vpp : values(space_.vpp, axis::vpp, [&] { return free_vpp(laid, pp); }))
                      for (const std::int64_t dp : values(space_.dp, axis::dp, [&] { return free_dp(tp, cp, pp); }))
                        for (const sharding shards : only_if(training, space_.shardings, b.workload.train.sharding))
                          for (const std::int64_t mb : micro_batches())
                            for (const recompute_choice& r : recomputes()) {
                              deployment d = b;
                              d.strategy.set(axis::tp, tp), d.strategy.set(axis::cp, cp), d.strategy.set(axis::sp, sp);
                              d.strategy.set(axis::ep, ep), d.strategy.set(axis::etp, etp), d.strategy.set(axis::pp, pp);
                              d.strategy.set(axis::vpp, vpp);
                              if (!dp_absent_)
                                d.strategy.set(axis::dp, dp);
                              else
                                d.strategy.degrees[static_cast<std::size_t>(axis::dp)] = 0,
                                d.strategy.given &= static_cast<std::uint16_t>(~(1U << static_cast<unsigned>(axis::dp)));
                              d.layout = laid;
                              if (training) {
                                d.workload.train = r.on(d.workload.train);
                                d.workload.train.schedule = order;
                                d.workload.train.sharding = shards;
                                d.workload.train.micro_batch = mb;
                              }
                              for (const rank_order& ranks : orders()) {
                                d.strategy.order = ranks;
                                decide(d, l);
                              }
                            }
              }
    return result_;
  }

private:
  static constexpr std::int64_t most_unbounded = 1 << 20;

  void decide(moeplan::deployment d, moeplan::search_layout l) {
    using namespace moeplan;
    ++result_.considered;
    if (space_.smallest_recompute && d.workload.is_training())
      if (const recompute_answer a = smallest_recompute(d); a.found()) d.workload.train = a.choice.on(d.workload.train);
    const findings found = check(d);
    if (found.ok()) {
      if (space_.nearest_order && found.facts.knows(known::nodes)) d.strategy.order = rank_orders(d).orders[0].order;
      search_candidate c;
      c.strategy = d.strategy;
      c.layout = l;
      c.gpus = found.facts.gpus;
      c.memory_known = found.facts.knows(known::memory);
      c.peak_bytes = found.facts.peak_bytes;
      if (d.workload.is_training()) {
        const training& t = d.workload.train;
        c.schedule = t.schedule;
        c.sharding = t.sharding;
        c.micro_batch = t.micro_batch;
        c.recompute = detail::recompute_of(t);
      }
      result_.legal.push_back(c);
      return;
    }
    ++result_.rejected[static_cast<std::size_t>(first(found))];
  }

  /// Of the errors the one that a search meets first.
  moeplan::rule first(const moeplan::findings& found) {
    using namespace moeplan;
    rule best = rule::one_request_fits_memory;
    int lowest = 1 << 30;
    for (const finding f : found) {
      if (f.level() != severity::error) continue;
      int place = static_cast<int>(decided_by(f.id())) * 1000 + static_cast<int>(f.id());
      if (f.id() == rule::gpus_are_available && every_list_is_legal()) {
        const auto& s = found.facts;
        const auto stage = saturating_count{s.tp} * s.cp;
        if (stage > saturating_count{gpus_})
          place = static_cast<int>(decision::context) * 1000 + 999;
        else if (stage * s.pp > saturating_count{gpus_})
          place = static_cast<int>(decision::stages) * 1000 + 999;
      }
      if (place < lowest) lowest = place, best = f.id();
    }
    return best;
  }

  [[nodiscard]] bool every_list_is_legal() const {
    using moeplan::axis;
    const moeplan::search_values* all[] = {&space_.tp,  &space_.pp, &space_.vpp, &space_.ep,
                                           &space_.etp, &space_.dp, &space_.cp,  &space_.sp};
    const axis axes[] = {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::dp, axis::cp, axis::sp};
    for (std::size_t i = 0; i < 8; ++i) {
      for (const std::int64_t v : all[i]->list)
        if (all[i]->what == moeplan::search_values::kind::listed && v < 1) return false;
      if (all[i]->what == moeplan::search_values::kind::described && space_.base.strategy[axes[i]] < 1) return false;
    }
    return true;
  }

  template <class Free>
  numbers values(const moeplan::search_values& v, moeplan::axis a, Free free) const {
    if (v.what == moeplan::search_values::kind::free) return free();
    if (v.what == moeplan::search_values::kind::described) return {space_.base.strategy[a]};
    return {v.list.begin(), v.list.end()};
  }

  static numbers divisors_of(std::int64_t n, std::int64_t highest) {
    if (n < 1) return {1};
    numbers all;
    for (std::int64_t v = 1; v <= n && v <= highest; ++v)
      if (n % v == 0) all.push_back(v);
    return all;
  }
  static numbers up_to(std::int64_t n) {
    numbers all{1};
    for (std::int64_t v = 2; v <= n; ++v) all.push_back(v);
    return all;
  }

  [[nodiscard]] std::int64_t experts() const {
    const std::int64_t routed = space_.base.model.experts.routed;
    const std::int64_t copies = space_.base.workload.redundant_experts();
    return routed > 0 ? routed + (copies > 0 ? copies : 0) : 1;
  }
  [[nodiscard]] std::int64_t expert_mlp() const {
    return space_.base.model.experts.routed > 0 ? space_.base.model.experts.intermediate_size : 1;
  }
  [[nodiscard]] std::int64_t left(std::int64_t ranks) const { return gpus_ / ranks < 1 ? 1 : gpus_ / ranks; }
  static std::int64_t at_least_1(std::int64_t n) { return n < 1 ? 1 : n; }

  [[nodiscard]] numbers free_cp(std::int64_t tp) const {
    const std::int64_t most = left(at_least_1(tp));
    const moeplan::workload& w = space_.base.workload;
    return w.is_training() ? divisors_of(w.train.sequence_length, most) : up_to(most);
  }
  [[nodiscard]] numbers free_pp(const moeplan::layout& l, std::int64_t tp, std::int64_t cp) const {
    const std::int64_t most = left(at_least_1(tp) * at_least_1(cp));
    const std::int64_t layers = space_.base.model.layers;
    if (l.kind == moeplan::layout_kind::listed) {
      std::int64_t stages = 0;
      for (const auto& run : l.runs) stages += run.stages;
      return divisors_of(stages, most);
    }
    if (l.kind != moeplan::layout_kind::even) return up_to(layers < most ? layers : most);
    return divisors_of(layers + (l.embedding_is_a_layer ? 1 : 0) + (l.loss_is_a_layer ? 1 : 0), most);
  }
  [[nodiscard]] numbers free_vpp(const moeplan::layout& l, std::int64_t pp) const {
    if (pp < 1) return {1};
    std::int64_t stages = 0;
    if (l.kind == moeplan::layout_kind::listed) {
      for (const auto& run : l.runs) stages += run.stages;
      return {stages > 0 && stages % pp == 0 ? stages / pp : 1};
    }
    if (pp == 1) return {1};
    const std::int64_t layers = space_.base.model.layers;
    if (l.kind != moeplan::layout_kind::even) return up_to(layers / pp < 64 ? layers / pp : 64);
    const std::int64_t slots = layers + (l.embedding_is_a_layer ? 1 : 0) + (l.loss_is_a_layer ? 1 : 0);
    return slots >= 1 && slots % pp == 0 ? divisors_of(slots / pp, 64) : numbers{1};
  }
  [[nodiscard]] numbers free_dp(std::int64_t tp, std::int64_t cp, std::int64_t pp) const {
    if (dp_absent_) return {1};
    const moeplan::workload& w = space_.base.workload;
    const std::int64_t most = left(at_least_1(tp) * at_least_1(cp) * at_least_1(pp));
    if (w.is_training() && w.train.global_batch.given) return divisors_of(w.train.global_batch.number, most);
    return known_ ? up_to(most) : numbers{1};
  }

  [[nodiscard]] numbers micro_batches() const {
    const moeplan::workload& w = space_.base.workload;
    if (!w.is_training()) return {1};
    if (space_.micro_batch.what == moeplan::search_values::kind::listed)
      return {space_.micro_batch.list.begin(), space_.micro_batch.list.end()};
    const bool free = space_.micro_batch.what == moeplan::search_values::kind::free;
    if (free && w.train.global_batch.given && w.train.global_batch.number > 0)
      return divisors_of(w.train.global_batch.number, w.train.global_batch.number);
    return {w.train.micro_batch};
  }
  [[nodiscard]] std::vector<moeplan::recompute_choice> recomputes() const {
    const moeplan::workload& w = space_.base.workload;
    if (w.is_training() && space_.smallest_recompute) return {{.modules = {.core_attention = false}}};
    if (!w.is_training() || space_.recomputes.empty()) return {moeplan::detail::recompute_of(w.train)};
    return {space_.recomputes.begin(), space_.recomputes.end()};
  }
  [[nodiscard]] std::vector<moeplan::rank_order> orders() const {
    if (space_.nearest_order) return {{}};
    if (space_.orders.empty()) return {space_.base.strategy.order};
    return {space_.orders.begin(), space_.orders.end()};
  }
  template <class List, class T>
  static std::vector<T> or_one(const List& list, T one) {
    if (list.empty()) return {one};
    return {list.begin(), list.end()};
  }
  template <class List, class T>
  static std::vector<T> only_if(bool training, const List& list, T one) {
    return training ? or_one(list, one) : std::vector<T>{one};
  }

  moeplan::search_space space_;
  slow_search_result result_;
  std::int64_t gpus_ = 0;
  bool known_ = false;
  bool dp_absent_ = false;
};

} // namespace moeplan_test
