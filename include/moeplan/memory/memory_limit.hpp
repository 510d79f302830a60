#pragma once

#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How much of a GPU's memory a rank may take.

namespace moeplan::detail {

/// Usable memory (nominal, where only that is known) less the workload's reserve. 0: not known, or the reserve leaves nothing.
[[nodiscard]] constexpr saturating_count memory_limit(const deployment& d) noexcept {
  const gpu& g = d.cluster.gpu;
  const saturating_count usable = (g.usable_memory > bytes{} ? g.usable_memory : g.memory).amount.bits;
  const saturating_count reserve = d.workload.reserve().amount.bits;
  return usable > reserve ? usable - reserve : saturating_count{0};
}

} // namespace moeplan::detail
