// Deployments that several benchmarks look at.
#pragma once

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/qwen.hpp>
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

/// Every kind of group at once.
inline moeplan::deployment every_axis() {
  using namespace moeplan;
  deployment d = deepseek_v3_trained();
  d.model = catalog::qwen3_235b_a22b;
  d.strategy = {tp{4}, sp{4}, cp{2}, pp{8}, ep{16}, etp{2}, dp{32}};
  d.layout = layout::balanced();
  d.workload.train.global_batch = 1024;
  return d;
}

/// DeepSeek-V3 that answers requests on 32 GPUs.
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
