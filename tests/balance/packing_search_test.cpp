#include <moeplan/balance/packing_search.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "balance/random_pool.hpp"

using namespace moeplan::detail;
using namespace moeplan_test;

namespace {

TEST_CASE("the search goes on from where exchanges end, and never back") {
  random_pools pools{8};
  int optimal = 0;
  int better = 0;
  constexpr int cases = 500;
  for (int i = 0; i < cases; ++i) {
    const random_pool r = pools.next(3 + pools.below(2));
    auto storage = r.storage();
    auto second = r.storage();
    auto third = r.storage();
    packing p{r.pool(), storage};
    packing kept{r.pool(), second};
    packing best{r.pool(), third};
    static_cast<void>(spread_copies(p.pool, p.copies, p.order));
    deal(p);
    const std::int64_t dealt = level(p, 0);
    packing_search search{p, kept, best};
    const std::int64_t first = search.run(0, 50, 0);
    const std::int64_t most = search.run(0, 50, dealt / 8);
    CAPTURE(i);
    CHECK(whole(p));
    CHECK(most == p.most());
    CHECK(first <= dealt);
    CHECK(most <= first);
    const std::int64_t least = tried_packings{r}.least();
    CHECK(most >= least);
    optimal += most == least ? 1 : 0;
    better += most < dealt ? 1 : 0;
    CHECK(search.run(most, 50, 0) == most);
  }
  CHECK(optimal > cases * 3 / 4);
  CHECK(better > cases / 20);
}

} // namespace
