#include <moeplan/describe/attention_window.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("no window unless described", [] {
  EXPECT(attention_window{}.tokens == 0);
  EXPECT(attention_window{}.kind == window_kind::sliding);
  EXPECT(attention_window{}.full_layers == layer_set::all());
});

BOTH_TIMES("a set without layers", [] {
  EXPECT(attention_window::no_layers().count_below(1'000'000) == 0);
  EXPECT(!attention_window::no_layers().contains(0));
  EXPECT(!attention_window::no_layers().contains(1'000'000));
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<attention_window{.tokens = 128}, attention_window{.tokens = 128}>);
static_assert(!name_the_same_type<attention_window{.tokens = 128}, attention_window{}>);

} // namespace
