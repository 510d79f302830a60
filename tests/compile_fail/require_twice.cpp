// The same violation twice: each is reported where it stands.
// expect-gcc: require_twice.cpp:20:1:   required from here
// expect-gcc: require_twice.cpp:22:16:   required from here
// expect-clang: require_twice.cpp:20:1: note: in instantiation
// expect-clang: require_twice.cpp:22:16: note: in instantiation
// expect: moeplan::violated<moeplan::rule::experts_divide_by_ep, 256, 96>
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/verify/require.hpp>

using namespace moeplan;

constexpr deployment run{
    .model = catalog::deepseek_v3,
    .strategy = {pp{16}, ep{96}, dp{192}},
    .layout = layout::balanced(),
    .workload = training{.global_batch = 15360, .sequence_length = 4096},
};
constexpr deployment same = run;

MOEPLAN_REQUIRE(run);

void start() { MOEPLAN_REQUIRE(same); }
