#include <moeplan/number/wide_ratio.hpp>

#include <doctest/doctest.h>

#include "number/wide_oracle.hpp"

using namespace moeplan;
using oracle::fraction;
using oracle::integer;
using oracle::truth_of;

namespace {

constexpr int tries = 8'000;

wide_ratio draw(oracle::operands& operands) {
  for (;;) {
    const uint256 n = oracle::next_uint256(operands);
    const uint256 d = oracle::next_uint256(operands);
    if (!n.overflowed() && !d.overflowed() && d != uint256{0}) return {n, d};
  }
}

/// One that is nearly as large as another: quotients that part late.
wide_ratio near(const wide_ratio& r, oracle::operands& operands) {
  const uint256 n = r.numerator + uint256{operands.next() % 3};
  const uint256 d = r.denominator + uint256{operands.next() % 3};
  return n.overflowed() || d.overflowed() ? r : wide_ratio{n, d};
}

} // namespace

TEST_CASE("order and equality are exact") {
  oracle::operands operands{1};
  int wrong = 0;
  int close = 0;
  for (int i = 0; i < tries; ++i) {
    const wide_ratio a = draw(operands);
    const wide_ratio b = i % 2 == 0 ? near(a, operands) : draw(operands);
    const fraction x = truth_of(a);
    const fraction y = truth_of(b);
    if ((a < b) != (x < y) || (a > b) != (x > y) || (a <= b) != (x <= y) || (a >= b) != (x >= y) || (a == b) != (x == y)) ++wrong;
    if (a != b && a.to_double() == b.to_double()) ++close;
  }
  CHECK(wrong == 0);
  CHECK(close > tries / 20); // pairs that floating point would call equal
}

TEST_CASE("lowest terms, and as a ratio where they fit") {
  oracle::operands operands{2};
  int wrong = 0;
  int fits = 0;
  for (int i = 0; i < tries; ++i) {
    // A common factor of up to 128 bits.
    const uint256 factor{uint128{operands.next()} * operands.next()};
    const uint256 n = uint256{operands.next()} * factor;
    const uint256 d = uint256{operands.next()} * factor;
    if (d == uint256{0}) continue;
    const wide_ratio r{n, d};
    const fraction truth = truth_of(r);
    const wide_ratio lowest = r.lowest_terms();
    if (truth_of(lowest.numerator) != numerator(truth) || truth_of(lowest.denominator) != denominator(truth)) ++wrong;
    const ratio narrow = r.to_ratio();
    if (narrow.overflowed()) {
      if (numerator(truth) < integer{count::top} && denominator(truth) < integer{count::top}) ++wrong;
      continue;
    }
    ++fits;
    if (fraction{integer{narrow.numerator.value()}, integer{narrow.denominator.value()}} != truth) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(fits > tries / 2);
}

TEST_CASE("as floating point it is as near as it promises") {
  oracle::operands operands{3};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const wide_ratio r = draw(operands);
    const fraction truth = truth_of(r);
    if (abs(fraction{r.to_double()} - truth) * (integer{1} << 50) > truth) ++wrong;
  }
  CHECK(wrong == 0);
}
