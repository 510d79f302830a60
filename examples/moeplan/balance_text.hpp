// A report of balanced loads as text.
#pragma once

#include <cstddef>
#include <ostream>

#include "balance_report.hpp"

namespace tool {

/// All layers in a table, one of them GPU by GPU. Precondition: shown < report.layers.size().
void print_balance(std::ostream& out, const balance_report& report, std::size_t shown);

} // namespace tool
