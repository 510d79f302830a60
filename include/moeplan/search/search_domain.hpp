#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/search/search_space.hpp>
#include <moeplan/search/value_set.hpp>
#include <moeplan/verify/facts.hpp>
#include <moeplan/verify/legal.hpp>

/// @file
/// Which values each part of a strategy takes in a search, and how many strategies that makes.

namespace moeplan::detail {

/// a x b, or the largest number; what is below 1 counts as 1.
[[nodiscard]] constexpr std::int64_t product_from_1(std::int64_t a, std::int64_t b) noexcept {
  const auto product = saturating_count{a < 1 ? 1 : a} * (b < 1 ? 1 : b);
  return fits(product) ? or_zero(product) : __INT64_MAX__;
}

/// The values of a search space that do not depend on others, and functions for those that do: SP on TP, PP on the layout, VPP on both,
/// and how far free values go on the GPUs that are left. A number of ranks is TP x CP.
class search_domain {
protected:
  /// `free` makes the values of a free number, which are only computed for one. It stands before the constructor because
  /// clang 14 instantiates no template in a constant expression whose body it has not read.
  template <class Free>
  [[nodiscard]] constexpr value_set values_of(const search_values& v, axis a, const Free& free) const noexcept {
    switch (v.what) {
      case search_values::kind::free: return free();
      case search_values::kind::listed: return value_set::of(v.list);
      case search_values::kind::described: break;
    }
    return value_set::one(searched->base.strategy[a]);
  }

  [[nodiscard]] constexpr value_set divisors(std::int64_t number) const noexcept {
    return number < 1 ? value_set::one(1) : value_set::divisors(number, available_gpus);
  }

