#pragma once

#include <cstdint>

#include <moeplan/number/bytes.hpp>
#include <moeplan/number/optional_integer.hpp>

/// @file
/// The machines that a strategy is to run on.

namespace moeplan {

/// One GPU. Rates are dense peaks (without 2:4 sparsity) per second; bandwidths are bytes a second in one direction. 0: not known.
struct gpu {
  bytes memory{};        ///< nominal
  bytes usable_memory{}; ///< what a process can allocate: nominal memory less what driver and firmware keep
  std::int64_t bf16_flops = 0;
  std::int64_t fp8_flops = 0;
  std::int64_t fp4_flops = 0;
  bytes memory_bandwidth{};  ///< of reading and writing its memory, both together
  bytes nvlink_bandwidth{};  ///< to the other GPUs of the node, or of the rack: NVLink, Infinity Fabric, Unified Bus
  bytes network_bandwidth{}; ///< to other nodes, this GPU's share

  friend constexpr bool operator==(const gpu&, const gpu&) noexcept = default;
};

/// Equal nodes of equal GPUs, or a bare number of GPUs where nothing is known about nodes.
struct cluster {
  moeplan::gpu gpu{};
  optional_integer gpus_per_node{};
  optional_integer nodes{};
  optional_integer total{}; ///< in place of the two
  /// GPUs that reach each other by NVLink where these are more than a node: 72 of an NVL72 rack whose nodes have four. A multiple of
  /// `gpus_per_node`; not given: a node.
  optional_integer nvlink_domain{};

  /// Precondition: either `total` or both of `gpus_per_node` and `nodes` are given, and not negative.
  template <class Integer = count>
  [[nodiscard]] constexpr Integer gpus() const noexcept(noexcept(Integer{} * Integer{})) {
    return total.given ? Integer(total.number) : Integer(gpus_per_node.number) * Integer(nodes.number);
  }

  /// GPUs that reach each other by NVLink, or what the machine has in its place. Precondition: `gpus_per_node` is given.
  [[nodiscard]] constexpr std::int64_t nvlink_gpus() const noexcept { return nvlink_domain.value_or(gpus_per_node.number); }

  [[nodiscard]] constexpr bool described() const noexcept { return total.given || (gpus_per_node.given && nodes.given); }

  friend constexpr bool operator==(const cluster&, const cluster&) noexcept = default;
};

} // namespace moeplan
