#include <moeplan/balance/division.hpp>

#include <moeplan/balance/metrics.hpp>

#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool is(const division& d, std::initializer_list<std::int64_t> sizes) {
  if (d.parts != static_cast<std::int64_t>(sizes.size())) return false;
  for (std::int64_t p = 0; p < d.parts; ++p)
    if (d.size(p) != sizes.begin()[p]) return false;
  return true;
}

BOTH_TIMES("256 experts on 64 GPUs: four each", [] {
  const division d{.items = 256, .parts = 64};
  EXPECT(d.even());
  EXPECT(d.mean() == ratio{4});
  EXPECT(d.smallest() == 4);
  EXPECT(d.largest() == 4);
  EXPECT(d.left_over() == 0);
  EXPECT(d.variance() == ratio{0});
  EXPECT(d.max_over_mean() == ratio{1});
  EXPECT(d.efficiency() == ratio{1});
});

// vLLM reports 86, 85 and 85 local experts of 256 with EP 3.
BOTH_TIMES("256 experts on 3 GPUs", [] {
  const division d{.items = 256, .parts = 3};
  EXPECT(!d.even());
  EXPECT(is(d, {86, 85, 85}));
  EXPECT(d.mean() == ratio{256, 3});
  EXPECT(d.max_over_mean() == ratio{129, 128});
  EXPECT(d.efficiency() == ratio{128, 129});
  EXPECT(d.variance() == ratio{2, 9});
});

// vLLM's layers over stages: 22 over 4, 5 over 3, 4 over 3, 3 over 2, as its test_pipeline_partition.py has them.
BOTH_TIMES("layers left over go before the last stage", [] {
  constexpr auto before_the_last = longer_parts::before_the_last;
  EXPECT(is({.items = 22, .parts = 4, .longer = before_the_last}, {5, 6, 6, 5}));
  EXPECT(is({.items = 5, .parts = 3, .longer = before_the_last}, {2, 2, 1}));
  EXPECT(is({.items = 4, .parts = 3, .longer = before_the_last}, {1, 2, 1}));
  EXPECT(is({.items = 3, .parts = 2, .longer = before_the_last}, {2, 1}));
  EXPECT(is({.items = 5, .parts = 1, .longer = before_the_last}, {5}));
});

BOTH_TIMES("61 layers on 4 stages", [] {
  EXPECT(is({.items = 61, .parts = 4, .longer = longer_parts::first}, {16, 15, 15, 15}));
  EXPECT(is({.items = 61, .parts = 4, .longer = longer_parts::before_the_last}, {15, 15, 16, 15}));
  EXPECT(is({.items = 61, .parts = 4, .longer = longer_parts::last}, {15, 15, 15, 16}));
});

BOTH_TIMES("fewer items than parts, and none", [] {
  EXPECT(is({.items = 2, .parts = 4}, {1, 1, 0, 0}));
  EXPECT(is({.items = 0, .parts = 3}, {0, 0, 0}));
  const division none{.items = 0, .parts = 3};
  EXPECT(none.even());
  EXPECT(none.max_over_mean() == ratio{1});
  EXPECT(none.efficiency() == ratio{1});
  EXPECT(none.variance() == ratio{0});
});

/// Against listing the parts, and the metrics of the list.
constexpr void expect_lists(const division& d) {
  std::int64_t sizes[7]{};
  std::int64_t item = 0;
  for (std::int64_t p = 0; p < d.parts; ++p) {
    sizes[p] = d.size(p);
    EXPECT(d.first_item(p) == item);
    for (std::int64_t i = 0; i < sizes[p]; ++i) EXPECT(d.part_of(item++) == p);
  }
  EXPECT(item == d.items);
  EXPECT(d.first_item(d.parts) == d.items);
  const load_metrics m = metrics(array_view<const std::int64_t>{sizes, d.parts});
  EXPECT(d.smallest() == m.smallest);
  EXPECT(d.largest() == m.largest);
  EXPECT(m.largest - m.smallest <= 1);
  EXPECT(m.mean() == d.mean());
  EXPECT(m.max_over_mean() == d.max_over_mean());
  EXPECT(m.efficiency() == d.efficiency());
  EXPECT(m.variance() == d.variance());
}

constexpr auto every_small_division = [](longer_parts longer) {
  for (std::int64_t items = 0; items <= 15; ++items)
    for (std::int64_t parts = 1; parts <= 7; ++parts) expect_lists({.items = items, .parts = parts, .longer = longer});
};

BOTH_TIMES("every small division, longer parts first", [] { every_small_division(longer_parts::first); });
BOTH_TIMES("every small division, longer parts before the last", [] { every_small_division(longer_parts::before_the_last); });
BOTH_TIMES("every small division, longer parts last", [] { every_small_division(longer_parts::last); });

BOTH_TIMES("the most items there are", [] {
  constexpr std::int64_t huge = 0x7fff'ffff'ffff'ffff;
  const division d{.items = huge, .parts = 4, .longer = longer_parts::last};
  EXPECT(d.largest() == huge / 4 + 1);
  EXPECT(d.first_item(4) == huge);
  EXPECT(d.part_of(huge - 1) == 3);
  EXPECT(d.variance() == ratio{3, 16});
  const division each{.items = huge, .parts = huge};
  EXPECT(each.part_of(huge - 1) == huge - 1);
  EXPECT(each.first_item(huge) == huge);
});

} // namespace
