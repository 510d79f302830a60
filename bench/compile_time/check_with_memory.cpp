#include <moeplan/moeplan.hpp>

using namespace moeplan;

// On a GPU whose memory is known, `check` computes the memory of every stage itself.
constexpr deployment run{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};
static_assert(check(run).ok());
