// expect-gcc: incomplete type 'moeplan::violated<moeplan::rule::stage_divides_by_expert_ranks, 1, 63, 63, 128>'
// expect-gcc: incomplete type 'moeplan::violated<moeplan::rule::experts_divide_by_ep, 256, 63>'
// expect-gcc: incomplete type 'moeplan::violated<moeplan::rule::layers_divide_by_pp, 61, 16>'
// expect-gcc: incomplete type 'moeplan::violated<moeplan::rule::global_batch_divides_by_dp, 15361, 1, 128>'
// expect-clang: undefined template 'moeplan::violated<moeplan::rule::stage_divides_by_expert_ranks, 1, 63, 63, 128>'
// expect-clang: undefined template 'moeplan::violated<moeplan::rule::experts_divide_by_ep, 256, 63>'
// expect-clang: undefined template 'moeplan::violated<moeplan::rule::layers_divide_by_pp, 61, 16>'
// expect-clang: undefined template 'moeplan::violated<moeplan::rule::global_batch_divides_by_dp, 15361, 1, 128>'
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/verify/require.hpp>

using namespace moeplan;

constexpr deployment run{
    .model = catalog::deepseek_v3,
    .cluster = {.gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{63}, dp{128}},
    .workload = training{.global_batch = 15361, .sequence_length = 4096},
};

MOEPLAN_REQUIRE(run);
