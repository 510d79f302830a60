// Groups of ranks, and what they send over which links, rank by rank: no stride is known.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <moeplan/cost/topology.hpp>

namespace moeplan_test {

using ranks_of_group = std::vector<std::int64_t>;
using groups_of_ranks = std::vector<ranks_of_group>;

inline std::vector<std::int64_t> coordinates(const moeplan::mesh& m, moeplan::grid_kind grid, std::int64_t rank) {
  if (grid == moeplan::grid_kind::dense) {
    const moeplan::dense_coordinates c = m.dense_at(rank);
    return {c.tp, c.cp, c.dp, c.pp};
  }
  const moeplan::expert_coordinates c = m.expert_at(rank);
  return {c.etp, c.ep, c.edp, c.pp};
}

/// Every rank of the world is compared with the coordinates of the group.
inline groups_of_ranks groups_by_comparison(const moeplan::mesh& m, std::int64_t first_rank, moeplan::group_axes along) {
  groups_of_ranks all;
  std::vector<std::vector<std::int64_t>> keys;
  for (std::int64_t rank = first_rank; rank < first_rank + m.world(); ++rank) {
    std::vector<std::int64_t> key = coordinates(m, along.grid, rank);
    for (std::size_t place = 0; place < 4; ++place)
      if (along.spans(place)) key[place] = -1;
    const auto found = std::find(keys.begin(), keys.end(), key);
    if (found == keys.end()) {
      keys.push_back(key);
      all.push_back({rank});
    } else {
      all[static_cast<std::size_t>(found - keys.begin())].push_back(rank);
    }
  }
  return all;
}

inline groups_of_ranks cut(const groups_of_ranks& whole, moeplan::group_part part, std::int64_t ranks) {
  groups_of_ranks all;
  for (const ranks_of_group& group : whole) {
    const auto n = static_cast<std::size_t>(ranks);
    const std::size_t parts = group.size() / n;
    for (std::size_t p = 0; p < parts; ++p) {
      ranks_of_group members;
      for (std::size_t i = 0; i < n; ++i)
        members.push_back(group[part == moeplan::group_part::neighbours ? p * n + i : i * parts + p]);
      all.push_back(members);
    }
  }
  return all;
}

/// Whether a ring of these ranks can go from the NVLink domain of one of them to another's on one rail: both have a rank on it.
inline bool have_a_rail_in_common(const ranks_of_group& group, std::int64_t from, std::int64_t to,
                                  const moeplan::link_reach& reach) {
  for (const std::int64_t a : group)
    for (const std::int64_t b : group)
      if (a / reach.nvlink_gpus == from / reach.nvlink_gpus && b / reach.nvlink_gpus == to / reach.nvlink_gpus &&
          a % reach.gpus_per_node == b % reach.gpus_per_node)
        return true;
  return false;
}

} // namespace moeplan_test
