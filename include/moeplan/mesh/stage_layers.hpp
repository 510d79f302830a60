#pragma once

#include <cstdint>

#include <moeplan/describe/layout.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/describe/strategy.hpp>

/// @file
/// Which layers a layout puts on which stage.

namespace moeplan {

/// What one virtual stage holds.
struct stage_contents {
  std::int64_t first_layer = 0; ///< index of its first decoder layer, from 0
  std::int64_t decoder_layers = 0;
  std::int64_t mtp_layers = 0;
  bool embedding = false;
  bool loss = false; ///< final norm, head and loss

  friend constexpr bool operator==(const stage_contents&, const stage_contents&) noexcept = default;
};

/// Virtual stages of a pipeline: PP x VPP, or as many as a listed layout has.
[[nodiscard]] constexpr std::int64_t virtual_stages(const strategy& s, const layout& l) noexcept {
  if (l.kind != layout_kind::listed) return s[axis::pp] * s[axis::vpp];
  std::int64_t stages = 0;
  for (const stage_run& run : l.runs) stages += run.stages;
  return stages;
}

namespace detail {

struct layer_span {
  std::int64_t first = 0;
  std::int64_t layers = 0;
};

[[nodiscard]] constexpr layer_span even_span(const model& m, const layout& l, std::int64_t stages, std::int64_t stage) noexcept {
  const std::int64_t slots = m.layers + (l.embedding_is_a_layer ? 1 : 0) + (l.loss_is_a_layer ? 1 : 0);
  const std::int64_t each = slots / stages;
  const std::int64_t before = l.embedding_is_a_layer && stage > 0 ? 1 : 0;
  const std::int64_t taken = (l.embedding_is_a_layer && stage == 0 ? 1 : 0) + (l.loss_is_a_layer && stage == stages - 1 ? 1 : 0);
  return {stage * each - before, each - taken};
}

[[nodiscard]] constexpr layer_span balanced_span(const model& m, std::int64_t stages, std::int64_t stage) noexcept {
  const std::int64_t each = m.layers / stages;
  const std::int64_t longer = m.layers % stages;
  return {stage * each + (stage < longer ? stage : longer), each + (stage < longer ? 1 : 0)};
}

[[nodiscard]] constexpr layer_span first_last_span(const model& m, const strategy& s, const layout& l,
                                                   std::int64_t stage) noexcept {
  const std::int64_t pipeline = s[axis::pp];
  if (pipeline == 1) return {0, m.layers}; // One stage is both the first and the last.
  const std::int64_t chunks = s[axis::vpp];
  const std::int64_t middle_ranks = pipeline - (l.first.given ? 1 : 0) - (l.last.given ? 1 : 0);
  const std::int64_t middle_layers = m.layers - l.first.value_or(0) - l.last.value_or(0);
  const std::int64_t middle = middle_ranks > 0 ? middle_layers / middle_ranks / chunks : 0;
  const std::int64_t first = l.first.given ? l.first.number / chunks : middle;
  const std::int64_t last = l.last.given ? l.last.number / chunks : middle;
  const std::int64_t rank = stage % pipeline;
  const std::int64_t before_in_chunk = rank == 0 ? 0 : first + (rank - 1) * middle;
  const std::int64_t chunk_layers = first + last + (pipeline - 2) * middle;
  return {stage / pipeline * chunk_layers + before_in_chunk, rank == 0 ? first : rank == pipeline - 1 ? last : middle};
}

} // namespace detail

/// What virtual stage `stage` (from 0) holds; it lies on pipeline rank `stage % PP`. Source: Megatron-LM, transformer_block.py
/// get_num_layers_to_build, transformer_layer.py get_transformer_layer_offset.
/// Precondition: a deployment that `check` accepts, 0 <= stage < virtual_stages.
[[nodiscard]] constexpr stage_contents contents(const model& m, const strategy& s, const layout& l, std::int64_t stage) noexcept {
  const std::int64_t stages = virtual_stages(s, l);
  stage_contents result{.embedding = stage == 0, .loss = stage == stages - 1};
  const bool placed = l.kind == layout_kind::listed && l.places_mtp;
  if (!placed && result.loss) result.mtp_layers = m.mtp_layers;
  detail::layer_span span;
  switch (l.kind) {
    case layout_kind::even: span = detail::even_span(m, l, stages, stage); break;
    case layout_kind::balanced: span = detail::balanced_span(m, stages, stage); break;
    case layout_kind::first_last: span = detail::first_last_span(m, s, l, stage); break;
    case layout_kind::listed: {
      std::int64_t left = stage;
      for (const stage_run& run : l.runs) {
        span.layers = run.decoder_layers;
        if (left < run.stages) {
          span.first += left * run.decoder_layers;
          if (placed) result.mtp_layers = run.mtp_layers;
          break;
        }
        span.first += run.stages * run.decoder_layers;
        left -= run.stages;
      }
    }
  }
  result.first_layer = span.first;
  result.decoder_layers = span.layers;
  return result;
}

/// How many virtual stages from this one on the layout gives as many decoder layers each without saying so one by one; the last
/// stage of all, and the first, may have others. At least 1: callers that look for stages alike need not look at each. Precondition
/// as for contents().
[[nodiscard]] constexpr std::int64_t stages_as_long(const model& m, const strategy& s, const layout& l,
                                                    std::int64_t stage) noexcept {
  const std::int64_t stages = virtual_stages(s, l);
  switch (l.kind) {
    case layout_kind::even: return stages - stage;
    case layout_kind::balanced: return (stage < m.layers % stages ? m.layers % stages : stages) - stage;
    case layout_kind::first_last: return 1;
    case layout_kind::listed: break;
  }
  std::int64_t end = 0;
  for (const stage_run& run : l.runs) {
    end += run.stages;
    if (stage < end) break;
  }
  return end - stage;
}

} // namespace moeplan
