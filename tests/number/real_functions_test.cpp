#include <moeplan/number/real_functions.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr double infinity = __builtin_inf();
constexpr double smallest = 0x1p-1074;
constexpr double largest = 0x1.fffffffffffffp1023;

constexpr bool is_nan(double x) { return x != x; }
constexpr bool is_negative_zero(double x) { return x == 0 && 1 / __builtin_copysign(1.0, x) < 0; }

// Expected values are the correctly rounded ones, from 40 digits.

BOTH_TIMES("square roots", [] {
  EXPECT(square_root(1) == 1);
  EXPECT(square_root(4) == 2);
  EXPECT(square_root(144) == 12);
  EXPECT(square_root(0.25) == 0.5);
  EXPECT(square_root(2) == 1.4142135623730950488016887242096980785697);
  EXPECT(square_root(3) == 1.7320508075688772935274463415058723669428);
  EXPECT(square_root(10) == 3.1622776601683793319988935444327185337196);
});

BOTH_TIMES("square roots at the ends of the range", [] {
  EXPECT(square_root(smallest) == 0x1p-537);
  EXPECT(square_root(4 * smallest) == 0x1p-536);
  EXPECT(square_root(0x1p-1022) == 0x1p-511);
  EXPECT(square_root(largest) == 0x1.fffffffffffffp511);
  EXPECT(square_root(0) == 0);
  EXPECT(is_negative_zero(square_root(-0.0)));
  EXPECT(square_root(infinity) == infinity);
  EXPECT(is_nan(square_root(-1)));
  EXPECT(is_nan(square_root(-smallest)));
  EXPECT(is_nan(square_root(__builtin_nan(""))));
});

BOTH_TIMES("square roots of the numbers next to a square", [] {
  EXPECT(square_root(1 + 0x1p-52) == 1);
  EXPECT(square_root(1 + 0x1p-51) == 1 + 0x1p-52);
  EXPECT(square_root(1 - 0x1p-53) == 1 - 0x1p-53);
  EXPECT(square_root(4 - 0x1p-51) == 2 - 0x1p-52);
});

BOTH_TIMES("natural logarithms", [] {
  EXPECT(natural_logarithm(1) == 0);
  EXPECT(natural_logarithm(2) == 0.6931471805599453094172321214581765680755);
  EXPECT(natural_logarithm(0.5) == -0.6931471805599453094172321214581765680755);
  EXPECT(natural_logarithm(3) == 1.0986122886681096913952452369225257046475);
  EXPECT(natural_logarithm(10) == 2.3025850929940456840179914546843642076011);
  EXPECT(natural_logarithm(256) == 5.5451774444795624753378569716654125446040);
});

BOTH_TIMES("natural logarithms next to 1", [] {
  EXPECT(natural_logarithm(1 + 0x1p-52) == 0x1p-52 - 0x1p-105);
  EXPECT(natural_logarithm(1 - 0x1p-53) == -0x1p-53 - 0x1p-107);
});

BOTH_TIMES("natural logarithms at the ends of the range", [] {
  EXPECT(natural_logarithm(smallest) == -744.4400719213812622930605);
  EXPECT(natural_logarithm(0x1p-1022) == -708.3964185322641062244112);
  EXPECT(natural_logarithm(largest) == 709.7827128933839967276924);
  EXPECT(natural_logarithm(0) == -infinity);
  EXPECT(natural_logarithm(infinity) == infinity);
  EXPECT(is_nan(natural_logarithm(-1)));
  EXPECT(is_nan(natural_logarithm(__builtin_nan(""))));
});

} // namespace
