#include <moeplan/balance/auxiliary_loss.hpp>

#include <moeplan/balance/metrics.hpp>

#include "balance/example_loads.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

BOTH_TIMES("uniform routing costs the coefficient", [] {
  constexpr std::int64_t tokens_of[]{32, 32, 32, 32};
  constexpr double probabilities[]{16, 16, 16, 16};
  const routing_totals routed{tokens_of, probabilities, 64, 2};
  EXPECT(load_balancing_loss(routed, 1) == 1);
  EXPECT(load_balancing_loss(routed, 0.01) == 0.01);
});

BOTH_TIMES("all tokens on the same k of E experts cost E / k times the coefficient", [] {
  constexpr std::int64_t on_one[]{0, 64, 0, 0};
  constexpr double sure[]{0, 64, 0, 0};
  EXPECT(load_balancing_loss({on_one, sure, 64, 1}, 1) == 4);
  constexpr std::int64_t on_two[]{64, 0, 64, 0};
  constexpr double halves[]{32, 0, 32, 0};
  EXPECT(load_balancing_loss({on_two, halves, 64, 2}, 1) == 2);
});

// With P = f, E sum f^2 = 1 + CV^2.
BOTH_TIMES("probabilities that equal the fractions of tokens", [] {
  double probabilities[12]{};
  for (int i = 0; i < 12; ++i) probabilities[i] = static_cast<double>(eplb_layer_0[i]);
  const double loss = load_balancing_loss({eplb_layer_0, probabilities, 1033, 1}, 1);
  EXPECT(rounds_to(loss, 1 + 370187.0 / 1067089));
  EXPECT(rounds_to(loss, 1 + metrics(eplb_layer_0).squared_coefficient_of_variation().to_double()));
});

// Two tokens, three experts, k = 2. Affinities 0.6 0.3 0.1 and (not normalised) 0.2 0.2 0.4; both choose expert 0, the first 1, the second 2.
// P = (0.425, 0.275, 0.3), f = 3/4 (2, 1, 1): the loss is 3/4 (0.85 + 0.275 + 0.3).
BOTH_TIMES("a sequence whose affinities are normalised token by token", [] {
  constexpr double first[]{0.6, 0.3, 0.1};
  constexpr double second[]{0.2, 0.2, 0.4};
  double sums[3]{};
  EXPECT(add_normalised_affinities(first, sums));
  EXPECT(add_normalised_affinities(second, sums));
  constexpr std::int64_t tokens_of[]{2, 1, 1};
  const routing_totals sequence{tokens_of, sums, 2, 2};
  EXPECT(rounds_to(load_balancing_loss(sequence, 1), 1.06875));
  EXPECT(rounds_to(load_balancing_loss(sequence, 1e-4), 0.000107));
});

BOTH_TIMES("the mean over sequences, where each is one-sided and the batch is even", [] {
  constexpr std::int64_t left[]{8, 0};
  constexpr std::int64_t right[]{0, 8};
  constexpr std::int64_t both[]{8, 8};
  constexpr double sure_of_left[]{8, 0};
  constexpr double sure_of_right[]{0, 8};
  constexpr double sure_of_both[]{8, 8};
  const routing_totals sequences[]{{left, sure_of_left, 8, 1}, {right, sure_of_right, 8, 1}};
  EXPECT(sequence_wise_loss(sequences, 1) == 2);
  EXPECT(load_balancing_loss({both, sure_of_both, 16, 1}, 1) == 1);
});

BOTH_TIMES("affinities that cannot be normalised", [] {
  double sums[]{0.5, 0.25};
  constexpr double zero[]{0, 0};
  constexpr double negative[]{1, -0.5};
  constexpr double not_a_number[]{1, __builtin_nan("")};
  constexpr double infinite[]{1, __builtin_inf()};
  EXPECT(!add_normalised_affinities(zero, sums));
  EXPECT(!add_normalised_affinities(negative, sums));
  EXPECT(!add_normalised_affinities(not_a_number, sums));
  EXPECT(!add_normalised_affinities(infinite, sums));
  EXPECT(sums[0] == 0.5);
  EXPECT(sums[1] == 0.25);
});

BOTH_TIMES("the bias of an expert moves towards the mean load", [] {
  EXPECT(bias_direction(3, 12, 4) == 0);
  EXPECT(bias_direction(2, 12, 4) == 1);
  EXPECT(bias_direction(4, 12, 4) == -1);
  EXPECT(bias_direction(3, 13, 4) == 1);  // below 3.25
  EXPECT(bias_direction(3, 11, 4) == -1); // above 2.75
  constexpr std::int64_t huge = 0x7fff'ffff'ffff'ffff;
  EXPECT(bias_direction(huge, huge, 256) == -1);
  EXPECT(bias_direction(0, huge, 256) == 1);
});

} // namespace
