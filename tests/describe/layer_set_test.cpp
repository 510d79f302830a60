#include <moeplan/describe/layer_set.hpp>

#include <random>
#include <set>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("all layers", [] {
  EXPECT(layer_set::all().contains(0));
  EXPECT(layer_set::all().contains(1'000'000));
  EXPECT(layer_set::all().count_below(0) == 0);
  EXPECT(layer_set::all().count_below(61) == 61);
});

BOTH_TIMES("all but the first", [] {
  constexpr auto set = layer_set::after_first(3); // DeepSeek-V3
  EXPECT(!set.contains(2));
  EXPECT(set.contains(3));
  EXPECT(set.count_below(2) == 0);
  EXPECT(set.count_below(3) == 0);
  EXPECT(set.count_below(4) == 1);
  EXPECT(set.count_below(61) == 58);
});

BOTH_TIMES("every n-th", [] {
  constexpr auto set = layer_set::every_nth(4, 3); // the last of four, as with Llama 4's interleave_moe_layer_step
  EXPECT(!set.contains(0));
  EXPECT(set.contains(3));
  EXPECT(set.contains(7));
  EXPECT(set.count_below(3) == 0);
  EXPECT(set.count_below(4) == 1);
  EXPECT(set.count_below(48) == 12);
  EXPECT(layer_set::every_nth(2, 0).count_below(5) == 3);
});

BOTH_TIMES("a list", [] {
  constexpr auto set = layer_set::listed({true, false, true, true});
  EXPECT(set.contains(0));
  EXPECT(!set.contains(1));
  EXPECT(set.contains(2));
  EXPECT(set.contains(3));
  EXPECT(!set.contains(4)); // past the list
  EXPECT(set.count_below(2) == 1);
  EXPECT(set.count_below(4) == 3);
  EXPECT(set.count_below(200) == 3);
});

BOTH_TIMES("excluded layers", [] {
  layer_set set = layer_set::every_nth(2, 1);
  set.exclude(3);
  set.exclude(4); // was not in it
  EXPECT(set.excludes(3));
  EXPECT(!set.contains(3));
  EXPECT(set.count_below(3) == 1);
  EXPECT(set.count_below(4) == 1);
  EXPECT(set.count_below(8) == 3);
  set.exclude(255);
  EXPECT(set.excludes(255));
  EXPECT(!set.excludes(256));
  EXPECT(set.count_below(300) == 150 - 2);
});

BOTH_TIMES("counting does not walk through the layers", [] {
  constexpr std::int64_t end = std::int64_t{1} << 62;
  EXPECT(layer_set::after_first(3).count_below(end) == end - 3);
  EXPECT(layer_set::every_nth(4, 1).count_below(end) == end / 4);
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<layer_set::all(), layer_set::after_first(0)>);
static_assert(!name_the_same_type<layer_set::all(), layer_set::after_first(1)>);

/// Compares one set with the definition, layer by layer. Returns whether all agree.
bool agrees(const layer_set& set, const std::set<std::int64_t>& excluded) {
  std::int64_t expected = 0;
  for (std::int64_t layer = 0; layer < 300; ++layer) {
    if (set.count_below(layer) != expected) return false;
    const bool member = layer >= set.first && layer % set.every == set.phase && !excluded.contains(layer);
    if (set.contains(layer) != member) return false;
    if (member) ++expected;
  }
  return set.count_below(300) == expected;
}

} // namespace

TEST_CASE("every first, period and phase, with and without exclusions, against counting one by one") {
  std::mt19937_64 random{1};
  int disagreements = 0;
  for (std::int64_t first = 0; first < 9; ++first)
    for (std::int64_t every = 1; every < 8; ++every)
      for (std::int64_t phase = 0; phase < every; ++phase)
        for (const int exclusions : {0, 1, 3, 40}) {
          layer_set set{.first = first, .every = every, .phase = phase};
          std::set<std::int64_t> excluded;
          for (int i = 0; i < exclusions; ++i) {
            const auto layer = static_cast<std::int64_t>(random() % layer_set::listable);
            set.exclude(layer);
            excluded.insert(layer);
          }
          if (!agrees(set, excluded)) ++disagreements;
        }
  CHECK(disagreements == 0);
}
