#include <moeplan/balance/packing.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::detail;

namespace {

/// Copies all dealt, each GPU full, none with an expert too often, loads as they are said to be.
constexpr bool whole(const packing& p) {
  for (std::int64_t e = 0; e < p.pool.experts(); ++e) {
    std::int64_t copies = 0;
    for (const std::int64_t other : p.expert) copies += other == e ? 1 : 0;
    if (copies != p.copies[e]) return false;
    for (std::int64_t g = 0; g < p.pool.gpus; ++g)
      if (p.held(g, p.pool.slots_per_gpu(), e) > p.pool.most_on_a_gpu) return false;
  }
  for (std::int64_t g = 0; g < p.pool.gpus; ++g) {
    std::int64_t load = 0;
    for (const std::int64_t e : p.slots_of(g)) load += p.pool.loads[e] / p.copies[e];
    if (load != p.carried[g]) return false;
  }
  return true;
}

// Graham, 1969: 3, 3, 2, 2, 2 on two machines, here with a sixth job of nothing.
BOTH_TIMES("the heaviest first, to the GPU with the least load", [] {
  constexpr std::int64_t loads[]{3, 3, 2, 2, 2, 0};
  std::int64_t storage[packing::storage(6, 6, 2)]{};
  packing p{{loads, 6, 2}, storage};
  for (std::int64_t& copies : p.copies) copies = 1;
  deal(p);
  EXPECT(whole(p));
  EXPECT(p.carried[0] == 7);
  EXPECT(p.carried[1] == 5);
  EXPECT(p.busiest() == 0);
  EXPECT(p.idlest() == 1);
  EXPECT(level(p, 0) == 6); // 3 + 3 and 2 + 2 + 2
  EXPECT(whole(p));
});

// The last copies of expert 2 find a free slot only beside another one: something else has to move there.
BOTH_TIMES("room is made for the last copy", [] {
  constexpr std::int64_t loads[]{100, 100, 4};
  std::int64_t storage[packing::storage(3, 4, 2)]{};
  packing p{{loads, 4, 2}, storage};
  p.copies[0] = p.copies[1] = 1;
  p.copies[2] = 2;
  deal(p);
  EXPECT(whole(p));
  constexpr std::int64_t light[]{9, 8, 7, 1};
  std::int64_t more[packing::storage(4, 6, 2)]{};
  packing q{{light, 6, 2}, more};
  q.copies[0] = q.copies[1] = 1;
  q.copies[2] = q.copies[3] = 2;
  deal(q);
  EXPECT(whole(q));
});

BOTH_TIMES("no more exchanges than it takes", [] {
  constexpr std::int64_t loads[]{9, 7, 5, 1};
  std::int64_t storage[packing::storage(4, 4, 2)]{};
  packing p{{loads, 4, 2}, storage};
  for (std::int64_t e = 0; e < 4; ++e) {
    p.copies[e] = 1;
    p.expert[e] = e;
  }
  p.count_shares();
  p.count_carried();
  EXPECT(p.most() == 16);
  EXPECT(level(p, 16) == 16);
  EXPECT(p.expert[0] == 0);
  const slot_exchange x = best_exchange(p, 0, 0);
  EXPECT(x.most == 12); // 7 for 1, or 9 for 5
  exchange(p, x);
  EXPECT(whole(p));
  EXPECT(p.most() == 12);
});

TEST_CASE("any numbers of copies can be dealt") {
  std::mt19937_64 random{3};
  const auto below = [&random](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t gpus = 1 + below(6);
    const std::int64_t slots = gpus * (1 + below(5));
    const std::int64_t experts = 1 + below(slots);
    std::vector<std::int64_t> loads;
    for (std::int64_t e = 0; e < experts; ++e) loads.push_back(below(50));
    const same_expert where = below(3) == 0 ? same_expert::together : same_expert::apart;
    std::vector<std::int64_t> storage(static_cast<std::size_t>(packing::storage(experts, slots, gpus)));
    packing p{{loads, slots, gpus, where}, storage};
    for (std::int64_t& copies : p.copies) copies = 1;
    for (std::int64_t left = slots - experts; left > 0;) {
      const std::int64_t e = below(experts);
      if (p.copies[e] == p.pool.most_copies()) continue;
      ++p.copies[e];
      --left;
    }
    deal(p);
    CAPTURE(i);
    REQUIRE(whole(p));
    const std::int64_t dealt = p.most();
    const std::int64_t most = level(p, 0);
    CHECK(whole(p));
    CHECK(most == p.most());
    CHECK(most <= dealt);
  }
}

} // namespace
