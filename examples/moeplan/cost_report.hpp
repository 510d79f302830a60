// What a step of a deployment costs, for text and JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <moeplan/cost/deployment_cost.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/number/uint256.hpp>
#include <moeplan/number/wide_ratio.hpp>

#include "cost_traffic.hpp"

namespace tool {

/// A component of a step's FLOPs.
struct flops_component {
  const char* name = "";    ///< "core_attention"
  moeplan::uint256 model{}; ///< forward and backward
  moeplan::uint256 recomputed{};
};

struct cost_report {
  moeplan::deployment_cost cost{};
  std::vector<flops_component> components; ///< all there are, of the whole step; their model FLOPs add up to cost.model_flops()
  std::vector<traffic_entry> traffic;
  bool estimates = false; ///< whether efficiencies were given

  [[nodiscard]] moeplan::wide_ratio flops_per_token() const { return {cost.model_flops(), moeplan::uint256{cost.tokens.value()}}; }
};

/// Precondition: a deployment that `check` accepts and whose memory it knows; DP is given. Absent: bytes or FLOPs of a sequence outgrow
/// 64 bits.
std::optional<cost_report> report_cost(const moeplan::deployment& d, const std::optional<moeplan::efficiencies>& reached);

} // namespace tool
