// Arithmetic of intervals against fractions without bound: every choice within the operands gives a result within the interval, and the
// ends are such results.
#include <moeplan/number/interval.hpp>

#include <doctest/doctest.h>

#include "number/wide_oracle.hpp"

using namespace moeplan;
using oracle::fraction;
using oracle::truth_of;

namespace {

constexpr int tries = 4'000;

wide_ratio draw_ratio(oracle::operands& from) {
  return {uint256{from.next() >> from.next() % 60}, uint256{(from.next() >> from.next() % 60) | 1}};
}

interval draw(oracle::operands& from) {
  const wide_ratio a = draw_ratio(from);
  const wide_ratio b = draw_ratio(from);
  return a < b ? interval{a, b} : interval{b, a};
}

fraction between(const interval& i, std::uint64_t part) {
  return truth_of(i.low) + (truth_of(i.high) - truth_of(i.low)) * static_cast<int>(part % 9) / 8;
}

/// How often the result of two drawn choices lies outside, or an end is not the truth.
template <class Of, class Truth>
int wrong_results(std::uint64_t seed, Of of, Truth truth) {
  oracle::operands from{seed};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const interval a = draw(from);
    const interval b = draw(from);
    const interval result = of(a, b);
    const fraction some = truth(between(a, from.next()), between(b, from.next()));
    if (result.overflowed()) {
      if (of(interval{a.high}, interval{b.low}).overflowed()) continue; // The whole is negative, or divided by 0.
      ++wrong;
    } else if (some >= 0 && (some < truth_of(result.low) || truth_of(result.high) < some)) {
      ++wrong;
    }
  }
  return wrong;
}

} // namespace

TEST_CASE("sums, differences, products and quotients hold what every choice gives") {
  const auto sum = [](const auto& a, const auto& b) { return decltype(a + b){a + b}; };
  CHECK(wrong_results(1, sum, [](const fraction& a, const fraction& b) { return fraction{a + b}; }) == 0);
  CHECK(wrong_results(
            2, [](const interval& a, const interval& b) { return a - b; },
            [](const fraction& a, const fraction& b) { return fraction{a - b}; }) == 0);
  CHECK(wrong_results(
            3, [](const interval& a, const interval& b) { return a * b; },
            [](const fraction& a, const fraction& b) { return fraction{a * b}; }) == 0);
  CHECK(wrong_results(
            4, [](const interval& a, const interval& b) { return a / b; },
            [](const fraction& a, const fraction& b) { return b == 0 ? fraction{-1} : fraction{a / b}; }) == 0);
}

TEST_CASE("of points they are exact") {
  oracle::operands from{5};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    const wide_ratio a = draw_ratio(from);
    const wide_ratio b = draw_ratio(from);
    const fraction x = truth_of(a);
    const fraction y = truth_of(b);
    if (truth_of((interval{a} + interval{b}).low) != x + y || truth_of((interval{a} * interval{b}).high) != x * y) ++wrong;
    if (y != 0 && truth_of((interval{a} / interval{b}).low) != x / y) ++wrong;
    if (y <= x && truth_of((interval{a} - interval{b}).high) != x - y) ++wrong;
    const interval up = interval{a}.rounded_up();
    if (truth_of(up.low) < x || truth_of(up.low) >= x + 1 || denominator(truth_of(up.low)) != 1) ++wrong;
  }
  CHECK(wrong == 0);
}
