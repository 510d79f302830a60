#pragma once

#include <cstdint>

#include <moeplan/describe/experts.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/real_functions.hpp>

/// @file
/// The expected load of the busiest expert, or rank: bounds and an estimate for any number of tokens, and for experts of unequal popularity.

namespace moeplan {

/// In copies of tokens. All three are NaN where a precondition does not hold.
struct maximum_load {
  double at_least = 0; ///< a lower bound of the expected maximum
  double expected = 0; ///< an estimate of it
  double at_most = 0;  ///< an upper bound of it

  friend constexpr bool operator==(const maximum_load&, const maximum_load&) noexcept = default;
};

/// The load of one expert that each of `trials` tokens chooses with the same chance: binomial. Walked upward once, load by load.
class binomial_walk {
public:
  constexpr binomial_walk() noexcept = default;

  /// Precondition: 0 <= trials < 2^53, 0 <= chance <= 1.
  constexpr binomial_walk(std::int64_t trials, double chance) noexcept : trials_{trials} {
    if (chance <= 0 || chance >= 1) { // Only one load is possible.
      load_ = chance >= 1 ? trials : 0;
      return;
    }
    odds_ = chance / (1 - chance);
    // Down from a most likely load to where nothing counts any more, and up again, so that neither factorials nor powers are needed.
    load_ = static_cast<std::int64_t>(static_cast<double>(trials) * chance);
    while (load_ > 0 && mass_ > negligible) {
      mass_ = mass_ * static_cast<double>(load_) / (static_cast<double>(trials_ - load_ + 1) * odds_);
      --load_;
    }
    binomial_walk ahead = *this;
    while (!ahead.is_over()) ahead.step();
    mass_ /= ahead.below_;
  }

  /// Every smaller load has no probability that counts.
  [[nodiscard]] constexpr std::int64_t least() const noexcept { return load_; }

  /// No larger load has a probability that counts.
  [[nodiscard]] constexpr bool is_over() const noexcept {
    return load_ > trials_ ||
           (mass_ <= negligible && static_cast<double>(load_) > static_cast<double>(trials_) * odds_ / (1 + odds_));
  }

  /// P(load <= limit). Precondition: no smaller limit than in the call before.
  constexpr double at_most(std::int64_t limit) noexcept {
    while (load_ <= limit && !is_over()) step();
    return is_over() || below_ > 1 ? 1 : below_;
  }

private:
  static constexpr double negligible = 0x1p-80; // of the largest

  constexpr void step() noexcept {
    below_ += mass_;
    mass_ = mass_ * static_cast<double>(trials_ - load_) / static_cast<double>(load_ + 1) * odds_;
    ++load_;
  }

  std::int64_t trials_ = 0;
  double odds_ = 0;
  std::int64_t load_ = 0; ///< the next one
  double mass_ = 1;       ///< its probability; while walking downward, that over the largest
  double below_ = 0;      ///< P(smaller loads)
};

namespace detail {

[[nodiscard]] constexpr double integer_power(double base, std::int64_t exponent) noexcept {
  double power = 1;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 != 0) power *= base;
    base *= base;
  }
  return power;
}

/// Sums over c >= 0 of what bounds or estimates P(maximum > c), for walks that each stand for `alike` experts.
struct maximum_sums {
  double independent = 0; ///< of 1 - product of P(load <= c)
  double at_least = 0;    ///< the same, but 1 below `reached`, since some load is that large
  double at_most = 0;     ///< of min(1, sum of P(load > c)), which is 1 there too
};
[[nodiscard]] constexpr maximum_sums sums_of_walks(array_view<binomial_walk> walks, std::int64_t alike,
                                                   std::int64_t reached) noexcept {
  std::int64_t c = 0;
  for (const binomial_walk& walk : walks)
    if (walk.least() > c) c = walk.least();
  const auto certain = static_cast<double>(c);
  maximum_sums sums{certain, certain, certain};
  for (bool over = false; !over; ++c) {
    over = true;
    double none_above = 1;
    double above = 0;
    for (binomial_walk& walk : walks) {
      const double at_most = walk.at_most(c);
      none_above *= integer_power(at_most, alike);
      above += (1 - at_most) * static_cast<double>(alike);
      over = over && walk.is_over();
    }
    sums.independent += 1 - none_above;
    sums.at_least += c < reached ? 1 : 1 - none_above;
    sums.at_most += c < reached || above > 1 ? 1 : above;
  }
  return sums;
}

[[nodiscard]] constexpr maximum_load no_maximum_load() noexcept {
  return {__builtin_nan(""), __builtin_nan(""), __builtin_nan("")};
}

inline constexpr std::int64_t most_binomial_trials = std::int64_t{1} << 53;

} // namespace detail

