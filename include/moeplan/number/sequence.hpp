#pragma once

#include <cstddef>

/// @file
/// A list of bounded length that is a value: no allocation, and usable as a template argument.

namespace moeplan {

/// Up to `Capacity` elements. Equality compares the elements in use.
template <class T, std::size_t Capacity>
struct sequence {
  T items[Capacity]{};
  std::size_t length = 0;

  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return Capacity; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return length; }
  [[nodiscard]] constexpr bool empty() const noexcept { return length == 0; }

  /// False, and no change, when the sequence is full.
  constexpr bool push_back(const T& item) noexcept {
    if (length == Capacity) return false;
    items[length] = item;
    ++length;
    return true;
  }

  /// Precondition: not empty, or i below size().
  [[nodiscard]] constexpr T& back() noexcept { return items[length - 1]; }
  [[nodiscard]] constexpr const T& back() const noexcept { return items[length - 1]; }
  [[nodiscard]] constexpr T& operator[](std::size_t i) noexcept { return items[i]; }
  [[nodiscard]] constexpr const T& operator[](std::size_t i) const noexcept { return items[i]; }

  [[nodiscard]] constexpr T* begin() noexcept { return items; }
  [[nodiscard]] constexpr T* end() noexcept { return items + length; }
  [[nodiscard]] constexpr const T* begin() const noexcept { return items; }
  [[nodiscard]] constexpr const T* end() const noexcept { return items + length; }

  friend constexpr bool operator==(const sequence& a, const sequence& b) noexcept {
    if (a.length != b.length) return false;
    for (std::size_t i = 0; i < a.length; ++i)
      if (!(a.items[i] == b.items[i])) return false;
    return true;
  }
};

} // namespace moeplan
