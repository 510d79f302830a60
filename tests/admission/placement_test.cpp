#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "../support/both_times.hpp"
#include "jobs.hpp"

using namespace moeplan_test;
using admission::place;
using admission::placement;

namespace {

free_list gpus_of(const placement& p, const free_list& free) {
  free_list gpus;
  for (std::size_t node = 0; node < free.size(); ++node) gpus.push_back(p.gpus_on(node, free[node]));
  return gpus;
}

free_list placed(policy how, const free_list& free, std::int64_t gpus, std::int64_t unit) {
  return gpus_of(place(free, how, gpus, unit), free);
}

/// The fewest nodes that offer enough, by the definition: the first so many of them, the largest first.
std::int64_t fewest_nodes(free_list free, std::int64_t gpus, std::int64_t unit) {
  for (std::int64_t& n : free) n -= n % unit;
  std::sort(free.begin(), free.end(), std::greater<>{});
  std::int64_t nodes = 0;
  for (const std::int64_t n : free) {
    if (gpus <= 0) break;
    gpus -= n;
    ++nodes;
  }
  return gpus <= 0 ? nodes : 0;
}

} // namespace

TEST_CASE("first fit takes the nodes in their order") {
  CHECK(placed(policy::first_fit, {8, 8, 4, 0}, 12, 1) == free_list{8, 4, 0, 0});
  CHECK(placed(policy::first_fit, {3, 0, 8, 8}, 12, 1) == free_list{3, 0, 8, 1});
  CHECK(placed(policy::first_fit, {8, 8, 4, 0}, 8, 1) == free_list{8, 0, 0, 0});
  CHECK(placed(policy::first_fit, {8, 8, 4, 0}, 20, 1) == free_list{8, 8, 4, 0});
}

TEST_CASE("a node gives whole units") {
  CHECK(placed(policy::first_fit, {3, 7, 8, 8}, 12, 4) == free_list{0, 4, 8, 0});
  CHECK(placed(policy::best_fit, {3, 7, 8, 8}, 12, 4) == free_list{0, 4, 8, 0});
  CHECK(placed(policy::first_fit, {3, 7, 9}, 12, 2) == free_list{2, 6, 4});
}

TEST_CASE("best fit takes the fewest nodes, and puts the rest where it fits most tightly") {
  CHECK(placed(policy::best_fit, {8, 8, 4, 0}, 4, 1) == free_list{0, 0, 4, 0});
  CHECK(placed(policy::best_fit, {8, 8, 4, 0}, 12, 1) == free_list{8, 0, 4, 0});
  CHECK(placed(policy::best_fit, {3, 0, 8, 8}, 12, 1) == free_list{0, 0, 8, 4});
  CHECK(placed(policy::best_fit, {2, 5, 8, 6, 8}, 13, 1) == free_list{0, 5, 8, 0, 0});
  CHECK(placed(policy::best_fit, {6, 8, 6, 8}, 22, 1) == free_list{6, 8, 0, 8});
  CHECK(placed(policy::best_fit, {7, 7, 7}, 20, 1) == free_list{7, 7, 6});
  // Two of the three nodes offer four; the one with four is fuller than the one with five.
  CHECK(placed(policy::best_fit, {5, 2, 4}, 4, 4) == free_list{0, 0, 4});
}

TEST_CASE("what does not fit uses no node") {
  for (const policy how : {policy::first_fit, policy::best_fit}) {
    CHECK(place(free_list{8, 8, 4, 0}, how, 21, 1) == placement{});
    CHECK(place(free_list{3, 3, 3}, how, 4, 4) == placement{});
    CHECK(place(free_list{}, how, 1, 1) == placement{});
    CHECK(placed(how, {0, 0}, 1, 1) == free_list{0, 0});
  }
}

BOTH_TIMES("placing works at both times", [] {
  constexpr std::int64_t free[] = {6, 8, 2, 8};
  const placement p = place(free, policy::best_fit, 18, 2);
  EXPECT(p.nodes == 3);
  std::int64_t left[] = {6, 8, 2, 8};
  admission::take(p, left);
  EXPECT(left[0] == 6);
  EXPECT(left[1] == 0);
  EXPECT(left[2] == 0);
  EXPECT(left[3] == 0);
});

TEST_CASE("random placements") {
  random_jobs random{1};
  for (int i = 0; i < 20'000; ++i) {
    const free_list free = random.free(static_cast<std::size_t>(random.from_to(1, 12)), random.from_to(0, 16));
    const std::int64_t unit = random.from_to(1, 5);
    const std::int64_t gpus = unit * random.from_to(1, 24);
    const std::int64_t fewest = fewest_nodes(free, gpus, unit);
    CAPTURE(free);
    CAPTURE(gpus);
    CAPTURE(unit);
    std::int64_t nodes[2];
    for (const policy how : {policy::first_fit, policy::best_fit}) {
      const placement p = place(free, how, gpus, unit);
      const free_list on = gpus_of(p, free);
      nodes[how == policy::best_fit] = p.nodes;
      REQUIRE(std::accumulate(on.begin(), on.end(), std::int64_t{0}) == (fewest == 0 ? 0 : gpus));
      REQUIRE(std::count_if(on.begin(), on.end(), [](std::int64_t n) { return n > 0; }) == p.nodes);
      for (std::size_t node = 0; node < free.size(); ++node) {
        REQUIRE(on[node] <= free[node]);
        REQUIRE(on[node] % unit == 0);
      }
      free_list left = free;
      admission::take(p, left);
      REQUIRE(admission::sum(left) == admission::sum(free) - admission::sum(on));
    }
    REQUIRE((nodes[0] == 0) == (fewest == 0));
    REQUIRE(nodes[1] == fewest);
    REQUIRE(nodes[1] <= nodes[0]);
  }
}
