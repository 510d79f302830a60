#include <moeplan/describe/serving.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("defaults", [] {
  EXPECT(serving{}.batch == 1);
  EXPECT(serving{}.sequence_length == 0); // has to be given
  EXPECT(serving{}.redundant_experts == 0);
  EXPECT(serving{}.decode_context == 1);
  EXPECT(serving{}.data_parallelism == data_parallelism::attention);
  EXPECT(!serving{}.elastic_ep);
  EXPECT(serving{.redundant_experts = 32} != serving{});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<serving{.batch = 8}, serving{.batch = 8}>);
static_assert(!name_the_same_type<serving{.batch = 8}, serving{}>);

} // namespace
