#include <moeplan/number/real_functions.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

using namespace moeplan;

namespace {

double from_bits(std::uint64_t bits) { return __builtin_bit_cast(double, bits); }

/// Positive doubles: of every exponent, below 2^-1022 too; around 1; and the neighbours of squares.
template <class Try>
void every_kind_of_double(const Try& try_number) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 400'000; ++i) {
    const double any = from_bits(random() >> 1);
    if (std::isfinite(any) && any > 0) try_number(any);
    const double subnormal = from_bits(random() >> (12 + i % 52));
    if (subnormal > 0) try_number(subnormal);
    const double near_one = 1 + std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), -64 - i % 54);
    try_number(near_one);
    const auto root = static_cast<double>(random() >> 38);
    if (root > 0) {
      try_number(root * root);
      try_number(std::nextafter(root * root, 0.0));
      try_number(std::nextafter(root * root, 1e300));
    }
  }
}

} // namespace

TEST_CASE("square roots are those of the processor") {
  int wrong = 0;
  every_kind_of_double([&](double x) { wrong += square_root(x) != std::sqrt(x) ? 1 : 0; });
  CHECK(wrong == 0);
}

// The oracle has to have at least ten bits more.
#if __LDBL_MANT_DIG__ >= 64
TEST_CASE("natural logarithms are within 0.6 units in the last place") {
  int wrong = 0;
  every_kind_of_double([&](double x) {
    const long double truth = std::log(static_cast<long double>(x));
    int exponent = 0;
    std::frexp(truth, &exponent);
    const long double unit = std::ldexp(1.0L, exponent - std::numeric_limits<double>::digits);
    if (std::fabs(natural_logarithm(x) - truth) > 0.6L * unit) ++wrong;
  });
  CHECK(wrong == 0);
}
#endif
