#include <moeplan/number/draws.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

// The first numbers of SplitMix64 from 1234567, as published with the generator's reference implementation.
BOTH_TIMES("the published sequence", [] {
  draws d{1234567};
  EXPECT(d.next() == 6457827717110365317U);
  EXPECT(d.next() == 3203168211198807973U);
  EXPECT(d.next() == 9817491932198370423U);
  EXPECT(d.next() == 4593380528125082431U);
  EXPECT(d.next() == 16408922859458223821U);
});

BOTH_TIMES("every number below a limit and no other", [] {
  draws d;
  int met[7]{};
  for (int i = 0; i < 700; ++i) {
    const std::int64_t n = d.below(7);
    EXPECT(n >= 0);
    EXPECT(n < 7);
    ++met[n];
  }
  for (const int times : met) EXPECT(times > 50);
  EXPECT(d.below(1) == 0);
});

} // namespace
