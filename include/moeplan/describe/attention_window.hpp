#pragma once

#include <cstdint>

#include <moeplan/describe/layer_set.hpp>

/// @file
/// Layers whose attention looks back no further than a window.

namespace moeplan {

enum class window_kind : std::uint16_t {
  sliding, ///< the last tokens up to and with the present one (Mistral 7B, arXiv 2310.06825, section 2; gpt-oss)
  chunked  ///< the tokens since the last multiple of the window (Llama 4: attention_chunk_size)
};

/// A default-constructed one means that every layer attends to all tokens.
struct attention_window {
  std::int64_t tokens = 0; ///< 0: there is none
  window_kind kind = window_kind::sliding;
  layer_set full_layers{}; ///< the layers that attend to all tokens in its place

  /// For a window that every layer has.
  [[nodiscard]] static constexpr layer_set no_layers() noexcept { return layer_set::after_first(INT64_MAX); }

  friend constexpr bool operator==(const attention_window&, const attention_window&) noexcept = default;
};

} // namespace moeplan
