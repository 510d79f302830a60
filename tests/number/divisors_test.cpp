#include <moeplan/number/divisors.hpp>

#include <moeplan/number/count.hpp>

#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("greatest common divisor", [] {
  EXPECT(gcd(12, 18) == 6);
  EXPECT(gcd(18, 12) == 6);
  EXPECT(gcd(7, 13) == 1);
  EXPECT(gcd(0, 5) == 5);
  EXPECT(gcd(5, 0) == 5);
  EXPECT(gcd(0, 0) == 0);
});

BOTH_TIMES("least common multiple", [] {
  EXPECT(lcm<count>(4, 6) == 12);
  EXPECT(lcm<count>(7, 13) == 91);
  EXPECT(lcm<std::uint64_t>(8, 8) == 8);
  EXPECT(lcm<saturating_count>(std::uint64_t{1} << 63, 3).overflowed());
});

BOTH_TIMES("nearest divisors", [] {
  EXPECT(nearest_divisors(256, 60) == nearest{.below = 32, .above = 64});
  EXPECT(nearest_divisors(256, 64) == nearest{.below = 32, .above = 128}); // itself is left out
  EXPECT(nearest_divisors(256, 1) == nearest{.below = 0, .above = 2});
  EXPECT(nearest_divisors(256, 0) == nearest{.below = 0, .above = 1});
  EXPECT(nearest_divisors(256, 256) == nearest{.below = 128, .above = 0});
  EXPECT(nearest_divisors(256, 300) == nearest{.below = 256, .above = 0});
  EXPECT(nearest_divisors(61, 4) == nearest{.below = 1, .above = 61});
  EXPECT(nearest_divisors(1, 1) == nearest{.below = 0, .above = 0});
  EXPECT(nearest_divisors(1, UINT64_MAX) == nearest{.below = 1, .above = 0});
});

BOTH_TIMES("divisors out of reach are not looked for", [] {
  constexpr std::uint64_t prime = 1'000'003;
  EXPECT(nearest_divisors(prime, 500'000) == nearest{.below = 0, .above = 0});
  EXPECT(nearest_divisors(prime, 1 + nearest_divisor_reach) == nearest{.below = 1, .above = 0});
  EXPECT(nearest_divisors(prime, 2 + nearest_divisor_reach) == nearest{.below = 0, .above = 0});
  EXPECT(nearest_divisors(prime, prime - nearest_divisor_reach) == nearest{.below = 0, .above = prime});
  EXPECT(nearest_divisors(UINT64_MAX, UINT64_MAX - 1) == nearest{.below = 0, .above = UINT64_MAX});
});

BOTH_TIMES("nearest multiples", [] {
  EXPECT(nearest_multiples(8, 60) == nearest{.below = 56, .above = 64});
  EXPECT(nearest_multiples(8, 64) == nearest{.below = 56, .above = 72}); // itself is left out
  EXPECT(nearest_multiples(8, 3) == nearest{.below = 0, .above = 8});
  EXPECT(nearest_multiples(8, 0) == nearest{.below = 0, .above = 8});
  EXPECT(nearest_multiples(1, 5) == nearest{.below = 4, .above = 6});
  EXPECT(nearest_multiples(UINT64_MAX, 5) == nearest{.below = 0, .above = UINT64_MAX});
  EXPECT(nearest_multiples(2, UINT64_MAX) == nearest{.below = UINT64_MAX - 1, .above = 0});
});

} // namespace

TEST_CASE("nearest divisors and multiples of small numbers, against a list of all") {
  int wrong = 0;
  for (std::uint64_t number = 1; number <= 200; ++number)
    for (std::uint64_t value = 0; value <= 220; ++value) {
      nearest divisors;
      nearest multiples;
      for (std::uint64_t d = 1; d <= number; ++d) {
        if (number % d != 0) continue;
        if (d < value) divisors.below = d;
        if (d > value && divisors.above == 0) divisors.above = d;
      }
      for (std::uint64_t m = number; m <= 600; m += number) {
        if (m < value) multiples.below = m;
        if (m > value && multiples.above == 0) multiples.above = m;
      }
      if (!(nearest_divisors(number, value) == divisors)) ++wrong;
      if (!(nearest_multiples(number, value) == multiples)) ++wrong;
    }
  CHECK(wrong == 0);
}
