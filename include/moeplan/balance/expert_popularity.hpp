#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/exponential.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/real_functions.hpp>
#include <moeplan/number/uint256.hpp>

/// @file
/// With what chance a token chooses each expert, where experts are not equally popular: from measured loads, or from a model of the
/// router. A chance times the tokens is the expected load; maximum_load.hpp has what to expect of the largest.

namespace moeplan {

/// What keeps chances from being computed.
enum class popularity_error : std::uint16_t {
  none,
  too_little_storage,
  not_a_weight,          ///< a weight or load that is negative, infinite or NaN, or weights whose sum is infinite
  weights_too_far_apart, ///< one above 0 is below 2^-900 of their sum
  too_few_experts,       ///< with a weight or load above 0, for so many choices; or choices below 1
  load_above_all,        ///< an expert with more loads than there can have been tokens
  overflowed             ///< the sum of loads does not fit
};

/// The expected load of one expert in `copies` choices, if it is chosen as often as in a measured histogram: copies x load / sum of
/// loads. Overflowed where that does not fit, and where all loads are 0. Adds up all loads: expected_loads() does so once for all experts.
/// Precondition: 0 <= i < loads.size(), no load is negative.
[[nodiscard]] constexpr ratio expected_load(array_view<const std::int64_t> loads, std::int64_t i, count copies) noexcept {
  count sum;
  for (const std::int64_t load : loads) sum += load;
  return ratio{copies} * ratio{loads[i], sum};
}

/// The expected loads of all experts, likewise; one that does not fit is overflowed by itself. Written only where the answer is `none`.
[[nodiscard]] constexpr popularity_error expected_loads(array_view<const std::int64_t> loads, count copies,
                                                        array_view<ratio> expected) noexcept {
  if (expected.size() < loads.size()) return popularity_error::too_little_storage;
  saturating_count sum;
  for (const std::int64_t load : loads) {
    if (load < 0) return popularity_error::not_a_weight;
    sum += load;
  }
  if (sum.overflowed()) return popularity_error::overflowed;
  if (sum == 0) return popularity_error::too_few_experts;
  const ratio copies_over_sum{copies, sum.value()};
  for (std::int64_t i = 0; i < loads.size(); ++i) expected[i] = copies_over_sum * ratio{loads[i]};
  return popularity_error::none;
}

/// Chances of experts by measured loads of tokens that chose top-k distinct ones each: k x load / sum of loads. More than 1 cannot come
/// from such tokens. Written only where the answer is `none`.
[[nodiscard]] constexpr popularity_error chances_of_loads(array_view<const std::int64_t> loads, std::int64_t top_k,
                                                          array_view<double> chances) noexcept {
  if (chances.size() < loads.size()) return popularity_error::too_little_storage;
  saturating_count sum;
  std::int64_t most = 0;
  for (const std::int64_t load : loads) {
    if (load < 0) return popularity_error::not_a_weight;
    sum += load;
    if (load > most) most = load;
  }
  if (sum.overflowed()) return popularity_error::overflowed;
  if (top_k < 1 || sum == 0) return popularity_error::too_few_experts;
  if (uint128{static_cast<std::uint64_t>(most)} * static_cast<std::uint64_t>(top_k) > sum.value())
    return popularity_error::load_above_all;
  const auto tokens = static_cast<double>(sum.value()) / static_cast<double>(top_k);
  for (std::int64_t i = 0; i < loads.size(); ++i) {
    chances[i] = static_cast<double>(loads[i]) / tokens;
    if (chances[i] > 1) chances[i] = 1; // by rounding
  }
  return popularity_error::none;
}

/// Zipf's law: weight i is (i + 1)^-exponent, i from 0, within a relative error of 2^-52 (1 + exponent ln(i + 1)). Exponent 0 is uniform.
constexpr void zipf_weights(double exponent, array_view<double> weights) noexcept {
  for (std::int64_t i = 0; i < weights.size(); ++i)
    weights[i] = exponential(-exponent * natural_logarithm(static_cast<double>(i + 1)));
}

/// Numbers that successive_chances needs room for, besides the chances.
[[nodiscard]] constexpr count successive_chances_storage(std::int64_t experts, std::int64_t top_k) noexcept {
  return count{experts} * (count{top_k} + 2) + top_k;
}

namespace detail {

/// Successive sampling as a race: expert i arrives after an exponential time of rate w_i, and the first k are chosen (the Gumbel top-k
/// trick, in other words). At a time t, what counts is how many others have arrived.
class arrival_race {
public:
  constexpr arrival_race(array_view<const double> weights, double sum, std::int64_t top_k, array_view<double> storage) noexcept
      : weights_{weights},
        sum_{sum},
        experts_{weights.size()},
        top_k_{top_k},
        waiting_{storage.part(0, experts_)},
        arrived_{storage.part(experts_, experts_)},
        before_{storage.part(2 * experts_, experts_ * top_k)},
        after_{storage.part((2 + top_k) * experts_, top_k)} {}

