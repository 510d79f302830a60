#include <moeplan/number/exponential.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr double infinity = __builtin_inf();

constexpr bool is_near(double x, double expected) {
  const double error = x < expected ? expected - x : x - expected;
  return error <= 0x1p-52 * expected;
}

// Expected values from 40 digits.

BOTH_TIMES("exponentials", [] {
  EXPECT(exponential(0) == 1);
  EXPECT(exponential(-0.0) == 1);
  EXPECT(is_near(exponential(1), 2.718281828459045235360287471352662497757));
  EXPECT(is_near(exponential(-1), 0.3678794411714423215955237701614608674458));
  EXPECT(is_near(exponential(10), 22026.46579480671651695790064528424436635));
  EXPECT(is_near(exponential(0.5), 1.648721270700128146848650787814163571654));
  EXPECT(is_near(exponential(-700), 9.859676543759770567054120846155230617e-305));
  EXPECT(is_near(exponential(700), 1.014232054735004509455329595231267616e304));
});

BOTH_TIMES("exponentials at the ends of the range", [] {
  EXPECT(exponential(0x1.62e42fefa39efp+9) < infinity); // 709.78
  EXPECT(exponential(0x1.62e42fefa39efp+9) > 0x1.fffffffffp1023);
  EXPECT(exponential(0x1.62e42fefa39f0p+9) == infinity);
  EXPECT(exponential(infinity) == infinity);
  EXPECT(exponential(-0x1.74910d52d3051p+9) == 0x1p-1074); // -745.13
  EXPECT(exponential(-0x1.74910d52d3053p+9) == 0);
  EXPECT(exponential(-infinity) == 0);
  EXPECT(exponential(0x1p-60) == 1);
  EXPECT(exponential(0x1p-1074) == 1);
  const double none = exponential(__builtin_nan(""));
  EXPECT(none != none);
});

BOTH_TIMES("the logarithm's inverse", [] {
  for (double x = 0x1p-40; x < 0x1p40; x *= 1.37) {
    const double back = exponential(natural_logarithm(x));
    const double error = back < x ? x - back : back - x;
    EXPECT(error <= 0x1p-47 * x); // half an ulp of ln(x), which is below 28
  }
});

} // namespace
