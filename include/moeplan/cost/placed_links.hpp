#pragma once

#include <cstdint>

#include <moeplan/cost/group_links.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/mesh/group_axes.hpp>

/// @file
/// The links of groups where a strategy lies on NVLink domains.

namespace moeplan::detail {

/// Those of the groups along some axes on a stage, of so many ranks each. Precondition: as for topology::domain_spread_of.
[[nodiscard]] constexpr group_links links_of(const topology& where, group_axes along, std::int64_t ranks,
                                             std::int64_t stage) noexcept {
  return ranks > 1 ? group_links{where.domain_spread_of(along, stage)} : group_links{};
}

/// Of what goes from the GPUs of one stage to those of another one, what leaves domains. Precondition: as for topology::domain_share_between.
[[nodiscard]] constexpr double far_share(const topology& where, std::int64_t from_stage, std::int64_t to_stage) noexcept {
  const node_share s = where.domain_share_between(from_stage, to_stage);
  return static_cast<double>(s.between.bits) / static_cast<double>(s.all.bits);
}

} // namespace moeplan::detail
