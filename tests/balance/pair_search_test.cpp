#include <moeplan/balance/pair_search.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balance/random_pool.hpp"

using namespace moeplan::detail;
using namespace moeplan_test;

namespace {

TEST_CASE("numbers of copies for two slots a GPU") {
  random_pools pools{6};
  int optimal = 0;
  int better = 0;
  constexpr int cases = 1000;
  for (int i = 0; i < cases; ++i) {
    const random_pool r = pools.next(2);
    auto storage = r.storage();
    packing p{r.pool(), storage};
    const std::int64_t heaviest = spread_copies(p.pool, p.copies, p.order);
    deal(p);
    const std::int64_t dealt = level(p, 0);
    std::vector<std::int64_t> more(static_cast<std::size_t>(pair_search::storage(r.experts(), r.slots)));
    const std::int64_t most = pair_search{p, more}.run(0, 300, 32);
    CAPTURE(i);
    CHECK(whole(p));
    CHECK(most == p.most());
    CHECK(most <= dealt);
    CHECK(most >= heaviest);
    const std::int64_t least = tried_packings{r}.least();
    CHECK(most >= least);
    optimal += most == least ? 1 : 0;
    better += most < dealt ? 1 : 0;
  }
  CHECK(optimal > cases * 9 / 10);
  CHECK(better > cases / 20);
}

TEST_CASE("a search ends when that is enough") {
  const random_pool r{{100, 90, 10, 10, 10}, 6, 3};
  auto storage = r.storage();
  packing p{r.pool(), storage};
  static_cast<void>(spread_copies(p.pool, p.copies, p.order));
  deal(p);
  const auto copies = std::vector<std::int64_t>(p.copies.begin(), p.copies.end());
  std::vector<std::int64_t> more(static_cast<std::size_t>(pair_search::storage(r.experts(), r.slots)));
  const std::int64_t most = pair_search{p, more}.run(1000, 300, 32);
  CHECK(most <= 1000);
  CHECK(std::vector<std::int64_t>(p.copies.begin(), p.copies.end()) == copies); // Nothing was tried.
}

} // namespace
