#pragma once

#include <cstdint>

#include <moeplan/describe/cluster.hpp>
#include <moeplan/describe/layout.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/describe/workload.hpp>

/// @file
/// Everything that a question about a deployment needs.

namespace moeplan {

/// Whose rules apply.
enum class profile : std::uint16_t {
  megatron, ///< arithmetic and Megatron-LM's own policies
  universal ///< arithmetic alone: what no framework can do otherwise
};

/// A model on a cluster under a strategy. A plain value: compare it, copy it, use it as a template argument.
struct deployment {
  moeplan::model model{};
  moeplan::cluster cluster{};
  moeplan::strategy strategy{};
  moeplan::layout layout{};
  moeplan::workload workload{};
  moeplan::profile profile = moeplan::profile::megatron;

  friend constexpr bool operator==(const deployment&, const deployment&) noexcept = default;
};

} // namespace moeplan
