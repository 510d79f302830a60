#include <moeplan/balance/scaled_loads.hpp>

#include <cstdint>
#include <limits>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::detail;

namespace {

constexpr std::int64_t top = std::numeric_limits<std::int64_t>::max();

BOTH_TIMES("small loads are exact", [] {
  constexpr std::int64_t loads[]{3, 5, 0};
  constexpr load_unit unit = unit_of(loads);
  EXPECT(unit.shift == 57); // 8 = 2^3, and 2^60 is all of it
  EXPECT(unit.total == std::int64_t{1} << 60);
  EXPECT(unit.units(5) == std::int64_t{5} << 57);
  EXPECT(unit.loads(unit.units(5)) == 5);
  EXPECT(unit.loads(unit.units(5) / 4) == 1.25);
  EXPECT(unit.loads(unit.mean(2)) == 4);
  EXPECT(unit.over_mean(unit.units(5), 2) == 1.25);
});

BOTH_TIMES("a third is rounded down, and so is what is divided by the mean", [] {
  constexpr std::int64_t loads[]{1, 1, 1};
  constexpr load_unit unit = unit_of(loads);
  const std::int64_t third = unit.units(1) / 3;
  EXPECT(unit.loads(third) <= 1.0 / 3);
  EXPECT(unit.loads(third) > 1.0 / 3 - 1e-16);
  const double quotient = unit.over_mean(third, 7); // 7 / 9
  EXPECT(quotient <= 7.0 / 9);
  EXPECT(quotient > 7.0 / 9 - 1e-15);
});

BOTH_TIMES("loads that 64 bits do not hold together", [] {
  constexpr std::int64_t loads[]{top, top, top, top, 1};
  constexpr load_unit unit = unit_of(loads);
  EXPECT(unit.shift == -5); // 2^65 - 3 in all
  EXPECT(unit.total == std::int64_t{1} << 60);
  EXPECT(unit.units(top) == (std::int64_t{1} << 58) - 1);
  EXPECT(unit.units(1) == 0);
  EXPECT(4 * unit.units(top) + unit.units(1) <= unit.total);
  EXPECT(unit.mean(4) == (std::int64_t{1} << 58) - 1); // less than the exact mean, which is less than 2^58
  EXPECT(unit.over_mean(unit.total, 1) == 1);
});

BOTH_TIMES("many times the mean", [] {
  constexpr std::int64_t loads[]{top};
  constexpr load_unit unit = unit_of(loads);
  EXPECT(unit.over_mean(unit.units(top), 2'000'000'000) <= 2e9);
  EXPECT(unit.over_mean(unit.units(top), 2'000'000'000) > 2e9 * (1 - 1e-15));
});

BOTH_TIMES("nothing at all", [] {
  constexpr std::int64_t loads[]{0, 0};
  constexpr load_unit unit = unit_of(loads);
  EXPECT(unit == load_unit{});
  EXPECT(unit.units(0) == 0);
  EXPECT(unit.loads(0) == 0);
  EXPECT(unit.over_mean(0, 5) == 1);
});

} // namespace
