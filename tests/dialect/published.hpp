// Published deployments, for translating them there and back.
#pragma once

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/glm.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/kimi.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/describe/deployment.hpp>

namespace moeplan_test {

/// A deployment and the frameworks whose flags say all of it, found by hand from what each framework has flags for:
/// Megatron-LM for everything that trains; torchtitan where experts are not cut (or there is no EP and ETP is TP), CP is 1, a sequence
/// length is stated and the layers are dealt out evenly but for the ends; DeepSpeed for nothing that states a sequence length or PP; vLLM for
/// what serves with experts spread over all ranks; SGLang for that without sequence parallelism; TensorRT-LLM for that without it,
/// without redundant experts, and where attention is either all TP or all DP.
struct published_deployment {
  const char* name;
  moeplan::deployment deployment;
  const char* expressed_by;
};

constexpr moeplan::deployment trained(const moeplan::model& m, std::int64_t gpus, const moeplan::strategy& s,
                                      moeplan::training t = {}, const moeplan::layout& l = {}) {
  if (s[moeplan::axis::ep] > 1) t.dispatcher = moeplan::token_dispatcher::all_to_all;
  return {.model = m, .cluster = {.total = gpus}, .strategy = s, .layout = l, .workload = t};
}

constexpr moeplan::deployment served(const moeplan::model& m, std::int64_t gpus, const moeplan::strategy& s,
                                     const moeplan::serving& v) {
  return {.model = m, .cluster = {.total = gpus}, .strategy = s, .workload = v};
}

constexpr moeplan::training batch(std::int64_t global, std::int64_t sequence, std::int64_t micro = 1) {
  return {.global_batch = global, .micro_batch = micro, .sequence_length = sequence};
}

// Models of arXiv 2504.14960, table 1.
constexpr moeplan::model mixtral_g8t8() {
  moeplan::model m = moeplan::catalog::mixtral_8x22b;
  m.experts.routed = 64;
  m.experts.top_k = 8;
  m.experts.intermediate_size = 2048;
  return m;
}
constexpr moeplan::model llama_8x70b() {
  moeplan::model m = moeplan::catalog::llama_3_1_70b;
  m.experts.routed = 8;
  m.experts.top_k = 2;
  m.experts.intermediate_size = m.intermediate_size;
  return m;
}

using moeplan::cp;
using moeplan::dp;
using moeplan::ep;
using moeplan::etp;
using moeplan::pp;
using moeplan::sp;
using moeplan::tp;
using moeplan::vpp;
namespace models = moeplan::catalog;

inline constexpr published_deployment published[] = {
    // Megatron-LM, megatron/core/transformer/moe/README.md and docs/user-guide/parallelism-guide.md. Sequence lengths are not stated.
    {"folding example", trained(models::mixtral_8x7b, 256, {tp{4}, sp{4}, cp{2}, pp{4}, ep{64}}), "megatron"},
    {"smallest with CP 8 and EP 8", trained(models::mixtral_8x7b, 8, {cp{8}, ep{8}}), "megatron"},
    {"Mixtral 8x7B on 64", trained(models::mixtral_8x7b, 64, {pp{4}, ep{8}}), "megatron"},
    {"Mixtral 8x22B on 256", trained(models::mixtral_8x22b, 256, {tp{4}, sp{4}, pp{4}, ep{8}}), "megatron"},
    {"DeepSeek-V3 on 1024", trained(models::deepseek_v3, 1024, {tp{2}, sp{2}, pp{16}, ep{64}}), "megatron"},
    {"LLaMA-3 8B on 8", trained(models::llama_3_1_8b, 8, {cp{2}}), "megatron"},
    {"LLaMA-3 70B on 64", trained(models::llama_3_1_70b, 64, {tp{4}, sp{4}, pp{4}, cp{2}}), "megatron"},
    {"LLaMA-3 405B on 1024", trained(models::llama_3_1_405b, 1024, {tp{8}, sp{8}, pp{8}, cp{2}}), "megatron"},

    // arXiv 2504.14960: figure 9, the accuracy run, table 3 (batch 256, sequence 4096; without folding ETP is TP) and table 5.
    {"figure 9", trained(models::mixtral_8x7b, 8, {tp{2}, sp{2}, cp{2}, ep{8}}), "megatron"},
    {"accuracy run", trained(models::mixtral_8x7b, 16, {tp{2}, sp{2}, cp{2}, pp{2}, ep{8}}), "megatron"},
    {"Mixtral 8x22B, FSDP", trained(models::mixtral_8x22b, 128, {tp{8}, sp{8}, etp{8}}, batch(256, 4096)), "megatron torchtitan"},
    {"Mixtral 8x22B, FSDP and EP", trained(models::mixtral_8x22b, 128, {tp{2}, sp{2}, ep{8}}, batch(256, 4096)),
     "megatron torchtitan"},
    {"Mixtral 8x22B, TP and EP", trained(models::mixtral_8x22b, 128, {tp{4}, sp{4}, ep{8}}, batch(256, 4096)),
     "megatron torchtitan"},
    {"Mixtral 8x22B, MCore", trained(models::mixtral_8x22b, 128, {tp{2}, sp{2}, ep{4}, pp{8}, etp{2}}, batch(256, 4096)),
     "megatron"},
    {"Mixtral 8x22B, folded", trained(models::mixtral_8x22b, 128, {tp{2}, sp{2}, ep{8}, pp{8}, etp{1}}, batch(256, 4096)),
     "megatron torchtitan"},
    {"Qwen2-57B, FSDP", trained(models::qwen2_57b_a14b, 64, {tp{2}, sp{2}, etp{2}}, batch(256, 4096)), "megatron torchtitan"},
    {"Qwen2-57B, FSDP and EP", trained(models::qwen2_57b_a14b, 64, {ep{8}}, batch(256, 4096)), "megatron torchtitan"},
    {"Qwen2-57B, TP and EP", trained(models::qwen2_57b_a14b, 64, {tp{4}, sp{4}, ep{4}}, batch(256, 4096)), "megatron torchtitan"},
    {"Qwen2-57B, MCore", trained(models::qwen2_57b_a14b, 64, {tp{2}, sp{2}, ep{4}, pp{4}, etp{2}}, batch(256, 4096)), "megatron"},
    {"Qwen2-57B, folded", trained(models::qwen2_57b_a14b, 64, {tp{2}, sp{2}, ep{4}, pp{4}, etp{1}}, batch(256, 4096)),
     "megatron torchtitan"},
    {"G8T8, FSDP", trained(mixtral_g8t8(), 128, {tp{8}, sp{8}, etp{8}}, batch(256, 4096)), "megatron torchtitan"},
    {"G8T8, FSDP and EP", trained(mixtral_g8t8(), 128, {tp{4}, sp{4}, ep{8}}, batch(256, 4096)), "megatron torchtitan"},
    {"G8T8, TP and EP", trained(mixtral_g8t8(), 128, {tp{8}, sp{8}, ep{8}}, batch(256, 4096)), "megatron torchtitan"},
    {"G8T8, MCore", trained(mixtral_g8t8(), 128, {tp{2}, sp{2}, ep{8}, pp{8}, etp{2}}, batch(256, 4096)), "megatron"},
    {"G8T8, folded", trained(mixtral_g8t8(), 128, {tp{4}, sp{4}, ep{8}, pp{8}, etp{1}}, batch(256, 4096)), "megatron torchtitan"},
    {"Llama3-8x70B, FSDP", trained(llama_8x70b(), 256, {tp{8}, sp{8}, cp{8}, etp{8}}, batch(256, 4096)), "megatron"},
    {"Llama3-8x70B, TP and EP", trained(llama_8x70b(), 256, {tp{8}, sp{8}, ep{8}}, batch(256, 4096)), "megatron torchtitan"},
    {"Llama3-8x70B, MCore", trained(llama_8x70b(), 256, {tp{8}, sp{8}, ep{4}, pp{8}, etp{8}}, batch(256, 4096)), "megatron"},
    {"Llama3-8x70B, folded", trained(llama_8x70b(), 256, {tp{8}, sp{8}, ep{8}, pp{16}, etp{1}}, batch(256, 4096)),
     "megatron torchtitan"},
    {"16k, MCore", trained(models::mixtral_8x22b, 128, {cp{4}, tp{2}, sp{2}, ep{4}, pp{8}, etp{2}}, batch(1024, 16384)),
     "megatron"},
    {"32k, MCore", trained(models::mixtral_8x22b, 256, {cp{8}, tp{2}, sp{2}, ep{4}, pp{8}, etp{2}}, batch(512, 32768)), "megatron"},
    {"64k, MCore", trained(models::mixtral_8x22b, 512, {cp{16}, tp{2}, sp{2}, ep{4}, pp{8}, etp{2}}, batch(256, 65536)),
     "megatron"},
    {"128k, MCore", trained(models::mixtral_8x22b, 1024, {cp{16}, tp{4}, sp{4}, ep{8}, pp{8}, etp{4}}, batch(128, 131072)),
     "megatron"},
    {"16k, folded", trained(models::mixtral_8x22b, 128, {cp{4}, tp{2}, sp{2}, ep{8}, pp{8}, etp{1}}, batch(1024, 16384)),
     "megatron"},
    {"32k, folded", trained(models::mixtral_8x22b, 256, {cp{8}, tp{2}, sp{2}, ep{8}, pp{8}, etp{1}}, batch(512, 32768)),
     "megatron"},
    {"64k, folded", trained(models::mixtral_8x22b, 512, {cp{8}, tp{4}, sp{4}, ep{8}, pp{8}, etp{1}}, batch(256, 65536)),
     "megatron"},
    {"128k, folded", trained(models::mixtral_8x22b, 1024, {cp{8}, tp{8}, sp{8}, ep{8}, pp{8}, etp{1}}, batch(128, 131072)),
     "megatron"},

    // DeepSeek-V3, arXiv 2412.19437: training (section 3.2, batch in 4.2), prefill and decode units (3.4); the public service of
    // February 2025 (github.com/deepseek-ai/open-infra-index).
    {"DeepSeek-V3 training",
     trained(models::deepseek_v3, 2048, {pp{16}, ep{64}, dp{128}}, batch(15360, 4096), moeplan::layout::stages({15, 4}, {1, 1})),
     "megatron torchtitan"},
    {"DeepSeek-V3 prefill unit",
     served(models::deepseek_v3, 32, {tp{4}, sp{4}, dp{8}, ep{32}}, {.sequence_length = 4096, .redundant_experts = 32}), "vllm"},
    {"DeepSeek-V3 decode unit",
     served(models::deepseek_v3, 320, {tp{4}, sp{4}, dp{80}, ep{320}}, {.sequence_length = 4096, .redundant_experts = 64}), "vllm"},
    {"DeepSeek-V3 online prefill",
     served(models::deepseek_v3, 32, {dp{32}, ep{32}}, {.sequence_length = 4096, .redundant_experts = 32}), "vllm sglang"},
    {"DeepSeek-V3 online decode",
     served(models::deepseek_v3, 144, {dp{144}, ep{144}}, {.sequence_length = 4096, .redundant_experts = 32}), "vllm sglang"},

    // arXiv 2502.07846; Kimi K2, arXiv 2507.20534; Megatron-Bridge's GLM-4.5 recipes.
    {"Zhang and Su", trained(models::deepseek_v3, 1024, {tp{2}, sp{2}, pp{16}, ep{8}}), "megatron"},
    {"Kimi K2 unit", trained(models::kimi_k2, 256, {pp{16}, ep{16}}), "megatron"},
    {"GLM-4.5", trained(models::glm_4_5, 256, {tp{2}, sp{2}, pp{8}, ep{16}}), "megatron"},
    {"GLM-4.5-Air", trained(models::glm_4_5_air, 32, {pp{4}, ep{8}}), "megatron"},

    // arXiv 2603.07685 and Megatron-MoE-ModelZoo: 8, 6 times 8 and 5 layers; 16, 16, 16 and 13.
    {"DeepSeek-V3 on 1024 H100",
     trained(models::deepseek_v3, 1024, {tp{2}, sp{2}, pp{8}, ep{64}}, batch(8192, 4096), moeplan::layout::first_last(8, 5)),
     "megatron torchtitan"}, // 61 layers and 2 for the last end on 8 stages: 8 on seven, 7 - 2 on the last
    {"DeepSeek-V3 on 256 GB200",
     trained(models::deepseek_v3, 256, {pp{4}, ep{64}}, batch(2048, 4096), moeplan::layout::first_last(16, 13)),
     "megatron torchtitan"},

    // Megatron-Bridge's performance summary. Layouts are not stated, so that 61 and 94 layers on as many stages are even only in name.
    {"DeepSeek-V3, GB300", trained(models::deepseek_v3, 256, {pp{2}, vpp{8}, ep{32}}, batch(4096, 4096, 2)), "megatron"},
    {"DeepSeek-V3, GB200", trained(models::deepseek_v3, 256, {pp{4}, vpp{4}, ep{64}}, batch(4096, 4096)), "megatron"},
    {"DeepSeek-V3, B300", trained(models::deepseek_v3, 256, {pp{16}, ep{8}}, batch(4096, 4096)), "megatron"},
    {"DeepSeek-V3, GB300 of 25.11", trained(models::deepseek_v3, 256, {pp{2}, vpp{4}, ep{32}}, batch(4096, 4096)), "megatron"},
    {"DeepSeek-V3, GB200 of 25.11", trained(models::deepseek_v3, 256, {pp{8}, vpp{4}, ep{32}}, batch(4096, 4096)), "megatron"},
    {"DeepSeek-V3, B200 of 25.11", trained(models::deepseek_v3, 256, {pp{16}, vpp{1}, ep{8}}, batch(2048, 4096)), "megatron"},
    {"Qwen3-235B, GB300", trained(models::qwen3_235b_a22b, 256, {pp{4}, ep{32}}, batch(8192, 4096, 2)), "megatron"},
    {"Qwen3-235B, GB200", trained(models::qwen3_235b_a22b, 256, {pp{8}, ep{32}}, batch(8192, 4096)), "megatron"},
    {"Qwen3-235B, B300", trained(models::qwen3_235b_a22b, 256, {pp{8}, vpp{4}, ep{8}}, batch(8192, 4096)), "megatron"},
    {"Qwen3-235B, H100", trained(models::qwen3_235b_a22b, 256, {tp{2}, sp{2}, pp{8}, vpp{4}, ep{32}}, batch(8192, 4096)),
     "megatron"},
    {"Qwen3-30B, GB300", trained(models::qwen3_30b_a3b, 8, {ep{8}}, batch(512, 4096, 8)), "megatron torchtitan"},
    {"Qwen3-30B, H100", trained(models::qwen3_30b_a3b, 16, {pp{2}, vpp{12}, ep{8}}, batch(1024, 4096)), "megatron torchtitan"},
    {"Kimi K2, GB300", trained(models::kimi_k2, 256, {pp{4}, vpp{4}, ep{64}}, batch(4096, 4096, 2)), "megatron"},
    {"GPT-OSS 120B, GB300", trained(models::gpt_oss_120b, 64, {ep{64}}, batch(1280, 4096, 4)), "megatron torchtitan"},
    {"GPT-OSS 120B, H100", trained(models::gpt_oss_120b, 64, {pp{4}, ep{8}}, batch(1280, 4096)), "megatron torchtitan"},
    {"LLaMA-405B, GB300", trained(models::llama_3_1_405b, 256, {tp{2}, sp{2}, pp{8}, cp{2}}, batch(1536, 4096)), "megatron"},
    {"LLaMA-405B, GB200", trained(models::llama_3_1_405b, 256, {tp{4}, sp{4}, pp{16}}, batch(1536, 4096)),
     "megatron"}, // 126 layers on 16 stages
    {"LLaMA-70B, H100", trained(models::llama_3_1_70b, 64, {tp{4}, sp{4}, pp{8}}, batch(128, 4096)), "megatron torchtitan"},
};

} // namespace moeplan_test
