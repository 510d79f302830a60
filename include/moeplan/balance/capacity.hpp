#pragma once

#include <cstdint>

#include <moeplan/describe/experts.hpp>
#include <moeplan/describe/training.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/uint256.hpp>
#include <moeplan/number/wide_ratio.hpp>

/// @file
/// Expert capacity: how many copies of tokens an expert takes, and what a load makes of it.

namespace moeplan {

/// How a capacity is computed from tokens T, experts E, top-k k and capacity factor f. The frameworks use floating point, and some of
/// them round down or leave top-k out: T = 100, E = 1, k = 1, f = 1.1 is 110 exactly, 111 in Megatron-LM, 110 in DeepSpeed.
enum class capacity_rule : std::uint16_t {
  exact,          ///< ceil(T k f / E)
  megatron,       ///< ceil(T k / E x f) in double: Megatron-LM moe_utils.py get_capacity
  deepspeed,      ///< ceil(T / E x (f k)), T / E and f k in double, their product in float: DeepSpeed sharded_moe.py _capacity
  maxtext,        ///< floor(max(ceil(T k / E) x f, f)) in double: MaxText moe.py generate_masks
  mesh_tensorflow ///< min(T, floor(T f / E)) in double, without k: Mesh TensorFlow moe.py, as in Switch Transformer (arXiv 2101.03961)
};

namespace detail {

/// Up to here every integer is a double.
inline constexpr std::uint64_t exact_doubles = std::uint64_t{1} << 53;

[[nodiscard]] constexpr bool is_exact_double(saturating_count n) noexcept { return !n.overflowed() && n.value() <= exact_doubles; }

/// What does not fit overflows. Precondition: x is at least 0.
[[nodiscard]] constexpr saturating_count rounded_down(double x) noexcept {
  return x < 0x1p63 ? saturating_count{static_cast<std::uint64_t>(x)} : saturating_count{0} - 1;
}
[[nodiscard]] constexpr saturating_count rounded_up(double x) noexcept {
  const saturating_count below = rounded_down(x);
  return !below.overflowed() && static_cast<double>(below.value()) < x ? below + 1 : below;
}

[[nodiscard]] constexpr saturating_count exact_capacity(const experts& e, const ratio& factor, saturating_count tokens) noexcept {
  const saturating_count copies = tokens * e.top_k * factor.numerator.value();
  const saturating_count shares = saturating_count{e.routed} * factor.denominator.value();
  return (copies + shares - 1) / shares;
}

/// Precondition: all numbers are exact doubles.
[[nodiscard]] constexpr saturating_count floating_capacity(const experts& e, double factor, saturating_count tokens,
                                                           capacity_rule rule) noexcept {
  const auto experts = static_cast<double>(e.routed);
  const auto all = static_cast<double>(tokens.value());
  const auto copies = static_cast<double>((tokens * e.top_k).value());
  if (rule == capacity_rule::megatron) return rounded_up(copies / experts * factor);
  if (rule == capacity_rule::deepspeed) {
    const auto share = static_cast<float>(all / experts);
    return rounded_up(share * static_cast<float>(factor * static_cast<double>(e.top_k)));
  }
  if (rule == capacity_rule::maxtext) {
    const auto share = static_cast<double>(rounded_up(copies / experts).value());
    return rounded_down(share < 1 ? factor : share * factor);
  }
  const saturating_count share = rounded_down(all * factor / experts);
  return share < tokens ? share : tokens;
}

} // namespace detail

/// Copies of tokens that one expert takes from the rank that has these `tokens` (MaxText: from a sequence; Mesh TensorFlow: from a
/// group of tokens), and at least `minimum` (DeepSpeed: min_capacity).
/// Overflowed where it does not fit; the floating-point rules also above 2^53 copies and where a term of the factor is larger.
/// Precondition: there are experts, and a capacity factor above 0 (0 says that there is no capacity); minimum is at least 0.
[[nodiscard]] constexpr saturating_count expert_capacity(const experts& e, const routing& r, saturating_count tokens,
                                                         capacity_rule rule = capacity_rule::exact,
                                                         std::int64_t minimum = 0) noexcept {
  const ratio& factor = r.capacity_factor;
  saturating_count capacity;
  if (rule == capacity_rule::exact) {
    capacity = detail::exact_capacity(e, factor, tokens);
  } else {
    const bool exact = detail::is_exact_double(tokens * e.top_k) && detail::is_exact_double(factor.numerator.value()) &&
                       detail::is_exact_double(factor.denominator.value()) && detail::is_exact_double(e.routed);
    if (!exact) return saturating_count{0} - 1;
    capacity = detail::floating_capacity(e, factor.to_double(), tokens, rule);
  }
  return capacity < saturating_count{minimum} ? saturating_count{minimum} : capacity;
}

/// What becomes of the copies of tokens that experts were chosen for, where each expert takes no more than its capacity.
struct capacity_outcome {
  count kept;    ///< copies
  count dropped; ///< copies
  count empty;   ///< slots that no copy fills: zeros that are computed with, where experts are padded to their capacity

