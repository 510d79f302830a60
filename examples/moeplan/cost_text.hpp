// A cost report as text.
#pragma once

#include <ostream>

#include <moeplan/describe/deployment.hpp>

#include "cost_report.hpp"

namespace tool {

/// How long the step takes at least and what limits it, with a bar for each resource, its FLOPs by component, and what a rank of the stage
/// with most of it sends.
void print_cost(std::ostream& out, const moeplan::deployment& d, const cost_report& report);

} // namespace tool
