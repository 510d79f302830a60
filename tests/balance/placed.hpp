// A layer and where its experts are, in storage of its own, so that it works in constant expressions.
#pragma once

#include <moeplan/balance/eplb.hpp>

#include <cstddef>
#include <cstdint>

namespace moeplan_test {

template <std::size_t Slots, std::size_t Experts>
struct placed {
  moeplan::placement_shape shape{};
  std::int64_t loads[Experts]{};
  std::int32_t physical_to_logical[Slots]{};
  std::int32_t logical_count[Experts]{};
  moeplan::placement_error error{};

  [[nodiscard]] constexpr moeplan::placement_view view() const { return {shape, loads, physical_to_logical, logical_count}; }
};

/// EPLB's placement. The shape's experts and slots are those of the type.
template <std::size_t Slots, std::size_t Experts>
constexpr placed<Slots, Experts> placed_by_eplb(moeplan::placement_shape shape, const std::int64_t (&loads)[Experts]) {
  placed<Slots, Experts> p;
  p.shape = shape;
  for (std::size_t e = 0; e < Experts; ++e) p.loads[e] = loads[e];
  std::uint64_t words[8 * Slots + 8]{};
  p.error = moeplan::eplb(shape, p.loads, p.physical_to_logical, p.logical_count, words);
  return p;
}

template <class T, std::size_t N>
constexpr bool same(const T (&a)[N], const T (&b)[N]) {
  for (std::size_t i = 0; i < N; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

} // namespace moeplan_test
