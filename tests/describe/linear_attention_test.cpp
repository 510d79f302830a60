#include <moeplan/describe/linear_attention.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("no linear attention unless described", [] {
  EXPECT(linear_attention{}.value_heads == 0);
  EXPECT(linear_attention{}.softmax_layers == layer_set::all());
  EXPECT(linear_attention{.value_heads = 32} != linear_attention{});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<linear_attention{.value_heads = 32}, linear_attention{.value_heads = 32}>);
static_assert(!name_the_same_type<linear_attention{.value_heads = 32}, linear_attention{}>);

} // namespace
