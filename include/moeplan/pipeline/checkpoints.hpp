#pragma once

#include <cstdint>

#include <moeplan/number/count.hpp>

/// @file
/// How many activations of a stage to keep when the rest is computed again.

namespace moeplan {

/// The number of checkpoints c, from 1 to `layers`, for which c input + layers / c intermediate is least: the inputs of c groups of
/// layers are kept, and the intermediate activations of one group exist at a time. The whole number nearest in effect to
/// sqrt(layers intermediate / input) (arXiv 2104.04473, section 3.5), exact: of two equally good ones the smaller.
///
/// `input`, `intermediate`: bytes that one layer keeps at its border and within. Overflowed if layers x intermediate does not fit
/// into 64 bits. Precondition: layers at least 1.
[[nodiscard]] constexpr count best_checkpoints(std::int64_t layers, count input, count intermediate) noexcept {
  const count all = count{layers} * intermediate;
  if (all.overflowed() || input.overflowed()) return all + input;
  if (input == 0) return intermediate == 0 ? 1 : layers;
  // One more is worth it as long as c (c + 1) input < all: as long as c (c + 1) < all / input, rounded up.
  // Not (all + input - 1) / input, whose sum may not fit although the quotient does.
  const count worth = all == 0 ? count{0} : (all - 1) / input + 1;
  std::int64_t least = 1;
  std::int64_t most = layers;
  while (least < most) {
    const std::int64_t middle = least + (most - least) / 2;
    // Without a product that may not fit: middle (middle + 1) >= worth.
    const bool enough = worth == 0 || count{middle + 1} >= (worth - 1) / middle + 1;
    if (enough)
      most = middle;
    else
      least = middle + 1;
  }
  return least;
}

} // namespace moeplan
