#include <moeplan/describe/recompute.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("Megatron-LM's defaults", [] {
  EXPECT(recompute{} == recompute::none);
  EXPECT(recompute_method{} == recompute_method::uniform);
  // Selective recompute drops the core attention alone (transformer_config.py).
  constexpr recompute_modules m;
  EXPECT(m.core_attention);
  EXPECT(!m.mlp && !m.moe && !m.moe_activation && !m.layer_norm && !m.latent_up_projection && !m.shared_experts);
});

BOTH_TIMES("modules are values", [] {
  EXPECT(recompute_modules{.moe = true} != recompute_modules{});
  EXPECT(recompute_modules{.core_attention = true} == recompute_modules{});
});

static_assert(moeplan_test::name_the_same_type<recompute_modules{}, recompute_modules{.core_attention = true}>);

} // namespace
