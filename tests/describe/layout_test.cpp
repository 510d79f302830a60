#include <moeplan/describe/layout.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("even unless said otherwise", [] {
  EXPECT(layout{} == layout::even());
  EXPECT(layout::even().kind == layout_kind::even);
  EXPECT(layout::even_with(true, false).embedding_is_a_layer);
  EXPECT(!layout::even_with(true, false).loss_is_a_layer);
  EXPECT(layout::even_with(false, false) == layout::even());
});

BOTH_TIMES("balanced", [] { EXPECT(layout::balanced().kind == layout_kind::balanced); });

BOTH_TIMES("first and last, either may be absent", [] {
  const layout both = layout::first_last(8, 5);
  EXPECT(both.kind == layout_kind::first_last);
  EXPECT(both.first == 8);
  EXPECT(both.last == 5);
  EXPECT(!layout::first_last({}, 5).first.given);
  EXPECT(!layout::first_last(8, {}).last.given);
  EXPECT(layout::first_last(0, 5).first.given); // a zero that somebody wrote
});

BOTH_TIMES("runs of equal stages", [] {
  const layout l = layout::stages({15, 4}, {1, 1});
  EXPECT(l.kind == layout_kind::listed);
  EXPECT(!l.places_mtp);
  EXPECT(l.runs.size() == 2);
  EXPECT(l.runs[0] == stage_run{.stages = 15, .decoder_layers = 4, .mtp_layers = 0});
  EXPECT(l.runs[1] == stage_run{.stages = 1, .decoder_layers = 1, .mtp_layers = 0});
});

BOTH_TIMES("equal neighbours become one run", [] {
  EXPECT(layout::stages({1, 4}, {2, 4}, {1, 1}, {3, 1}) == layout::stages({3, 4}, {4, 1}));
  EXPECT(layout::stages({1, 4}, {1, 1}, {1, 4}).runs.size() == 3);
  EXPECT(layout::stages({1, 4, 0}, {1, 4, 1}).runs.size() == 2);
});

BOTH_TIMES("stages without decoder layers", [] {
  const layout l = layout::stages({1, 0}, {3, 4}, {1, 0});
  EXPECT(l.runs.size() == 3);
  EXPECT(l.runs[0].decoder_layers == 0);
});

BOTH_TIMES("no room for a run leaves the layout as it was", [] {
  layout l{.kind = layout_kind::listed};
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(layout::max_runs); ++i) EXPECT(l.append({1, i + 1}));
  const layout full = l;
  EXPECT(!l.append({1, 100}));
  EXPECT(l == full);
  EXPECT(l.append({1, static_cast<std::int64_t>(layout::max_runs)})); // equal to the last: no new run
  layout huge = layout::stages({INT64_MAX, 4});
  EXPECT(!huge.append({1, 4}));
  EXPECT(huge == layout::stages({INT64_MAX, 4}));
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<layout::stages({1, 4}, {2, 4}), layout::stages({3, 4})>);
static_assert(!name_the_same_type<layout::stages({1, 4}, {2, 3}), layout::stages({3, 4})>);
static_assert(!name_the_same_type<layout::even(), layout::balanced()>);

} // namespace
