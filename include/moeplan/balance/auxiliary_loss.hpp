#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>
#include <moeplan/number/compensated_sum.hpp>

/// @file
/// The losses that training adds to keep experts evenly loaded.

namespace moeplan {

/// What one MoE layer's router did with some tokens: a micro-batch, a global batch, or one sequence.
struct routing_totals {
  array_view<const std::int64_t> tokens_of_expert;  ///< for each expert, the tokens sent to it
  array_view<const double> probabilities_of_expert; ///< for each expert, the sum over the tokens of the router's probability for it
  std::int64_t tokens = 1;
  std::int64_t experts_per_token = 1; ///< k
};

/// coefficient x E x sum over experts of f_i P_i, with f_i = tokens of expert i / (k x tokens) and P_i the mean probability of expert i.
/// Without unit. Uniform routing gives the coefficient; everything on the same k experts, with probabilities 1/k, gives coefficient x E / k.
/// Where P equals f it is coefficient x (1 + squared coefficient of variation of the tokens of experts).
///
/// Source: Switch Transformer (arXiv 2101.03961, equations 4 to 6; k = 1), Megatron-LM moe_utils.py switch_load_balancing_loss_func. The
/// same totals over one sequence, with affinities normalised to 1 for each token as probabilities, give DeepSeek-V3's sequence-wise loss
/// (arXiv 2412.19437 equations 17 to 20), which puts E into f_i.
/// Precondition: as many probabilities as experts, tokens >= 1, experts_per_token >= 1.
[[nodiscard]] constexpr double load_balancing_loss(const routing_totals& routed, double coefficient) noexcept {
  compensated_sum products;
  for (std::int64_t i = 0; i < routed.tokens_of_expert.size(); ++i)
    products += routed.probabilities_of_expert[i] * static_cast<double>(routed.tokens_of_expert[i]);
  const auto experts = static_cast<double>(routed.tokens_of_expert.size());
  const auto tokens = static_cast<double>(routed.tokens);
  return coefficient * experts * (products.value() / tokens / tokens / static_cast<double>(routed.experts_per_token));
}

/// The mean of the sequences' losses. Source: Megatron-LM router.py _apply_seq_aux_loss. Precondition: at least one sequence.
[[nodiscard]] constexpr double sequence_wise_loss(array_view<const routing_totals> sequences, double coefficient) noexcept {
  compensated_sum losses;
  for (const routing_totals& sequence : sequences) losses += load_balancing_loss(sequence, coefficient);
  return losses.value() / static_cast<double>(sequences.size());
}

/// Adds one token's affinities, normalised so that their sum is 1, to the sums over tokens. Source: DeepSeek-V3 (arXiv 2412.19437),
/// equations 19 and 20. False, and no change, unless all affinities are non-negative and their sum is above 0 and finite.
/// Precondition: as many sums as affinities.
[[nodiscard]] constexpr bool add_normalised_affinities(array_view<const double> affinities, array_view<double> sums) noexcept {
  double total = 0;
  for (const double affinity : affinities) {
    if (!(affinity >= 0)) return false;
    total += affinity;
  }
  if (!(total > 0) || total == __builtin_inf()) return false;
  for (std::int64_t i = 0; i < affinities.size(); ++i) sums[i] += affinities[i] / total;
  return true;
}

/// Where DeepSeek-V3's bias of an expert moves after a step, in units of its update speed: 1 up for an expert below the mean load, 1 down
/// for one above, decided exactly. Source: arXiv 2408.15664 algorithm 1, arXiv 2412.19437 section 2.1.2.
/// Precondition: 0 <= load <= sum of the loads of all experts.
[[nodiscard]] constexpr int bias_direction(std::int64_t load, std::int64_t sum, std::int64_t experts) noexcept {
  __extension__ using twice_as_wide = __int128;
  const twice_as_wide above = twice_as_wide{load} * experts - sum;
  return above < 0 ? 1 : above > 0 ? -1 : 0;
}

} // namespace moeplan
