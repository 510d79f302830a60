// A queue of jobs goes through the gate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moeplan/describe/deployment.hpp>

#include "../moeplan/repair_report.hpp"
#include "gate.hpp"

namespace admission {

/// What an admitted job gets of one node: ranks first_rank to first_rank + gpus - 1.
struct share {
  std::size_t node = 0;
  std::int64_t gpus = 0;
  std::int64_t first_rank = 0;
};

/// With which other strategy a refused job would be admitted or queued.
struct way_out {
  tool::repair_entry repair;
  admission::decision decision{}; ///< on the job so repaired
};

struct job {
  std::string name; ///< path of its file
  moeplan::deployment deployment{};
  admission::decision decision{};
  std::optional<admission::way_out> way_out{}; ///< refused: the nearest, where one was found
  std::vector<share> shares{};                 ///< admitted: in the order of the nodes
  std::int64_t free = 0;                       ///< GPUs that were free when it was decided on
  const job* waits_behind = nullptr;           ///< queued although it would fit: the job that must start first
};

/// Whether a job that fits may start before an earlier one that does not.
enum class passing : std::uint16_t {
  allowed, ///< nothing stays idle that somebody can use, and a large job may wait for long
  refused  ///< jobs start in their order
};

/// The nearest repair of a refused job on no more than the GPUs that it wants: those of its strategy, or, where DP is to be derived, those
/// of the cluster in its file; without a cluster, the free ones.
[[nodiscard]] std::optional<way_out> way_out_of(const moeplan::deployment& refused, free_gpus free, policy how);

/// Decides on one job after the other, and takes what each admitted one gets from the free GPUs.
void pass_through(std::vector<job>& queue, std::vector<std::int64_t>& free, policy how, passing rule);

} // namespace admission
