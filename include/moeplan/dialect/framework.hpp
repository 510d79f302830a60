#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/text/parsed.hpp>

/// @file
/// The frameworks whose launch flags can be read and written.

namespace moeplan::dialect {

enum class framework : std::uint16_t {
  megatron,   ///< NVIDIA Megatron-LM: pretrain_gpt.py
  torchtitan, ///< PyTorch torchtitan: torchtitan.train
  vllm,       ///< vLLM: vllm serve
  sglang,     ///< SGLang: sglang.launch_server
  trtllm,     ///< NVIDIA TensorRT-LLM: trtllm-serve
  deepspeed   ///< DeepSpeed: its configuration, which is JSON
};

inline constexpr framework frameworks[] = {framework::megatron, framework::torchtitan, framework::vllm,
                                           framework::sglang,   framework::trtllm,     framework::deepspeed};

/// As the command line spells it.
[[nodiscard]] constexpr text name_of(framework f) noexcept {
  constexpr text names[] = {"megatron", "torchtitan", "vllm", "sglang", "trtllm", "deepspeed"};
  return names[static_cast<std::size_t>(f)];
}

/// As its authors spell it.
[[nodiscard]] constexpr text title_of(framework f) noexcept {
  constexpr text titles[] = {"Megatron-LM", "torchtitan", "vLLM", "SGLang", "TensorRT-LLM", "DeepSpeed"};
  return titles[static_cast<std::size_t>(f)];
}

[[nodiscard]] constexpr bool trains(framework f) noexcept {
  return f == framework::megatron || f == framework::torchtitan || f == framework::deepspeed;
}

/// Reads what name_of() writes.
[[nodiscard]] constexpr parsed<framework> parse_framework(text t) noexcept {
  for (const framework f : frameworks)
    if (t == name_of(f)) return {.value = f, .error = {}};
  return {.value = {}, .error = {"not a framework", t, "megatron, torchtitan, vllm, sglang, trtllm or deepspeed", 0}};
}

} // namespace moeplan::dialect
