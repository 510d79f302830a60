#include <moeplan/balance/partner_bound.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balance/random_pool.hpp"

using namespace moeplan::detail;
using namespace moeplan_test;

namespace {

std::int64_t raised(const random_pool& r, std::int64_t reach, std::int64_t limit, std::int64_t rounds = 12,
                    std::int64_t iterations = 60) {
  std::vector<std::int64_t> storage(static_cast<std::size_t>(partner_bound::storage(r.experts())), 0x5555555555555555);
  return partner_bound{r.pool(), storage}.raise(reach, limit, rounds, iterations);
}

std::int64_t mean(const random_pool& r) {
  std::int64_t sum = 0;
  for (const std::int64_t load : r.loads) sum += load;
  return sum / r.gpus;
}

// Three heavy experts and three of nothing go together in pairs; with four heavy ones, two of them meet, and with no slot to spare
// none of them is split.
TEST_CASE("two heavy experts meet") {
  const random_pool r{{900'000, 900'000, 900'000, 900'000, 0, 0}, 6, 3};
  const std::int64_t bound = raised(r, mean(r), 2'000'000); // 1'800'000 is reached.
  CHECK(bound < 1'800'000);
  CHECK(bound > 1'798'000);
  const random_pool three{{900'000, 900'000, 900'000, 0, 0, 0}, 6, 3};
  CHECK(raised(three, mean(three), 2'000'000) <= 900'000);
}

// With no slot to spare, two of the others are on the hot expert's GPU: 10 + 4 + 4. The mean is 15.
TEST_CASE("a heavy copy has company") {
  const random_pool r{{10'000'000, 4'000'000, 4'000'000, 4'000'000, 4'000'000, 4'000'000}, 6, 2};
  const std::int64_t bound = raised(r, mean(r), 30'000'000);
  CHECK(bound < 18'000'000);
  CHECK(bound > 17'900'000);
  // With three of nothing beside two of four, the company costs less: 10, and 4 + 4 + 4 elsewhere.
  const random_pool light{{10'000'000, 4'000'000, 4'000'000, 0, 0, 4'000'000}, 6, 2};
  CHECK(raised(light, mean(light), 30'000'000) <= 12'000'000);
}

TEST_CASE("never more than what can be reached") {
  random_pools pools{12};
  int raised_at_all = 0;
  for (int i = 0; i < 600; ++i) {
    random_pool r = pools.next(2 + pools.below(3));
    for (std::int64_t& load : r.loads) load *= 840'000; // Shares are whole numbers then.
    r.where = moeplan::same_expert::together;
    if (!partner_bound::fits(r.pool())) continue;
    CAPTURE(i);
    const std::int64_t least = tried_packings{r}.least();
    const std::int64_t from = mean(r);
    // The limit is no help: it is far beyond what can be reached.
    const std::int64_t bound = raised(r, from, 4 * from + 1);
    CHECK(bound <= least);
    raised_at_all += bound > from ? 1 : 0;
  }
  CHECK(raised_at_all > 100);
}

// On every GPU one of twenty experts and a copy of each hot one: the mean is reached. The first hot one has 20 copies then, where 10
// would do. With no more than are looked at one by one, from 10 to 17, there would be too few light ones.
TEST_CASE("more copies than are looked at one by one") {
  random_pool r{std::vector<std::int64_t>(20, 1'000'000), 40, 20};
  r.loads.push_back(19'000'000);
  CHECK(mean(r) == 1'950'000);
  CHECK(raised(r, mean(r), 4 * mean(r)) == mean(r));
  r.loads.push_back(6'000'000);
  r.slots = 60;
  CHECK(raised(r, mean(r), 4 * mean(r)) == mean(r));
}

// 14 of 40 slots are for further copies, more than are looked at one by one. Of 26 equal experts n stay whole then. Below 4/3 of an
// expert's load they need copies of a quarter or less beside them: 4 experts have 14 / 3 times 4 of those at most, less than the 26 - 14 / 3
// that stay whole.
TEST_CASE("whole experts and the quarters of others") {
  const random_pool r{std::vector<std::int64_t>(26, 12'000'000), 40, 20};
  const std::int64_t bound = raised(r, mean(r), 2 * mean(r), 20, 300);
  CHECK(bound <= 16'000'000);
  CHECK(bound > 15'900'000); // The mean is 15.6.
}

TEST_CASE("pools that it cannot weigh") {
  const auto fits = [](std::int64_t slots, std::int64_t gpus) {
    const std::vector<std::int64_t> loads(4, 1);
    return partner_bound::fits({loads, slots, gpus});
  };
  CHECK(!fits(8, 8)); // nothing beside a copy
  CHECK(fits(288, 144));
  CHECK(fits((std::int64_t{1} << 20) - 2, (std::int64_t{1} << 19) - 1));
  CHECK(!fits(std::int64_t{1} << 20, std::int64_t{1} << 19));
  CHECK(fits(288, 32));
  CHECK(!fits(std::int64_t{1} << 15, std::int64_t{1} << 12));
}

} // namespace
