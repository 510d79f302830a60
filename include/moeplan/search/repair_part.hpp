#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/text/text.hpp>

/// @file
/// The parts of a deployment that a repair may change.

namespace moeplan {

/// From what costs least to change to what costs most: of two equally near repairs the one is first whose costliest change is cheaper.
enum class repair_part : std::uint16_t {
  micro_batch, ///< of training
  order,       ///< of ranks: to Megatron-LM's, tp-cp-ep-dp-pp
  layout,      ///< to an even or a balanced one
  sp_size,     ///< on or off; where it is on it follows TP, which is no change
  vpp_size,
  idle_gpus, ///< that the deployment does not take all of the cluster's GPUs
  ep_size,
  etp_size,
  pp_size,
  cp_size,
  tp_size,
  dp_size ///< follows from the GPUs and is no change; here so that it can be pinned
};

inline constexpr std::size_t repair_part_count = 12;

/// Degrees by the names of their axes.
[[nodiscard]] constexpr text name_of(repair_part p) noexcept {
  constexpr text names[repair_part_count] = {"micro_batch", "order", "layout", "sp", "vpp", "idle_gpus",
                                             "ep",          "etp",   "pp",     "cp", "tp",  "dp"};
  return names[static_cast<std::size_t>(p)];
}

/// A set of parts.
struct repair_parts {
  std::uint16_t bits = 0; ///< one a part

  constexpr repair_parts() noexcept = default;
  template <class... Parts>
    requires(__is_same(Parts, repair_part) && ...)
  constexpr repair_parts(Parts... parts) noexcept { (add(parts), ...); }

  constexpr void add(repair_part p) noexcept { bits = static_cast<std::uint16_t>(bits | 1U << static_cast<unsigned>(p)); }
  [[nodiscard]] constexpr bool contains(repair_part p) const noexcept { return (bits >> static_cast<unsigned>(p) & 1U) != 0; }
  [[nodiscard]] constexpr bool contains_all(repair_parts other) const noexcept { return (other.bits & ~bits) == 0; }
  [[nodiscard]] constexpr bool shares_none(repair_parts other) const noexcept { return (other.bits & bits) == 0; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return static_cast<std::size_t>(__builtin_popcount(bits)); }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits == 0; }

  friend constexpr bool operator==(repair_parts, repair_parts) noexcept = default;
};

/// All parts but DP: what counts as a change.
inline constexpr repair_parts counted_repair_parts = [] {
  repair_parts parts;
  for (std::size_t i = 0; i + 1 < repair_part_count; ++i) parts.add(static_cast<repair_part>(i));
  return parts;
}();

} // namespace moeplan