  /// Of all copies; 0 where there are none.
  [[nodiscard]] constexpr ratio dropped_share() const noexcept {
    const count all = kept + dropped;
    return all == 0 ? ratio{0} : ratio{dropped, all};
  }

  /// Of all slots; 0 where there are none.
  [[nodiscard]] constexpr ratio empty_share() const noexcept {
    const count all = kept + empty;
    return all == 0 ? ratio{0} : ratio{empty, all};
  }

  friend constexpr bool operator==(const capacity_outcome&, const capacity_outcome&) noexcept = default;
};

/// Sums over experts of min(load, C), max(0, load - C) and max(0, C - load). A capacity holds for the tokens of one rank, so that
/// loads are the choices of one rank's tokens. A sum that does not fit overflows. Precondition: no load is negative.
[[nodiscard]] constexpr capacity_outcome under_capacity(array_view<const std::int64_t> loads, count capacity) noexcept {
  capacity_outcome sum;
  for (const std::int64_t load : loads) {
    const count chosen = load;
    const count kept = chosen < capacity ? chosen : capacity;
    sum.kept += kept;
    sum.dropped += chosen - kept;
    sum.empty += capacity - kept;
  }
  return sum;
}

namespace detail {

/// Sum of max(0, load - capacity).
[[nodiscard]] constexpr uint128 copies_above(array_view<const std::int64_t> loads, std::int64_t capacity) noexcept {
  uint128 sum = 0;
  for (const std::int64_t load : loads)
    if (load > capacity) sum += static_cast<std::uint64_t>(load - capacity);
  return sum;
}

} // namespace detail

/// A capacity and the factors that give it, under capacity_rule::exact.
struct least_capacity {
  count capacity;
  ratio factor; ///< gives the capacity without rounding
  ratio above;  ///< every factor above this one, up to `factor`, gives the capacity too; this one gives one less

  friend constexpr bool operator==(const least_capacity&, const least_capacity&) noexcept = default;
};

/// The smallest capacity that drops at most this share of all copies, which depends on the loads alone.
///
/// Where it is 0 (there are no copies, or a share of 1 may go) so is the factor, which `routing` reads as no limit at all.
/// Sums take 128 bits, so that the capacity fits whatever the loads are; a factor whose lowest terms do not fit into 64 bits is overflowed.
/// All members are where `most_dropped` is. Takes 63 passes over the loads at most. Precondition: no load is negative.
[[nodiscard]] constexpr least_capacity capacity_that_drops(array_view<const std::int64_t> loads, ratio most_dropped) noexcept {
  if (most_dropped.overflowed()) return {count{count::top}, most_dropped, most_dropped};
  uint128 sum = 0;
  std::int64_t most = 0;
  for (const std::int64_t load : loads) {
    sum += static_cast<std::uint64_t>(load);
    if (load > most) most = load;
  }
  if (sum == 0) return {};
  const uint256 droppable = uint256::product(sum, most_dropped.numerator.value());
  std::int64_t least = 0;
  while (least < most) { // `most` always suffices.
    const std::int64_t middle = least + (most - least) / 2;
    if (uint256::product(detail::copies_above(loads, middle), most_dropped.denominator.value()) <= droppable)
      most = middle;
    else
      least = middle + 1;
  }
  const auto factor = [&](std::int64_t capacity) {
    return wide_ratio{uint256::product(static_cast<uint128>(capacity), static_cast<uint128>(loads.size())), sum}.to_ratio();
  };
  return {least, factor(least), least == 0 ? ratio{0} : factor(least - 1)};
}

/// Part of the choices of tokens that evenly loaded experts have room for: 1, but where the capacity factor is below it.
[[nodiscard]] constexpr double kept_choices(const routing& r) noexcept {
  const bool drops = r.capacity_factor.numerator > 0 && r.capacity_factor < ratio{1};
  return drops ? r.capacity_factor.to_double() : 1;
}

} // namespace moeplan
