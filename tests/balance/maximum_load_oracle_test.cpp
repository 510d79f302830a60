// Bounds and estimates of the maximum against exact values and simulations.
#include <moeplan/balance/expected_maximum.hpp>
#include <moeplan/balance/expert_popularity.hpp>
#include <moeplan/balance/maximum_load.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <vector>

using namespace moeplan;

namespace {

double exact(const experts& e, std::int64_t tokens) {
  std::vector<double> storage(expected_maximum_storage(e, tokens).value());
  return expected_maximum<double>(e, tokens, storage);
}

/// Loads of all experts, and their probability.
using distribution = std::map<std::vector<int>, double>;

/// One token draws k more experts, one after the other, by weight among those not drawn.
void draw(const std::vector<double>& weights, std::int64_t k, std::vector<int>& drawn, double probability, distribution& choices) {
  if (k == 0) {
    choices[drawn] += probability;
    return;
  }
  double left = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) left += drawn[i] == 0 ? weights[i] : 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (drawn[i] != 0) continue;
    drawn[i] = 1;
    draw(weights, k - 1, drawn, probability * weights[i] / left, choices);
    drawn[i] = 0;
  }
}

/// The expected maximum of successive sampling, over all choices of all tokens: of experts, or of ranks of `held` of them.
double exact(const std::vector<double>& weights, std::int64_t k, std::int64_t tokens, std::size_t held = 1) {
  distribution of_experts;
  std::vector<int> none(weights.size());
  draw(weights, k, none, 1, of_experts);
  distribution choices;
  for (const auto& [loads, p] : of_experts) {
    std::vector<int> of_ranks(loads.size() / held);
    for (std::size_t i = 0; i < loads.size(); ++i) of_ranks[i / held] += loads[i];
    choices[of_ranks] += p;
  }
  none.resize(weights.size() / held);
  distribution now{{none, 1.0}};
  for (std::int64_t t = 0; t < tokens; ++t) {
    distribution next;
    for (const auto& [loads, p] : now)
      for (const auto& [choice, q] : choices) {
        std::vector<int> sum = loads;
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += choice[i];
        next[sum] += p * q;
      }
    now = next;
  }
  double mean = 0;
  for (const auto& [loads, p] : now) mean += p * *std::max_element(loads.begin(), loads.end());
  return mean;
}

maximum_load popular(const std::vector<double>& weights, std::int64_t k, std::int64_t tokens) {
  const auto experts = static_cast<std::int64_t>(weights.size());
  std::vector<double> chances(weights.size());
  std::vector<double> storage(successive_chances_storage(experts, k).value());
  REQUIRE(successive_chances(weights, k, chances, storage) == popularity_error::none);
  std::vector<binomial_walk> walks(weights.size());
  return maximum_popular_load(chances, tokens, walks);
}

double uniform_number(std::mt19937_64& random) { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; }

/// A mean of simulations, and its standard error relative to it.
struct simulation {
  double mean = 0;
  double error = 0;
};

/// The maximum load of successive sampling, of experts or of ranks of `held` of them. An expert that a token has already is drawn again,
/// which leaves the others their chances by weight.
simulation simulated(const std::vector<double>& weights, std::int64_t k, std::int64_t tokens, int trials, std::size_t held = 1) {
  std::mt19937_64 random{11};
  std::vector<double> up_to(weights.size());
  std::partial_sum(weights.begin(), weights.end(), up_to.begin());
  std::vector<std::size_t> first(4096); // the first expert that numbers in each 4096th of 0 to 1 may mean
  for (std::size_t i = 0, expert = 0; i < first.size(); ++i) {
    while (up_to[expert] <= static_cast<double>(i) / static_cast<double>(first.size()) * up_to.back()) ++expert;
    first[i] = expert;
  }
  std::vector<std::int64_t> last_token(weights.size(), -1);
  double sum = 0;
  double squares = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<int> loads(weights.size() / held);
    for (std::int64_t t = 0; t < tokens; ++t)
      for (std::int64_t drawn = 0; drawn < k;) {
        const double number = uniform_number(random);
        std::size_t expert = first[static_cast<std::size_t>(number * static_cast<double>(first.size()))];
        while (expert + 1 < weights.size() && up_to[expert] <= number * up_to.back()) ++expert;
        if (last_token[expert] == trial * tokens + t) continue;
        last_token[expert] = trial * tokens + t;
        ++loads[expert / held];
        ++drawn;
      }
    const double most = *std::max_element(loads.begin(), loads.end());
    sum += most;
    squares += most * most;
  }
  const double mean = sum / trials;
  return {mean, std::sqrt((squares / trials - mean * mean) / trials) / mean};
}

std::vector<double> zipf(std::int64_t experts, double exponent) {
  std::vector<double> weights(static_cast<std::size_t>(experts));
  zipf_weights(exponent, weights);
  return weights;
}

void check_bounds(const maximum_load& m, double expected) {
  CHECK(m.at_least <= expected * (1 + 1e-12));
  CHECK(m.at_most >= expected * (1 - 1e-12));
  CHECK(m.at_least <= m.expected);
  CHECK(m.expected <= m.at_most);
}

} // namespace

