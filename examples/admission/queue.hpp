// A queue of jobs goes through the gate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/describe/deployment.hpp>

#include "gate.hpp"

namespace admission {

/// What an admitted job gets of one node: ranks first_rank to first_rank + gpus - 1.
struct share {
  std::size_t node = 0;
  std::int64_t gpus = 0;
  std::int64_t first_rank = 0;
};

struct job {
  std::string name; ///< path of its file
  moeplan::deployment deployment{};
  admission::decision decision{};
  std::vector<share> shares{};       ///< admitted: in the order of the nodes
  std::int64_t free = 0;             ///< GPUs that were free when it was decided on
  const job* waits_behind = nullptr; ///< queued although it would fit: the job that must start first
};

/// Whether a job that fits may start before an earlier one that does not.
enum class passing : std::uint16_t {
  allowed, ///< nothing stays idle that somebody can use, and a large job may wait for long
  refused  ///< jobs start in their order
};

/// Decides on one job after the other, and takes what each admitted one gets from the free GPUs.
void pass_through(std::vector<job>& queue, std::vector<std::int64_t>& free, policy how, passing rule);

} // namespace admission
