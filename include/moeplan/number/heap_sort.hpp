#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>

/// @file
/// Sorting in place. <algorithm> has it too, and costs more to include than the whole core may.

namespace moeplan {

namespace detail {

/// Lets an item sink to where no item below it comes after it. The items below `top` of a heap of `size` already do so.
template <class T, class Before>
constexpr void sink(array_view<T> heap, std::int64_t top, std::int64_t size, const Before& before) noexcept {
  const T item = heap[top];
  for (std::int64_t below = 2 * top + 1; below < size; below = 2 * top + 1) {
    if (below + 1 < size && before(heap[below], heap[below + 1])) ++below;
    if (!before(item, heap[below])) break;
    heap[top] = heap[below];
    top = below;
  }
  heap[top] = item;
}

} // namespace detail

/// Sorts the items so that none is `before` one that stands earlier; n log n comparisons at worst, without memory of its own. Not stable:
/// whoever wants a definite order of equal items lets `before` tell them apart. Precondition: `before` is a strict weak order.
template <class T, class Before>
constexpr void heap_sort(array_view<T> items, const Before& before) noexcept {
  for (std::int64_t top = items.size() / 2; top-- > 0;) detail::sink(items, top, items.size(), before);
  for (std::int64_t size = items.size(); size-- > 1;) {
    const T last = items[0];
    items[0] = items[size];
    items[size] = last;
    detail::sink(items, 0, size, before);
  }
}

} // namespace moeplan
