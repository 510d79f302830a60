#include <moeplan/balance/expert_popularity.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool is_near(double x, double expected, double error = 1e-13) {
  return x - expected <= error * expected && expected - x <= error * expected;
}

struct four {
  double chances[4]{};
  popularity_error error = popularity_error::none;
};

constexpr four drawn(array_view<const double> weights, std::int64_t top_k) {
  four result;
  double storage[64]{};
  result.error = successive_chances(weights, top_k, result.chances, storage);
  return result;
}

constexpr double halves[] = {2, 1, 1};

// 1/2, and as the second one 2/3 of what the others leave of it.
BOTH_TIMES("successive sampling of two of three experts", [] {
  const four two = drawn(halves, 2);
  EXPECT(two.error == popularity_error::none);
  EXPECT(is_near(two.chances[0], 5.0 / 6));
  EXPECT(is_near(two.chances[1], 7.0 / 12));
  EXPECT(is_near(two.chances[2], 7.0 / 12));
});

BOTH_TIMES("one choice by weight, and all experts for sure", [] {
  const four one = drawn(halves, 1);
  EXPECT(is_near(one.chances[0], 0.5));
  EXPECT(is_near(one.chances[2], 0.25));
  const four all = drawn(halves, 3);
  for (int i = 0; i < 3; ++i) EXPECT(is_near(all.chances[i], 1) && all.chances[i] <= 1);
});

BOTH_TIMES("weights have no unit, and an expert of none is not drawn", [] {
  constexpr double tiny[] = {2e-300, 0, 1e-300, 1e-300};
  const four two = drawn(tiny, 2);
  EXPECT(is_near(two.chances[0], 5.0 / 6));
  EXPECT(two.chances[1] == 0);
  EXPECT(is_near(two.chances[3], 7.0 / 12));
});

// The expert of weight 1 is always drawn; then both others are equally likely.
BOTH_TIMES("weights of different orders of magnitude", [] {
  constexpr double far_apart[] = {1, 1e-40, 1e-40};
  const four two = drawn(far_apart, 2);
  EXPECT(is_near(two.chances[0], 1));
  EXPECT(is_near(two.chances[1], 0.5));
  const four one = drawn(far_apart, 1);
  EXPECT(is_near(one.chances[1], 1e-40));
});

BOTH_TIMES("Zipf's law", [] {
  double weights[5]{};
  zipf_weights(1, weights);
  for (int i = 0; i < 5; ++i) EXPECT(is_near(weights[i], 1.0 / (i + 1), 1e-15));
  zipf_weights(0, weights);
  for (const double w : weights) EXPECT(w == 1);
  zipf_weights(0.5, weights);
  EXPECT(is_near(weights[3], 0.5, 1e-15));
  zipf_weights(2, weights);
  EXPECT(is_near(weights[4], 0.04, 1e-15));
});

constexpr std::int64_t measured[] = {30, 10, 0, 20}; // of 30 tokens that chose two each

BOTH_TIMES("chances of measured loads", [] {
  double chances[4]{};
  EXPECT(chances_of_loads(measured, 2, chances) == popularity_error::none);
  EXPECT(chances[0] == 1);
  EXPECT(is_near(chances[1], 1.0 / 3));
  EXPECT(chances[2] == 0);
  EXPECT(is_near(chances[3], 2.0 / 3));
  // Three choices each make 20 tokens, and no token chooses an expert twice.
  double untouched[] = {-7, -7, -7, -7};
  EXPECT(chances_of_loads(measured, 3, untouched) == popularity_error::load_above_all);
  constexpr std::int64_t last[] = {0, 1, 20, 30};
  EXPECT(chances_of_loads(last, 2, untouched) == popularity_error::load_above_all);
  for (const double chance : untouched) EXPECT(chance == -7);
  EXPECT(expected_load(measured, 0, 120) == ratio{60});
  EXPECT(expected_load(measured, 1, 100) == ratio{50, 3});
});

