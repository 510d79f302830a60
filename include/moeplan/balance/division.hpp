#pragma once

#include <cstdint>

#include <moeplan/number/ratio.hpp>

/// @file
/// Items divided over parts as evenly as whole items allow: experts over GPUs, layers over stages, heads over tensor parallel ranks,
/// sequences over data parallel ranks.

namespace moeplan {

/// Which parts take one more item where a division leaves some over.
enum class longer_parts : std::uint16_t {
  first, ///< vLLM's experts over EP ranks (expert_map_manager.py determine_expert_map), torch.tensor_split, the layout `balanced`
  before_the_last, ///< the last but one and on towards the first: vLLM's layers over stages (distributed/utils.py get_pp_indices)
  last             ///< SGLang's layers over stages (distributed/utils.py get_pp_indices)
};

/// Precondition of everything here: items >= 0, parts >= 1. Part p holds the items first_item(p) to first_item(p) + size(p) - 1.
struct division {
  std::int64_t items = 0;
  std::int64_t parts = 1;
  longer_parts longer = longer_parts::first;

  friend constexpr bool operator==(const division&, const division&) noexcept = default;

  [[nodiscard]] constexpr bool even() const noexcept { return left_over() == 0; }

  /// Parts that hold one item more than the others.
  [[nodiscard]] constexpr std::int64_t left_over() const noexcept { return items % parts; }

  /// What each part would hold if items could be cut.
  [[nodiscard]] constexpr ratio mean() const noexcept { return {items, parts}; }

  [[nodiscard]] constexpr std::int64_t smallest() const noexcept { return items / parts; }
  [[nodiscard]] constexpr std::int64_t largest() const noexcept { return items / parts + (even() ? 0 : 1); }

  /// Items of a part. Precondition: 0 <= part < parts.
  [[nodiscard]] constexpr std::int64_t size(std::int64_t part) const noexcept {
    return smallest() + (part >= first_longer() && part < first_longer() + left_over() ? 1 : 0);
  }

  /// Precondition: 0 <= part <= parts; `parts` gives `items`.
  [[nodiscard]] constexpr std::int64_t first_item(std::int64_t part) const noexcept {
    const std::int64_t behind = part - first_longer();
    return part * smallest() + (behind < 0 ? 0 : behind < left_over() ? behind : left_over());
  }

  /// The part that holds an item. Precondition: 0 <= item < items.
  [[nodiscard]] constexpr std::int64_t part_of(std::int64_t item) const noexcept {
    const std::int64_t of_longer = item - first_longer() * smallest();
    if (of_longer < 0) return item / smallest();
    const std::int64_t behind = of_longer - left_over() * largest();
    return behind < 0 ? first_longer() + of_longer / largest() : first_longer() + left_over() + behind / smallest();
  }

  /// 1 if the division is even, or there is nothing to divide.
  [[nodiscard]] constexpr ratio max_over_mean() const noexcept { return items == 0 ? ratio{1} : ratio{largest()} / mean(); }

  /// Mean over max: the part of their time that ranks are busy if time goes with items.
  [[nodiscard]] constexpr ratio efficiency() const noexcept { return items == 0 ? ratio{1} : mean() / ratio{largest()}; }

  /// Of the parts' sizes, over all parts: with r longer parts of n it is (r / n) (1 - r / n), so 1/4 at most.
  [[nodiscard]] constexpr ratio variance() const noexcept { return ratio{left_over(), parts} * ratio{parts - left_over(), parts}; }

private:
  [[nodiscard]] constexpr std::int64_t first_longer() const noexcept {
    if (longer == longer_parts::first) return 0;
    return parts - left_over() - (longer == longer_parts::before_the_last ? 1 : 0);
  }
};

} // namespace moeplan
