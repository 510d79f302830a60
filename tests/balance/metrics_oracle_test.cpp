// Every metric of random loads, from one to 64 bits long, against integers and fractions without bound.
#include <moeplan/balance/entropy.hpp>
#include <moeplan/balance/gini.hpp>
#include <moeplan/balance/metrics.hpp>
#include <moeplan/balance/real_metrics.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "number/wide_oracle.hpp"

using namespace moeplan;
using oracle::fraction;
using oracle::integer;
using oracle::truth_of;

namespace {

constexpr int tries = 3'000;

/// 2 to 24 loads, as long as one another or not, now and then equal or next to one another.
std::vector<std::int64_t> draw(oracle::operands& operands) {
  const std::uint64_t kind = operands.next() % 4;
  const std::uint64_t base = operands.next() >> 1;
  std::vector<std::int64_t> loads(2 + operands.next() % 23);
  for (std::int64_t& load : loads) {
    const std::uint64_t any = operands.next();
    if (kind == 0) load = static_cast<std::int64_t>(any % 100);
    if (kind == 1) load = static_cast<std::int64_t>(base - (base == 0 ? 0 : any % 2));
    if (kind == 2) load = static_cast<std::int64_t>(~any >> 1);
    if (kind == 3) load = static_cast<std::int64_t>(any >> 1);
  }
  return loads;
}

struct truth {
  integer n;
  integer sum;
  integer largest;
  integer squares;     // of n x_i - sum, that is of n deviations
  integer differences; // of all ordered pairs
  explicit truth(const std::vector<std::int64_t>& loads) : n{loads.size()} {
    for (const std::int64_t x : loads) {
      sum += x;
      if (x > largest) largest = x;
    }
    for (const std::int64_t x : loads) {
      const integer deviation = n * x - sum;
      squares += deviation * deviation;
      for (const std::int64_t y : loads) differences += abs(integer{x} - integer{y});
    }
  }
};

bool is(const wide_ratio& r, const integer& numerator, const integer& denominator) {
  return !r.overflowed() && truth_of(r.numerator) * denominator == numerator * truth_of(r.denominator);
}

bool near(double x, const fraction& truth, double absolute) { return abs(fraction{x} - truth) <= fraction{absolute}; }

} // namespace

