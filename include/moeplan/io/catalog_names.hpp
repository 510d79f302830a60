#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <moeplan/catalog/dbrx.hpp>
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/ernie.hpp>
#include <moeplan/catalog/glm.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/grok.hpp>
#include <moeplan/catalog/kimi.hpp>
#include <moeplan/catalog/ling.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/minimax.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/olmoe.hpp>
#include <moeplan/catalog/phi.hpp>
#include <moeplan/catalog/qwen.hpp>

/// @file
/// The catalog by name. A name is the C++ identifier with '-' for '_', or '.' in a version number.

namespace moeplan::io {

/// An entry of the catalog.
template <class T>
struct catalog_entry {
  const char* name;
  const T* value;
  const char* published; ///< the name under which it is published
};

inline constexpr catalog_entry<model> catalog_models[] = {
    {"dbrx", &catalog::dbrx, "databricks/dbrx-base"},
    {"deepseek-v2-lite", &catalog::deepseek_v2_lite, "deepseek-ai/DeepSeek-V2-Lite"},
    {"deepseek-v2", &catalog::deepseek_v2, "deepseek-ai/DeepSeek-V2"},
    {"deepseek-v3", &catalog::deepseek_v3, "deepseek-ai/DeepSeek-V3"},
    {"deepseek-v3.2", &catalog::deepseek_v3_2, "deepseek-ai/DeepSeek-V3.2"},
    {"ernie-4.5-21b-a3b", &catalog::ernie_4_5_21b_a3b, "baidu/ERNIE-4.5-21B-A3B-PT"},
    {"glm-4.5", &catalog::glm_4_5, "zai-org/GLM-4.5"},
    {"glm-4.5-air", &catalog::glm_4_5_air, "zai-org/GLM-4.5-Air"},
    {"gpt-oss-20b", &catalog::gpt_oss_20b, "openai/gpt-oss-20b"},
    {"gpt-oss-120b", &catalog::gpt_oss_120b, "openai/gpt-oss-120b"},
    {"grok-1", &catalog::grok_1, "xai-org/grok-1"},
    {"kimi-k2", &catalog::kimi_k2, "moonshotai/Kimi-K2-Instruct"},
    {"ling-1t", &catalog::ling_1t, "inclusionAI/Ling-1T"},
    {"ling-mini-2.0", &catalog::ling_mini_2_0, "inclusionAI/Ling-mini-2.0"},
    {"llama-3.1-8b", &catalog::llama_3_1_8b, "meta-llama/Llama-3.1-8B"},
    {"llama-3.1-70b", &catalog::llama_3_1_70b, "meta-llama/Llama-3.1-70B"},
    {"llama-3.1-405b", &catalog::llama_3_1_405b, "meta-llama/Llama-3.1-405B"},
    {"llama-4-maverick", &catalog::llama_4_maverick, "meta-llama/Llama-4-Maverick-17B-128E-Instruct"},
    {"llama-4-scout", &catalog::llama_4_scout, "meta-llama/Llama-4-Scout-17B-16E"},
    {"minimax-m2.5", &catalog::minimax_m2_5, "MiniMaxAI/MiniMax-M2.5"},
    {"mixtral-8x7b", &catalog::mixtral_8x7b, "mistralai/Mixtral-8x7B-v0.1"},
    {"mixtral-8x22b", &catalog::mixtral_8x22b, "mistralai/Mixtral-8x22B-v0.1"},
    {"olmoe-1b-7b", &catalog::olmoe_1b_7b, "allenai/OLMoE-1B-7B-0924"},
    {"phi-3.5-moe", &catalog::phi_3_5_moe, "microsoft/Phi-3.5-MoE-instruct"},
    {"qwen1.5-moe-a2.7b", &catalog::qwen1_5_moe_a2_7b, "Qwen/Qwen1.5-MoE-A2.7B"},
    {"qwen2-57b-a14b", &catalog::qwen2_57b_a14b, "Qwen/Qwen2-57B-A14B"},
    {"qwen3-30b-a3b", &catalog::qwen3_30b_a3b, "Qwen/Qwen3-30B-A3B"},
    {"qwen3-32b", &catalog::qwen3_32b, "Qwen/Qwen3-32B"},
    {"qwen3-235b-a22b", &catalog::qwen3_235b_a22b, "Qwen/Qwen3-235B-A22B"},
    {"qwen3-coder-480b-a35b", &catalog::qwen3_coder_480b_a35b, "Qwen/Qwen3-Coder-480B-A35B-Instruct"},
    {"qwen3-next-80b-a3b", &catalog::qwen3_next_80b_a3b, "Qwen/Qwen3-Next-80B-A3B-Instruct"},
};

inline constexpr catalog_entry<gpu> catalog_gpus[] = {
    {"a100-40gb-sxm", &catalog::a100_40gb_sxm, "NVIDIA A100 40GB SXM"},
    {"a100-80gb-sxm", &catalog::a100_80gb_sxm, "NVIDIA A100 80GB SXM"},
    {"h100-pcie", &catalog::h100_pcie, "NVIDIA H100 PCIe"},
    {"h100-nvl", &catalog::h100_nvl, "NVIDIA H100 NVL"},
    {"h100-sxm", &catalog::h100_sxm, "NVIDIA H100 SXM"},
    {"h800-sxm", &catalog::h800_sxm, "NVIDIA H800 SXM"},
    {"h20-sxm", &catalog::h20_sxm, "NVIDIA H20 SXM"},
    {"h200-sxm", &catalog::h200_sxm, "NVIDIA H200 SXM"},
    {"b200-sxm", &catalog::b200_sxm, "NVIDIA B200 SXM"},
    {"gb200", &catalog::gb200, "NVIDIA GB200"},
    {"b300-sxm", &catalog::b300_sxm, "NVIDIA B300 SXM"},
    {"mi300x", &catalog::mi300x, "AMD Instinct MI300X"},
    {"mi325x", &catalog::mi325x, "AMD Instinct MI325X"},
    {"mi355x", &catalog::mi355x, "AMD Instinct MI355X"},
    {"ascend-910b", &catalog::ascend_910b, "Huawei Ascend 910B"},
    {"ascend-910c-die", &catalog::ascend_910c_die, "Huawei Ascend 910C, one die"},
};

/// The entry of that name, or a null pointer.
template <class T, std::size_t N>
[[nodiscard]] constexpr const T* find_in(const catalog_entry<T> (&entries)[N], std::string_view name) noexcept {
  for (const catalog_entry<T>& e : entries)
    if (name == e.name) return e.value;
  return nullptr;
}

/// The name of a value of the catalog; empty if it is none.
template <class T, std::size_t N>
[[nodiscard]] constexpr std::string_view name_in(const catalog_entry<T> (&entries)[N], const T& value) noexcept {
  for (const catalog_entry<T>& e : entries)
    if (*e.value == value) return e.name;
  return {};
}

/// All names, for messages.
template <class T, std::size_t N>
[[nodiscard]] std::vector<std::string> names_of(const catalog_entry<T> (&entries)[N]) {
  std::vector<std::string> names;
  for (const catalog_entry<T>& e : entries) names.emplace_back(e.name);
  return names;
}

} // namespace moeplan::io
