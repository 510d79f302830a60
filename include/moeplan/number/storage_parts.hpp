#pragma once

#include <cstdint>

#include <moeplan/number/array_view.hpp>

/// @file
/// One array of the caller's for several of a calculator's own.

namespace moeplan::detail {

/// Hands out parts of an array, one after the other.
template <class T>
struct storage_parts {
  array_view<T> left{};

  constexpr storage_parts() noexcept = default;
  constexpr explicit storage_parts(array_view<T> storage) noexcept : left{storage} {}

  /// Precondition: 0 <= n <= left.size().
  constexpr array_view<T> take(std::int64_t n) noexcept {
    const auto taken = left.part(0, n);
    left = left.part(n, left.size() - n);
    return taken;
  }
};

} // namespace moeplan::detail
