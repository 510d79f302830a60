#pragma once

#include <cstdint>

#include <moeplan/dialect/same.hpp>

/// @file
/// How frameworks split a model's layers over pipeline stages when they are not told.

namespace moeplan::dialect {

/// Decoder layers on stage `stage` of `stages` when `layers` are split.
/// Precondition of all of them: layers >= 0, stages >= 1, 0 <= stage < stages.
using stage_split = std::int64_t (*)(std::int64_t layers, std::int64_t stages, std::int64_t stage) noexcept;

/// Of the layers that are left over each goes to one stage, beginning with the last but one and going towards the first.
/// Source: vLLM, vllm/distributed/utils.py, get_pp_indices.
[[nodiscard]] constexpr std::int64_t vllm_split(std::int64_t layers, std::int64_t stages, std::int64_t stage) noexcept {
  const std::int64_t from_last = stages - stage; // the last stage is 1, the last but one 2
  return layers / stages + (from_last >= 2 && from_last < layers % stages + 2 ? 1 : 0);
}

/// The last stages hold one layer more. Source: SGLang, python/sglang/srt/distributed/utils.py, get_pp_indices.
[[nodiscard]] constexpr std::int64_t sglang_split(std::int64_t layers, std::int64_t stages, std::int64_t stage) noexcept {
  return layers / stages + (stage >= stages - layers % stages ? 1 : 0);
}

/// The first stages hold one layer more. Source: TensorRT-LLM, tensorrt_llm/mapping.py, Mapping.pp_layers (torch.tensor_split).
[[nodiscard]] constexpr std::int64_t trtllm_split(std::int64_t layers, std::int64_t stages, std::int64_t stage) noexcept {
  return layers / stages + (stage < layers % stages ? 1 : 0);
}

/// The layout of a split: even where every stage holds as many, else listed. With more stages than can be listed, or none, it is even,
/// which `check` then judges.
template <class Split>
[[nodiscard]] constexpr layout layout_of(std::int64_t stages, Split layers_on) noexcept {
  constexpr std::int64_t most = 1 << 16;
  layout listed{.kind = layout_kind::listed};
  if (stages < 1 || stages > most) return layout::even();
  for (std::int64_t i = 0; i < stages; ++i)
    if (!listed.append({.stages = 1, .decoder_layers = layers_on(i), .mtp_layers = 0})) return layout::even();
  return listed.runs.size() == 1 ? layout::even() : listed;
}

/// Whether the deployment's layers lie as a split puts them, MTP on the last stage. Precondition: degrees are given.
[[nodiscard]] constexpr bool is_split_as(const deployment& d, stage_split split) noexcept {
  if (d.layout == layout::even() && d.strategy[axis::pp] == 1 && d.strategy[axis::vpp] == 1) return true;
  deployment other = d;
  if (!detail::has_countable_stages(d)) return false;
  const std::int64_t stages = virtual_stages(d.strategy, d.layout);
  other.layout = layout_of(stages, [&](std::int64_t i) { return split(d.model.layers, stages, i); });
  return same_stages(d, other);
}

} // namespace moeplan::dialect
