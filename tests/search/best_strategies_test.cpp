#include <moeplan/search/best_strategies.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

search_candidate random_candidate(std::mt19937_64& bits, std::uint64_t number) {
  search_candidate c;
  c.gpus = 1 + static_cast<std::int64_t>(bits() % 6);
  c.cluster_gpus = 6;
  c.memory_known = bits() % 10 != 0;
  c.peak_bytes = static_cast<std::int64_t>(bits() % 6);
  c.capacity_bytes = 8;
  c.bubble = {true, 10, static_cast<std::int64_t>(bits() % 6)};
  c.number = number;
  return c;
}

const ranking three = ranking::in_order(criterion::gpus, criterion::bubble, criterion::headroom);
const ranking weighed = ranking::by_weight(ranking::entry{criterion::gpus, 3}, ranking::entry{criterion::headroom, 5});

bool dominates(const search_candidate& a, const search_candidate& b) {
  bool better = false;
  for (const auto& e : three.criteria) {
    if (better_by(e.by, b, a)) return false;
    better |= better_by(e.by, a, b);
  }
  return better;
}

bool equal(const search_candidate& a, const search_candidate& b) {
  return std::all_of(three.criteria.begin(), three.criteria.end(),
                     [&](const auto& e) { return !better_by(e.by, a, b) && !better_by(e.by, b, a); });
}

} // namespace

TEST_CASE("the best k are the first k of all, sorted") {
  std::mt19937_64 bits{1};
  for (int round = 0; round < 200; ++round) {
    const ranking& by = round % 2 == 0 ? three : weighed;
    std::vector<search_candidate> all;
    std::array<search_candidate, 7> storage;
    best_strategies best{storage, by};
    const std::size_t n = bits() % 40;
    for (std::size_t i = 0; i < n; ++i) {
      all.push_back(random_candidate(bits, i));
      CHECK(!best(all.back()));
    }
    std::sort(all.begin(), all.end(), [&by](const auto& a, const auto& b) { return by.before(a, b); });
    if (all.size() > storage.size()) all.resize(storage.size());
    const std::vector<search_candidate> found{best.found().begin(), best.found().end()};
    CHECK((found == all));
  }
}

TEST_CASE("no storage keeps nothing") {
  best_strategies best{array_view<search_candidate>{}, three};
  CHECK(!best(search_candidate{}));
  CHECK(best.found().size() == 0);
}

TEST_CASE("the front holds what no other dominates, and of equals the first") {
  std::mt19937_64 bits{2};
  int larger = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<search_candidate> all;
    std::array<search_candidate, 64> storage;
    strategy_front front{storage, three};
    const std::size_t n = bits() % 60;
    for (std::size_t i = 0; i < n; ++i) {
      all.push_back(random_candidate(bits, i));
      CHECK(!front(all.back()));
    }
    std::vector<search_candidate> expected;
    for (const auto& c : all) {
      const bool beaten = std::any_of(all.begin(), all.end(), [&c](const auto& other) {
        return dominates(other, c) || (equal(other, c) && other.number < c.number);
      });
      if (!beaten) expected.push_back(c);
    }
    const std::vector<search_candidate> found{front.found().begin(), front.found().end()};
    CHECK((found == expected));
    CHECK(front.complete());
    larger += expected.size() > 3;
  }
  CHECK(larger > 20);
}

BOTH_TIMES("a front that does not fit says so", [] {
  search_candidate storage[1];
  strategy_front front{storage, ranking::in_order(criterion::gpus, criterion::layer_balance)};
  front({.gpus = 1, .layer_balance = {3, 2}});
  EXPECT(front.complete());
  front({.gpus = 2, .layer_balance = {4, 2}, .number = 1});
  EXPECT(front.complete());
  front({.gpus = 2, .layer_balance = {1, 1}, .number = 2});
  EXPECT(!front.complete());
  EXPECT(front.found().size() == 1);
  EXPECT(front.found()[0].gpus == 1);
});
