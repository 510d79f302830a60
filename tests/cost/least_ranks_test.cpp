#include <moeplan/cost/least_ranks.hpp>

#include <moeplan/catalog/deepseek.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("as few as have room for eight experts", [] {
  const experts& e = catalog::deepseek_v3.experts; // 256
  EXPECT(least_ranks(e, 1) == 1 && least_ranks(e, 8) == 1 && least_ranks(e, 32) == 1);
  EXPECT(least_ranks(e, 64) == 2 && least_ranks(e, 128) == 4 && least_ranks(e, 256) == 8);
  EXPECT(least_ranks(e, 288, 32) == 8 && least_ranks(e, 32, 32) == 1); // nine on each of 32
});

BOTH_TIMES("where some of the choices are dropped", [] {
  const experts& e = catalog::deepseek_v3.experts;
  EXPECT(least_ranks_on_average(e, 64, 1) == 2 && least_ranks_on_average(e, 48 * 2, 1) == 4);
  EXPECT(least_ranks_on_average(e, 64, 0.75) == 1.5 && least_ranks_on_average(e, 8, 0.5) == 0.125);
});

} // namespace
