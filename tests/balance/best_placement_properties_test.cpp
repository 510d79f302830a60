// The best placement and its bound against all placements of many small layers.
#include <moeplan/balance/best_placement.hpp>
#include <moeplan/balance/placement_bound.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "balance/best.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

/// A multiple of every number of copies that occurs here: loads times this divide evenly.
constexpr std::int64_t whole = 840;

/// The least that the busiest GPU can carry, times `whole`: tries every number of copies and every GPU for every copy.
class every_placement {
public:
  every_placement(const placement_shape& s, const std::vector<std::int64_t>& loads, placement_policy policy, bool apart)
      : shape_{s}, loads_{loads}, hierarchical_{policy == placement_policy::hierarchical && s.nodes > 1}, apart_{apart} {
    copies_.assign(loads.size(), 1);
    held_.resize(static_cast<std::size_t>(s.gpus));
    carried_.assign(held_.size(), 0);
    choose_copies(0, s.slots - s.experts);
  }

  [[nodiscard]] std::int64_t least() const { return least_; }

private:
  void choose_copies(std::size_t e, std::int64_t extra) {
    if (e + 1 == loads_.size()) {
      copies_[e] = extra + 1;
      place(0, 0, 0);
      return;
    }
    for (std::int64_t more = 0; more <= extra; ++more) {
      copies_[e] = more + 1;
      choose_copies(e + 1, extra - more);
    }
  }

  /// Copies of one expert are alike, so that each goes to the GPU of the one before or a later one.
  void place(std::size_t e, std::int64_t copy, std::size_t first) {
    if (e == loads_.size()) {
      if (!hierarchical_ || obeys()) least_ = *std::max_element(carried_.begin(), carried_.end());
      return;
    }
    if (copy == copies_[e]) {
      place(e + 1, 0, 0);
      return;
    }
    const std::int64_t share = loads_[e] * whole / copies_[e];
    for (std::size_t g = first; g < held_.size(); ++g) {
      auto& held = held_[g];
      if (static_cast<std::int64_t>(held.size()) == shape_.slots_per_gpu() || carried_[g] + share >= least_) continue;
      if (apart_ && std::find(held.begin(), held.end(), e) != held.end()) continue;
      held.push_back(e);
      carried_[g] += share;
      place(e, copy + 1, g);
      carried_[g] -= share;
      held.pop_back();
    }
  }

  [[nodiscard]] bool obeys() const {
    std::vector<std::int32_t> slots;
    std::vector<std::int32_t> copies;
    for (const auto& held : held_)
      for (const std::size_t e : held) slots.push_back(static_cast<std::int32_t>(e));
    for (const std::int64_t n : copies_) copies.push_back(static_cast<std::int32_t>(n));
    return groups_stay_on_their_node({shape_, loads_, slots, copies});
  }

  placement_shape shape_;
  std::vector<std::int64_t> loads_;
  bool hierarchical_;
  bool apart_;
  std::vector<std::int64_t> copies_;
  std::vector<std::vector<std::size_t>> held_;
  std::vector<std::int64_t> carried_;
  std::int64_t least_ = std::numeric_limits<std::int64_t>::max();
};

struct small_layer {
  placement_shape shape{};
  placement_policy policy = placement_policy::global;
  std::vector<std::int64_t> loads{};
};

class small_layers {
public:
  explicit small_layers(std::uint64_t seed) : random_{seed} {}

  small_layer next() {
    for (;;) {
      small_layer l;
      l.shape.gpus = 1 + below(4);
      l.shape.slots = l.shape.gpus * (1 + below(4));
      l.shape.experts = 1 + below(6);
      if (below(3) == 0) {
        l.policy = placement_policy::hierarchical;
        l.shape.nodes = 2;
        l.shape.groups = below(2) == 0 ? 2 : 4;
      }
      if (l.shape.slots > 8 || l.shape.slots - l.shape.experts > 5 || !check_shape(l.shape, l.policy).ok()) continue;
      const std::int64_t kind = below(5);
      for (std::int64_t e = 0; e < l.shape.experts; ++e) l.loads.push_back(load(kind));
      return l;
    }
  }

private:
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }

  std::int64_t load(std::int64_t kind) {
    if (kind == 0) return below(10);
    if (kind == 1) return below(1000);
    if (kind == 2) return 1 + below(3);
    if (kind == 3) return 1000 / (1 + below(20));
    const bool hot = below(4) == 0;
    return below(hot ? 100'000 : 100);
  }

  std::mt19937_64 random_;
};

