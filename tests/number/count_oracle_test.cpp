#include <moeplan/number/count.hpp>
#include <moeplan/number/divisors.hpp>

#include <doctest/doctest.h>

#include "number/oracle.hpp"

using namespace moeplan;
using oracle::integer;

namespace {

const integer top{count::top};

/// Exact, or overflowed exactly where the true result is no count.
bool right(count result, const integer& truth) {
  if (truth < 0 || truth >= top) return result.overflowed();
  return !result.overflowed() && integer{result.value()} == truth;
}

constexpr int tries = 400'000;

} // namespace

TEST_CASE("counts are exact or say that they are not") {
  oracle::operands operands{1};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const std::uint64_t x = operands.next();
    const std::uint64_t y = operands.next();
    const count a = x;
    const count b = y;
    if (a.overflowed() || b.overflowed()) {
      if (!(a + b).overflowed() || !(a - b).overflowed() || !(a * b).overflowed()) ++wrong;
      if (!(a / b).overflowed() || !(a % b).overflowed()) ++wrong;
      continue;
    }
    if (!right(a + b, integer{x} + y)) ++wrong;
    if (!right(a - b, integer{x} - y)) ++wrong;
    if (!right(a * b, integer{x} * y)) ++wrong;
    if (!right(a / b, y == 0 ? integer{-1} : integer{x} / y)) ++wrong;
    if (!right(a % b, y == 0 ? integer{-1} : integer{x} % y)) ++wrong;
    if ((a < b) != (x < y) || (a == b) != (x == y)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("sums of products overflow exactly where the largest term does") {
  oracle::operands operands{2};
  int wrong = 0;
  for (int i = 0; i < tries / 4; ++i) {
    count sum = 0;
    integer truth = 0;
    bool exceeded = false;
    for (int term = 0; term < 4; ++term) {
      const std::uint64_t x = operands.next() >> 20;
      const std::uint64_t y = operands.next() >> 20;
      sum += count{x} * y;
      truth += integer{x} * y;
      exceeded = exceeded || truth >= top;
    }
    if (sum.overflowed() != exceeded || (!exceeded && integer{sum.value()} != truth)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("greatest common divisor and least common multiple") {
  oracle::operands operands{3};
  int wrong = 0;
  for (int i = 0; i < tries / 4; ++i) {
    const std::uint64_t x = operands.next();
    const std::uint64_t y = operands.next();
    if (integer{gcd(x, y)} != boost::multiprecision::gcd(integer{x}, integer{y})) ++wrong;
    if (x == 0 || y == 0 || x == count::top || y == count::top) continue;
    const integer truth = boost::multiprecision::lcm(integer{x}, integer{y});
    if (!right(lcm<count>(x, y), truth)) ++wrong;
    if (lcm<integer>(x, y) != truth) ++wrong;
  }
  CHECK(wrong == 0);
}
