#include <moeplan/cost/flops_convention.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("what is exact is the default", [] { EXPECT(flops_convention::exact() == flops_convention{}); });

BOTH_TIMES("Megatron-LM's convention differs in each of its members", [] {
  const flops_convention exact = flops_convention::exact();
  const flops_convention megatron = flops_convention::megatron();
  EXPECT(exact.pairs == counted_pairs::causal && megatron.pairs == counted_pairs::half);
  EXPECT(exact.windows && !megatron.windows);
  EXPECT(exact.routers && !megatron.routers);
  EXPECT(exact.indexers && !megatron.indexers);
  EXPECT(!exact.norms && megatron.norms);
  EXPECT(exact.delta_rule == delta_rule_count::recurrence && megatron.delta_rule == delta_rule_count::megatron);
  EXPECT(!exact.pattern_goes_on && megatron.pattern_goes_on);
  EXPECT(exact != megatron);
});

} // namespace
