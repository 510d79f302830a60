#include <moeplan/balance/expert_pool.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::detail;

namespace {

BOTH_TIMES("how often a GPU may hold an expert", [] {
  constexpr std::int64_t loads[]{1, 2, 3};
  EXPECT(expert_pool(loads, 6, 2).most_on_a_gpu == 1);
  EXPECT(expert_pool(loads, 8, 2).most_on_a_gpu == 2); // four slots, three experts
  EXPECT(expert_pool(loads, 12, 2).most_on_a_gpu == 2);
  EXPECT(expert_pool(loads, 14, 2).most_on_a_gpu == 3);
  EXPECT(expert_pool(loads, 6, 2, same_expert::together).most_on_a_gpu == 3);
  EXPECT(expert_pool(loads, 6, 2).most_copies() == 2);
});

/// The least that the heaviest copy can carry, by trying every number of copies up to `most`.
constexpr std::int64_t least_heaviest(const expert_pool& pool, std::int64_t e, std::int64_t slots, std::int64_t heaviest) {
  if (e == pool.experts()) return slots == 0 ? heaviest : std::int64_t{1} << 40;
  std::int64_t least = std::int64_t{1} << 40;
  for (std::int64_t copies = 1; copies <= slots && copies <= pool.most_copies(); ++copies) {
    const std::int64_t share = pool.share(e, copies);
    const std::int64_t next = least_heaviest(pool, e + 1, slots - copies, share > heaviest ? share : heaviest);
    least = next < least ? next : least;
  }
  return least;
}

constexpr void expect_least(const expert_pool& pool) {
  std::int64_t copies[4]{};
  std::int64_t heap[4]{};
  const std::int64_t heaviest = spread_copies(pool, {copies, pool.experts()}, {heap, pool.experts()});
  EXPECT(heaviest == least_heaviest(pool, 0, pool.slots, 0));
  std::int64_t all = 0;
  std::int64_t found = 0;
  for (std::int64_t e = 0; e < pool.experts(); ++e) {
    EXPECT(copies[e] >= 1);
    EXPECT(copies[e] <= pool.most_copies());
    all += copies[e];
    const std::int64_t share = pool.share(e, copies[e]);
    found = share > found ? share : found;
  }
  EXPECT(all == pool.slots);
  EXPECT(found == heaviest);
}

BOTH_TIMES("the heaviest copy is as light as it can be", [] {
  constexpr std::int64_t loads[]{2520, 1000, 130, 2000};
  for (std::int64_t gpus = 2; gpus <= 4; ++gpus)
    for (std::int64_t each = 1; each <= 5; ++each)
      if (gpus * each >= 4) expect_least({loads, gpus * each, gpus});
  constexpr std::int64_t hot[]{5000, 0, 1, 0};
  for (std::int64_t gpus = 2; gpus <= 4; ++gpus) expect_least({hot, 4 * gpus, gpus});
  for (std::int64_t gpus = 2; gpus <= 4; ++gpus) expect_least({hot, 2 * gpus, gpus, same_expert::together});
});

} // namespace
