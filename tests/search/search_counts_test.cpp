#include <moeplan/search/search_counts.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

BOTH_TIMES("each rule has its count", [] {
  search_counts counts;
  counts.rejected[static_cast<std::size_t>(rule::experts_divide_by_ep)] = 3;
  counts.rejected[static_cast<std::size_t>(rule::stage_fits_memory)] = 4;
  EXPECT(counts.rejected_by(rule::experts_divide_by_ep) == 3);
  EXPECT(counts.rejected_by(rule::stage_fits_memory) == 4);
  EXPECT(counts.rejected_by(rule::gpus_are_available) == 0);
});

BOTH_TIMES("what is decided is legal or rejected", [] {
  search_counts counts;
  EXPECT(counts.decided() == saturating_count{0});
  counts.legal = 5;
  counts.rejected[static_cast<std::size_t>(rule::experts_divide_by_ep)] = 3;
  counts.rejected[static_cast<std::size_t>(rule::stage_fits_memory)] = 4;
  EXPECT(counts.decided() == saturating_count{12});
});
