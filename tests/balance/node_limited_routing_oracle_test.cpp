// Distinct ranks against all orders of a few experts, against inclusion and exclusion, and against simulation.
#include <moeplan/balance/node_limited_routing.hpp>

#include <doctest/doctest.h>
#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "support/slow_build.hpp"

using namespace moeplan;
using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

namespace {

/// Experts of a token with these scores: of the groups that score best by the sum of their `counted` best experts, the best experts.
std::vector<std::int64_t> choice(const experts& e, const std::vector<double>& scores, std::int64_t counted) {
  const std::int64_t in_group = e.routed / e.groups;
  std::vector<std::pair<double, std::int64_t>> groups;
  for (std::int64_t g = 0; g < e.groups; ++g) {
    std::vector<double> own(scores.begin() + g * in_group, scores.begin() + (g + 1) * in_group);
    std::partial_sort(own.begin(), own.begin() + counted, own.end(), std::greater<>{});
    groups.emplace_back(-std::accumulate(own.begin(), own.begin() + counted, 0.0), g);
  }
  std::sort(groups.begin(), groups.end());
  std::vector<std::pair<double, std::int64_t>> candidates;
  for (std::int64_t i = 0; i < e.group_top_k; ++i) {
    const std::int64_t first = groups[static_cast<std::size_t>(i)].second * in_group;
    for (std::int64_t x = first; x < first + in_group; ++x) candidates.emplace_back(-scores[static_cast<std::size_t>(x)], x);
  }
  std::partial_sort(candidates.begin(), candidates.begin() + e.top_k, candidates.end());
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < e.top_k; ++i) chosen.push_back(candidates[static_cast<std::size_t>(i)].second);
  return chosen;
}

std::int64_t ranks_of(const std::vector<std::int64_t>& chosen, std::int64_t held) {
  std::set<std::int64_t> ranks;
  for (const std::int64_t x : chosen) ranks.insert(x / held);
  return static_cast<std::int64_t>(ranks.size());
}

/// Counts over all orders of the experts' scores.
struct all_orders {
  cpp_rational mean;
  std::int64_t least = 1 << 20;
  std::int64_t most = 0;
};

all_orders over_all_orders(const experts& e, std::int64_t ranks) {
  std::vector<double> scores(static_cast<std::size_t>(e.routed));
  std::iota(scores.begin(), scores.end(), 0.0);
  all_orders result;
  cpp_int sum = 0;
  cpp_int orders = 0;
  do {
    const std::int64_t n = ranks_of(choice(e, scores, 1), e.routed / ranks);
    sum += n;
    ++orders;
    result.least = std::min(result.least, n);
    result.most = std::max(result.most, n);
  } while (std::next_permutation(scores.begin(), scores.end()));
  result.mean = cpp_rational(sum) / orders;
  return result;
}

cpp_int binomial(std::int64_t n, std::int64_t k) {
  if (k < 0 || k > n) return 0;
  cpp_int product = 1;
  for (std::int64_t i = 0; i < k; ++i) product = product * (n - i) / (i + 1);
  return product;
}

/// P(k of E experts lie in exactly d of G groups).
cpp_rational probability_of_groups(const experts& e, std::int64_t d) {
  cpp_int ways = 0;
  for (std::int64_t j = 0; j <= d; ++j) {
    const cpp_int term = binomial(d, j) * binomial(j * (e.routed / e.groups), e.top_k);
    ways += (d - j) % 2 == 0 ? term : -term;
  }
  return cpp_rational(ways * binomial(e.groups, d)) / binomial(e.routed, e.top_k);
}

/// What scores are drawn from.
enum class scores_of { uniform, normal, exponential };

double score(std::mt19937_64& random, scores_of distribution) {
  const auto uniform = [&random] { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; };
  const double first = uniform();
  if (distribution == scores_of::uniform) return first;
  const double exponential = -std::log(first);
  if (distribution == scores_of::exponential) return exponential;
  return std::sqrt(2 * exponential) * std::cos(6.283185307179586 * uniform()); // Box and Muller, 1958
}

constexpr std::int64_t simulated_ranks[] = {4, 8, 16, 64};

struct simulation {
  double mean[4]{};
  double error[4]{}; ///< standard error, relative to the mean
};

/// Of the same tokens for all numbers of ranks.
simulation simulated(const experts& e, std::int64_t counted, scores_of distribution, int tokens) {
  std::mt19937_64 random{7};
  std::vector<double> scores(static_cast<std::size_t>(e.routed));
  double sum[4]{};
  double squares[4]{};
  for (int t = 0; t < tokens; ++t) {
    for (double& s : scores) s = score(random, distribution);
    const std::vector<std::int64_t> chosen = choice(e, scores, counted);
    for (std::size_t i = 0; i < 4; ++i) {
      const auto reached = static_cast<double>(ranks_of(chosen, e.routed / simulated_ranks[i]));
      sum[i] += reached;
      squares[i] += reached * reached;
    }
  }
  simulation s;
  for (std::size_t i = 0; i < 4; ++i) {
    s.mean[i] = sum[i] / tokens;
    s.error[i] = std::sqrt((squares[i] / tokens - s.mean[i] * s.mean[i]) / tokens) / s.mean[i];
  }
  return s;
}

} // namespace

