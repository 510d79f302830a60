// Successive sampling against the sum over all draws.
#include <moeplan/balance/expert_popularity.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

using namespace moeplan;

namespace {

/// Adds to each chance the probability of the draws that hold the expert.
void draw(const std::vector<long double>& weights, std::int64_t k, std::vector<bool>& drawn, long double probability,
          std::vector<long double>& chances) {
  if (k == 0) {
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (drawn[i]) chances[i] += probability;
    return;
  }
  long double left = 0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!drawn[i]) left += weights[i];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (drawn[i]) continue;
    drawn[i] = true;
    draw(weights, k - 1, drawn, probability * weights[i] / left, chances);
    drawn[i] = false;
  }
}

std::vector<double> chances_of(const std::vector<double>& weights, std::int64_t k) {
  std::vector<double> chances(weights.size());
  std::vector<double> storage(successive_chances_storage(static_cast<std::int64_t>(weights.size()), k).value());
  REQUIRE(successive_chances(weights, k, chances, storage) == popularity_error::none);
  return chances;
}

} // namespace

TEST_CASE("random weights") {
  std::mt19937_64 random{5};
  for (int i = 0; i < 400; ++i) {
    const std::size_t experts = 1 + random() % 7;
    const auto k = static_cast<std::int64_t>(1 + random() % std::min<std::size_t>(experts, 5));
    const double spread = i % 4 == 0 ? 1 : i % 4 == 1 ? 5 : i % 4 == 2 ? 15 : 30;
    std::vector<double> weights(experts);
    for (double& w : weights) w = std::exp(spread * static_cast<double>(random() >> 11) * 0x1p-53);

    std::vector<long double> expected(experts);
    std::vector<bool> none(experts);
    draw({weights.begin(), weights.end()}, k, none, 1, expected);
    const std::vector<double> chances = chances_of(weights, k);
    for (std::size_t x = 0; x < experts; ++x) CHECK(std::abs(chances[x] / static_cast<double>(expected[x]) - 1) < 1e-12);
  }
}

TEST_CASE("chances add up to the choices, in models' sizes") {
  for (const double exponent : {0.0, 0.5, 1.0, 2.0, 4.0, 20.0})
    for (const std::int64_t experts : {8, 64, 256, 512})
      for (const std::int64_t k : {1, 2, 8}) {
        std::vector<double> weights(static_cast<std::size_t>(experts));
        zipf_weights(exponent, weights);
        const std::vector<double> chances = chances_of(weights, k);
        const double sum = std::accumulate(chances.begin(), chances.end(), 0.0);
        CHECK(std::abs(sum / static_cast<double>(k) - 1) < 1e-12);
        CHECK(std::is_sorted(chances.rbegin(), chances.rend(), [](double a, double b) { return a < b * (1 - 1e-12); }));
      }
}

TEST_CASE("Zipf's law against the power function") {
  for (const double exponent : {0.3, 0.9, 1.1, 3.0}) {
    std::vector<double> weights(1024);
    zipf_weights(exponent, weights);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto x = static_cast<double>(i + 1);
      CHECK(std::abs(weights[i] / std::pow(x, -exponent) - 1) <= 0x1p-52 * (1.5 + exponent * std::log(x)));
    }
  }
}
