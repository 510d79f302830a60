#include <moeplan/number/compensated_sum.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr double sum_of(std::initializer_list<double> numbers) {
  compensated_sum sum;
  for (const double x : numbers) sum += x;
  return sum.value();
}

BOTH_TIMES("small numbers after and before a large one are not lost", [] {
  EXPECT(sum_of({}) == 0);
  EXPECT(sum_of({1, 2, 3}) == 6);
  EXPECT(sum_of({1, 1e100, 1, -1e100}) == 2);
  EXPECT(sum_of({1e16, 1, 1, 1, 1}) == 1e16 + 4);
  EXPECT(sum_of({1, 1, 1, 1, 1e16}) == 1e16 + 4);
  EXPECT(sum_of({-1e16, -1, -1}) == -1e16 - 2);
});

BOTH_TIMES("a tenth ten thousand times", [] {
  compensated_sum sum;
  double plain = 0;
  for (int i = 0; i < 10'000; ++i) {
    sum += 0.1;
    plain += 0.1;
  }
  EXPECT(sum.value() == 1000); // 10000 x 0.1000000000000000055511 rounds to 1000
  EXPECT(plain != 1000);
});

} // namespace
