#include <moeplan/balance/maximum_load.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool is_near(double x, double expected, double error) { return x - expected <= error && expected - x <= error; }
constexpr bool is_none(const maximum_load& m) {
  return m.at_least != m.at_least && m.expected != m.expected && m.at_most != m.at_most;
}

BOTH_TIMES("a binomial distribution", [] {
  // Four trials of 1/2: 1, 4, 6, 4, 1 sixteenths.
  binomial_walk walk{4, 0.5};
  EXPECT(walk.least() == 0);
  EXPECT(is_near(walk.at_most(0), 1.0 / 16, 1e-15));
  EXPECT(is_near(walk.at_most(2), 11.0 / 16, 1e-15));
  EXPECT(!walk.is_over());
  EXPECT(is_near(walk.at_most(3), 15.0 / 16, 1e-15));
  EXPECT(walk.at_most(4) == 1);
  EXPECT(walk.is_over());
  EXPECT(walk.at_most(5) == 1);

  // P(none of 1000 trials of 1/1000) = 0.999^1000
  EXPECT(is_near(binomial_walk(1000, 0.001).at_most(0), 0.36769542477096373, 1e-14));
  // Of many trials only those near the mean are looked at: three standard deviations of 500 below it.
  binomial_walk many{1'000'000, 0.5};
  EXPECT(many.least() > 490'000);
  EXPECT(many.at_most(490'000) == 0);
});

BOTH_TIMES("what is certain", [] {
  EXPECT(binomial_walk(7, 0).at_most(0) == 1);
  EXPECT(binomial_walk(7, 1).at_most(6) == 0);
  EXPECT(binomial_walk(7, 1).at_most(7) == 1);
  EXPECT(binomial_walk(0, 0.5).at_most(0) == 1);
});

// One token on one of two experts: the maximum is 1; independent experts may both get it or none of them.
BOTH_TIMES("bounds of uniform routing", [] {
  EXPECT(maximum_uniform_load({.routed = 2, .top_k = 1}, 1) == maximum_load{1, 1, 1});
  // Two tokens: 3/2. P(load > 1) = 1/4 for each expert, 7/16 for one of two independent ones.
  const maximum_load two = maximum_uniform_load({.routed = 2, .top_k = 1}, 2);
  EXPECT(is_near(two.at_least, 1 + 7.0 / 16, 1e-14));
  EXPECT(is_near(two.at_most, 1.5, 1e-14));
  EXPECT(two.expected >= two.at_least && two.expected <= two.at_most);
});

BOTH_TIMES("nothing is left to chance", [] {
  EXPECT(maximum_uniform_load({.routed = 8, .top_k = 8}, 100) == maximum_load{100, 100, 100});
  EXPECT(maximum_uniform_load({.routed = 1, .top_k = 1}, 100) == maximum_load{100, 100, 100});
  EXPECT(maximum_uniform_load({.routed = 8, .top_k = 2}, 0) == maximum_load{0, 0, 0});
});

// Monte-Carlo results of formulas in the literature's sizes, of 40 to 200 trials each: max / mean.
BOTH_TIMES("a mean of 4 and of 128 copies", [] {
  const maximum_load few = maximum_uniform_load({.routed = 256, .top_k = 8}, 128);
  EXPECT(is_near(few.expected / 4, 2.646, 0.03));
  EXPECT(few.at_least / 4 < 2.646 && few.at_most / 4 > 2.646);
  const maximum_load more = maximum_uniform_load({.routed = 64, .top_k = 8}, 1024);
  EXPECT(is_near(more.expected / 128, 1.202, 0.012));
  EXPECT(more.at_least / 128 < 1.202 && more.at_most / 128 > 1.202);
});

BOTH_TIMES("larger sizes", [] {
  const maximum_load large = maximum_uniform_load({.routed = 256, .top_k = 8}, 4096);
  EXPECT(is_near(large.expected / 128, 1.262, 0.013));
  EXPECT(large.at_least / 128 < 1.262);
  EXPECT(large.at_most / 128 > 1.262);
  const maximum_load few_experts = maximum_uniform_load({.routed = 8, .top_k = 2}, 4096);
  EXPECT(is_near(few_experts.expected / 1024, 1.040, 0.01));
  EXPECT(few_experts.at_least / 1024 < 1.040);
  EXPECT(few_experts.at_most / 1024 > 1.040);
});

BOTH_TIMES("experts of equal popularity, as independent ones", [] {
  constexpr double chances[] = {0.25, 0.25, 0.25, 0.25};
  binomial_walk storage[4]{};
  const maximum_load m = maximum_popular_load(chances, 40, storage);
  const maximum_load uniform = maximum_uniform_load({.routed = 4, .top_k = 1}, 40);
  EXPECT(m.at_least == 10);
  // Uniform routing's bound knows that one expert has the mean at least.
  EXPECT(m.expected < uniform.at_least);
  EXPECT(is_near(m.expected, uniform.at_least, 0.15));
  EXPECT(is_near(m.at_most, uniform.at_most, 1e-9));
});

BOTH_TIMES("one expert that every token chooses", [] {
  constexpr double chances[] = {0.5, 1, 0, 0.5};
  binomial_walk storage[4]{};
  EXPECT(maximum_popular_load(chances, 40, storage) == maximum_load{40, 40, 40});
});

BOTH_TIMES("ranks of several experts", [] {
  // One of them is the case of experts, and a single rank has all copies.
  EXPECT(maximum_uniform_load({.routed = 8, .top_k = 2}, 9, 8) == maximum_load{18, 18, 18});
  EXPECT(maximum_uniform_load({.routed = 8, .top_k = 8}, 9, 2) == maximum_load{18, 18, 18});
  // One choice of a rank of four experts is as one of 16 ranks of a smaller model.
  EXPECT(maximum_uniform_load({.routed = 64, .top_k = 1}, 100, 4) == maximum_uniform_load({.routed = 16, .top_k = 1}, 100));
  // One token, two of four experts, two ranks of two: 2 with probability 1/3, else 1.
  const maximum_load one = maximum_uniform_load({.routed = 4, .top_k = 2}, 1, 2);
  EXPECT(one.at_least == 1 && one.at_most >= 4.0 / 3 && one.at_most <= 1.5);
});

BOTH_TIMES("more experts than can be added to the copies", [] {
  const maximum_load m = maximum_uniform_load({.routed = INT64_MAX, .top_k = 1}, 2);
  EXPECT(is_near(m.expected, 1, 1e-9));
});

BOTH_TIMES("no answer without its preconditions", [] {
  EXPECT(is_none(maximum_uniform_load({.routed = 8, .top_k = 2}, 4, 0)));
  EXPECT(is_none(maximum_uniform_load({.routed = 8, .top_k = 2}, 4, 3)));
  EXPECT(is_none(maximum_uniform_load({.routed = 8, .top_k = 2}, 4, 16)));
  EXPECT(is_none(maximum_uniform_load({}, 100)));
  EXPECT(is_none(maximum_uniform_load({.routed = 4, .top_k = 5}, 100)));
  EXPECT(is_none(maximum_uniform_load({.routed = 4, .top_k = 1}, -1)));
  EXPECT(is_none(maximum_uniform_load({.routed = 4, .top_k = 2}, std::int64_t{1} << 52)));
  binomial_walk storage[2]{};
  constexpr double fine[] = {0.5, 0.25};
  constexpr double negative[] = {0.5, -0.25};
  constexpr double large[] = {0.5, 1.25};
  constexpr double unknown[] = {0.5, __builtin_nan("")};
  EXPECT(!is_none(maximum_popular_load(fine, 4, storage)));
  EXPECT(is_none(maximum_popular_load(negative, 4, storage)));
  EXPECT(is_none(maximum_popular_load(large, 4, storage)));
  EXPECT(is_none(maximum_popular_load(unknown, 4, storage)));
  EXPECT(is_none(maximum_popular_load({}, 4, storage)));
  EXPECT(is_none(maximum_popular_load(fine, -4, storage)));
  EXPECT(is_none(maximum_popular_load(fine, 4, array_view<binomial_walk>{storage, 1})));
});

} // namespace

TEST_CASE("many tokens") {
  // As normal loads: the excess over the mean is proportional to the standard deviation.
  const maximum_load some = maximum_uniform_load({.routed = 64, .top_k = 1}, 640'000);
  const maximum_load many = maximum_uniform_load({.routed = 64, .top_k = 1}, 64'000'000);
  CHECK((many.expected - 1'000'000) / (some.expected - 10'000) == doctest::Approx(10).epsilon(0.01));
  // The expected maximum of 64 standard normal numbers is 2.3437 (tables of order statistics).
  CHECK((many.expected - 1'000'000) / (1'000'000 * 0.000992157) == doctest::Approx(2.3437).epsilon(0.01));
}
