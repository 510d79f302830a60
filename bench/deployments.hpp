// Deployments that several benchmarks look at.
#pragma once

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/describe/deployment.hpp>

namespace moeplan_bench {

/// DeepSeek-V3 on 2,048 GPUs as it was trained (arXiv 2412.19437), with 61 layers as 15 x 4 + 1.
inline moeplan::deployment deepseek_v3_trained() {
  using namespace moeplan;
  return {
      .model = catalog::deepseek_v3,
      .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
      .strategy = {pp{16}, ep{64}, dp{128}},
      .layout = layout::stages({15, 4}, {1, 1}),
      .workload = training{.global_batch = 15360,
                           .sequence_length = 4096,
                           .recompute = recompute::full,
                           .dispatcher = token_dispatcher::all_to_all,
                           .sharding = sharding::optimizer},
  };
}

/// It, answering requests on 32 GPUs.
inline moeplan::deployment deepseek_v3_served() {
  using namespace moeplan;
  return {
      .model = catalog::deepseek_v3,
      .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 4},
      .strategy = {tp{4}, ep{32}, dp{8}},
      .workload = serving{.batch = 64, .sequence_length = 8192, .weights = weight_format::fp8_block},
  };
}

} // namespace moeplan_bench
