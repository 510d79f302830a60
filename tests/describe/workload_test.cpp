#include <moeplan/describe/workload.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("training", [] {
  constexpr workload w = training{.sequence_length = 4096, .vocabulary_multiple = 64};
  EXPECT(w.is_training());
  EXPECT(!w.is_serving());
  EXPECT(w.sequence_length() == 4096);
  EXPECT(w.vocabulary_multiple() == 64);
  EXPECT(w.redundant_experts() == 0);
});

BOTH_TIMES("serving", [] {
  constexpr workload w = serving{.sequence_length = 8192, .redundant_experts = 32, .vocabulary_multiple = 0};
  EXPECT(w.is_serving());
  EXPECT(!w.is_training());
  EXPECT(w.sequence_length() == 8192);
  EXPECT(w.vocabulary_multiple() == 0);
  EXPECT(w.redundant_experts() == 32);
});

BOTH_TIMES("training by default, and never equal to serving", [] {
  EXPECT(workload{} == workload{training{}});
  EXPECT(workload{training{}} != workload{serving{}});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<workload{}, workload{training{}}>);
static_assert(!name_the_same_type<workload{}, workload{serving{}}>);

} // namespace
