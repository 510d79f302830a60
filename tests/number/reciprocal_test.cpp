#include <moeplan/number/reciprocal.hpp>

#include <random>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// Around every boundary: 1, 2^31, 2^32, the top; and divisors whose reciprocals round badly.
constexpr std::int64_t edges[] = {1,          2,
                                  3,          5,
                                  6,          7,
                                  9,          10,
                                  11,         641,
                                  65535,      65536,
                                  65537,      2147483647,
                                  2147483648, 2147483649,
                                  4294967291, 4294967294,
                                  4294967295, 4294967296,
                                  4294967297, 6700417,
                                  1LL << 40,  (1LL << 62) - 1,
                                  1LL << 62,  INT64_MAX - 1,
                                  INT64_MAX};

BOTH_TIMES("quotients of numbers on every boundary", [] {
  for (const std::int64_t divisor : edges) {
    const reciprocal by{divisor};
    EXPECT(by.quotient(0) == 0);
    for (const std::int64_t n : edges) EXPECT(by.quotient(n) == n / divisor);
  }
});

BOTH_TIMES("around multiples of the divisor", [] {
  for (const std::int64_t divisor : edges) {
    const reciprocal by{divisor};
    for (const std::int64_t factor : {1LL, 2LL, 3LL, 1000LL, 4294967295LL}) {
      if (divisor > INT64_MAX / factor - 1) continue;
      const std::int64_t n = divisor * factor;
      EXPECT(by.quotient(n - 1) == (n - 1) / divisor);
      EXPECT(by.quotient(n) == factor);
      EXPECT(by.quotient(n + 1) == (n + 1) / divisor);
    }
  }
});

BOTH_TIMES("multiplication alone reaches up to a divisor of 2^32", [] {
  constexpr long long limit = 1LL << 32;
  for (const long long divisor : {1LL, 2LL, 3LL, 641LL, limit - 1, limit})
    for (const long long n : {0LL, 1LL, 640LL, 641LL, limit - 2, limit - 1})
      EXPECT(reciprocal{divisor}.narrow_quotient(n) == n / divisor);
});

BOTH_TIMES("dividing by 1 changes nothing", [] {
  EXPECT(reciprocal{}.quotient(5) == 5);
  EXPECT(reciprocal{} == reciprocal{1});
  EXPECT(reciprocal{1}.quotient(INT64_MAX) == INT64_MAX);
});

} // namespace

TEST_CASE("quotients against plain division") {
  std::mt19937_64 random{1};
  const auto draw = [&] { return static_cast<std::int64_t>(random() >> (1 + random() % 63)); };
  int wrong = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t divisor = draw() | 1;
    const std::int64_t multiple = draw() / divisor * divisor;
    const reciprocal by{divisor};
    for (const std::int64_t n : {draw(), multiple, multiple == 0 ? divisor - 1 : multiple - 1})
      if (by.quotient(n) != n / divisor) ++wrong;
  }
  // The largest 32-bit operands, where a multiplication has the least precision to spare.
  for (std::int64_t divisor = (1LL << 32) - 1000; divisor < 1LL << 32; ++divisor)
    for (std::int64_t n = (1LL << 32) - 1000; n < 1LL << 32; ++n)
      if (reciprocal{divisor}.quotient(n) != n / divisor) ++wrong;
  CHECK(wrong == 0);
}

TEST_CASE("every small number by every small divisor") {
  int wrong = 0;
  for (std::int64_t divisor = 1; divisor <= 2048; ++divisor)
    for (std::int64_t n = 0; n <= 4096; ++n)
      if (reciprocal{divisor}.quotient(n) != n / divisor) ++wrong;
  CHECK(wrong == 0);
}
