#include <moeplan/mesh/grid.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("strides multiply up along the order", [] {
  const grid g{{2, 3, 5, 7}, {0, 1, 2, 3}};
  EXPECT(g.by_place[0].stride == 1);
  EXPECT(g.by_place[1].stride == 2);
  EXPECT(g.by_place[2].stride == 6);
  EXPECT(g.by_place[3].stride == 30);
  const grid reversed{{2, 3, 5, 7}, {3, 2, 1, 0}};
  EXPECT(reversed.by_place[3].stride == 1);
  EXPECT(reversed.by_place[2].stride == 7);
  EXPECT(reversed.by_place[1].stride == 35);
  EXPECT(reversed.by_place[0].stride == 105);
});

BOTH_TIMES("a rank is the sum of its coordinates times strides", [] {
  const grid g{{2, 3, 5, 7}, {2, 0, 3, 1}};
  for (std::int64_t rank = 0; rank < 210; ++rank) {
    std::int64_t sum = 0;
    for (std::size_t place = 0; place < grid::axes; ++place) {
      EXPECT(g.coordinate(place, rank) >= 0);
      EXPECT(g.coordinate(place, rank) < g.by_place[place].size);
      sum += g.coordinate(place, rank) * g.by_place[place].stride;
    }
    EXPECT(sum == rank);
  }
});

BOTH_TIMES("axes of size 1 have coordinate 0", [] {
  const grid g{{1, 4, 1, 2}, {0, 1, 2, 3}};
  for (std::int64_t rank = 0; rank < 8; ++rank) {
    EXPECT(g.coordinate(0, rank) == 0);
    EXPECT(g.coordinate(1, rank) == rank % 4);
    EXPECT(g.coordinate(2, rank) == 0);
    EXPECT(g.coordinate(3, rank) == rank / 4);
  }
});

BOTH_TIMES("a default grid has one rank", [] {
  for (std::size_t place = 0; place < grid::axes; ++place) EXPECT(grid{}.coordinate(place, 0) == 0);
  EXPECT(grid{} == grid{{1, 1, 1, 1}, {0, 1, 2, 3}});
});

} // namespace
