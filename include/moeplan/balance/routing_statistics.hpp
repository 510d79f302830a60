#pragma once

#include <cstdint>

#include <moeplan/describe/experts.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/number/real_functions.hpp>

/// @file
/// How uneven loads are by chance alone, where the router prefers no expert and where it does: what a measured imbalance has to be compared
/// with.

namespace moeplan {

/// Mean and variance of a load, in copies of tokens and their square.
struct load_moments {
  ratio mean{};
  ratio variance{};

  /// Variance over squared mean. Overflowed where the mean is 0.
  [[nodiscard]] constexpr ratio squared_coefficient_of_variation() const noexcept { return variance / mean / mean; }

  /// Standard deviation over mean, within a relative error of 2^-50. Infinity where its square is overflowed.
  [[nodiscard]] constexpr double coefficient_of_variation() const noexcept {
    return square_root(squared_coefficient_of_variation().to_double());
  }

  friend constexpr bool operator==(const load_moments&, const load_moments&) noexcept = default;
};

/// The load of one expert, or of a rank that holds `held` of them, if each of `tokens` tokens chooses top-k distinct experts and every
/// choice of them is equally likely: mean T k s / E, variance T k s (E - s) (E - k) / (E^2 (E - 1)).
///
/// One expert's load is binomial, of variance T (k/E) (1 - k/E). A rank's is a sum of hypergeometric numbers: its experts compete for
/// the same k choices, so that it is more even than s independent experts would be. What does not fit is overflowed.
/// Precondition: 1 <= top_k <= experts, 0 <= held <= experts, tokens >= 0.
[[nodiscard]] constexpr load_moments uniform_load(const experts& e, std::int64_t tokens, std::int64_t held = 1) noexcept {
  const ratio mean = ratio{tokens} * ratio{e.top_k, e.routed} * ratio{held};
  if (e.routed == 1) return {mean, ratio{0}};
  return {mean, mean * ratio{e.routed - held, e.routed} * ratio{e.routed - e.top_k, e.routed - 1}};
}

/// The load of an expert that each of `tokens` tokens chooses with this chance, independently of the other tokens: binomial, of mean T p
/// and variance T p (1 - p). What else a token chooses makes no difference; expert_popularity.hpp has chances. Overflowed where it does not
/// fit, where the chance is above 1 and where tokens are below 0.
///
/// Of a rank that holds several experts of unequal popularity, the mean is the sum of theirs; the variance is not offered, since it depends
/// on how often a token chooses two of them together, which chances do not tell.
[[nodiscard]] constexpr load_moments binomial_load(ratio chance, std::int64_t tokens) noexcept {
  const ratio other = ratio{1} - chance;
  if (other.overflowed()) return {other, other};
  const ratio mean = ratio{tokens} * chance;
  return {mean, mean * other};
}

/// Mean and variance of a load whose chance is known in double precision, in copies of tokens and their square.
struct real_load_moments {
  double mean = 0;
  double variance = 0;

  [[nodiscard]] constexpr double standard_deviation() const noexcept { return square_root(variance); }

  /// Standard deviation over mean. NaN where the mean is 0.
  [[nodiscard]] constexpr double coefficient_of_variation() const noexcept {
    return mean == 0 ? __builtin_nan("") : standard_deviation() / mean;
  }

  friend constexpr bool operator==(const real_load_moments&, const real_load_moments&) noexcept = default;
};

/// Likewise, each with a relative error below 2^-50. Both are NaN where the chance is not in 0 to 1 and where tokens are below 0.
[[nodiscard]] constexpr real_load_moments binomial_load(double chance, std::int64_t tokens) noexcept {
  if (!(chance >= 0 && chance <= 1) || tokens < 0) return {__builtin_nan(""), __builtin_nan("")};
  const double mean = static_cast<double>(tokens) * chance;
  return {mean, mean * (1 - chance)};
}

} // namespace moeplan
