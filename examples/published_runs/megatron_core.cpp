// github.com/NVIDIA-NeMo/Megatron-Bridge, docs/performance-summary.md of the containers 25.11 and 26.02.01; arXiv 2603.07685.
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/kimi.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/describe/layout_text.hpp>

#include "published_run.hpp"

using namespace moeplan;
using namespace moeplan::literals;

namespace published_runs {

namespace {

/// NVIDIA GB300, one of its GPUs: a B300 that is faster (glennklockwood.com/garden/processors/B300 and
/// verda.com/blog/gb300-nvl72-architecture: 360 PFLOP/s in FP8 over 72 GPUs, half of that in bf16).
constexpr gpu gb300 = [] {
  gpu g = catalog::b300_sxm;
  g.bf16_flops = 2'500'000'000'000'000;
  g.fp8_flops = 5'000'000'000'000'000;
  return g;
}();

struct system {
  const char* name;
  const gpu* value;
  std::int64_t gpus_per_node;
  std::int64_t rack = 0; ///< GPUs of a rack that are used, where NVLink reaches beyond nodes
};

constexpr system on_gb300{"GB300", &gb300, 4, 64};
constexpr system on_gb200{"GB200", &catalog::gb200, 4, 64};
constexpr system on_b300{"B300", &catalog::b300_sxm, 8};
constexpr system on_b200{"B200", &catalog::b200_sxm, 8};
constexpr system on_h100{"H100", &catalog::h100_sxm, 8};

struct precision_name {
  const char* name;
  fp8_recipe recipe;
};

constexpr precision_name bf16{"bf16", fp8_recipe::none};
constexpr precision_name mxfp8{"MXFP8", fp8_recipe::mxfp8};
constexpr precision_name fp8{"FP8", fp8_recipe::tensorwise};
constexpr precision_name fp8_blocks{"FP8 in blocks", fp8_recipe::blockwise};

struct named_model {
  const char* name;
  const model* value;
};

constexpr model without_mtp = [] {
  model m = catalog::deepseek_v3;
  m.mtp_layers = 0;
  return m;
}();

constexpr named_model deepseek_v3{"DeepSeek-V3", &catalog::deepseek_v3};
constexpr named_model deepseek_v3_without_mtp{"DeepSeek-V3 without MTP", &without_mtp};
constexpr named_model qwen3_235b{"Qwen3 235B-A22B", &catalog::qwen3_235b_a22b};
constexpr named_model qwen3_30b{"Qwen3 30B-A3B", &catalog::qwen3_30b_a3b};
constexpr named_model kimi_k2{"Kimi K2", &catalog::kimi_k2};
constexpr named_model gpt_oss_120b{"gpt-oss-120b", &catalog::gpt_oss_120b};

constexpr layout listed(text t) { return parse_layout(t).value; }

/// Megatron-Bridge's own, as far as they are known: 16 virtual stages of four layers, or 32 of two.
constexpr layout in_16 = listed("Et*4|(t*4|)*14tmL");
constexpr layout in_16_without_mtp = listed("Et*4|(t*4|)*14tL");
constexpr layout in_32 = listed("Et|(tt|)*30mL");
constexpr layout in_32_without_mtp = listed("Et|(tt|)*30L");

struct size {
  std::int64_t gpus, global_batch, micro_batch;
};

/// TP, PP, VPP and EP, in the order of the tables; ETP is 1.
struct degrees {
  std::int64_t tp, pp, vpp, ep;
};

run run_of(const named_model& m, const system& on, const precision_name& in, const size& n, const degrees& by, const layout& l,
           std::int64_t tokens_per_second, std::int64_t teraflops, std::string remark = {}) {
  deployment d;
  d.model = *m.value;
  d.cluster = {.gpu = *on.value, .gpus_per_node = on.gpus_per_node, .nodes = n.gpus / on.gpus_per_node};
  if (on.rack > 0) d.cluster.nvlink_domain = on.rack;
  d.strategy = {tp{by.tp}, pp{by.pp}, ep{by.ep}, etp{1}, dp{n.gpus / (by.tp * by.pp)}};
  if (by.tp > 1) d.strategy = d.strategy.with(sp{by.tp});
  if (by.vpp > 1) d.strategy = d.strategy.with(vpp{by.vpp});
  d.layout = l;
  d.workload = training{.global_batch = n.global_batch,
                        .micro_batch = n.micro_batch,
                        .sequence_length = 4096,
                        .dispatcher = token_dispatcher::deepep,
                        .precision = {.gradients = number_type::bf16, .fp8 = in.recipe},
                        .sharding = sharding::optimizer};
  d.profile = profile::universal;
  run r{.model = m.name, .method = std::string{on.name} + ", " + in.name, .deployment = d};
  r.claimed = {.what = claim::kind::rate, .tenths = 10 * teraflops, .tokens_per_second = tokens_per_second};
  r.remark = std::move(remark);
  return r;
}

constexpr const char* open_layouts = "Where the layout is open, no virtual stage of it has more layers than it must.";

constexpr const char* two_matrices = "its FLOPs are those of experts with two matrices, not three";

table container_26_02() {
  constexpr layout ends = layout::even_with(true, true);
  const layout even;
  return {.title = "Megatron-Bridge, container 26.02.01",
          .about = open_layouts,
          .runs = {run_of(deepseek_v3, on_gb300, mxfp8, {256, 4096, 2}, {1, 2, 8, 32}, in_16, 4691, 1219),
                   run_of(deepseek_v3, on_gb200, mxfp8, {256, 4096, 1}, {1, 4, 4, 64}, in_16, 4021, 1046),
                   run_of(deepseek_v3, on_b300, mxfp8, {256, 4096, 1}, {1, 16, 1, 8}, in_16, 3099, 806, "layout open"),
                   run_of(deepseek_v3, on_b200, mxfp8, {256, 4096, 1}, {1, 16, 1, 8}, in_16, 2790, 725, "layout open"),
                   run_of(qwen3_235b, on_gb300, mxfp8, {256, 8192, 2}, {1, 4, 1, 32}, ends, 6583, 974, "layout open"),
                   run_of(qwen3_235b, on_gb200, mxfp8, {256, 8192, 1}, {1, 8, 1, 32}, ends, 5530, 819, "layout open"),
                   run_of(qwen3_235b, on_b300, mxfp8, {256, 8192, 1}, {1, 8, 4, 8}, ends, 2644, 391, "layout open"),
                   run_of(qwen3_235b, on_h100, fp8, {256, 8192, 1}, {2, 8, 4, 32}, ends, 1611, 238, "layout open"),
                   run_of(qwen3_30b, on_gb300, mxfp8, {8, 512, 8}, {1, 1, 1, 8}, even, 30411, 700),
                   run_of(qwen3_30b, on_h100, fp8, {16, 1024, 1}, {1, 2, 12, 8}, even, 9058, 208),
                   run_of(kimi_k2, on_gb300, mxfp8, {256, 4096, 2}, {1, 4, 4, 64}, in_16_without_mtp, 5072, 1037, "layout open"),
                   run_of(gpt_oss_120b, on_gb300, bf16, {64, 1280, 4}, {1, 1, 1, 64}, even, 19366, 526, two_matrices),
                   run_of(gpt_oss_120b, on_h100, bf16, {64, 1280, 1}, {1, 4, 1, 8}, even, 5984, 163, two_matrices)}};
}

table container_25_11() {
  constexpr layout in_8_without_mtp = listed("Et*7|(t*8|)*6t*6L");
  return {.title = "Megatron-Bridge, container 25.11",
          .about = open_layouts,
          .runs = {run_of(deepseek_v3_without_mtp, on_gb300, bf16, {256, 4096, 1}, {1, 2, 4, 32}, in_8_without_mtp, 3848, 961,
                          "layout open"),
                   run_of(deepseek_v3_without_mtp, on_gb200, bf16, {256, 4096, 1}, {1, 4, 4, 64}, in_16_without_mtp, 3139, 782),
                   run_of(deepseek_v3_without_mtp, on_gb200, mxfp8, {256, 4096, 1}, {1, 8, 4, 32}, in_32_without_mtp, 4018, 1003),
                   run_of(deepseek_v3, on_b200, mxfp8, {256, 2048, 1}, {1, 16, 1, 8}, in_16, 2139, 557, "layout open")}};
}

table report() {
  return {.title = "arXiv 2603.07685",
          .about = "The global batch is open; that of Megatron-Bridge is taken, and 8,192 sequences on H100.",
          .runs = {run_of(deepseek_v3, on_gb300, mxfp8, {256, 4096, 2}, {1, 2, 8, 32}, in_16, 4730, 1233,
                          "degrees open: those of Megatron-Bridge"),
                   run_of(deepseek_v3, on_gb200, mxfp8, {256, 4096, 1}, {1, 4, 4, 64}, in_16, 4020, 1048),
                   run_of(deepseek_v3, on_h100, fp8_blocks, {1024, 8192, 1}, {2, 8, 4, 64}, in_32, 1412, 368)}};
}

} // namespace

std::vector<table> megatron_core() { return {container_26_02(), container_25_11(), report()}; }

} // namespace published_runs
