#include <moeplan/describe/kernels.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("by default flash attention and no dropout", [] {
  const kernels k;
  EXPECT(k.flash_attention && k.fused_weight_gradient);
  EXPECT(!k.fused_cross_entropy && !k.attention_dropout && !k.hidden_dropout);
});

BOTH_TIMES("kernels are compared member by member", [] {
  EXPECT(kernels{} == kernels{});
  EXPECT(kernels{.hidden_dropout = true} != kernels{});
  EXPECT(kernels{.fused_cross_entropy = true} != kernels{.attention_dropout = true});
});

} // namespace
