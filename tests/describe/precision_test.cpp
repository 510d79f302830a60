#include <moeplan/describe/precision.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("by default what --bf16 means to Megatron-LM: 18 bytes a parameter", [] {
  // docs/user-guide/features/dist_optimizer.md
  constexpr precision p;
  EXPECT(p.weights == number_type::bf16);
  EXPECT(p.gradients == number_type::fp32);
  EXPECT(bits(p.weights) + bits(p.gradients) + bits(p.master_weights) + bits(p.first_moment) + bits(p.second_moment) == 18LL * 8);
  EXPECT(p.fp8 == fp8_recipe::none && !p.fp8_weights);
});

BOTH_TIMES("precisions are values", [] {
  EXPECT(precision{.fp8 = fp8_recipe::mxfp8} == precision{.fp8 = fp8_recipe::mxfp8});
  EXPECT(precision{.fp8_weights = true} != precision{});
  EXPECT(precision{.second_moment = number_type::bf16} != precision{.first_moment = number_type::bf16});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<precision{}, precision{.gradients = number_type::fp32}>);
static_assert(!name_the_same_type<precision{}, precision{.gradients = number_type::bf16}>);

} // namespace
