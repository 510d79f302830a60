#include <moeplan/describe/experts.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("no experts unless described, in every layer unless said", [] {
  EXPECT(experts{}.routed == 0);
  EXPECT(experts{}.layers == layer_set::all());
  EXPECT(experts{}.groups == 1);
  EXPECT(!experts{}.router_bias);
  EXPECT(!experts{}.bias);
  EXPECT(experts{.routed = 8} == experts{.routed = 8});
  EXPECT(experts{.routed = 8} != experts{.routed = 8, .shared_gate = true});
  EXPECT(experts{.routed = 8} != experts{.routed = 8, .layers = layer_set::after_first(1)});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<experts{.routed = 8, .top_k = 2}, experts{.routed = 8, .top_k = 2}>);
static_assert(!name_the_same_type<experts{.routed = 8}, experts{.routed = 8, .score = router_score::sigmoid}>);

} // namespace