TEST_CASE("exact metrics are exact") {
  oracle::operands operands{1};
  int wrong = 0;
  int idle = 0;
  for (int i = 0; i < tries; ++i) {
    const std::vector<std::int64_t> loads = draw(operands);
    const load_metrics m = metrics(loads);
    const truth t{loads};
    const integer n = t.n;
    if (t.sum == 0) {
      ++idle;
      continue;
    }
    if (truth_of(m.sum) != t.sum || m.largest != t.largest) ++wrong;
    if (!is(m.mean(), t.sum, n)) ++wrong;
    if (!is(m.max_over_mean(), t.largest * n, t.sum)) ++wrong;
    if (!is(m.max_violation(), t.largest * n - t.sum, t.sum)) ++wrong;
    if (!is(m.efficiency(), t.sum, t.largest * n)) ++wrong;
    if (!is(m.variance(), t.squares, n * n * n)) ++wrong;
    if (!is(m.sample_variance(), t.squares, n * n * (n - 1))) ++wrong;
    if (!is(m.squared_coefficient_of_variation(), t.squares, n * t.sum * t.sum)) ++wrong;
    if (!is(m.sample_squared_coefficient_of_variation(), t.squares, (n - 1) * t.sum * t.sum)) ++wrong;
    std::vector<std::int64_t> scratch(loads.size());
    if (!is(gini(loads, scratch), t.differences, 2 * n * t.sum)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(idle < tries / 10);
}

TEST_CASE("the coefficient of variation is 0, and the maximum the mean, if and only if the loads are equal") {
  oracle::operands operands{2};
  int wrong = 0;
  int equal = 0;
  for (int i = 0; i < tries; ++i) {
    std::vector<std::int64_t> loads = draw(operands);
    if (i % 3 == 0)
      for (std::int64_t& load : loads) load = loads[0];
    const load_metrics m = metrics(loads);
    std::vector<std::int64_t> scratch(loads.size());
    const bool all_equal = m.smallest == m.largest;
    equal += all_equal ? 1 : 0;
    if ((m.squared_coefficient_of_variation() == wide_ratio{0}) != all_equal) ++wrong;
    if ((m.coefficient_of_variation() == 0) != all_equal) ++wrong;
    if ((m.max_over_mean() == wide_ratio{1}) != all_equal) ++wrong;
    if ((gini(loads, scratch) == wide_ratio{0}) != all_equal) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(equal >= tries / 3);
}

TEST_CASE("one part of n has all") {
  oracle::operands operands{3};
  int wrong = 0;
  for (std::int64_t n = 2; n <= 300; ++n) {
    const auto load = static_cast<std::int64_t>(operands.next() >> 1 | 1);
    const std::uint64_t place = operands.next();
    std::vector<std::int64_t> loads(static_cast<std::size_t>(n));
    std::vector<std::int64_t> scratch(loads.size());
    loads[place % loads.size()] = load;
    const load_metrics m = metrics(loads);
    if (m.max_violation() != wide_ratio{n - 1}) ++wrong;
    if (m.squared_coefficient_of_variation() != wide_ratio{n - 1}) ++wrong;
    const double variation = std::sqrt(static_cast<double>(n - 1));
    if (std::fabs(m.coefficient_of_variation() - variation) > 0x1p-50 * variation) ++wrong;
    if (m.sample_squared_coefficient_of_variation() != wide_ratio{n}) ++wrong;
    if (gini(loads, scratch) != ratio{n - 1, n}) ++wrong;
    if (normalised_entropy(loads) != 0) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("metrics of doubles are as near to the exact ones as they promise") {
  oracle::operands operands{4};
  int wrong = 0;
  for (int i = 0; i < tries; ++i) {
    std::vector<std::int64_t> loads = draw(operands);
    std::vector<double> doubles;
    for (std::int64_t& load : loads) {
      load >>= 11; // 52 bits
      doubles.push_back(static_cast<double>(load));
    }
    const load_metrics exact = metrics(loads);
    if (exact.sum == uint256{0}) continue;
    const real_load_metrics m = metrics(array_view<const double>{doubles});
    const fraction imbalance = truth_of(exact.max_over_mean());
    const double scale = exact.max_over_mean().to_double() * 1.01;
    if (!near(m.sum, fraction{truth_of(exact.sum)}, m.sum * 0x1p-52)) ++wrong;
    if (!near(m.max_over_mean(), imbalance, scale * 0x1p-51)) ++wrong;
    if (!near(m.max_violation(), imbalance - 1, scale * 0x1p-51)) ++wrong;
    if (!near(m.efficiency(), 1 / imbalance, 0x1p-51 * 1.01 * m.efficiency())) ++wrong;
    const double variation = exact.coefficient_of_variation();
    if (std::fabs(m.coefficient_of_variation() - variation) > 0x1p-50 * (1 + variation)) ++wrong;
    std::vector<double> scratch(doubles.size());
    std::vector<std::int64_t> integer_scratch(loads.size());
    const fraction coefficient = truth_of(gini(loads, integer_scratch));
    const double real_coefficient = gini(doubles, scratch);
    if (!near(real_coefficient, coefficient, real_coefficient * 0x1p-50)) ++wrong;
  }
  CHECK(wrong == 0);
}

#if __LDBL_MANT_DIG__ >= 64
TEST_CASE("the normalised entropy is as near as it promises") {
  oracle::operands operands{5};
  int wrong = 0;
  for (int i = 0; i < 10 * tries; ++i) {
    const std::vector<std::int64_t> loads = draw(operands);
    long double sum = 0;
    for (const std::int64_t load : loads) sum += static_cast<long double>(load);
    if (sum == 0) continue;
    long double entropy = 0;
    for (const std::int64_t load : loads) {
      const long double share = static_cast<long double>(load) / sum;
      if (share > 0) entropy -= share * std::log(share);
    }
    entropy /= std::log(static_cast<long double>(loads.size()));
    if (std::fabs(normalised_entropy(loads) - entropy) > 0x1p-50L) ++wrong;
  }
  CHECK(wrong == 0);
}
#endif
