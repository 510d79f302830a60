// The most that the bound allows a published run.
#pragma once

#include <moeplan/cost/step_time.hpp>

#include "published_run.hpp"

namespace published_runs {

struct most_possible {
  double claimed = 0; ///< as printed: percent, or TFLOP/s
  double most = 0;    ///< in the same unit
  moeplan::step_resource limit{};

  [[nodiscard]] bool allows_claim() const { return claimed <= most; }
};

/// Precondition: a claim of a speed.
most_possible most_possible_of(const run& r);

} // namespace published_runs
