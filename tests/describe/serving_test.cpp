#include <moeplan/describe/serving.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::literals;

namespace {

BOTH_TIMES("a step adds no more tokens than a sequence has", [] {
  EXPECT(serving{.sequence_length = 4096}.new_tokens() == 1);
  EXPECT(serving{.sequence_length = 4096, .step_tokens = 4096}.new_tokens() == 4096);
  EXPECT(serving{.sequence_length = 4096, .step_tokens = 8192}.new_tokens() == 4096);
});

BOTH_TIMES("defaults", [] {
  EXPECT(serving{}.batch == 1);
  EXPECT(serving{}.sequence_length == 0); // has to be given
  EXPECT(serving{}.redundant_experts == 0);
  EXPECT(serving{}.decode_context == 1);
  EXPECT(serving{}.data_parallelism == data_parallelism::attention);
  EXPECT(!serving{}.elastic_ep);
  EXPECT(serving{}.weights == weight_format::bf16);
  EXPECT(serving{}.quantised == quantised_parts::linear_layers);
  EXPECT(serving{}.cache == cache_format::bf16);
  EXPECT(serving{}.block_size == 16);
  EXPECT(serving{}.windows == windowed_cache::window);
  EXPECT(serving{}.step_tokens == 1);
  EXPECT(serving{}.linear_state == number_type::bf16);
  EXPECT(!serving{}.drafts);
  EXPECT(!serving{}.absorbed_projections);
  EXPECT(serving{}.reserve == 0_GB);
  EXPECT(serving{.redundant_experts = 32} != serving{});
  EXPECT(serving{.reserve = 8_GB} != serving{});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<serving{.batch = 8}, serving{.batch = 8}>);
static_assert(!name_the_same_type<serving{.batch = 8}, serving{}>);

} // namespace
