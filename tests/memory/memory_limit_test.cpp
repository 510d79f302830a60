#include <moeplan/memory/memory_limit.hpp>

#include <doctest/doctest.h>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::literals;

namespace {

constexpr bytes limit(bytes memory, bytes usable, const workload& w) {
  const saturating_count n = detail::memory_limit({.cluster = {.gpu = {.memory = memory, .usable_memory = usable}}, .workload = w});
  return bytes{n.bits};
}

BOTH_TIMES("what a driver leaves, or the nominal memory where that is not known", [] {
  EXPECT(limit(80_GiB, 79_GiB, training{}) == 79_GiB);
  EXPECT(limit(80_GiB, {}, training{}) == 80_GiB);
  EXPECT(limit({}, 79_GiB, serving{}) == 79_GiB);
  EXPECT(limit({}, {}, serving{}) == 0_B);
});

BOTH_TIMES("less what is set aside, down to nothing", [] {
  EXPECT(limit(80_GiB, 79_GiB, training{.reserve = 4_GiB}) == 75_GiB);
  EXPECT(limit(80_GiB, 79_GiB, serving{.reserve = 4_GiB}) == 75_GiB);
  EXPECT(limit(80_GiB, 79_GiB, serving{.reserve = 79_GiB}) == 0_B);
  EXPECT(limit(80_GiB, 79_GiB, serving{.reserve = 100_GiB}) == 0_B);
});

TEST_CASE("a memory that outgrows 64 bits says so, whatever is set aside") {
  deployment d{.workload = training{.reserve = 4_GiB}};
  d.cluster.gpu.memory = bytes{count{~std::uint64_t{0} / 2} * 4};
  CHECK(detail::memory_limit(d).overflowed());
}

} // namespace