TEST_CASE("uniform routing: bounds hold and the estimate is as good as it says") {
  double worst = 0;
  double worst_from_two = 0;
  double worst_from_four = 0;
  for (std::int64_t routed = 1; routed <= 10; ++routed)
    for (std::int64_t k = 1; k <= std::min<std::int64_t>(routed, 3); ++k)
      for (std::int64_t tokens = 0; tokens <= (k == 1 ? 64 : k == 2 ? 24 : 9); ++tokens) {
        const experts e{.routed = routed, .top_k = k};
        const double expected = exact(e, tokens);
        const maximum_load m = maximum_uniform_load(e, tokens);
        CAPTURE(routed);
        CAPTURE(k);
        CAPTURE(tokens);
        check_bounds(m, expected);
        if (tokens == 0) continue;
        const double error = std::abs(m.expected / expected - 1);
        const auto mean = static_cast<double>(tokens * k) / static_cast<double>(routed);
        worst = std::max(worst, error);
        if (mean >= 2) worst_from_two = std::max(worst_from_two, error);
        if (mean >= 4) worst_from_four = std::max(worst_from_four, error);
      }
  CHECK(worst < 0.045);
  CHECK(worst_from_two < 0.02);
  CHECK(worst_from_four < 0.01);
}

TEST_CASE("the classic approximation, mean (1 + CV sqrt(2 ln E)), is within 3 % in published sizes") {
  struct size {
    std::int64_t tokens, routed, top_k;
  };
  for (const size& s : {size{4096, 256, 8}, size{1024, 64, 8}, size{4096, 8, 2}, size{128, 256, 8}}) {
    const auto mean = static_cast<double>(s.tokens * s.top_k) / static_cast<double>(s.routed);
    const auto share = static_cast<double>(s.top_k) / static_cast<double>(s.routed);
    const double classic = mean + std::sqrt(mean * (1 - share) * 2 * std::log(static_cast<double>(s.routed)));
    CHECK(maximum_uniform_load({.routed = s.routed, .top_k = s.top_k}, s.tokens).expected ==
          doctest::Approx(classic).epsilon(0.032));
  }
}

TEST_CASE("popular experts: bounds hold, and the estimate errs little, for a few experts exactly") {
  double worst = 0;
  for (std::int64_t routed = 2; routed <= 4; ++routed)
    for (std::int64_t k = 1; k < routed; ++k)
      for (const double exponent : {0.0, 0.5, 1.0, 2.0})
        for (const std::int64_t tokens : {1, 2, 5, 8, 16}) {
          const std::vector<double> weights = zipf(routed, exponent);
          const double expected = exact(weights, k, tokens);
          const maximum_load m = popular(weights, k, tokens);
          CAPTURE(routed);
          CAPTURE(k);
          CAPTURE(exponent);
          CAPTURE(tokens);
          CHECK(m.at_least <= expected * (1 + 1e-9));
          CHECK(m.at_most >= expected * (1 - 1e-9));
          CHECK(m.expected <= m.at_most * (1 + 1e-12));
          CHECK(m.expected >= m.at_least * (1 - 1e-9));
          if (tokens >= 8) worst = std::max(worst, std::abs(m.expected / expected - 1));
        }
  CHECK(worst < 0.08);
}

TEST_CASE("popular experts in models' sizes: the estimate is within 1.5 % of simulations") {
  for (const std::int64_t routed : {64, 256})
    for (const std::int64_t k : {1, 8})
      for (const std::int64_t mean : {4, 16})
        for (const double exponent : {0.0, 0.5, 1.0, 1.5}) {
          const std::vector<double> weights = zipf(routed, exponent);
          const std::int64_t tokens = mean * routed / k;
          const simulation s =
              simulated(weights, k, tokens, static_cast<int>((routed == 64 ? 800'000 : 1'500'000) / (mean * routed)));
          CAPTURE(routed);
          CAPTURE(k);
          CAPTURE(mean);
          CAPTURE(exponent);
          CHECK(s.error < 0.005);
          CHECK(popular(weights, k, tokens).expected == doctest::Approx(s.mean).epsilon(0.015));
        }
}

TEST_CASE("ranks of several experts: bounds hold, and the estimate errs little, for a few experts exactly") {
  double worst = 0;
  double worst_from_eight = 0;
  for (const std::int64_t routed : {4, 6})
    for (const std::int64_t held : {2, 3})
      for (std::int64_t k = 1; k < routed && routed % held == 0; ++k)
        for (const std::int64_t tokens : {1, 2, 3, 5, 8, 16}) {
          const double expected = exact(zipf(routed, 0), k, tokens, static_cast<std::size_t>(held));
          const maximum_load m = maximum_uniform_load({.routed = routed, .top_k = k}, tokens, held);
          CAPTURE(routed);
          CAPTURE(held);
          CAPTURE(k);
          CAPTURE(tokens);
          check_bounds(m, expected);
          const double error = std::abs(m.expected / expected - 1);
          worst = std::max(worst, error);
          if (tokens >= 8) worst_from_eight = std::max(worst_from_eight, error);
        }
  CHECK(worst < 0.08);
  CHECK(worst_from_eight < 0.01);
}

TEST_CASE("ranks of several experts in models' sizes: the estimate is within 1 % of simulations") {
  struct size {
    std::int64_t routed, top_k, held;
  };
  for (const size& x : {size{256, 8, 32}, {256, 8, 8}, {256, 8, 4}, {64, 6, 16}, {128, 4, 64}, {8, 2, 2}, {16, 12, 2}})
    for (const std::int64_t mean : {8, 64}) {
      const std::int64_t tokens = mean * x.routed / (x.top_k * x.held);
      const simulation s = simulated(zipf(x.routed, 0), x.top_k, tokens, static_cast<int>(1'000'000 / (tokens * x.top_k)),
                                     static_cast<std::size_t>(x.held));
      const maximum_load m = maximum_uniform_load({.routed = x.routed, .top_k = x.top_k}, tokens, x.held);
      CAPTURE(x.routed);
      CAPTURE(x.held);
      CAPTURE(mean);
      CHECK(s.error < 0.003);
      CHECK(m.expected == doctest::Approx(s.mean).epsilon(0.01));
      CHECK(m.at_least <= s.mean * (1 + 3 * s.error));
      CHECK(m.at_most >= s.mean * (1 - 3 * s.error));
    }
}
