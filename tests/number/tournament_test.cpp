#include <moeplan/number/tournament.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("the smallest key as keys change", [] {
  std::uint64_t storage[tournament::storage(3)]{};
  tournament t{storage, 3};
  t.set(0, 5);
  t.set(1, 4);
  t.set(2, 6);
  t.play();
  EXPECT(t.smallest() == 4);
  t.replace(1, 9);
  EXPECT(t.smallest() == 5);
  t.replace(2, 1);
  EXPECT(t.smallest() == 1);
  t.replace(2, ~std::uint64_t{0});
  EXPECT(t.smallest() == 5);
});

BOTH_TIMES("one key", [] {
  std::uint64_t storage[tournament::storage(1)]{};
  tournament t{storage, 1};
  t.set(0, 5);
  t.play();
  EXPECT(t.smallest() == 5);
  t.replace(0, 7);
  EXPECT(t.smallest() == 7);
});

} // namespace

TEST_CASE("any number of keys, against a search") {
  std::mt19937_64 random{1};
  for (std::size_t n = 1; n <= 40; ++n) {
    std::vector<std::uint64_t> storage(static_cast<std::size_t>(tournament::storage(static_cast<std::int64_t>(n))));
    std::vector<std::uint64_t> keys(n);
    tournament t{storage, static_cast<std::int64_t>(n)};
    for (std::size_t i = 0; i < n; ++i) {
      keys[i] = random() % 50;
      t.set(static_cast<std::int64_t>(i), keys[i]);
    }
    t.play();
    for (int change = 0; change < 200; ++change) {
      CHECK(t.smallest() == *std::min_element(keys.begin(), keys.end()));
      const std::size_t i = random() % n;
      keys[i] = random() % 50;
      t.replace(static_cast<std::int64_t>(i), keys[i]);
    }
  }
}
