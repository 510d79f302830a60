#include <moeplan/number/uint256.hpp>

#include <doctest/doctest.h>

#include <cmath>

#include "number/wide_oracle.hpp"

using namespace moeplan;
using oracle::integer;
using oracle::truth_of;

namespace {

const integer top = truth_of(uint256::top());
constexpr int tries = 50'000;

/// The exact result if there is one below the top, else overflowed.
bool is(uint256 result, const integer& truth) {
  return truth >= 0 && truth < top ? !result.overflowed() && truth_of(result) == truth : result.overflowed();
}

} // namespace

TEST_CASE("sums, differences, products, quotients, order: exact, or overflowed where they must be") {
  oracle::operands operands{1};
  int wrong = 0;
  int overflowed = 0;
  for (int i = 0; i < tries; ++i) {
    const uint256 a = oracle::next_uint256(operands);
    const uint256 b = oracle::next_uint256(operands);
    if (a.overflowed() || b.overflowed()) continue;
    const integer x = truth_of(a);
    const integer y = truth_of(b);
    if (!is(a + b, x + y) || !is(a - b, x - y) || !is(a * b, x * y)) ++wrong;
    if (y != 0 && (!is(a / b, x / y) || !is(a % b, x % y))) ++wrong;
    if ((a < b) != (x < y) || (a == b) != (x == y)) ++wrong;
    if (a.bit_length() != (x == 0 ? 0 : static_cast<int>(msb(x)) + 1)) ++wrong;
    if ((a * b).overflowed()) ++overflowed;
  }
  CHECK(wrong == 0);
  CHECK(overflowed > tries / 10);
  CHECK(overflowed < tries * 9 / 10);
}

TEST_CASE("products of 128 bits") {
  oracle::operands operands{2};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const uint128 a = oracle::next_uint256(operands).low;
    const uint128 b = oracle::next_uint256(operands).low;
    if (truth_of(uint256::product(a, b)) != truth_of(a) * truth_of(b)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("as floating point it is as near as it promises") {
  oracle::operands operands{3};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const uint256 n = oracle::next_uint256(operands);
    if (n.overflowed()) continue;
    const integer truth = truth_of(n);
    const double rounded = n.to_double();
    if (abs(integer{rounded} - truth) * (integer{1} << 52) > truth) ++wrong;
    if (n.high == 0 && abs(integer{rounded} - truth) * 2 > integer{std::nextafter(rounded, 1e300)} - integer{rounded}) ++wrong;
  }
  CHECK(wrong == 0);
}
