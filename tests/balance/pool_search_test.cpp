#include <moeplan/balance/pool_search.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balance/random_pool.hpp"

using namespace moeplan::detail;
using namespace moeplan_test;

namespace {

TEST_CASE("whatever the number of slots a GPU has") {
  random_pools pools{9};
  int proven = 0;
  for (int i = 0; i < 500; ++i) {
    const random_pool r = pools.next(1 + pools.below(8));
    auto storage = r.storage();
    packing p{r.pool(), storage};
    std::vector<std::int64_t> more(static_cast<std::size_t>(pool_search_storage(r.experts(), r.slots, r.gpus)));
    const pool_verdict v = search_pool(p, 0, 3000, more);
    CAPTURE(i);
    CHECK(whole(p));
    CHECK(v.most == p.most());
    const std::int64_t least = tried_packings{r}.least();
    CHECK(v.most == least);
    proven += v.proven ? 1 : 0;
  }
  CHECK(proven > 475);
}

TEST_CASE("nothing is called proven that is not") {
  random_pools pools{10};
  int unproven = 0;
  for (int i = 0; i < 500; ++i) {
    const random_pool r = pools.next(2 + pools.below(3));
    auto storage = r.storage();
    packing p{r.pool(), storage};
    std::vector<std::int64_t> more(static_cast<std::size_t>(pool_search_storage(r.experts(), r.slots, r.gpus)));
    const pool_verdict v = search_pool(p, 0, pools.below(3), more);
    CHECK(whole(p));
    CHECK((!v.proven || v.most == tried_packings{r}.least()));
    unproven += v.proven ? 0 : 1;
  }
  CHECK(unproven > 50);
}

} // namespace