  /// Free values go no further than on `most_gpus`, be they fewer than the cluster has.
  constexpr search_domain(const search_space& space, std::int64_t most_gpus) noexcept : searched{&space} {
    deployment one = space.base;
    for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::dp, axis::cp, axis::sp}) one.strategy.set(a, 1);
    one.layout = layout::even();
    const facts f = facts_of(one);
    cluster_is_known = f.knows(known::cluster);
    cluster_gpus = cluster_is_known ? f.available : 0;
    available_gpus = cluster_is_known && f.available < most_gpus ? f.available : most_gpus;
    all_tp = values_of(space.tp, axis::tp, [&] { return divisors(f.heads); });
    all_cp = values_of(space.cp, axis::cp, [&] {
      return f.knows(known::training) ? divisors(f.sequence_length) : cluster_is_known ? value_set::all() : value_set::one(1);
    });
    all_ep = values_of(space.ep, axis::ep, [&] { return divisors(f.experts > 0 ? f.physical_experts : 1); });
    all_etp = values_of(space.etp, axis::etp, [&] { return divisors(f.experts > 0 ? f.expert_mlp : 1); });
    const bool has_batch = space.base.workload.is_training() && space.base.workload.train.global_batch.given;
    const std::int64_t batch = space.base.workload.train.global_batch.number;
    all_dp = values_of(space.dp, axis::dp, [&] {
      return has_batch ? divisors(batch) : cluster_is_known ? value_set::all() : value_set::one(1);
    });
    const auto legal = [this](const search_values& v, axis a) {
      return values_of(v, a, [] { return value_set::one(1); }).at_least_1();
    };
    lists_are_legal = legal(space.tp, axis::tp) && legal(space.cp, axis::cp) && legal(space.ep, axis::ep) &&
                      legal(space.etp, axis::etp) && legal(space.pp, axis::pp) && legal(space.vpp, axis::vpp) &&
                      legal(space.dp, axis::dp) && legal(space.sp, axis::sp);
    begin_training(space.base, has_batch && batch > 0 ? batch : 0);
  }

  [[nodiscard]] constexpr bool dp_cannot_be_derived() const noexcept {
    return searched->dp.what == search_values::kind::free && !searched->base.cluster.described();
  }

  [[nodiscard]] constexpr std::int64_t left(std::int64_t ranks) const noexcept {
    const std::int64_t each = available_gpus / (ranks < 1 ? 1 : ranks);
    return each < 1 ? 1 : each;
  }

  [[nodiscard]] constexpr value_set sp_values(std::int64_t tp) const noexcept {
    search_values both{1};
    if (tp != 1) both.list.push_back(tp);
    return values_of(searched->sp, axis::sp, [&] { return value_set::of(both.list); });
  }

  [[nodiscard]] static constexpr std::int64_t slots_of(const model& m, const layout& l) noexcept {
    const auto slots =
        saturating_count{m.layers < 0 ? 0 : m.layers} + (l.embedding_is_a_layer ? 1 : 0) + (l.loss_is_a_layer ? 1 : 0);
    return or_zero(slots);
  }

  [[nodiscard]] static constexpr std::int64_t listed_stages(const layout& l) noexcept {
    saturating_count stages;
    for (const stage_run& run : l.runs) stages += run.stages < 0 ? 0 : run.stages;
    return or_zero(stages);
  }

  [[nodiscard]] constexpr value_set pp_values(const layout& l) const noexcept {
    const std::int64_t layers = searched->base.model.layers;
    switch (l.kind) {
      case layout_kind::even: return values_of(searched->pp, axis::pp, [&] { return divisors(slots_of(searched->base.model, l)); });
      case layout_kind::listed: return values_of(searched->pp, axis::pp, [&] { return divisors(listed_stages(l)); });
      case layout_kind::balanced:
      case layout_kind::first_last: break;
    }
    return values_of(searched->pp, axis::pp, [&] { return layers < 1 ? value_set::one(1) : value_set::all(); });
  }

  /// How far free values of PP go.
  [[nodiscard]] constexpr std::int64_t pp_bound(const layout& l, std::int64_t ranks) const noexcept {
    const bool by_layers =
        (l.kind == layout_kind::balanced || l.kind == layout_kind::first_last) && searched->base.model.layers >= 1;
    const std::int64_t most = left(ranks);
    return by_layers && searched->base.model.layers < most ? searched->base.model.layers : most;
  }

  [[nodiscard]] constexpr value_set vpp_values(const layout& l, std::int64_t pp) const noexcept {
    if (searched->vpp.what != search_values::kind::free || pp < 1)
      return values_of(searched->vpp, axis::vpp, [&] { return value_set::one(1); });
    if (l.kind == layout_kind::listed) {
      const std::int64_t stages = listed_stages(l);
      return value_set::one(stages >= pp && stages % pp == 0 ? stages / pp : 1);
    }
    if (pp == 1) return value_set::one(1);
    if (l.kind != layout_kind::even) return value_set::all();
    const std::int64_t slots = slots_of(searched->base.model, l);
    return slots >= pp && slots % pp == 0 ? value_set::divisors(slots / pp, most_virtual_stages) : value_set::one(1);
  }
  [[nodiscard]] constexpr std::int64_t vpp_bound(const layout& l, std::int64_t pp) const noexcept {
    const std::int64_t each = searched->base.model.layers / (pp < 1 ? 1 : pp);
    if (l.kind == layout_kind::even || each >= most_virtual_stages) return most_virtual_stages;
    return each < 1 ? 1 : each;
  }

  // How many strategies a part of the space has.

  [[nodiscard]] constexpr saturating_count of_order() const noexcept {
    return saturating_count{sharding_choices.size()} * micro_batch_sizes.size(__INT64_MAX__) * recompute_choices.size();
  }
  [[nodiscard]] constexpr saturating_count of_training() const noexcept { return of_order() * order_choices.size(); }
  [[nodiscard]] constexpr saturating_count of_pipeline(const layout& l, std::int64_t pp, std::int64_t ranks) const noexcept {
    return of_training() * all_dp.size(left(product_from_1(ranks, pp))) * vpp_values(l, pp).size(vpp_bound(l, pp)) *
           schedule_choices.size();
  }
  [[nodiscard]] constexpr saturating_count of_layout(const layout& l, std::int64_t ranks) const noexcept {
    saturating_count n;
    pp_values(l).any(pp_bound(l, ranks), [&](std::int64_t pp) {
      n += of_pipeline(l, pp, ranks);
      return false;
    });
    return n;
  }
  [[nodiscard]] constexpr saturating_count of_ranks(std::int64_t ranks) const noexcept {
    saturating_count n;
    for (const search_layout which : layout_choices) n += of_layout(layout_of(which, searched->base.layout), ranks);
    return n;
  }
  [[nodiscard]] constexpr saturating_count of_ep(std::int64_t ranks) const noexcept {
    return of_ranks(ranks) * all_etp.size(available_gpus);
  }
  [[nodiscard]] constexpr saturating_count of_sp(std::int64_t ranks) const noexcept {
    return of_ep(ranks) * all_ep.size(available_gpus);
  }
  [[nodiscard]] constexpr saturating_count of_cp(std::int64_t tp, std::int64_t cp) const noexcept {
    return of_sp(product_from_1(tp, cp)) * sp_values(tp).size(available_gpus);
  }
  [[nodiscard]] constexpr saturating_count of_tp(std::int64_t tp) const noexcept {
    saturating_count n;
    all_cp.any(cp_bound(tp), [&](std::int64_t cp) {
      n += of_cp(tp, cp);
      return false;
    });
    return n;
  }
  [[nodiscard]] constexpr saturating_count all() const noexcept {
    saturating_count n;
    all_tp.any(available_gpus, [&](std::int64_t tp) {
      n += of_tp(tp);
      return false;
    });
    return n;
  }
  [[nodiscard]] constexpr std::int64_t cp_bound(std::int64_t tp) const noexcept { return left(tp); }

  constexpr void begin_training(const deployment& base, std::int64_t batch) noexcept {
    const training& t = base.workload.train;
    order_choices = searched->orders;
    if (searched->nearest_order) order_choices.length = 0;
    if (order_choices.empty()) order_choices.push_back(searched->nearest_order ? rank_order{} : base.strategy.order);
    layout_choices = searched->layouts;
    if (layout_choices.empty()) layout_choices.push_back(search_layout::described);
    if (!base.workload.is_training()) {
      schedule_choices.push_back(t.schedule);
      sharding_choices.push_back(t.sharding);
      recompute_choices.push_back(recompute_of(t));
      micro_batch_sizes = value_set::one(0);
      return;
    }
    schedule_choices = searched->schedules;
    sharding_choices = searched->shardings;
    recompute_choices = searched->recomputes;
    if (schedule_choices.empty()) schedule_choices.push_back(t.schedule);
    if (sharding_choices.empty()) sharding_choices.push_back(t.sharding);
    if (searched->smallest_recompute) recompute_choices.length = 0;
    if (recompute_choices.empty()) recompute_choices.push_back(searched->smallest_recompute ? recompute_choice{} : recompute_of(t));
    micro_batch_sizes = value_set::one(t.micro_batch);
    if (searched->micro_batch.what == search_values::kind::listed) micro_batch_sizes = value_set::of(searched->micro_batch.list);
    if (searched->micro_batch.what == search_values::kind::free && batch > 0) micro_batch_sizes = value_set::divisors(batch, batch);
  }

  const search_space* searched;
  value_set all_tp{}, all_cp{}, all_ep{}, all_etp{}, all_dp{}, micro_batch_sizes{};
  sequence<search_layout, 6> layout_choices{};
  sequence<schedule, 9> schedule_choices{};
  sequence<sharding, 4> sharding_choices{};
  sequence<recompute_choice, search_values::most> recompute_choices{};
  sequence<rank_order, search_values::most> order_choices{};
  std::int64_t cluster_gpus = 0;   ///< 0 without a cluster
  std::int64_t available_gpus = 0; ///< to look at; the largest number without a cluster and a limit
  bool cluster_is_known = false;
  bool lists_are_legal = false; ///< every degree that is not free
};

} // namespace moeplan::detail
