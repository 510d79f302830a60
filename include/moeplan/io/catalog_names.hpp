#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
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
    {"deepseek-v2-lite", &catalog::deepseek_v2_lite, "deepseek-ai/DeepSeek-V2-Lite"},
    {"deepseek-v2", &catalog::deepseek_v2, "deepseek-ai/DeepSeek-V2"},
    {"deepseek-v3", &catalog::deepseek_v3, "deepseek-ai/DeepSeek-V3"},
    {"llama-3.1-8b", &catalog::llama_3_1_8b, "meta-llama/Llama-3.1-8B"},
    {"llama-3.1-70b", &catalog::llama_3_1_70b, "meta-llama/Llama-3.1-70B"},
    {"mixtral-8x7b", &catalog::mixtral_8x7b, "mistralai/Mixtral-8x7B-v0.1"},
    {"mixtral-8x22b", &catalog::mixtral_8x22b, "mistralai/Mixtral-8x22B-v0.1"},
    {"qwen3-30b-a3b", &catalog::qwen3_30b_a3b, "Qwen/Qwen3-30B-A3B"},
    {"qwen3-235b-a22b", &catalog::qwen3_235b_a22b, "Qwen/Qwen3-235B-A22B"},
    {"qwen3-32b", &catalog::qwen3_32b, "Qwen/Qwen3-32B"},
};

inline constexpr catalog_entry<gpu> catalog_gpus[] = {
    {"a100-80gb-sxm", &catalog::a100_80gb_sxm, "NVIDIA A100 80GB SXM"},
    {"h100-sxm", &catalog::h100_sxm, "NVIDIA H100 SXM"},
    {"h800-sxm", &catalog::h800_sxm, "NVIDIA H800 SXM"},
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
