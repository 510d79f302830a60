#pragma once

#include <cstddef>
#include <cstdint>

/// @file
/// Which decoder layers hold experts, or differ from the others in another way.

namespace moeplan {

/// Layer i (from 0) belongs to the set when i is at least `first`, i % every == phase, and i is not excluded.
///
/// This one shape covers what configurations say: first-k-dense (DeepSeek), every n-th (Qwen, Llama 4, Megatron-LM's integer
/// --moe-layer-freq), and explicit lists of up to `listable` layers (`mlp_only_layers`, Megatron-LM's list).
struct layer_set {
  static constexpr std::int64_t listable = 256; ///< layers that can be excluded one by one

  std::int64_t first = 0;
  std::int64_t every = 1; ///< at least 1
  std::int64_t phase = 0; ///< from 0 to every - 1
  std::uint64_t excluded[listable / 64]{};

  [[nodiscard]] static constexpr layer_set all() noexcept { return {}; }
  [[nodiscard]] static constexpr layer_set after_first(std::int64_t dense) noexcept { return {.first = dense}; }
  [[nodiscard]] static constexpr layer_set every_nth(std::int64_t n, std::int64_t phase) noexcept {
    return {.every = n, .phase = phase};
  }

  /// Exactly the layers i with holds[i]; every layer past the list is out. Precondition: at most `listable` layers.
  template <std::size_t N>
    requires(N <= listable)
  [[nodiscard]] static constexpr layer_set listed(const bool (&holds)[N]) noexcept {
    layer_set set;
    for (std::int64_t i = 0; i < listable; ++i)
      if (i >= static_cast<std::int64_t>(N) || !holds[i]) set.exclude(i);
    return set;
  }

  /// Precondition: 0 <= layer < listable.
  constexpr void exclude(std::int64_t layer) noexcept { excluded[layer / 64] |= std::uint64_t{1} << layer % 64; }

  [[nodiscard]] constexpr bool excludes(std::int64_t layer) const noexcept {
    return layer < listable && (excluded[layer / 64] >> layer % 64 & 1U) != 0;
  }

  [[nodiscard]] constexpr bool contains(std::int64_t layer) const noexcept {
    return layer >= first && layer % every == phase && !excludes(layer);
  }

  /// How many layers of the set are below `end`. Precondition: end >= 0, first >= 0, every >= 1.
  [[nodiscard]] constexpr std::int64_t count_below(std::int64_t end) const noexcept {
    if (end <= first) return 0;
    std::int64_t layers = periodic_below(end) - periodic_below(first);
    if (!excludes_any()) return layers;
    for (std::int64_t i = first; i < end && i < listable; ++i)
      if (i % every == phase && excludes(i)) --layers;
    return layers;
  }

  friend constexpr bool operator==(const layer_set&, const layer_set&) noexcept = default;

private:
  [[nodiscard]] constexpr bool excludes_any() const noexcept {
    for (const std::uint64_t word : excluded)
      if (word != 0) return true;
    return false;
  }

  /// Numbers i in [0, end) with i % every == phase.
  [[nodiscard]] constexpr std::int64_t periodic_below(std::int64_t end) const noexcept {
    if (every == 1) return end; // Spares most models a division, which takes longer than everything else here.
    return end / every + (end % every > phase ? 1 : 0);
  }
};

} // namespace moeplan
