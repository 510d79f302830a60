#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/number/interval.hpp>
#include <moeplan/number/sequence.hpp>
#include <moeplan/verify/check.hpp>
#include <moeplan/verify/claim.hpp>
#include <moeplan/verify/claim_deployment.hpp>

/// @file
/// What a formula for a quantity of claims is, and the arithmetic of all there are. Which is for which quantity: claim_formulas.hpp.

namespace moeplan {

/// The numbers that a claim is computed from, as intervals in base units.
struct claim_operands {
  const claim& of;
  byte_reading reading = byte_reading::decimal;
  bool rounded = false; ///< what is not exact can be half a unit of its last digit off; else all is as printed

  /// Precondition: given.
  [[nodiscard]] constexpr interval operator[](claim_input name) const noexcept {
    const printed_value& v = of.inputs[name];
    return rounded && !entry(name).exact ? rounded_value(v, reading) : exact_value(v, reading);
  }

  /// 1 where it is not given: a degree of which nobody speaks.
  [[nodiscard]] constexpr interval or_one(claim_input name) const noexcept {
    return of.inputs.gives(name) ? (*this)[name] : interval{1};
  }
};

/// What a formula takes.
using needed_inputs = sequence<claim_input, 5>;

/// One way to compute a quantity. In its texts {name} is the input of that name; what is in brackets stands only where that is given.
struct claim_formula {
  claim_quantity quantity{};
  needed_inputs needs{};
  const char* words = ""; ///< empty: the one input itself
  interval (*value)(const claim_operands&) = nullptr;
  const char* at_low = "";                                ///< where the inputs leave the value open: what its low end assumes
  const char* at_high = "";                               ///< and its high end
  bool suffices = true;                                   ///< false: these inputs would be needed, and still more
  bool is_bound_above = true;                             ///< false: the high end is what there is, and more can be needed
  interval (*shortfall)(const claim_operands&) = nullptr; ///< how far below zero it lies, where it can; `value` is what does not
  interval (*most)(const claim_operands&) = nullptr;      ///< where the high end is no bound: what is one, if anything

