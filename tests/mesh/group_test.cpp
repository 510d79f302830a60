#include <moeplan/mesh/group.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool holds(const rank_group& group, std::initializer_list<std::int64_t> ranks) {
  if (group.size() != static_cast<std::int64_t>(ranks.size())) return false;
  std::int64_t i = 0;
  for (const std::int64_t rank : ranks)
    if (group[i++] != rank) return false;
  auto member = group.begin();
  for (const std::int64_t rank : ranks)
    if (*member++ != rank) return false;
  return member == group.end();
}

struct strided_axis {
  std::int64_t size;
  std::int64_t stride;
};

constexpr strided_ranks ranks(std::initializer_list<strided_axis> axes) {
  strided_ranks all;
  for (const auto& a : axes) all.append(a.size, a.stride);
  return all;
}

BOTH_TIMES("a group along one axis", [] {
  EXPECT(holds({5, ranks({{4, 10}})}, {5, 15, 25, 35}));
  EXPECT(holds({7, ranks({{1, 10}})}, {7}));
  EXPECT(holds({7, ranks({})}, {7}));
  EXPECT(rank_group(5, ranks({{4, 10}})).distances() == ranks({{4, 10}}));
});

BOTH_TIMES("axes that continue each other are one run", [] {
  const auto merged = ranks({{2, 1}, {3, 2}, {4, 6}});
  EXPECT(merged == ranks({{24, 1}}));
  EXPECT(holds({0, merged}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}));
  // An axis of size 1 between them changes nothing.
  EXPECT(ranks({{2, 1}, {1, 2}, {3, 2}}) == ranks({{6, 1}}));
});

BOTH_TIMES("axes with gaps between them are a run of runs", [] {
  EXPECT(holds({1, ranks({{2, 2}, {3, 8}})}, {1, 3, 9, 11, 17, 19}));
  EXPECT(holds({0, ranks({{2, 1}, {2, 4}, {2, 8}})}, {0, 1, 4, 5, 8, 9, 12, 13}));
  EXPECT(holds({0, ranks({{2, 1}, {2, 2}, {2, 8}})}, {0, 1, 2, 3, 8, 9, 10, 11}));
  EXPECT(ranks({{2, 1}, {2, 4}, {2, 8}}) == ranks({{2, 1}, {4, 4}}));
});

BOTH_TIMES("an iterator steps through the group again after a copy", [] {
  const rank_group group{1, ranks({{2, 2}, {3, 8}})};
  auto at = group.begin();
  ++at;
  const auto kept = at++;
  EXPECT(*kept == 3);
  EXPECT(*at == 9);
  EXPECT(!(kept == at));
});

BOTH_TIMES("iterators outlive their group", [] {
  auto at = rank_group{1, ranks({{2, 2}, {3, 8}})}.begin();
  EXPECT(*++at == 3);
  EXPECT(*++at == 9);
});

BOTH_TIMES("all groups, each by its leader", [] {
  const rank_groups all{100, ranks({{2, 1}, {2, 8}}), ranks({{2, 2}, {2, 16}})};
  EXPECT(all.size() == 4);
  EXPECT(all.group_size() == 4);
  EXPECT(holds(all[0], {100, 102, 116, 118}));
  EXPECT(holds(all[1], {101, 103, 117, 119}));
  EXPECT(holds(all[2], {108, 110, 124, 126}));
  EXPECT(holds(all[3], {109, 111, 125, 127}));
  std::int64_t i = 0;
  for (const rank_group group : all) EXPECT(group == all[i++]);
  EXPECT(i == 4);
});

} // namespace
