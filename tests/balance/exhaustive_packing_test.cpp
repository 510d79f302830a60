#include <moeplan/balance/exhaustive_packing.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balance/random_pool.hpp"

using namespace moeplan::detail;
using namespace moeplan_test;

namespace {

struct answer {
  std::int64_t most = 0;
  bool all = false;
};

answer search(const random_pool& r, std::int64_t enough, std::int64_t steps) {
  auto storage = r.storage();
  packing p{r.pool(), storage};
  static_cast<void>(spread_copies(p.pool, p.copies, p.order));
  deal(p);
  std::vector<std::int64_t> more(static_cast<std::size_t>(every_packing::storage(r.experts(), r.slots, r.gpus)));
  const bool all = every_packing{p, more}.run(enough, steps);
  CHECK(whole(p));
  return {p.most(), all};
}

TEST_CASE("every packing is tried") {
  random_pools pools{7};
  for (int i = 0; i < 400; ++i) {
    const random_pool r = pools.next(1 + pools.below(4));
    CAPTURE(i);
    const answer a = search(r, -1, 1'000'000'000);
    CHECK(a.all);
    CHECK(a.most == tried_packings{r}.least());
  }
}

TEST_CASE("it ends early where that is enough, or where there are too many") {
  const random_pool r{{50, 40, 30, 20, 10}, 8, 4};
  const std::int64_t least = tried_packings{r}.least();
  CHECK(search(r, least, 1'000'000).most == least);
  const answer given_up = search(r, -1, 1);
  CHECK(!given_up.all);
  CHECK(given_up.most >= least);
}

TEST_CASE("how many ways there are to distribute slots") {
  const auto ways = [](std::size_t experts, std::int64_t slots, std::int64_t limit) {
    const std::vector<std::int64_t> loads(experts, 1);
    return every_packing::distributions({loads, slots, 1}, limit);
  };
  CHECK(ways(8, 16, 1'000'000) == 6435);  // 15 over 7
  CHECK(ways(12, 16, 1'000'000) == 1365); // 15 over 4
  CHECK(ways(1, 9, 100) == 1);
  CHECK(ways(9, 9, 100) == 1);
  CHECK(ways(8, 16, 6435) == 6435);
  CHECK(ways(8, 16, 100) == 100);
  CHECK(ways(256, 288, 1'000'000'000'000) == 1'000'000'000'000);
  CHECK(ways(1024, 1'000'000, 20'000) == 20'000);
}

} // namespace
