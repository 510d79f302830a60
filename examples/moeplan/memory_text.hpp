// The memory of a deployment as text: a table, a picture, and what to change where it does not fit.
#pragma once

#include <ostream>

#include <moeplan/describe/deployment.hpp>

#include "memory_report.hpp"

namespace tool {

/// Precondition: a report on the deployment.
void print_memory(std::ostream& out, const moeplan::deployment& d, const memory_report& report, bool terms);

} // namespace tool