  [[nodiscard]] constexpr bool takes(claim_input name) const noexcept {
    for (const claim_input needed : needs)
      if (needed == name) return true;
    return false;
  }
};

/// Whether nothing is wrong, unless it is that DP has to follow from GPUs of which it is not known how many there are: that is open, and no
/// fault of the strategy.
[[nodiscard]] constexpr bool is_legal_on_some_gpus(const findings& found) noexcept {
  for (const finding f : found)
    if (f.level() == severity::error && f.id() != rule::dp_can_be_derived) return false;
  return true;
}

namespace formulas {

using in = claim_input;

template <class... Inputs>
[[nodiscard]] constexpr needed_inputs needs(Inputs... names) noexcept {
  needed_inputs all;
  (all.push_back(names), ...);
  return all;
}

/// A result that there is none.
[[nodiscard]] constexpr interval none() noexcept { return wide_ratio{uint256::top()}; }

[[nodiscard]] constexpr interval not_from_these_alone(const claim_operands&) noexcept { return none(); }

template <in A, in B>
[[nodiscard]] constexpr interval product(const claim_operands& o) noexcept {
  return o[A] * o[B];
}

template <in A, in B>
[[nodiscard]] constexpr interval quotient(const claim_operands& o) noexcept {
  return o[A] / o[B];
}

template <in A>
[[nodiscard]] constexpr interval itself(const claim_operands& o) noexcept {
  return o[A];
}

[[nodiscard]] constexpr interval folded_gpus(const claim_operands& o) noexcept {
  return o[in::tp_size] * o.or_one(in::cp_size) * o[in::dp_size] * o[in::pp_size];
}
[[nodiscard]] constexpr interval product_gpus(const claim_operands& o) noexcept {
  return o[in::tp_size] * o.or_one(in::cp_size) * o[in::ep_size] * o.or_one(in::sp_size) * o[in::dp_size] * o[in::pp_size];
}
[[nodiscard]] constexpr interval product_over_capacity(const claim_operands& o) noexcept { return product_gpus(o) / o[in::gpus]; }

/// Whether the degrees and sizes that are given are single whole numbers, so that rules can be about them.
[[nodiscard]] constexpr bool has_whole_counts(const claim_inputs& given) noexcept {
  for (const claim_inputs::item& i : given.items) {
    const bool is_count = entry(i.name).exact && entry(i.name).dimension == dimension::number;
    if (is_count && i.name != in::bytes_per_parameter && !integer_in(given, i.name).given) return false;
  }
  return true;
}

/// Whether it is not known how many GPUs there are, and a rule is broken whatever their number is.
[[nodiscard]] constexpr bool breaks_rules_on_any_gpus(const claim_inputs& given) noexcept {
  if (given.gives(in::gpus) || !has_whole_counts(given)) return false;
  return !is_legal_on_some_gpus(check(deployment_described_by(given)));
}

[[nodiscard]] constexpr interval is_deployable(const claim_operands& o) noexcept {
  if (!has_whole_counts(o.of.inputs)) return none();
  const findings found = check(deployment_described_by(o.of.inputs));
  return interval{found.ok() && !weights_outgrow(o.of.inputs, found.facts.gpus, o.reading) ? 1 : 0};
}

[[nodiscard]] constexpr interval modules_on_a_gpu(const claim_operands& o) noexcept {
  return o[in::layers] * o[in::experts] / o[in::gpus];
}
[[nodiscard]] constexpr interval modules_by_degrees(const claim_operands& o) noexcept {
  return o[in::layers] * o[in::experts] / (o[in::pp_size] * o[in::ep_size]);
}
[[nodiscard]] constexpr interval share_of_a_gpu(const claim_operands& o) noexcept { return interval{1} / o[in::gpus]; }
[[nodiscard]] constexpr interval share_by_degrees(const claim_operands& o) noexcept {
  return interval{1} / (o[in::pp_size] * o[in::ep_size]);
}

/// Items dealt out one by one: r of the p parts get one more than the others, and the variance is r/p x (1 - r/p).
[[nodiscard]] constexpr interval variance(const claim_operands& o) noexcept {
  const optional_integer items = integer_in(o.of.inputs, in::items);
  const optional_integer parts = integer_in(o.of.inputs, in::parts);
  if (!items.given || parts.number < 1) return none();
  const uint256 p{parts.number};
  const uint256 more{items.number % parts.number};
  return wide_ratio{more * (p - more), p * p}.lowest_terms();
}

[[nodiscard]] constexpr interval micro_batches(const claim_operands& o) noexcept {
  return o[in::global_batch] / (o[in::micro_batch] * o[in::dp_size]);
}

[[nodiscard]] constexpr interval weights(const claim_operands& o) noexcept {
  return o[in::parameters] * o[in::bytes_per_parameter];
}
[[nodiscard]] constexpr interval weights_cut(const claim_operands& o) noexcept { return weights(o) / o[in::ways]; }
[[nodiscard]] constexpr interval weights_of_a_layer(const claim_operands& o) noexcept { return weights(o) / o[in::layers]; }

/// Between two ways to spread the weights.
[[nodiscard]] constexpr interval weights_between(const claim_operands& o, const interval& most_ways,
                                                 const interval& fewest) noexcept {
  const interval low = weights(o) / most_ways;
  const interval high = weights(o) / fewest;
  return low.overflowed() || high.overflowed() || high.high < low.low ? none() : interval{low.low, high.high};
}
[[nodiscard]] constexpr interval weights_by_degrees(const claim_operands& o) noexcept {
  return weights_between(o, o[in::gpus], o[in::tp_size] * o[in::pp_size]);
}
[[nodiscard]] constexpr interval weights_by_gpus(const claim_operands& o) noexcept {
  return weights_between(o, o[in::gpus], interval{1});
}

/// From an even share of all that is to be stored, up to what a GPU can hold.
[[nodiscard]] constexpr interval what_fits(const claim_operands& o) noexcept {
  const interval least = weights(o) / o[in::gpus];
  const interval most = o[in::capacity];
  if (least.overflowed() || most.overflowed()) return none();
  return {least.low, most.high < least.high ? least.high : most.high};
}

[[nodiscard]] constexpr interval share_that_fits(const claim_operands& o) noexcept {
  const interval least = weights(o) / (o[in::gpus] * o[in::capacity]);
  const wide_ratio all{1};
  return least.overflowed() ? none() : interval{least.low, all < least.high ? least.high : all};
}

[[nodiscard]] constexpr interval gpus_for_weights(const claim_operands& o) noexcept {
  return (weights(o) / o[in::capacity]).rounded_up();
}
[[nodiscard]] constexpr interval gpus_for_memory(const claim_operands& o) noexcept {
  return (o[in::used_memory] / o[in::capacity]).rounded_up();
}

[[nodiscard]] constexpr interval sum_of_memory(const claim_operands& o) noexcept {
  return o[in::parameter_memory] + o[in::gradient_memory] + o[in::optimizer_memory] + o[in::activation_memory];
}
[[nodiscard]] constexpr interval left_by_share(const claim_operands& o) noexcept {
  return o[in::capacity] * (interval{1} - o[in::utilisation]);
}
[[nodiscard]] constexpr interval left_by_use(const claim_operands& o) noexcept { return o[in::capacity] - o[in::used_memory]; }
[[nodiscard]] constexpr interval beyond_capacity_by_share(const claim_operands& o) noexcept {
  return o[in::capacity] * (o[in::utilisation] - interval{1});
}
[[nodiscard]] constexpr interval beyond_capacity_by_use(const claim_operands& o) noexcept {
  return o[in::used_memory] - o[in::capacity];
}
[[nodiscard]] constexpr interval use_of_cluster(const claim_operands& o) noexcept {
  return o[in::used_memory] / (o[in::gpus] * o[in::capacity]);
}

/// From nothing saved up to the layers' even share.
[[nodiscard]] constexpr interval saving(const claim_operands& o) noexcept {
  const interval share = o[in::recomputed_layers] / o[in::layers];
  return share.overflowed() ? none() : interval{wide_ratio{}, share.high};
}

/// Little's law: what is in flight is the rate times how long each takes.
[[nodiscard]] constexpr interval in_flight(const claim_operands& o) noexcept { return o[in::throughput] * o[in::latency]; }

[[nodiscard]] constexpr interval passing_all_layers(const claim_operands& o) noexcept {
  return o[in::batch] / (o[in::layers] * o[in::layer_latency]);
}
[[nodiscard]] constexpr interval time_in_a_layer(const claim_operands& o) noexcept {
  return o[in::batch] / (o[in::throughput] * o[in::layers]);
}

/// A sample has a whole number of tokens, and at least one: as many as the claim itself makes of it, if that is a whole number as both are
/// printed. Else it is open how many there are, as it is of ranges and limits.
[[nodiscard]] constexpr interval tokens_of_a_sample(const claim_operands& o) noexcept {
  const interval each = exact_value(o.of.claimed) / exact_value(o.of.inputs[in::samples]);
  const bool is_limit = o.of.relation != claim_relation::equals && o.of.relation != claim_relation::differs;
  if (is_limit || each.overflowed() || !each.is_point()) return none();
  if (each.low < wide_ratio{1}) return interval{1};
  return each.low.lowest_terms().denominator == uint256{1} ? each : none();
}
[[nodiscard]] constexpr interval whole_tokens(const claim_operands& o) noexcept { return o[in::samples] * tokens_of_a_sample(o); }

/// Idle share of a step of 1F1B: (p - 1) / (m v + p - 1). It grows with p and shrinks with m v, so each end has its own.
[[nodiscard]] constexpr interval bubble(const claim_operands& o) noexcept {
  const interval others = o[in::pp_size] - interval{1};
  const interval busy = o[in::micro_batches] * o.or_one(in::vpp_size);
  const auto share = [](const interval& idle, const interval& work) { return idle / (work + idle); };
  const interval low = share(interval{others.low}, interval{busy.high});
  const interval high = share(interval{others.high}, interval{busy.low});
  return low.overflowed() || high.overflowed() ? none() : interval{low.low, high.high};
}

/// From nothing up to what the bubble leaves.
[[nodiscard]] constexpr interval outside_the_bubble(const claim_operands& o) noexcept {
  const interval busy = interval{1} - bubble(o);
  return busy.overflowed() ? none() : interval{wide_ratio{}, busy.high};
}

[[nodiscard]] constexpr interval scaling(const claim_operands& o) noexcept {
  return o[in::throughput] * o[in::base_gpus] / (o[in::base_throughput] * o[in::gpus]);
}

} // namespace formulas

} // namespace moeplan
