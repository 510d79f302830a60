// More violations than compilers print errors: all of them in one.
// expect: violated_together<
// expect: moeplan::violated<moeplan::rule::tp_is_at_least_1, 0>
// expect: moeplan::violated<moeplan::rule::pp_is_at_least_1, -1>
// expect: moeplan::violated<moeplan::rule::ep_is_at_least_1, -2>
// expect: moeplan::violated<moeplan::rule::etp_is_at_least_1, -3>
// expect: moeplan::violated<moeplan::rule::dp_is_at_least_1, -4>
// expect: moeplan::violated<moeplan::rule::cp_is_at_least_1, -5>
// expect: moeplan::violated<moeplan::rule::sp_is_at_least_1, -6>
// expect: moeplan::violated<moeplan::rule::layers_are_at_least_1, 0>
// expect: moeplan::violated<moeplan::rule::hidden_size_is_at_least_1, 0>
// expect: moeplan::violated<moeplan::rule::vocabulary_is_at_least_1, 0>
// expect: moeplan::violated<moeplan::rule::heads_are_at_least_1, 0>
// expect: moeplan::violated<moeplan::rule::kv_heads_are_at_least_1, 0>
// expect: moeplan::violated<moeplan::rule::sequence_length_is_at_least_1, 0>
#include <moeplan/verify/require.hpp>

using namespace moeplan;

MOEPLAN_REQUIRE(deployment{.strategy = {tp{0}, pp{-1}, ep{-2}, etp{-3}, dp{-4}, cp{-5}, sp{-6}}});
