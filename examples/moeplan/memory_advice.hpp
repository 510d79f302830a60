// What would make a deployment take less memory, each change tried.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <moeplan/describe/deployment.hpp>

#include "memory_report.hpp"

namespace tool {

/// A change of a deployment that is legal and lowers its peak.
struct memory_change {
  std::string what;       ///< in words, with the keys of a deployment file
  std::string costs;      ///< what it costs
  std::uint64_t peak = 0; ///< with it alone
};

struct memory_advice {
  std::vector<memory_change> alone;  ///< those first that make what dominates the fullest stage smaller
  std::vector<std::string> together; ///< changes that fit together where none does alone; empty where there are none
  std::uint64_t peak_together = 0;
};

/// Precondition: a report on the deployment that says that it does not fit; DP is given.
memory_advice advise_on_memory(const moeplan::deployment& d, const memory_report& report);

} // namespace tool