TEST_CASE("all orders of up to eight experts") {
  int cases = 0;
  for (const std::int64_t routed : {1, 2, 4, 6, 8})
    for (std::int64_t groups = 1; groups <= routed; ++groups)
      for (std::int64_t visited = 1; visited <= groups; ++visited)
        for (std::int64_t ranks = 1; ranks <= routed; ++ranks)
          for (std::int64_t k = 1; routed % groups == 0 && routed % ranks == 0 && k <= visited * (routed / groups); ++k) {
            if (routed == 8 && (moeplan_test::cases_for_build(10) == 1 || (k != 3 && k != 4))) continue; // for time
            const experts e{.routed = routed, .top_k = k, .groups = groups, .group_top_k = visited};
            if (visited < groups && ranks % groups != 0 && groups % ranks != 0) continue;
            const all_orders expected = over_all_orders(e, ranks);
            const distinct_ranks<cpp_rational> exact = distinct_ranks_of<cpp_rational>(e, ranks);
            const distinct_ranks<double> rounded = distinct_ranks_of(e, ranks);
            CAPTURE(routed);
            CAPTURE(groups);
            CAPTURE(visited);
            CAPTURE(ranks);
            CAPTURE(k);
            CHECK(exact.expected == expected.mean);
            CHECK(exact.least == expected.least);
            CHECK(exact.most == expected.most);
            CHECK(rounded.expected == doctest::Approx(static_cast<double>(expected.mean)).epsilon(1e-14));
            ++cases;
          }
  CHECK(cases > moeplan_test::cases_for_build(100));
}

TEST_CASE("uniform routing by binomial coefficients") {
  for (const std::int64_t routed : {64, 128, 256, 384, 512})
    for (const std::int64_t k : {1, 2, 6, 8, 10, 22})
      for (std::int64_t ranks = 1; ranks <= routed; ranks *= 2) {
        if (routed % ranks != 0) continue;
        const cpp_rational spared(binomial(routed - routed / ranks, k), binomial(routed, k));
        const cpp_rational expected = ranks * (1 - spared);
        const experts e{.routed = routed, .top_k = k};
        CHECK(distinct_ranks_of<cpp_rational>(e, ranks).expected == expected);
        CHECK(distinct_ranks_of(e, ranks).expected == doctest::Approx(static_cast<double>(expected)).epsilon(1e-14));
      }
}

TEST_CASE("limited groups that are ranks by inclusion and exclusion") {
  for (const experts& e : {experts{.routed = 256, .top_k = 8, .groups = 8, .group_top_k = 4},
                           experts{.routed = 160, .top_k = 6, .groups = 8, .group_top_k = 3},
                           experts{.routed = 64, .top_k = 8, .groups = 16, .group_top_k = 5}}) {
    cpp_rational expected = 0;
    cpp_rational unlimited = 0;
    for (std::int64_t d = 0; d <= e.groups; ++d) {
      expected += std::min(d, e.group_top_k) * probability_of_groups(e, d);
      unlimited += d * probability_of_groups(e, d);
    }
    CHECK(distinct_ranks_of<cpp_rational>(e, e.groups).expected == expected);
    CHECK(distinct_ranks_of(e, e.groups).expected == doctest::Approx(static_cast<double>(expected)).epsilon(1e-14));
    CHECK(expected < unlimited);
    CHECK(expected < e.group_top_k);
  }
}

// DeepSeek-V3's groups score by their two best experts, of which the answer for the best one is an estimate.
TEST_CASE("simulations of DeepSeek-V3's groups, by their best expert and within 1 % by their two best ones") {
  const experts v3{.routed = 256, .top_k = 8, .groups = 8, .group_top_k = 4};
  const auto expect = [&v3](std::int64_t counted, scores_of distribution, double within) {
    const simulation s = simulated(v3, counted, distribution, 6000);
    for (std::size_t i = 0; i < 4; ++i) {
      CAPTURE(counted);
      CAPTURE(static_cast<int>(distribution));
      CAPTURE(simulated_ranks[i]);
      CHECK(s.error[i] < 0.0025);
      CHECK(distinct_ranks_of(v3, simulated_ranks[i]).expected == doctest::Approx(s.mean[i]).epsilon(within));
    }
  };
  expect(1, scores_of::uniform, 0.006);
  for (const scores_of distribution : {scores_of::uniform, scores_of::normal, scores_of::exponential})
    expect(2, distribution, 0.01);
}
