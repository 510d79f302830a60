#include <moeplan/number/ratio.hpp>

#include <doctest/doctest.h>

#include <cmath>

#include "number/oracle.hpp"

using namespace moeplan;
using oracle::fraction;
using oracle::integer;

namespace {

const integer top{count::top};

fraction truth_of(ratio r) { return fraction{integer{r.numerator.value()}, integer{r.denominator.value()}}; }

bool representable(const fraction& f) { return f >= 0 && numerator(f) < top && denominator(f) < top; }

bool is(ratio result, const fraction& truth) { return !result.overflowed() && truth_of(result) == truth; }

/// Exact or overflowed, and overflowed for certain where the truth has no ratio.
bool right_or_overflowed(ratio result, const fraction& truth) {
  return result.overflowed() || (representable(truth) && is(result, truth));
}

ratio draw(oracle::operands& operands) {
  for (;;) {
    const std::uint64_t n = operands.next();
    const std::uint64_t d = operands.next();
    if (n != count::top && d != count::top && d != 0) return {n, d};
  }
}

/// One that is nearly as large as another: cross products that differ by little.
ratio near(ratio r, oracle::operands& operands) {
  const std::uint64_t n = r.numerator.value() + operands.next() % 3;
  const std::uint64_t d = r.denominator.value() + operands.next() % 3;
  return n < r.numerator.value() || n == count::top || d < r.denominator.value() || d == count::top ? r : ratio{n, d};
}

constexpr int tries = 200'000;

} // namespace

TEST_CASE("ratios are in lowest terms") {
  oracle::operands operands{1};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const std::uint64_t n = operands.next();
    const std::uint64_t d = operands.next();
    if (n == count::top || d == count::top || d == 0) continue;
    const fraction truth{integer{n}, integer{d}};
    const ratio r{n, d};
    if (integer{r.numerator.value()} != numerator(truth) || integer{r.denominator.value()} != denominator(truth)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("order and equality are exact") {
  oracle::operands operands{2};
  int wrong = 0;
  int close = 0;
  for (int i = 0; i < tries; ++i) {
    const ratio a = draw(operands);
    const ratio b = i % 2 == 0 ? near(a, operands) : draw(operands);
    const fraction x = truth_of(a);
    const fraction y = truth_of(b);
    if ((a < b) != (x < y) || (a > b) != (x > y) || (a <= b) != (x <= y) || (a >= b) != (x >= y) || (a == b) != (x == y)) ++wrong;
    if (a != b && a.to_double() == b.to_double()) ++close;
  }
  CHECK(wrong == 0);
  CHECK(close > 1000); // pairs that floating point would call equal
}

TEST_CASE("arithmetic is exact or says that it is not") {
  oracle::operands operands{3};
  int wrong = 0;
  int exact = 0;
  for (int i = 0; i < tries; ++i) {
    const ratio a = draw(operands);
    const ratio b = draw(operands);
    const fraction x = truth_of(a);
    const fraction y = truth_of(b);
    if (!right_or_overflowed(a + b, x + y)) ++wrong;
    if (!right_or_overflowed(a - b, x - y)) ++wrong;
    // Products and quotients are reduced before they are multiplied: they overflow only where they must.
    if (representable(x * y) ? !is(a * b, x * y) : !(a * b).overflowed()) ++wrong;
    if (y == 0 ? !(a / b).overflowed() : representable(x / y) ? !is(a / b, x / y) : !(a / b).overflowed()) ++wrong;
    if (!(a + b).overflowed()) ++exact;
  }
  CHECK(wrong == 0);
  CHECK(exact > tries / 10);
}

TEST_CASE("sums and differences of 32-bit fractions are always exact") {
  oracle::operands operands{4};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const ratio a{operands.next() >> 33, (operands.next() >> 33) + 1};
    const ratio b{operands.next() >> 33, (operands.next() >> 33) + 1};
    if (!is(a + b, truth_of(a) + truth_of(b))) ++wrong;
    const bool below_zero = truth_of(a) < truth_of(b);
    if (below_zero ? !(a - b).overflowed() : !is(a - b, truth_of(a) - truth_of(b))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("as floating point a ratio is as near as it promises") {
  oracle::operands operands{5};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const ratio r = draw(operands);
    const fraction truth = truth_of(r);
    if (abs(fraction{r.to_double()} - truth) * (integer{1} << 51) > truth) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("terms below 2^53 give the nearest double") {
  oracle::operands operands{6};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const ratio r{operands.next() >> 11, (operands.next() >> 11) | 1};
    const double rounded = r.to_double();
    const fraction error = abs(fraction{rounded} - truth_of(r));
    if (error > abs(fraction{std::nextafter(rounded, 1e300)} - truth_of(r))) ++wrong;
    if (rounded > 0 && error > abs(fraction{std::nextafter(rounded, 0.0)} - truth_of(r))) ++wrong;
  }
  CHECK(wrong == 0);
}
