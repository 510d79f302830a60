#include <moeplan/balance/routing_statistics.hpp>

#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

constexpr bool is_near(double x, double expected, double error) { return x - expected <= error && expected - x <= error; }

constexpr load_moments moments(std::int64_t tokens, std::int64_t routed, std::int64_t top_k, std::int64_t held = 1) {
  return uniform_load({.routed = routed, .top_k = top_k}, tokens, held);
}

// Mean T k / E, variance T (k / E) (1 - k / E).
BOTH_TIMES("one expert's load is binomial", [] {
  EXPECT(moments(4096, 256, 8) == load_moments{.mean = {128}, .variance = {124}});
  EXPECT(moments(4096, 8, 2) == load_moments{.mean = {1024}, .variance = {768}});
  EXPECT(moments(7, 4, 2) == load_moments{.mean = {7, 2}, .variance = {7, 4}});
  EXPECT(moments(128, 256, 8) == load_moments{.mean = {4}, .variance = {31, 8}});
});

BOTH_TIMES("coefficient of variation", [] {
  EXPECT(moments(4096, 256, 8).squared_coefficient_of_variation() == ratio{31, 4096});
  EXPECT(is_near(moments(4096, 256, 8).coefficient_of_variation(), 0.0870, 5e-5));
  EXPECT(is_near(moments(4096, 8, 2).coefficient_of_variation(), 0.0270632939, 1e-10)); // sqrt(3) / 64
  EXPECT(moments(100, 2, 1).coefficient_of_variation() == 0.1);
});

BOTH_TIMES("every token on every expert leaves nothing to chance", [] {
  EXPECT(moments(100, 8, 8) == load_moments{.mean = {100}, .variance = {0}});
  EXPECT(moments(100, 1, 1) == load_moments{.mean = {100}, .variance = {0}});
  EXPECT(moments(100, 8, 2, 8) == load_moments{.mean = {200}, .variance = {0}});
  EXPECT(moments(100, 8, 2, 0) == load_moments{.mean = {0}, .variance = {0}});
  EXPECT(moments(0, 8, 2) == load_moments{.mean = {0}, .variance = {0}});
  EXPECT(moments(100, 8, 8).coefficient_of_variation() == 0);
});

BOTH_TIMES("a rank's experts compete for the same choices", [] {
  // Hypergeometric: k = 2 of 4 experts, 2 of them held: 0, 1, 2 with probabilities 1/6, 4/6, 1/6.
  EXPECT(moments(1, 4, 2, 2) == load_moments{.mean = {1}, .variance = {1, 3}});
  EXPECT(moments(90, 4, 2, 2) == load_moments{.mean = {90}, .variance = {30}});
  // The other ranks' load varies as much.
  EXPECT(moments(64, 16, 3, 5).variance == moments(64, 16, 3, 11).variance);
});

/// Of all choices of two of `routed` experts, each as likely as the others.
BOTH_TIMES("against all choices of two experts", [] {
  for (std::int64_t routed = 2; routed <= 7; ++routed)
    for (std::int64_t held = 0; held <= routed; ++held) {
      std::int64_t choices = 0;
      std::int64_t sum = 0;
      std::int64_t squares = 0;
      for (std::int64_t a = 0; a < routed; ++a)
        for (std::int64_t b = a + 1; b < routed; ++b) {
          const std::int64_t load = (a < held ? 1 : 0) + (b < held ? 1 : 0);
          ++choices;
          sum += load;
          squares += load * load;
        }
      const ratio mean{sum, choices};
      EXPECT(moments(1, routed, 2, held) == load_moments{mean, ratio{squares, choices} - mean * mean});
    }
});

// A chance of 1/4 in 100 tokens: 25 and 100 x 3/16.
BOTH_TIMES("the load of an expert of any popularity", [] {
  EXPECT(binomial_load(ratio{1, 4}, 100) == load_moments{.mean = {25}, .variance = {75, 4}});
  EXPECT(binomial_load(ratio{0}, 100) == load_moments{.mean = {0}, .variance = {0}});
  EXPECT(binomial_load(ratio{1}, 100) == load_moments{.mean = {100}, .variance = {0}});
  EXPECT(binomial_load(ratio{8, 256}, 4096) == moments(4096, 256, 8)); // uniform routing's chance
  EXPECT(binomial_load(0.25, 100) == real_load_moments{.mean = 25, .variance = 18.75});
  EXPECT(binomial_load(1.0, 100) == real_load_moments{.mean = 100, .variance = 0});
  EXPECT(binomial_load(0.5, 100).standard_deviation() == 5);
  EXPECT(binomial_load(0.5, 100).coefficient_of_variation() == 0.1);
});

// Two tokens choose the first expert with chance 3/10: 0, 1 or 2 times with 49, 42 and 9 hundredths.
BOTH_TIMES("moments from their definition", [] {
  const ratio mean = ratio{42, 100} + ratio{2} * ratio{9, 100};
  const ratio square = ratio{42, 100} + ratio{4} * ratio{9, 100};
  EXPECT(binomial_load(ratio{3, 10}, 2) == load_moments{mean, square - mean * mean});
});

BOTH_TIMES("no load of what is no chance", [] {
  const auto is_none = [](const real_load_moments& m) { return m.mean != m.mean && m.variance != m.variance; };
  EXPECT(is_none(binomial_load(1.5, 100)));
  EXPECT(is_none(binomial_load(-0.5, 100)));
  EXPECT(is_none(binomial_load(__builtin_nan(""), 100)));
  EXPECT(is_none(binomial_load(0.5, -1)));
  const double none_of_none = binomial_load(0.0, 100).coefficient_of_variation();
  EXPECT(none_of_none != none_of_none);
});

using moeplan_test::is_constant;
static_assert(!is_constant<decltype([] { return binomial_load(ratio{5, 4}, 100); })>);
static_assert(!is_constant<decltype([] { return moments(0, 8, 2).squared_coefficient_of_variation(); })>);
static_assert(!is_constant<decltype([] { return moments(std::int64_t{1} << 62, 64, 8, 64); })>);
static_assert(moments(std::int64_t{1} << 62, 64, 8).mean == ratio{std::int64_t{1} << 59});

} // namespace

TEST_CASE("at run time what does not fit is overflowed") {
  CHECK(moments(std::int64_t{1} << 62, 64, 8, 64).mean.overflowed());
  CHECK(moments(0, 8, 2).squared_coefficient_of_variation().overflowed());
  CHECK(moments(0, 8, 2).coefficient_of_variation() > 1e308);
  CHECK(binomial_load(ratio{5, 4}, 100).mean.overflowed());
  CHECK(binomial_load(ratio{5, 4}, 100).variance.overflowed());
  CHECK(binomial_load(ratio{1, 4}, -1).mean.overflowed());
}
