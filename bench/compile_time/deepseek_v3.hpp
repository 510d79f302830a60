// DeepSeek-V3 on 2,048 GPUs whose memory is known.
#pragma once

#include <moeplan/moeplan.hpp>

using namespace moeplan;

constexpr deployment run{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
};
