#include <moeplan/cost/by_link.hpp>

#include <moeplan/number/count.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("parts by link", [] {
  const by_link<int> parts{1, 20, 300, 4000};
  EXPECT(parts.nvlink() == 21);
  EXPECT(parts.network() == 4300);
  EXPECT(parts.sum() == 4321);
  EXPECT(by_link<int>{} == by_link<int>{0, 0, 0, 0});
  EXPECT((by_link<saturating_count>{~std::uint64_t{0} - 1, 1, 0, 0}.nvlink().overflowed()));
});

} // namespace
