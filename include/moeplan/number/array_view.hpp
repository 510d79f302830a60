#pragma once

#include <cstddef>
#include <cstdint>

/// @file
/// A view of an array that somebody else owns. <span> says the same and costs ten times as much to include.

namespace moeplan {

/// The elements first[0] to first[length - 1]. Made from a built-in array, or from anything that has data() and size().
template <class T>
struct array_view {
  T* first = nullptr;
  std::int64_t length = 0;

  constexpr array_view() noexcept = default;
  constexpr array_view(T* data, std::int64_t size) noexcept : first{data}, length{size} {}

  template <std::size_t N>
  constexpr array_view(T (&elements)[N]) noexcept : first{elements}, length{static_cast<std::int64_t>(N)} {}

  /// A view of elements that may be changed is a view of elements that may not.
  template <class U>
    requires requires(U* from, T*& to) { to = from; }
  constexpr array_view(array_view<U> elements) noexcept : first{elements.first}, length{elements.length} {}

  template <class Array>
    requires requires(Array& a, T*& to) {
      to = a.data();
      a.size();
    }
  constexpr array_view(Array& elements) noexcept : first{elements.data()}, length{static_cast<std::int64_t>(elements.size())} {}

  template <class Array>
    requires requires(const Array& a, T*& to) {
      to = a.data();
      a.size();
    }
  constexpr array_view(const Array& elements) noexcept
      : first{elements.data()}, length{static_cast<std::int64_t>(elements.size())} {}

  [[nodiscard]] constexpr T* data() const noexcept { return first; }
  [[nodiscard]] constexpr std::int64_t size() const noexcept { return length; }
  [[nodiscard]] constexpr T* begin() const noexcept { return first; }
  [[nodiscard]] constexpr T* end() const noexcept { return first + length; }

  /// Precondition: 0 <= i < size().
  [[nodiscard]] constexpr T& operator[](std::int64_t i) const noexcept { return first[i]; }

  /// Precondition: 0 <= from, 0 <= n, from + n <= size().
  [[nodiscard]] constexpr array_view part(std::int64_t from, std::int64_t n) const noexcept { return {first + from, n}; }
};

} // namespace moeplan
