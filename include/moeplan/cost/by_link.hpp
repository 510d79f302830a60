#pragma once

/// @file
/// What is sent, divided by the links that it takes.

namespace moeplan {

/// Parts of an amount: bytes, or shares of them. An NVLink domain is one node or several, see `cluster`; a rail is the switch that GPUs of
/// the same index in their nodes share in a rail-optimised network. Where the network has no rails, `on_rail` and `across_rails` take the
/// same links.
template <class Amount>
struct by_link {
  Amount within_node{};
  Amount within_domain{}; ///< to other nodes of the NVLink domain
  Amount on_rail{};       ///< to other domains, to a GPU of the same index
  /// To other domains, to a GPU of another index: over the switches above the rails, or over NVLink to the GPU whose rail it is and from
  /// there (NCCL's PXN, which adds as much to what NVLink carries).
  Amount across_rails{};

  [[nodiscard]] constexpr Amount nvlink() const noexcept { return within_node + within_domain; }
  [[nodiscard]] constexpr Amount network() const noexcept { return on_rail + across_rails; }
  [[nodiscard]] constexpr Amount sum() const noexcept { return nvlink() + network(); }

  friend constexpr bool operator==(const by_link&, const by_link&) noexcept = default;
};

} // namespace moeplan
