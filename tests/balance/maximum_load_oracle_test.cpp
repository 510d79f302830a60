// Bounds and estimates of the maximum against exact values and simulations.
#include <moeplan/balance/expected_maximum.hpp>
#include <moeplan/balance/expert_popularity.hpp>
#include <moeplan/balance/maximum_load.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
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

/// The expected maximum of successive sampling, over all choices of all tokens.
double exact(const std::vector<double>& weights, std::int64_t k, std::int64_t tokens) {
  distribution choices;
  std::vector<int> none(weights.size());
  draw(weights, k, none, 1, choices);
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

/// The mean maximum of simulated successive sampling.
double simulated(const std::vector<double>& weights, std::int64_t k, std::int64_t tokens, int trials) {
  std::mt19937_64 random{11};
  double sum = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<int> loads(weights.size());
    std::vector<std::pair<double, std::size_t>> arrivals(weights.size());
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::size_t i = 0; i < weights.size(); ++i) arrivals[i] = {-std::log(uniform_number(random)) / weights[i], i};
      std::nth_element(arrivals.begin(), arrivals.begin() + (k - 1), arrivals.end());
      for (std::int64_t i = 0; i < k; ++i) ++loads[arrivals[static_cast<std::size_t>(i)].second];
    }
    sum += *std::max_element(loads.begin(), loads.end());
  }
  return sum / trials;
}

std::vector<double> zipf(std::int64_t experts, double exponent) {
  std::vector<double> weights(static_cast<std::size_t>(experts));
  zipf_weights(exponent, weights);
  return weights;
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
        CHECK(m.at_least <= expected * (1 + 1e-12));
        CHECK(m.at_most >= expected * (1 - 1e-12));
        CHECK(m.at_least <= m.expected);
        CHECK(m.expected <= m.at_most);
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

TEST_CASE("simulation") {
  for (const double exponent : {0.0, 0.5, 1.0})
    for (const std::int64_t k : {1, 6}) {
      const std::vector<double> weights = zipf(64, exponent);
      const double expected = popular(weights, k, 256).expected;
      CHECK(simulated(weights, k, 256, 40) == doctest::Approx(expected).epsilon(0.06));
    }
  CHECK(simulated(zipf(64, 0), 6, 128, 40) ==
        doctest::Approx(maximum_uniform_load({.routed = 64, .top_k = 6}, 128).expected).epsilon(0.06));
}
