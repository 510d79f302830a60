#include <moeplan/search/decision_order.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

// strategy_search_properties_test.cpp verifies the order: a rule that depends on more than is said here would reject legal strategies.
BOTH_TIMES("a rule is decided by the last part that it depends on", [] {
  EXPECT(decided_by(rule::layers_are_at_least_1) == decision::nothing);
  EXPECT(decided_by(rule::nvlink_domain_is_whole_nodes) == decision::nothing);
  EXPECT(decided_by(rule::heads_divide_by_tp) == decision::tensor);
  EXPECT(decided_by(rule::sequence_divides_by_twice_cp) == decision::context);
  EXPECT(decided_by(rule::sp_is_1_or_tp) == decision::sequence);
  EXPECT(decided_by(rule::experts_divide_by_ep) == decision::experts);
  EXPECT(decided_by(rule::deepep_reaches_160_ranks) == decision::expert_tensor);
  EXPECT(decided_by(rule::layers_divide_by_pp) == decision::stages);
  EXPECT(decided_by(rule::dualpipe_needs_even_pp) == decision::schedule);
  EXPECT(decided_by(rule::vpp_needs_pp) == decision::virtual_stages);
  EXPECT(decided_by(rule::stage_divides_by_expert_ranks) == decision::data);
  EXPECT(decided_by(rule::global_batch_divides_by_dp) == decision::micro_batch);
  EXPECT(decided_by(rule::expert_overlap_excludes_full_recompute) == decision::recompute);
  EXPECT(decided_by(rule::stage_fits_memory) == decision::recompute);
  EXPECT(decided_by(rule::order_names_tp) == decision::order);
});