std::int64_t exact_most(const best_layer& b) {
  std::vector<std::int64_t> carried(static_cast<std::size_t>(b.shape.gpus), 0);
  for (std::size_t slot = 0; slot < b.physical_to_logical.size(); ++slot) {
    const auto e = static_cast<std::size_t>(b.physical_to_logical[slot]);
    carried[slot / static_cast<std::size_t>(b.shape.slots_per_gpu())] += b.loads[e] * whole / b.logical_count[e];
  }
  return *std::max_element(carried.begin(), carried.end());
}

/// Both are whole numbers below 2^53 here.
bool at_most(double load, std::int64_t most) { return load * static_cast<double>(whole) <= static_cast<double>(most); }

TEST_CASE("the best of all placements of small layers") {
  small_layers layers{1};
  int optimal = 0;
  int tight = 0;
  constexpr int cases = 12'000;
  for (int i = 0; i < cases; ++i) {
    const small_layer l = layers.next();
    CAPTURE(i);
    const std::int64_t node_experts = l.shape.experts / (l.policy == placement_policy::global ? 1 : l.shape.nodes);
    const std::int64_t node_gpus = l.shape.gpus / (l.policy == placement_policy::global ? 1 : l.shape.nodes);
    const bool can_be_apart = l.shape.slots_per_gpu() <= node_experts;
    REQUIRE((node_gpus >= 1 && node_experts >= 1));
    const std::int64_t together = every_placement{l.shape, l.loads, l.policy, false}.least();
    const std::int64_t apart = can_be_apart ? every_placement{l.shape, l.loads, l.policy, true}.least() : together;

    const best_layer b{l.shape, l.loads, {.policy = l.policy, .enough = ratio{1}, .trials = 2000}};
    REQUIRE(b.found.error.ok());
    CHECK((l.policy == placement_policy::global || groups_stay_on_their_node(b.view())));
    CHECK((!can_be_apart || b.found.quality.gpus_with_an_expert_twice == 0));
    const std::int64_t most = exact_most(b);
    CHECK(most >= (can_be_apart ? apart : together));
    CHECK((!can_be_apart || at_most(b.found.bound.max_load, apart)));
    optimal += most == apart ? 1 : 0;

    const best_layer t{l.shape, l.loads, {.policy = l.policy, .copies = same_expert::together, .enough = ratio{1}, .trials = 2000}};
    CHECK(exact_most(t) == together);
    CHECK(at_most(t.found.bound.max_load, together));

    std::vector<std::int64_t> scratch(static_cast<std::size_t>(placement_bound_scratch(l.shape)));
    const placement_bound bound = bound_placement(l.shape, l.loads, l.policy, scratch, 2000);
    CHECK(at_most(bound.max_load, together));
    tight += together == 0 || bound.max_load * static_cast<double>(whole) > 0.999999 * static_cast<double>(together) ? 1 : 0;
  }
  MESSAGE("optimal in " << optimal << ", bound within a millionth in " << tight << " of " << cases);
  CHECK(optimal == cases);
  CHECK(tight > cases * 3 / 4);
}

// No brute force reaches these; but no placement may be below its bound, nor hold what it must not.
TEST_CASE("placements and bounds of larger layers") {
  std::mt19937_64 random{2};
  const auto below = [&random](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    placement_shape s;
    s.gpus = 1 + below(24);
    s.slots = s.gpus * (1 + below(6));
    s.experts = s.slots - below(s.slots / 2 + 1);
    const std::int64_t steepness = below(4);
    std::vector<std::int64_t> loads;
    for (std::int64_t e = 0; e < s.experts; ++e) {
      const std::int64_t load = 1 + below(1'000'000);
      const std::int64_t divisor = 1 + steepness * below(s.experts);
      loads.push_back(load / divisor);
    }
    const same_expert copies = below(2) == 0 ? same_expert::apart : same_expert::together;
    const best_layer b{s, loads, {.copies = copies, .trials = 1000}};
    REQUIRE(b.found.error.ok());
    std::vector<std::int32_t> counted(loads.size());
    CHECK(check_placement(s, b.physical_to_logical, counted).ok());
    CHECK(counted == b.logical_count);
    const bool has_to = s.slots_per_gpu() > s.experts;
    CHECK((copies == same_expert::together || has_to || b.found.quality.gpus_with_an_expert_twice == 0));
    CHECK(b.found.bound.max_load <= b.found.quality.max_load * (1 + 1e-12));
    std::vector<std::int64_t> scratch(static_cast<std::size_t>(placement_bound_scratch(s)));
    const placement_bound bound = bound_placement(s, loads, placement_policy::global, scratch, 1000);
    CHECK(bound.max_load <= b.found.quality.max_load * (1 + 1e-12));
    CHECK(bound.max_over_mean >= 1);
    const best_layer again{s, loads, {.copies = copies, .trials = 1000}};
    CHECK(again.physical_to_logical == b.physical_to_logical);
  }
}

} // namespace