  /// Adds to each chance `width` w_i exp(-w_i t) P(fewer than k others have arrived by t), where weights add up to 1. Returns P(fewer
  /// than k have arrived by t): no chance has more than that still to come.
  constexpr double add(double t, double width, array_view<double> chances) noexcept {
    for (std::int64_t i = 0; i < experts_; ++i) {
      waiting_[i] = exponential(-(weights_[i] / sum_) * t);
      arrived_[i] = 1 - waiting_[i];
    }
    count_arrivals_before();
    for (std::int64_t n = 0; n < top_k_; ++n) after_[n] = n == 0 ? 1 : 0;
    for (std::int64_t i = experts_; i-- > 0;) {
      chances[i] += width * (weights_[i] / sum_) * waiting_[i] * fewer_than_k_others(i);
      count_one(after_, i);
    }
    double fewer_than_k = 0;
    for (const double p : after_) fewer_than_k += p;
    return fewer_than_k;
  }

private:
  /// P(n of the experts before i have arrived), for n below k.
  constexpr array_view<double> before(std::int64_t i) const noexcept { return before_.part(i * top_k_, top_k_); }

  constexpr void count_arrivals_before() noexcept {
    for (std::int64_t n = 0; n < top_k_; ++n) before(0)[n] = n == 0 ? 1 : 0;
    for (std::int64_t i = 1; i < experts_; ++i) {
      for (std::int64_t n = 0; n < top_k_; ++n) before(i)[n] = before(i - 1)[n];
      count_one(before(i), i - 1);
    }
  }

  constexpr void count_one(array_view<double> arrivals, std::int64_t i) const noexcept {
    for (std::int64_t n = top_k_; n-- > 1;) arrivals[n] = arrivals[n] * waiting_[i] + arrivals[n - 1] * arrived_[i];
    arrivals[0] *= waiting_[i];
  }

  constexpr double fewer_than_k_others(std::int64_t i) const noexcept {
    double sum = 0;
    double up_to = 0; // of the experts after i, as many as there is room for
    for (std::int64_t n = 0; n < top_k_; ++n) {
      up_to += after_[n];
      sum += before(i)[top_k_ - 1 - n] * up_to;
    }
    return sum;
  }

  array_view<const double> weights_;
  double sum_;
  std::int64_t experts_;
  std::int64_t top_k_;
  array_view<double> waiting_;
  array_view<double> arrived_;
  array_view<double> before_;
  array_view<double> after_;
};

} // namespace detail

/// Chances of experts in successive sampling: a token draws top-k experts one after the other, each with probability proportional to its
/// weight among those not drawn yet. So does a router that takes the top-k of ln(weight) plus independent standard Gumbel noise.
///
/// P(i is drawn) = integral over t from 0 of w_i exp(-w_i t) P(fewer than k others have arrived by t), by the trapezoidal rule after
/// the double-exponential substitution t = exp(u - exp(-u)), with weights that add up to 1. Each chance agrees with the sum over all
/// draws within a relative error of 1e-12. Takes about 400 x experts x top-k steps, a millisecond for 256 experts and top-k 8; more if
/// weights differ by many orders of magnitude.
/// Storage: successive_chances_storage() numbers. Chances are written only where the answer is `none`.
[[nodiscard]] constexpr popularity_error successive_chances(array_view<const double> weights, std::int64_t top_k,
                                                            array_view<double> chances, array_view<double> storage) noexcept {
  if (top_k < 1) return popularity_error::too_few_experts;
  const count needed = successive_chances_storage(weights.size(), top_k);
  if (chances.size() < weights.size() || count{storage.size()} < needed) return popularity_error::too_little_storage;
  constexpr double largest_double = 0x1.fffffffffffffp1023;
  double sum = 0;
  std::int64_t positive = 0;
  for (const double w : weights) {
    if (!(w >= 0 && w <= largest_double - sum)) return popularity_error::not_a_weight;
    sum += w;
    if (w > 0) ++positive;
  }
  if (positive < top_k) return popularity_error::too_few_experts;
  for (const double w : weights)
    if (w > 0 && w / sum < 0x1p-900) return popularity_error::weights_too_far_apart;
  for (std::int64_t i = 0; i < weights.size(); ++i) chances[i] = 0;
  detail::arrival_race race{weights, sum, top_k, storage};
  constexpr double step = 0x1p-3;
  for (double u = -4, to_come = 1; to_come > 0x1p-60; u += step) {
    const double shrunk = exponential(-u);
    const double t = exponential(u - shrunk);
    to_come = race.add(t, step * t * (1 + shrunk), chances);
  }
  for (std::int64_t i = 0; i < weights.size(); ++i)
    if (chances[i] > 1) chances[i] = 1; // by rounding
  return popularity_error::none;
}

} // namespace moeplan
