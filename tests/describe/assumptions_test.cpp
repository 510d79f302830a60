#include <moeplan/describe/assumptions.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("by default what Megatron-LM does", [] {
  constexpr assumptions a = assumptions::megatron();
  EXPECT(a == assumptions{});
  EXPECT(a.latent_down_projections == held::replicated); // parallel_mode="duplicated"
  EXPECT(a.latent_rope_queries == held::sharded);
  EXPECT(a.shared_experts == held::sharded);
  EXPECT(a.shared_experts_state == state_group::dense);
  EXPECT(a.router_state == state_group::dense);
  EXPECT(a.dense_states == dense_shards::dp_and_cp_ranks);
});

BOTH_TIMES("its estimator", [] {
  // theoretical_memory_usage.py: all of attention divided by TP; 12 / args.data_parallel_size.
  constexpr assumptions a = assumptions::megatron_estimator();
  EXPECT(a.latent_down_projections == held::sharded);
  EXPECT(a.dense_states == dense_shards::dp_ranks);
  EXPECT(a.shared_experts == held::sharded && a.router_state == state_group::dense);
});

BOTH_TIMES("the analysis of DeepSeek's models", [] {
  // arXiv 2502.07846, section 3: W_QR is not split, router and shared expert are counted with the experts.
  constexpr assumptions a = assumptions::memory_analysis();
  EXPECT(a.latent_down_projections == held::replicated && a.latent_rope_queries == held::replicated);
  EXPECT(a.shared_experts == held::replicated);
  EXPECT(a.shared_experts_state == state_group::experts && a.router_state == state_group::experts);
  EXPECT(a.dense_states == dense_shards::dp_and_cp_ranks);
});

static_assert(moeplan_test::name_the_same_type<assumptions{}, assumptions::megatron()>);
static_assert(!moeplan_test::name_the_same_type<assumptions{}, assumptions::memory_analysis()>);

} // namespace