/// Of uniform routing: each token chooses top-k distinct experts, and every choice of them is equally likely. Of experts, or of ranks that
/// hold `held` of them each.
///
/// One expert's load is binomial, and loads are negatively associated (Joag-Dev and Proschan, Annals of Statistics 11, 1983), so that
/// experts with independent loads have the smaller maximum: `at_least`. What is `at_most` follows from P(maximum > c) <= sum of
/// P(load > c). No maximum is below the mean rounded up, which both take into account.
///
/// A rank of s experts takes a hypergeometric number of a token's copies, of mean m = k s / E. That varies at least as much, in the convex
/// order, as floor(m) or one more does, and at most as much as min(k, s) independent copies of chance max(k, s) / E each (Hoeffding, J. Am.
/// Stat. Assoc. 58, 1963, theorem 4): both are binomial loads, with which the bounds hold. They are as for one expert where k or s is 1;
/// where m is an integer, `at_least` is no more than the mean.
///
/// `expected` makes up for the correlation of -1 / (R - 1) between the loads of R experts or ranks, and for what the variance of the
/// binomial load is too large: the excess of its independent maximum over the mean, times sqrt(R / (R - 1)) and the quotient of standard
/// deviations, which would be exact for normal loads; kept within the bounds. Against exact values for experts (expected_maximum.hpp; up
/// to 10 experts and 64 tokens) it is off by at most 4.5 %, 2 % where the mean load is at least 2 and 1 % where it is at least 4.
/// For ranks of 2 to 64 of 8 to 256 experts and mean loads of 8 and 64 it is within 1 % of simulations; of exact values for up to 6 experts
/// it is off by at most 8 %, 1 % from 8 tokens on.
///
/// Time grows with the standard deviation of a load: some 60 steps for each copy of it.
/// Precondition: 1 <= top_k <= experts, 0 <= tokens < 2^53 / top_k, and held >= 1 divides the experts.
[[nodiscard]] constexpr maximum_load maximum_uniform_load(const experts& e, std::int64_t tokens, std::int64_t held = 1) noexcept {
  if (e.top_k < 1 || e.top_k > e.routed || tokens < 0 || tokens >= detail::most_binomial_trials / e.top_k)
    return detail::no_maximum_load();
  if (held < 1 || e.routed % held != 0) return detail::no_maximum_load();
  const std::int64_t ranks = e.routed / held;
  const std::int64_t copies = tokens * e.top_k;
  const double mean = static_cast<double>(copies) / static_cast<double>(ranks);
  if (e.routed == e.top_k || ranks == 1) return {mean, mean, mean};
  const std::int64_t reached = copies / ranks + (copies % ranks > 0 ? 1 : 0);
  const std::int64_t fewer = e.top_k < held ? e.top_k : held;
  const std::int64_t more = e.top_k < held ? held : e.top_k;
  const auto experts = static_cast<double>(e.routed);
  binomial_walk widest[] = {{tokens * fewer, static_cast<double>(more) / experts}};
  const detail::maximum_sums most = detail::sums_of_walks(widest, ranks, reached);
  double at_least = most.at_least;
  if (fewer > 1) {
    const std::int64_t certain = tokens * (e.top_k / ranks);
    binomial_walk narrowest[] = {{tokens, static_cast<double>(e.top_k % ranks) / static_cast<double>(ranks)}};
    at_least = static_cast<double>(certain) + detail::sums_of_walks(narrowest, ranks, reached - certain).at_least;
  }
  const double narrower = (experts - static_cast<double>(fewer)) / (experts - 1); // variance of the load, over that of `widest`
  const double correlated = static_cast<double>(ranks) / static_cast<double>(ranks - 1);
  double expected = mean + (most.independent - mean) * square_root(narrower * correlated);
  if (expected < at_least) expected = at_least;
  if (expected > most.at_most) expected = most.at_most;
  return {at_least, expected, most.at_most};
}

/// Of experts that a token chooses with these chances (expert_popularity.hpp), whatever decides between them, and tokens that choose
/// independently.
///
/// `at_least` is the largest mean load, and `at_most` as for uniform routing: both hold for every joint distribution with these
/// chances. `expected` is the expected maximum of independent loads. Of popularities by Zipf's law with exponents from 0 to 1.5, for 64
/// and 256 experts, top-k 1 and 8 and mean loads of 4 and 16, it is within 1.5 % of simulations; of exact values for up to 4 experts
/// and at least 8 tokens within 8 %, since few experts' loads are far from independent. Ranks that hold several experts of unequal
/// popularity are not offered: how their loads vary depends on the joint distribution.
///
/// Precondition: chances in 0 to 1 and of at least one expert; 0 <= tokens < 2^53; storage for as many walks as there are chances.
[[nodiscard]] constexpr maximum_load maximum_popular_load(array_view<const double> chances, std::int64_t tokens,
                                                          array_view<binomial_walk> storage) noexcept {
  if (chances.size() < 1 || storage.size() < chances.size() || tokens < 0 || tokens >= detail::most_binomial_trials)
    return detail::no_maximum_load();
  double largest = 0;
  for (std::int64_t i = 0; i < chances.size(); ++i) {
    if (!(chances[i] >= 0 && chances[i] <= 1)) return detail::no_maximum_load();
    if (chances[i] > largest) largest = chances[i];
    storage[i] = binomial_walk{tokens, chances[i]};
  }
  const detail::maximum_sums sums = detail::sums_of_walks(storage.part(0, chances.size()), 1, 0);
  return {largest * static_cast<double>(tokens), sums.independent, sums.at_most};
}

} // namespace moeplan
