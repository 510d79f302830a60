#pragma once

#include <cstdint>
#include <initializer_list>

#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/sequence.hpp>

/// @file
/// How a model's layers are laid out over the stages of a pipeline.

namespace moeplan {

enum class layout_kind : std::uint16_t {
  even,       ///< the same number on every virtual stage; indivisible is an error, as in Megatron-LM
  balanced,   ///< numbers that differ by one at most, the larger ones first (torch.tensor_split; TensorRT-LLM)
  first_last, ///< given numbers on the first and the last stage, the rest even (--decoder-first-pipeline-num-layers)
  listed      ///< a number for each virtual stage
};

/// Equal virtual stages, one after the other.
struct stage_run {
  std::int64_t stages = 0;
  std::int64_t decoder_layers = 0; ///< on each of them
  std::int64_t mtp_layers = 0;     ///< on each of them; only meaningful in a layout that places these layers itself

  friend constexpr bool operator==(const stage_run&, const stage_run&) noexcept = default;
};

/// Decoder layers on each virtual stage, and where multi-token prediction is. The embedding is on the first virtual stage, the loss
/// (with final norm and head) on the last. Virtual stage v is chunk v / PP of pipeline rank v % PP.
///
/// Unless the layout places them itself, multi-token prediction layers are on the last virtual stage, as in Megatron-LM.
struct layout {
  static constexpr std::size_t max_runs = 64; ///< different neighbours that a listed layout can hold

  layout_kind kind = layout_kind::even;
  bool embedding_is_a_layer = false; ///< even: the embedding counts as a layer (--account-for-embedding-in-pipeline-split)
  bool loss_is_a_layer = false;      ///< even: so does the loss (--account-for-loss-in-pipeline-split)
  bool places_mtp = false;           ///< listed: mtp_layers of the runs hold
  optional_integer first{};          ///< first_last: decoder layers on the first pipeline rank, over all its virtual stages
  optional_integer last{};           ///< first_last: on the last
  sequence<stage_run, max_runs> runs{};

  [[nodiscard]] static constexpr layout even() noexcept { return {}; }
  [[nodiscard]] static constexpr layout balanced() noexcept { return {.kind = layout_kind::balanced}; }

  /// Even, with embedding or loss counted as a layer of the stage that holds it.
  [[nodiscard]] static constexpr layout even_with(bool embedding_as_layer, bool loss_as_layer) noexcept {
    return {.embedding_is_a_layer = embedding_as_layer, .loss_is_a_layer = loss_as_layer};
  }

  /// Either number may be absent ({}).
  [[nodiscard]] static constexpr layout first_last(optional_integer first, optional_integer last) noexcept {
    return {.kind = layout_kind::first_last, .first = first, .last = last};
  }

  /// Runs of equal stages: stages({15, 4}, {1, 1}) is fifteen stages of four layers and one of one.
  [[nodiscard]] static constexpr layout stages(stage_run a, stage_run b = {}, stage_run c = {}, stage_run d = {}, stage_run e = {},
                                               stage_run f = {}, stage_run g = {}, stage_run h = {}) noexcept {
    layout result{.kind = layout_kind::listed};
    for (const stage_run& run : {a, b, c, d, e, f, g, h})
      if (run.stages != 0 && !result.append(run)) result.runs.push_back(run); // Too many to merge: for `check` to judge.
    return result;
  }

  /// Adds stages at the end, merging them with equal ones before; false, and no change, if there is no room for another run.
  constexpr bool append(const stage_run& run) noexcept {
    if (runs.empty() || runs.back().decoder_layers != run.decoder_layers || runs.back().mtp_layers != run.mtp_layers)
      return runs.push_back(run);
    std::int64_t together = 0;
    if (__builtin_add_overflow(runs.back().stages, run.stages, &together)) return false;
    runs.back().stages = together;
    return true;
  }

  friend constexpr bool operator==(const layout&, const layout&) noexcept = default;
};

} // namespace moeplan
