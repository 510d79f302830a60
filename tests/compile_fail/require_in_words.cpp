// std: c++26
// compiler: clang++-19
// expect: experts_divide_by_ep: 256 experts (redundant copies included) cannot be divided evenly over EP 63; nearest legal ep: 32 or 64.
// expect: layers_divide_by_pp: 61 layers (embedding and loss included where they count as one) cannot be divided evenly over PP 16;
// expect: nearest legal pp: 1 or 61.
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/verify/require.hpp>

using namespace moeplan;

constexpr deployment run{
    .model = catalog::deepseek_v3,
    .strategy = {pp{16}, ep{63}, dp{128}},
    .workload = training{.global_batch = 15360, .sequence_length = 4096},
};

MOEPLAN_REQUIRE(run);
