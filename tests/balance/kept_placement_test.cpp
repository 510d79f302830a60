#include <moeplan/balance/kept_placement.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "balance/best.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

using slots = std::vector<std::int32_t>;

/// A placement that comes after `before`, and how many experts it moves.
struct kept {
  slots placement{};
  std::int64_t moves = 0;
};

kept keep(const placement_shape& s, const std::vector<std::int64_t>& loads, const slots& before,
          const std::vector<std::int64_t>& after, const detail::kept_placement::terms& terms) {
  std::vector<std::int64_t> storage(static_cast<std::size_t>(detail::kept_placement::storage(s)), 0x5555555555555555);
  detail::kept_placement k{s, s, loads, before, storage};
  kept found;
  found.moves = k.keep(after, terms);
  for (const std::int64_t e : k.placed()) found.placement.push_back(static_cast<std::int32_t>(e));
  CHECK(found.moves == copies_to_fetch(s, before, found.placement));
  return found;
}

constexpr placement_shape three_gpus{.experts = 6, .slots = 6, .gpus = 3};
const std::vector<std::int64_t> six_loads{5, 5, 5, 5, 5, 5};

TEST_CASE("the same placement with other names") {
  const kept k = keep(three_gpus, six_loads, {0, 1, 2, 3, 4, 5}, {5, 4, 1, 0, 3, 2}, {});
  CHECK(k.moves == 0);
  CHECK(k.placement == slots{0, 1, 2, 3, 4, 5});
}

TEST_CASE("what a GPU keeps stays in its slot") {
  // Two GPUs exchange one expert, and the new placement names them the other way round. The old one is as even: nothing moves.
  const detail::kept_placement::terms new_one{.from_previous = false};
  const kept k = keep(three_gpus, six_loads, {0, 1, 2, 3, 4, 5}, {4, 5, 2, 1, 3, 0}, new_one);
  CHECK(k.moves == 2);
  CHECK(k.placement[4] == 4);
  CHECK(k.placement[5] == 5);
  CHECK((k.placement[0] == 0) != (k.placement[1] == 1));
  CHECK((k.placement[2] == 2) != (k.placement[3] == 3));
  CHECK(keep(three_gpus, six_loads, {0, 1, 2, 3, 4, 5}, {4, 5, 2, 1, 3, 0}, {}).moves == 0);
}

TEST_CASE("one copy is enough to help") {
  // 9 + 1, 5 + 5, 1 + 1: with another expert's slot on the last GPU for the hot one, its copies carry 4.5.
  constexpr placement_shape s{.experts = 5, .slots = 6, .gpus = 3};
  const std::vector<std::int64_t> loads{9'000, 1'000, 5'000, 4'000, 1'000};
  const slots before{0, 1, 2, 3, 4, 1};
  const std::vector<std::int64_t> even{0, 1, 2, 4, 0, 3}; // 5.5, 6, 8.5
  const kept k = keep(s, loads, before, even, {.most_moves = 1});
  CHECK(k.moves == 1);
  std::vector<std::int32_t> copies(5);
  count_copies(k.placement, copies);
  CHECK(copies[0] == 2);
  CHECK(evaluate({s, loads, k.placement, copies}).max_load == 9'000); // The second GPU is the busiest one now.
  CHECK(keep(s, loads, before, even, {.most_moves = 0}).placement == before);
}

struct change {
  placement_shape shape{};
  placement_policy policy = placement_policy::global;
  std::vector<std::int64_t> before{};
  std::vector<std::int64_t> after{};
};

class changes {
public:
  explicit changes(std::uint64_t seed) : random_{seed} {}

  change next() {
    for (;;) {
      change c;
      c.shape.gpus = std::int64_t{1} << below(4);
      c.shape.slots = c.shape.gpus * (1 + below(7));
      c.shape.experts = 1 + below(c.shape.slots);
      if (below(2) == 0) {
        c.policy = placement_policy::hierarchical;
        c.shape.nodes = 2;
        c.shape.groups = 4;
      }
      if (!check_shape(c.shape, c.policy).ok() || c.shape.slots_per_gpu() * c.shape.nodes > c.shape.experts) continue;
      for (std::int64_t e = 0; e < c.shape.experts; ++e) {
        const std::int64_t load = 1 + below(1000);
        const std::int64_t shift = below(400) - 200;
        c.before.push_back(load);
        c.after.push_back(std::max<std::int64_t>(0, load + shift));
      }
      return c;
    }
  }

private:
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  std::mt19937_64 random_;
};

TEST_CASE("fewer moves for the same evenness, and no more than allowed") {
  changes all{13};
  std::int64_t plain = 0;
  std::int64_t moved = 0;
  for (int i = 0; i < 300; ++i) {
    const change c = all.next();
    CAPTURE(i);
    const best_layer before{c.shape, c.before, {.policy = c.policy, .trials = 100}};
    const best_layer fresh{c.shape, c.after, {.policy = c.policy, .trials = 100}};
    const best_layer after{c.shape, c.after, {.policy = c.policy, .trials = 100, .previous = before.physical_to_logical}};
    REQUIRE(after.found.error.ok());
    const std::int64_t fetched = copies_to_fetch(c.shape, before.physical_to_logical, fresh.physical_to_logical);
    CHECK(after.found.moves <= fetched);
    CHECK(after.found.moves == copies_to_fetch(c.shape, before.physical_to_logical, after.physical_to_logical));
    CHECK((c.policy == placement_policy::global || groups_stay_on_their_node(after.view())));
    const double good_enough = std::max(fresh.found.quality.max_load, 1.0003 * fresh.found.bound.max_load) * (1 + 1e-6);
    CHECK(after.found.quality.max_load <= good_enough);
    plain += fetched;
    moved += after.found.moves;
    const double unmoved = evaluate({c.shape, c.after, before.physical_to_logical, before.logical_count}).max_load;
    for (const std::int64_t most : {0, 2, 6}) {
      const best_layer limited{
          c.shape,
          c.after,
          {.policy = c.policy, .trials = 100, .previous = before.physical_to_logical, .most_moves = optional_integer{most}}};
      REQUIRE(limited.found.error.ok());
      CHECK(limited.found.moves <= most);
      CHECK(limited.found.moves == copies_to_fetch(c.shape, before.physical_to_logical, limited.physical_to_logical));
      CHECK(limited.found.quality.max_load <= unmoved * (1 + 1e-9));
      CHECK(limited.found.quality.gpus_with_an_expert_twice == 0);
      CHECK((c.policy == placement_policy::global || groups_stay_on_their_node(limited.view())));
    }
  }
  MESSAGE("moves " << moved << " where placements made anew take " << plain);
  CHECK(moved < plain * 8 / 10);
}

} // namespace
