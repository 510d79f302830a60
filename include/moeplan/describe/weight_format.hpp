#pragma once

#include <cstdint>

#include <moeplan/describe/number_type.hpp>

/// @file
/// In which formats served models keep the weights of linear layers.

namespace moeplan {

enum class weight_format : std::uint16_t {
  bf16,          ///< or fp16: no scales
  fp8_tensor,    ///< a scale a matrix (vLLM fp8.py, per-tensor)
  fp8_channel,   ///< a scale an output (compressed-tensors FP8_DYNAMIC, as Llama-4-Maverick-17B-128E-Instruct-FP8)
  fp8_block,     ///< a scale for 128 x 128 numbers (DeepSeek-V3, README_WEIGHTS.md, weight_scale_inv)
  mxfp8,         ///< a scale of a byte for 32 inputs (OCP Microscaling Formats, 1.0)
  int8_channel,  ///< a scale an output (compressed-tensors W8A8)
  int4_group128, ///< a scale of 16 bits and a zero point of 4 for 128 inputs (AWQ and GPTQ with --group-size 128)
  int4_group32,  ///< a scale of 16 bits for 32 inputs (Kimi-K2-Thinking)
  mxfp4,         ///< a scale of a byte for 32 inputs (OCP Microscaling Formats, 1.0; gpt-oss, arXiv 2508.10925, section 2.1)
  nvfp4          ///< a scale of a byte for 16 inputs and one of fp32 a matrix (ModelOpt NVFP4: weight_scale, weight_scale_2)
};

/// Which linear layers a format is for; the rest is bf16. Embedding, head, routers, gates of shared experts, the scalars of linear
/// attention, heads' weights of an indexer and the projection of multi-token prediction are never quantised (DeepSeek-V3.2,
/// Qwen3-Next-FP8: modules_to_not_convert).
enum class quantised_parts : std::uint16_t {
  linear_layers, ///< all of attention, MLPs and experts (DeepSeek-V3, Qwen3-FP8)
  mlps,          ///< MLPs, routed and shared experts, but not attention (nvidia/DeepSeek-R1-FP4)
  routed_experts ///< those alone (gpt-oss, Kimi-K2-Thinking)
};

/// What a format takes: numbers, and a scale for each block of them.
struct format_sizes {
  number_type numbers = number_type::bf16;
  std::int64_t block_rows = 0;    ///< outputs that share a scale; 0: all
  std::int64_t block_columns = 0; ///< inputs that share a scale; 0: all
  std::int64_t scale_bits = 0;    ///< of one block, a zero point with it
  std::int64_t matrix_bytes = 0;  ///< once a matrix

  friend constexpr bool operator==(const format_sizes&, const format_sizes&) noexcept = default;
};

/// Scales of 8-bit formats are fp32, which is what frameworks keep them in; some checkpoints store them as bf16 (Qwen3-FP8).
[[nodiscard]] constexpr format_sizes sizes_of(weight_format format) noexcept {
  switch (format) {
    case weight_format::bf16: return {};
    case weight_format::fp8_tensor: return {.numbers = number_type::fp8, .scale_bits = 32};
    case weight_format::fp8_channel: return {.numbers = number_type::fp8, .block_rows = 1, .scale_bits = 32};
    case weight_format::fp8_block: return {.numbers = number_type::fp8, .block_rows = 128, .block_columns = 128, .scale_bits = 32};
    case weight_format::mxfp8: return {.numbers = number_type::fp8, .block_rows = 1, .block_columns = 32, .scale_bits = 8};
    case weight_format::int8_channel: return {.numbers = number_type::int8, .block_rows = 1, .scale_bits = 32};
    case weight_format::int4_group128:
      return {.numbers = number_type::int4, .block_rows = 1, .block_columns = 128, .scale_bits = 16 + 4};
    case weight_format::int4_group32: return {.numbers = number_type::int4, .block_rows = 1, .block_columns = 32, .scale_bits = 16};
    case weight_format::mxfp4: return {.numbers = number_type::fp4, .block_rows = 1, .block_columns = 32, .scale_bits = 8};
    case weight_format::nvfp4:
      return {.numbers = number_type::fp4, .block_rows = 1, .block_columns = 16, .scale_bits = 8, .matrix_bytes = 4};
  }
  return {};
}

} // namespace moeplan
