// Repairs as text: what to change, and a table of all of them.
#pragma once

#include <ostream>
#include <string>

#include <moeplan/verify/findings.hpp>

#include "repair_report.hpp"

namespace tool {

/// "EP 64 to 32, micro-batch 32 to 8".
std::string in_words(const std::vector<repair_change>& changes);

/// `found`: what is wrong with the given deployment, which the report's entries are repairs of.
void print_repairs(std::ostream& out, const repair_report& report, const moeplan::findings& found);

} // namespace tool
