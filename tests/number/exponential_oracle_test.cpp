// The exponential function against long double.
#include <moeplan/number/exponential.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace moeplan;

namespace {

/// The error in units in the last place of the exact value.
double error_in_ulp(double x) {
  const long double exact = std::exp(static_cast<long double>(x));
  int exponent = 0;
  std::frexp(exact, &exponent);
  const long double ulp = std::ldexp(1.0L, exponent - 53 < -1074 ? -1074 : exponent - 53);
  return static_cast<double>(std::abs(static_cast<long double>(exponential(x)) - exact) / ulp);
}

double worst_error(double from, double to, int cases) {
  std::mt19937_64 random{20240601};
  double worst = 0;
  for (int i = 0; i < cases; ++i) {
    const double share = static_cast<double>(random() >> 11) * 0x1p-53;
    const double error = error_in_ulp(from + share * (to - from));
    if (error > worst) worst = error;
  }
  return worst;
}

} // namespace

TEST_CASE("the error is below 1 ulp") {
  static_assert(sizeof(long double) > sizeof(double));
  CHECK(worst_error(-0.35, 0.35, 1'000'000) < 1);
  CHECK(worst_error(-2, 2, 1'000'000) < 1);
  CHECK(worst_error(-708, 709, 1'000'000) < 1);
  CHECK(worst_error(-745, -708, 200'000) < 1);
  CHECK(worst_error(-1e-6, 1e-6, 200'000) < 1);
}