BOTH_TIMES("expected loads of all experts at once", [] {
  ratio expected[4]{};
  EXPECT(expected_loads(measured, 100, expected) == popularity_error::none);
  EXPECT(expected[0] == ratio{50} && expected[1] == ratio{50, 3} && expected[2] == ratio{0} && expected[3] == ratio{100, 3});
  for (std::int64_t i = 0; i < 4; ++i) EXPECT(expected[i] == expected_load(measured, i, 100));

  constexpr std::int64_t none[] = {0, 0};
  constexpr std::int64_t less[] = {5, -1};
  ratio untouched[4] = {{7}, {7}, {7}, {7}};
  EXPECT(expected_loads(measured, 100, array_view<ratio>{untouched, 3}) == popularity_error::too_little_storage);
  EXPECT(expected_loads(none, 100, untouched) == popularity_error::too_few_experts);
  EXPECT(expected_loads(less, 100, untouched) == popularity_error::not_a_weight);
  for (const ratio& x : untouched) EXPECT(x == ratio{7});
});

BOTH_TIMES("what is wrong", [] {
  constexpr double negative[] = {1, -1};
  constexpr double infinite[] = {1, __builtin_inf()};
  constexpr double unknown[] = {1, __builtin_nan("")};
  constexpr double huge[] = {1.7e308, 1.7e308};
  constexpr double too_far[] = {1, 1e-280};
  EXPECT(drawn(negative, 1).error == popularity_error::not_a_weight);
  EXPECT(drawn(infinite, 1).error == popularity_error::not_a_weight);
  EXPECT(drawn(unknown, 1).error == popularity_error::not_a_weight);
  EXPECT(drawn(huge, 1).error == popularity_error::not_a_weight);
  EXPECT(drawn(too_far, 1).error == popularity_error::weights_too_far_apart);
  EXPECT(drawn(halves, 4).error == popularity_error::too_few_experts);
  EXPECT(drawn(halves, 0).error == popularity_error::too_few_experts);
  constexpr double one_of_two[] = {1, 0};
  EXPECT(drawn(one_of_two, 2).error == popularity_error::too_few_experts);

  double chances[4]{};
  double storage[16]{};
  EXPECT(successive_chances_storage(3, 2) == 14);
  EXPECT(successive_chances(halves, 2, chances, array_view<double>{storage, 13}) == popularity_error::too_little_storage);
  EXPECT(successive_chances(halves, 2, array_view<double>{chances, 2}, storage) == popularity_error::too_little_storage);
  EXPECT(successive_chances(halves, 2, chances, array_view<double>{storage, 14}) == popularity_error::none);

  constexpr std::int64_t none[] = {0, 0};
  constexpr std::int64_t less[] = {5, -1};
  EXPECT(chances_of_loads(none, 1, chances) == popularity_error::too_few_experts);
  EXPECT(chances_of_loads(less, 1, chances) == popularity_error::not_a_weight);
  EXPECT(chances_of_loads(measured, 0, chances) == popularity_error::too_few_experts);
  EXPECT(chances_of_loads(measured, 2, array_view<double>{chances, 3}) == popularity_error::too_little_storage);
});

} // namespace

TEST_CASE("at run time loads that do not fit say so") {
  const std::int64_t huge[] = {INT64_MAX, INT64_MAX, INT64_MAX};
  double chances[3]{};
  CHECK(chances_of_loads(huge, 1, chances) == popularity_error::overflowed);
  CHECK(expected_load(huge, 0, 10).overflowed());
  ratio expected[3]{};
  CHECK(expected_loads(huge, 10, expected) == popularity_error::overflowed);
  const std::int64_t two[] = {INT64_MAX - 1, 1};
  CHECK(expected_loads(two, count{count::top - 2}, expected) == popularity_error::none);
  CHECK(expected[0].overflowed()); // (2^64 - 3) (2^63 - 2) / (2^63 - 1), which has no common divisors
  CHECK(expected[1] == ratio{count::top - 2, INT64_MAX});
}
