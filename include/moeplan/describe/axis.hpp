#pragma once

#include <cstdint>

#include <moeplan/text/text.hpp>

/// @file
/// The axes along which a model is split.

namespace moeplan {

/// 16 bits wide because clang 14 prints 8-bit enumerators in diagnostics as characters.
enum class axis : std::uint16_t {
  tp,  ///< tensor parallelism of dense layers
  pp,  ///< pipeline parallelism: stages
  vpp, ///< virtual stages on each pipeline rank (interleaving); costs no GPU
  ep,  ///< expert parallelism
  etp, ///< tensor parallelism inside an expert
  dp,  ///< data parallelism of dense layers
  cp,  ///< context parallelism: the sequence split in attention too
  sp,  ///< Megatron's sequence parallelism: uses the TP ranks, costs no GPU
  edp  ///< data parallelism of experts; never given, always derived
};

inline constexpr std::size_t axis_count = 9;

[[nodiscard]] constexpr text name_of(axis a) noexcept {
  constexpr text names[axis_count] = {"tp", "pp", "vpp", "ep", "etp", "dp", "cp", "sp", "edp"};
  return names[static_cast<std::size_t>(a)];
}

} // namespace moeplan
